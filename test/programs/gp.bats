#!/usr/bin/env bats
# The front program gp, and the wrappers' options.

setup() {
	load ../lib/helper
	gp_setup
	wrappers=(gp-new gp-promote gp-status gp-refresh)
}

# gp

@test "gp NAME runs gp-NAME with the arguments" {
	make_gitops
	expect 0 gp new --group apps --app web --tag v1
	jq_is .pull_request.number 1
	expect 0 gp read-config --group apps --app web --tag v1
	jq_is .promotion.tag v1
	expect 64 gp read-config --no-such-option
	one_message gp-read-config no-such-option
}

@test "gp foo is a gp-foo of one's own on PATH" {
	mkdir "$T/bin"
	printf '#!/bin/sh\nprintf "<%%s>" "$@"\nexit 7\n' >"$T/bin/gp-foo"
	chmod +x "$T/bin/gp-foo"
	PATH="$T/bin:$PATH" expect 7 gp foo 'a b' '' '*' --help
	same arguments '<a b><><*><--help>' "$output"
}

@test "gp NAME hands standard input through" {
	sh_pipe 0 'printf "%s\n" "{\"skip\":{\"program\":\"p\",\"reason\":\"r\"}}" | gp set-tag | gp open-pr'
	jq_is .skip.reason r
}

@test "gp alone, and gp with what it does not know, are 64" {
	expect 64 gp
	same stdout '' "$output"
	has "$stderr" usage
	expect 64 gp no-such-command
	one_message gp no-such-command
	expect 64 gp --no-such-option
	one_message gp no-such-option
	expect 64 gp ../evil
	one_message gp evil
	expect 64 gp ''
	one_message gp
}

@test "gp -h lists every command there is" {
	local program

	expect 0 gp --help
	[[ "$output" == 'usage: gp '* ]] || fail "$output"
	for program in "$GP_BUILD"/gp-* "$test_root"/scripts/gp-*; do
		[ -x "$program" ] && [ -f "$program" ] || continue
		grep -Eq "^ *${program##*/gp-} " <<<"$output" || fail "no ${program##*/} in: $output"
	done
}

@test "gp -V says the version, gp help NAME the command's help" {
	expect 0 gp --version
	[[ "$output" == 'gp '[0-9]* ]] || fail "$output"
	expect 0 gp help new
	has "$output" gp-new
	expect 64 gp help no-such-command
	one_message gp no-such-command
}

@test "gp works through a symbolic link, from any directory" {
	mkdir "$T/bin"
	ln -s "$test_root/scripts/gp" "$T/bin/gp"
	cd /
	expect 0 env -u GP_BUILD PATH=/usr/local/bin:/usr/bin:/bin GP_BUILD="$GP_BUILD" "$T/bin/gp" new --help
	has "$output" 'usage: gp-new'
}

# The wrappers

@test "every wrapper: -h, -V, and what it does not know" {
	local wrapper

	for wrapper in "${wrappers[@]}"; do
		expect 0 "$wrapper" --help
		[[ "$output" == "usage: $wrapper"* ]] || fail "$output"
		expect 0 "$wrapper" -h
		expect 0 "$wrapper" --version
		[[ "$output" == "$wrapper "[0-9]* ]] || fail "$output"
		expect 64 "$wrapper" --no-such-option
		one_message "$wrapper" no-such-option
		expect 64 "$wrapper" one two superfluous
		one_message "$wrapper" 'unexpected argument'
		needed=()
		[ "$wrapper" != gp-new ] || needed=(app tag)
		expect 64 "$wrapper" -C "$T/nowhere" "${needed[@]}"
		one_message "$wrapper" nowhere
		expect 64 "$wrapper" --base
		one_message "$wrapper" base
	done
}

@test "gp-new needs app and tag, and names all that is missing at once" {
	expect 64 gp-new
	one_message gp-new 'missing options: --app, --tag'
	expect 64 gp-new --group apps --tag v1
	one_message gp-new app
	expect 64 gp-new --group apps --app web
	one_message gp-new tag
	expect 64 gp-new --group apps --app web --tag
	one_message gp-new tag
	expect 64 gp-new --group apps --app web --tag=
	one_message gp-new tag
}

@test "--name=value and --name value are the same" {
	make_gitops
	expect 0 gp-new --group=apps --app=web --tag=v1
	jq_is .pull_request.number 1
	expect 0 gp-new --group apps --app web --tag v1
	jq_is .pull_request.number 1
}

@test "gp-new: -C, --env, --method" {
	make_gitops
	cd /
	expect 0 gp-new -C "$CLONE" --group apps --app web --tag v1 --env qa --method squash
	same title 'Promote apps/web version v1 to environment qa' "$(pr 1 .title)"
	commit_tag apps dev web v1
	flux apps dev success
	run_status 1 >/dev/null
	same state merged "$(pr 1 .state)"
	same parents 1 "$(git -C "$REMOTE" log -1 --format=%P main | wc -w)"
}

@test "a relative -C is gone to once" {
	make_gitops
	cd "$T"
	expect 0 gp-new -C clone --group apps --app web --tag v1
	jq_is .pull_request.number 1
}

@test "--remote, --base and --provider reach every program" {
	make_gitops
	git remote rename origin upstream
	git -C "$REMOTE" branch release main
	expect 0 gp-new --remote upstream --base release --provider local --group apps --app web --tag v1
	same base release "$(pr 1 .base)"
	jq_is .repository.base release
	expect 78 gp-new --remote upstream --provider nowhere --group apps --app web --tag v2
	has "$stderr" gp-forge-nowhere
}

@test "-q and -v reach every program" {
	make_gitops
	expect 0 gp-new -q --group apps --app web --tag v1
	same stderr '' "$stderr"
	expect 0 gp-new -v --group apps --app web --tag v2
	has "$stderr" 'gp-'
}

@test "--dry-run writes nothing anywhere" {
	make_gitops
	local clone remote

	clone=$(snapshot_clone "$CLONE")
	remote=$(snapshot_remote)
	expect 0 gp-new --dry-run --group apps --app web --tag v1
	has "$stderr" '+          image: ghcr.io/acme/web:v1' 'gp-open-pr: ' 'gp-merge: '
	jq_is .dry_run true
	same remote "$remote" "$(snapshot_remote)"
	same clone "$clone" "$(snapshot_clone "$CLONE")"
	carry apps/web v2 dev
	flux apps dev success
	remote=$(snapshot_remote)
	expect 0 gp-promote --dry-run
	has "$stderr" '+          image: ghcr.io/acme/web:v2'
	same remote "$remote" "$(snapshot_remote)"
	propose apps/web v2 qa
	remote=$(snapshot_remote)
	expect 0 gp-status --dry-run --number 2
	expect 0 gp-refresh --dry-run
	same remote "$remote" "$(snapshot_remote)"
}

@test "gp-promote: --since and --commit" {
	make_gitops --apps 'apps/web apps/api'
	local before commit

	before=$(remote_tip)
	carry apps/web v1 dev
	commit=$(remote_tip)
	carry apps/api v1 dev
	expect 0 gp-promote --commit "$commit"
	same apps web "$(jq -r .promotion.app <<<"$output")"
	expect 0 gp-promote --since "$before"
	same apps 'web api' "$(jq -r .promotion.app <<<"$output" | paste -sd ' ')"
}

@test "gp-status: --number, --branch and --wait" {
	make_gitops
	commit_tag apps dev web v1
	propose apps/web v1 qa
	expect 75 gp-status --number 1 --wait=1s
	same gate pending "$(gate 1)"
	flux apps dev failure
	expect 1 gp-status --branch promote/apps-web --wait
	same gate failure "$(gate 1)"
	flux apps dev success
	expect 0 gp-status --branch promote/apps-web
	same state merged "$(pr 1 .state)"
}

@test "gp-refresh is 0 whatever the verdicts" {
	make_gitops --apps 'apps/web apps/api'
	expect 0 gp-refresh
	commit_tag apps dev web v1
	propose apps/web v1 qa
	propose apps/api v1 qa
	flux apps dev failure
	expect 0 gp-refresh
	same gates 'failure failure' "$(gate 1) $(gate 2)"
}

@test "a wrapper keeps its words apart" {
	make_gitops
	expect 64 gp-new --group 'apps web' --app web --tag v1
	one_message gp-read-config group
	expect 64 gp-new --group apps --app '$(touch x)' --tag v1
	expect 64 gp-new --group apps --app web --tag '; touch x'
	[ ! -e x ]
}

@test "options before the command are the command's" {
	make_gitops
	cd /
	expect 0 gp -C "$CLONE" -q new apps/web v1
	jq_is .pull_request.number 1
	same stderr '' "$stderr"
	expect 0 gp -v --directory "$CLONE" --base main find-pr --open --all
	jq_is .pull_request.number 1
	expect 64 gp -C "$CLONE"
	one_message gp 'a command is missing'
	mkdir -p "$T/bin"
	printf '#!/bin/sh\nprintf "<%%s>" "$@"\n' >"$T/bin/gp-xfoo"
	chmod +x "$T/bin/gp-xfoo"
	PATH="$T/bin:$PATH" expect 0 gp -v xfoo 'a b' -- x
	same arguments '<-v><a b><--><x>' "$output"
	expect 64 gp -x new
	one_message gp "unknown option '-x'"
}

@test "gp suggests a command" {
	expect 64 gp statsu
	one_message gp "there is no command 'statsu': did you mean 'status'?"
	expect 64 gp frobnicate
	one_message gp "there is no command 'frobnicate' (try gp --help)"
}

@test "app, tag and number need no option" {
	make_gitops
	expect 0 gp-new apps/web v1
	jq_is '.promotion | "\(.group) \(.app) \(.tag)"' 'apps web v1'
	expect 0 gp-status 1
	same state merged "$(pr 1 .state)"
	commit_tag apps dev web v2
	propose apps/web v2 qa
	expect 75 gp-status 2 --wait 1s
	same gate pending "$(gate 2)"
}

# terminal COMMAND: what a person sees of it; $output has neither carriage returns nor what the pty adds.
terminal() {
	command -v script >/dev/null || skip 'no script(1) here'
	script -qec true /dev/null </dev/null >/dev/null 2>&1 || skip 'no pseudo-terminal here'
	status=0
	script -qec "$1" /dev/null </dev/null >"$T/run/typescript" 2>&1 || status=$?
	output=$(tr -d '\r' <"$T/run/typescript")
}

@test "on a terminal a flow ends with what a person wants to know; --json has the document" {
	make_gitops
	terminal 'gp-new apps/web v1'
	same new "opened #1 Promote apps/web version v1 to environment dev
  file://$REMOTE#1
  merges by itself once its checks are green" "$output"
	terminal 'gp-new apps/web v1'
	has "$output" 'up to date: #1 '
	terminal 'gp-new apps/web v1 --json'
	has "$output" '"promotion":'
	terminal 'gp-promote'
	has "$output" 'nothing to do: '
	lacks "$output" '{'
	terminal 'gp-status 1'
	has "$output" "#1 Promote apps/web version v1 to environment dev
  file://$REMOTE#1"
	terminal 'gp-new --app web'
	lacks "$output" '{'
}

@test "who types at a filter is told what usually comes before it" {
	terminal 'gp-set-tag'
	has "$output" 'gp-set-tag: reading documents from the terminal; did you mean'
}
