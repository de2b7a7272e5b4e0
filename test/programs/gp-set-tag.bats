#!/usr/bin/env bats
# gp-set-tag: one commit that sets the tag, and nothing else anywhere.

setup() {
	load ../lib/helper
	gp_setup
	make_gitops --apps 'apps/web apps/api'
}

# set_web EXIT [OPTION…]: web at v1 in dev.
set_web() {
	start apps/web v1 >"$T/document"
	expect "$1" gp-set-tag "${@:2}" <"$T/document"
}

commit() {
	jq -r .change.commit <<<"$output"
}

# The commit

@test "writes one commit on top of the tip that changes just that scalar" {
	set_web 0
	same parent "$(remote_tip)" "$(git rev-parse "$(commit)^@")"
	same 'changed files' apps/dev/web.yaml "$(git diff --name-only "$(remote_tip)" "$(commit)")"
	same numstat $'1\t1\tapps/dev/web.yaml' "$(git diff --numstat "$(remote_tip)" "$(commit)")"
	same line '          image: ghcr.io/acme/web:v1 # {"$imagepolicy": "apps:web"}' \
		"$(git show "$(commit):apps/dev/web.yaml" | grep image:)"
	fsck_clean "$CLONE"
}

@test "the document tells what changed" {
	set_web 0
	jq_is .change.branch promote/apps-web
	jq_is '.change.commit | test("^[0-9a-f]{40}$")' true
	jq_is '.change.files | length' 1
	jq_is '.change.files[0] | "\(.path) \(.line)"' 'apps/dev/web.yaml 10'
	has "$(jq -r '.change.files[0].from' <<<"$output")" v0
	has "$(jq -r '.change.files[0].to' <<<"$output")" v1
}

@test "per-env: the branch has the environment's name in it" {
	sed -i s/per-app/per-env/ "$SEED/gitops-promotion.yaml"
	seed_push 'per-env'
	set_web 0
	jq_is .change.branch promote/dev/apps-web
}

@test "no ref, index, HEAD or work tree is touched" {
	local before

	echo edited >>README.md
	echo staged >staged && git add staged
	before=$(snapshot_clone "$CLONE")
	set_web 0
	same clone "$before" "$(snapshot_clone "$CLONE")"
	before=$(snapshot_remote)
	set_web 0
	same remote "$before" "$(snapshot_remote)"
	git cat-file -e "$(commit)"
}

@test "the message: the title, a summary, and the metadata as a trailer" {
	set_web 0
	local message

	message=$(git log -1 --format=%B "$(commit)")
	same subject 'Promote apps/web version v1 to environment dev' "$(head -n 1 <<<"$message")"
	same 'second line' '' "$(sed -n 2p <<<"$message")"
	has "$message" apps/dev/web.yaml
	same trailer \
		'{"group":"apps","app":"web","tag":"v1","env":"dev","sha":"'"$(remote_tip)"'","feature":"","type":"promote"}' \
		"$(git log -1 --format='%(trailers:key=Gp-Promotion,valueonly)' "$(commit)" | sed '/^$/d')"
}

@test "author and committer are git's" {
	export GIT_AUTHOR_DATE='2026-01-02T03:04:05 +0200' GIT_COMMITTER_DATE='2026-01-02T03:04:06 +0200'
	GIT_AUTHOR_NAME=Ann GIT_AUTHOR_EMAIL=ann@example.com GIT_COMMITTER_NAME='Bo Ö' GIT_COMMITTER_EMAIL=bo@example.com set_web 0
	same ident 'Ann <ann@example.com> 2026-01-02T03:04:05+02:00 Bo Ö <bo@example.com> 2026-01-02T03:04:06+02:00' \
		"$(git log -1 --format='%an <%ae> %aI %cn <%ce> %cI' "$(commit)")"
}

@test "author and committer come from git's configuration" {
	unset "${!GIT_AUTHOR_@}" "${!GIT_COMMITTER_@}"
	git config --global user.name Global
	git config --global user.email global@example.com
	git config user.name Local
	set_web 0
	same ident 'Local <global@example.com> Local <global@example.com>' "$(git log -1 --format='%an <%ae> %cn <%ce>' "$(commit)")"
}

@test "with nobody configured gp is its own author" {
	unset "${!GIT_AUTHOR_@}" "${!GIT_COMMITTER_@}"
	git config --global user.useConfigOnly true
	set_web 0
	same stderr '' "$stderr"
	has "$(git log -1 --format='%an %cn' "$(commit)")" 'gp gp'
	git config --global --unset user.useConfigOnly
	set_web 0
	fsck_clean "$CLONE"
}

@test "same document, same moment, same commit" {
	export GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
	set_web 0
	local first

	first=$(commit)
	git cat-file -e "$first"
	set_web 0
	same commit "$first" "$(commit)"
}

@test "what people have set up for their own commits does not get into this one" {
	git config --global core.autocrlf true
	git config --global commit.template /nowhere
	git config --global core.hooksPath "$T"
	printf 'image: ghcr.io/acme/web:v0 # {"$imagepolicy": "apps:web"}\r\nnext: 1\r\n' | commit_file apps/dev/web.yaml
	set_web 0
	same text "$(printf 'image: ghcr.io/acme/web:v1 # {"$imagepolicy": "apps:web"}\r\nnext: 1\r\n' | od -c)" \
		"$(git cat-file blob "$(commit):apps/dev/web.yaml" | od -c)"
}

# Which files

@test "every marker of the app below the directory, at any depth, .yaml, .yml and Kustomization" {
	seed_to
	mkdir -p "$SEED/apps/dev/deep/er dir/ö"
	local file

	for file in deep/a.yaml deep/b.yml "deep/er dir/Kustomization" "deep/er dir/ö/c.yaml"; do
		cp "$SEED/apps/dev/web.yaml" "$SEED/apps/dev/$file"
	done
	for file in deep/d.txt deep/e.yaml.bak deep/kustomization deep/f.YAML g.json; do
		cp "$SEED/apps/dev/web.yaml" "$SEED/apps/dev/$file"
	done
	seed_push 'more files'
	set_web 0
	same files 'apps/dev/deep/a.yaml apps/dev/deep/b.yml apps/dev/deep/er dir/Kustomization apps/dev/deep/er dir/ö/c.yaml apps/dev/web.yaml' \
		"$(jq -r '[.change.files[].path] | sort | join(" ")' <<<"$output")"
	same changed 5 "$(git diff --name-only "$(remote_tip)" "$(commit)" | grep -c '')"
	fsck_clean "$CLONE"
}

@test "other groups, environments and apps are let alone" {
	mkdir -p "$SEED/apps-2/dev" "$SEED/apps/dev2"
	cp "$SEED/apps/dev/web.yaml" "$SEED/apps-2/dev/web.yaml"
	cp "$SEED/apps/dev/web.yaml" "$SEED/apps/dev2/web.yaml"
	cp "$SEED/apps/dev/web.yaml" "$SEED/web.yaml"
	seed_push 'neighbours'
	set_web 0
	same files apps/dev/web.yaml "$(git diff --name-only "$(remote_tip)" "$(commit)")"
}

@test "modes stay as they are" {
	chmod +x "$SEED/apps/dev/web.yaml"
	seed_push 'executable'
	set_web 0
	same mode 100755 "$(git ls-tree "$(commit)" apps/dev/web.yaml | cut -d ' ' -f 1)"
}

@test "symlinks, submodules and .git are not entered" {
	mkdir -p "$SEED/elsewhere"
	mv "$SEED/apps/dev/web.yaml" "$SEED/elsewhere/web.yaml"
	ln -s ../../elsewhere "$SEED/apps/dev/linked"
	ln -s ../../elsewhere/web.yaml "$SEED/apps/dev/web.yaml"
	git -C "$SEED" add -A
	git -C "$SEED" update-index --add --cacheinfo "160000,$(remote_tip),apps/dev/module"
	git -C "$SEED" commit --quiet -m 'links'
	git -C "$SEED" push --quiet origin HEAD:refs/heads/main
	set_web 65
	one_message gp-set-tag apps:web apps/dev
	seed_to
	cp "$SEED/apps/qa/web.yaml" "$SEED/apps/dev/own.yaml"
	git -C "$SEED" add apps/dev/own.yaml
	git -C "$SEED" commit --quiet -m 'one of its own'
	git -C "$SEED" push --quiet origin HEAD:refs/heads/main
	set_web 0
	same files apps/dev/own.yaml "$(git diff --name-only "$(remote_tip)" "$(commit)")"
	same module 160000 "$(git ls-tree "$(commit)" apps/dev/module | cut -d ' ' -f 1)"
}

@test "a file without a marker of this app is never parsed" {
	printf 'not: [yaml\n\tat all # {"$imagepolicy": "apps:other"}\n' >"$SEED/apps/dev/broken.yaml"
	printf '{{ template }}\n' >"$SEED/apps/dev/helm.yaml"
	head -c 4096 /dev/zero >"$SEED/apps/dev/zeros.yaml"
	seed_push 'strange files'
	set_web 0
	same files apps/dev/web.yaml "$(git diff --name-only "$(remote_tip)" "$(commit)")"
}

@test "a file that carries the marker and is not valid YAML is an error naming file and line, nothing written" {
	printf 'a: b\nc: [\n  image: x/web:v0 # {"$imagepolicy": "apps:web"}\n\tx\n' >"$SEED/apps/dev/zz.yaml"
	seed_push 'broken'
	start apps/web v1 >"$T/document"
	local before

	before=$(git count-objects -v)
	expect 65 gp-set-tag <"$T/document"
	one_message gp-set-tag apps/dev/zz.yaml
	[[ "$stderr" =~ zz\.yaml:[0-9]|zz\.yaml.*line\ [0-9] ]] || fail "no line: $stderr"
	jq_is .error.exit 65
	jq_is 'has("change")' false
	same objects "$before" "$(git count-objects -v)"
}

# Nothing to do, nothing to be found

@test "at that tag already: a skip" {
	commit_tag apps dev web v1
	set_web 0
	jq_is .skip.program gp-set-tag
	jq_is 'has("change")' false
}

@test "some of the scalars at the tag: the others follow" {
	cp "$SEED/apps/dev/web.yaml" "$SEED/apps/dev/second.yaml"
	seed_push 'second'
	commit_tag apps dev web v1
	set_web 0
	same files apps/dev/second.yaml "$(git diff --name-only "$(remote_tip)" "$(commit)")"
	same numstat 1 "$(git diff --numstat "$(remote_tip)" "$(commit)" | grep -c '')"
}

@test "no marker: an error that names what was looked for and the nearest there are" {
	start apps/wbe v1 >"$T/document"
	expect 65 gp-set-tag <"$T/document"
	one_message gp-set-tag apps:wbe apps/dev apps:web
	jq_is .error.exit 65
	jq_is .error.program gp-set-tag
}

@test "no directory of that group: named" {
	start shop/web v1 >"$T/document"
	expect 65 gp-set-tag <"$T/document"
	one_message gp-set-tag shop/dev
	start apps/web v1 --env qa >"$T/document"
	rm -r "$SEED/apps/qa"
	seed_push 'no qa'
	gp-read-config <"$T/document" >"$T/document2"
	expect 65 gp-set-tag <"$T/document2"
	one_message gp-set-tag apps/qa
}

@test "a group that is a file: named" {
	rm -r "$SEED/apps/dev"
	echo 'image: x/web:v0 # {"$imagepolicy": "apps:web"}' >"$SEED/apps/dev"
	seed_push 'dev is a file'
	set_web 65
	one_message gp-set-tag apps/dev
}

@test "a tip that is nowhere is an error, not a crash" {
	start apps/web v1 | jq -c '.repository.tip = "1234567890123456789012345678901234567890"' >"$T/document"
	sh_pipe 0 'gp-set-tag <"$T/document"; [ $? -ge 65 ]'
	one_message gp-set-tag
}

@test "a tip that is not in the clone is fetched" {
	commit_tag apps dev web v7
	start apps/web v1 >"$T/document"
	git clone --quiet --depth 1 "file://$REMOTE" "$T/other"
	commit_tag apps dev web v8
	gp-read-config -C "$T/other" <"$T/document" >"$T/document2"
	git clone --quiet "file://$REMOTE" "$T/third"
	expect 0 gp-set-tag -C "$T/third" <"$T/document2"
	same parent "$(remote_tip)" "$(git -C "$T/third" rev-parse "$(commit)^")"
}

@test "it works in a partial clone, fetching what is missing" {
	git -C "$REMOTE" config uploadpack.allowFilter true
	git -C "$REMOTE" config uploadpack.allowAnySHA1InWant true
	git clone --quiet --filter=blob:none --no-checkout "file://$REMOTE" "$T/partial"
	cd "$T/partial"
	set_web 0
	same line '          image: ghcr.io/acme/web:v1 # {"$imagepolicy": "apps:web"}' \
		"$(git show "$(commit):apps/dev/web.yaml" | grep image:)"
}

# Dry run

@test "--dry-run shows the diff and writes nothing" {
	start apps/web v1 >"$T/document"
	local before objects

	before=$(snapshot_clone "$CLONE")
	objects=$(git count-objects -v)
	expect 0 gp-set-tag --dry-run <"$T/document"
	jq_is .dry_run true
	has "$stderr" apps/dev/web.yaml \
		'-          image: ghcr.io/acme/web:v0 # {"$imagepolicy": "apps:web"}' \
		'+          image: ghcr.io/acme/web:v1 # {"$imagepolicy": "apps:web"}'
	same clone "$before" "$(snapshot_clone "$CLONE")"
	same objects "$objects" "$(git count-objects -v)"
}

@test "the dry run's diff is one that git can apply" {
	start apps/web v1 >"$T/document"
	expect 0 gp-set-tag -n <"$T/document"
	sed -n '/^--- /,$p' <<<"$stderr" >"$T/diff"
	git apply --check "$T/diff"
	git apply "$T/diff"
	same line '          image: ghcr.io/acme/web:v1 # {"$imagepolicy": "apps:web"}' "$(grep image: apps/dev/web.yaml)"
}

@test "dry_run in the document is obeyed" {
	start apps/web v1 | jq -c '.dry_run = true' >"$T/document"
	local objects

	objects=$(git count-objects -v)
	expect 0 gp-set-tag <"$T/document"
	jq_is .dry_run true
	has "$stderr" '+          image: ghcr.io/acme/web:v1'
	same objects "$objects" "$(git count-objects -v)"
}

@test "a dry run travels along the pipe, and nothing is written anywhere" {
	local clone remote

	clone=$(snapshot_clone "$CLONE")
	remote=$(snapshot_remote)
	sh_pipe 0 'gp-read-config --group apps --app web --tag v1 | gp-set-tag --dry-run | gp-open-pr | gp-merge --auto'
	jq_is .dry_run true
	has "$stderr" 'gp-open-pr: ' 'gp-merge: ' promote/apps-web
	same clone "$clone" "$(snapshot_clone "$CLONE")"
	same remote "$remote" "$(snapshot_remote)"
}

# In the work tree

@test "--work-tree edits the files in place, without a commit" {
	local refs

	refs=$(git for-each-ref)
	set_web 0 --work-tree
	same status ' M apps/dev/web.yaml' "$(git status --porcelain)"
	same numstat $'1\t1\tapps/dev/web.yaml' "$(git diff --numstat)"
	same line '          image: ghcr.io/acme/web:v1 # {"$imagepolicy": "apps:web"}' "$(grep image: apps/dev/web.yaml)"
	jq_is '.change.commit // "none"' none
	jq_is '.change.files[0].path' apps/dev/web.yaml
	same refs "$refs" "$(git for-each-ref)"
}

@test "--work-tree edits what is there, not what the tip has" {
	sed -i 's/name: web/name: edited/; s/:v0/:local/' apps/dev/web.yaml
	set_web 0 --work-tree
	same line '          image: ghcr.io/acme/web:v1 # {"$imagepolicy": "apps:web"}' "$(grep image: apps/dev/web.yaml)"
	same edit 2 "$(grep -c 'name: edited' apps/dev/web.yaml)"
}

@test "--work-tree keeps modes and does not follow links out of the tree" {
	chmod 755 apps/dev/web.yaml
	cp apps/qa/web.yaml "$T/outside.yaml"
	ln -s "$T/outside.yaml" apps/dev/link.yaml
	mkdir "$T/outside"
	cp apps/qa/web.yaml "$T/outside/web.yaml"
	ln -s "$T/outside" apps/dev/dir
	set_web 0 --work-tree
	same line '          image: ghcr.io/acme/web:v1 # {"$imagepolicy": "apps:web"}' "$(grep image: apps/dev/web.yaml)"
	same mode 755 "$(stat -c %a apps/dev/web.yaml 2>/dev/null || stat -f %Lp apps/dev/web.yaml)"
	same outside "$(cat apps/qa/web.yaml)" "$(cat "$T/outside.yaml")"
	same outside "$(cat apps/qa/web.yaml)" "$(cat "$T/outside/web.yaml")"
	[ -L apps/dev/link.yaml ]
}

@test "--work-tree --dry-run shows the diff and edits nothing" {
	set_web 0 --work-tree --dry-run
	has "$stderr" '+          image: ghcr.io/acme/web:v1'
	same status '' "$(git status --porcelain)"
}

@test "--work-tree with one broken file edits none" {
	printf 'c: [\n  image: x/web:v0 # {"$imagepolicy": "apps:web"}\n' >apps/dev/zz.yaml
	set_web 65 --work-tree
	one_message gp-set-tag apps/dev/zz.yaml
	same diff '' "$(git diff)"
}

@test "--work-tree again is a skip" {
	set_web 0 --work-tree
	set_web 0 --work-tree
	jq_is .skip.program gp-set-tag
}

# Streams, and documents that somebody saved and edited

@test "a stream: each document its own commit on the same tip" {
	{
		start apps/web v1
		start apps/api v2
		start apps/web v3 --env qa
	} >"$T/many"
	expect 0 gp-set-tag <"$T/many"
	same lines 3 "$(grep -c '' <<<"$output")"
	jq -r .change.commit <<<"$output" | while read -r id; do
		same parent "$(remote_tip)" "$(git rev-parse "$id^")"
		git diff --name-only "$(remote_tip)" "$id"
	done >"$T/files"
	same files 'apps/dev/web.yaml apps/dev/api.yaml apps/qa/web.yaml' "$(paste -sd ' ' "$T/files")"
}

@test "an edited tag is what is set" {
	start apps/web v1 | jq -c '.promotion.tag = "v9"' >"$T/document"
	expect 0 gp-set-tag <"$T/document"
	same line '          image: ghcr.io/acme/web:v9 # {"$imagepolicy": "apps:web"}' \
		"$(git show "$(commit):apps/dev/web.yaml" | grep image:)"
	has "$(git log -1 --format=%B "$(commit)")" 'version v9'
}

@test "a tag with a digest" {
	local digest

	digest=sha256:$(printf '0123456789abcdef%.0s' 1 2 3 4)
	start apps/web "v2@$digest" >"$T/document"
	expect 0 gp-set-tag <"$T/document"
	same line "          image: ghcr.io/acme/web:v2@$digest # {\"\$imagepolicy\": \"apps:web\"}" \
		"$(git show "$(commit):apps/dev/web.yaml" | grep image:)"
}

@test "many apps in one file, one app in many places" {
	cat >"$SEED/apps/dev/web.yaml" <<-'YAML'
		a:
		  image: "ghcr.io:443/acme/web:v0"   # {"$imagepolicy": "apps:web"}
		  tag: v0 # {"$imagepolicy": "apps:web:tag"}
		  name: ghcr.io/acme/web # {"$imagepolicy": "apps:web:name"}
		b:
		  image: ghcr.io/acme/api:v0 # {"$imagepolicy": "apps:api"}
		  other: 'ghcr.io/acme/web:v0' # {"$imagepolicy": "apps:web"}
	YAML
	seed_push 'many'
	set_web 0
	same lines '2 3 7' "$(jq -r '[.change.files[] | select(.path == "apps/dev/web.yaml") | .line] | join(" ")' <<<"$output")"
	same text "$(sed '2s/:v0/:v1/;3s/v0/v1/;7s/:v0/:v1/' "$SEED/apps/dev/web.yaml")" "$(git show "$(commit):apps/dev/web.yaml")"
}

@test "a version older than what is there is said aloud" {
	local line

	for line in '1.10.0 1.11.0' 'v1.9.9 v1.10.0' '2.0.0-rc.1 2.0.0' '2.0.0-rc.2 2.0.0-rc.10' '2.0.0-alpha 2.0.0-alpha.1' \
		'01.0.0 2.0.0' '1.9 1.10' '2024.9.30 2024.10.1' '7 12' 'main-0a1b2c3-1700000000 main-ffffff-1700000001' \
		'x-20240102T030405Z x-20240102T030406Z' 'x-20240102-0304 x-20240103-0101'; do
		commit_tag apps dev web "${line#* }"
		expect 0 sh -c "gp-read-config --group apps --app web --tag '${line% *}' | gp-set-tag"
		has "$stderr" "warning: apps/web goes back in dev: ${line% *} is older than ${line#* }"
	done
	for line in '1.11.0 1.10.0' '2.0.0 2.0.0-rc.1' 'a8b91c33 cc2b7e0a' '1.10 1.9.0' '1.0 1' 'main-1 main-2' 'deadbeef10 deadbeef20' \
		'main-ffffff-1700000001 main-0a1b2c3-1700000000' 'x-20240103-0101 x-20240102-0304'; do
		commit_tag apps dev web "${line#* }"
		expect 0 sh -c "gp-read-config --group apps --app web --tag '${line% *}' | gp-set-tag"
		lacks "$stderr" 'goes back'
	done
}

# ordered WORD [APP-WORD]: the configuration, with that order for all apps, and another one for the web.
ordered() {
	{
		printf '%s\n' 'environments:' '  - {name: dev, auto: true}' '  - {name: qa, auto: true}' '  - {name: prod}' "order: $1"
		[ $# -eq 1 ] || printf '%s\n' 'groups:' '  apps:' '    applications:' "      web: {order: $2}"
	} | commit_file gitops-promotion.yaml
}

@test "order: a new release that is older than what is there is skipped, or set with --allow-older" {
	local line

	for line in 'semver 1.10.0 1.11.0' 'numeric 1.9 1.10' 'time main-1 main-2' 'time a-20240102T0304 b-20240102T0305'; do
		set -- $line
		ordered "$1"
		commit_tag apps dev web "$3"
		expect 0 sh -c "gp-read-config --group apps --app web --tag '$2' | gp-set-tag"
		jq_is .skip.reason "apps/web goes back in dev: $2 is older than $3 (see --allow-older)"
		jq_is '.change // "none"' none
		expect 0 sh -c "gp-read-config --group apps --app web --tag '$2' | gp-set-tag --allow-older"
		has "$stderr" "warning: apps/web goes back in dev: $2 is older than $3"
		jq_is '.change.files | length' 1
		expect 0 gp-new --allow-older --dry-run apps/web "$2"
		has "$stderr" 'would'
		expect 0 gp-new apps/web "$2"
		lacks "$stderr" opened
	done
	# In another order, or in none, it is not older.
	for line in 'semver main-1 main-2' 'none 1.10.0 1.11.0' 'numeric 1.0-a 1.1-a' 'semver 1.11.0 1.10.0'; do
		set -- $line
		ordered "$1"
		commit_tag apps dev web "$3"
		expect 0 sh -c "gp-read-config --group apps --app web --tag '$2' | gp-set-tag"
		same stderr '' "$stderr"
	done
	ordered semver none
	commit_tag apps dev web 2.0.0
	expect 0 sh -c "gp-read-config --group apps --app web --tag 1.0.0 | gp-set-tag"
	jq_is '.config | "\(.order) \(.groups.apps.applications.web.order)"' 'semver none'
	jq_is '.change.files | length' 1
	ordered alphabetic
	expect 78 gp-read-config --group apps --app web --tag v1
	one_message gp-read-config 'gitops-promotion.yaml:5:8: order: expected semver, numeric, time or none'
}

@test "order: what promotes a merged release is not skipped" {
	ordered semver
	commit_tag apps dev web 1.1.0
	commit_tag apps qa web 1.1.0
	expect 0 gp-new --allow-older apps/web 1.0.0
	expect 0 gp-status 1
	expect 0 gp-promote
	has "$stderr" 'opened pull request #2'
	has "$stderr" 'goes back in qa'
}

@test "a chart's version may have build metadata, an image's tag may not" {
	local key

	for key in version targetRevision; do
		printf 'chart:\n  name: shop\n  %s: 1.2.3+build.4 # {"$imagepolicy": "apps:web:tag"}\n' "$key" |
			commit_file apps/dev/web.yaml
		sh_pipe 0 'gp-read-config --group apps --app web --tag 1.2.4+build.5 | gp-set-tag'
		jq_is '.change.files[0] | "\(.line) \(.from) \(.to)"' '3 1.2.3+build.4 1.2.4+build.5'
	done
	for key in 'newTag: v1 # {"$imagepolicy": "apps:web:tag"}' 'image: r/web:v1 # {"$imagepolicy": "apps:web"}' \
		'version: r/web:v1 # {"$imagepolicy": "apps:web"}' 'version: {x: v1} # {"$imagepolicy": "apps:web:tag"}'; do
		printf 'a: b\n%s\n' "$key" | commit_file apps/dev/web.yaml
		sh_pipe 65 'gp-read-config --group apps --app web --tag 1.2.4+build.5 | gp-set-tag'
		[[ "$key" == *'{x'* ]] || one_message gp-set-tag "apps/dev/web.yaml: line 2: an image's tag cannot be '1.2.4+build.5'"
	done
	for key in 1.2.4+ +1 1+2+3 'v1+a b' "v1+$(printf '%0130d' 0)" v1+b@sha256:"$(printf '%064d' 0)" v1+_; do
		expect 64 gp-read-config --group apps --app web --tag "$key"
	done
}

@test "a chart's version with build metadata goes through a gate" {
	for env in dev qa prod; do
		printf 'version: 1.2.3 # {"$imagepolicy": "apps:web:tag"}\n' | commit_file "apps/$env/web.yaml"
	done
	expect 0 gp-new apps/web 1.2.4+build.5
	expect 0 gp-status 1
	expect 0 gp-promote
	flux apps dev success
	expect 0 gp-status 2
	same 'in qa' 'version: 1.2.4+build.5' "$(git -C "$REMOTE" cat-file blob main:apps/qa/web.yaml | sed 's/ #.*//')"
}

# A commit that git would sign

# signed_by_ssh: a key of this test's own, and git's configuration to sign with it.
signed_by_ssh() {
	command -v ssh-keygen >/dev/null || skip 'no ssh-keygen here'
	ssh-keygen -q -t ed25519 -N '' -C emilia@example.com -f "$T/home/key"
	printf 'emilia@example.com %s\n' "$(cut -d ' ' -f 1,2 "$T/home/key.pub")" >"$T/home/signers"
	git config --global gpg.format ssh
	git config --global user.signingkey "$T/home/key.pub"
	git config --global gpg.ssh.allowedSignersFile "$T/home/signers"
}

@test "commit.gpgsign: the commit is signed as git signs, and git verifies it" {
	local commit

	signed_by_ssh
	git config commit.gpgsign yes
	sh_pipe 0 'gp-read-config --group apps --app web --tag v1 | gp-set-tag'
	commit=$(jq -r .change.commit <<<"$output")
	git verify-commit "$commit" 2>"$T/run/verify" || fail "$(<"$T/run/verify")"
	has "$(<"$T/run/verify")" 'Good "git" signature for emilia@example.com'
	same parent "$(remote_tip)" "$(git rev-parse "$commit^")"
	same identity 'Emilia <emilia@example.com> Emilia <emilia@example.com>' "$(git show -s --format='%an <%ae> %cn <%ce>' "$commit")"
	# Nothing but the signature tells it from the one without.
	git config commit.gpgsign false
	sh_pipe 0 'gp-read-config --group apps --app web --tag v1 | gp-set-tag'
	same 'the rest' "$(git show -s --format='%T %P %an %ae %cn %ce %B' "$commit")" \
		"$(git show -s --format='%T %P %an %ae %cn %ce %B' "$(jq -r .change.commit <<<"$output")")"
	! git verify-commit "$(jq -r .change.commit <<<"$output")" 2>"$T/run/verify"
}

@test "a signature that fails is an error, never a commit without one" {
	git config commit.gpgsign true
	git config gpg.format ssh
	git config user.signingkey "$T/nowhere"
	git config gpg.ssh.program "$T/no-program"
	sh_pipe 71 'gp-read-config --group apps --app web --tag v1 | gp-set-tag'
	one_message gp-set-tag 'cannot sign the commit'
	jq_is '.change // "none"' none
	git config commit.gpgsign maybe
	sh_pipe 71 'gp-read-config --group apps --app web --tag v1 | gp-set-tag'
	one_message gp-set-tag 'commit.gpgsign'
}

@test "a signed promotion goes all the way" {
	signed_by_ssh
	git config commit.gpgsign true
	expect 0 gp-new apps/web v1
	git fetch --quiet origin refs/pull/1/head 2>/dev/null || git fetch --quiet origin promote/apps-web
	git verify-commit FETCH_HEAD 2>"$T/run/verify" || fail "$(<"$T/run/verify")"
	expect 0 gp-status 1
	same 'in dev' v1 "$(git -C "$REMOTE" cat-file blob main:apps/dev/web.yaml | sed -n 's/.*web:\([^ ]*\).*/\1/p')"
}
