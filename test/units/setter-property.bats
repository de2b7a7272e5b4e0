#!/usr/bin/env bats
# What holds for any manifest: a promotion changes its marked scalars to what
# they should be and no other byte, and an independent YAML parser sees the
# same before and after but for them. GP_SEED and GP_CASES for more than that.

setup() {
	load ../lib/helper
	seed=${GP_SEED:-1} cases=${GP_CASES:-2000}
	# The system's packages are for the system's Python, which need not be the first in PATH.
	python=python3
	"$python" -c 'import yaml' 2>/dev/null || python=/usr/bin/python3
	"$python" -c 'import yaml' 2>/dev/null || skip 'no python3 with PyYAML here'
	gp_setup
	make_gitops
}

@test "generated manifests: only the marked scalars change, and to the right strings" {
	local parts

	parts=$("$python" "$test_root/test/units/setter-property.py" "$seed" "$cases" generate .)
	start apps/web v1 >"$T/start"
	jq -c --slurpfile start "$T/start" '$start[0] + .' <<<"$parts" >"$T/documents"
	expect 0 gp-set-tag --quiet --work-tree <"$T/documents"
	expect 0 "$python" "$test_root/test/units/setter-property.py" "$seed" "$cases" check . <<<"$output"
	has "$output" "$cases texts" ' 0 wrong'
}
