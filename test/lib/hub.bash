# hub.bash - what the hands.bash of GitHub and Azure DevOps have in common: a server
# that is started for one test and ends with it (test/fakes/hub), and the hands of
# people, Flux and CI at it. Each of them says in HUB_NAME and HUB_API what the
# driver is and where its API is, in HUB_SHOP where the repository is for
# hub_test, and brings hub_forge, hub_repository, hub_require, hub_api, hub_fork,
# hub_check, post, gate, merge_by_hand, run_status and run_promote.
# shellcheck shell=bash
# shellcheck disable=SC2119,SC2120 # optional arguments

# hub_start NAME [OPTION…]: the server test/fakes/NAME/server.py; HUB_URL is where it is, HUB_LOG what it was asked. Logs are
# kept in $FORGE_LOGS, if set.
hub_start() {
	local name=$1

	shift
	HUB_LOG=${FORGE_LOGS:-$T}/$name.$$.jsonl
	# Compiled modules are kept beside the build; -S: what else is installed for Python costs time, and is not needed.
	IFS= read -r -t 60 HUB_URL < <(
		export PYTHONDONTWRITEBYTECODE='' PYTHONPYCACHEPREFIX=$GP_BUILD/pycache
		site=(-S)
		# A lane's server takes snapshots of itself, which sitecustomize.py does.
		[ -z "${GP_SNAPSHOT-}" ] || site=()
		exec "${TEST_PYTHON:-python3}" "${site[@]}" "$test_root/test/fakes/$name/server.py" --root "$T/$name" \
			--log "$HUB_LOG" --parent "$$" "$@" 3>&- 2>"$T/$name.err"
	)
	[ -n "$HUB_URL" ] || fail 'no server:' "$(cat "$T/$name.err")"
}

# hub_test METHOD PATH [JSON]: what a test does to the forge (test/fakes/hub/arranging.py, and testapi.py of the forge).
hub_test() {
	curl -fsS --noproxy '*' ${SSL_CERT_FILE:+--cacert "$SSL_CERT_FILE"} -X "$1" -d "${3:-null}" \
		"$HUB_URL/_test/$2" >"$T/run/hub" || fail "the forge did not: $*"
}

# hub_basic TOKEN: a header for git, and for APIs that take it.
hub_basic() {
	printf 'Authorization: Basic %s\n' "$(printf 'user:%s' "$1" | base64 | tr -d '\n')"
}

# hub_people TOKEN: whose token people's git has.
hub_people() {
	git config --global "http.$HUB_URL/.extraHeader" "$(hub_basic "$1")"
}

# hub_gitops [OPTION…]: the repository of make_gitops goes to the forge; $REMOTE is the forge's own copy of it. The
# programs run with gp's token, people's git with Emilia's.
hub_gitops() {
	make_gitops "$@"
	hub_forge
	hub_repository "$REMOTE"
	rm -rf "$REMOTE"
	REMOTE=$HUB_REMOTE
	git -C "$CLONE" remote set-url origin "$FORGE_URL"
	git -C "$SEED" remote set-url origin "$FORGE_URL"
	git -C "$CLONE" fetch --quiet
	export GP_TOKEN=$HUB_GP GP_API_URL=$HUB_API GP_PROVIDER=$HUB_NAME
}

# hub_flood COMMIT COUNT STATE: as many statuses of other things.
hub_flood() {
	hub_test POST "statuses/$HUB_SHOP" "{\"commit\": \"$1\", \"count\": $2, \"state\": \"$3\"}"
}

# hub_settle: after refs were changed behind the forge's back.
hub_settle() {
	hub_test POST "settle/$HUB_SHOP"
}

# For forge.bats.
forge_remote() {
	hub_forge
	hub_repository
	export GP_TOKEN=$HUB_GP GP_API_URL=$HUB_API
}

# In the place of helper.bash's: the same hands, at this forge.

# forge OP [JSON]: one request to the driver; prints the result. A refusal is its error on stderr.
forge() {
	local reply more=${2:-'{}'}

	more=${more#'{'}
	[ "$more" = '}' ] || more=,${more//$'\n'/ }
	reply=$(printf '{"id":1,"op":"%s","repository":{"provider":"%s","url":%s,"base":"%s"}%s\n' \
		"$1" "$HUB_NAME" "$(json "$FORGE_URL")" "$BASE" "$more" | timeout 60 "gp-forge-$HUB_NAME" 3>&-) || return
	if [[ "$reply" == '{"id":1,"result":'* ]]; then
		reply=${reply#'{"id":1,"result":'}
		printf '%s\n' "${reply%'}'}"
		return
	fi
	printf '%s\n' "$reply" >&2
	return "$(jq .error.exit <<<"$reply")"
}

# hub_job CHECKOUT REF [VARIABLE=VALUE…] -- COMMAND…: a step of CI's, in a directory that CHECKOUT DIR REF makes. None of
# the test's own settings for gp and git reaches it.
hub_job() {
	local dir checkout=$1 ref=$2 settings=()

	shift 2
	while [ "$1" != -- ]; do
		settings+=("$1")
		shift
	done
	shift
	dir=$(mktemp -d "$T/run/job.XXXXXX")
	(
		unset GP_API_URL GP_PROVIDER GP_TOKEN
		export GIT_CONFIG_GLOBAL=/dev/null
		"$checkout" "$dir" "$ref" && cd "$dir" || exit
		export "${settings[@]}"
		timeout -k 5 60 "$@" 3>&-
	)
}
