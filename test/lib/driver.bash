# driver.bash - for the tests of a driver at its test forge: asking it, and a
# branch with a pull request. Loaded after test/fakes/NAME/hands.bash.
# shellcheck shell=bash

# driver_setup: a repository at the forge, and $SEED, a clone of it; $tip is its commit.
driver_setup() {
	gp_setup
	export BASE=main GP_RETRY_BUDGET=5
	forge_remote
	git clone --quiet "$FORGE_URL" "$SEED"
	tip=$(git -C "$SEED" rev-parse HEAD)
}

# request_of OP [MEMBERS [URL]]: the line for the driver.
request_of() {
	local more=${2:-'{}'}

	more=${more#'{'}
	[ "$more" = '}' ] || more=,${more//$'\n'/ }
	printf '{"id":1,"op":"%s","repository":{"url":%s,"base":"main"}%s\n' "$1" "$(json "${3:-$FORGE_URL}")" "$more"
}

# ask OP [MEMBERS [URL]]: the reply is in $output.
ask() {
	expect 0 "gp-forge-$HUB_NAME" <<<"$(request_of "$@")"
	lacks "$output$stderr" "${GP_TOKEN:-no-token}"
}

# refused EXIT TEXT…: what the last reply says.
refused() {
	local want=$1

	shift
	jq_is .error.exit "$want"
	has "$(jq -r .error.message <<<"$output")" "$@"
}

# fine: it is no error.
fine() {
	jq_is .error null
}

# branch NAME: one more commit on main as a branch; $head is its id.
branch() {
	git -C "$SEED" checkout --quiet --force -B "$1" origin/main
	echo "$1" >"$SEED/file of $RANDOM"
	git -C "$SEED" add -A
	git -C "$SEED" commit --quiet -m "change $1"
	git -C "$SEED" push --quiet --force origin "HEAD:refs/heads/$1"
	head=$(git -C "$SEED" rev-parse HEAD)
}

# open NAME [DESCRIPTION]: its pull request; $number and $pull_id.
open() {
	local description='""'

	[ -z "${2-text}" ] || description=$(json "${2-text}")
	ask open-pr "{\"branch\": $(json "$1"), \"title\": $(json "Change $1"), \"description\": $description}"
	fine
	number=$(jq .result.pull_request.number <<<"$output") pull_id=$(jq -r .result.pull_request.id <<<"$output")
}

# forget: what the server has seen until now does not count.
forget() {
	seen=$(grep -c '' "$HUB_LOG")
}

# bound and auto ENABLE [ID [METHOD]]: members of a request about the pull request at its head.
bound() {
	printf '{"number": %s, "head": "%s", "method": "merge"}\n' "$number" "$head"
}
auto() {
	printf '{"number": %s, "head": "%s", "method": "%s", "enable": %s%s}\n' "$number" "$head" "${3:-merge}" "$1" \
		"${2:+, \"pull_id\": $(json "$2")}"
}

fault() {
	hub_test PUT faults "[$1]"
}
