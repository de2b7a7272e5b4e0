#!/usr/bin/env bats
# What a promotion reads and writes in a repository of 30,006 manifests, the one that `make bench` measures. Nothing
# here depends on the clock.

setup_file() {
	load ../lib/helper
	gp_setup
	"$test_root/test/bench/monorepo" "$BATS_FILE_TMPDIR/mono.git"
}

setup() {
	load ../lib/helper
	gp_setup
	export GP_PROVIDER=local
	MONO=$BATS_FILE_TMPDIR/mono.git
	# A bare repository of its own, so that what is written can be counted.
	git clone --quiet --bare --shared "$MONO" "$T/bare.git"
	cd "$T/bare.git" || return
}

# document APP…: documents that promote them to 9.9.9 in dev.
document() {
	printf '%s\n' "$@" | jq -cR '{promotion: {group: "apps", app: ., tag: "9.9.9", env: "dev"}}' | gp-read-config
}

@test "one promotion reads each object of its environment once, and parses one manifest" {
	document app-1234 >"$T/document"
	expect 0 gp-set-tag --verbose <"$T/document"
	# dev, 40 teams, 3,334 apps; three manifests each, and the one that changes once more.
	has "$stderr" 'read 3375 trees and 10003 manifests, parsed 1'
	jq_is '.change.files | length' 1
	jq_is '.change.files[0].path' apps/dev/team-34/app-1234/deployment.yaml
}

@test "it needs nothing but its environment: not an object of another one is there" {
	local tip

	document app-1234 >"$T/document"
	tip=$(git rev-parse main)
	git init --quiet --bare "$T/part.git"
	{
		printf '%s\n' "$tip" "$tip^{tree}" "$tip:apps" "$tip:gitops-promotion.yaml" | git cat-file --batch-check='%(objectname)'
		git ls-tree -r -t --object-only "$tip:apps/dev"
		git rev-parse "$tip:apps/dev"
	} | sort -u | git pack-objects --quiet "$T/part.git/objects/pack/pack" >/dev/null
	cd "$T/part.git"
	git remote add origin "$(jq -r .repository.url "$T/document")"
	git update-ref refs/heads/main "$tip"
	expect 128 git cat-file -t "$tip:apps/qa"
	expect 0 gp-set-tag <"$T/document"
	jq_is '.change.files | length' 1
}

@test "it writes the changed manifest, the trees above it, and the commit" {
	document app-1234 >"$T/document"
	expect 0 gp-set-tag <"$T/document"
	same objects 7 "$(find objects -path '*/[0-9a-f][0-9a-f]/*' -type f | wc -l)"
	fsck_clean .
}

@test "a thousand documents read their environment once, in little memory" {
	local limit

	# shellcheck disable=SC2046 # words
	document $(printf 'app-%04d ' $(seq 3 3 3000)) >"$T/documents"
	# Sanitizers need memory of their own.
	case $GP_BUILD in
	*asan*) limit=unlimited ;;
	*) limit=65536 ;;
	esac
	run --separate-stderr -0 bash -c 'ulimit -d "$1"; exec gp-set-tag --verbose' _ "$limit" <"$T/documents"
	same documents 1000 "$(jq -s '[.[] | select(.change.files | length == 1)] | length' <<<"$output")"
	same 'the first' 1 "$(grep -c 'read 3375 trees and 10003 manifests, parsed 1' <<<"$stderr")"
	same 'the others' 999 "$(grep -c 'read 0 trees and 1 manifests, parsed 1' <<<"$stderr")"
	same 'commits' 1000 "$(jq -r .change.commit <<<"$output" | git cat-file --batch-check | grep -c commit)"
}

@test "in a work tree, what changes is one line of one file" {
	git clone --quiet --shared "$MONO" "$T/clone"
	cd "$T/clone"
	git remote set-url origin "$MONO"
	document app-1234 >"$T/document"
	expect 0 gp-set-tag --work-tree <"$T/document"
	same changed $'1\t1\tapps/dev/team-34/app-1234/deployment.yaml' "$(git diff --numstat)"
	same status ' M apps/dev/team-34/app-1234/deployment.yaml' "$(git status --porcelain)"
}

@test "no marker: the nearest ones are named all the same" {
	document app-12340 >"$T/document"
	expect 65 gp-set-tag <"$T/document"
	has "$stderr" 'apps:app-12340' 'apps:app-1240 at apps/dev/team-00/app-1240/deployment.yaml:30'
}
