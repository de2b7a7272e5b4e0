#!/usr/bin/env bats
# gp-merge: auto-merge on or off, merging now, never past a gate.

setup() {
	load ../lib/helper
	gp_setup
	make_gitops --apps 'apps/web apps/api'
}

# opened ENV [TAG]: a pull request that nobody has decided about; the document in $T/document.
opened() {
	start apps/web "${2:-v1}" --env "$1" | gp-set-tag | gp-open-pr >"$T/document"
}

green() {
	post "$(pr 1 .head)" gp/gate success 'open'
}

@test "--auto: on where the environment is auto" {
	opened dev
	expect 0 gp-merge --auto <"$T/document"
	jq_is .pull_request.auto_merge true
	jq_is .pull_request.state open
	same auto true "$(pr 1 .auto_merge)"
	same state open "$(pr 1 .state)"
}

@test "--auto: off where it is not" {
	opened prod
	expect 0 gp-merge --auto <"$T/document"
	jq_is .pull_request.auto_merge false
	same auto false "$(pr 1 .auto_merge)"
}

@test "--auto: switched off where somebody had switched it on" {
	opened prod
	forge set-auto-merge "{\"number\": 1, \"enable\": true, \"method\": \"merge\", \"head\": \"$(pr 1 .head)\"}" >/dev/null
	same auto true "$(pr 1 .auto_merge)"
	opened prod
	expect 0 gp-merge --auto <"$T/document"
	same auto false "$(pr 1 .auto_merge)"
	jq_is .pull_request.auto_merge false
}

@test "--auto: merges by itself when the gate turns green" {
	opened dev
	expect 0 gp-merge --auto <"$T/document"
	green
	same state merged "$(pr 1 .state)"
	same tags 'v1 v0 v0' "$(tags apps web)"
}

@test "--auto again is nothing new" {
	opened dev
	expect 0 gp-merge --auto <"$T/document"
	local before

	before=$(snapshot_remote)
	expect 0 gp-merge --auto <"$T/document"
	jq_is .pull_request.auto_merge true
	same remote "$before" "$(snapshot_remote)"
}

@test "--auto: a gate that is green already: merged now" {
	opened qa
	green
	expect 0 gp-merge --auto <"$T/document"
	jq_is .pull_request.merged true
	jq_is .pull_request.state merged
	same state merged "$(pr 1 .state)"
}

@test "--auto --method squash" {
	opened dev
	expect 0 gp-merge --auto --method squash <"$T/document"
	green
	same state merged "$(pr 1 .state)"
	same parents 1 "$(git -C "$REMOTE" log -1 --format=%P main | wc -w)"
}

@test "--method merge is the default and makes a merge commit" {
	opened dev
	green
	expect 0 gp-merge <"$T/document"
	same parents 2 "$(git -C "$REMOTE" log -1 --format=%P main | wc -w)"
	jq_is .pull_request.merged true
}

@test "a method that is none is 64" {
	expect 64 gp-merge --method octopus <<<'{"skip":{"program":"p","reason":"r"}}'
	one_message gp-merge octopus
}

@test "without --auto: a person merges what is open and green" {
	opened prod
	green
	sh_pipe 0 'gp-find-pr --open --number 1 | gp-merge'
	jq_is .pull_request.merged true
	jq_is .pull_request.state merged
	same tags 'v0 v0 v1' "$(tags apps web)"
}

@test "without --auto: a red or missing required check is refused, and named" {
	opened prod
	expect 69 gp-merge <"$T/document"
	one_message gp-merge gp/gate
	post "$(pr 1 .head)" gp/gate failure 'closed'
	expect 69 gp-merge <"$T/document"
	one_message gp-merge gp/gate
	jq_is .error.exit 69
	same state open "$(pr 1 .state)"
	same tags 'v0 v0 v0' "$(tags apps web)"
}

@test "it merges only the head in the document" {
	opened prod
	local remote

	seed_to promote/apps-web
	seed_push 'meanwhile' promote/apps-web
	green
	remote=$(snapshot_remote)
	expect 75 gp-merge <"$T/document"
	one_message gp-merge
	jq_is .error.exit 75
	expect 75 gp-merge --auto < <(jq -c '.environment.auto = true' "$T/document")
	one_message gp-merge
	same remote "$remote" "$(snapshot_remote)"
}

@test "a conflict is refused" {
	opened prod
	commit_tag apps prod web v5
	green
	expect 69 gp-merge <"$T/document"
	one_message gp-merge
	same tags 'v0 v0 v5' "$(tags apps web)"
}

@test "one that is merged already, run again" {
	opened dev
	green
	expect 0 gp-merge <"$T/document"
	local tip

	tip=$(remote_tip)
	sh_pipe 0 'gp-merge <"$T/document"; case $? in 0 | 69) ;; *) exit 1 ;; esac'
	same tip "$tip" "$(remote_tip)"
}

@test "no required check and no green gate: 69, and not merged" {
	require_checks
	opened qa
	expect 69 gp-merge --auto <"$T/document"
	one_message gp-merge gp/gate 'is not required on' main
	jq_is .error.exit 69
	same state open "$(pr 1 .state)"
	same auto false "$(pr 1 .auto_merge)"
}

@test "no required check and a red gate: 69, and not merged" {
	require_checks
	opened qa
	post "$(pr 1 .head)" gp/gate failure closed
	expect 69 gp-merge --auto <"$T/document"
	one_message gp-merge gp/gate 'is not required on' main
	same state open "$(pr 1 .state)"
}

@test "another check required and green, the gate not: 69, and not merged" {
	require_checks ci/lint
	opened qa
	post "$(pr 1 .head)" ci/lint success
	expect 69 gp-merge --auto <"$T/document"
	one_message gp-merge gp/gate 'is not required on' main
	same state open "$(pr 1 .state)"
}

@test "no required check, but the gate is green: merged" {
	require_checks
	opened qa
	green
	expect 0 gp-merge --auto <"$T/document"
	jq_is .pull_request.merged true
	same tags 'v0 v1 v0' "$(tags apps web)"
}

@test "a green gate of an older head is none" {
	require_checks
	opened qa
	green
	opened qa v2
	expect 69 gp-merge --auto <"$T/document"
	same state open "$(pr 1 .state)"
}

@test "no required check, the first environment: merged" {
	require_checks
	opened dev
	expect 0 gp-merge --auto <"$T/document"
	jq_is .pull_request.merged true
	same tags 'v1 v0 v0' "$(tags apps web)"
}

@test "no required check, an environment that is not auto: waits for a person" {
	require_checks
	opened prod
	expect 0 gp-merge --auto <"$T/document"
	jq_is .pull_request.auto_merge false
	same state open "$(pr 1 .state)"
}

@test "the gate's name is the configuration's" {
	seed_to
	printf 'gate_check: team/gate\n' >>"$SEED/gitops-promotion.yaml"
	seed_push 'another gate'
	require_checks
	opened qa
	green
	expect 69 gp-merge --auto <"$T/document"
	one_message gp-merge team/gate 'is not required on' main
	post "$(pr 1 .head)" team/gate success
	expect 0 gp-merge --auto <"$T/document"
	jq_is .pull_request.merged true
}

@test "a forge that does not allow auto-merge is heard" {
	spy_forge
	opened dev
	on_op set-auto-merge <<-'SH'
		jq -c '{id, error: {exit: 69, message: "auto merge is not allowed for this repository"}}'
	SH
	expect 69 gp-merge --auto <"$T/document"
	one_message gp-merge 'auto merge is not allowed for this repository'
	jq_is .error.exit 69
}

@test "requests are bound to the head in the document, and carry the method" {
	spy_forge
	opened dev
	: >"$T/forge.log"
	expect 0 gp-merge --auto --method squash <"$T/document"
	same request "true squash $(jq -r .pull_request.head "$T/document")" \
		"$(spied 'select(.request.op == "set-auto-merge").request | "\(.enable) \(.method) \(.head)"')"
}

@test "a dry run says what it would do and asks nothing of the forge that changes it" {
	opened dev
	local before

	before=$(snapshot_remote)
	expect 0 gp-merge --auto < <(jq -c '.dry_run = true' "$T/document")
	has "$stderr" 'gp-merge: '
	green
	before=$(snapshot_remote)
	expect 0 gp-merge < <(jq -c '.dry_run = true' "$T/document")
	has "$stderr" 'gp-merge: '
	same remote "$before" "$(snapshot_remote)"
	same state open "$(pr 1 .state)"
}

@test "a number in place of documents: the pull request is found first" {
	start apps/web v1 | gp-set-tag | gp-open-pr >/dev/null
	require_checks ci
	post "$(pr 1 .head)" ci success
	expect 64 gp-merge nonsense
	one_message gp-merge "not the number of a pull request: 'nonsense'"
	expect 69 gp-merge 7
	has "$stderr" 'no pull request #7'
	expect 0 gp-merge 1
	jq_is .pull_request.merged true
	same state merged "$(pr 1 .state)"
}
