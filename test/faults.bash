# faults.bash - lanes for test/faults/matrix and its like: each a forge with a repository in which releases are under
# way, one for each flow, and a clone of it. FORGE: local, or a forge with a file forge-NAME.bash.
# shellcheck shell=bash

# faults_lane FORGE DIR: makes a lane.
faults_lane() {
	local n

	gp_setup "$2"
	export GP_SNAPSHOT=$2/snapshot PYTHONPATH=$test_root/test/faults/snapshot
	export GIT_AUTHOR_DATE='2026-01-02T03:04:05Z' GIT_COMMITTER_DATE='2026-01-02T03:04:05Z'
	if [ "$1" = local ]; then
		make_gitops --apps 'one/fresh two/open three/merged four/waiting'
		FORGE_URL=file://$REMOTE
		export GP_PROVIDER=local
	else
		hub_gitops --apps 'one/fresh two/open three/merged four/waiting'
	fi
	unset GP_SNAPSHOT PYTHONPATH
	export GP_VERBOSE=-1 FORGE_URL
	new two/open v1
	lane_into_dev three/merged
	MERGE=$(remote_tip)
	lane_into_dev four/waiting
	gp-promote --commit "$(remote_tip)" >/dev/null
	flux four dev success
	export MERGE
	env -0 >"$2/env"
}

# lane_into_dev GROUP/APP: v1 of it, merged.
lane_into_dev() {
	local n head

	n=$(new "$1" v1)
	head=$(forge find-pr "{\"number\": $n}" | jq -r '.pull_requests[0].head')
	forge set-status "{\"commit\": \"$head\", \"number\": $n, \"context\": \"gp/gate\", \"state\": \"success\"}" >/dev/null
	# Some merge in the background: one look lets it happen.
	forge find-pr "{\"number\": $n}" >/dev/null
}
