#!/usr/bin/env bats
# Emilia's story at a forge like GitHub, event by event: a pull request opens
# and its workflow runs gp-status, a merge is pushed and its workflow runs
# gp-promote, Flux posts commit statuses. The checkouts are those of CI.

setup() {
	load helper
	gp_setup
	load forge-github
}

# said NUMBER: state and title of a pull request, and what it changes.
said() {
	local pull

	pull=$(pr "$1")
	printf '%s: %s: %s\n' "$(jq -r .state <<<"$pull")" "$(jq -r .title <<<"$pull")" \
		"$(git -C "$REMOTE" diff --name-only "main...$(jq -r .head <<<"$pull")" | paste -sd ' ')"
}

# lands N: the workflow of pull request N turns it green, and it is merged by itself.
lands() {
	run_status "$1" >"$T/run/status"
	same state merged "$(pr "$1" .state)"
	same 'the base' "$(remote_tip)" "$(pr "$1" .merge_commit)"
}

# promoted: what the workflow of the push opened; the number.
promoted() {
	run_promote >"$T/run/promote"
	jq -s '.[-1].pull_request.number' "$T/run/promote"
}

# the_story METHOD DEV QA PROD: all the way, with the branches of the pull requests for each environment.
the_story() {
	local method=$1 dev=$2 qa=$3 prod=$4 before

	before=$(snapshot_clone "$CLONE")
	expect 0 gp-new --group apps --app web --tag a8b91c33 --method "$method"
	jq_is .pull_request.number 1
	same opened "open: Promote apps/web version a8b91c33 to environment dev: apps/dev/web.yaml" "$(said 1)"
	same 'branch and auto-merge' "$dev true" "$(pr 1 '"\(.branch) \(.auto_merge)"')"
	same clone "$before" "$(snapshot_clone "$CLONE")"
	lands 1
	flux apps dev success

	expect 0 run_promote --method "$method"
	jq_is '.pull_request.number' 2
	same opened "open: Promote apps/web version a8b91c33 to environment qa: apps/qa/web.yaml" "$(said 2)"
	same 'branch and auto-merge' "$qa true" "$(pr 2 '"\(.branch) \(.auto_merge)"')"
	lands 2
	same tags 'a8b91c33 a8b91c33 v0' "$(tags apps web)"
	flux apps qa failure

	expect 0 run_promote --method "$method"
	same 'branch and auto-merge' "$prod false" "$(pr 3 '"\(.branch) \(.auto_merge)"')"
	expect 1 run_status 3
	has "$stderr" 'health check failed'
	same gate failure "$(gate 3)"
	expect 69 merge_pr 3
	has "$stderr" gp/gate
	flux apps qa success "$(pr 2 .merge_commit)"
	expect 0 run_status 3
	same gate success "$(gate 3)"
	same state open "$(pr 3 .state)"
	merge_by_hand 3 "$method"
	same tags 'a8b91c33 a8b91c33 a8b91c33' "$(tags apps web)"
	same 'left open' '' "$(prs)"
	expect 0 run_promote --method "$method"
	same 'left open' '' "$(prs)"
	fsck_clean "$REMOTE"
}

@test "per-app: from the image to prod, each environment after the one before it" {
	github_gitops
	the_story merge promote/apps-web promote/apps-web promote/apps-web
	same merges 3 "$(git -C "$REMOTE" rev-list --first-parent --merges --count main)"
}

@test "per-env: a branch for each environment" {
	github_gitops --prflow per-env
	the_story merge promote/dev/apps-web promote/qa/apps-web promote/prod/apps-web
}

@test "squash merges: promote finds the pull request of a commit without a second parent" {
	github_gitops
	the_story squash promote/apps-web promote/apps-web promote/apps-web
	same merges 0 "$(git -C "$REMOTE" rev-list --merges --count main)"
}

@test "rebase merges: promote finds the pull request of a commit that is a copy" {
	github_gitops
	the_story rebase promote/apps-web promote/apps-web promote/apps-web
	same merges 0 "$(git -C "$REMOTE" rev-list --merges --count main)"
}

@test "a newer release resets the pull request that is blocked, and its red check does not stick" {
	github_gitops
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
	github_gitops
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
	github_gitops
	expect 0 gp-new --group apps --app web --tag v1
	lands 1
	same number 2 "$(promoted)"
	commit_file README.md 'a change elsewhere' <<<'# more'
	github_test POST settle/acme/shop
	flux apps dev success
	lands 2
}

@test "a check run of the required name is not Flux, and a hundred statuses hide nothing" {
	github_gitops
	local tip i

	expect 0 gp-new --group apps --app web --tag v1
	lands 1
	tip=$(remote_tip)
	flux apps dev success
	for i in $(seq 105); do echo "$i"; done | xargs -P 2 -I '{}' curl -fsS -A test -o /dev/null \
		-H "Authorization: Bearer $HUB_EMILIA" -d '{"state": "failure", "context": "other/{}"}' \
		"$HUB_URL/repos/acme/shop/statuses/$tip"
	github_api "$HUB_APP" POST repos/acme/shop/check-runs "{\"name\": \"kustomization/apps-dev/0c9c2e41\",
		\"head_sha\": \"$tip\", \"status\": \"completed\", \"conclusion\": \"failure\"}" >/dev/null
	same number 2 "$(promoted)"
	lands 2
}

@test "a fork's pull request from a branch of the same name is another's affair" {
	github_gitops
	github_test POST forks/acme/shop '{"owner": "mallory"}'
	git -C "$SEED" checkout --quiet -b theirs
	echo x >"$SEED/theirs"
	git -C "$SEED" add theirs
	git -C "$SEED" commit --quiet -m 'from a fork'
	git -C "$SEED" push --quiet "$HUB_URL/mallory/shop.git" HEAD:refs/heads/promote/apps-web
	github_api "$HUB_EMILIA" POST repos/acme/shop/pulls \
		'{"title": "Promote apps/web", "head": "mallory:promote/apps-web", "base": "main", "body": ""}' >/dev/null
	expect 0 gp-new --group apps --app web --tag v1
	jq_is '"\(.pull_request.number) \(.pull_request.created)"' '2 true'
	same theirs 'open true Promote apps/web' "$(pr 1 '"\(.state) \(.fork) \(.title)"')"
	lands 2
	expect 0 gp-refresh
	same 'theirs, which says no promotion' 'open failure' "$(pr 1 .state) $(gate 1)"
}
