#!/usr/bin/env bats
# Trouble on the way: each fault at each request of each flow, on each forge (test/fire/faults/matrix).

setup() {
	# Its waits are too short for programs that a sanitizer has made slow.
	[[ "$GP_BUILD" != *asan* ]] || skip 'it goes by the clock'
	load ../lib/helper
	load ../lib/faults
	gp_setup
}

@test "faults: local" {
	in_lanes local 6 matrix
}

@test "faults: github" {
	in_lanes github 4 matrix
}

@test "faults: azdo" {
	under_fire
	in_lanes azdo 4 matrix
}
