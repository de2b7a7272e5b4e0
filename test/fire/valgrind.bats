#!/usr/bin/env bats
# Each program's main path under valgrind: no invalid access, no use of what was never set, nothing lost.
# `make valgrind` runs it; in a plain `make test` it is skipped, for valgrind is slow and not everywhere.

load ../lib/helper

setup() {
	[ -n "${GP_VALGRIND:-}" ] || skip 'make valgrind runs this'
	gp_setup
	make_gitops
	# The programs call one another's driver by name: each name is a script that runs the real one under valgrind.
	mkdir -p "$T/bin"
	local program

	for program in "$GP_BUILD"/gp-*; do
		printf '#!/bin/sh\nexec valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect,possible --errors-for-leak-kinds=definite,indirect,possible "%s" "$@"\n' \
			"$program" >"$T/bin/${program##*/}"
		chmod +x "$T/bin/${program##*/}"
	done
	PATH="$T/bin:$PATH"
}

@test "valgrind: a new promotion, its gate, its merge" {
	sh_pipe 0 'gp-read-config --group apps --app web --tag v1 | gp-set-tag | gp-open-pr | gp-merge --auto'
	lacks "$stderr" ==
	sh_pipe 0 'gp-find-pr --open --number 1 | gp-read-config | gp-check-status | gp-set-status --gate'
	lacks "$stderr" ==
	same tags 'v1 v0 v0' "$(tags apps web)"
}

@test "valgrind: the next environment, with evidence" {
	sh_pipe 0 'gp-read-config --group apps --app web --tag v1 | gp-set-tag | gp-open-pr | gp-merge --auto'
	sh_pipe 0 'gp-find-pr --open --number 1 | gp-merge 2>/dev/null; gp-find-pr --open --all | gp-read-config | gp-check-status | gp-set-status --gate'
	sh_pipe 0 'gp-read-config --group apps --app web --tag v1 | gp-set-status --state success'
	lacks "$stderr" ==
	sh_pipe 0 'gp-find-pr --merged | gp-read-config --next | gp-set-tag | gp-open-pr | gp-merge --auto'
	lacks "$stderr" ==
	sh_pipe 0 'gp-find-pr --open --all | gp-read-config | gp-check-status | gp-set-status --gate=post'
	lacks "$stderr" ==
	same tags 'v1 v1 v0' "$(tags apps web)"
}

@test "valgrind: a dry run, a work tree, an error" {
	sh_pipe 0 'gp-read-config --group apps --app web --tag v1 | gp-set-tag --dry-run | gp-open-pr | gp-merge --auto'
	lacks "$stderr" ==
	sh_pipe 0 'gp-read-config --group apps --app web --tag v1 | gp-set-tag --work-tree'
	lacks "$stderr" ==
	sh_pipe 65 'gp-read-config --group apps --app nothing --tag v1 | gp-set-tag | gp-open-pr'
	lacks "$stderr" ==
}
