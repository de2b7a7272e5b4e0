# helper.bash - what every test needs: a hermetic set-up, one runner, a bare
# repository with a clone, and the hands of the people and machines around gp
# (developers, Flux, CI). Loaded by every .bats file, which calls gp_setup.
# shellcheck shell=bash
# shellcheck disable=SC2119,SC2120,SC2030,SC2031,SC2016 # optional arguments; variables meant for a subshell only

bats_require_minimum_version 1.5.0

test_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
GP_BUILD=${GP_BUILD:-$test_root/build/release}
expect_count=0

# gp_setup [DIR]: cuts the test off from the machine it runs on. DIR is where
# everything goes: the test's own directory, or the file's in a setup_file.
gp_setup() {
	local build=$GP_BUILD

	T=${1:-$BATS_TEST_TMPDIR}
	mkdir -p "$T/home" "$T/run"
	unset "${!GP_@}" "${!GIT_@}" "${!GITHUB_@}" "${!GH_@}" "${!BUILD_@}" "${!SYSTEM_@}" "${!AGENT_@}" "${!AZURE_@}" \
		"${!XDG_@}" TF_BUILD CI EMAIL
	export GP_BUILD=$build PATH="$build:$test_root/scripts:$PATH"
	export HOME="$T/home" LC_ALL=C TZ=UTC T
	export GIT_CONFIG_GLOBAL="$T/home/.gitconfig" GIT_CONFIG_SYSTEM=/dev/null GIT_TERMINAL_PROMPT=0
	export GIT_AUTHOR_NAME='Emilia' GIT_AUTHOR_EMAIL='emilia@example.com'
	export GIT_COMMITTER_NAME='Emilia' GIT_COMMITTER_EMAIL='emilia@example.com'
	export REMOTE="$T/remote.git" SEED="$T/seed" CLONE="$T/clone"
	printf '[%s]\n\t%s\n' init 'defaultBranch = main' advice 'detachedHead = false' core 'fsync = none' \
		maintenance 'auto = false' receive 'autogc = false' >"$GIT_CONFIG_GLOBAL"
	cd "$T" || return
}

# expect EXIT COMMAND…: the runner. Standard output goes to $output, standard
# error to $stderr, the exit status to $status; anything but EXIT fails the
# test and shows both. A command that is still running after a minute is ended
# (exit 124).
expect() {
	local want=$1 run=$T/run/$BASHPID.$((expect_count += 1))

	shift
	status=0
	if declare -F "$1" >/dev/null; then
		"$@" >"$run.out" 2>"$run.err" 3>&- || status=$?
	else
		timeout -k 5 60 "$@" >"$run.out" 2>"$run.err" 3>&- || status=$?
	fi
	slurp output "$run.out"
	slurp stderr "$run.err"
	no_secrets "what '$*' printed" "$output$stderr" || return
	[ "$status" -eq "$want" ] && return
	printf 'expected exit %s, got %s: %s\n-- stdout\n%s\n-- stderr\n%s\n' \
		"$want" "$status" "$*" "$output" "$stderr" >&2
	return 1
}

# The tokens that this test has handed to gp, and what git makes of them.
gp_secrets=()

# learn_secrets: those of the environment as it is now.
learn_secrets() {
	local name token user

	for name in GP_TOKEN GITHUB_TOKEN GH_TOKEN SYSTEM_ACCESSTOKEN AZURE_DEVOPS_EXT_PAT; do
		token=${!name:-}
		[ ${#token} -gt 4 ] && [[ "$token" != *[$' \t\n']* ]] || continue
		[[ " ${gp_secrets[*]} " != *" $token "* ]] || continue
		gp_secrets+=("$token")
		for user in x-access-token '' "$token"; do
			gp_secrets+=("$(printf '%s:%s' "$user" "$token" | base64 -w 0)")
		done
	done
}

# no_secrets WHAT TEXT: fails where one of them is in it. Every output that a test looks at goes through here.
no_secrets() {
	local secret

	learn_secrets
	for secret in "${gp_secrets[@]}"; do
		[[ "$2" != *"$secret"* ]] || fail "a secret is in $1:" "$2" || return
	done
}

# What the test has started and has to end with it.
gp_children=()

# At each test's end: nor is one in any file that the test has left, but for those called "token" and "*.secret".
teardown() {
	local found child

	for child in "${gp_children[@]}"; do
		kill "$child" 2>/dev/null || true
	done
	learn_secrets
	[ "${#gp_secrets[@]}" -gt 0 ] || return 0
	found=$(printf '%s\n' "${gp_secrets[@]}" |
		grep -rlaF -f - --exclude=token --exclude='*.secret' --exclude-dir=hub "$BATS_TEST_TMPDIR" || true)
	[ -z "$found" ] || fail 'a secret is in:' "$found"
}

# find_python: $python, one that reads YAML. Returns 1 where there is none.
find_python() {
	for python in python3 /usr/bin/python3; do
		! "$python" -c 'import yaml' 2>/dev/null || return 0
	done
	return 1
}

# needs_terminal: skips a test that asks for a pseudo-terminal; a bare chroot has none.
needs_terminal() {
	python3 -S -c 'import os; os.openpty()' 2>/dev/null || skip 'no pseudo-terminal here'
}

# slurp VARIABLE FILE: its text (up to a NUL), without the newlines at its end. No process is started for it.
slurp() {
	local text

	IFS= read -r -d '' text <"$2" || true
	while [[ "$text" == *$'\n' ]]; do text=${text%$'\n'}; done
	printf -v "$1" %s "$text"
}

# sh_pipe EXIT STRING [ARG…]: STRING as a user types it, in a plain sh.
sh_pipe() {
	local want=$1 string=$2

	shift 2
	expect "$want" sh -c "$string" sh "$@"
}

# Assertions. Each prints what it saw when it fails.

fail() {
	printf '%s\n' "$@" >&2
	return 1
}

# same WHAT WANTED GOT
same() {
	[ "$2" = "$3" ] || fail "$1: expected" "$2" "but got" "$3"
}

# has TEXT PART… and lacks TEXT PART…: PART is plain text.
has() {
	local text=$1 part

	shift
	for part; do
		[[ "$text" == *"$part"* ]] || fail "'$part' is missing in:" "$text" || return
	done
}

lacks() {
	local text=$1 part

	shift
	for part; do
		[[ "$text" != *"$part"* ]] || fail "'$part' should not be in:" "$text" || return
	done
}

# jq [ARGUMENT…]: in tests themselves, started faster if it has to print one member (jq-driver.c).
jq() {
	if [ -x "$GP_BUILD/jq-driver" ]; then
		"$GP_BUILD/jq-driver" "$@"
	else
		command jq "$@"
	fi
}

# jq_is FILTER WANTED: of the JSON in $output (one document); raw text.
jq_is() {
	local got

	got=$(jq -r "$1" <<<"$output") || fail "not JSON: $output" || return
	same "$1" "$2" "$got"
}

# jq_true FILTER: holds for the JSON in $output.
jq_true() {
	[ -n "$output" ] || fail "$1 does not hold of nothing" || return
	jq -e "$1" <<<"$output" >"$T/run/jq" 2>&1 || fail "$1 does not hold:" "$output"
}

# one_message PROGRAM TEXT…: $stderr is one line, from PROGRAM, and has each TEXT.
# (What programs say of what they did is left out with GP_VERBOSE=-1.)
one_message() {
	local program=$1

	shift
	same 'lines on stderr' 1 "$(grep -c '' <<<"$stderr")" || fail "$stderr" || return
	[[ "$stderr" == "$program: "* ]] || fail "not from $program: $stderr" || return
	has "$stderr" "$@"
}

# The GitOps repository.

# make_gitops [--branch NAME] [--prflow FLOW] [--apps "group/app …"]
#             [--envs "name:auto …"] [--config "lines to add"] [--tag TAG]
# A bare repository $REMOTE whose default branch has gitops-promotion.yaml and
# a manifest with a marker for each app and environment; $SEED, where people
# work, and $CLONE, the full clone in which the programs run (and where the
# test is then).
make_gitops() {
	local flow=per-app apps='apps/web' envs='dev:true qa:true prod:false' config='' tag=v0 app env

	BASE=main
	while [ $# -gt 0 ]; do
		case $1 in
		--branch) BASE=$2 ;;
		--prflow) flow=$2 ;;
		--apps) apps=$2 ;;
		--envs) envs=$2 ;;
		--config) config=$2 ;;
		--tag) tag=$2 ;;
		*) fail "make_gitops: what is $1" || return ;;
		esac
		shift 2
	done
	export BASE
	git init --quiet --bare --initial-branch="$BASE" "$REMOTE"
	{
		printf 'commit refs/heads/%s\ncommitter Emilia <emilia@example.com> %(%s)T +0000\ndata 13\nthe beginning\n' "$BASE" -1
		printf 'M 644 inline README.md\ndata <<END\n# our repository\nEND\n'
		printf 'M 644 inline gitops-promotion.yaml\ndata <<END\nprflow: %s\nenvironments:\n' "$flow"
		for env in $envs; do
			printf '  - env: %s\n    auto: %s\n' "${env%%:*}" "${env#*:}"
		done
		printf '%sEND\n' "${config:+$config$'\n'}"
		for app in $apps; do
			for env in $envs; do
				printf 'M 644 inline %s/%s/%s.yaml\ndata <<END\n' "${app%%/*}" "${env%%:*}" "${app#*/}"
				manifest_text "${app%%/*}" "${app#*/}" "$tag"
				printf 'END\n'
			done
		done
	} | git -C "$REMOTE" fast-import --quiet
	git clone --quiet "file://$REMOTE" "$CLONE"
	cp -R "$CLONE" "$SEED"
	cd "$CLONE" || return
}

manifest_text() {
	printf '%s\n' 'apiVersion: apps/v1' 'kind: Deployment' 'metadata:' "  name: $2" 'spec:' '  template:' '    spec:' \
		'      containers:' "        - name: $2" "          image: ghcr.io/acme/$2:$3 # {\"\$imagepolicy\": \"$1:$2\"}"
}

# manifest GROUP ENV APP TAG: writes the app's manifest in $SEED.
manifest() {
	mkdir -p "$SEED/$1/$2"
	manifest_text "$1" "$3" "$4" >"$SEED/$1/$2/$3.yaml"
}

# seed_to [BRANCH]: $SEED at the tip of the remote's branch (default: the base).
seed_to() {
	git -C "$SEED" fetch --quiet origin "refs/heads/${1:-$BASE}"
	git -C "$SEED" checkout --quiet --force --detach FETCH_HEAD
}

# seed_push MESSAGE [BRANCH]: commits all of $SEED (at least an empty commit) and pushes it.
seed_push() {
	git -C "$SEED" add -A
	git -C "$SEED" commit --quiet --allow-empty -m "$1"
	git -C "$SEED" push --quiet origin "HEAD:refs/heads/${2:-$BASE}"
}

# commit_file PATH [MESSAGE] [BRANCH] <CONTENT: a person's commit, pushed ($SEED knows nothing of it).
commit_file() {
	local ref=refs/heads/${3:-$BASE} message=${2:-change $1}

	{
		printf 'commit %s\ncommitter Emilia <emilia@example.com> %(%s)T +0000\n' "$ref" -1
		printf 'data <<-end-\n%s\n-end-\nfrom %s^0\nM 644 inline %s\ndata <<-end-\n' "$message" "$ref" "$1"
		cat
		printf -- '-end-\n'
	} | git -C "$REMOTE" fast-import --quiet
}

# commit_tag GROUP ENV APP TAG [BRANCH]: a person sets a tag by hand.
commit_tag() {
	git -C "$REMOTE" cat-file blob "refs/heads/${5:-$BASE}:$1/$2/$3.yaml" >"$T/run/manifest"
	sed "s|\(image: [^ ]*/$3\):[^ ]*|\1:$4|" "$T/run/manifest" |
		commit_file "$1/$2/$3.yaml" "set $1/$3 to $4 in $2 by hand" "${5:-$BASE}"
}

# remote_tip [BRANCH]: the commit of the remote's branch.
remote_tip() {
	git -C "$REMOTE" rev-parse --verify --quiet "refs/heads/${1:-$BASE}"
}

remote_branches() {
	git -C "$REMOTE" for-each-ref --format='%(refname:strip=2)' refs/heads
}

# remote_tag GROUP ENV APP [REV]: the tag that the remote carries.
remote_tag() {
	git -C "$REMOTE" show "${4:-refs/heads/$BASE}:$1/$2/$3.yaml" |
		sed -n "s|.*image: [^ ]*/$3:\([^ ]*\) #.*|\1|p"
}

# tags GROUP APP: those of dev, qa and prod, in one line.
tags() {
	printf '%s %s %s\n' "$(remote_tag "$1" dev "$2")" "$(remote_tag "$1" qa "$2")" "$(remote_tag "$1" prod "$2")"
}

# The forge.

# forge OP [JSON]: one request to gp-forge-local; prints the result. A refusal
# is the error object on stderr, and its exit status.
forge() {
	local reply more=${2:-'{}'}

	more=${more#'{'}
	[ "$more" = '}' ] || more=,$more
	reply=$(printf '{"id":1,"op":"%s","repository":{"provider":"local","url":"file://%s","base":"%s"}%s\n' \
		"$1" "$REMOTE" "$BASE" "$more" | timeout 60 gp-forge-local 3>&-) || return
	if [[ "$reply" == '{"id":1,"result":'* ]]; then
		reply=${reply#'{"id":1,"result":'}
		printf '%s\n' "${reply%'}'}"
		return
	fi
	printf '%s\n' "$reply" >&2
	return "$(jq .error.exit <<<"$reply")"
}

# json TEXT: as a JSON string; nothing is null.
json() {
	local text=$1

	[ -n "$text" ] || {
		echo null
		return
	}
	text=${text//\\/\\\\}
	text=${text//\"/\\\"}
	text=${text//$'\t'/\\t}
	printf '"%s"\n' "${text//$'\n'/\\n}"
}

# json_list [TEXT…]: as a JSON list of strings.
json_list() {
	local text list=''

	for text; do
		list+="${list:+, }$(json "$text")"
	done
	printf '[%s]\n' "$list"
}

# pr N [FILTER]: the pull request as the forge has it. (A plain member is taken out without a jq: most calls want one.)
pr() {
	local reply filter=${2:-.}

	reply=$(forge find-pr "{\"number\": $1}") || return
	if [[ "$filter" =~ ^\.[a-z_]+$ && "$reply" =~ \"${filter#.}\":(\"([^\"\\]*)\"|true|false|null) ]]; then
		[ "${BASH_REMATCH[1]:0:1}" = '"' ] && printf '%s\n' "${BASH_REMATCH[2]}" || printf '%s\n' "${BASH_REMATCH[1]}"
		return
	fi
	jq -r ".pull_requests[0] | $filter" <<<"$reply"
}

# prs [FILTER]: the numbers of all that are open, or what FILTER makes of each.
prs() {
	forge find-pr '{"open": true}' | jq -r ".pull_requests[] | ${1:-.number}"
}

# open_pr BRANCH [TITLE] [DESCRIPTION]: a person opens a pull request, or changes the open one; prints its number.
open_pr() {
	local description

	description=$(json "${3:-}")
	[ "$description" != null ] || description='""'
	forge open-pr "{\"branch\": \"$1\", \"title\": $(json "${2:-a change}"), \"description\": $description}" |
		jq .pull_request.number
}

# merge_pr N [METHOD]: a person presses the button.
merge_pr() {
	forge merge-pr "{\"number\": $1, \"head\": \"$(pr "$1" .head)\", \"method\": \"${2:-merge}\"}" >/dev/null
}

# post COMMIT CONTEXT STATE [DESCRIPTION]: a commit status; no or an empty description is null.
post() {
	forge set-status "{\"commit\": \"$1\", \"context\": $(json "$2"), \"state\": \"$3\", \"description\": $(json "${4:-}"), \"url\": null}" >/dev/null
}

# flux GROUP ENV STATE [COMMIT] [DESCRIPTION]: what Flux says of GROUP-ENV (default: at the base's tip).
flux() {
	local description=${5:-}

	if [ -z "$description" ]; then
		case $3 in
		success) description='reconciliation succeeded' ;;
		failure) description='health check failed' ;;
		*) description='progressing' ;;
		esac
	fi
	post "${4:-$(remote_tip)}" "kustomization/$1-$2/0c9c2e41" "$3" "$description"
}

# gate N: what stands on the head of pull request N as gp/gate (state, or none).
gate() {
	forge list-statuses "{\"commits\": [\"$(pr "$1" .head)\"]}" |
		jq -r '[.statuses[][] | select(.context == "gp/gate")][0].state // "none"'
}

# require_checks [NAME…]: what the remote's branch requires from here on, instead of gp/gate.
require_checks() {
	local name

	git -C "$REMOTE" config --unset-all gp.requiredStatus || true
	for name in "${@:-}"; do
		git -C "$REMOTE" config --add gp.requiredStatus "$name"
	done
}

# spy_forge: from here on the programs' forge is gp-forge-spy, which hands every
# request on to gp-forge-local and keeps it in $T/forge.log, one object a line:
# the request, and as "heads" what the remote's branches were when it came. An
# executable $T/on/OP gets the request first; what it prints is the reply then.
spy_forge() {
	mkdir -p "$T/bin" "$T/on"
	cat >"$T/bin/gp-forge-spy" <<-'SH'
		#!/bin/sh
		while IFS= read -r request; do
			op=${request#*\"op\":\"}
			op=${op%%\"*}
			heads=$(git -C "$REMOTE" for-each-ref --format='%(refname:strip=2) %(objectname);' refs/heads | tr -d '\n')
			printf '{"heads":"%s","request":%s}\n' "$heads" "$request" >>"$T/forge.log"
			reply=
			[ ! -x "$T/on/$op" ] || reply=$(printf '%s\n' "$request" | "$T/on/$op")
			if [ -z "$reply" ]; then
				reply=$(printf '%s\n' "$request" | sed 's/"provider":"spy"/"provider":"local"/' | gp-forge-local)
			fi
			printf '%s\n' "$reply"
		done
	SH
	chmod +x "$T/bin/gp-forge-spy"
	: >"$T/forge.log"
	export GP_PROVIDER=spy PATH="$T/bin:$PATH"
}

# on_op OP <SCRIPT: the spy's answer to OP (request on stdin; prints a reply, or nothing to let it pass).
on_op() {
	{
		printf '#!/bin/sh\n'
		cat
	} >"$T/on/$1"
	chmod +x "$T/on/$1"
}

# spied [FILTER]: the operations that were asked for, one a line, or what FILTER makes of each log entry.
spied() {
	jq -r "${1:-.request.op}" "$T/forge.log"
}

# The flows' shorthand, in the directory where the test is.

# start GROUP/APP TAG [OPTION…]: a document, as gp-read-config starts it.
start() {
	local app=$1 tag=$2

	shift 2
	gp-read-config --group "${app%%/*}" --app "${app#*/}" --tag "$tag" "$@"
}

# propose GROUP/APP TAG ENV: opens the pull request that sets TAG in ENV; prints its number.
propose() {
	start "$1" "$2" --env "$3" | gp-set-tag | gp-open-pr | gp-merge --auto >"$T/run/proposed" || return
	jq .pull_request.number "$T/run/proposed"
}

# new GROUP/APP TAG: the wrapper; prints the pull request's number.
new() {
	gp-new --group "${1%%/*}" --app "${1#*/}" --tag "$2" >"$T/run/new" || return
	jq .pull_request.number "$T/run/new"
}

# verdict EXIT N [OPTION…]: the gate on pull request N; the document is in $output.
verdict() {
	local want=$1 n=$2

	shift 2
	sh_pipe "$want" 'n=$1; shift; gp-find-pr --open --number "$n" | gp-read-config | gp-check-status "$@"' "$n" "$@"
}

# carry GROUP/APP TAG ENV: a release all the way into ENV by the flows, each
# rollout before it reported as a success. Flux has not spoken of ENV itself yet.
carry() {
	local group=${1%%/*} env n tip

	n=$(new "$1" "$2") || return
	for env in dev qa prod; do
		run_status "$n" >/dev/null || return
		[ "$(pr "$n" .state)" = merged ] || merge_pr "$n" || return
		[ "$env" != "$3" ] || return 0
		tip=$(remote_tip)
		flux "$group" "$env" success "$tip"
		n=$(run_promote "$tip" | jq .pull_request.number) || return
	done
}

# CI.

# checkout DIR [REF]: as CI's checkout step: depth 1, detached at REF (default: the base's tip).
checkout() {
	local ref=${2:-refs/heads/$BASE}

	git init --quiet "$1"
	git -C "$1" remote add origin "file://$REMOTE"
	git -C "$1" fetch --quiet --no-tags --depth=1 origin "+$ref:refs/remotes/ci/${ref#refs/}"
	git -C "$1" checkout --quiet --detach "refs/remotes/ci/${ref#refs/}"
}

# run_status N [OPTION…]: the pull request's pipeline, as CI runs it.
run_status() {
	local dir n=$1

	shift
	dir=$(mktemp -d "$T/run/status.XXXXXX")
	checkout "$dir" "refs/pull/$n/merge"
	(
		cd "$dir" || exit
		export GITHUB_REF="refs/pull/$n/merge"
		GITHUB_SHA=$(git rev-parse HEAD)
		export GITHUB_SHA
		timeout -k 5 60 gp-status "$@" 3>&-
	)
}

# run_promote [COMMIT] [OPTION…]: the pipeline of a push to the base, as CI runs it.
run_promote() {
	local dir commit=${1:-$(remote_tip)}

	[ $# -eq 0 ] || shift
	dir=$(mktemp -d "$T/run/promote.XXXXXX")
	checkout "$dir" "$commit"
	(
		cd "$dir" || exit
		export GITHUB_REF="refs/heads/$BASE" GITHUB_SHA="$commit"
		timeout -k 5 60 gp-promote "$@" 3>&-
	)
}

# Proofs that nothing was touched.

# snapshot_clone DIR: what a user would notice of a clone (how deep a shallow one is, is not part of it).
snapshot_clone() {
	local dir

	dir=$(git -C "$1" rev-parse --absolute-git-dir)
	echo "HEAD $(cat "$dir/HEAD")"
	git -C "$1" for-each-ref --format='%(objectname) %(refname) %(symref)'
	echo "index $(cksum <"$dir/index")"
	echo "config $(cksum <"$dir/config")"
	git -C "$1" --no-optional-locks status --porcelain --ignored
	(cd "$1" && find . -path ./.git -prune -o -type f -exec cksum {} + | sort -k 3)
	echo "FETCH_HEAD $(cksum 2>/dev/null <"$dir/FETCH_HEAD")"
	find "$dir" -name '*.lock'
	git -C "$1" reflog --all --format='%H %gd' 2>/dev/null
}

# fsck_clean DIR: whole, if with unreferenced objects.
fsck_clean() {
	same "git fsck in $1" '' "$(git -C "$1" fsck --full --strict --no-dangling --no-progress 2>&1)"
}

# snapshot_remote: every ref of the remote: branches, tags, and the forge's own.
snapshot_remote() {
	git -C "$REMOTE" for-each-ref --format='%(objectname) %(refname)'
}
