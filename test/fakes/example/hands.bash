# hands.bash - a repository for gp-forge-example, which reads what gp-forge-local writes: for forge.bats.
# shellcheck shell=bash

forge_remote() {
	PATH=$test_root/test/fakes/example:$PATH
	local_remote
	FORGE_WRITER=local
}
