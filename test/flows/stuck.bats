#!/usr/bin/env bats
# What main has left behind: promotions that no longer merge are made anew by gp-promote, and nothing that is a person's.

setup() {
	load ../lib/helper
	gp_setup
}

# one_file APP…: all of them in one manifest an environment, their tags on adjacent lines.
one_file() {
	local env app text=images:$'\n'

	for app; do
		text+="  $app: r/$app:v0 # {\"\$imagepolicy\": \"apps:$app\"}"$'\n'
	done
	for env in dev qa prod; do commit_file "apps/$env/all.yaml" <<<"$text"; done
}

# has_tag ENV APP TAG: in main.
has_tag() {
	has "$(git -C "$REMOTE" show "main:apps/$1/all.yaml")" "r/$2:$3 "
}

# count_git: from here on each git that talks to the remote is a line in $T/git.log.
count_git() {
	mkdir -p "$T/bin"
	cat >"$T/bin/git" <<-SH
		#!/bin/sh
		case "\$*" in *push\ --porcelain*) echo push >>"$T/git.log" ;; *ls-remote*) echo ls-remote >>"$T/git.log" ;; esac
		exec $(command -v git) "\$@"
	SH
	chmod +x "$T/bin/git"
	: >"$T/git.log"
	export PATH="$T/bin:$PATH"
}

@test "two apps on adjacent lines: the second is made anew by the promote of the first, and merges by itself" {
	make_gitops
	one_file web api
	expect 0 new apps/web v1
	expect 0 new apps/api v1
	expect 0 run_status 1
	expect 0 gp-find-pr --open --all
	lacks "$output" '"branch":"promote/apps-web"'
	expect 0 gp-refresh
	has "$(gp-find-pr --open --number 2 | gp-read-config | gp-check-status)" \
		"conflicts with 'main': gp promote makes it anew; dev is the first"
	local head

	head=$(pr 2 .head)
	expect 0 run_promote
	has "$stderr" "made pull request #2 'Promote apps/api version v1 to environment dev' anew: it no longer merged"
	[ "$(pr 2 .head)" != "$head" ]
	same title 'Promote apps/api version v1 to environment dev' "$(pr 2 .title)"
	# Its gate was open before, and is posted on the new commit: nothing else is needed.
	forge find-pr '{"number": 2}' >"$T/run/look"
	same state merged "$(pr 2 .state)"
	has_tag dev api v1
	has_tag dev web v1
}

@test "the prod pull request that waits for a person: a line below is edited, and it stays green and ready" {
	make_gitops
	carry apps/web v1 qa
	flux apps qa success
	run_promote >"$T/run/promote"
	expect 0 run_status 3
	git -C "$REMOTE" show main:apps/prod/web.yaml >"$T/run/manifest"
	printf '          args: [a]\n' >>"$T/run/manifest"
	commit_file apps/prod/web.yaml <"$T/run/manifest"
	expect 0 run_promote
	same gate success "$(gate 3)"
	same 'auto-merge' false "$(pr 3 .auto_merge)"
	merge_pr 3
	same tag v1 "$(remote_tag apps prod web)"
	has "$(git -C "$REMOTE" show main:apps/prod/web.yaml)" 'args: [a]'
}

@test "per-env, a dozen at once: one listing, one look at the branches, one push" {
	local apps app

	apps=$(printf 'a%s ' {1..12})
	make_gitops --prflow per-env
	# shellcheck disable=SC2086 # words
	one_file $apps
	for app in $apps; do start "apps/$app" v1 --env prod; done | gp-set-tag | gp-open-pr >"$T/run/new"
	commit_file apps/prod/all.yaml <<<"$(git -C "$REMOTE" show main:apps/prod/all.yaml | sed 's/ #/  #/')"
	git -C "$CLONE" fetch --quiet
	spy_forge
	count_git
	expect 0 gp-promote
	same 'made anew' 12 "$(grep -c 'anew: it no longer merged' <<<"$stderr")"
	# The pull request of the push's commit, and a list for gp-find-pr and one for gp-open-pr.
	same 'asked of the forge' 3 "$(spied | grep -c find-pr)"
	same pushes 1 "$(grep -c push "$T/git.log")"
	for app in $apps; do
		same "$app" "$(remote_tip)" "$(git -C "$REMOTE" rev-parse "promote/prod/apps-$app^")"
	done
	expect 0 gp-promote
	lacks "$stderr" anew
}

@test "one of them is refused by the server: the others are pushed all the same" {
	make_gitops --apps 'apps/web apps/api apps/job'
	cat >"$REMOTE/hooks/pre-receive" <<-'SH'
		#!/bin/sh
		! grep -q apps-api || { echo 'not this one' >&2; exit 1; }
	SH
	chmod +x "$REMOTE/hooks/pre-receive"
	sh_pipe 69 'for app in web api job; do gp-read-config --group apps --app $app --tag v1; done | gp-set-tag | gp-open-pr'
	same 'pull requests' '1 web,2 job' "$(prs '"\(.number) \(.title | split("/")[1] | split(" ")[0])"' | sort | paste -sd ,)"
	same error 69 "$(jq -s '.[1].error.exit' <<<"$output")"
	has "$stderr" "cannot push branch 'promote/apps-api'" 'not this one'
}

@test "two documents of one branch in a stream: each has its turn" {
	make_gitops
	sh_pipe 0 'for tag in v1 v2; do gp-read-config --group apps --app web --tag $tag; done | gp-set-tag | gp-open-pr'
	same numbers '"1 1"' "$(jq -s '"\(.[0].pull_request.number) \(.[1].pull_request.number)"' <<<"$output")"
	same title 'Promote apps/web version v2 to environment dev' "$(pr 1 .title)"
}

@test "a manifest that has moved: made anew where it is now" {
	make_gitops
	propose apps/web v1 dev
	seed_to
	mkdir "$SEED/apps/dev/sub"
	git -C "$SEED" mv apps/dev/web.yaml apps/dev/sub/web.yaml
	seed_push 'move it'
	verdict 1 1
	has "$output" "'apps/dev/web.yaml' is gone from 'main'" 'gp promote makes it anew'
	expect 0 run_promote
	has "$stderr" anew
	same 'what it changes' apps/dev/sub/web.yaml "$(git -C "$REMOTE" diff --name-only main promote/apps-web)"
	verdict 0 1
}

@test "the environment carries another version by now: left alone, and the gate says so" {
	make_gitops
	propose apps/web v1 dev
	commit_tag apps dev web v3
	local head

	head=$(pr 1 .head)
	expect 0 run_promote
	same head "$head" "$(pr 1 .head)"
	verdict 0 1
	has "$output" "conflicts with 'main', where apps/dev has v3 by now"
	commit_tag apps dev web v1
	expect 0 run_promote
	same head "$head" "$(pr 1 .head)"
}

@test "what a person has pushed onto the branch is never made anew, nor is a fork's" {
	make_gitops
	one_file web api
	new apps/web v1
	seed_to promote/apps-web
	echo more >>"$SEED/README.md"
	seed_push 'by hand' promote/apps-web
	commit_file apps/dev/all.yaml <<<"$(git -C "$REMOTE" show main:apps/dev/all.yaml | sed 's/api:v0/api:v7/')"
	local head

	head=$(pr 1 .head)
	expect 0 run_promote
	same head "$head" "$(pr 1 .head)"
}

@test "a description that was edited does not keep it from being made anew" {
	make_gitops
	one_file web api
	new apps/web v1
	open_pr promote/apps-web 'my title' 'my words' >/dev/null
	commit_file apps/dev/all.yaml <<<"$(git -C "$REMOTE" show main:apps/dev/all.yaml | sed 's/api:v0/api:v7/')"
	expect 0 run_promote
	has "$stderr" anew
	same title 'Promote apps/web version v1 to environment dev' "$(pr 1 .title)"
	verdict 0 1
}

@test "more than 1000 commits behind: the gate says the way out, and gp-promote takes it" {
	make_gitops
	propose apps/web v1 dev
	{
		for _ in {1..1001}; do
			printf 'commit refs/heads/main\ncommitter Emilia <emilia@example.com> 1700000000 +0000\ndata 1\nx\n'
			[ -n "${begun-}" ] || printf 'from refs/heads/main^0\n'
			begun=1
		done
	} | git -C "$REMOTE" fast-import --quiet
	verdict 1 1
	has "$output" '1000 commits back' 'gp promote makes it anew'
	cd "$CLONE"
	expect 0 gp-promote
	has "$stderr" anew
	same 'on main' "$(remote_tip)" "$(git -C "$REMOTE" rev-parse promote/apps-web^)"
	verdict 0 1
}

@test "prflow has changed: the old flow's branch is left alone" {
	make_gitops
	one_file web api
	new apps/web v1
	commit_file gitops-promotion.yaml <<<"$(git -C "$REMOTE" show main:gitops-promotion.yaml | sed 's/per-app/per-env/')"
	commit_file apps/dev/all.yaml <<<"$(git -C "$REMOTE" show main:apps/dev/all.yaml | sed 's/api:v0/api:v7/')"
	expect 0 run_promote
	has "$stderr" "branch 'promote/apps-web' is not the one of this promotion, 'promote/dev/apps-web'"
	same open 1 "$(prs)"
}

@test "gp-find-pr --open --stuck lists them; --stuck alone, or with --all, is 64" {
	make_gitops
	one_file web api
	new apps/web v1
	new apps/api v1
	expect 0 gp-find-pr --open --stuck
	jq_is .skip.reason 'no pull request is stuck'
	expect 0 run_status 1
	expect 0 gp-find-pr --open --stuck
	jq_is '"\(.pull_request.number) \(.promotion.app)"' '2 api'
	expect 64 gp-find-pr --stuck
	expect 64 gp-find-pr --open --all --stuck
}

@test "a branch of gp's name with somebody's commits and no pull request is not overwritten: 69" {
	local head

	make_gitops
	git -C "$SEED" checkout --quiet -B mine
	echo mine >"$SEED/mine"
	seed_push 'my own work' promote/apps-web
	head=$(remote_tip promote/apps-web)
	expect 69 gp-new apps/web v1
	has "$stderr" "branch 'promote/apps-web' has commits that are not gp's"
	same head "$head" "$(remote_tip promote/apps-web)"
	# On top of gp's own commit alike.
	start apps/web v1 | gp-set-tag >"$T/document"
	git push --quiet --force "$REMOTE" "$(jq -r .change.commit "$T/document"):refs/heads/promote/apps-web"
	seed_to promote/apps-web
	echo mine >"$SEED/mine"
	seed_push 'my own work' promote/apps-web
	expect 69 gp-open-pr <"$T/document"
	has "$stderr" "commits that are not gp's"
	# Gp's own alone may go, and so may one that main has.
	git push --quiet --force "$REMOTE" "$(jq -r .change.commit "$T/document"):refs/heads/promote/apps-web"
	expect 0 gp-new apps/web v2
}

@test "a branch that a merged promotion left behind is used again" {
	make_gitops
	new apps/web v1
	run_status 1 >"$T/run/status"
	git -C "$REMOTE" branch --quiet -f promote/apps-web "$(pr 1 .head)"
	git clone --quiet --depth 1 "file://$REMOTE" "$T/shallow"
	cd "$T/shallow"
	expect 0 gp-new apps/web v2
	same number 2 "$(jq .pull_request.number <<<"$output")"
}

@test "a branch that is in the way is named: promote, or one below" {
	make_gitops
	git -C "$REMOTE" branch --quiet promote main
	expect 69 gp-new apps/web v1
	has "$stderr" "branch 'promote/apps-web' cannot be made while there is a branch 'promote': rename or delete that"
	git -C "$REMOTE" branch --quiet -D promote
	git -C "$REMOTE" branch --quiet promote/apps-web/x main
	expect 69 gp-new apps/web v1
	has "$stderr" "while there is a branch 'promote/apps-web/x'"
}

@test "a release that comes while the old one is made anew is not taken back" {
	make_gitops
	one_file web api
	new apps/web v1
	commit_file apps/dev/all.yaml <<<"$(git -C "$REMOTE" show main:apps/dev/all.yaml | sed 's/api:v0/api:v7/')"
	gp-find-pr --open --stuck | gp-read-config --next | gp-set-tag >"$T/document"
	new apps/web v2
	expect 0 gp-open-pr <"$T/document"
	jq_is .skip.reason 'superseded by v2, which another run has just brought in #1'
	same title 'Promote apps/web version v2 to environment dev' "$(pr 1 .title)"
}

@test "a version that was missing is skipped where the environment before has another by now" {
	make_gitops
	commit_tag apps dev web v1
	gp-find-missing | gp-read-config --next | gp-set-tag >"$T/document"
	commit_tag apps dev web v2
	expect 0 gp-open-pr <"$T/document"
	jq_is .skip.reason 'superseded by v2'
	same open '' "$(prs)"
}
