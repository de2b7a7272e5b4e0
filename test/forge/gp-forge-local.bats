#!/usr/bin/env bats
# gp-forge-local: what only the embedded forge has. What it shares with others is in forge.bats.

setup() {
	load ../lib/helper
	gp_setup
	export BASE=main
	git init --quiet --bare --initial-branch=main "$REMOTE"
	git clone --quiet "file://$REMOTE" "$SEED" 2>/dev/null
	git -C "$SEED" symbolic-ref HEAD refs/heads/main
	echo beginning >"$SEED/README.md"
	seed_push 'the beginning'
}

# branch NAME [PATH [TEXT]]: one commit on the base as a branch of the remote; $head is its id.
branch() {
	seed_to
	mkdir -p "$(dirname "$SEED/${2:-$1}")"
	echo "${3:-$1}" >"$SEED/${2:-$1}"
	git -C "$SEED" add -A
	git -C "$SEED" commit --quiet -m "change $1"
	git -C "$SEED" push --quiet --force origin "HEAD:refs/heads/$1"
	head=$(git -C "$SEED" rev-parse HEAD)
}

ref() {
	git -C "$REMOTE" rev-parse --verify --quiet "$1"
}

auto() {
	forge set-auto-merge "$(jq -cn --argjson n "$1" --arg h "$(pr "$1" .head)" --arg m "${2:-merge}" \
		'{number: $n, enable: true, method: $m, head: $h}')"
}

require() {
	git -C "$REMOTE" config --unset-all gp.requiredStatus || true
	for context; do
		git -C "$REMOTE" config --add gp.requiredStatus "$context"
	done
}

# history: the messages of the state's commits, oldest first.
history() {
	git -C "$REMOTE" log --reverse --format=%s refs/gp/state
}

# refuses EXIT OP JSON TEXT…
refuses() {
	local want=$1 op=$2 json=$3

	shift 3
	expect "$want" forge "$op" "$json"
	has "$stderr" "$@"
}

# at URL [OP [MEMBERS]]: a request to a repository of any name; the reply is in $output.
at() {
	expect 0 gp-forge-local <<<"$(jq -cn --arg u "$1" --arg o "${2:-find-pr}" --argjson m "${3:-{\"open\":true\}}" \
		'{id: 1, op: $o, repository: {url: $u, base: "main"}} + $m')"
}

# The program

@test "no request: no reply, and all is well" {
	expect 0 gp-forge-local </dev/null
	same 'standard output and error' '' "$output$stderr"
}

@test "the last line may lack its end" {
	sh_pipe 0 'printf "{\"id\":1,\"op\":\"x\"}" | gp-forge-local'
	jq_is .error.exit 64
}

@test "a reader that is gone, and a full disk, end it with 71" {
	sh_pipe 71 'echo "{\"op\":\"x\"}" | gp-forge-local >/dev/full'
	one_message gp-forge-local 'cannot write a reply'
	sh_pipe 0 '(while echo "{}"; do :; done) 2>/dev/null | { gp-forge-local; echo "$?" >&2; } | head -n 1 >/dev/null'
	has "$stderr" 'gp-forge-local: cannot write a reply' 71
}

@test "GP_RETRY_BUDGET that is no number is 78" {
	GP_RETRY_BUDGET=soon expect 78 gp-forge-local </dev/null
	one_message gp-forge-local GP_RETRY_BUDGET soon
	GP_RETRY_BUDGET=-1 expect 78 gp-forge-local </dev/null
}

# Where the repository is

@test "the repository: a path, with or without .git, relative too, or a file:// URL" {
	local url

	cd "$T" || return
	for url in "$REMOTE" "${REMOTE%.git}" "$REMOTE/" ./remote.git remote "file://$REMOTE"; do
		branch "b${#url}"
		at "$url" open-pr "{\"branch\":\"b${#url}\",\"title\":\"t\",\"description\":\"\"}"
		[[ "$(jq -r .result.pull_request.url <<<"$output")" == "file://$REMOTE#"* ]] || fail "$url: $output"
	done
	expect 0 gp-forge-local -C "$T" <<<'{"id":1,"op":"find-pr","open":true,"repository":{"url":"remote.git"}}'
	jq_is '.result.pull_requests | length' "$(prs | wc -l)"
}

@test "the repository: a file:// URL is percent-decoded, and a pull request's URL percent-encoded" {
	local odd="$T/ö d#%41?.git"

	git init --quiet --bare "$odd"
	git -C "$SEED" push --quiet "$odd" HEAD:main HEAD~0:refs/heads/x
	for url in "file://$T/%c3%B6%20d%23%2541%3f.git" "file://$T/ö d#%2541?.git" "$odd"; do
		at "$url"
		jq_is '.result.pull_requests | length' 0
	done
	git -C "$SEED" commit --quiet --allow-empty -m x
	git -C "$SEED" push --quiet "$odd" HEAD:x
	at "$odd" open-pr '{"branch":"x","title":"t","description":""}'
	jq_is .result.pull_request.url "file://$T/%C3%B6%20d%23%2541%3F.git#1"
}

@test "the repository: nothing there, no repository, another scheme" {
	at "$T/nowhere"
	jq_is .error.exit 69
	has "$output" "$T/nowhere" 'No such file'
	mkdir "$T/empty"
	at "$T/empty"
	jq_is .error.exit 69
	has "$output" "'$T/empty' is not a git repository"
	echo >"$T/file"
	at "$T/file"
	jq_is .error.exit 69
	at https://example.com/acme/shop
	jq_is .error.exit 65
	has "$output" 'a path or a file:// URL'
}

@test "the repository: one that is empty" {
	git init --quiet --bare --initial-branch=trunk "$T/empty.git"
	at "$T/empty.git"
	jq_is '.result.pull_requests | length' 0
	at "$T/empty.git" get-repository
	jq_is .result.default_branch trunk
	at "$T/empty.git" open-pr '{"branch":"x","title":"t","description":""}'
	jq_is .error.exit 69
	has "$output" 'is empty'
	same 'written' '' "$(git -C "$T/empty.git" for-each-ref)"
}

@test "the repository: one with a work tree serves, but what is checked out is not merged into" {
	local work="$T/work"

	git clone --quiet "$REMOTE" "$work"
	git -C "$work" branch other
	git -C "$work" checkout --quiet -b x
	git -C "$work" commit --quiet --allow-empty -m x
	git -C "$work" checkout --quiet main
	at "$work" open-pr '{"branch":"x","title":"t","description":""}'
	jq_is .result.pull_request.url "file://$work/.git#1"
	head=$(git -C "$work" rev-parse x)
	git -C "$work" config gp.requiredStatus ''
	at "$work" merge-pr "{\"number\":1,\"method\":\"merge\",\"head\":\"$head\"}"
	jq_is .error.exit 69
	has "$output" "'main' is checked out" 'bare'
	git -C "$work" checkout --quiet --detach
	at "$work" merge-pr "{\"number\":1,\"method\":\"merge\",\"head\":\"$head\"}"
	jq_is .result.pull_request.state merged
}

@test "the repository: of somebody else is refused in git's words, with the way out" {
	GIT_TEST_ASSUME_DIFFERENT_OWNER=1 at "$REMOTE"
	jq_is .error.exit 71
	has "$output" 'dubious ownership' 'safe.directory' "$REMOTE"
	git config --file "$GIT_CONFIG_GLOBAL" safe.directory "$REMOTE"
	GIT_TEST_ASSUME_DIFFERENT_OWNER=1 at "$REMOTE"
	jq_is '.result.pull_requests | length' 0
}

@test "the repository: git's own variables of a hook around it do not lead astray" {
	export GIT_DIR="$SEED/.git" GIT_WORK_TREE="$SEED" GIT_INDEX_FILE="$SEED/.git/index"
	at "$REMOTE" get-repository
	jq_is .result.default_branch main
	unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
	git config --file "$GIT_CONFIG_GLOBAL" safe.bareRepository explicit
	at "$REMOTE" get-repository
	jq_is .result.default_branch main
}

@test "the repository: a state that is damaged is 71 and named" {
	branch x
	open_pr x
	git -C "$REMOTE" update-ref refs/gp/state "$(
		tree=$(printf '100644 blob %s\t1\n' "$(echo '{"number":1,' | git -C "$REMOTE" hash-object -w --stdin)" |
			git -C "$REMOTE" mktree)
		tree=$(printf '040000 tree %s\topen\n' "$tree" | git -C "$REMOTE" mktree)
		git -C "$REMOTE" commit-tree -m broken "$tree"
	)"
	refuses 71 find-pr '{"open":true}' refs/gp/state damaged
}

# The state

@test "numbers begin at 1, and the state's history tells what happened" {
	branch x
	same number 1 "$(open_pr x 'First')"
	branch y
	same number 2 "$(open_pr y 'Second')"
	open_pr x 'First, again'
	open_pr x 'First, again'
	auto 1
	post "$(pr 1 .head)" gp/gate success
	git -C "$REMOTE" update-ref -d refs/heads/y
	same state closed "$(pr 2 .state)"
	same history "open-pr #1: x into main: First
open-pr #2: y into main: Second
update #1: x into main: First, again
auto-merge on #1: by merge
set-status $(pr 1 .head): gp/gate is success
auto-merge #1: merge of x into main as $(remote_tip)" "$(history | sed -n 1,6p)"
	has "$(history)" 'refresh #2' 'close #2: its branch is gone'
	fsck_clean "$REMOTE"
}

@test "what changes nothing writes nothing" {
	branch x
	open_pr x
	before=$(snapshot_remote)
	find "$REMOTE" -type f | sort >"$T/before"
	open_pr x
	prs
	pr 1
	gate 1
	forge get-repository
	same refs "$before" "$(snapshot_remote)"
	find "$REMOTE" -type f | sort | diff "$T/before" -
}

@test "commits of the forge bear its name, or the one that the environment says" {
	unset GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL
	git config --file "$GIT_CONFIG_GLOBAL" user.name Emilia
	git config --file "$GIT_CONFIG_GLOBAL" user.email emilia@example.com
	branch x
	open_pr x
	same who 'gp-forge-local <gp-forge-local@localhost> gp-forge-local <gp-forge-local@localhost>' \
		"$(git -C "$REMOTE" log -1 --format='%an <%ae> %cn <%ce>' refs/gp/state)"
	[ "$(($(date +%s) - $(git -C "$REMOTE" log -1 --format=%ct refs/gp/state)))" -lt 60 ]
	GIT_COMMITTER_NAME=' Grace ' GIT_COMMITTER_EMAIL=grace@example.com GIT_COMMITTER_DATE='2026-01-02T03:04:05+0100' \
		open_pr x again
	same who 'Grace <grace@example.com> 2026-01-02T03:04:05+01:00' \
		"$(git -C "$REMOTE" log -1 --format='%cn <%ce> %cI' refs/gp/state)"
	GIT_COMMITTER_NAME=Ada open_pr x 'once more'
	same who 'Ada <gp-forge-local@localhost>' "$(git -C "$REMOTE" log -1 --format='%cn <%ce>' refs/gp/state)"
}

@test "pushes cannot touch refs/gp and refs/pull; refs/pull/N/merge can be fetched" {
	branch x
	open_pr x
	for target in refs/gp/state refs/gp/other refs/pull/1/head refs/pull/1/merge; do
		expect 1 git -C "$SEED" push --force origin "HEAD:$target"
		has "$stderr" 'hidden ref'
		expect 1 git -C "$SEED" push --force origin ":$target"
	done
	git clone --quiet "file://$REMOTE" "$CLONE"
	same 'what a clone gets' '' "$(git -C "$CLONE" for-each-ref refs/gp refs/pull refs/remotes/origin/gp)"
	checkout "$T/ci" refs/pull/1/merge
	same 'what CI checks out' x "$(cat "$T/ci/x")"
}

@test "receive.hideRefs: set once, and what was there is kept" {
	git -C "$REMOTE" config receive.hideRefs refs/secret
	for name in x y; do
		branch "$name"
		open_pr "$name"
	done
	same hidden 'refs/secret refs/gp refs/pull' "$(git -C "$REMOTE" config --get-all receive.hideRefs | paste -sd ' ')"
}

# refs/pull

@test "refs/pull/N/merge: base and head as parents, new whenever one of them moves" {
	branch x
	open_pr x
	same head "$head" "$(ref refs/pull/1/head)"
	same parents "$(remote_tip) $head" "$(git -C "$REMOTE" log -1 --format=%P refs/pull/1/merge)"
	commit_file other <<<by-hand
	pr 1
	same parents "$(remote_tip) $head" "$(git -C "$REMOTE" log -1 --format=%P refs/pull/1/merge)"
	same files 'README.md other x' "$(git -C "$REMOTE" ls-tree --name-only refs/pull/1/merge | paste -sd ' ')"
	branch x x again
	prs
	same head "$head" "$(ref refs/pull/1/head)"
	same parents "$(remote_tip) $head" "$(git -C "$REMOTE" log -1 --format=%P refs/pull/1/merge)"
}

@test "refs/pull/N/merge: any call finds that a branch moved, also one about something else" {
	branch y
	branch x
	open_pr x
	open_pr y
	for call in 'find-pr {"branch":"y"}' 'find-pr {"number":2}' 'find-pr {"open":true}' \
		'open-pr {"branch":"y","title":"new","description":""}' 'set-auto-merge {"number":2,"enable":false}' \
		"set-status {\"commit\":\"$(remote_tip)\",\"context\":\"c\",\"state\":\"success\"}"; do
		commit_file other <<<"$call"
		forge "${call%% *}" "${call#* }"
		same "$call, base" "$(remote_tip) $head" "$(git -C "$REMOTE" log -1 --format=%P refs/pull/1/merge)"
		branch x x "$call"
		forge "${call%% *}" "${call#* }"
		same "$call, head" "$(remote_tip) $head" "$(git -C "$REMOTE" log -1 --format=%P refs/pull/1/merge)"
	done
}

@test "refs/pull/N/merge: none while there is a conflict, none after the end; refs/pull/N/head stays" {
	branch x file theirs
	commit_file file <<<ours
	open_pr x
	same merge '' "$(ref refs/pull/1/merge || true)"
	branch x file both
	pr 1
	[ -n "$(ref refs/pull/1/merge)" ]
	post "$head" gp/gate success
	merge_pr 1
	same merge '' "$(ref refs/pull/1/merge || true)"
	same head "$head" "$(ref refs/pull/1/head)"
	branch y
	open_pr y
	git -C "$REMOTE" update-ref -d refs/heads/y
	pr 2
	same merge '' "$(ref refs/pull/2/merge || true)"
	same head "$head" "$(ref refs/pull/2/head)"
}

@test "refs/pull/N/merge: with hundreds open, those that nobody asks for may wait, but not those that somebody does" {
	local n

	branch x
	for n in $(seq 60); do
		git -C "$REMOTE" update-ref "refs/heads/p$n" "$head"
		printf '{"op":"open-pr","repository":{"url":"%s","base":"main"},"branch":"p%s","title":"t","description":""}\n' \
			"$REMOTE" "$n"
	done | gp-forge-local >"$T/replies"
	same opened 60 "$(grep -c '"created":true' "$T/replies")"
	commit_file other <<<moved
	pr 60
	same parents "$(remote_tip) $head" "$(git -C "$REMOTE" log -1 --format=%P refs/pull/60/merge)"
	seed_to p59
	git -C "$SEED" push --quiet origin "HEAD:refs/heads/main" --force
	same state merged "$(pr 59 .state)"
	same 'all that hold the same commit' 60 "$(forge find-pr "{\"merged_as\":\"$head\"}" | jq '.pull_requests | length')"
}

# Required statuses and auto-merge

@test "required statuses: gp/gate where nothing is configured, none where it is empty, else those that are listed" {
	branch x
	open_pr x
	forge get-repository | jq_required '["gp/gate"]'
	require ''
	forge get-repository | jq_required '[]'
	require one 'two three'
	forge get-repository | jq_required '["one","two three"]'
	refuses 69 merge-pr "{\"number\":1,\"method\":\"merge\",\"head\":\"$head\"}" "required status 'one' is missing on $head"
	post "$head" one success
	post "$head" 'two three' pending
	refuses 69 merge-pr "{\"number\":1,\"method\":\"merge\",\"head\":\"$head\"}" "required status 'two three' is pending"
	post "$head" 'two three' failure
	refuses 69 merge-pr "{\"number\":1,\"method\":\"merge\",\"head\":\"$head\"}" "required status 'two three' is failure"
	post "$head" 'two three' success
	merge_pr 1
}

jq_required() {
	same 'required checks' "$1" "$(jq -c .required_checks)"
}

@test "required statuses: none, so a merge needs none and auto-merge has nothing to wait for" {
	branch x
	open_pr x
	require ''
	expect 0 auto 1
	jq_is '"\(.clean) \(.pull_request.auto_merge)"' 'true false'
	merge_pr 1
}

@test "gp.autoMerge: false refuses to switch it on, and stops what is on" {
	branch x
	open_pr x
	auto 1
	git -C "$REMOTE" config gp.autoMerge off
	forge get-repository | jq -e '.auto_merge_allowed == false'
	expect 69 auto 1
	has "$stderr" gp.autoMerge
	post "$head" gp/gate success
	same state open "$(pr 1 .state)"
	git -C "$REMOTE" config gp.autoMerge 1
	same 'state, once it is allowed and somebody looks' merged "$(pr 1 .state)"
}

@test "gp.autoMerge: what is no boolean is 78 and named" {
	git -C "$REMOTE" config gp.autoMerge perhaps
	refuses 78 get-repository '{}' gp.autoMerge perhaps
	for value in true yes ON 1 17; do
		git -C "$REMOTE" config gp.autoMerge "$value"
		forge get-repository | jq -e .auto_merge_allowed
	done
	for value in false no OFF 0 ''; do
		git -C "$REMOTE" config gp.autoMerge "$value"
		forge get-repository | jq -e '.auto_merge_allowed | not'
	done
	git -C "$REMOTE" config --unset gp.autoMerge
	printf '[gp]\n\tautoMerge\n' >>"$REMOTE/config"
	forge get-repository | jq -e .auto_merge_allowed
}

@test "auto-merge: a push leaves it on, and the new head needs a green status of its own" {
	branch x
	open_pr x
	auto 1
	branch x x again
	same auto true "$(pr 1 .auto_merge)"
	post "$head" gp/gate success
	same state merged "$(pr 1 .state)"
	same content again "$(git -C "$REMOTE" show main:x)"
}

@test "auto-merge: waits for a conflict to be gone, and merges when somebody looks" {
	branch x file theirs
	commit_file file <<<ours
	open_pr x
	auto 1
	post "$head" gp/gate success
	same state open "$(pr 1 .state)"
	seed_to
	git -C "$SEED" rm --quiet file
	seed_push 'gone again'
	same state merged "$(pr 1 .state)"
}

@test "auto-merge: a merge that takes a conflict away is followed by the merge that waited for it" {
	commit_file file <<<one
	branch x file two
	commit_file file <<<three
	branch y file one
	open_pr x
	open_pr y
	auto 1
	auto 2 squash
	post "$(remote_tip x)" gp/gate success
	same 'merged' '' "$(git -C "$REMOTE" ls-tree --name-only refs/gp/state closed)"
	post "$(remote_tip y)" gp/gate success
	# As the request left it, before anybody looks again.
	same 'last two' 'auto-merge #2: squash of y auto-merge #1: merge of x' \
		"$(history | grep '^auto-merge #' | sed 's/ into .*//' | paste -sd ' ')"
	same content two "$(git -C "$REMOTE" show main:file)"
}

@test "auto-merge: the method that was asked for last is used" {
	branch x
	open_pr x 'Change x'
	auto 1 merge
	auto 1 squash
	post "$head" gp/gate success
	same message 'Change x (#1)' "$(git -C "$REMOTE" log -1 --format=%s main)"
}

# The shape of merges

@test "merge: message and content" {
	seed_to
	echo x >"$SEED/x"
	seed_push 'the commit' x
	open_pr x 'Promote apps/web'
	post "$(pr 1 .head)" gp/gate success
	merge_pr 1
	same message 'Merge pull request #1 from x

Promote apps/web' "$(git -C "$REMOTE" log -1 --format=%B main)"
	fsck_clean "$REMOTE"
}

@test "squash: the title and number, then the head commit's body with its trailers" {
	seed_to
	echo x >"$SEED/x"
	seed_push 'not this subject

A summary
of two lines.

Gp-Promotion: {"group":"apps","app":"web"}' x
	open_pr x 'Promote apps/web'
	post "$(pr 1 .head)" gp/gate success
	merge_pr 1 squash
	same message 'Promote apps/web (#1)

A summary
of two lines.

Gp-Promotion: {"group":"apps","app":"web"}' "$(git -C "$REMOTE" log -1 --format=%B main)"
	same trailer '{"group":"apps","app":"web"}' \
		"$(git -C "$REMOTE" log -1 --format='%(trailers:key=Gp-Promotion,valueonly)' main | head -n 1)"
	seed_to
	echo y >"$SEED/y"
	seed_push 'a subject alone' y
	open_pr y 'Second'
	post "$(pr 2 .head)" gp/gate success
	merge_pr 2 squash
	same message 'Second (#2)' "$(git -C "$REMOTE" log -1 --format=%B main)"
}

@test "rebase is refused with what there is" {
	branch x
	open_pr x
	for op in merge-pr set-auto-merge; do
		refuses 69 "$op" "{\"number\":1,\"enable\":true,\"method\":\"rebase\",\"head\":\"$head\"}" \
			'gp-forge-local merges by merge or squash'
	done
}

# What people do with plain git

@test "a push that fast-forwards the base to the head merges the pull request as that commit" {
	branch x
	open_pr x
	git -C "$SEED" push --quiet origin "$head:refs/heads/main"
	same found 1 "$(forge find-pr "{\"merged_as\":\"$head\"}" | jq .pull_requests[0].number)"
	same state "merged $head" "$(pr 1 '"\(.state) \(.merge_commit)"')"
}

@test "a person's merge merges the pull requests as the merge commit, however much came on top" {
	local merge

	branch x
	branch y
	open_pr x
	open_pr y
	seed_to
	git -C "$SEED" fetch --quiet origin x y
	git -C "$SEED" merge --quiet --no-ff -m 'by hand' "$(remote_tip x)" "$(remote_tip y)"
	merge=$(git -C "$SEED" rev-parse HEAD)
	git -C "$SEED" commit --quiet --allow-empty -m 'on top'
	git -C "$SEED" push --quiet origin HEAD:main
	same found '1 2' "$(forge find-pr "{\"merged_as\":\"$merge\"}" | jq .pull_requests[].number | paste -sd ' ')"
	same state "merged $merge" "$(pr 2 '"\(.state) \(.merge_commit)"')"
	refuses 69 merge-pr "{\"number\":1,\"method\":\"merge\",\"head\":\"$(remote_tip x)\"}" 'merged already'
}

@test "a branch that is moved back to the base has nothing to merge: closed, not merged" {
	branch x
	open_pr x
	git -C "$SEED" push --quiet --force origin "$(remote_tip):refs/heads/x"
	same state 'closed null' "$(pr 1 '"\(.state) \(.merge_commit)"')"
	branch x
	same 'a new one' 2 "$(open_pr x)"
}

@test "a base that is deleted: still open, nothing merged; back again: merged" {
	branch x
	open_pr x
	post "$head" gp/gate success
	before=$(remote_tip)
	git -C "$REMOTE" update-ref -d refs/heads/main
	same state open "$(pr 1 .state)"
	refuses 69 merge-pr "{\"number\":1,\"method\":\"merge\",\"head\":\"$head\"}" "no branch 'main'"
	git -C "$REMOTE" update-ref refs/heads/main "$before"
	merge_pr 1
}

# Many at once

# at_once N SCRIPT: SCRIPT in N shells at the same time, $1 being 1 to N; each exit status other than 0 is told.
at_once() {
	local n

	for n in $(seq "$1"); do
		timeout 60 bash -c "$2" at_once "$n" >"$T/out.$n" 2>"$T/err.$n" 3>&- || echo "$n: $? $(cat "$T/err.$n")" >>"$T/failed" &
	done
	wait
	same failures '' "$(cat "$T/failed" 2>/dev/null)"
}

# many N: N branches p1 to pN of one commit each, without a process each.
many() {
	local n

	seed_to
	for n in $(seq "$1"); do
		printf 'commit refs/heads/p%d\nmark :%d\ncommitter E <e@example.com> 1700000000 +0000\ndata 2\np\n' "$n" "$n"
		printf 'from %s\nM 100644 inline p%d\ndata 2\np\n' "$(remote_tip)" "$n"
	done | git -C "$REMOTE" fast-import --quiet
}

@test "20 pull requests opened at once: 20 numbers, none lost" {
	many 20
	at_once 20 'jq -cn --arg n "$1" --arg url "$REMOTE" "{op: \"open-pr\", repository: {url: \$url, base: \"main\"},
		branch: (\"p\" + \$n), title: \$n, description: \"\"}" | gp-forge-local | jq -e .result.created'
	same numbers "$(seq 20 | paste -sd ' ')" "$(prs | paste -sd ' ')"
	same titles "$(seq 20 | sort | paste -sd ' ')" "$(prs .title | sort | paste -sd ' ')"
	same 'commits of the state' 20 "$(history | wc -l)"
	fsck_clean "$REMOTE"
}

@test "one branch opened 10 times at once: one pull request" {
	branch x
	at_once 10 'jq -cn --arg url "$REMOTE" "{op: \"open-pr\", repository: {url: \$url, base: \"main\"},
		branch: \"x\", title: \"t\", description: \"\"}" | gp-forge-local | jq -e "[.result.created, .result.pull_request.number]"'
	same created 1 "$(cat "$T"/out.* | jq -s 'map(select(.[0])) | length')"
	same numbers 1 "$(cat "$T"/out.* | jq .[1] | sort -u)"
}

@test "50 statuses posted at once, on one commit and without the lock file: none lost" {
	local tip

	# A directory in its place: nobody can lock it, and compare-and-swap is on its own.
	mkdir "$REMOTE/gp-forge.lock"
	tip=$(remote_tip)
	export tip
	at_once 50 'jq -cn --arg n "$1" --arg url "$REMOTE" --arg c "$tip" "{op: \"set-status\", repository: {url: \$url},
		commit: \$c, context: \$n, state: \"success\"}" | gp-forge-local | jq -e .result.status'
	same statuses "$(seq 50 | sort | paste -sd ' ')" \
		"$(forge list-statuses "{\"commits\":[\"$tip\"]}" | jq -r '.statuses[][].context' | sort | paste -sd ' ')"
}

@test "pull requests that merge themselves at once, while people push to the base: nothing is lost" {
	many 10
	for n in $(seq 10); do
		open_pr "p$n" "p$n"
		auto "$n"
	done
	(
		for n in $(seq 10); do
			until
				git -C "$SEED" fetch --quiet origin main
				git -C "$SEED" checkout --quiet --detach FETCH_HEAD
				echo "$n" >"$SEED/by-hand-$n"
				git -C "$SEED" add -A
				git -C "$SEED" commit --quiet -m "by hand $n"
				git -C "$SEED" push --quiet origin HEAD:main 2>/dev/null
			do :; done
		done
	) 3>&- &
	at_once 10 'c=$(git -C "$REMOTE" rev-parse "refs/heads/p$1") && jq -cn --arg c "$c" --arg url "$REMOTE" "{op: \"set-status\",
		repository: {url: \$url}, commit: \$c, context: \"gp/gate\", state: \"success\"}" | gp-forge-local | jq -e .result'
	wait
	same 'still open' '' "$(prs)"
	same files "$(for n in $(seq 10); do printf 'by-hand-%s\np%s\n' "$n" "$n"; done | sort | paste -sd ' ')" \
		"$(git -C "$REMOTE" ls-tree --name-only main | grep -v README | sort | paste -sd ' ')"
	same 'merges on the first-parent line' 10 \
		"$(git -C "$REMOTE" log --first-parent --merges --format=%s main | grep -c '^Merge pull request')"
	fsck_clean "$REMOTE"
}

# in_between SCRIPT: what somebody else does, once, after the next request has
# decided and before it writes.
in_between() {
	mkdir -p "$T/bin"
	printf '%s\n' "$1" >"$T/race"
	cat >"$T/bin/git" <<-SH
		#!/bin/sh
		case " \$* " in
		*' update-ref --stdin '*)
			if mv "$T/race" "$T/raced" 2>/dev/null; then
				GP_RETRY_BUDGET=0 sh "$T/raced" >"$T/raced.log" 2>&1 </dev/null 3>&-
			fi
			;;
		esac
		exec $(command -v git) "\$@"
	SH
	chmod +x "$T/bin/git"
	hash -r
	export PATH="$T/bin:$PATH"
}

@test "in between, the head is pushed over: 75, and nothing is merged" {
	branch x
	before=$head
	open_pr x
	branch x x newer
	git -C "$REMOTE" update-ref refs/heads/x "$before"
	post "$before" gp/gate success
	tip=$(remote_tip)
	in_between "git -C '$REMOTE' update-ref refs/heads/x $head"
	refuses 75 merge-pr "{\"number\":1,\"method\":\"merge\",\"head\":\"$before\"}" "head of #1 is now $head, not $before"
	[ -e "$T/raced" ]
	same base "$tip" "$(remote_tip)"
	same head "$head" "$(pr 1 .head)"
}

@test "in between, the head is pushed over: auto-merge stays off" {
	branch x
	before=$head
	open_pr x
	branch x x newer
	git -C "$REMOTE" update-ref refs/heads/x "$before"
	in_between "git -C '$REMOTE' update-ref refs/heads/x $head"
	refuses 75 set-auto-merge "{\"number\":1,\"enable\":true,\"method\":\"merge\",\"head\":\"$before\"}" "$head"
	[ -e "$T/raced" ]
	same auto false "$(pr 1 .auto_merge)"
}

@test "in between, somebody pushes to the base: merged onto that" {
	branch x
	open_pr x
	post "$head" gp/gate success
	commit_file other <<<other
	in_between "git -C '$REMOTE' update-ref refs/heads/main $(remote_tip)"
	git -C "$REMOTE" update-ref refs/heads/main "$(remote_tip)~1"
	merge_pr 1
	[ -e "$T/raced" ]
	same files 'README.md other x' "$(git -C "$REMOTE" ls-tree --name-only main | paste -sd ' ')"
}

@test "in between, somebody pushes what conflicts to the base: 69" {
	branch x file theirs
	open_pr x
	post "$head" gp/gate success
	commit_file file <<<ours
	in_between "git -C '$REMOTE' update-ref refs/heads/main $(remote_tip)"
	git -C "$REMOTE" update-ref refs/heads/main "$(remote_tip)~1"
	refuses 69 merge-pr "{\"number\":1,\"method\":\"merge\",\"head\":\"$head\"}" "conflicts with 'main'"
	[ -e "$T/raced" ]
	same state open "$(pr 1 .state)"
}

# raced_request OP MEMBERS: the same, as a request of somebody else.
raced_request() {
	in_between "echo '{\"op\":\"$1\",\"repository\":{\"url\":\"$REMOTE\",\"base\":\"main\"},$2}' | gp-forge-local"
}

@test "in between, the required status turns red: 69" {
	branch x
	open_pr x
	post "$head" gp/gate success
	raced_request set-status "\"commit\":\"$head\",\"context\":\"gp/gate\",\"state\":\"failure\""
	refuses 69 merge-pr "{\"number\":1,\"method\":\"merge\",\"head\":\"$head\"}" "'gp/gate' is failure"
	has "$(cat "$T/raced.log")" '"failure"'
	same state open "$(pr 1 .state)"
}

@test "in between, somebody opens the same pull request: there is one" {
	branch x
	raced_request open-pr '"branch":"x","title":"theirs","description":""'
	expect 0 forge open-pr '{"branch":"x","title":"ours","description":""}'
	jq_is '"\(.created) \(.pull_request.number) \(.pull_request.title)"' 'false 1 ours'
	has "$(cat "$T/raced.log")" '"created":true'
	same open 1 "$(prs)"
}

@test "in between, auto-merge is switched off: it does not merge" {
	branch x
	open_pr x
	auto 1
	raced_request set-auto-merge '"number":1,"enable":false'
	post "$head" gp/gate success
	has "$(cat "$T/raced.log")" '"auto_merge":false'
	same state open "$(pr 1 .state)"
}

@test "in between, the head is pushed over: auto-merge does not merge what nobody has checked" {
	branch x
	before=$head
	open_pr x
	auto 1
	branch x x newer
	git -C "$REMOTE" update-ref refs/heads/x "$before"
	in_between "git -C '$REMOTE' update-ref refs/heads/x $head"
	post "$before" gp/gate success
	[ -e "$T/raced" ]
	same 'state, auto-merge, head' "open true $head" "$(pr 1 '"\(.state) \(.auto_merge) \(.head)"')"
}

@test "in between, a branch that was gone comes back: its pull request stays" {
	branch x
	open_pr x
	in_between "git -C '$REMOTE' update-ref refs/heads/x $head"
	git -C "$REMOTE" update-ref -d refs/heads/x
	same state open "$(pr 1 .state)"
	[ -e "$T/raced" ]
}

@test "a ref that somebody holds locked for good: 75 in git's words once the budget is spent" {
	branch x
	: >"$REMOTE/refs/heads/main.lock"
	GP_RETRY_BUDGET=1 refuses 75 open-pr '{"branch":"x","title":"t","description":""}' main.lock 'for 1 s'
	rm "$REMOTE/refs/heads/main.lock"
	same number 1 "$(open_pr x)"
}

@test "a ref that somebody holds locked for a moment is waited for" {
	branch x
	: >"$REMOTE/refs/heads/main.lock"
	# Gone only when the driver tries again.
	echo "rm '$REMOTE/refs/heads/main.lock'" >"$T/next"
	in_between "mv '$T/next' '$T/race'"
	same number 1 "$(open_pr x)"
	[ ! -e "$T/race" ]
}

@test "a repository that git cannot write is 71 at once, not after a minute" {
	local before

	branch x
	printf '#!/bin/sh\necho no such luck >&2\nexit 1\n' >"$REMOTE/hooks/reference-transaction"
	chmod +x "$REMOTE/hooks/reference-transaction"
	before=$(date +%s)
	refuses 71 open-pr '{"branch":"x","title":"t","description":""}' 'no such luck'
	[ $(($(date +%s) - before)) -lt 30 ]
}

@test "one driver for many requests sees what others do meanwhile" {
	branch x
	coproc DRIVER { gp-forge-local 3>&-; }
	local pid=$DRIVER_PID

	told() {
		jq -cn --arg url "$REMOTE" '{op: "find-pr", repository: {url: $url}, open: true}' >&"${DRIVER[1]}"
		IFS= read -r -t 60 output <&"${DRIVER[0]}"
		jq_is '.result.pull_requests | map("\(.number) \(.title) \(.head)") | join(", ")' "$1"
	}
	told ''
	open_pr x one
	told "1 one $head"
	branch x x again
	told "1 one $head"
	open_pr x two
	told "1 two $head"
	git -C "$REMOTE" gc --quiet --prune=now
	branch y
	open_pr y three
	told "1 two $(remote_tip x), 2 three $head"
	git -C "$REMOTE" update-ref -d refs/heads/x
	told "2 three $head"
	eval "exec ${DRIVER[1]}>&-"
	wait "$pid"
}

# The man pages

# example PAGE N: the Nth literal block of its examples.
example() {
	sed '1,/^\.Sh EXAMPLES/d' "$test_root/man/$1" | awk -v n="$2" '/^\.Bd/ { i++ } i == n && !/^\./ { print } i == n && /^\.Ed/ { exit }'
}

@test "gp-forge-local(1): the examples do what they say" {
	local n

	mkdir "$T/try"
	cd "$T/try" || return
	for n in 1 2; do
		example gp-forge-local.1 "$n" >script
		[ -s script ]
		expect 0 sh -e script
	done
	expect 1 git -C shop.git config --get-all gp.requiredStatus
	git -C "$SEED" push --quiet "$T/try/shop.git" HEAD:main
	branch x
	git -C "$SEED" push --quiet "$T/try/shop.git" HEAD:refs/heads/x
	at shop.git open-pr '{"branch":"x","title":"a title","description":""}'
	example gp-forge-local.1 3 >script
	expect 0 sh -e script
	has "$output" '"a title"' 'open-pr #1'
	example gp-forge-local.1 4 >script
	expect 0 sh -e script
	jq_is .result.default_branch main
}

@test "gp-forge(7): the examples do what they say, the driver too" {
	mkdir "$T/bin"
	cd "$T" || return
	git clone --quiet --bare "$REMOTE" shop.git
	example gp-forge.7 1 >script
	expect 0 sh -e script
	jq_is '.result.pull_requests | tojson' '[]'
	example gp-forge.7 2 >"$T/bin/gp-forge-readonly"
	chmod +x "$T/bin/gp-forge-readonly"
	branch x
	open_pr x
	for op in find-pr open-pr merge-pr; do
		jq -cn --arg op "$op" --arg url "$REMOTE" \
			'{id: $op, op: $op, number: 1, repository: {url: $url, base: "main"}}'
	done >"$T/requests"
	expect 0 "$T/bin/gp-forge-readonly" <"$T/requests"
	same replies '["find-pr",1,null] ["open-pr",null,77] ["merge-pr",null,77]' \
		"$(jq -c '[.id, .result.pull_requests[0].number, .error.exit]' <<<"$output" | paste -sd ' ')"
}
