#!/usr/bin/env bats
# gp-open-pr: opens the pull request, or resets the open one; never a second.

setup() {
	load ../lib/helper
	gp_setup
	make_gitops --apps 'apps/web apps/api'
}

# open_web EXIT TAG [ENV]: web at TAG in ENV, without auto-merge.
open_web() {
	start apps/web "$2" --env "${3:-dev}" | gp-set-tag >"$T/document"
	expect "$1" gp-open-pr <"$T/document"
}

# meddling_git: from here on each `git push` of a program comes just after $T/meddle has run.
meddling_git() {
	mkdir -p "$T/bin"
	cat >"$T/bin/git" <<-SH
		#!/bin/sh
		for word; do
			if [ "\$word" = push ] && mv "$T/meddle" "$T/meddle.once" 2>/dev/null; then
				sh "$T/meddle.once" >/dev/null 2>&1
			fi
		done
		exec "$(command -v git)" "\$@"
	SH
	chmod +x "$T/bin/git"
	export PATH="$T/bin:$PATH"
}

# Opening

@test "pushes the branch and opens the pull request" {
	open_web 0 v1
	jq_is .pull_request.number 1
	jq_is .pull_request.title 'Promote apps/web version v1 to environment dev'
	jq_is .pull_request.branch promote/apps-web
	jq_is .pull_request.state open
	jq_is .pull_request.auto_merge false
	jq_is .pull_request.created true
	jq_is '.pull_request.merged // false' false
	jq_is .pull_request.head "$(jq -r .change.commit <<<"$output")"
	[ -n "$(jq -r '.pull_request.url // ""' <<<"$output")" ]
	same head "$(jq -r .change.commit <<<"$output")" "$(remote_tip promote/apps-web)"
	same title 'Promote apps/web version v1 to environment dev' "$(pr 1 .title)"
	same base main "$(pr 1 .base)"
}

@test "the description opens with the metadata, which the older tool reads" {
	open_web 0 v1
	same metadata \
		'<!-- metadata = {"group":"apps","app":"web","tag":"v1","env":"dev","sha":"'"$(remote_tip)"'","feature":"","type":"promote"} -->' \
		"$(pr 1 .description | head -n 1)"
}

@test "the body shows what moves: from, to, files" {
	open_web 0 v1
	has "$(pr 1 .description | tail -n +2)" v0 v1 apps/dev/web.yaml
}

@test "the body shows the previous environment's pull request" {
	carry apps/web v1 dev
	flux apps dev success
	run_promote >"$T/promoted"
	same number 2 "$(jq .pull_request.number "$T/promoted")"
	has "$(pr 2 .description | tail -n +2)" v0 v1 apps/qa/web.yaml dev '#1'
}

@test "metadata cannot be ended from inside" {
	start apps/web v1 | jq -c '.promotion.feature = "--> <b> & <!--"' | gp-set-tag | gp-open-pr >"$T/document"
	has "$(pr 1 .description | head -n 1)" '\u003e' '\u003c' '\u0026'
	same comments 1 "$(pr 1 .description | head -n 1 | grep -o -e '-->' | grep -c '')"
}

@test "the trailer, the title and the metadata say the same" {
	open_web 0 v1
	same title 'Promote apps/web version v1 to environment dev' "$(pr 1 .title)"
	same metadata \
		"$(git -C "$REMOTE" log -1 --format='%(trailers:key=Gp-Promotion,valueonly)' promote/apps-web | sed '/^$/d')" \
		"$(pr 1 .description | sed -n '1s/^<!-- metadata = \(.*\) -->$/\1/p')"
	same title "$(git -C "$REMOTE" log -1 --format=%s promote/apps-web)" "$(pr 1 .title)"
}

@test "per-env: one pull request for each environment" {
	sed -i s/per-app/per-env/ "$SEED/gitops-promotion.yaml"
	seed_push per-env
	open_web 0 v1
	open_web 0 v1 qa
	same open '1 promote/dev/apps-web,2 promote/qa/apps-web' "$(prs '"\(.number) \(.branch)"' | paste -sd ,)"
}

@test "the clone stays as it was" {
	local before

	before=$(snapshot_clone "$CLONE")
	open_web 0 v1
	open_web 0 v2
	same title 'Promote apps/web version v2 to environment dev' "$(pr 1 .title)"
	same clone "$before" "$(snapshot_clone "$CLONE")"
	fsck_clean "$CLONE"
	fsck_clean "$REMOTE"
}

# The same again

@test "the same again leaves the commit as it is" {
	open_web 0 v1
	local head

	head=$(remote_tip promote/apps-web)
	export GIT_COMMITTER_DATE='2030-01-01T00:00:00Z' GIT_AUTHOR_DATE='2030-01-01T00:00:00Z'
	open_web 0 v1
	same head "$head" "$(remote_tip promote/apps-web)"
	jq_is .pull_request.number 1
	jq_is .pull_request.head "$head"
	jq_is .pull_request.created false
	same open 1 "$(prs)"
}

@test "an older release does not take the place of a newer one that is on its way, unless --allow-older" {
	commit_file gitops-promotion.yaml <<-'YAML'
		order: semver
		environments: [{name: dev}, {name: qa}]
	YAML
	expect 0 gp-new apps/web 1.11.0
	expect 0 gp-new apps/web 1.10.0
	jq_is .skip.reason \
		'apps/web goes back in dev: 1.10.0 is older than 1.11.0, which is on its way there by #1 (see --allow-older)'
	same title 'Promote apps/web version 1.11.0 to environment dev' "$(pr 1 .title)"
	expect 0 gp-new apps/web 1.10.0 --allow-older
	has "$stderr" "warning: apps/web goes back in dev"
	same title 'Promote apps/web version 1.10.0 to environment dev' "$(pr 1 .title)"
	expect 0 gp-new apps/web 1.12.0
	lacks "$stderr" warning
	# Nothing is ordered: said aloud.
	commit_file gitops-promotion.yaml <<<'environments: [{name: dev}, {name: qa}]'
	expect 0 gp-new apps/web 1.11.0
	has "$stderr" 'warning: apps/web goes back in dev: 1.11.0 is older than 1.12.0'
}

@test "labels and reviewers come with it, those of the environment in place of the others; draft is said not to be had" {
	commit_file gitops-promotion.yaml <<-'YAML'
		prflow: per-env
		pull_request: {labels: [gp], reviewers: [emilia]}
		environments:
		  - {name: dev, auto: true}
		  - {name: qa, auto: false, pull_request: {labels: [qa, careful], draft: true}}
	YAML
	propose apps/web v1 dev
	same dev '["gp"] ["emilia"]' "$(state 1 '"\(.labels) \(.reviewers)"')"
	propose apps/web v2 qa >"$T/run/n" 2>"$T/run/said"
	has "$(cat "$T/run/said")" 'warning: gp-forge-local has no drafts'
	same qa '["qa","careful"] ["emilia"]' "$(state 2 '"\(.labels) \(.reviewers)"')"
}

@test "commit_via: api where the forge makes no commits: said, and nothing is pushed" {
	commit_file gitops-promotion.yaml <<<$'commit_via: api\nenvironments: [{name: dev}]'
	expect 78 gp-new apps/web v1
	has "$stderr" 'gp-open-pr: gitops-promotion.yaml: commit_via: api: this forge makes no commits; use git'
	same branches main "$(remote_branches)"
	commit_file gitops-promotion.yaml <<<$'commit_via: hand\nenvironments: [{name: dev}]'
	expect 78 gp-new apps/web v1
	has "$stderr" ':1:13: commit_via: expected git or api'
}

# state N FILTER: what the embedded forge keeps of an open pull request.
state() {
	git -C "$REMOTE" show "refs/gp/state:open/$1" | command jq -r "$2"
}

@test "the same again, from a main that has gone on, leaves the commit as it is" {
	open_web 0 v1
	local head

	head=$(remote_tip promote/apps-web)
	commit_file README.md 'other matters' <<<more
	open_web 0 v1
	same head "$head" "$(remote_tip promote/apps-web)"
}

@test "the same again, where its commit conflicts with main by now, is made anew on main" {
	local env head text

	# Two apps' tags on adjacent lines; a person edits the line below.
	text=$'images:\n  web: r/web:v0 # {"$imagepolicy": "apps:web"}\n  api: r/api:v0 # {"$imagepolicy": "apps:api"}'
	for env in dev qa prod; do commit_file "apps/$env/web.yaml" <<<"$text"; done
	open_web 0 v1
	head=$(pr 1 .head)
	gp-merge --auto <<<"$output" >"$T/run/merge"
	commit_file README.md 'elsewhere' <<<more
	open_web 0 v1
	has "$stderr" 'up to date'
	same head "$head" "$(pr 1 .head)"
	commit_file apps/dev/web.yaml 'the line below' <<<"${text/api:v0/api:v1}"
	expect 0 gp-open-pr --dry-run <"$T/document"
	open_web 0 v1
	has "$stderr" "made pull request #1 'Promote apps/web version v1 to environment dev' anew: it no longer merged"
	jq_is '.pull_request | "\(.number) \(.created) \(.updated)"' '1 false true'
	[ "$head" != "$(pr 1 .head)" ]
	same 'on main' "$(remote_tip)" "$(git -C "$REMOTE" rev-parse promote/apps-web^)"
	head=$(pr 1 .head)
	open_web 0 v1
	has "$stderr" 'up to date'
	# The same in a clone that ends before.
	git clone --quiet --depth 1 "file://$REMOTE" "$T/shallow"
	cd "$T/shallow"
	commit_file apps/dev/web.yaml 'the line below again' <<<"${text/api:v0/api:v2}"
	open_web 0 v1
	has "$stderr" anew
	same 'what the branch has' "${text/web:v0/web:v1}" \
		"$(git -C "$REMOTE" cat-file blob promote/apps-web:apps/dev/web.yaml | sed s/api:v2/api:v0/)"
}

@test "the same again repairs title and description only" {
	open_web 0 v1
	local head

	head=$(remote_tip promote/apps-web)
	open_pr promote/apps-web 'hacked' '<!-- metadata = {"group":"apps","app":"web","tag":"v9","env":"prod"} -->'
	same hacked hacked "$(pr 1 .title)"
	open_web 0 v1
	same head "$head" "$(remote_tip promote/apps-web)"
	same title 'Promote apps/web version v1 to environment dev' "$(pr 1 .title)"
	has "$(pr 1 .description)" '"tag":"v1","env":"dev"'
	jq_is .pull_request.updated true
}

@test "one into whose branch main was merged stands" {
	open_web 0 v1
	commit_file README.md 'other matters' <<<more
	seed_to promote/apps-web
	git -C "$SEED" fetch --quiet origin main
	git -C "$SEED" merge --quiet --no-edit FETCH_HEAD
	git -C "$SEED" push --quiet origin HEAD:refs/heads/promote/apps-web
	local head

	head=$(remote_tip promote/apps-web)
	open_web 0 v1
	same head "$head" "$(remote_tip promote/apps-web)"
}

@test "one that carries other edits is reset" {
	open_web 0 v1
	commit_file apps/dev/web.yaml 'in passing' promote/apps-web <<<'evil: true'
	local head

	head=$(remote_tip promote/apps-web)
	open_web 0 v1
	[ "$(remote_tip promote/apps-web)" != "$head" ] || fail 'the edit stands'
	same files apps/dev/web.yaml "$(git -C "$REMOTE" diff --name-only main promote/apps-web)"
	same tag v1 "$(remote_tag apps dev web promote/apps-web)"
	same parent "$(remote_tip)" "$(git -C "$REMOTE" rev-parse promote/apps-web^)"
	same open 1 "$(prs)"
}

@test "one that was opened without auto-merge, or with, stays that way" {
	open_web 0 v1
	same auto false "$(pr 1 .auto_merge)"
	start apps/web v1 | gp-set-tag | gp-open-pr | gp-merge --auto >/dev/null
	same auto true "$(pr 1 .auto_merge)"
}

# Another version

@test "a newer release resets the open pull request" {
	open_web 0 v1
	local old

	old=$(remote_tip promote/apps-web)
	open_web 0 v2
	jq_is .pull_request.number 1
	jq_is .pull_request.created false
	jq_is .pull_request.updated true
	same title 'Promote apps/web version v2 to environment dev' "$(pr 1 .title)"
	has "$(pr 1 .description)" '"tag":"v2"'
	same tag v2 "$(remote_tag apps dev web promote/apps-web)"
	same parent "$(remote_tip)" "$(git -C "$REMOTE" rev-parse promote/apps-web^)"
	[ "$(remote_tip promote/apps-web)" != "$old" ]
	same open 1 "$(prs)"
}

@test "a release for an earlier environment resets one that hangs further down" {
	open_web 0 v1 prod
	open_web 0 v2
	same title 'Promote apps/web version v2 to environment dev' "$(pr 1 .title)"
	same files apps/dev/web.yaml "$(git -C "$REMOTE" diff --name-only main promote/apps-web)"
	same open 1 "$(prs)"
}

@test "an open one for an earlier environment is a newer release: skip" {
	open_web 0 v2
	local head before

	head=$(remote_tip promote/apps-web)
	before=$(snapshot_remote)
	open_web 0 v1 qa
	jq_is .skip.program gp-open-pr
	same head "$head" "$(remote_tip promote/apps-web)"
	same remote "$before" "$(snapshot_remote)"
	has "$(jq -r .skip.reason <<<"$output")" v2
}

@test "on a reset: auto-merge off, then the push, then title and description" {
	propose apps/web v1 dev
	same auto true "$(pr 1 .auto_merge)"
	local old new

	old=$(remote_tip promote/apps-web)
	spy_forge
	open_web 0 v2
	new=$(remote_tip promote/apps-web)
	same 'auto-merge off' "false before the push" \
		"$(spied 'select(.request.op == "set-auto-merge") | "\(.request.enable) \(if .heads | contains("'"$old"'") then "before" else "after" end) the push"')"
	same 'title' 'after the push' \
		"$(spied 'select(.request.op == "open-pr") | if .heads | contains("'"$new"'") then "after" else "before" end + " the push"')"
	same auto false "$(pr 1 .auto_merge)"
}

@test "a reset where auto-merge cannot be switched off does not push" {
	propose apps/web v1 dev
	local old

	old=$(remote_tip promote/apps-web)
	spy_forge
	on_op set-auto-merge <<-'SH'
		jq -c '{id, error: {exit: 77, message: "not you"}}'
	SH
	open_web 77 v2
	one_message gp-open-pr 'not you'
	same head "$old" "$(remote_tip promote/apps-web)"
}

@test "a branch that is left over from a merged pull request is taken again" {
	propose apps/web v1 dev
	post "$(pr 1 .head)" gp/gate success
	same state merged "$(pr 1 .state)"
	git -C "$REMOTE" rev-parse --verify --quiet promote/apps-web >/dev/null ||
		git -C "$REMOTE" update-ref refs/heads/promote/apps-web "$(pr 1 .head)"
	open_web 0 v1 qa
	jq_is .pull_request.number 2
	jq_is .pull_request.created true
	same files apps/qa/web.yaml "$(git -C "$REMOTE" diff --name-only main promote/apps-web)"
}

@test "a branch whose pull request is of another type is taken, and the message says so" {
	seed_to
	manifest apps dev web v1
	seed_push 'Deploy apps/web version v1' promote/apps-web
	open_pr promote/apps-web 'Deploy apps/web version v1' \
		'<!-- metadata = {"group":"apps","app":"web","tag":"v1","env":"dev","sha":"","feature":"x","type":"feature"} -->' >/dev/null
	open_web 69 v2
	one_message gp-open-pr "branch 'promote/apps-web' is taken: pull request #1 is of type 'feature', not 'promote'"
}

@test "killed between push and opening: run again, the same end" {
	start apps/web v1 | gp-set-tag >"$T/document"
	git push --quiet "file://$REMOTE" "$(jq -r .change.commit "$T/document"):refs/heads/promote/apps-web"
	expect 0 gp-open-pr <"$T/document"
	jq_is .pull_request.number 1
	same open 1 "$(prs)"
	same branches 'main promote/apps-web' "$(remote_branches | paste -sd ' ')"
}

# Somebody else

@test "two apps whose branches have one name: the second gets an error, the first stands" {
	manifest a-b dev c v0
	manifest a dev b-c v0
	seed_push 'two apps'
	start a-b/c v1 | gp-set-tag >"$T/one"
	start a/b-c v2 | gp-set-tag >"$T/two"
	same branch "$(jq -r .change.branch "$T/one")" "$(jq -r .change.branch "$T/two")"
	expect 0 gp-open-pr <"$T/one"
	local before

	before=$(snapshot_remote)
	sh_pipe 0 'gp-open-pr <"$T/two"; [ $? -ge 65 ]'
	one_message gp-open-pr promote/a-b-c a-b
	jq_true '.error.exit >= 65'
	same remote "$before" "$(snapshot_remote)"
	# … and the other way round, when that one is done
	post "$(pr 1 .head)" gp/gate success
	merge_pr 1
	gp-read-config <"$T/two" | gp-set-tag >"$T/two.again"
	expect 0 gp-open-pr <"$T/two.again"
	jq_is .pull_request.number 2
}

@test "a branch that somebody else moved meanwhile: looked at again, and theirs stands where it is not gp's" {
	open_web 0 v1
	local theirs

	seed_to promote/apps-web
	echo mine >"$SEED/mine"
	seed_push 'by hand' theirs
	theirs=$(remote_tip theirs)
	meddling_git
	cat >"$T/meddle" <<-SH
		git -C "$REMOTE" update-ref refs/heads/promote/apps-web $theirs
	SH
	start apps/web v2 | gp-set-tag >"$T/document"
	GP_VERBOSE=-1 expect 75 gp-open-pr <"$T/document"
	one_message gp-open-pr promote/apps-web
	jq_is .error.exit 75
	same theirs "$theirs" "$(remote_tip promote/apps-web)"
	same title 'Promote apps/web version v1 to environment dev' "$(pr 1 .title)"
}

@test "a branch that somebody made meanwhile is taken if nothing is lost by it" {
	meddling_git
	cat >"$T/meddle" <<-SH
		git -C "$REMOTE" update-ref refs/heads/promote/apps-web $(remote_tip)
	SH
	open_web 0 v1
	has "$stderr" "another run was faster on 'promote/apps-web': looking again"
	same open 1 "$(prs)"
}

@test "a server that refuses the push is heard in its own words" {
	cat >"$REMOTE/hooks/pre-receive" <<-'SH'
		#!/bin/sh
		echo 'branches need a ticket' >&2
		exit 1
	SH
	chmod +x "$REMOTE/hooks/pre-receive"
	open_web 69 v1
	one_message gp-open-pr promote/apps-web 'branches need a ticket'
	same open '' "$(prs)"
}

@test "what to do about a rejected push is said, where it is known" {
	local exit words todo

	printf '#!/bin/sh\ncat "%s" >&2\nexit 1\n' "$T/words" >"$REMOTE/hooks/update"
	chmod +x "$REMOTE/hooks/update"
	while IFS='|' read -r exit words todo; do
		printf '%s\n' "$words" >"$T/words"
		open_web "$exit" v1
		one_message gp-open-pr promote/apps-web "$words" "; $todo"
		same open '' "$(prs)"
	done <<-'WORDS'
		77|refusing to allow a GitHub App to create or update workflow `.github/workflows/x.yml` without `workflows` permission|give the token the permission to write workflows
		69|error: GH006: Protected branch update failed for refs/heads/promote/apps-web.|leave promote/** out of the branch protection rule
		69|error: GH013: Repository rule violations found for refs/heads/promote/apps-web.|leave promote/** out of the ruleset
		77|TF401027: You need the Git 'GenericContribute' permission to perform this action.|allow the token's user 'Contribute' on the repository
		77|TF401027: You need the Git 'ForcePush' permission to perform this action.|allow the token's user 'Force push' on the repository
		69|TF402455: Pushes to this branch are not permitted; you must use a pull request to update this branch.|leave promote/** out of the branch policies
	WORDS
}

@test "hooks of the clone are not run" {
	local hook

	for hook in pre-push pre-commit post-commit reference-transaction commit-msg; do
		printf '#!/bin/sh\necho %s >>"%s"\nexit 1\n' "$hook" "$T/hooked" >".git/hooks/$hook"
		chmod +x ".git/hooks/$hook"
	done
	rm .git/hooks/reference-transaction
	open_web 0 v1
	jq_is .pull_request.number 1
	[ ! -e "$T/hooked" ] || fail "ran: $(cat "$T/hooked")"
}

@test "a forge without its program is a clear error, and nothing is pushed" {
	start apps/web v1 | gp-set-tag >"$T/document"
	expect 78 gp-open-pr --provider nowhere < <(jq -c '.repository.provider = "nowhere"' "$T/document")
	one_message gp-open-pr gp-forge-nowhere
	same branches main "$(remote_branches)"
}

@test "a forge whose reply makes no sense is 76, one that dies is told" {
	spy_forge
	start apps/web v1 | gp-set-tag >"$T/document"
	on_op find-pr <<<'echo "{\"nonsense\": true}"'
	expect 76 gp-open-pr <"$T/document"
	one_message gp-open-pr
	on_op find-pr <<<'echo "<html>please sign in</html>"'
	expect 76 gp-open-pr <"$T/document"
	one_message gp-open-pr
	printf '#!/bin/sh\nexit 3\n' >"$T/bin/gp-forge-spy"
	sh_pipe 0 'gp-open-pr <"$T/document"; [ $? -ge 71 ]'
	one_message gp-open-pr
	same branches main "$(remote_branches)"
}

@test "a forge's refusal comes with what was being done" {
	spy_forge
	on_op open-pr <<-'SH'
		jq -c '{id, error: {exit: 69, message: "422: no commits between main and promote/apps-web"}}'
	SH
	open_web 69 v1
	one_message gp-open-pr 'cannot open pull request' '422: no commits between main and promote/apps-web'
	jq_is .error.exit 69
	jq_is .error.program gp-open-pr
}

# Dry run

@test "in a dry run it says what it would do and does nothing" {
	local before

	before=$(snapshot_remote)
	start apps/web v1 | jq -c '.dry_run = true' | gp-set-tag 2>/dev/null >"$T/document"
	expect 0 gp-open-pr <"$T/document"
	has "$stderr" 'gp-open-pr: ' promote/apps-web
	jq_is .dry_run true
	same remote "$before" "$(snapshot_remote)"
	unset before
	open_web 0 v1
	before=$(snapshot_remote)
	start apps/web v2 | jq -c '.dry_run = true' | gp-set-tag 2>/dev/null >"$T/document"
	expect 0 gp-open-pr <"$T/document"
	has "$stderr" 'gp-open-pr: '
	same remote "$before" "$(snapshot_remote)"
}

# Streams

@test "a stream of two apps opens two, an error between them stops nothing" {
	{
		start apps/web v1
		start apps/nope v1
		start apps/api v1
	} >"$T/many"
	GP_VERBOSE=-1 sh_pipe 65 'gp-set-tag <"$T/many" | gp-open-pr'
	one_message gp-set-tag apps:nope
	same numbers '1 null 2' "$(jq -r .pull_request.number <<<"$output" | paste -sd ' ')"
	same open '1 2' "$(prs | paste -sd ' ')"
}

@test "a reset says which release loses its place in a later environment" {
	commit_tag apps dev web v1
	commit_tag apps qa web v1
	flux apps qa success
	propose apps/web v1 prod
	run_status 1 >/dev/null
	same gate success "$(gate 1)"
	expect 0 gp-new -q apps/web v2
	one_message gp-open-pr 'warning: #1 no longer takes v1 to prod, where its gate was open'
	expect 0 gp-new -q apps/web v3
	same stderr '' "$stderr"
}
