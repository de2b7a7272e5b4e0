#!/usr/bin/env bats
# Killed, told to end, without room: the next run goes on from there (test/fire/faults/kills). make under-fire takes all
# of the steps, make test a part.

setup() {
	load ../lib/helper
	load ../lib/faults
	gp_setup
}

all=new,reset,promote,status,refresh

@test "SIGKILL before a step: git fsck passes, no lock is in the way, the next run ends the same" {
	in_lanes local 3 kills steps KILL new,reset,promote
}

@test "SIGKILL at each request to a server: github" {
	under_fire
	in_lanes github 3 kills requests KILL "$all"
}

@test "SIGKILL at each request to a server: azdo" {
	under_fire
	in_lanes azdo 3 kills requests KILL "$all"
}

@test "SIGTERM to a wrapper at each request: it ends at once, and leaves nothing behind" {
	in_lanes local 3 kills requests TERM "$all"
}

@test "SIGTERM to a wrapper at each request to a server" {
	under_fire
	in_lanes github 2 kills requests TERM reset
}

@test "SIGINT to a wrapper before a step" {
	in_lanes local 2 kills steps INT new,promote
}

@test "told to end while it edits the work tree: all files are edited, and then it ends" {
	local n signal i steps

	make_gitops
	for i in 1 2 3 4; do
		cp apps/dev/web.yaml "apps/dev/web$i.yaml"
	done
	git add apps
	git commit --quiet --message files
	start apps/web v1 >"$T/document"
	# Each file is created, written to, and renamed.
	for n in {1..15}; do
		for signal in 2 15; do
			status=0
			steps-driver -n "$n" -s "$signal" "$T/steps" gp-set-tag --work-tree <"$T/document" >"$T/out" 2>&1 || status=$?
			[ "$status" -ne 77 ] || skip 'no process may trace another here'
			read -r steps _ <"$T/steps"
			same "steps, signal $signal before step $n" 15 "$steps"
			same "status, signal $signal before step $n" $((128 + signal)) "$status"
			same "edited files, signal $signal before step $n" 5 "$(git status --porcelain | grep -c '^ M')"
			same "files, signal $signal before step $n" 5 "$(git status --porcelain | wc -l)"
			git checkout --quiet .
		done
	done
}

# A git whose helper waits for ever, as after a reply that was cut off.
@test "a git that does not come to an end is given up, with all that it has started" {
	local real

	make_gitops
	real=$(command -v git)
	mkdir "$T/bin"
	cat >"$T/bin/git" <<-SH
		#!/bin/sh
		[ "\$1" = push ] || exec "$real" "\$@"
		echo \$\$ >>"$T/pids"
		trap '' TERM
		sh -c 'echo \$\$ >>"$T/pids"; exec sleep 1000' &
		wait
	SH
	chmod +x "$T/bin/git"
	PATH=$T/bin:$PATH GP_TIMEOUT=1 GP_VERBOSE=-1 expect 75 gp-new --group apps --app web --tag v1
	one_message gp-open-pr 'timed out after 10 s'
	local pid

	# One that has ended, and is nobody's yet, has no words.
	while read -r pid; do
		same "process $pid" '' "$(tr -d '\0' 2>/dev/null <"/proc/$pid/cmdline")"
	done <"$T/pids"
	same processes 2 "$(grep -c '' "$T/pids")"
	same number 1 "$(new apps/web v1)"
}

# No room

# Then all is well.
then_it_works() {
	fsck_clean "$CLONE"
	fsck_clean "$REMOTE"
	same number 1 "$(new apps/web v1)"
	same branches 'main promote/apps-web' "$(remote_branches | paste -sd ' ')"
	same pull 'Promote apps/web version v1 to environment dev' "$(pr 1 .title)"
}

@test "no file may grow: 71, one line, and the next run is as if nothing had been" {
	make_gitops
	# What it says goes through a pipe, which is no file.
	sh_pipe 0 '(ulimit -f 0; GP_VERBOSE=-1 gp-new --group apps --app web --tag v1; echo "status $?") 2>&1 | cat'
	has "$output" 'gp-set-tag: cannot write a blob' 'status 71'
	same lines 1 "$(grep -c '^gp-' <<<"$output")"
	then_it_works
}

@test "/dev/full: 71, one line, and the next run is as if nothing had been" {
	make_gitops
	GP_VERBOSE=-1 sh_pipe 71 'gp-new --group apps --app web --tag v1 >/dev/full'
	one_message gp-report 'No space left on device'
	then_it_works
}

@test "a repository that may not be written to: 71, one line, and the next run is as if nothing had been" {
	local as=() dir=$T file

	make_gitops
	git config --global --add safe.directory '*'
	chmod -R a-w "$CLONE/.git"
	if [ "$(id -u)" = 0 ]; then
		as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
		chmod -R a+rX "$T"
		while [ "$dir" != "${BATS_RUN_TMPDIR%/*}" ]; do
			chmod a+x "$dir"
			dir=${dir%/*}
		done
		for file in "$CLONE/.git/HEAD" "$test_root/scripts/gp-new" "$GP_BUILD/gp-set-tag"; do
			"${as[@]}" test -r "$file" || skip "no other user may read '$file'"
		done
	fi
	GP_VERBOSE=-1 expect 71 "${as[@]}" gp-new --group apps --app web --tag v1
	one_message gp-set-tag 'Permission denied'
	chmod -R u+w "$CLONE/.git"
	then_it_works
}

@test "whoever reads is gone: no crash, and the work is done" {
	make_gitops
	sh_pipe 0 '{ gp-new --group apps --app web --tag v1; echo $? >status; } | :'
	same status 141 "$(cat status)"
	rm status
	then_it_works
}
