#!/usr/bin/env bats
# Memory that runs out: in each program one allocation after the other fails, alone or with all that follow. Each run
# either does what it does undisturbed or ends with 71 and says something; it never crashes, and never takes a lack of
# memory for something else.
#
# A program makes some hundred to some ten thousand allocations (libcurl and OpenSSL read many certificates). ALLOC_RUNS
# says how many of them fail for each program (40): the first ones one by one, then in ever larger steps up to the last.
# make test takes a quarter of these, .ci/run half, chosen by the commit's id; make under-fire takes all.

load ../lib/helper

setup_file() {
	# gp_setup unsets what begins with GP_.
	export FIRE_PARTS=${GP_PARTS:-50} FIRE_SEED=${GP_SEED:-0}
	gp_setup "$BATS_FILE_TMPDIR"
	# bats 1.8 cannot skip here.
	[[ "$GP_BUILD" != *asan* ]] || return 0
	getconf GNU_LIBC_VERSION >/dev/null 2>&1 || return 0
	"${CC:-cc}" -shared -fPIC -O1 -D_GNU_SOURCE -o "$T/fail.so" "$test_root/test/fire/failing-malloc.c"
	make_gitops
	start apps/web v1 >"$T/started"
	gp-set-tag <"$T/started" >"$T/set"
	snapshot "$T/before"
	gp-open-pr <"$T/set" >"$T/opened"
	snapshot "$T/open"
	gp-find-pr --open --all | gp-read-config >"$T/judged"
	gp-check-status <"$T/judged" >"$T/checked"
	export FAIL_SO=$T/fail.so FIXTURE=$T
	cd "$T" || return
}

setup() {
	[[ "$GP_BUILD" != *asan* ]] || skip 'a sanitizer brings its own malloc'
	[ -n "${FAIL_SO:-}" ] || skip 'no glibc here'
	gp_setup
	cd "$FIXTURE/clone" || return
	REMOTE=$FIXTURE/remote.git CLONE=$FIXTURE/clone
}

# The repositories as they are, to be put back.
snapshot() {
	mkdir -p "$1"
	cp -R "$REMOTE" "$CLONE" "$1"
}

put_back() {
	cd "$FIXTURE" || return
	rm -rf "$REMOTE" "$CLONE"
	cp -R "$1/remote.git" "$1/clone" "$FIXTURE"
	cd "$CLONE" || return
}

# What a run says, with what differs from run to run taken out; status.standing is missing where looking ahead failed.
stable() {
	sed -E 's/,"standing":null//; s/"(commit|head|merge_commit|tip)":"[0-9a-f]{40}"/"\1":""/g; s/[0-9a-f]{40}/ID/g; s/20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/TIME/g; s/after [0-9]+ ms/after/' "$1"
}

# one AT ON PROGRAM [ARG…] <INPUT: runs it once. Its output is in run/out, its exit status in $status.
one() {
	local at=$1 on=$2

	shift 2
	status=0
	timeout -k 5 60 env LD_PRELOAD="$FAIL_SO" FAIL_PROGRAM="$1" FAIL_AT="$at" FAIL_COUNT="$T/run/count" ${on:+FAIL_ON=1} \
		"$@" >"$T/run/out" 2>"$T/run/err" 3>&- || status=$?
}

# starve [--from DIR] INPUT PROGRAM [ARG…]
starve() {
	local from='' input want total runs=${ALLOC_RUNS:-40} at on failed=0 every=4

	[ "$FIRE_PARTS" -gt 10 ] || every=2
	[ "$FIRE_PARTS" -gt 1 ] || every=1

	if [ "$1" = --from ]; then
		from=$2
		shift 2
	fi
	input=$1
	shift
	[ -z "$from" ] || put_back "$from"
	one 0 '' "$@" <"$input"
	same "undisturbed: $(cat "$T/run/err")" 0 "$status"
	want=$(stable "$T/run/out")
	total=$(cat "$T/run/count")
	[ "$total" -gt 10 ] || fail "only $total allocations: is this the program?"
	[ "$runs" -lt "$total" ] || runs=$total
	for ((i = 1; i <= runs; i++)); do
		# In pairs: one that fails alone, one with all that follow.
		[ $((i / 2 % every)) -eq $((16#${FIRE_SEED:0:7} % every)) ] || continue
		on=$((i % 2))
		at=$((i + (total - runs) * (i - 1) ** 3 / (runs - 1) ** 3))
		[ -z "$from" ] || put_back "$from"
		one "$at" "${on#0}" "$@" <"$input"
		case $status:$(cat "$T/run/out") in
		# What a driver answers is 71 as well.
		0:*'"error":{"exit":71,'*) ;;
		0:*) same "allocation $at of $total failed: output" "$want" "$(stable "$T/run/out")" || failed=1 ;;
		71:*) [ -s "$T/run/err" ] || fail "allocation $at of $total failed: no word" || failed=1 ;;
		*) fail "allocation $at of $total failed (${on/1/and all that follow}): exit $status" "$(cat "$T/run/err")" || failed=1 ;;
		esac
	done
	return $failed
}

@test "without memory: gp-read-config" {
	starve /dev/null gp-read-config --group apps --app web --tag v1
}
@test "without memory: gp-set-tag" {
	starve "$FIXTURE/started" gp-set-tag
}
@test "without memory: gp-set-tag --work-tree --dry-run" {
	starve "$FIXTURE/started" gp-set-tag --work-tree --dry-run
}
@test "without memory: gp-set-tag --work-tree" {
	starve --from "$FIXTURE/before" "$FIXTURE/started" gp-set-tag --work-tree
}
@test "without memory: gp-open-pr" {
	starve --from "$FIXTURE/before" "$FIXTURE/set" gp-open-pr
}
@test "without memory: gp-merge --auto" {
	starve --from "$FIXTURE/open" "$FIXTURE/opened" gp-merge --auto
}
@test "without memory: gp-find-pr" {
	starve --from "$FIXTURE/open" /dev/null gp-find-pr --open --all
}
@test "without memory: gp-check-status" {
	starve --from "$FIXTURE/open" "$FIXTURE/judged" gp-check-status
}
@test "without memory: gp-set-status --gate" {
	starve --from "$FIXTURE/open" "$FIXTURE/checked" gp-set-status --gate
}
@test "without memory: gp-report" {
	export GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$T/summary GITHUB_OUTPUT=$T/output
	starve "$FIXTURE/opened" gp-report
}
@test "without memory: gp-forge-local" {
	printf '{"id":1,"op":"find-pr","open":true,"repository":{"url":"file://%s","base":"main"}}\n' "$REMOTE" >"$T/request"
	starve --from "$FIXTURE/open" "$T/request" gp-forge-local
}
@test "without memory: gp-forge-github, and nobody there" {
	export GP_TOKEN=x GP_RETRY_BUDGET=0
	echo '{"id":1,"op":"find-pr","open":true,"repository":{"url":"http://127.0.0.1:1/a/b","base":"main"}}' >"$T/request"
	starve "$T/request" gp-forge-github
}

# at_server FORGE: what its driver reads there.
at_server() {
	local repository head

	gp_setup
	load "../fakes/$1/hands"
	hub_gitops
	new apps/web v1 >"$T/number"
	head=$(remote_tip promote/apps-web)
	repository="{\"url\":\"$FORGE_URL\",\"base\":\"main\",\"provider\":\"$1\"}"
	printf '%s,"repository":%s}\n' '{"id":1,"op":"find-pr","open":true' "$repository" \
		"{\"id\":2,\"op\":\"list-statuses\",\"commits\":[\"$head\"]" "$repository" >"$T/request"
	starve "$T/request" "gp-forge-$1"
}

@test "without memory: gp-forge-github" {
	at_server github
}
@test "without memory: gp-forge-azdo" {
	at_server azdo
}
