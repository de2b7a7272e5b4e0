# hands.bash - a GitHub for one test: starts test/fakes/github/server.py, which
# ends with the test, and makes acme/shop in it. For forge.bats (make
# check-forge FORGE=github) and for stories that are played there.
# shellcheck shell=bash
# shellcheck disable=SC2119,SC2120 # optional arguments

# shellcheck source=test/lib/hub.bash
source "$test_root/test/lib/hub.bash"

# gp's token may do what README asks for and nothing else; people are
# administrators, whom the rule on main does not bind.
HUB_NAME=github HUB_GP=github_pat_gp HUB_EMILIA=github_pat_emilia HUB_JOB=ghs_app HUB_SHOP=acme/shop

# hub_forge [OPTION…]: the server, and who is known there.
hub_forge() {
	hub_start github "$@"
	HUB_API=$HUB_URL
	hub_test PUT tokens "{
		\"$HUB_GP\": {\"login\": \"gp-bot\", \"permissions\":
			{\"metadata\": \"read\", \"contents\": \"write\", \"pull_requests\": \"write\", \"statuses\": \"write\"}},
		\"$HUB_EMILIA\": {\"login\": \"emilia\", \"admin\": true},
		\"$HUB_JOB\": {\"login\": \"ci[bot]\", \"kind\": \"app\"}}"
}

# hub_repository [PATH]: acme/shop, with the branches of the repository PATH, if any, and with gp/gate required on main;
# people's git has Emilia's token.
hub_repository() {
	hub_test POST repositories "{\"owner\": \"acme\", \"name\": \"shop\"${1:+, \"from\": $(json "$1")}}"
	hub_require gp/gate
	hub_people "$HUB_EMILIA"
	FORGE_URL=$HUB_URL/acme/shop.git HUB_REMOTE=$T/github/acme/shop.git
}

# hub_require [CONTEXT…]: what main requires from here on.
hub_require() {
	hub_test PUT "protection/$HUB_SHOP/main" "{\"contexts\": $(json_list "$@")}"
}

# hub_fork BRANCH TITLE: mallory's fork of acme/shop has a branch like $SEED's HEAD, and a pull request of it.
hub_fork() {
	hub_test POST "forks/$HUB_SHOP" '{"owner": "mallory"}'
	git -C "$SEED" push --quiet "$HUB_URL/mallory/shop.git" "HEAD:refs/heads/$1"
	hub_api "$HUB_EMILIA" POST pulls "$(jq -cn --arg branch "mallory:$1" --arg title "$2" \
		'{$title, head: $branch, base: "main", body: ""}')" >/dev/null
}

# hub_api TOKEN METHOD PATH [JSON]: a REST request about acme/shop by somebody; PATH is what comes after the repository.
# Prints the answer.
hub_api() {
	curl -fsS --noproxy '*' -A test -H "$(hub_basic "$1")" -X "$2" ${4:+-d "$4"} "$HUB_URL/repos/$HUB_SHOP/$3"
}

# post COMMIT CONTEXT STATE [DESCRIPTION]: a commit status by somebody else; no description is null.
post() {
	hub_api "$HUB_EMILIA" POST "statuses/$1" "$(jq -cn --arg context "$2" --arg state "$3" \
		--arg text "${4:-}" '{$context, $state, description: (if $text == "" then null else $text end)}')" >/dev/null
}

# hub_check COMMIT NAME CONCLUSION: a check run, which is no status.
hub_check() {
	hub_api "$HUB_JOB" POST check-runs "{\"name\": \"$2\", \"head_sha\": \"$1\", \"status\": \"completed\",
		\"conclusion\": \"$3\"}" >/dev/null
}

# merge_by_hand N [METHOD]: Emilia presses the button.
merge_by_hand() {
	hub_api "$HUB_EMILIA" PUT "pulls/$1/merge" "{\"merge_method\": \"${2:-merge}\"}" >/dev/null
}

# actions_checkout DIR REF: as the checkout action does it: depth 1, detached, with a header of its own in the config.
# https://github.com/actions/checkout
actions_checkout() {
	git init --quiet "$1"
	git -C "$1" remote add origin "${FORGE_URL%.git}"
	git -C "$1" config --local "http.$HUB_URL/.extraheader" \
		"AUTHORIZATION: basic $(printf 'x-access-token:%s' "$HUB_JOB" | base64 | tr -d '\n')"
	git -C "$1" -c protocol.version=2 fetch --quiet --no-tags --depth=1 origin "+$2:refs/remotes/${2#refs/}"
	git -C "$1" checkout --quiet --force "refs/remotes/${2#refs/}"
}

# actions_job EVENT REF PAYLOAD [VARIABLE=VALUE…] -- COMMAND…: a step of a workflow run, with the variables that it gets,
# and with the token that a workflow hands on to gp.
# https://docs.github.com/actions/reference/workflows-and-actions/variables
actions_job() {
	local event=$1 ref=$2 payload

	payload=$(mktemp "$T/run/event.XXXXXX")
	printf '%s\n' "$3" >"$payload"
	shift 3
	hub_job actions_checkout "$ref" CI=true GITHUB_ACTIONS=true GITHUB_SERVER_URL="$HUB_URL" GITHUB_API_URL="$HUB_URL" \
		GITHUB_GRAPHQL_URL="$HUB_URL/graphql" GITHUB_REPOSITORY=acme/shop GITHUB_REF="$ref" \
		GITHUB_SHA="$(git -C "$REMOTE" rev-parse "$ref")" GITHUB_EVENT_NAME="$event" GITHUB_EVENT_PATH="$payload" \
		GITHUB_OUTPUT="$payload.output" GITHUB_STEP_SUMMARY="$payload.md" GP_TOKEN="$HUB_GP" "$@"
}

# run_status N [OPTION…]: the workflow of pull request N; run_promote: that of the last push to the base.
run_status() {
	local pull n=$1

	shift
	pull=$(hub_api "$HUB_JOB" GET "pulls/$n")
	actions_job pull_request "refs/pull/$n/merge" "$(jq -c '{action: "synchronize", number, pull_request: .}' <<<"$pull")" \
		GITHUB_HEAD_REF="$(jq -r .head.ref <<<"$pull")" GITHUB_BASE_REF="$(jq -r .base.ref <<<"$pull")" -- gp-status "$@"
}

run_promote() {
	actions_job push refs/heads/main "$(jq -cn --arg after "$(remote_tip)" --arg before "$(git -C "$REMOTE" rev-parse main^)" \
		'{ref: "refs/heads/main", $before, $after}')" -- gp-promote "$@"
}
