# faults.bash - lanes for what is in test/fire/faults: each a forge with a repository
# in which releases are under way, one for each flow, and a clone of it. FORGE
# is local, or one with a file test/fakes/FORGE/hands.bash.
# shellcheck shell=bash

# One of so many parts of the cells is drawn, by a commit's id (lanes.py). gp_setup unsets the variables.
faults_parts=${GP_PARTS:-50} faults_seed=${GP_SEED:-0} faults_only=${GP_FAULTS_ONLY:-}

# under_fire: for what make test leaves to .ci/run and make under-fire.
under_fire() {
	[ "$faults_parts" -le 10 ] || skip 'make under-fire runs this'
}

# faults_lane FORGE DIR: makes a lane, whose environment is DIR/env.
faults_lane() {
	local apps='one/fresh two/open three/merged four/waiting'

	gp_setup "$2"
	export GP_SNAPSHOT=$2/snapshot PYTHONPATH=$test_root/test/fire/faults/snapshot
	export GIT_AUTHOR_DATE='2026-01-02T03:04:05Z' GIT_COMMITTER_DATE='2026-01-02T03:04:05Z'
	if [ "$1" = local ]; then
		make_gitops --apps "$apps"
		FORGE_URL=file://$REMOTE
		export GP_PROVIDER=local
	else
		hub_gitops --apps "$apps"
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

# in_lanes FORGE LANES PROGRAM [ARGUMENT…]: a program of test/fire/faults with so many lanes. Its last line says how much it
# did, and is a comment in the TAP; the rest is on standard error if it failed.
in_lanes() {
	local forge=$1 count=$2 program=$3 lanes=() n status=0

	shift 3
	# A part of the cells is done before more lanes are made.
	[ "$faults_parts" -eq 1 ] || count=2
	# shellcheck source=/dev/null
	[ "$forge" = local ] || load "../fakes/$forge/hands"
	for ((n = 1; n <= count; n++)); do
		(faults_lane "$forge" "$T/$n" >"$T/$n.log" 2>&1) 3>&- || fail "$(cat "$T/$n.log")" || return
		[ -e "$T/$n/env" ] || fail "$(cat "$T/$n.log")" || return
		lanes+=("$T/$n")
	done
	GP_FAULTS_ONLY=$faults_only GP_PARTS=$faults_parts GP_SEED=$faults_seed \
		python3 "$test_root/test/fire/faults/$program" "$@" "${lanes[@]}" >"$T/said" 2>&1 3>&- || status=$?
	[ "$status" -ne 77 ] || skip 'no process may trace another here'
	tail -n 1 "$T/said" | sed 's/^/# /' >&3
	[ "$status" -eq 0 ] || fail "$(head -c 20000 "$T/said")"
}
