#!/usr/bin/env bats
# Trouble on the way: each fault at each request of each flow, on each forge (test/faults/matrix).

setup() {
	load helper
	load faults
	gp_setup
}

# matrix FORGE LANES: the cells that failed are on standard error, their number is a comment in the TAP.
matrix() {
	local forge=$1 lanes=() n status=0

	[ "$forge" = local ] || load "forge-$forge"
	for ((n = 1; n <= $2; n++)); do
		(faults_lane "$forge" "$T/lane$n" >"$T/lane$n.log" 2>&1) 3>&- || fail "$(cat "$T/lane$n.log")" || return
		lanes+=("$T/lane$n")
	done
	python3 "$test_root/test/faults/matrix" "${lanes[@]}" >"$T/matrix" 2>&1 3>&- || status=$?
	tail -n 1 "$T/matrix" | sed 's/^/# /' >&3
	[ "$status" -eq 0 ] || fail "$(cat "$T/matrix")"
}

@test "faults: local" {
	matrix local 4
}

@test "faults: github" {
	matrix github 4
}
