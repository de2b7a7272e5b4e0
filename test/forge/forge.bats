#!/usr/bin/env bats
# What every forge has to do, asked through the protocol and by plain git
# alone (gp-forge(7)). FORGE=name runs it over gp-forge-name; the default is
# local. A forge NAME of your own brings test/fakes/NAME/hands.bash with a function
# forge_remote, which makes a repository for one test (or cleans one up) and
# sets FORGE_URL, to which git can push; FORGE_BASE, its default branch, which
# has a commit; and leaves gp/gate as the one required check, auto-merge
# allowed. Without that file both are taken from the environment. Tokens are
# taken out of the environment by gp_setup: hand them on in a FORGE_TOKEN, which
# forge_remote can export by the name that the driver knows.
#
# A driver that only reads, so far, is held to the tests with the tag `read`, with
# the changes made by gp-forge-$FORGE_WRITER: make check-forge FORGE=example does so.

setup() {
	load ../lib/helper
	gp_setup
	FORGE=${FORGE:-local}
	if [ "$FORGE" = local ]; then
		local_remote
	elif [ -e "$BATS_TEST_DIRNAME/../fakes/$FORGE/hands.bash" ]; then
		load "../fakes/$FORGE/hands"
		forge_remote
	fi
	[ -n "$FORGE_URL" ] || fail "where is a repository of forge $FORGE? say so in FORGE_URL, or test/fakes/$FORGE/hands.bash"
	FORGE_BASE=${FORGE_BASE:-main}
	git clone --quiet "$FORGE_URL" work
	cd work || return
	# A repository that many tests share has branches of others: ours carry a name of their own.
	own="test-$$-$BATS_TEST_NUMBER"
}

local_remote() {
	git init --quiet --bare --initial-branch=main remote.git
	git clone --quiet remote.git first 2>/dev/null
	echo beginning >first/README.md
	git -C first add README.md
	git -C first commit --quiet -m 'the beginning'
	git -C first push --quiet origin HEAD:main
	FORGE_URL="file://$T/remote.git"
}

# request ID OP [MEMBERS]: one line.
request() {
	jq -cn --argjson id "$1" --arg op "$2" --arg provider "$FORGE" --arg url "$FORGE_URL" --arg base "$FORGE_BASE" \
		--argjson more "${3:-{\}}" \
		'{id: $id, op: $op, repository: {provider: $provider, url: $url, base: $base}} + $more'
}

# ask OP [MEMBERS]: the reply's result is in $output.
ask() {
	case $1 in
	get-repository | find-pr | list-statuses) expect 0 "gp-forge-$FORGE" <<<"$(request 7 "$@")" ;;
	*) expect 0 "gp-forge-${FORGE_WRITER:-$FORGE}" <<<"$(request 7 "$@")" ;;
	esac
	jq_is .id 7
	[ "$(jq 'has("result") and (has("error") | not)' <<<"$output")" = true ] || fail "$1 $2 was refused:" "$output"
	output=$(jq -c .result <<<"$output")
}

# refused EXIT OP MEMBERS [TEXT…]: the reply is an error with each TEXT in its message.
refused() {
	local want=$1

	shift
	expect 0 "gp-forge-$FORGE" <<<"$(request 7 "$1" "$2")"
	jq_is .id 7
	jq_is .error.exit "$want"
	jq_is 'has("result")' false
	output=$(jq -r .error.message <<<"$output")
	shift 2
	has "$output" "$@"
}

# branch NAME [PATH [TEXT [FROM]]]: pushes one more commit on FROM (default: the base) as a branch; $head is its id.
branch() {
	git fetch --quiet origin
	git checkout --quiet --force -B "$own-$1" "${4:-origin/$FORGE_BASE}"
	mkdir -p "$(dirname "${2:-$own/$1}")"
	echo "${3:-$1}" >"${2:-$own/$1}"
	git add -A
	git commit --quiet -m "change $1" -m "What it is about."
	git push --quiet --force origin "HEAD:refs/heads/$own-$1"
	head=$(git rev-parse HEAD)
}

# base_gets PATH TEXT: a person's push to the base.
base_gets() {
	git fetch --quiet origin
	git checkout --quiet --detach "origin/$FORGE_BASE"
	mkdir -p "$(dirname "$1")"
	echo "$2" >"$1"
	git add -A
	git commit --quiet -m "change $1 by hand"
	git push --quiet origin "HEAD:refs/heads/$FORGE_BASE"
}

base_tip() {
	git ls-remote origin "refs/heads/$FORGE_BASE" | cut -f 1
}

# open NAME [TITLE [DESCRIPTION]]: opens a pull request of the branch; $number is its number.
open() {
	ask open-pr "$(jq -cn --arg b "$own-$1" --arg t "${2:-Change $1}" --arg d "${3-What it is about.}" \
		'{branch: $b, title: $t, description: $d}')"
	number=$(jq .pull_request.number <<<"$output")
}

# status STATE [CONTEXT [COMMIT]]: of the head, as a check of pull request $number.
status() {
	ask set-status "$(jq -cn --arg s "$1" --arg x "${2:-gp/gate}" --arg c "${3:-$head}" --argjson n "$number" \
		'{commit: $c, context: $x, state: $s, description: "by a test", url: null, number: $n}')"
}

# number_is FILTER WANTED: of pull request $number as it is now, or will be within half a minute.
number_is() {
	local got

	for _ in $(seq 60); do
		ask find-pr "{\"number\":$number}"
		got=$(jq -r ".pull_requests[0] | $1" <<<"$output")
		[ "$got" != "$2" ] || return 0
		sleep 0.5
	done
	fail "$1 of #$number: expected $2 but got $got"
}

# complete FILTER: what it picks is a pull request with all that the protocol promises.
complete() {
	jq_true "$1"' | (.number | type == "number" and . > 0) and (.url | type == "string" and length > 0)
		and (.title | type == "string") and (.description | type == "string") and (.branch | type == "string")
		and (.base | type == "string") and (.head | test("^[0-9a-f]{40}$"))
		and (.state == "open" or .state == "merged" or .state == "closed") and (.auto_merge | type == "boolean")
		and (.fork | type == "boolean")
		and (.merge_commit == null or (.merge_commit | test("^[0-9a-f]{40}$")))
		and ((.state == "merged") == (.merge_commit != null))'
}

bound() {
	jq -cn --argjson n "$number" --arg h "${2:-$head}" --arg m "$1" '{number: $n, head: $h, method: $m}'
}

auto() {
	jq -cn --argjson n "$number" --arg h "${2:-$head}" --argjson e "$1" '{number: $n, enable: $e, method: "merge", head: $h}'
}

# The protocol

# bats test_tags=read
@test "each request gets one line, in order, with its id" {
	{
		request 1 get-repository
		request '"two"' no-such-op
		request '{"three":[3]}' find-pr '{"open":true}'
		request null get-repository
		jq -cn '{op: "no-such-op"}'
	} >"$T/requests"
	expect 0 "gp-forge-$FORGE" <"$T/requests"
	# A driver may write empty lines while it works.
	same replies 5 "$(grep -c . <<<"$output")"
	same ids '[1,"two",{"three":[3]},null,null]' "$(jq -cs 'map(.id)' <<<"$output")"
	same 'result or error' '[true,false,true,true,false]' "$(jq -cs 'map(has("result"))' <<<"$output")"
	same 'never both' '[true,true,true,true,true]' "$(jq -cs 'map(has("result") != has("error"))' <<<"$output")"
}

# bats test_tags=read
@test "a request that comes after a long pause is answered when it comes" {
	coproc DRIVER { "gp-forge-$FORGE" 3>&-; }
	local id reply pid=$DRIVER_PID

	for id in 1 2; do
		request "$id" get-repository >&"${DRIVER[1]}"
		reply=
		while [ -z "$reply" ]; do
			IFS= read -r -t 60 reply <&"${DRIVER[0]}"
		done
		same id "$id" "$(jq .id <<<"$reply")"
	done
	eval "exec ${DRIVER[1]}>&-"
	wait "$pid"
}

# bats test_tags=read
@test "an unknown operation is 64 and named" {
	refused 64 frobnicate '{}' frobnicate
}

# bats test_tags=read
@test "what is no request is 65, and the next one is answered" {
	{
		echo '{"id":1,"op":'
		echo '[]'
		echo '{"id":3}'
		echo '{"id":4,"op":"get-repository","op":"get-repository"}'
		request 5 get-repository
	} >"$T/requests"
	expect 0 "gp-forge-$FORGE" <"$T/requests"
	same exits '[65,65,65,65,null]' "$(jq -cs 'map(.error.exit)' <<<"$output")"
	same ids '[null,null,3,null,5]' "$(jq -cs 'map(.id)' <<<"$output")"
}

@test "a parameter that is missing or of another type is 65 and named" {
	refused 65 open-pr '{"title":"t","description":""}' branch
	refused 65 open-pr '{"branch":"b","description":""}' title
	refused 65 open-pr '{"branch":"b","title":"t"}' description
	refused 65 open-pr '{"branch":5,"title":"t","description":""}' branch
	refused 65 find-pr '{"number":"5"}' number
	refused 65 find-pr '{"number":0}' number
	refused 65 find-pr '{"merged_as":"main"}' merged_as
	refused 65 find-pr '{"open":"yes"}' open
	refused 65 set-auto-merge '{"enable":true,"method":"merge","head":"0123456789012345678901234567890123456789"}' number
	refused 65 set-auto-merge '{"number":1,"enable":"on","method":"merge","head":"0123456789012345678901234567890123456789"}' enable
	refused 65 set-auto-merge '{"number":1,"enable":true,"method":"fold","head":"0123456789012345678901234567890123456789"}' method
	refused 65 merge-pr '{"number":1,"method":"merge"}' head
	refused 65 merge-pr '{"number":1,"method":"merge","head":"abc"}' head
	refused 65 merge-pr '{"number":1,"head":"0123456789012345678901234567890123456789"}' method
	refused 65 list-statuses '{}' commits
	refused 65 list-statuses '{"commits":["main"]}' commits
	refused 65 list-statuses '{"commits":"0123456789012345678901234567890123456789"}' commits
	refused 65 set-status "{\"context\":\"c\",\"state\":\"success\"}" commit
	refused 65 set-status "{\"commit\":\"$(base_tip)\",\"state\":\"success\"}" context
	refused 65 set-status "{\"commit\":\"$(base_tip)\",\"context\":\"c\",\"state\":\"green\"}" state
	refused 65 set-status "{\"commit\":\"$(base_tip)\",\"context\":\"c\",\"state\":\"success\",\"url\":5}" url
}

@test "a parameter that is null counts as missing" {
	refused 65 find-pr '{"number":null}' number
	refused 65 merge-pr '{"number":1,"method":"merge","head":null}' head
	ask find-pr '{"open":true,"number":null,"branch":null}'
	jq_true '.pull_requests | type == "array"'
}

# bats test_tags=read
@test "find-pr wants exactly one way to find" {
	refused 65 find-pr '{}' number branch merged_as open
	refused 65 find-pr '{"number":1,"open":true}' number branch merged_as open
}

# bats test_tags=read
@test "a repository that is not said is 65" {
	local op

	for op in get-repository 'find-pr","open":true,"x":"' 'list-statuses","commits":[],"x":"'; do
		expect 0 "gp-forge-$FORGE" <<<"{\"id\":1,\"op\":\"$op\"}"
		jq_is .error.exit 65
		has "$(jq -r .error.message <<<"$output")" repository
	done
}

# bats test_tags=read
@test "members that nobody knows change nothing" {
	ask find-pr '{"open":true,"colour":"green","nested":{"a":[1,2,null]}}'
	jq_true '.pull_requests | type == "array"'
}

# bats test_tags=read
@test "get-repository: default branch, whether auto-merge is allowed, required checks" {
	ask get-repository
	jq_is .default_branch "$FORGE_BASE"
	jq_is .auto_merge_allowed true
	# A forge that does not tell says null.
	jq_true '.required_checks == null or .required_checks == ["gp/gate"]'
}

# Opening and finding

# bats test_tags=read
@test "open-pr: a new pull request is complete, and found by number, by branch and among the open ones" {
	branch a
	open a 'Promote things' 'body'
	complete .pull_request
	jq_is .created true
	jq_is '.pull_request | "\(.title) \(.branch) \(.base) \(.state) \(.auto_merge) \(.fork)"' \
		"Promote things $own-a $FORGE_BASE open false false"
	jq_is .pull_request.head "$head"
	jq -S .pull_request <<<"$output" >"$T/opened"
	for way in "{\"number\":$number}" "{\"branch\":\"$own-a\"}" '{"open":true}'; do
		ask find-pr "$way"
		jq -S --argjson n "$number" '.pull_requests[] | select(.number == $n)' <<<"$output" | diff - "$T/opened"
	done
}

# bats test_tags=read
@test "open-pr: title and description are kept to the byte" {
	local title=$'\'quoted\' "title" <b>&amp; \\n ünïcödé 🚀 $(id)'
	local text=$'<!-- metadata = {"group":"a\\u003cb","tag":"v1"} -->\n\n\tsecond *line*  \n\n\n```\n#1 @me\n```\n'

	branch a
	open a "$title" "$text"
	ask find-pr "{\"number\":$number}"
	same title "$title" "$(jq -r '.pull_requests[0].title' <<<"$output")"
	same description "$text." "$(jq -r '.pull_requests[0].description + "."' <<<"$output")"
}

# bats test_tags=read
@test "open-pr: the same branch again updates title and description, and opens no second one" {
	branch a
	open a 'First title' 'first text'
	local first=$number

	open a 'Second title' ''
	jq_is .created false
	same number "$first" "$number"
	jq_is '.pull_request | "\(.title)/\(.description)"' 'Second title/'
	ask find-pr "{\"branch\":\"$own-a\"}"
	jq_is '.pull_requests | map([.number, .title, .description]) | tojson' "[[$first,\"Second title\",\"\"]]"
}

@test "open-pr: a branch that is not there is 69 and named" {
	refused 69 open-pr "{\"branch\":\"$own-nowhere\",\"title\":\"t\",\"description\":\"\"}" "$own-nowhere"
}

@test "open-pr: a branch without commits of its own is 69" {
	git push --quiet origin "origin/$FORGE_BASE:refs/heads/$own-same"
	refused 69 open-pr "{\"branch\":\"$own-same\",\"title\":\"t\",\"description\":\"\"}" \
		"no commits between $FORGE_BASE and $own-same"
	base_gets "$own/ahead" x
	refused 69 open-pr "{\"branch\":\"$own-same\",\"title\":\"t\",\"description\":\"\"}" \
		"no commits between $FORGE_BASE and $own-same"
}

@test "open-pr: a base that is not there is 69 and named" {
	branch a
	FORGE_BASE=$own-no-base
	refused 69 open-pr "{\"branch\":\"$own-a\",\"title\":\"t\",\"description\":\"\"}" "$own-no-base"
}

# bats test_tags=read
@test "find-pr: what is not there is an empty list" {
	ask find-pr "{\"branch\":\"$own-nowhere\"}"
	jq_is '.pull_requests | tojson' '[]'
	ask find-pr '{"number":999999}'
	jq_is '.pull_requests | tojson' '[]'
	ask find-pr "{\"merged_as\":\"$(base_tip)\"}"
	jq_is '.pull_requests | tojson' '[]'
	ask find-pr '{"merged_as":"0123456789012345678901234567890123456789"}'
	jq_is '.pull_requests | tojson' '[]'
}

# bats test_tags=read
@test "find-pr: several come in the order of their numbers" {
	for name in c a b; do
		branch "$name"
		open "$name"
	done
	ask find-pr '{"open":true}'
	jq_true '.pull_requests | length >= 3 and (map(.number) == (map(.number) | sort))'
	same 'ours, in the order in which they were opened' "$own-c $own-a $own-b" \
		"$(jq -r --arg own "$own-" '.pull_requests[].branch | select(startswith($own))' <<<"$output" | paste -sd ' ')"
}

# bats test_tags=read
@test "find-pr: head is the branch as it is now" {
	branch a
	open a
	branch a "$own/more"
	number_is .head "$head"
	open a
	jq_is .pull_request.head "$head"
}

@test "find-pr: a pull request whose branch was deleted is not open, and a new one is another" {
	branch a
	open a
	local first=$number

	git push --quiet origin ":refs/heads/$own-a"
	number_is .state closed
	ask find-pr "{\"branch\":\"$own-a\"}"
	jq_is '.pull_requests | tojson' '[]'
	refused 69 merge-pr "$(bound merge)"
	branch a
	open a
	jq_is .created true
	[ "$number" -gt "$first" ]
}

# bats test_tags=read
@test "a pull request into another base is one of its own" {
	branch a
	open a
	local first=$number

	git push --quiet origin "origin/$FORGE_BASE:refs/heads/$own-other"
	FORGE_BASE=$own-other
	ask find-pr "{\"branch\":\"$own-a\"}"
	jq_is '.pull_requests | tojson' '[]'
	open a
	jq_is .created true
	jq_is .pull_request.base "$own-other"
	[ "$number" -ne "$first" ]
}

# Statuses

# bats test_tags=read
@test "list-statuses: newest first, and every commit that was asked for has a member" {
	local tip

	branch a
	open a
	tip=$(base_tip)
	status pending one
	status failure one
	status success two
	status success one
	ask list-statuses "{\"commits\":[\"$head\",\"$tip\",\"$head\"],\"all\":true}"
	jq_is '.statuses | length' 2
	jq_true ".statuses[\"$tip\"] | type == \"array\""
	same statuses 'one success, two success, one failure, one pending' \
		"$(jq -r --arg h "$head" '[.statuses[$h][] | "\(.context) \(.state)"] | join(", ")' <<<"$output")"
	jq_true ".statuses[\"$head\"] | all(.kind == \"status\" or .kind == \"check-run\")"
	jq_true ".statuses[\"$head\"] | all(.created_at | test(\"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$\"))"
	jq_true ".statuses[\"$head\"] | all(has(\"description\") and has(\"url\"))"
	# Not asked for, those that were replaced may be left out.
	ask list-statuses "{\"commits\":[\"$head\",\"$tip\"]}"
	jq_is '.statuses | length' 2
	same newest 'one success, two success' "$(jq -r --arg h "$head" \
		'[.statuses[$h][] | {context, state}] | [unique_by(.context)[].context] as $c
		| [$c[] as $x | first(.[] | select(.context == $x)) | "\(.context) \(.state)"] | join(", ")' <<<"$output")"
}

# bats test_tags=read
@test "list-statuses: no commits, and commits that nobody has, are no error" {
	ask list-statuses '{"commits":[]}'
	jq_is '.statuses | tojson' '{}'
	ask list-statuses '{"commits":["0123456789012345678901234567890123456789"]}'
	jq_is '.statuses | tojson' '{"0123456789012345678901234567890123456789":[]}'
}

@test "list-statuses: with a pull request's number its checks are there" {
	branch a
	open a
	status failure
	status success
	ask list-statuses "{\"commits\":[\"$head\"],\"number\":$number}"
	jq_is ".statuses[\"$head\"][0] | \"\(.context) \(.state)\"" 'gp/gate success'
	jq_is '.statuses | length' 1
}

@test "set-status: hands back what was posted" {
	branch a
	ask set-status "{\"commit\":\"$head\",\"context\":\"kustomization/apps-dev/0c9c2e41\",\"state\":\"failure\",
		\"description\":\"health check failed\",\"url\":\"https://example.com/log?a=1&b=2\"}"
	jq_is '.status | [.context, .state, .description, .url] | join(" ")' \
		'kustomization/apps-dev/0c9c2e41 failure health check failed https://example.com/log?a=1&b=2'
	jq -S .status <<<"$output" >"$T/posted"
	ask list-statuses "{\"commits\":[\"$head\"]}"
	jq -S ".statuses[\"$head\"][0]" <<<"$output" | diff - "$T/posted"
}

@test "set-status: description and url may be missing" {
	branch a
	ask set-status "{\"commit\":\"$head\",\"context\":\"c\",\"state\":\"success\",\"description\":null,\"url\":null}"
	jq_is '.status.context' c
	ask set-status "{\"commit\":\"$head\",\"context\":\"d\",\"state\":\"pending\"}"
	jq_is '.status.state' pending
}

@test "set-status: a commit that the forge does not have is 69" {
	refused 69 set-status '{"commit":"0123456789012345678901234567890123456789","context":"c","state":"success"}' \
		0123456789012345678901234567890123456789
}

@test "set-status: as a check of a pull request, the commit has to be its head" {
	branch a
	open a
	local before=$head

	branch a "$own/more"
	refused 75 set-status "{\"commit\":\"$before\",\"number\":$number,\"context\":\"gp/gate\",\"state\":\"success\"}" "$head"
	status success
	number_is .head "$head"
	refused 69 set-status "{\"commit\":\"$head\",\"number\":999999,\"context\":\"gp/gate\",\"state\":\"success\"}" 999999
}

# Merging

@test "merge-pr: refused while the required status is missing, pending or failed; merged once it is green" {
	branch a
	open a
	refused 69 merge-pr "$(bound merge)" gp/gate
	status pending
	refused 69 merge-pr "$(bound merge)" gp/gate
	status success other
	refused 69 merge-pr "$(bound merge)" gp/gate
	status success
	status failure
	refused 69 merge-pr "$(bound merge)" gp/gate
	number_is .state open
	status success
	ask merge-pr "$(bound merge)"
	complete .pull_request
	jq_is .pull_request.state merged
	jq_is .pull_request.merge_commit "$(base_tip)"
}

# bats test_tags=read
@test "merge-pr: a merge has the base and the head as parents, and is found by its commit" {
	local tip

	branch a
	open a 'Change a' 'first text'
	tip=$(base_tip)
	status success
	ask merge-pr "$(bound merge)"
	git fetch --quiet origin
	same parents "$tip $head" "$(git log -1 --format=%P "origin/$FORGE_BASE")"
	same content a "$(git show "origin/$FORGE_BASE:$own/a")"
	ask find-pr "{\"merged_as\":\"$(base_tip)\"}"
	jq_is '.pull_requests | map([.number, .state, .title, .description]) | tojson' \
		"[[$number,\"merged\",\"Change a\",\"first text\"]]"
	complete '.pull_requests[0]'
	ask find-pr "{\"branch\":\"$own-a\"}"
	jq_is '.pull_requests | tojson' '[]'
	number_is '"\(.state) \(.auto_merge) \(.head)"' "merged false $head"
}

# bats test_tags=read
@test "merge-pr: a squash is one commit on the base with all of the branch's changes" {
	local tip

	branch a
	branch a "$own/second" x "$own-a"
	open a
	tip=$(base_tip)
	status success
	ask merge-pr "$(bound squash)"
	git fetch --quiet origin
	same parents "$tip" "$(git log -1 --format=%P "origin/$FORGE_BASE")"
	same files "$own/a $own/second" "$(git diff --name-only "$tip" "origin/$FORGE_BASE" | paste -sd ' ')"
	ask find-pr "{\"merged_as\":\"$(base_tip)\"}"
	jq_is '.pull_requests | map(.number) | tojson' "[$number]"
}

@test "merge-pr: what is merged is not merged again" {
	local tip

	branch a
	open a
	status success
	ask merge-pr "$(bound merge)"
	tip=$(base_tip)
	refused 69 merge-pr "$(bound merge)" "#$number"
	refused 69 set-auto-merge "$(auto true)" "#$number"
	same 'the base' "$tip" "$(base_tip)"
}

@test "merge-pr: a head that moved is 75, says to what, and nothing is merged" {
	branch a
	open a
	status success
	local before=$head

	branch a "$own/more"
	status success
	refused 75 merge-pr "$(bound merge "$before")" "head of #$number is now $head, not $before"
	number_is .state open
	ask merge-pr "$(bound merge)"
	jq_is .pull_request.head "$head"
}

@test "merge-pr: a conflict is 69 and nothing is merged; another push solves it" {
	local tip

	branch a "$own/file" theirs
	open a
	base_gets "$own/file" ours
	tip=$(base_tip)
	status success
	refused 69 merge-pr "$(bound merge)" "#$number"
	same 'the base' "$tip" "$(base_tip)"
	branch a "$own/file" 'both'
	status success
	ask merge-pr "$(bound merge)"
	jq_is .pull_request.state merged
}

@test "merge-pr: a base that moved since is merged into as it is now" {
	branch a
	open a
	status success
	base_gets "$own/by-hand" x
	ask merge-pr "$(bound merge)"
	git fetch --quiet origin
	same files "$own/a $own/by-hand" "$(git ls-tree -r --name-only "origin/$FORGE_BASE" "$own/" | paste -sd ' ')"
}

@test "merge-pr: a pull request that is not there is 69" {
	number=999999
	refused 69 merge-pr "$(bound merge "$(base_tip)")" 999999
	refused 69 set-auto-merge "$(auto true "$(base_tip)")" 999999
}

@test "auto-merge: merges by itself once the required status is green" {
	branch a
	open a
	ask set-auto-merge "$(auto true)"
	complete .pull_request
	jq_is '"\(.pull_request.auto_merge) \(.pull_request.state) \(.clean)"' 'true open null'
	number_is '"\(.auto_merge) \(.state)"' 'true open'
	status pending
	status failure
	status success other
	number_is .state open
	status success
	number_is '"\(.state) \(.auto_merge)"' 'merged false'
	same 'the base' "$(base_tip)" "$(jq -r '.pull_requests[0].merge_commit' <<<"$output")"
	ask find-pr "{\"merged_as\":\"$(base_tip)\"}"
	jq_is '.pull_requests | map(.number) | tojson' "[$number]"
}

@test "auto-merge: switched off, it does not merge; off twice is off" {
	branch a
	open a
	ask set-auto-merge "$(auto true)"
	ask set-auto-merge "$(auto true)"
	jq_is .pull_request.auto_merge true
	ask set-auto-merge "$(auto false)"
	jq_is .pull_request.auto_merge false
	ask set-auto-merge "$(auto false)"
	jq_is .pull_request.auto_merge false
	status success
	number_is '"\(.state) \(.auto_merge)"' 'open false'
}

@test "auto-merge: where there is nothing to wait for, it says so and stays off" {
	branch a
	open a
	status success
	ask set-auto-merge "$(auto true)"
	jq_is '"\(.clean) \(.pull_request.auto_merge) \(.pull_request.state)"' 'true false open'
	number_is '"\(.state) \(.auto_merge)"' 'open false'
}

@test "auto-merge: a head that moved is 75 and it stays off; off it goes with any head" {
	branch a
	open a
	local before=$head

	branch a "$own/more"
	refused 75 set-auto-merge "$(auto true "$before")" "$head"
	number_is .auto_merge false
	ask set-auto-merge "$(auto true)"
	ask set-auto-merge "$(auto false "$before")"
	jq_is .pull_request.auto_merge false
}

@test "auto-merge: a green status of an older head merges nothing" {
	local tip

	branch a
	open a
	local before=$head

	branch a "$own/more"
	ask set-auto-merge "$(auto true)"
	tip=$(base_tip)
	ask set-status "{\"commit\":\"$before\",\"context\":\"gp/gate\",\"state\":\"success\"}"
	number_is .state open
	same 'the base' "$tip" "$(base_tip)"
}

@test "pull requests that are opened at the same time all come into being" {
	local name

	for name in a b c d e; do
		branch "$name"
	done
	for name in a b c d e; do
		request 1 open-pr "{\"branch\":\"$own-$name\",\"title\":\"$name\",\"description\":\"\"}" |
			timeout 60 "gp-forge-$FORGE" >"$T/reply.$name" 3>&- &
	done
	wait
	same created '[true,true,true,true,true]' "$(cat "$T"/reply.* | jq -cs 'map(.result.created)')"
	same numbers 5 "$(cat "$T"/reply.* | jq .result.pull_request.number | sort -u | wc -l)"
}
