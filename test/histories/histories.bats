#!/usr/bin/env bats
# Random histories (histories.py), by the commit's id: .ci/run plays some dozen, make test a few. GP_HISTORIES for more.
# Those that a fault was once found with stay below.

setup() {
	local parts=${GP_PARTS:-50} seed=${GP_SEED:-0} count=${GP_HISTORIES:-}

	[[ "$GP_BUILD" != *asan* ]] || skip 'it goes by the clock'
	load ../lib/helper
	gp_setup
	seed=$((0x${seed:0:6} % 1000000 * 1000))
	[ -n "$count" ] || count=$((parts > 10 ? 3 : parts > 1 ? 12 : 100))
	SEED_NUMBER=$seed COUNT=$count
}

@test "random histories keep what gp promises" {
	local status=0

	timeout 3000 python3 -B "$test_root/test/histories/histories.py" "$T/world" "$SEED_NUMBER" "$COUNT" >"$T/said" 2>&1 3>&- || status=$?
	sed 's/^/# /' "$T/said" >&3
	[ "$status" -eq 0 ]
}

# holds HISTORY: one that once did not.
holds() {
	expect 0 python3 -B "$test_root/test/histories/histories.py" "$T/world" --replay "$1"
}

# Each is found by the machine, too, where the fault is put back: a gate that does not see what was taken back, a promote
# that leaves conflicts alone.
@test "a version that was taken back opens nothing" {
	holds 'per-app:0 new:2 refresh:0 flux:1 promote:0 back:2 refresh:0'
}

@test "a pull request that conflicts does not stay" {
	holds 'per-app:0 new:5 neighbour:1'
}

@test "an old release that is made anew does not take the place of a new one that comes at the same time" {
	holds 'per-app:0 new:45 neighbour:382 both:747'
}
