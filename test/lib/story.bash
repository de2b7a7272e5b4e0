# story.bash - what the stories at hosting services are told with, over the
# hands of test/fakes/NAME/hands.bash.
# shellcheck shell=bash

# said NUMBER: state and title of a pull request, and what it changes.
said() {
	local pull

	pull=$(pr "$1")
	printf '%s: %s: %s\n' "$(jq -r .state <<<"$pull")" "$(jq -r .title <<<"$pull")" \
		"$(git -C "$REMOTE" diff --name-only "main...$(jq -r .head <<<"$pull")" | paste -sd ' ')"
}

# lands N: the job of pull request N turns it green, and it is merged by itself.
lands() {
	run_status "$1" >"$T/run/status"
	becomes "$1" merged
	same 'the base' "$(remote_tip)" "$(pr "$1" .merge_commit)"
}

# becomes N STATE: pull request N is, or will be after some more looks: services merge in the background.
becomes() {
	local got

	for _ in 1 2 3 4 5; do
		got=$(pr "$1" .state)
		[ "$got" != "$2" ] || return 0
	done
	fail "#$1 is $got, not $2"
}

# promoted: what the job of the push opened; the number.
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
	becomes 3 merged
	same tags 'a8b91c33 a8b91c33 a8b91c33' "$(tags apps web)"
	same 'left open' '' "$(prs)"
	expect 0 run_promote --method "$method"
	same 'left open' '' "$(prs)"
	fsck_clean "$REMOTE"
}
