#!/usr/bin/env bats
# gp-read-config: starting a document, reading the configuration from the
# base's current tip, and --next.

setup() {
	load ../lib/helper
	gp_setup
	make_gitops
}

read_web() {
	expect "$1" gp-read-config --group apps --app web --tag v1 "${@:2}"
}

# config_is <TEXT: the remote's configuration from now on.
config_is() {
	commit_file gitops-promotion.yaml 'another configuration'
}

# refused TEXT…: the configuration is wrong (78), and so is said where.
refused() {
	read_web 78
	one_message gp-read-config gitops-promotion.yaml "$@"
	[[ "$output" == *'"error":{"program":"gp-read-config","exit":78,'* ]] || fail "$output"
}

# Starting

@test "starts a document for the first environment" {
	read_web 0
	same stderr '' "$stderr"
	jq_is '.promotion | "\(.type) \(.group) \(.app) \(.tag) \(.env) \(.sha) \(.feature)"' "promote apps web v1 dev $(remote_tip) "
	jq_is '.environment | tojson' '{"name":"dev","auto":true,"previous":null}'
	jq_is .repository.provider local
	jq_is .repository.base main
	jq_is .repository.tip "$(remote_tip)"
	has "$(jq -r .repository.url <<<"$output")" "$REMOTE"
	jq_is 'has("skip") or has("error")' false
}

@test "the configuration has its defaults filled in" {
	read_web 0
	jq_is .config.prflow per-app
	jq_is '[.config.environments[] | "\(.name) \(.auto)"] | join(", ")' 'dev true, qa true, prod false'
	jq_is .config.status_timeout_minutes 5
	jq_is .config.clusters 1
	jq_is .config.gate_check gp/gate
	jq_is '.config.status_context // "none"' none
}

@test "the configuration as it is written" {
	config_is <<-'YAML'
		prflow: per-env
		status_timeout_minutes: 17
		status_context: "kustomization/{group}-{env}-*"
		clusters: 3
		gate_check: team/gate
		environments:
		  - name: first
		    auto: true
		  - env: second
		groups:
		  apps:
		    applications:
		      web:
		        featureOverwrite: true
		        featureLabelSelector:
		          team: web
	YAML
	mkdir -p "$SEED/apps"
	read_web 0
	same stderr '' "$stderr"
	jq_is .config.prflow per-env
	jq_is .config.status_timeout_minutes 17
	jq_is .config.status_context 'kustomization/{group}-{env}-*'
	jq_is .config.clusters 3
	jq_is .config.gate_check team/gate
	jq_is '[.config.environments[] | "\(.name) \(.auto)"] | join(", ")' 'first true, second false'
	jq_is .promotion.env first
}

@test "--env names the target, and the environment before it" {
	read_web 0 --env qa
	jq_is '.environment | tojson' '{"name":"qa","auto":true,"previous":"dev"}'
	jq_is .promotion.env qa
	read_web 0 --env prod
	jq_is '.environment | tojson' '{"name":"prod","auto":false,"previous":"qa"}'
}

@test "an environment without a marker of the app is nobody's previous" {
	seed_to
	rm -r "$SEED/apps/qa"
	seed_push 'no qa for the web'
	read_web 0 --env prod
	jq_is .environment.previous dev
	read_web 0 --env qa
	jq_is .environment.previous dev
}

@test "another app's marker in the environment does not make it the previous one" {
	seed_to
	sed -i 's/apps:web/apps:api/' "$SEED/apps/qa/web.yaml"
	seed_push 'qa has the api only'
	read_web 0 --env prod
	jq_is .environment.previous dev
}

@test "the first environment that has the app has no previous one" {
	seed_to
	rm -r "$SEED/apps/dev" "$SEED/apps/qa"
	seed_push 'prod only'
	read_web 0 --env prod
	jq_is '.environment.previous == null' true
}

@test "the tip is the remote's, fetched where it is not here" {
	commit_tag apps dev web v7
	! git cat-file -e "$(remote_tip)" 2>/dev/null || fail 'it is here already'
	read_web 0
	jq_is .repository.tip "$(remote_tip)"
	git cat-file -e "$(remote_tip)"
}

@test "the configuration is the tip's, not the checkout's" {
	printf 'prflow: nonsense\n' >gitops-promotion.yaml
	git commit --quiet -am 'local nonsense'
	rm gitops-promotion.yaml
	read_web 0
	jq_is .config.prflow per-app
	config_is <<-'YAML'
		prflow: per-env
		environments:
		  - env: dev
	YAML
	read_web 0
	jq_is .config.prflow per-env
}

@test "the clone stays as it was" {
	commit_tag apps dev web v7
	local before

	before=$(snapshot_clone "$CLONE")
	read_web 0
	jq_is .repository.tip "$(remote_tip)"
	same clone "$before" "$(snapshot_clone "$CLONE")"
	fsck_clean "$CLONE"
}

@test "it works from a directory below, and with -C from anywhere" {
	cd apps/dev
	read_web 0
	cd /
	read_web 0 -C "$CLONE"
	jq_is .repository.tip "$(remote_tip)"
}

@test "it works in a linked work tree and in a bare clone" {
	git worktree add --quiet --detach "$T/linked"
	read_web 0 -C "$T/linked"
	git clone --quiet --bare "file://$REMOTE" "$T/bare.git"
	read_web 0 -C "$T/bare.git"
	jq_is .repository.tip "$(remote_tip)"
}

@test "the remote may be a path as well as a file:// URL" {
	git remote set-url origin "$REMOTE"
	read_web 0
	jq_is .repository.provider local
}

@test "a remote's URL goes through the user's insteadOf" {
	git config --global "url.file://$T/.insteadOf" team:
	git remote set-url origin team:remote.git
	read_web 0
	jq_is .repository.provider local
	jq_is .repository.url "file://$REMOTE"
}

@test "a repository of another object format is told" {
	git init --quiet --object-format=sha256 "$T/sha256" || skip 'this git knows no SHA-256'
	git -C "$T/sha256" remote add origin "file://$REMOTE"
	read_web 78 -C "$T/sha256"
	one_message gp-read-config sha256
}

# Base and remote

@test "the base is what the remote says, whatever the clone believes" {
	git -C "$REMOTE" branch trunk main
	git -C "$REMOTE" symbolic-ref HEAD refs/heads/trunk
	read_web 0
	jq_is .repository.base trunk
}

@test "--base, then GP_BASE, come before what the remote says" {
	git -C "$REMOTE" branch release main
	git -C "$REMOTE" branch stable main
	GP_BASE=stable read_web 0
	jq_is .repository.base stable
	GP_BASE=stable read_web 0 --base release
	jq_is .repository.base release
}

@test "a base that is not there is named" {
	read_web 69 --base nowhere
	one_message gp-read-config nowhere
}

@test "a tag of the base's name does not take its place" {
	commit_tag apps dev web v7
	git -C "$REMOTE" tag main main~1
	read_web 0
	jq_is .repository.tip "$(git -C "$REMOTE" rev-parse refs/heads/main)"
}

@test "--remote, then GP_REMOTE, then origin" {
	git clone --quiet --bare "$REMOTE" "$T/other.git"
	git clone --quiet --bare "$REMOTE" "$T/third.git"
	git remote add other "file://$T/other.git"
	git remote add third "file://$T/third.git"
	read_web 0
	has "$(jq -r .repository.url <<<"$output")" remote.git
	GP_REMOTE=other read_web 0
	has "$(jq -r .repository.url <<<"$output")" other.git
	GP_REMOTE=other read_web 0 --remote third
	has "$(jq -r .repository.url <<<"$output")" third.git
}

@test "a remote that is not configured is named" {
	read_web 78 --remote upstream
	one_message gp-read-config upstream
}

@test "a remote that is gone is 71" {
	rm -rf "$REMOTE"
	read_web 71
	one_message gp-read-config remote.git
	jq_is .error.exit 71
}

@test "not a repository is 71" {
	mkdir "$T/plain"
	GIT_CEILING_DIRECTORIES="$T" read_web 71 -C "$T/plain"
	one_message gp-read-config
}

@test "a repository of somebody else is told with what to do" {
	[ "$(id -u)" -eq 0 ] || skip 'needs to give a directory away'
	chown -R 12345 "$CLONE"
	read_web 71
	one_message gp-read-config safe.directory
	git config --global safe.directory "$CLONE"
	read_web 0
}

@test "an empty repository has nothing to promote" {
	git init --quiet --bare "$T/empty.git"
	git remote set-url origin "file://$T/empty.git"
	read_web 69
	one_message gp-read-config
	jq_is .error.exit 69
}

@test "--provider, then GP_PROVIDER, then the remote's URL" {
	GP_PROVIDER=other read_web 0
	jq_is .repository.provider other
	GP_PROVIDER=other read_web 0 --provider third
	jq_is .repository.provider third
	read_web 0
	jq_is .repository.provider local
}

@test "a provider that can be no program's name is refused" {
	sh_pipe 0 'gp-read-config --group apps --app web --tag v1 --provider "../evil"; [ $? -ge 64 ]'
	one_message gp-read-config evil
}

# Options

@test "without options it waits for a document; to start one, --app and --tag are needed" {
	expect 64 gp-read-config --group apps --app web
	one_message gp-read-config tag
	expect 64 gp-read-config --group apps --tag v1
	one_message gp-read-config app
	expect 64 gp-read-config --group apps </dev/null
	one_message gp-read-config 'missing options: --app, --tag'
}

@test "--next and --group do not go together" {
	expect 64 gp-read-config --next --group apps --app web --tag v1 </dev/null
	one_message gp-read-config next
}

@test "names are one path component" {
	local name

	for name in '' . .. .hidden -x a/b 'a b' 'å' $'a\nb' 'a*' "$(printf 'x%.0s' {1..300})"; do
		expect 64 gp-read-config "--group=$name" --app web --tag v1 || fail "group '$name'"
		one_message gp-read-config group
		expect 64 gp-read-config --group apps "--app=$name" --tag v1 || fail "app '$name'"
		one_message gp-read-config app
	done
}

@test "a tag is an OCI tag, a digest, or both" {
	local tag digest

	digest=sha256:$(printf '0123456789abcdef%.0s' 1 2 3 4)
	for tag in v1 a8b91c33 1.10 _x "$(printf 'x%.0s' {1..128})" "$digest" "v1@$digest"; do
		read_web 0 "--tag=$tag"
		jq_is .promotion.tag "$tag"
	done
	for tag in '' .x -x 'a b' a:b 'v1;rm' $'v1\n' '$(id)' "$(printf 'x%.0s' {1..129})" sha256:0123 "v1@" "@$digest" "$digest@v1"; do
		read_web 64 "--tag=$tag" || fail "tag '$tag'"
		one_message gp-read-config tag
	done
}

# Configuration errors

@test "no configuration file" {
	seed_to
	git -C "$SEED" rm -q gitops-promotion.yaml
	seed_push 'no configuration'
	refused
}

@test "a configuration that is a directory" {
	seed_to
	rm "$SEED/gitops-promotion.yaml"
	mkdir "$SEED/gitops-promotion.yaml"
	touch "$SEED/gitops-promotion.yaml/x"
	seed_push 'a directory'
	refused
}

@test "an unknown environment names those there are" {
	read_web 78 --env staging
	one_message gp-read-config staging dev qa prod
	jq_is .error.exit 78
}

@test "a tab in the YAML is told with its line" {
	printf 'prflow: per-app\nenvironments:\n\t- env: dev\n' | config_is
	refused :3:
}

@test "wrong types are told with line and column" {
	printf 'prflow: per-app\nenvironments:\n  - env: dev\n    auto: perhaps\n' | config_is
	refused :4:11 auto
	printf 'environments: dev\n' | config_is
	refused :1:15 environments
	printf 'environments:\n  - dev\n' | config_is
	refused :2:5
	printf 'environments:\n  - env: [dev]\n' | config_is
	refused :2:10 env
	printf 'prflow: sideways\nenvironments:\n  - env: dev\n' | config_is
	refused :1:9 prflow
	printf 'status_timeout_minutes: soon\nenvironments:\n  - env: dev\n' | config_is
	refused :1:25 status_timeout_minutes
	printf 'status_timeout_minutes: -1\nenvironments:\n  - env: dev\n' | config_is
	refused :1:25 status_timeout_minutes
	printf 'clusters: 0\nenvironments:\n  - env: dev\n' | config_is
	refused :1:11 clusters
	printf 'clusters: 99999999999999999999\nenvironments:\n  - env: dev\n' | config_is
	refused :1:11 clusters
	printf 'status_context: [a]\nenvironments:\n  - env: dev\n' | config_is
	refused :1:17 status_context
	printf 'gate_check: {}\nenvironments:\n  - env: dev\n' | config_is
	refused :1:13 gate_check
	printf 'groups: []\nenvironments:\n  - env: dev\n' | config_is
	refused :1:9 groups
}

@test "an empty, a scalar and a broken configuration" {
	printf '' | config_is
	refused
	printf 'nothing to see\n' | config_is
	refused
	printf -- '- a\n- b\n' | config_is
	refused
	printf 'environments: [\n' | config_is
	refused
	printf '\377\376\n' | config_is
	refused
}

@test "environments are needed, and each needs a name" {
	printf 'prflow: per-app\n' | config_is
	refused environments
	printf 'environments: []\n' | config_is
	refused environments
	printf 'environments:\n  - auto: true\n' | config_is
	refused :2:
}

@test "an environment that is there twice is told with line and column" {
	printf 'environments:\n  - env: dev\n  - env: qa\n  - name: dev\n' | config_is
	refused :4:
}

@test "a key that is there twice is told with line and column" {
	printf 'prflow: per-app\nenvironments:\n  - env: dev\nprflow: per-env\n' | config_is
	refused :4:1 prflow
	printf 'environments:\n  - env: dev\n    auto: true\n    auto: false\n' | config_is
	refused :4:5 auto
}

@test "an environment's name is one path component" {
	local name

	for name in ../x '.git' '"-x"' '"a b"' 'a/b' '""'; do
		printf 'environments:\n  - env: %s\n' "$name" | config_is
		refused :2: || fail "environment $name"
	done
}

@test "an unknown key is a warning with its place" {
	printf 'owner: us\nenvironments:\n  - env: dev\n    colour: blue\n' | config_is
	read_web 0
	has "$stderr" "warning: gitops-promotion.yaml:1:1: unknown key 'owner'" "gitops-promotion.yaml:4:5: unknown key 'colour'"
	jq_is .config.prflow per-app
}

@test "an unknown key that is nearly a known one is an error" {
	printf 'environments:\n  - env: dev\n    autom: true\n' | config_is
	read_web 78
	one_message gp-read-config "gitops-promotion.yaml:3:5: unknown key 'autom': did you mean 'auto'?"
	printf 'enviroments:\n  - env: dev\n' | config_is
	read_web 78
	one_message gp-read-config "gitops-promotion.yaml:1:1: unknown key 'enviroments': did you mean 'environments'?"
}

@test "without --group, the one group that has the app; otherwise their names" {
	GP_VERBOSE=-1
	export GP_VERBOSE
	expect 0 gp-read-config --app web --tag v1
	jq_is .promotion.group apps
	seed_to
	manifest infra qa web v0
	manifest infra dev api v0
	seed_push 'web in another group, in qa'
	expect 0 gp-read-config --app web --tag v1
	jq_is .promotion.group apps
	expect 65 gp-read-config --app web --tag v1 --env qa
	one_message gp-read-config "app 'web' is in several groups (apps, infra): name one with --group"
	expect 65 gp-read-config --app wbe --tag v1
	one_message gp-read-config "no group has a marker of app 'wbe' in environment dev"
}

@test "an unknown environment that is nearly a known one is suggested" {
	read_web 78 --env prdo
	one_message gp-read-config "unknown environment 'prdo': did you mean 'prod'?"
}

@test "a name that YAML reads as something else is still a name" {
	printf 'environments:\n  - env: "1"\n  - env: "on"\n' | config_is
	read_web 0
	jq_is '[.config.environments[].name] | join(" ")' '1 on'
}

# Names that run together

@test "a group and environment that run together with another's are told apart or refused" {
	# a-b + c and a + b-c: both are a-b-c to Flux.
	printf 'environments:\n  - env: c\n    auto: true\n  - env: b-c\n' | config_is
	seed_to
	manifest a-b c web v0
	manifest a-b b-c web v0
	manifest a c web v0
	manifest a b-c web v0
	seed_push 'two groups'
	start a-b/web v1 --env c >"$T/one" 2>"$T/err" || true
	start a/web v1 --env b-c >"$T/two" 2>>"$T/err" || true
	[ "$(jq -r 'has("error")' "$T/one")" = true ] || same one 'a-b c' "$(jq -r '"\(.promotion.group) \(.promotion.env)"' "$T/one")"
	[ "$(jq -r 'has("error")' "$T/two")" = true ] || same two 'a b-c' "$(jq -r '"\(.promotion.group) \(.promotion.env)"' "$T/two")"
}

# Filtering

@test "as a filter it fills in what is missing, and the current tip" {
	sh_pipe 0 'printf "%s\n" "$1" | gp-read-config' '{"mine":1,"promotion":{"type":"promote","group":"apps","app":"web","tag":"v1","env":"qa","sha":"","feature":""}}'
	jq_is .mine 1
	jq_is '.environment | tojson' '{"name":"qa","auto":true,"previous":"dev"}'
	jq_is .repository.tip "$(remote_tip)"
	jq_is .config.gate_check gp/gate
	jq_is .promotion.tag v1
}

@test "as a filter it takes a saved document and brings it up to date" {
	start apps/web v1 >"$T/saved"
	commit_tag apps dev web v7
	sh_pipe 0 'gp-read-config <"$T/saved"'
	jq_is .repository.tip "$(remote_tip)"
	jq_is .promotion.tag v1
}

@test "as a filter it handles many documents" {
	start apps/web v1 >"$T/saved"
	for n in 1 2 3 4 5; do jq -c ".n = $n" "$T/saved"; done >"$T/many"
	sh_pipe 0 'gp-read-config <"$T/many"'
	same order '1 2 3 4 5' "$(jq -r .n <<<"$output" | paste -sd ' ')"
}

@test "a saved document whose environment is gone from the configuration does not keep it" {
	start apps/web v1 --env qa >"$T/saved"
	printf 'environments:\n  - env: dev\n  - env: prod\n' | config_is
	sh_pipe 0 'gp-read-config <"$T/saved"; case $? in 0 | 65 | 78) ;; *) exit 1 ;; esac'
	jq_true 'has("error") or (has("environment") | not)'
}

# --next

# merged TAG ENV: the document of a promotion that is merged into ENV.
merged() {
	local n

	n=$(propose apps/web "$1" "$2")
	post "$(pr "$n" .head)" gp/gate success
	[ "$(pr "$n" .state)" = merged ] || merge_pr "$n"
	gp-find-pr --merged
}

@test "--next turns a merged promotion into the next one" {
	merged v1 dev >"$T/merged"
	sh_pipe 0 'gp-read-config --next <"$T/merged"'
	jq_is '.promotion | "\(.group) \(.app) \(.tag) \(.env) \(.type)"' 'apps web v1 qa promote'
	jq_is .promotion.sha "$(remote_tip)"
	jq_is '.environment | tojson' '{"name":"qa","auto":true,"previous":"dev"}'
	jq_is .previous_pull_request.number 1
	jq_is .previous_pull_request.state merged
	jq_is 'has("pull_request")' false
	jq_is .repository.tip "$(remote_tip)"
}

@test "--next after the last environment is a skip" {
	commit_tag apps dev web v1
	commit_tag apps qa web v1
	merged v1 prod >"$T/merged"
	sh_pipe 0 'gp-read-config --next <"$T/merged"'
	jq_is .skip.program gp-read-config
	has "$(jq -r .skip.reason <<<"$output")" 'no next environment'
}

@test "--next is superseded when the environment just reached carries another tag" {
	merged v1 dev >"$T/merged"
	commit_tag apps dev web v2
	sh_pipe 0 'gp-read-config --next <"$T/merged"'
	has "$(jq -r .skip.reason <<<"$output")" 'superseded by v2'
}

@test "--next passes over an environment that is at the tag already, with a word" {
	commit_tag apps qa web v1
	merged v1 dev >"$T/merged"
	sh_pipe 0 'gp-read-config --next <"$T/merged"'
	jq_is .promotion.env prod
	jq_is .environment.previous qa
	has "$stderr" qa
}

@test "--next passes over an environment without a marker of the app, with a word" {
	seed_to
	rm -r "$SEED/apps/qa"
	seed_push 'no qa'
	merged v1 dev >"$T/merged"
	sh_pipe 0 'gp-read-config --next <"$T/merged"'
	jq_is .promotion.env prod
	jq_is .environment.previous dev
	has "$stderr" qa
}

@test "--next: everything further on is at the tag already" {
	commit_tag apps qa web v1
	commit_tag apps prod web v1
	merged v1 dev >"$T/merged"
	sh_pipe 0 'gp-read-config --next <"$T/merged"'
	has "$(jq -r .skip.reason <<<"$output")" 'no next environment'
}

@test "--next of a stream keeps its order" {
	merged v1 dev >"$T/merged"
	{
		jq -c '.n = 1' "$T/merged"
		printf '%s\n' '{"n":2,"skip":{"program":"p","reason":"r"}}'
		jq -c '.n = 3' "$T/merged"
	} >"$T/many"
	sh_pipe 0 'gp-read-config --next <"$T/many"'
	same stream '1qa 2null 3qa' "$(jq -r '"\(.n)\(.promotion.env)"' <<<"$output" | paste -sd ' ')"
}

@test "pull_request: labels, reviewers and draft, for all and under an environment" {
	config_is <<-'YAML'
		pull_request:
		  labels: [gp, "two words"]
		environments:
		  - env: dev
		    auto: true
		  - env: qa
		    pull_request: {reviewers: [emilia, acme/platform], draft: yes}
	YAML
	start apps/web v1 >"$T/document"
	output=$(cat "$T/document")
	jq_is '.config.pull_request.labels[1]' 'two words'
	jq_is '.config.environments[1].pull_request | "\(.reviewers[1]) \(.draft)"' 'acme/platform true'
	jq_true '.config.environments[0].pull_request == null'
	printf 'environments:\n  - env: dev\n    pull_request: {label: [a]}\n' | config_is
	refused :3:20 "unknown key 'label': did you mean 'labels'?"
	printf 'environments:\n  - env: dev\n    pull_request: {labels: a}\n' | config_is
	refused :3:28 'labels: expected a list'
	printf 'environments:\n  - env: dev\n    pull_request: {labels: [[a]]}\n' | config_is
	refused :3:29 'expected text'
	printf 'pull_request: {draft: true}\nenvironments:\n  - env: dev\n    auto: true\n' | config_is
	refused "pull requests of environment 'dev' are drafts, which auto: true cannot merge"
}
