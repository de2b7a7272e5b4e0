# forge-github.bash - a GitHub for one test: starts test/github/server.py, which
# ends with the test, and makes acme/shop in it. For forge.bats (make
# check-forge FORGE=github) and for stories that are played there.
# shellcheck shell=bash
# shellcheck disable=SC2119,SC2120 # optional arguments

# gp's token may do what README asks for and nothing else; people are
# administrators, whom the rule on main does not bind.
HUB_GP=github_pat_gp HUB_EMILIA=github_pat_emilia HUB_APP=ghs_app

# github_start [OPTION…]: a server; HUB_URL is where it is, HUB_LOG what it was asked. Logs are kept in $FORGE_LOGS, if set.
github_start() {
	HUB_LOG=${FORGE_LOGS:-$T}/github.$$.jsonl
	IFS= read -r -t 60 HUB_URL < <(exec python3 "$test_root/test/github/server.py" --root "$T/github" \
		--log "$HUB_LOG" --parent "$$" "$@" 3>&- 2>"$T/github.err")
	[ -n "$HUB_URL" ] || fail 'no server:' "$(cat "$T/github.err")" || return
	github_test PUT tokens "{
		\"$HUB_GP\": {\"login\": \"gp-bot\", \"permissions\":
			{\"metadata\": \"read\", \"contents\": \"write\", \"pull_requests\": \"write\", \"statuses\": \"write\"}},
		\"$HUB_EMILIA\": {\"login\": \"emilia\", \"admin\": true},
		\"$HUB_APP\": {\"login\": \"ci[bot]\", \"kind\": \"app\"}}"
}

# github_test METHOD PATH [JSON]: what a test does to the forge (test/github/testapi.py).
github_test() {
	curl -fsS --noproxy '*' ${SSL_CERT_FILE:+--cacert "$SSL_CERT_FILE"} -X "$1" -d "${3:-null}" \
		"$HUB_URL/_test/$2" >"$T/run/github" || fail "the forge did not: $*"
}

# github_api TOKEN METHOD PATH [JSON]: a REST request by somebody; prints the answer.
github_api() {
	curl -fsS --noproxy '*' -A test -H "Authorization: Bearer $1" -X "$2" ${4:+-d "$4"} "$HUB_URL/$3"
}

# github_repository [JSON]: acme/shop, with gp/gate required on main; people's git has Emilia's token.
github_repository() {
	github_test POST repositories "${1:-{\"owner\": \"acme\", \"name\": \"shop\"\}}"
	github_test PUT protection/acme/shop/main '{"contexts": ["gp/gate"]}'
	git config --global "http.$HUB_URL/.extraHeader" \
		"Authorization: Basic $(printf 'x-access-token:%s' "$HUB_EMILIA" | base64 | tr -d '\n')"
}

forge_remote() {
	github_start
	github_repository
	FORGE_URL=$HUB_URL/acme/shop.git
	export GP_TOKEN=$HUB_GP GP_API_URL=$HUB_URL
}

# github_gitops [OPTION…]: make_gitops' repository as acme/shop there; $REMOTE is the forge's own copy of it. The
# programs run with gp's token, people's git with Emilia's.
github_gitops() {
	make_gitops "$@"
	github_start
	github_repository "{\"owner\": \"acme\", \"name\": \"shop\", \"from\": \"$REMOTE\"}"
	rm -rf "$REMOTE"
	REMOTE=$T/github/acme/shop.git FORGE_URL=$HUB_URL/acme/shop.git
	git -C "$CLONE" remote set-url origin "$FORGE_URL"
	git -C "$SEED" remote set-url origin "$FORGE_URL"
	git -C "$CLONE" fetch --quiet
	export GP_TOKEN=$HUB_GP GP_API_URL=$HUB_URL GP_PROVIDER=github
}

# In the place of helper.bash's: the same hands, at this forge.

# forge OP [JSON]: one request to gp-forge-github; prints the result. A refusal is its error on stderr.
forge() {
	local reply

	reply=$(jq -cn --arg op "$1" --arg url "$FORGE_URL" --arg base "$BASE" --argjson more "${2:-{\}}" \
		'{id: 1, op: $op, repository: {provider: "github", url: $url, base: $base}} + $more' |
		timeout 60 gp-forge-github 3>&-) || return
	jq -ce .result <<<"$reply" && return
	printf '%s\n' "$reply" >&2
	return "$(jq .error.exit <<<"$reply")"
}

# post COMMIT CONTEXT STATE [DESCRIPTION]: a commit status by somebody else; no description is null.
post() {
	github_api "$HUB_EMILIA" POST "repos/acme/shop/statuses/$1" "$(jq -cn --arg context "$2" --arg state "$3" \
		--arg text "${4:-}" '{$context, $state, description: (if $text == "" then null else $text end)}')" >/dev/null
}

# merge_by_hand N [METHOD]: Emilia presses the button.
merge_by_hand() {
	github_api "$HUB_EMILIA" PUT "repos/acme/shop/pulls/$1/merge" "{\"merge_method\": \"${2:-merge}\"}" >/dev/null
}

# actions_checkout DIR REF: as the checkout action does it: depth 1, detached, with a header of its own in the config.
# https://github.com/actions/checkout
actions_checkout() {
	git init --quiet "$1"
	git -C "$1" remote add origin "${FORGE_URL%.git}"
	git -C "$1" config --local "http.$HUB_URL/.extraheader" \
		"AUTHORIZATION: basic $(printf 'x-access-token:%s' "$HUB_APP" | base64 | tr -d '\n')"
	git -C "$1" -c protocol.version=2 fetch --quiet --no-tags --depth=1 origin "+$2:refs/remotes/${2#refs/}"
	git -C "$1" checkout --quiet --force "refs/remotes/${2#refs/}"
}

# actions_job EVENT REF PAYLOAD COMMAND…: a step of a workflow run, with the variables that it gets.
# https://docs.github.com/actions/reference/workflows-and-actions/variables
actions_job() {
	local dir event=$1 ref=$2 payload=$3

	shift 3
	dir=$(mktemp -d "$T/run/job.XXXXXX")
	printf '%s\n' "$payload" >"$dir.event"
	(
		unset GP_API_URL GP_PROVIDER
		export GIT_CONFIG_GLOBAL=/dev/null
		actions_checkout "$dir" "$ref" && cd "$dir" || exit
		export CI=true GITHUB_ACTIONS=true GITHUB_SERVER_URL=$HUB_URL GITHUB_API_URL=$HUB_URL
		export GITHUB_GRAPHQL_URL=$HUB_URL/graphql GITHUB_REPOSITORY=acme/shop GITHUB_REF=$ref
		export GITHUB_EVENT_NAME=$event GITHUB_EVENT_PATH=$dir.event GITHUB_OUTPUT=$dir.output GITHUB_STEP_SUMMARY=$dir.md
		GITHUB_SHA=$(git rev-parse HEAD)
		export GITHUB_SHA
		timeout -k 5 60 "$@" 3>&-
	)
}

# run_status N [OPTION…]: the workflow of pull request N; run_promote: that of the last push to the base.
run_status() {
	local pull n=$1

	shift
	pull=$(github_api "$HUB_APP" GET "repos/acme/shop/pulls/$n")
	GITHUB_HEAD_REF=$(jq -r .head.ref <<<"$pull") GITHUB_BASE_REF=$(jq -r .base.ref <<<"$pull") \
		actions_job pull_request "refs/pull/$n/merge" \
		"$(jq -c '{action: "synchronize", number, pull_request: .}' <<<"$pull")" gp-status "$@"
}

run_promote() {
	actions_job push refs/heads/main "$(jq -cn --arg after "$(remote_tip)" --arg before "$(git -C "$REMOTE" rev-parse main^)" \
		'{ref: "refs/heads/main", $before, $after}')" gp-promote "$@"
}
