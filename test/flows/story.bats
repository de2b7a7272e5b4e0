#!/usr/bin/env bats
# Emilia's story, played once; each sentence of it is a test of its own, on
# the repository as it was when the sentence was due.

setup_file() {
	load ../lib/helper
	gp_setup "$BATS_FILE_TMPDIR"
	make_gitops --apps 'apps/web apps/api'
	snapshot_clone "$CLONE" >"$T/clone.before"
	act 0

	# The container image a8b91c33 is uploaded.
	gp-new --group apps --app web --tag a8b91c33 >"$T/new.1"
	act dev-opened
	run_status 1 >"$T/status.1"
	act dev-merged
	flux apps dev success
	act dev-reconciled

	run_promote >"$T/promote.2"
	act qa-opened
	run_status 2 >"$T/status.2"
	act qa-merged
	local qa

	qa=$(remote_tip)
	flux apps qa failure
	act qa-failed

	run_promote "$qa" >"$T/promote.3"
	act prod-opened
	status=0
	run_status 3 >"$T/status.3" 2>"$T/status.3.err" || status=$?
	echo "$status" >"$T/status.3.exit"
	act prod-blocked

	# The release that has a migration.
	gp-new --group apps --app web --tag cc2b7e0a >"$T/new.4"
	act reset
	run_status 3 >"$T/status.4"
	act dev-merged-again
	flux apps dev success
	run_promote >"$T/promote.4"
	run_status 4 >"$T/status.5"
	act qa-merged-again
	qa=$(remote_tip)
	flux apps qa success
	run_promote "$qa" >"$T/promote.5"
	run_status 5 >"$T/status.6"
	act prod-green
	gp-find-pr --open --number 5 | gp-merge >"$T/merge.5"
	act end
	snapshot_clone "$CLONE" >"$T/clone.after"
}

# act NAME: how things stand, kept.
act() {
	cp -R "$REMOTE" "$T/act.$1"
}

setup() {
	load ../lib/helper
	gp_setup
	S=$BATS_FILE_TMPDIR
	export BASE=main CLONE="$S/clone"
}

# at ACT: the test looks at the repository as it was then.
at() {
	REMOTE="$S/act.$1"
}

said() {
	jq -r "$2" "$S/$1"
}

# changed BRANCH: what the branch changes of main.
changed() {
	git -C "$REMOTE" diff --name-only "main...$1" | paste -sd ' '
}

# Applying to dev

@test "the image upload triggers a pipeline that runs new" {
	same tag a8b91c33 "$(said new.1 .promotion.tag)"
	same environment dev "$(said new.1 .promotion.env)"
}

@test "it pushes a new branch" {
	at 0
	same branches main "$(remote_branches)"
	at dev-opened
	same branches 'main promote/apps-web' "$(remote_branches | paste -sd ' ')"
}

@test "… and updates the dev environment manifest for the app with the new tag" {
	at dev-opened
	same changed apps/dev/web.yaml "$(changed promote/apps-web)"
	same tag a8b91c33 "$(remote_tag apps dev web promote/apps-web)"
}

@test "it then opens a pull request to integrate the new tag into the main branch" {
	at dev-opened
	same open '1 promote/apps-web main' "$(prs '"\(.number) \(.branch) \(.base)"')"
	same title 'Promote apps/web version a8b91c33 to environment dev' "$(pr 1 .title)"
}

@test "… an auto-merging one" {
	at dev-opened
	same auto true "$(pr 1 .auto_merge)"
	same state open "$(pr 1 .state)"
}

@test "the pull request triggers another pipeline that runs status" {
	same number 1 "$(said status.1 .pull_request.number)"
}

@test "since dev is the first environment in the list, it does nothing and reports success" {
	same previous null "$(said status.1 .environment.previous)"
	same state success "$(said status.1 .status.state)"
}

@test "the pull request check turns green" {
	at dev-opened
	same before none "$(gate 1)"
	at dev-merged
	same after success "$(gate 1)"
}

@test "… and the pull request is automatically merged" {
	at dev-merged
	same state merged "$(pr 1 .state)"
	same tags 'a8b91c33 v0 v0' "$(tags apps web)"
}

@test "Flux sets a commit status on the main branch, reporting that the update was applied" {
	at dev-reconciled
	local tip

	tip=$(remote_tip)
	same status 'kustomization/apps-dev/0c9c2e41 success' "$(forge list-statuses "{\"commits\": [\"$tip\"]}" |
		jq -r --arg c "$tip" '.statuses[$c][0] | "\(.context) \(.state)"')"
}

# Applying to qa

@test "merging a promotion to the main branch triggers promote, for the next environment" {
	same promotion 'apps web a8b91c33 qa' "$(said promote.2 '.promotion | "\(.group) \(.app) \(.tag) \(.env)"')"
	same follows 1 "$(said promote.2 .previous_pull_request.number)"
}

@test "like new, it creates a branch and updates the qa manifest for the app with the new tag" {
	at qa-opened
	same changed apps/qa/web.yaml "$(changed promote/apps-web)"
	same tag a8b91c33 "$(remote_tag apps qa web promote/apps-web)"
}

@test "because qa says auto: true it creates an auto-merging pull request" {
	at qa-opened
	same open '2 true' "$(prs '"\(.number) \(.auto_merge)"')"
	same title 'Promote apps/web version a8b91c33 to environment qa' "$(pr 2 .title)"
}

@test "this time there is a previous environment, and status reads the Flux status for it" {
	same previous dev "$(said status.2 .environment.previous)"
	same evidence 'dev kustomization/apps-dev/0c9c2e41 reconciliation succeeded' \
		"$(said status.2 '.status | "\(.env) \(.context) \(.description)"')"
}

@test "since Flux managed to apply the change in dev, status reports success" {
	same state success "$(said status.2 .status.state)"
}

@test "the qa check turns green and the pull request is automatically merged" {
	at qa-merged
	same gate success "$(gate 2)"
	same state merged "$(pr 2 .state)"
	same tags 'a8b91c33 a8b91c33 v0' "$(tags apps web)"
}

@test "Flux sets a commit status on the main branch, reporting that the qa update failed" {
	at qa-failed
	local tip

	tip=$(remote_tip)
	same status 'kustomization/apps-qa/0c9c2e41 failure' "$(forge list-statuses "{\"commits\": [\"$tip\"]}" |
		jq -r --arg c "$tip" '.statuses[$c][0] | "\(.context) \(.state)"')"
}

# Application to prod is blocked

@test "the workflow for prod is similar to that of qa: a pull request" {
	at prod-opened
	same open '3 Promote apps/web version a8b91c33 to environment prod' "$(prs '"\(.number) \(.title)"')"
	same changed apps/prod/web.yaml "$(changed promote/apps-web)"
}

@test "prod says auto: false: it is not auto-merging" {
	at prod-opened
	same auto false "$(pr 3 .auto_merge)"
}

@test "since Flux reported failure in qa, status fails" {
	same exit 1 "$(cat "$S/status.3.exit")"
	same state failure "$(said status.3 .status.state)"
	same environment qa "$(said status.3 .status.env)"
	same messages 1 "$(grep -c 'health check failed' "$S/status.3.err")"
	has "$(cat "$S/status.3.err")" 'gp-check-status: ' qa
}

@test "… and merging of the pull request is blocked" {
	at prod-blocked
	same gate failure "$(gate 3)"
	same state open "$(pr 3 .state)"
	expect 69 merge_pr 3
	has "$stderr" gp/gate
	same tags 'a8b91c33 a8b91c33 v0' "$(tags apps web)"
}

@test "cc2b7e0a resets the blocked pull request: the same one" {
	same number 3 "$(said new.4 .pull_request.number)"
	at reset
	same open '3 promote/apps-web open' "$(prs '"\(.number) \(.branch) \(.state)"')"
	same created false "$(said new.4 .pull_request.created)"
}

@test "… to apply the updated release to the dev environment" {
	at reset
	same title 'Promote apps/web version cc2b7e0a to environment dev' "$(pr 3 .title)"
	has "$(pr 3 .description)" '"tag":"cc2b7e0a","env":"dev"'
	same changed apps/dev/web.yaml "$(changed promote/apps-web)"
	same tag cc2b7e0a "$(remote_tag apps dev web promote/apps-web)"
	same auto true "$(pr 3 .auto_merge)"
}

@test "… and its red check does not stick to it" {
	at reset
	same gate none "$(gate 3)"
}

# Second attempt

@test "the updated app is applied to dev" {
	at dev-merged-again
	same state merged "$(pr 3 .state)"
	same tags 'cc2b7e0a a8b91c33 v0' "$(tags apps web)"
}

@test "… and then to qa" {
	at qa-merged-again
	same state merged "$(pr 4 .state)"
	same tags 'cc2b7e0a cc2b7e0a v0' "$(tags apps web)"
}

@test "the status check for the pull request against prod turns green" {
	same state success "$(said status.6 .status.state)"
	at prod-green
	same gate success "$(gate 5)"
	same title 'Promote apps/web version cc2b7e0a to environment prod' "$(pr 5 .title)"
}

@test "since prod says auto: false, the pull request is not automatically merged" {
	at prod-green
	same state 'open false' "$(pr 5 '"\(.state) \(.auto_merge)"')"
	same tags 'cc2b7e0a cc2b7e0a v0' "$(tags apps web)"
}

@test "Emilia can merge it" {
	same merged true "$(said merge.5 .pull_request.merged)"
	at end
	same state merged "$(pr 5 .state)"
	same tags 'cc2b7e0a cc2b7e0a cc2b7e0a' "$(tags apps web)"
}

# And all the while

@test "nobody else's manifests were touched" {
	at end
	same tags 'v0 v0 v0' "$(tags apps api)"
	same changed 'apps/dev/web.yaml apps/prod/web.yaml apps/qa/web.yaml' \
		"$(git -C "$REMOTE" diff --name-only "$(git -C "$REMOTE" rev-list --max-parents=0 main)" main | sort | paste -sd ' ')"
}

@test "there were five pull requests and one branch, and nothing is left open" {
	at end
	same open '' "$(prs)"
	same last merged "$(pr 5 .state)"
	expect 0 forge find-pr '{"number": 6}'
	jq_is '.pull_requests | length' 0
}

@test "main's history tells the story in five merges" {
	at end
	same merges 5 "$(git -C "$REMOTE" rev-list --first-parent --merges --count main)"
	same trailers 'dev a8b91c33,qa a8b91c33,dev cc2b7e0a,qa cc2b7e0a,prod cc2b7e0a' \
		"$(git -C "$REMOTE" log --reverse --no-merges --format='%(trailers:key=Gp-Promotion,valueonly)' main |
			sed '/^$/d' | jq -r '"\(.env) \(.tag)"' | paste -sd ,)"
}

@test "the clone in which new ran is as it was" {
	same clone "$(cat "$S/clone.before")" "$(cat "$S/clone.after")"
	fsck_clean "$CLONE"
}

@test "the repository is whole" {
	at end
	fsck_clean "$REMOTE"
}
