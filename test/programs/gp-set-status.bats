#!/usr/bin/env bats
# gp-set-status: a status as Flux would post it, and the gate's verdict.

setup() {
	load ../lib/helper
	gp_setup
	make_gitops --apps 'apps/web apps/api'
	commit_tag apps dev web v1
}

# statuses COMMIT: "context state description" of each, newest first.
statuses() {
	forge list-statuses "{\"commits\": [\"$1\"]}" |
		jq -r --arg c "$1" '.statuses[$c][] | "\(.context) \(.state) \(.description)"'
}

# judged EXIT: the gate of pull request 1; its document in $T/document.
judged() {
	status=0
	gp-find-pr --open --number 1 | gp-read-config | gp-check-status >"$T/document" 2>/dev/null || status=$?
	same 'exit of the gate' "$1" "$status"
}

# As Flux would

@test "--state on what the document promotes: as Flux would, on the tip" {
	sh_pipe 0 'gp-read-config --group apps --app web --tag v1 | gp-set-status --state success'
	same context kustomization/apps-dev "$(statuses "$(remote_tip)" | cut -d ' ' -f 1 | cut -d / -f 1,2)"
	has "$(statuses "$(remote_tip)")" ' success ' succeeded
}

@test "the gate believes it" {
	propose apps/web v1 qa
	judged 75
	sh_pipe 0 'gp-read-config --group apps --app web --tag v1 | gp-set-status --state success'
	judged 0
	sh_pipe 0 'gp-read-config --group apps --app web --tag v1 | gp-set-status --state failure'
	judged 1
	sh_pipe 0 'gp-read-config --group apps --app web --tag v1 | gp-set-status --state pending'
	judged 75
}

@test "--env says of which environment" {
	sh_pipe 0 'gp-read-config --group apps --app web --tag v1 | gp-set-status --state failure --env qa'
	has "$(statuses "$(remote_tip)")" 'kustomization/apps-qa' failure
}

@test "--commit and --context say where and as what" {
	local old

	old=$(remote_tip)
	commit_file README.md later <<<later
	sh_pipe 0 'gp-read-config --group apps --app web --tag v1 | gp-set-status --state success --commit "$1" --context argocd/dev' "$old"
	has "$(statuses "$old")" 'argocd/dev success'
	same 'on the tip' '' "$(statuses "$(remote_tip)")"
}

@test "with --commit and --context it needs no document" {
	expect 0 gp-set-status --state success --commit "$(remote_tip)" --context kustomization/apps-dev/1 </dev/null
	has "$(statuses "$(remote_tip)")" 'kustomization/apps-dev/1 success'
}

@test "--commit takes a revision" {
	git fetch --quiet
	expect 0 gp-set-status --state success --commit origin/main --context kustomization/apps-dev/1 </dev/null
	has "$(statuses "$(remote_tip)")" 'kustomization/apps-dev/1 success'
	expect 64 gp-set-status --state success --commit nowhere --context c </dev/null
	one_message gp-set-status nowhere
}

@test "the document passes on" {
	start apps/web v1 | jq -c '.mine = 1' >"$T/document"
	expect 0 gp-set-status --state success <"$T/document"
	jq_is .mine 1
	jq_is .promotion.tag v1
}

@test "a state is success, failure or pending" {
	expect 64 gp-set-status --state great </dev/null
	one_message gp-set-status great
	expect 64 gp-set-status </dev/null
	one_message gp-set-status
	expect 64 gp-set-status --state success --gate </dev/null
	one_message gp-set-status
	expect 64 gp-set-status --gate=never </dev/null
	one_message gp-set-status never
}

@test "a token that may not is 77 there" {
	spy_forge
	start apps/web v1 >"$T/document"
	on_op set-status <<-'SH'
		jq -c '{id, error: {exit: 77, message: "403: resource not accessible by integration"}}'
	SH
	expect 77 gp-set-status --state success <"$T/document"
	one_message gp-set-status 'resource not accessible by integration'
}

# The gate's verdict

@test "--gate posts the verdict as the gate's check on the pull request's head" {
	propose apps/web v1 qa
	flux apps dev failure
	judged 1
	expect 1 gp-set-status --gate <"$T/document"
	same gate failure "$(gate 1)"
	same document "$(jq -c . "$T/document")" "$(jq -c . <<<"$output")"
	lacks "$stderr" 'health check failed'
	flux apps dev success
	judged 0
	expect 0 gp-set-status --gate <"$T/document"
	same gate success "$(gate 1)"
}

@test "--gate: undecided is pending, and passes its error on" {
	propose apps/web v1 qa
	judged 75
	expect 75 gp-set-status --gate <"$T/document"
	same gate pending "$(gate 1)"
}

@test "--gate=post posts the same and passes the document on without the error" {
	propose apps/web v1 qa
	flux apps dev failure
	judged 1
	expect 0 gp-set-status --gate=post <"$T/document"
	same gate failure "$(gate 1)"
	jq_is 'has("error")' false
	jq_is .status.state failure
}

@test "--gate=post of an undecided one is exit 0 too" {
	propose apps/web v1 qa
	judged 75
	expect 0 gp-set-status --gate=post <"$T/document"
	same gate pending "$(gate 1)"
	jq_is 'has("error")' false
}

@test "--gate=post passes other errors on" {
	expect 69 gp-set-status --gate=post <<<'{"error":{"program":"gp-find-pr","exit":69,"message":"m"}}'
	jq_is .error.exit 69
	expect 75 gp-set-status --gate=post <<<'{"error":{"program":"gp-find-pr","exit":75,"message":"m"}}'
	jq_is .error.exit 75
}

@test "a gate that turns green merges what waits for it" {
	propose apps/web v1 qa
	flux apps dev success
	judged 0
	expect 0 gp-set-status --gate <"$T/document"
	same state merged "$(pr 1 .state)"
}

@test "the same verdict is not posted again: a status is itself an event" {
	propose apps/web v1 qa
	flux apps dev failure
	judged 1
	expect 1 gp-set-status --gate <"$T/document"
	judged 1
	same standing failure "$(jq -r .status.standing.state "$T/document")"
	spy_forge
	jq -c '.repository.provider = "spy"' "$T/document" >"$T/document2"
	expect 1 gp-set-status --gate <"$T/document2"
	same posted '' "$(spied 'select(.request.op == "set-status") | .request.state')"
}

@test "never pending over success" {
	propose apps/web v1 prod
	post "$(pr 1 .head)" gp/gate success open
	commit_tag apps qa web v1
	judged 75
	expect 75 gp-set-status --gate <"$T/document"
	same gate success "$(gate 1)"
	expect 0 gp-set-status --gate=post <"$T/document"
	same gate success "$(gate 1)"
}

@test "failure over success, and success over failure, are posted" {
	commit_tag apps qa web v1
	propose apps/web v1 prod
	flux apps qa success
	judged 0
	expect 0 gp-set-status --gate <"$T/document"
	same gate success "$(gate 1)"
	flux apps qa failure
	judged 1
	expect 1 gp-set-status --gate <"$T/document"
	same gate failure "$(gate 1)"
	flux apps qa success
	judged 0
	expect 0 gp-set-status --gate <"$T/document"
	same gate success "$(gate 1)"
}

@test "pending over failure is posted" {
	commit_tag apps qa web v1
	propose apps/web v1 prod
	flux apps qa failure
	judged 1
	expect 1 gp-set-status --gate <"$T/document"
	flux apps qa pending
	judged 75
	expect 75 gp-set-status --gate <"$T/document"
	same gate pending "$(gate 1)"
}

@test "the check's name is the configuration's" {
	seed_to
	printf 'gate_check: team/gate\n' >>"$SEED/gitops-promotion.yaml"
	seed_push 'another gate'
	propose apps/web v1 qa
	flux apps dev failure
	judged 1
	expect 1 gp-set-status --gate <"$T/document"
	has "$(statuses "$(pr 1 .head)")" 'team/gate failure'
	same gate none "$(gate 1)"
}

@test "the check is posted as one of that pull request" {
	propose apps/web v1 qa
	flux apps dev failure
	judged 1
	spy_forge
	expect 1 gp-set-status --gate < <(jq -c '.repository.provider = "spy"' "$T/document")
	same posted "1 $(pr 1 .head) gp/gate failure" \
		"$(spied 'select(.request.op == "set-status").request | "\(.number) \(.commit) \(.context) \(.state)"')"
}

@test "the description tells why" {
	propose apps/web v1 qa
	flux apps dev failure
	judged 1
	expect 1 gp-set-status --gate <"$T/document"
	has "$(statuses "$(pr 1 .head)")" 'health check failed'
}

@test "a description is cut to what forges take" {
	propose apps/web v1 qa
	post "$(remote_tip)" kustomization/apps-dev/1 failure "$(printf 'long words å %.0s' {1..40})"
	judged 1
	spy_forge
	expect 1 gp-set-status --gate < <(jq -c '.repository.provider = "spy"' "$T/document")
	[ "$(spied 'select(.request.op == "set-status").request.description | length')" -le 140 ]
}

@test "where the token may not post: a warning, the job's own exit still counts" {
	propose apps/web v1 qa
	spy_forge
	on_op set-status <<-'SH'
		jq -c '{id, error: {exit: 77, message: "403: resource not accessible by integration"}}'
	SH
	flux apps dev failure
	judged 1
	expect 1 gp-set-status --gate <"$T/document"
	has "$stderr" 'gp-set-status: ' 'resource not accessible by integration'
	flux apps dev success
	judged 0
	expect 0 gp-set-status --gate <"$T/document"
	has "$stderr" 'resource not accessible by integration'
}

@test "what is no promotion gets its green check" {
	seed_to
	echo more >>"$SEED/README.md"
	seed_push 'a change' docs
	open_pr docs 'a change'
	judged 0
	expect 0 gp-set-status --gate <"$T/document"
	same gate success "$(gate 1)"
}

@test "a document without a verdict is 65" {
	start apps/web v1 >"$T/document"
	expect 65 gp-set-status --gate <"$T/document"
	one_message gp-set-status
}

@test "a dry run posts nothing and says what it would" {
	propose apps/web v1 qa
	flux apps dev failure
	judged 1
	local before

	before=$(snapshot_remote)
	expect 1 gp-set-status --gate --dry-run <"$T/document"
	has "$stderr" 'gp-set-status: ' gp/gate
	same remote "$before" "$(snapshot_remote)"
	expect 0 gp-set-status --gate=post < <(jq -c '.dry_run = true' "$T/document")
	same remote "$before" "$(snapshot_remote)"
	start apps/web v1 | jq -c '.dry_run = true' >"$T/document"
	expect 0 gp-set-status --state success <"$T/document"
	has "$stderr" 'gp-set-status: '
	same remote "$before" "$(snapshot_remote)"
}

@test "a stream: each its own" {
	propose apps/web v1 qa
	propose apps/api v1 dev
	flux apps dev failure
	sh_pipe 1 'gp-find-pr --open --all | gp-read-config | gp-check-status | gp-set-status --gate'
	same gates 'failure success' "$(gate 1) $(gate 2)"
	same numbers '1 2' "$(jq .pull_request.number <<<"$output" | paste -sd ' ')"
}
