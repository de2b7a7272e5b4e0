#!/usr/bin/env bats
# Trouble on the way: each fault at each request of each flow, on each forge (test/faults/matrix).

setup() {
	load helper
	load faults
	gp_setup
}

@test "faults: local" {
	in_lanes local 6 matrix
}

@test "faults: github" {
	in_lanes github 4 matrix
}

@test "faults: azdo" {
	in_lanes azdo 4 matrix
}
