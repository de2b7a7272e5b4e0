#!/usr/bin/env bats
# The flows from end to end: pipes, wrong input, kinds of clones, releases that
# overtake each other, everything that may happen twice or at once.

setup() {
	load ../lib/helper
	gp_setup
}

# Pipes

@test "a pipe cut off before it writes: a diff, and nothing is changed" {
	make_gitops
	local clone remote

	clone=$(snapshot_clone "$CLONE")
	remote=$(snapshot_remote)
	sh_pipe 0 'gp-read-config --group apps --app web --tag v2 | gp-set-tag --dry-run'
	has "$stderr" '-          image: ghcr.io/acme/web:v0' '+          image: ghcr.io/acme/web:v2'
	same clone "$clone" "$(snapshot_clone "$CLONE")"
	same remote "$remote" "$(snapshot_remote)"
}

@test "each line of a pipe can be saved, edited and fed to the next" {
	make_gitops
	gp-read-config --group apps --app web --tag v2 >"$T/1"
	jq '.promotion.tag = "v3" | .note = "by hand"' "$T/1" >"$T/1.edited"
	gp-set-tag <"$T/1.edited" >"$T/2"
	gp-open-pr <"$T/2" >"$T/3"
	jq . "$T/3" >"$T/3.edited"
	expect 0 gp-merge --auto <"$T/3.edited"
	jq_is .note 'by hand'
	same title 'Promote apps/web version v3 to environment dev' "$(pr 1 .title)"
	same auto true "$(pr 1 .auto_merge)"
	gp-find-pr --open --number 1 >"$T/4"
	gp-read-config <"$T/4" >"$T/5"
	gp-check-status <"$T/5" >"$T/6"
	expect 0 gp-set-status --gate <"$T/6"
	same state merged "$(pr 1 .state)"
}

@test "gp-new | jq .pull_request.number" {
	make_gitops
	sh_pipe 0 'gp-new --group apps --app web --tag v1 | jq .pull_request.number'
	same number 1 "$output"
}

@test "a stream opens three pull requests" {
	make_gitops --apps 'g/a g/b g/c'
	sh_pipe 0 'for a in a b c; do gp-read-config --group g --app $a --tag v9; done | gp-set-tag | gp-open-pr | gp-merge --auto'
	same documents '1 2 3' "$(jq .pull_request.number <<<"$output" | paste -sd ' ')"
	same open '1 promote/g-a true,2 promote/g-b true,3 promote/g-c true' \
		"$(prs '"\(.number) \(.branch) \(.auto_merge)"' | paste -sd ,)"
}

@test "a stream with one that fails: the others go on, its status is the pipe's" {
	make_gitops --apps 'g/a g/c'
	GP_VERBOSE=-1 sh_pipe 65 'for a in a b c; do gp-read-config --group g --app $a --tag v9; done | gp-set-tag | gp-open-pr | gp-merge --auto'
	one_message gp-set-tag g:b
	same open 'promote/g-a promote/g-c' "$(prs .branch | paste -sd ' ')"
}

# Wrong input. Each: the exit status of the table, one line that names the thing, nothing written.

# wrong EXIT PROGRAM TEXT [OPTION…]: gp-new's pipe for the web at v1 fails like that.
wrong() {
	local want=$1 program=$2 text=$3 clone remote

	shift 3
	clone=$(snapshot_clone "$CLONE")
	remote=$([ ! -d "$REMOTE" ] || snapshot_remote)
	sh_pipe "$want" 'gp-read-config "$@" | gp-set-tag | gp-open-pr | gp-merge --auto' --group apps --app web --tag v1 "$@"
	one_message "$program" "$text"
	jq_is .error.exit "$want"
	jq_is .error.program "$program"
	same clone "$clone" "$(snapshot_clone "$CLONE")"
	same remote "$remote" "$([ ! -d "$REMOTE" ] || snapshot_remote)"
	! [ -d "$REMOTE" ] || same branches "$BASE" "$(remote_branches)"
}

@test "wrong input: no configuration file" {
	make_gitops
	seed_to
	git -C "$SEED" rm --quiet gitops-promotion.yaml
	seed_push 'no configuration'
	wrong 78 gp-read-config gitops-promotion.yaml
}

@test "wrong input: an unknown environment" {
	make_gitops
	wrong 78 gp-read-config staging --env staging
}

@test "wrong input: YAML with a tab" {
	make_gitops
	printf 'environments:\n\t- env: dev\n' | commit_file gitops-promotion.yaml
	wrong 78 gp-read-config gitops-promotion.yaml:2
}

@test "wrong input: a key of the wrong type" {
	make_gitops
	printf 'environments:\n  - env: dev\n    auto: [yes]\n' | commit_file gitops-promotion.yaml
	wrong 78 gp-read-config gitops-promotion.yaml:3:11
}

@test "wrong input: no --tag" {
	make_gitops
	local remote

	remote=$(snapshot_remote)
	sh_pipe 64 'gp-read-config --group apps --app web | gp-set-tag | gp-open-pr | gp-merge --auto'
	one_message gp-read-config tag
	expect 64 gp-new --group apps --app web
	one_message gp-new tag
	same remote "$remote" "$(snapshot_remote)"
}

@test "wrong input: an app without markers" {
	make_gitops
	wrong 65 gp-set-tag apps:api --app api
}

@test "wrong input: a group whose directory is missing" {
	make_gitops
	wrong 65 gp-set-tag shop/dev --group shop
}

@test "wrong input: a remote that is gone" {
	make_gitops
	rm -rf "$REMOTE"
	wrong 71 gp-read-config remote.git
}

@test "wrong input: an empty repository" {
	make_gitops
	git init --quiet --bare "$T/empty.git"
	git remote set-url origin "file://$T/empty.git"
	wrong 69 gp-read-config empty.git
}

@test "wrong input: not a repository" {
	make_gitops
	mkdir "$T/plain"
	cd "$T/plain"
	export GIT_CEILING_DIRECTORIES="$T"
	wrong 71 gp-read-config 'not a git repository'
}

@test "wrong input: a manifest that is not valid YAML" {
	make_gitops
	printf 'a: [\n  image: x/web:v0 # {"$imagepolicy": "apps:web"}\n' | commit_file apps/dev/web.yaml
	wrong 65 gp-set-tag apps/dev/web.yaml
}

@test "wrong input: a tag that is none" {
	make_gitops
	expect 64 gp-new --group apps --app web --tag 'a b'
	one_message gp-read-config tag 'a b'
	same branches main "$(remote_branches)"
}

@test "a failing first program in a plain sh pipe: its exit status, one message, no branch, no pull request" {
	make_gitops
	local remote

	remote=$(snapshot_remote)
	sh_pipe 78 'gp-read-config --group apps --app web --tag v1 --env nowhere | gp-set-tag | gp-open-pr | gp-merge --auto'
	one_message gp-read-config nowhere
	sh_pipe 78 'gp-new --group apps --app web --tag v1 --env nowhere'
	one_message gp-read-config nowhere
	same remote "$remote" "$(snapshot_remote)"
	same open '' "$(prs)"
}

@test "nobody configured as committer: gp is its own" {
	make_gitops
	unset "${!GIT_AUTHOR_@}" "${!GIT_COMMITTER_@}" EMAIL
	same number 1 "$(new apps/web v1)"
	has "$(git -C "$REMOTE" log -1 --format='%an %cn' promote/apps-web)" gp
	GIT_AUTHOR_NAME=Ann GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=Bo GIT_COMMITTER_EMAIL=b@example.com new apps/web v2
	same names 'Ann Bo' "$(git -C "$REMOTE" log -1 --format='%an %cn' promote/apps-web)"
}

@test "a push that merged no promotion has nothing to promote" {
	make_gitops
	commit_file README.md 'a word' <<<x
	expect 0 run_promote
	jq_is .skip.program gp-find-pr
	same branches main "$(remote_branches)"
}

@test "squash merges do as well" {
	make_gitops
	gp-new --group apps --app web --tag v1 --method squash >/dev/null
	run_status 1 >/dev/null
	local tip

	tip=$(remote_tip)
	same parents 1 "$(git -C "$REMOTE" log -1 --format=%P main | wc -w | tr -d ' ')"
	flux apps dev success
	run_promote "$tip" --method squash | jq .pull_request.number >"$T/number"
	same number 2 "$(cat "$T/number")"
	run_status 2 >/dev/null
	same tags 'v1 v1 v0' "$(tags apps web)"
	same merges 0 "$(git -C "$REMOTE" rev-list --merges --count main)"
}

# The default branch

@test "a repository whose default branch is trunk works throughout" {
	make_gitops --branch trunk
	carry apps/web v1 prod
	same tags 'v1 v1 v1' "$(tags apps web)"
	same base trunk "$(pr 3 .base)"
	same branches 'promote/apps-web trunk' "$({ remote_branches && echo promote/apps-web; } | sort -u | paste -sd ' ')"
}

@test "--base and GP_BASE: a branch that is not the default one" {
	make_gitops
	git -C "$REMOTE" branch release main
	GP_BASE=release expect 0 gp-new --group apps --app web --tag v1
	same base release "$(pr 1 .base)"
	expect 0 gp-status --base release --number 1
	same state merged "$(pr 1 .state)"
	same tags 'v0 v1' "$(remote_tag apps dev web main) $(remote_tag apps dev web release)"
}

# Kinds of clones. Each flow does the same in each, and leaves it as it was.

# flows_in DIR: all four flows, run in DIR, which is there before they start.
flows_in() {
	local dir=$1 before commits shallow

	before=$(snapshot_clone "$dir")
	shallow=$(git -C "$dir" rev-parse --is-shallow-repository)
	commits=$(git -C "$dir" rev-list --count --all)
	cd "$dir" || return
	# New; the same again; a newer one.
	same number 2 "$(new apps/web v1)"
	same number 2 "$(new apps/web v1)"
	same number 2 "$(new apps/web v2)"
	expect 0 gp-status --number 2
	same state merged "$(pr 2 .state)"
	# Promote: the push carried other commits since.
	local merge

	merge=$(remote_tip)
	commit_file README.md later <<<later
	commit_tag apps dev api v7
	expect 0 gp-promote --commit "$merge"
	jq_is .pull_request.number 3
	same tag v2 "$(remote_tag apps qa web promote/apps-web)"
	# Status: the evidence is further back than a depth of 1.
	expect 75 gp-status --number 3 --wait=1s
	flux apps dev success "$merge"
	# Refresh.
	expect 0 gp-refresh
	same state merged "$(pr 3 .state)"
	same tags 'v2 v2 v0' "$(tags apps web)"
	same clone "$before" "$(snapshot_clone "$dir")"
	fsck_clean "$dir"
	fsck_clean "$REMOTE"
	[ "$(git -C "$dir" rev-list --count --all)" -ge "$commits" ] || fail 'history was cut off'
	[ "$shallow" = true ] || same shallow false "$(git -C "$dir" rev-parse --is-shallow-repository)"
}

# A repository with some history and pull request 1 (the api's) open.
with_history() {
	make_gitops --apps 'apps/web apps/api'
	local n

	for n in 1 2 3 4 5 6 7 8; do
		commit_file README.md "change $n" <<<"$n"
	done
	propose apps/api v5 prod >/dev/null
	cd "$T" || return
}

@test "every flow in a full clone" {
	with_history
	git clone --quiet "file://$REMOTE" "$T/full"
	flows_in "$T/full"
}

@test "every flow in a full clone that has fallen behind, with work going on in it" {
	with_history
	git clone --quiet "file://$REMOTE" "$T/old"
	cd "$T/old"
	git checkout --quiet -b mine HEAD~3
	echo edited >>README.md
	echo staged >staged && git add staged
	echo untracked >untracked
	git tag v1
	git stash --quiet && git stash apply --quiet
	flows_in "$T/old"
	git checkout --quiet --force main
	git pull --quiet --ff-only
}

@test "every flow in a clone by path" {
	with_history
	git clone --quiet "$REMOTE" "$T/path"
	flows_in "$T/path"
}

@test "every flow in a depth-1 clone" {
	with_history
	git clone --quiet --depth 1 "file://$REMOTE" "$T/shallow"
	flows_in "$T/shallow"
	git -C "$T/shallow" pull --quiet --ff-only
}

@test "every flow in a depth-5 clone, which keeps its five commits" {
	with_history
	git clone --quiet --depth 5 "file://$REMOTE" "$T/shallow"
	flows_in "$T/shallow"
}

@test "every flow in CI's checkout: depth 1, detached at a pull request's merge commit" {
	with_history
	checkout "$T/ci" refs/pull/1/merge
	flows_in "$T/ci"
}

@test "every flow in CI's checkout of main: depth 1, detached" {
	with_history
	checkout "$T/ci"
	flows_in "$T/ci"
}

@test "every flow in a linked work tree" {
	with_history
	git -C "$CLONE" worktree add --quiet --detach "$T/linked"
	flows_in "$T/linked"
}

@test "every flow in a partial clone" {
	with_history
	git -C "$REMOTE" config uploadpack.allowFilter true
	git -C "$REMOTE" config uploadpack.allowAnySHA1InWant true
	git clone --quiet --filter=blob:none "file://$REMOTE" "$T/partial"
	flows_in "$T/partial"
}

@test "every flow with a clone whose tags and branches have the base's and the promotion's names" {
	with_history
	git clone --quiet "file://$REMOTE" "$T/names"
	git -C "$T/names" tag main HEAD~2
	git -C "$T/names" tag promote/apps-web HEAD~2
	git -C "$T/names" branch promote/apps-web HEAD~3
	flows_in "$T/names"
}

@test "evidence lies far back in a depth-1 checkout" {
	make_gitops
	commit_tag apps dev web v1
	flux apps dev success
	local n

	seed_to
	for n in {1..40}; do
		git -C "$SEED" commit --quiet --allow-empty -m "$n"
	done
	git -C "$SEED" push --quiet origin HEAD:refs/heads/main
	propose apps/web v1 qa >/dev/null
	expect 0 run_status 1
	same state merged "$(pr 1 .state)"
}

@test "a promotion that is far behind main, in a depth-1 checkout" {
	make_gitops
	commit_tag apps dev web v1
	propose apps/web v1 qa >/dev/null
	local n

	seed_to
	for n in {1..40}; do
		git -C "$SEED" commit --quiet --allow-empty -m "$n"
	done
	git -C "$SEED" push --quiet origin HEAD:refs/heads/main
	flux apps dev success
	expect 0 run_status 1
	same state merged "$(pr 1 .state)"
}

# Releases that overtake each other

@test "v1 is merged to qa, v2 released, and only then v1's promote job: v2's pull request stands" {
	make_gitops
	carry apps/web v1 qa
	local tip head

	tip=$(remote_tip)
	flux apps qa success
	same number 3 "$(new apps/web v2)"
	head=$(pr 3 .head)
	expect 0 run_promote "$tip"
	jq_is .skip.program gp-open-pr
	same head "$head" "$(pr 3 .head)"
	same title 'Promote apps/web version v2 to environment dev' "$(pr 3 .title)"
	same auto true "$(pr 3 .auto_merge)"
	same open 3 "$(prs)"
}

@test "an old promote job run again does nothing" {
	make_gitops
	carry apps/web v1 dev
	local first before

	first=$(remote_tip)
	flux apps dev success
	run_promote "$first" >/dev/null
	before=$(snapshot_remote)
	# … while its pull request is open
	expect 0 run_promote "$first"
	same remote "$before" "$(snapshot_remote)"
	# … when it is merged
	run_status 2 >/dev/null
	same tags 'v1 v1 v0' "$(tags apps web)"
	carry apps/web v2 dev
	# … and when the next release is under way
	before=$(snapshot_remote)
	expect 0 run_promote "$first"
	has "$(jq -r .skip.reason <<<"$output")" 'superseded by v2'
	same remote "$before" "$(snapshot_remote)"
}

@test "three merges in one push: three promotions" {
	make_gitops --apps 'apps/web apps/api apps/job'
	local before

	before=$(remote_tip)
	carry apps/web v1 dev
	carry apps/api v2 dev
	carry apps/job v3 dev
	printf '{"before":"%s","after":"%s"}\n' "$before" "$(remote_tip)" >"$T/event.json"
	GITHUB_EVENT_NAME=push GITHUB_EVENT_PATH="$T/event.json" expect 0 run_promote
	same promotions 'web@v1 api@v2 job@v3' "$(jq -r '"\(.promotion.app)@\(.promotion.tag)"' <<<"$output" | paste -sd ' ')"
	same open '4 promote/apps-web,5 promote/apps-api,6 promote/apps-job' "$(prs '"\(.number) \(.branch)"' | paste -sd ,)"
}

@test "qa is at the tag already, by hand: prod's pull request opens" {
	make_gitops
	carry apps/web v1 dev
	local tip

	tip=$(remote_tip)
	commit_tag apps qa web v1
	expect 0 run_promote "$tip"
	jq_is .promotion.env prod
	same title 'Promote apps/web version v1 to environment prod' "$(pr 2 .title)"
	has "$stderr" qa
}

@test "two releases at the same time: one of them wins, the other says so or waits its turn" {
	make_gitops
	(gp-new --group apps --app web --tag v1 >"$T/one" 2>"$T/one.err" || echo $? >"$T/one.exit") 3>&- &
	(gp-new --group apps --app web --tag v2 >"$T/two" 2>"$T/two.err" || echo $? >"$T/two.exit") 3>&- &
	wait
	same open 1 "$(prs)"
	local tag

	tag=$(remote_tag apps dev web promote/apps-web)
	for file in "$T"/*.exit; do
		[ ! -e "$file" ] || same "$(cat "${file%.exit}.err")" 75 "$(cat "$file")"
	done
	new apps/web v2
	same title 'Promote apps/web version v2 to environment dev' "$(pr 1 .title)"
	[[ "$tag" == v[12] ]]
}

# Again and again

@test "the same gp-new and gp-promote again leave a sound pull request's commit as it is" {
	make_gitops
	new apps/web v1
	local head before tip

	head=$(pr 1 .head)
	before=$(snapshot_remote)
	export GIT_AUTHOR_DATE='2031-01-01T00:00:00Z' GIT_COMMITTER_DATE='2031-01-01T00:00:00Z'
	same number 1 "$(new apps/web v1)"
	same head "$head" "$(pr 1 .head)"
	same remote "$before" "$(snapshot_remote)"
	commit_file README.md 'other matters' <<<x
	same number 1 "$(new apps/web v1)"
	same head "$head" "$(pr 1 .head)"
	run_status 1 >/dev/null
	tip=$(remote_tip)
	run_promote "$tip" >/dev/null
	head=$(pr 2 .head)
	commit_file README.md 'more of them' <<<y
	expect 0 run_promote "$tip"
	jq_is .pull_request.number 2
	same head "$head" "$(pr 2 .head)"
	same open 2 "$(prs)"
}

@test "gp-new for what is there already is nothing to do" {
	make_gitops
	carry apps/web v1 dev
	local before

	before=$(snapshot_remote)
	expect 0 gp-new --group apps --app web --tag v1
	jq_is .skip.program gp-set-tag
	same remote "$before" "$(snapshot_remote)"
}

@test "killed at any point and run again, a flow ends in the same state" {
	[ -r /proc/self/stat ] || skip 'no /proc'
	make_gitops
	propose apps/web v1 prod
	spy_forge
	local op

	for op in find-pr set-auto-merge open-pr get-repository list-statuses; do
		on_op "$op" <<-'SH'
			# The program that asked: the spy's parent.
			kill -9 "$(cut -d ' ' -f 4 "/proc/$PPID/stat")"
			kill -9 "$PPID"
		SH
		gp-new --group apps --app web --tag "v-$op" >/dev/null 2>&1 || true
		rm "$T/on/$op"
		same number 1 "$(new apps/web "v-$op")"
		same "after $op" "1 Promote apps/web version v-$op to environment dev true" \
			"$(GP_PROVIDER=local prs '"\(.number) \(.title) \(.auto_merge)"')"
		same tag "v-$op" "$(remote_tag apps dev web promote/apps-web)"
		same branches 'main promote/apps-web' "$(remote_branches | paste -sd ' ')"
	done
}

# The gate heals

@test "a gate that was red turns green by gp-refresh alone, and the waiting pull request merges" {
	make_gitops
	carry apps/web v1 dev
	flux apps dev failure
	run_promote >/dev/null
	expect 1 run_status 2
	same gate failure "$(gate 2)"
	expect 0 gp-refresh
	same gate failure "$(gate 2)"
	flux apps dev success
	expect 0 gp-refresh
	same state merged "$(pr 2 .state)"
	same tags 'v1 v1 v0' "$(tags apps web)"
}

@test "a gate that timed out turns green by gp-refresh alone, and the waiting pull request merges" {
	make_gitops
	carry apps/web v1 dev
	run_promote >/dev/null
	expect 75 run_status 2 --wait=1s
	same gate pending "$(gate 2)"
	expect 0 gp-refresh
	flux apps dev success
	expect 0 gp-refresh
	same state merged "$(pr 2 .state)"
}

@test "a repair on main heals a red gate" {
	make_gitops
	carry apps/web v1 dev
	local tip

	tip=$(remote_tip)
	flux apps dev failure
	run_promote "$tip" >/dev/null
	expect 1 run_status 2
	commit_file apps/dev/database.yaml 'the migration' <<<'done: true'
	flux apps dev success
	expect 0 gp-refresh
	same state merged "$(pr 2 .state)"
}

@test "gp-refresh judges every open pull request, and says red where a green one has become wrong" {
	make_gitops --apps 'apps/web apps/api'
	commit_tag apps qa web v1
	commit_tag apps dev api v1
	flux apps qa success
	propose apps/web v1 prod
	propose apps/api v1 qa
	expect 0 gp-refresh
	same gates 'success pending' "$(gate 1) $(gate 2)"
	flux apps qa failure
	flux apps dev success
	expect 0 gp-refresh
	same gates 'failure success' "$(gate 1) $(gate 2)"
	same states 'open merged' "$(pr 1 .state) $(pr 2 .state)"
}

# What a flow asks of the forge: each request to a forge on the network costs time, and counts against limits.

@test "gp-new asks three things, gp-status three, gp-promote five" {
	make_gitops
	spy_forge
	expect 0 gp-new --group apps --app web --tag v1
	same new 'find-pr open-pr set-auto-merge' "$(spied | paste -sd ' ')"
	: >"$T/forge.log"
	expect 0 run_status 1
	same status 'find-pr list-statuses set-status' "$(spied | paste -sd ' ')"
	same state merged "$(pr 1 .state)"
	: >"$T/forge.log"
	expect 0 run_promote
	same promote 'find-pr find-pr find-pr open-pr set-auto-merge' "$(spied | paste -sd ' ')"
	flux apps dev success
	: >"$T/forge.log"
	expect 0 run_status 2
	same status 'find-pr list-statuses set-status' "$(spied | paste -sd ' ')"
}

@test "gp-refresh asks for many at once, and posts what has changed" {
	local apps app

	apps=$(printf 'apps/app-%02d ' $(seq 12))
	make_gitops --apps "$apps"
	for app in $apps; do
		commit_tag apps dev "${app#*/}" v1
	done
	for app in $apps; do
		propose "$app" v1 qa
	done
	spy_forge
	expect 0 gp-refresh
	same 'the first time' '1 find-pr 2 list-statuses 12 set-status' "$(spied | sort | uniq -c | xargs)"
	same 'commits asked for twice' '' \
		"$(spied 'select(.request.op == "list-statuses") | .request.commits | group_by(.)[] | select(length > 1)')"
	: >"$T/forge.log"
	expect 0 gp-refresh
	same 'nothing new' '1 find-pr 1 list-statuses' "$(spied | sort | uniq -c | xargs)"
	flux apps dev success
	: >"$T/forge.log"
	expect 0 gp-refresh
	same 'all are green' '1 find-pr 1 list-statuses 12 set-status' "$(spied | sort | uniq -c | xargs)"
}

# Never past a gate

@test "with no required check and no green gate, promote says so and merges nothing" {
	make_gitops
	require_checks
	# Into the first environment it may.
	expect 0 gp-new --group apps --app web --tag v1
	jq_is .pull_request.merged true
	same tags 'v1 v0 v0' "$(tags apps web)"
	# Further on it may not.
	GP_VERBOSE=-1 expect 69 run_promote
	one_message gp-merge gp/gate 'is not required on' main
	same state open "$(pr 2 .state)"
	same tags 'v1 v0 v0' "$(tags apps web)"
	# Run again when the gate is green, it merges.
	flux apps dev success
	expect 0 run_status 2
	expect 0 run_promote "$(git -C "$REMOTE" rev-parse main)"
	jq_is .pull_request.merged true
	same tags 'v1 v1 v0' "$(tags apps web)"
}

# At every moment

@test "on a reset auto-merge is off before the push, and what does not agree is never green" {
	make_gitops
	propose apps/web v1 dev
	spy_forge
	# What a status job sees at each moment at which the forge is asked something.
	cat >"$T/look" <<-'SH'
		#!/bin/sh
		unset GP_PROVIDER
		document=$(gp-find-pr --open --number 1 | gp-read-config | gp-check-status 2>/dev/null)
		status=$?
		auto=$(printf '%s' "$document" | jq -r .pull_request.auto_merge)
		says=$(printf '%s' "$document" | jq -r .promotion.tag)
		tag=$(git -C "$REMOTE" show promote/apps-web:apps/dev/web.yaml | sed -n 's/.*web:\([^ ]*\) .*/\1/p')
		trailer=$(git -C "$REMOTE" log -1 --format='%(trailers:key=Gp-Promotion,valueonly)' promote/apps-web | jq -r .tag)
		echo "$status $auto $says $trailer $tag" >>"$T/seen"
	SH
	chmod +x "$T/look"
	local op

	for op in find-pr set-auto-merge open-pr get-repository; do
		on_op "$op" <<<'"$T/look"'
	done
	new apps/web v2
	has "$(cat "$T/seen")" 'false v1 v2 v2' '0 true v1 v1 v1'
	local status auto says trailer tag

	while read -r status auto says trailer tag; do
		same 'trailer and content' "$trailer" "$tag"
		if [ "$says" != "$tag" ]; then
			same 'auto-merge while they disagree' false "$auto"
			same 'gate while they disagree' 75 "$status"
		fi
	done <"$T/seen"
	same 'the end' 'true v2' "$(pr 1 .auto_merge) $(remote_tag apps dev web promote/apps-web)"
}

# Somebody else's

@test "two apps whose branch names collide never overwrite each other" {
	make_gitops --apps 'a-b/c a/b-c'
	same number 1 "$(new a-b/c v1)"
	local before

	before=$(snapshot_remote)
	sh_pipe 0 'gp-new --group a --app b-c --tag v2; [ $? -ge 65 ]'
	one_message gp-open-pr promote/a-b-c
	same remote "$before" "$(snapshot_remote)"
	# When the first is done the second may have the name.
	run_status 1 >/dev/null
	same state merged "$(pr 1 .state)"
	same number 2 "$(new a/b-c v2)"
	sh_pipe 0 'gp-new --group a-b --app c --tag v3; [ $? -ge 65 ]'
	one_message gp-open-pr promote/a-b-c
	same title 'Promote a/b-c version v2 to environment dev' "$(pr 2 .title)"
}

@test "colliding names: the other's merge is not taken for one's own" {
	make_gitops --apps 'a-b/c a/b-c'
	carry a-b/c v1 dev
	expect 0 run_promote
	jq_is '.promotion | "\(.group) \(.app) \(.tag) \(.env)"' 'a-b c v1 qa'
	same tags 'v0 v0 v0' "$(tags a b-c)"
}

# At once

@test "20 gp-new for 20 apps in parallel: 20 branches, 20 pull requests, none lost" {
	local apps='' n pids=()

	for n in {1..20}; do apps+=" apps/a$n"; done
	make_gitops --apps "$apps"
	for n in {1..20}; do
		(gp-new --group apps --app "a$n" --tag v1 >"$T/run/new.$n" 2>"$T/run/err.$n") 3>&- &
		pids+=($!)
	done
	for n in {1..20}; do
		wait "${pids[n - 1]}" || fail "a$n: $(cat "$T/run/err.$n")" || return
	done
	same numbers "$(seq 1 20 | paste -sd ' ')" "$(prs | sort -n | paste -sd ' ')"
	same branches "$(printf 'promote/apps-a%s\n' {1..20} | sort)" "$(prs .branch | sort)"
	same branches "$({ printf 'promote/apps-a%s\n' {1..20} && echo main; } | sort)" "$(remote_branches | sort)"
	same auto '20 true' "$(prs .auto_merge | sort | uniq -c | awk '{ print $1, $2 }')"
	fsck_clean "$REMOTE"
	fsck_clean "$CLONE"
}

@test "eight at once in one shallow clone do not break it" {
	local apps='' n pids=()

	for n in {1..8}; do apps+=" apps/a$n"; done
	make_gitops --apps "$apps"
	commit_file README.md later <<<later
	git clone --quiet --depth 1 "file://$REMOTE" "$T/shallow"
	commit_file README.md 'later still' <<<later
	cd "$T/shallow"
	local before

	before=$(snapshot_clone "$T/shallow")
	for n in {1..8}; do
		(gp-new --group apps --app "a$n" --tag v1 >"$T/run/new.$n" 2>"$T/run/err.$n") 3>&- &
		pids+=($!)
	done
	for n in {1..8}; do
		wait "${pids[n - 1]}" || fail "a$n: $(cat "$T/run/err.$n")" || return
	done
	same numbers "$(seq 1 8 | paste -sd ' ')" "$(prs | sort -n | paste -sd ' ')"
	same clone "$before" "$(snapshot_clone "$T/shallow")"
	fsck_clean "$T/shallow"
}

@test "one process promotes many apps" {
	local apps='' n

	for n in {1..50}; do apps+=" apps/a$n"; done
	make_gitops --apps "$apps"
	start apps/a1 v1 | jq -c 'range(1; 51) as $n | .promotion.app = "a\($n)"' >"$T/many"
	sh_pipe 0 'gp-set-tag <"$T/many" | gp-open-pr | gp-merge --auto'
	same documents 50 "$(grep -c '' <<<"$output")"
	same open 50 "$(prs | grep -c '')"
}
