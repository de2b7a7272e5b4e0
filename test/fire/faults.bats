#!/usr/bin/env bats
# Trouble on the way: each fault at each request of each flow, on each forge (test/fire/faults/matrix). .ci/run
# draws a part of them, make test a smaller one, make under-fire runs all.

setup() {
	# Its waits are too short for programs that a sanitizer has made slow.
	[[ "$GP_BUILD" != *asan* ]] || skip 'it goes by the clock'
	load ../lib/helper
	load ../lib/faults
	gp_setup
}

@test "a part is drawn by the commit's id, and all parts together are all cells" {
	expect 0 python3 -B - "$test_root/test/fire/faults" <<-'PYTHON'
		import sys

		sys.path.insert(0, sys.argv[1])
		from lanes import draw

		for parts in 1, 2, 10, 50:
		    for count in 0, 1, 9, 10, 11, 499:
		        cells = [f"cell {n}" for n in range(count)]
		        drawn = {}
		        for n in range(3 * parts):
		            seed = f"{n:08x}" + "e" * 32
		            part, some = draw(cells, parts, seed)
		            assert drawn.setdefault(part, some) == some == draw(cells, parts, seed)[1], "not the same again"
		        sizes = [len(some) for some in drawn.values()]
		        assert max(sizes) - min(sizes) <= 1, f"{parts} parts of {count}: {sizes}"
		        assert sorted(cell for some in drawn.values() for cell in some) == sorted(cells), "a cell is missing or twice"
		        assert not count or len(drawn) == min(parts, count), f"{len(drawn)} parts of {count}"
	PYTHON
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
