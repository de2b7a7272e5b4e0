#!/usr/bin/env bats
# Emilia's story at a hosting service, event by event: a pull request opens and
# its job runs gp-status, a merge is pushed and its job runs gp-promote, Flux
# posts commit statuses. The checkouts are those of CI. story-NAME.bats is a
# link to this file for each service, and test/fakes/NAME/hands.bash brings the hands.

setup() {
	load ../lib/helper
	gp_setup
	load ../lib/story
	load "../fakes/$(basename "$BATS_TEST_FILENAME" .bats | cut -d - -f 2)/hands"
}

@test "per-app: from the image to prod, each environment after the one before it" {
	hub_gitops
	the_story merge promote/apps-web promote/apps-web promote/apps-web
	same merges 3 "$(git -C "$REMOTE" rev-list --first-parent --merges --count main)"
}

@test "per-env: a branch for each environment" {
	hub_gitops --prflow per-env
	the_story merge promote/dev/apps-web promote/qa/apps-web promote/prod/apps-web
}

@test "squash merges: promote finds the pull request of a commit without a second parent" {
	hub_gitops
	the_story squash promote/apps-web promote/apps-web promote/apps-web
	same merges 0 "$(git -C "$REMOTE" rev-list --merges --count main)"
}

@test "rebase merges: promote finds the pull request of a commit that is a copy" {
	hub_gitops
	the_story rebase promote/apps-web promote/apps-web promote/apps-web
	same merges 0 "$(git -C "$REMOTE" rev-list --merges --count main)"
}

@test "a newer release resets the pull request that is blocked, and its red check does not stick" {
	hub_gitops
	expect 0 gp-new --group apps --app web --tag v1
	lands 1
	flux apps dev failure
	same number 2 "$(promoted)"
	expect 1 run_status 2
	expect 0 gp-new --group apps --app web --tag v2
	jq_is '"\(.pull_request.number) \(.pull_request.created)"' '2 false'
	same reset 'open: Promote apps/web version v2 to environment dev: apps/dev/web.yaml' "$(said 2)"
	same gate none "$(gate 2)"
	lands 2
}

@test "Flux's odd statuses: one without a slash first, no description, two clusters, what only looks like success" {
	hub_gitops
	local tip

	expect 0 gp-new --group apps --app web --tag v1
	lands 1
	tip=$(remote_tip)
	same number 2 "$(promoted)"
	post "$tip" ci failure
	post "$tip" kustomization/apps-dev/0c9c2e41 success 'dependency not ready'
	post "$tip" kustomization/apps-other/77777777 failure
	expect 75 run_status 2 --wait=0s
	same gate pending "$(gate 2)"
	post "$tip" kustomization/apps-dev/0c9c2e41 success
	post "$tip" kustomization/apps-dev/9a9a9a9a failure 'health check failed'
	expect 1 run_status 2 --wait=0s
	post "$tip" kustomization/apps-dev/9a9a9a9a success 'reconciliation succeeded'
	lands 2
}

@test "only the newest revision is reported: it speaks for the merge below it" {
	hub_gitops
	expect 0 gp-new --group apps --app web --tag v1
	lands 1
	same number 2 "$(promoted)"
	commit_file README.md 'a change elsewhere' <<<'# more'
	hub_settle
	flux apps dev success
	lands 2
}

@test "a hundred statuses of others hide nothing, and neither does a check of another kind" {
	hub_gitops
	local tip

	expect 0 gp-new --group apps --app web --tag v1
	lands 1
	tip=$(remote_tip)
	flux apps dev success
	hub_flood "$tip" 105 failure
	hub_check "$tip" kustomization/apps-dev/0c9c2e41 failure
	same number 2 "$(promoted)"
	lands 2
}

@test "a fork's pull request from a branch of the same name is another's affair" {
	hub_gitops
	git -C "$SEED" checkout --quiet -b theirs
	echo x >"$SEED/theirs"
	git -C "$SEED" add theirs
	git -C "$SEED" commit --quiet -m 'from a fork'
	hub_fork promote/apps-web 'Promote apps/web'
	expect 0 gp-new --group apps --app web --tag v1
	jq_is '"\(.pull_request.number) \(.pull_request.created)"' '2 true'
	same theirs 'open true Promote apps/web' "$(pr 1 '"\(.state) \(.fork) \(.title)"')"
	lands 2
	expect 0 gp-refresh
	same 'theirs, which says no promotion' 'open failure' "$(pr 1 .state) $(gate 1)"
}

@test "two apps on adjacent lines: the promote of the first makes the second anew, and it merges" {
	hub_gitops
	local env text=$'images:\n  web: r/web:v0 # {"$imagepolicy": "apps:web"}\n  api: r/api:v0 # {"$imagepolicy": "apps:api"}'

	for env in dev qa prod; do commit_file "apps/$env/web.yaml" <<<"$text"; done
	hub_settle
	expect 0 gp-new --group apps --app web --tag v1
	expect 0 gp-new --group apps --app api --tag v1
	lands 1
	expect 0 run_promote
	has "$stderr" "made pull request #2 'Promote apps/api version v1 to environment dev' anew"
	expect 0 run_status 2
	becomes 2 merged
	same dev "${text//:v0/:v1}" "$(git -C "$REMOTE" show main:apps/dev/web.yaml)"
}

@test "status_from: a status by another token than the cluster's opens nothing" {
	hub_gitops --config 'status_from: [emilia, emilia@example.com]'
	expect 0 gp-new --group apps --app web --tag v1
	lands 1
	same number 2 "$(promoted)"
	expect 0 gp-set-status --state success --commit "$(remote_tip)" --context kustomization/apps-dev/0c9c2e41
	expect 75 run_status 2 --wait=0s
	has "$stderr" "who is not in status_from"
	flux apps dev success
	lands 2
}
