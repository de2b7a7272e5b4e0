#!/usr/bin/env bats
# The flows with prflow: per-env: an environment's pull request of its own.

setup() {
	load ../lib/helper
	gp_setup
	make_gitops --prflow per-env --apps 'apps/web apps/api'
}

@test "the whole story, with a pull request for each environment" {
	local n tip

	# a8b91c33: dev is fine, qa fails
	n=$(new apps/web a8b91c33)
	same branch promote/dev/apps-web "$(pr "$n" .branch)"
	run_status "$n" >/dev/null
	same state merged "$(pr "$n" .state)"
	flux apps dev success
	n=$(run_promote | jq .pull_request.number)
	same branch promote/qa/apps-web "$(pr "$n" .branch)"
	run_status "$n" >/dev/null
	same state merged "$(pr "$n" .state)"
	tip=$(remote_tip)
	flux apps qa failure
	n=$(run_promote "$tip" | jq .pull_request.number)
	same branch promote/prod/apps-web "$(pr "$n" .branch)"
	expect 1 run_status "$n"
	same gate failure "$(gate "$n")"
	same tags 'a8b91c33 a8b91c33 v0' "$(tags apps web)"

	# cc2b7e0a leaves that one alone, until it gets there
	same number 4 "$(new apps/web cc2b7e0a)"
	same title 'Promote apps/web version a8b91c33 to environment prod' "$(pr 3 .title)"
	run_status 4 >/dev/null
	flux apps dev success
	same number 5 "$(run_promote | jq .pull_request.number)"
	run_status 5 >/dev/null
	same tags 'cc2b7e0a cc2b7e0a v0' "$(tags apps web)"
	tip=$(remote_tip)
	flux apps qa success
	same number 3 "$(run_promote "$tip" | jq .pull_request.number)"
	same title 'Promote apps/web version cc2b7e0a to environment prod' "$(pr 3 .title)"
	expect 0 run_status 3
	same gate success "$(gate 3)"
	same state open "$(pr 3 .state)"
	sh_pipe 0 'gp-find-pr --open --number 3 | gp-merge'
	same tags 'cc2b7e0a cc2b7e0a cc2b7e0a' "$(tags apps web)"
}

@test "a newer release does not disturb the one that is further on" {
	carry apps/web v1 dev
	flux apps dev success
	run_promote >/dev/null
	local head

	head=$(pr 2 .head)
	same number 3 "$(new apps/web v2)"
	same head "$head" "$(pr 2 .head)"
	same open '2 promote/qa/apps-web,3 promote/dev/apps-web' "$(prs '"\(.number) \(.branch)"' | paste -sd ,)"
}

@test "a newer release in the same environment resets its pull request" {
	same number 1 "$(new apps/web v1)"
	same number 1 "$(new apps/web v2)"
	same title 'Promote apps/web version v2 to environment dev' "$(pr 1 .title)"
	same open 1 "$(prs)"
}

@test "an older release's promote job does not undo a newer one's pull request" {
	# v1 reaches dev; v2 reaches dev and has its pull request for qa; then v1's job runs again.
	local first head

	carry apps/web v1 dev
	first=$(remote_tip)
	carry apps/web v2 dev
	run_promote >/dev/null
	head=$(remote_tip promote/qa/apps-web)
	expect 0 run_promote "$first"
	has "$(jq -r .skip.reason <<<"$output")" 'superseded by v2'
	same head "$head" "$(remote_tip promote/qa/apps-web)"
}

@test "two apps whose branches have one name: the second gets an error" {
	manifest a-b dev c v0
	manifest a dev b-c v0
	seed_push 'two apps'
	same number 1 "$(new a-b/c v1)"
	sh_pipe 0 'gp-new --group a --app b-c --tag v2; [ $? -ge 65 ]'
	one_message gp-open-pr promote/dev/a-b-c
	same title 'Promote a-b/c version v1 to environment dev' "$(pr 1 .title)"
	same open 1 "$(prs)"
}

@test "the clone stays as it was" {
	local before

	before=$(snapshot_clone "$CLONE")
	new apps/web v1
	new apps/web v2
	expect 0 gp-refresh
	same state merged "$(pr 1 .state)"
	same clone "$before" "$(snapshot_clone "$CLONE")"
	fsck_clean "$CLONE"
	fsck_clean "$REMOTE"
}
