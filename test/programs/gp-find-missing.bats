#!/usr/bin/env bats
# Promotion by level: what the base says is still to be promoted, whatever event was lost.

setup() {
	load ../lib/helper
	gp_setup
}

# missing: what gp-find-missing finds, "app env tag" each.
missing() {
	expect 0 gp-find-missing -v
	jq -r 'select(.promotion) | "\(.promotion.app) \(.promotion.env) \(.promotion.tag)"' <<<"$output"
}

is_missing() {
	same missing "$1" "$(missing | paste -sd ,)"
}

@test "a promote job that never ran is made up for, and then nothing is missing" {
	make_gitops --apps 'apps/web apps/api team/job'
	new apps/web v1
	run_status 1 >"$T/run/status"
	same dev v1 "$(remote_tag apps dev web)"
	is_missing 'web dev v1'
	expect 0 gp-promote --missing
	same opened 'Promote apps/web version v1 to environment qa' "$(pr 2 .title)"
	same 'auto-merge' true "$(pr 2 .auto_merge)"
	is_missing ''
	expect 0 gp-promote --missing
	jq_is .skip.reason 'nothing is missing'
	same open 2 "$(prs)"
}

@test "one listing of the forge where nothing is missing, and one more for each candidate" {
	make_gitops
	spy_forge
	expect 0 gp-find-missing
	same asked find-pr "$(spied | paste -sd ' ')"
	commit_tag apps dev web v1
	: >"$T/forge.log"
	expect 0 gp-find-missing
	same asked 'find-pr find-pr' "$(spied | paste -sd ' ')"
}

@test "what a person, Renovate or Flux's automation wrote into an environment is carried on, at each place of the chain" {
	make_gitops --apps 'apps/web apps/api' --prflow per-env
	commit_tag apps dev web v1
	commit_tag apps qa api v5
	is_missing 'api qa v5,web dev v1'
	expect 0 gp-promote --missing
	same titles 'Promote apps/api version v5 to environment prod,Promote apps/web version v1 to environment qa' \
		"$(prs .title | sort | paste -sd ,)"
}

@test "a pull request that was closed unmerged is a no for that version, and the next one comes" {
	make_gitops
	commit_tag apps dev web v1
	expect 0 gp-promote --missing
	git -C "$REMOTE" branch --quiet -D promote/apps-web
	same state closed "$(pr 1 .state)"
	is_missing ''
	has "$(gp-find-missing -v 2>&1)" 'apps/web v1 is not promoted to qa: #1 was closed'
	commit_tag apps dev web v2
	is_missing 'web dev v2'
}

@test "an environment that was taken back stays back, and so does what came from one that was" {
	make_gitops --envs 'dev:true qa:true'
	commit_tag apps dev web v1
	commit_tag apps qa web v1
	commit_tag apps qa web v0
	is_missing ''
	has "$(gp-find-missing -v 2>&1)" 'is not promoted to qa: qa went back'
	commit_tag apps dev web v2
	commit_tag apps dev web v1
	is_missing ''
	commit_tag apps dev web v3
	is_missing 'web dev v3'
	# dev goes back to what it had; qa was elsewhere meanwhile, in versions without an order.
	commit_tag apps dev web abc
	commit_tag apps qa web def
	commit_tag apps dev web v3
	is_missing ''
	has "$(gp-find-missing -v 2>&1)" 'dev went back'
}

@test "an older version than the next environment has is no release" {
	make_gitops --envs 'dev:true qa:true' --tag v1.0.0
	commit_tag apps qa web v1.2.0
	commit_tag apps dev web v1.1.0
	is_missing ''
	has "$(gp-find-missing -v 2>&1)" 'it is older than v1.2.0'
}

@test "an environment without the app is passed over; markers that disagree are no version" {
	make_gitops
	seed_to
	git -C "$SEED" rm --quiet apps/qa/web.yaml
	seed_push 'no qa'
	commit_tag apps dev web v1
	is_missing 'web dev v1'
	expect 0 gp-promote --missing
	same title 'Promote apps/web version v1 to environment prod' "$(pr 1 .title)"
	commit_tag apps dev web v2
	git -C "$REMOTE" show main:apps/dev/web.yaml | sed 's/:v2 /:v3 /' >"$T/run/m"
	commit_file apps/dev/more.yaml <"$T/run/m"
	is_missing ''
}

@test "an app that cannot be read is told, and keeps no other from being promoted" {
	make_gitops --apps 'apps/web apps/api'
	commit_tag apps dev api v1
	commit_tag apps dev web v1
	printf 'image: "::" # {"$imagepolicy": "apps:web"}\n' | commit_file apps/qa/web.yaml
	is_missing 'api dev v1'
	has "$(gp-find-missing 2>&1 >/dev/null)" 'warning: apps/web is not looked at'
}

@test "a pull request between push and description is mended" {
	make_gitops
	commit_tag apps dev web v1
	expect 0 gp-promote --missing
	open_pr promote/apps-web 'Promote apps/web version v0 to environment qa' 'old words' >/dev/null
	expect 0 gp-promote --missing
	same title 'Promote apps/web version v1 to environment qa' "$(pr 1 .title)"
	has "$(pr 1 .description)" metadata
	is_missing ''
}

@test "a branch that was pushed, and no pull request: opened" {
	make_gitops
	commit_tag apps dev web v1
	start apps/web v1 --env qa | gp-set-tag >"$T/document"
	git push --quiet "$REMOTE" "$(jq -r .change.commit "$T/document"):refs/heads/promote/apps-web"
	expect 0 gp-promote --missing
	same title 'Promote apps/web version v1 to environment qa' "$(pr 1 .title)"
}

@test "an open pull request that brings a newer version is left to it" {
	make_gitops --envs 'dev:true qa:true' --tag v1.0.0
	commit_tag apps dev web v1.2.0
	expect 0 gp-promote --missing
	commit_tag apps dev web v1.1.0
	is_missing ''
}

@test "--missing goes with neither --since nor --commit" {
	make_gitops
	expect 64 gp-promote --missing --since HEAD
	has "$stderr" 'do not go with --missing'
}
