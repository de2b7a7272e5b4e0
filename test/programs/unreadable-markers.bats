#!/usr/bin/env bats
# A line that speaks of an app as a marker does, and is none: the environment is not passed over, by any program.
# shellcheck disable=SC2016 # what must not be expanded

setup() {
	load ../lib/helper
	gp_setup
	marker='# {"$imagepolicy": "apps:web"}'
}

# NAME|LINE|WORDS|MANIFEST: a manifest, as printf takes it, whose marker cannot be read, and what is said of which line.
variants=(
	'note|2|text follows the marker|containers:\n  - image: r/web:v0 # {"$imagepolicy": "apps:web"} <== set by CI\n'
	'block scalar|2|the marker is not behind a value|values: |\n  image: r/web:v0 # {"$imagepolicy": "apps:web"}\n'
	'in quotes|1|text follows the marker|text: "r/web:v0 # {\\\"$imagepolicy\\\": \\\"apps:web\\\"}"\n'
	'line above|2|the marker is on a line of its own|containers:\n  # {"$imagepolicy": "apps:web"}\n  - image: r/web:v0\n'
	'no end|1|the marker cannot be read|image: r/web:v0 # {"$imagepolicy": "apps:web"\n'
	'no beginning|1|the marker cannot be read|image: r/web:v0 # "$imagepolicy": "apps:web"}\n'
	'capital|1|the marker cannot be read|image: r/web:v0 # {"$imagePolicy": "apps:web"}\n'
	'capitals|1|the marker cannot be read|image: r/web:v0 # {"$IMAGEPOLICY": "apps:web"}\n'
	'without a dollar|1|the marker cannot be read|image: r/web:v0 # {"imagepolicy": "apps:web"}\n'
	'without quotes|1|the marker cannot be read|image: r/web:v0 # {$imagepolicy: apps:web}\n'
	"single quotes|1|the marker cannot be read|image: r/web:v0 # {'\$imagepolicy': 'apps:web'}\n"
	'kind|1|the marker cannot be read|tag: v0 # {"$imagepolicy": "apps:web:Tag"}\n'
	'blank|1|the marker cannot be read|image: r/web:v0 # {"$imagepolicy": "apps: web"}\n'
	'other line breaks|3|text follows the marker|a: b\xe2\x80\xa8c: d\xc2\x85image: r/web:v0 # {"$imagepolicy": "apps:web"} x\n'
	'line ends of Windows|2|text follows the marker|a: b\r\nimage: r/web:v0 # {"$imagepolicy": "apps:web"} x\r\n'
)

# unreadable ENV MANIFEST: what the environment has of the app from now on.
unreadable() {
	printf "$2" | commit_file "apps/$1/web.yaml"
}

@test "65 with file and line, wherever the environment matters" {
	local variant name line words where

	make_gitops
	for variant in "${variants[@]}"; do
		IFS='|' read -r name line words _ <<<"$variant"
		where="apps/qa/web.yaml: line $line: $words"
		unreadable qa "${variant#*|*|*|}"
		sh_pipe 65 'gp-read-config --group apps --app web --tag v1 --env qa | gp-set-tag' || fail "$name"
		one_message gp-set-tag "$where" "expected '$marker'" || fail "$name"
		git fetch --quiet origin
		git reset --quiet --hard origin/main
		sh_pipe 65 'gp-read-config --group apps --app web --tag v1 --env qa | gp-set-tag --work-tree' || fail "$name"
		has "$stderr" "$where" || fail "$name"
		# A pull request to prod: qa would have to be asked.
		sh_pipe 65 'gp-read-config --group apps --app web --tag v1 --env prod' || fail "$name"
		has "$stderr" "$where" || fail "$name"
	done
}

@test "promote stops before an environment that it cannot read" {
	make_gitops --envs 'dev:true qa:true prod:true'
	unreadable qa "${variants[0]#*|*|*|}"
	expect 0 gp-new apps/web v1
	expect 0 gp-status 1
	expect 65 gp-promote
	has "$stderr" 'apps/qa/web.yaml: line 2: text follows the marker'
	has "$(gp-find-pr --open --all 2>&1)" 'no pull request is open'
}

@test "the gate is closed while the environment before cannot be read, also where it was open" {
	make_gitops
	commit_tag apps qa web v1
	propose apps/web v1 prod
	flux apps qa success
	verdict 0 1
	unreadable qa "${variants[0]#*|*|*|}"
	verdict 1 1
	one_message gp-check-status 'apps/qa/web.yaml: line 2: text follows the marker'
	jq_is .status.state failure
	manifest_text apps web v1 | commit_file apps/qa/web.yaml
	flux apps qa success
	verdict 0 1
}

@test "a link to a manifest or directory of the app is no environment without it, another link is" {
	local target

	make_gitops
	manifest_text apps web v0 | commit_file base/deep/web.yaml
	for target in ../../base/deep/web.yaml ../../base ../dev/../../base/deep/./web.yaml ../other; do
		seed_to
		rm -rf "$SEED"/apps/qa "$SEED/apps/other"
		mkdir -p "$SEED/apps/qa"
		ln -s ../base "$SEED/apps/other"
		ln -s "$target" "$SEED/apps/qa/web.yaml"
		seed_push "link to $target"
		expect 65 gp-read-config --group apps --app web --tag v1 --env prod || fail "$target"
		one_message gp-read-config 'apps/qa/web.yaml: a symbolic link to a marker of apps:web' || fail "$target"
		sh_pipe 65 'gp-read-config --group apps --app web --tag v1 --env qa | gp-set-tag'
		has "$stderr" 'apps/qa/web.yaml: a symbolic link to a marker' || fail "$target"
	done
	for target in /etc/passwd ../../../../x nowhere.yaml web.yaml ../../README.md ''; do
		seed_to
		rm -rf "$SEED/apps/qa"
		mkdir "$SEED/apps/qa"
		[ -z "$target" ] || ln -s "$target" "$SEED/apps/qa/web.yaml"
		echo a: b >"$SEED/apps/qa/other.yaml"
		seed_push "link to $target"
		expect 0 gp-read-config --group apps --app web --tag v1 --env prod || fail "$target"
		jq_is .environment.previous dev
	done
	seed_to
	rm -rf "$SEED/apps/qa"
	ln -s ../base "$SEED/apps/qa"
	seed_push 'the environment is a link'
	expect 65 gp-read-config --group apps --app web --tag v1 --env prod
	one_message gp-read-config 'apps/qa: a symbolic link'
}

@test "what speaks of another app, of no policy, or names a part, stands in nobody's way" {
	make_gitops
	printf '%s\n' 'apiVersion: image.toolkit.fluxcd.io/v1' 'kind: ImagePolicy' 'metadata: {name: web}' \
		'a: b # {"$imagepolicy": "apps:web-admin"} x' 'c: d # {"$imagepolicy": "shop-apps:web"} x' \
		'e: f # {"$imagepolicy": "apps:web.1"} x' 'g: r/web # {"$imagepolicy": "apps:web:name"}' \
		'# markers name $imagepolicy, and the web app' | commit_file apps/qa/web.yaml
	expect 0 gp-read-config --group apps --app web --tag v1 --env prod
	jq_is .environment.previous dev
}

@test "beside markers that can be read it is a warning, and what can be set is" {
	make_gitops
	{
		manifest_text apps web v0
		printf '        - image: r/web:v0 # {"$imagepolicy": "apps:web"} old\n'
		printf '          args: |\n            image: r/web:v0 # {"$imagepolicy": "apps:web"}\n'
	} | commit_file apps/dev/web.yaml
	printf 'image: r/web:v0 # {$imagepolicy: apps:web}\n' | commit_file apps/dev/other.yaml
	sh_pipe 0 'gp-read-config --group apps --app web --tag v1 | gp-set-tag'
	has "$stderr" 'warning: not set: apps/dev/other.yaml: line 1: the marker cannot be read' \
		'warning: not set: apps/dev/web.yaml: line 11: text follows the marker' \
		'warning: not set: apps/dev/web.yaml: line 13: the marker is not behind a value'
	same warnings 3 "$(grep -c warning: <<<"$stderr")"
	jq_is '.change.files | length' 1
}
