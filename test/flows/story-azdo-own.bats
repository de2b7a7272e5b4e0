#!/usr/bin/env bats
# What the story meets at Azure DevOps alone: genres, names that have to be
# encoded, work that is done in the background, permissions of one's own.

setup() {
	load ../lib/helper
	gp_setup
	load ../lib/story
	load ../fakes/azdo/hands
}

# flux_says COMMIT NAME STATE DESCRIPTION GENRE: all of them as they come; an empty text is null.
flux_says() {
	hub_api "$HUB_EMILIA" POST "commits/$1/statuses" "$(jq -cn '$ARGS.positional as $a
		| ($a | map(if . == "" then null else . end)) as $n
		| {context: {name: $a[1], genre: $n[4]}, state: $a[2], description: $n[3]}' --args -- "$@")" >/dev/null
}

# two_promoted: a release is in dev, and its promotion to qa is open; $tip is what Flux speaks of.
two_promoted() {
	expect 0 gp-new --group apps --app web --tag v1
	lands 1
	tip=$(remote_tip)
	same number 2 "$(promoted)"
}

@test "Flux speaks in the genre fluxcd, with or without a summary, or in none" {
	local genre tip

	for genre in fluxcd fluxcd:cluster-one ''; do
		hub_names "project $genre" shop
		rm -rf "$CLONE" "$SEED" "$REMOTE"
		REMOTE=$T/remote.git
		cd "$T" || return
		hub_gitops
		two_promoted
		flux_says "$tip" kustomization/apps-dev/0c9c2e41 error 'health check failed' "$genre"
		expect 1 run_status 2 --wait=0s
		flux_says "$tip" kustomization/apps-dev/0c9c2e41 succeeded 'reconciliation succeeded' "$genre"
		lands 2
	done
}

@test "what others say in a genre of their own, and the older tool's own statuses, are not Flux" {
	local tip

	hub_gitops
	two_promoted
	flux_says "$tip" kustomization/apps-dev/0c9c2e41 failed 'by somebody else' ci
	flux_says "$tip" kind/apps-dev failed apps-dev fluxcd
	flux_says "$tip" apps-dev failed '' ''
	expect 75 run_status 2 --wait=0s
	flux_says "$tip" kustomization/apps-dev/0c9c2e41 succeeded 'reconciliation succeeded' fluxcd
	lands 2
}

@test "no description and no genre: null is not a text" {
	local tip

	hub_gitops
	two_promoted
	flux_says "$tip" kustomization/apps-dev/0c9c2e41 succeeded '' ''
	expect 75 run_status 2 --wait=0s
	flux_says "$tip" kustomization/apps-dev/0c9c2e41 error '' fluxcd
	expect 1 run_status 2 --wait=0s
	same gate failure "$(gate 2)"
}

@test "names with spaces, percent signs and letters of all kinds" {
	hub_names 'Büro 100% & Söhne' 'gitöps repo 50%41'
	hub_gitops
	the_story merge promote/apps-web promote/apps-web promote/apps-web
}

@test "a project's own repository, whose address leaves the project out" {
	hub_names shop shop
	hub_gitops
	FORGE_URL=$HUB_URL/acme/_git/shop
	git -C "$CLONE" remote set-url origin "$FORGE_URL"
	expect 0 gp-new --group apps --app web --tag v1
	lands 1
	same tags 'v1 v0 v0' "$(tags apps web)"
}

@test "what Azure does in the background is waited for" {
	hub_gitops
	hub_test PUT settings '{"completion_polls": 2, "merge_polls": 2, "head_polls": 1}'
	expect 0 gp-new --group apps --app web --tag v1
	lands 1
	flux apps dev success
	expect 0 gp-new --group apps --app web --tag v2
	jq_is .pull_request.number 2
	expect 0 gp-new --group apps --app web --tag v3
	jq_is '"\(.pull_request.number) \(.pull_request.created)"' '2 false'
	run_status 2 >"$T/run/status"
	becomes 2 merged
	same tags 'v3 v0 v0' "$(tags apps web)"
	# An index that lags: the run waits until it knows.
	hub_test PUT settings '{"index_lag": 2}'
	flux apps dev success
	same number 3 "$(promoted)"
}

@test "a promotion that somebody else has begun is reset only by who may force" {
	hub_gitops
	hub_test PUT tokens '{"pat-of-gp": {"login": "gp-bot", "permissions":
		["GenericRead", "GenericContribute", "CreateBranch", "PullRequestContribute"]}}'
	git -C "$SEED" push --quiet origin HEAD:refs/heads/promote/apps-web
	start apps/web v0.9 | gp-set-tag >"$T/document"
	git -C "$SEED" fetch --quiet "$PWD" "$(jq -r .change.commit "$T/document")"
	git -C "$SEED" push --quiet origin FETCH_HEAD:refs/heads/promote/apps-web
	expect 77 gp-new --group apps --app web --tag v1
	has "$stderr" promote/apps-web ForcePush
	# Its own branch it may reset.
	git -C "$SEED" push --quiet origin :refs/heads/promote/apps-web
	expect 0 gp-new --group apps --app web --tag v1
	expect 0 gp-new --group apps --app web --tag v2
	jq_is '"\(.pull_request.number) \(.pull_request.created)"' '1 false'
}

@test "a build validation that is still to come is waited for, and its refusal is Azure's" {
	hub_gitops
	hub_test PUT "policies/$HUB_SHOP" '[{"type": "status", "settings": {"statusGenre": "gp", "statusName": "gate"}},
		{"type": "build", "settings": {"buildDefinitionId": 7, "displayName": "gp status"}}]'
	local build

	build=$(jq '.[1]' "$T/run/hub")
	expect 0 gp-new --group apps --app web --tag v1
	run_status 1 >"$T/run/status"
	same state open "$(pr 1 .state)"
	expect 69 merge_pr 1
	hub_test PUT "builds/$HUB_SHOP/1" "{\"policy\": $build, \"result\": \"approved\"}"
	becomes 1 merged
}

@test "a head that was pushed away and back is another iteration: its job posts what stands on the commit already" {
	local head

	# away_and_back N: somebody changes the branch of pull request N, and changes it back.
	away_and_back() {
		head=$(pr "$1" .head)
		git -C "$SEED" fetch --quiet origin
		git -C "$SEED" push --quiet --force origin "$head~1:refs/heads/promote/apps-web" 2>"$T/run/push" ||
			fail "$(cat "$T/run/push")"
		git -C "$SEED" push --quiet --force origin "$head:refs/heads/promote/apps-web"
		same gate none "$(gate "$1")"
	}
	hub_gitops
	# Something else keeps it open.
	hub_require gp/gate ci/lint
	expect 0 gp-new --group apps --app web --tag v1
	expect 0 run_status 1
	away_and_back 1
	expect 0 run_status 1
	has "$stderr" "posted 'gp/gate' success"
	same gate success "$(gate 1)"
	# Once is enough.
	expect 0 run_status 1
	lacks "$stderr" posted
	# To wait is news there, too, and what a refresh goes by.
	hub_require gp/gate
	becomes 1 merged
	hub_require gp/gate ci/lint
	flux apps dev success
	same number 2 "$(promoted)"
	expect 0 run_status 2
	away_and_back 2
	flux apps dev pending
	expect 75 run_status 2 --wait=0s
	same gate pending "$(gate 2)"
	flux apps dev success
	expect 0 gp-refresh
	same gate success "$(gate 2)"
}

@test "where the gate is not required, nothing merges past it, however late Azure looks at what is" {
	hub_gitops
	hub_test PUT "policies/$HUB_SHOP" '[{"type": "strategy", "settings": {"allowNoFastForward": true}}]'
	hub_test PUT settings '{"evaluation_polls": 2}'
	expect 0 gp-new --group apps --app web --tag v1
	becomes 1 merged
	expect 69 run_promote
	has "$stderr" "check 'gp/gate' is not required on 'main'"
	same state 'open false' "$(pr 2 '"\(.state) \(.auto_merge)"')"
	same tags 'v1 v0 v0' "$(tags apps web)"
}
