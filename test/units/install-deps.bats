#!/usr/bin/env bats
# scripts/install-deps on machines that lack something.

setup() {
	load ../lib/helper
	gp_setup
	mkdir bin
}

# old_pkg_config: a system whose libgit2 is that of Ubuntu 22.04.
old_pkg_config() {
	cat >bin/pkg-config <<-'SH'
		#!/bin/sh
		case $* in
		*--atleast-version*libgit2*) exit 1 ;;
		*--modversion*libgit2*) echo 1.1.0 ;;
		esac
	SH
	chmod +x bin/pkg-config
	export PKG_CONFIG=$T/bin/pkg-config
}

@test "a libgit2 that is too old is named before anything is compiled" {
	old_pkg_config
	expect 1 "$test_root/scripts/install-deps" --check build
	has "$stderr" 'libgit2 1.5 or later is needed, and this system has 1.1.0'
	same lines 2 "$(grep -c '' <<<"$stderr")"
}

@test "without root and sudo it says what to run" {
	command -v apt-get >/dev/null || skip 'no apt-get here'
	old_pkg_config
	printf '#!/bin/sh\necho 1000\n' >bin/id
	chmod +x bin/id
	local tool

	# A PATH on which there is no sudo.
	for tool in sh awk git apt-get env dirname cat pkg-config; do [ -e "bin/$tool" ] || ln -s "$(command -v "$tool")" "bin/$tool"; done
	expect 1 env PATH="$T/bin" CC="$(command -v cc)" "$test_root/scripts/install-deps" build
	has "$stderr" 'run as root: apt-get install libgit2-dev'
	same lines 1 "$(grep -c '' <<<"$stderr")"
}
