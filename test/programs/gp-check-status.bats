#!/usr/bin/env bats
# gp-check-status: the gate, attacked from all its sides.

setup() {
	load ../lib/helper
	gp_setup
}

# The web is at v1 in dev; pull request 1 wants it in qa; Flux has not spoken.
stage() {
	make_gitops --apps 'apps/web apps/api' "$@"
	commit_tag apps dev web v1
	candidate=$(remote_tip)
	propose apps/web v1 qa
}

# The verdicts, each with what the document has to say.
open() {
	verdict 0 1 "$@"
	jq_is '"\(.status.state) \(has("error"))"' 'success false'
}

closed() {
	verdict 1 1
	one_message gp-check-status "$1"
	jq_is '"\(.status.state) \(.error.program) \(.error.exit)"' 'failure gp-check-status 1'
}

undecided() {
	verdict 75 1
	one_message gp-check-status
	jq_is '"\(.status.state) \(.error.program) \(.error.exit)"' 'pending gp-check-status 75'
}

# amend_branch BRANCH: what was done in $SEED since seed_to replaces the branch, its commit message kept.
amend_branch() {
	git -C "$SEED" add -A
	git -C "$SEED" commit --quiet --amend --no-edit
	git -C "$SEED" push --quiet --force origin "HEAD:refs/heads/$1"
}

describe() {
	open_pr "$(pr "$1" .branch)" "$(pr "$1" .title)" "$2" >/dev/null
}

# What is no promotion, and what comes first

@test "the first environment needs no evidence" {
	make_gitops
	propose apps/web v1 dev
	open
	jq_is '.environment.previous' null
}

@test "a pull request that is no promotion is open" {
	make_gitops
	seed_to
	echo more >>"$SEED/README.md"
	echo evil >>"$SEED/apps/prod/web.yaml"
	seed_push 'a change' docs
	open_pr docs 'a change'
	open
}

@test "a promotion's branch without metadata is closed" {
	make_gitops
	seed_to
	sed -i s/:v0/:v9/ "$SEED/apps/prod/web.yaml"
	seed_push 'a change' promote/apps-web
	open_pr promote/apps-web 'a change'
	closed promote/apps-web
}

@test "so it is per environment" {
	make_gitops --prflow per-env
	seed_to
	sed -i s/:v0/:v9/ "$SEED/apps/prod/web.yaml"
	seed_push 'a change' promote/prod/apps-web
	open_pr promote/prod/apps-web 'a change'
	closed promote/prod/apps-web
}

@test "an environment that is the first to have the app needs no evidence" {
	make_gitops
	seed_to
	rm -r "$SEED/apps/dev"
	seed_push 'no dev'
	propose apps/web v1 qa
	open
}

# Evidence: one context

@test "Flux reported success: open, with the evidence" {
	stage
	flux apps dev success
	open
	jq_is .status.env dev
	jq_is .status.sha "$candidate"
	jq_is .status.context kustomization/apps-dev/0c9c2e41
	jq_is .status.description 'reconciliation succeeded'
	jq_is '.status | has("url")' true
}

@test "Flux reported failure: closed, with the evidence" {
	stage
	flux apps dev failure
	closed dev
	jq_is .status.sha "$candidate"
	jq_is .status.context kustomization/apps-dev/0c9c2e41
	jq_is .status.description 'health check failed'
	has "$stderr" 'health check failed'
}

@test "Flux has not spoken: undecided" {
	stage
	undecided
	jq_is .status.env dev
}

@test "Flux is at it: undecided" {
	stage
	flux apps dev pending
	undecided
}

@test "success of another environment, group or app is nothing" {
	stage
	flux apps qa success
	flux apps prod success
	flux other dev success
	undecided
}

@test "the newest status of a context counts" {
	stage
	flux apps dev failure
	flux apps dev success
	open
	flux apps dev failure
	closed dev
	flux apps dev pending
	undecided
}

@test "an error state's like a failure without a description" {
	stage
	post "$candidate" kustomization/apps-dev/0c9c2e41 failure
	closed dev
}

# Evidence: what Flux's words mean

@test "success counts only where the description ends in succeeded" {
	stage
	local words

	for words in 'dependency not ready' 'health check canceled' progressing 'reconciliation succeeded partly' succeeding '' 'Succeede'; do
		post "$candidate" "kustomization/apps-dev/${words// /-}" success "$words"
		post "$candidate" kustomization/apps-dev/0c9c2e41 success "$words"
	done
	undecided
	post "$candidate" kustomization/apps-dev/0c9c2e41 success 'upgrade succeeded'
	open
}

@test "informational events hide neither the success nor the failure before them" {
	stage
	flux apps dev success
	post "$candidate" kustomization/apps-dev/0c9c2e41 success 'dependency not ready'
	post "$candidate" kustomization/apps-dev/0c9c2e41 success
	open
	flux apps dev failure
	post "$candidate" kustomization/apps-dev/0c9c2e41 success 'dependency not ready'
	closed dev
}

@test "informational events on a later commit hide nothing either" {
	stage
	flux apps dev success
	commit_file README.md later <<<later
	flux apps dev success "$(remote_tip)" 'dependency not ready'
	open
	jq_is .status.sha "$candidate"
}

# Evidence: which contexts

@test "kustomization or helmrelease, with or without an id" {
	stage
	local context

	for context in kustomization/apps-dev helmrelease/apps-dev helmrelease/apps-dev/7aa17b2e kustomization/apps-dev/0c9c2e41 \
		kustomization/apps-dev/eu1/0c9c2e41; do
		post "$candidate" "$context" success 'reconciliation succeeded'
		open
		post "$candidate" "$context" failure 'health check failed'
		closed dev
		post "$candidate" "$context" success 'reconciliation succeeded'
	done
}

@test "anything else is ignored, never an error" {
	stage
	local context others=(
		ci noslash build/web kustomization kustomization/ kustomization/apps kustomization/apps-dev2
		kustomization/apps-dev-2 kustomization/apps-devel/0c9c2e41 kustomization/xapps-dev/1 xkustomization/apps-dev
		KUSTOMIZATION/APPS-DEV gitrepository/apps-dev 'kustomization/apps-dev id' gp/gate
	)

	for context in "${others[@]}"; do
		post "$candidate" "$context" success 'reconciliation succeeded'
	done
	undecided
	for context in "${others[@]}"; do
		post "$candidate" "$context" failure 'health check failed'
	done
	undecided
}

@test "other kinds of report are ignored" {
	stage
	spy_forge
	on_op list-statuses <<-'SH'
		jq -c '{id, result: {statuses: (.commits | map({key: ., value: [{context: "kustomization/apps-dev/1", state: "success",
			description: "reconciliation succeeded", url: null, created_at: "2026-01-02T03:04:05Z", kind: "check-run"}]}) | from_entries)}}'
	SH
	undecided
}

@test "groups that run together with environments do not vouch for each other" {
	# a-b in c and a in b-c: both are kustomization/a-b-c.
	make_gitops --envs 'b-c:true c:true last:true' --apps 'a/web a-b/web'
	commit_tag a b-c web v1
	propose a/web v1 c
	flux a-b c success
	verdict 78 1
	one_message gp-check-status a/b-c a-b/c status_context
	jq_is '.status.state // "none"' none
}

@test "… unless status_context tells them apart" {
	make_gitops --envs 'b-c:true c:true last:true' --apps 'a/web a-b/web' --config 'status_context: "argocd/{env}/{group}"'
	commit_tag a b-c web v1
	propose a/web v1 c
	post "$(remote_tip)" argocd/c/a-b success Synced
	undecided
	post "$(remote_tip)" argocd/b-c/a success Synced
	open
}

@test "several ids are several clusters: all have to agree" {
	stage
	post "$candidate" kustomization/apps-dev/one success 'reconciliation succeeded'
	post "$candidate" kustomization/apps-dev/two failure 'health check failed'
	closed dev
	jq_is .status.context kustomization/apps-dev/two
	post "$candidate" kustomization/apps-dev/two pending
	undecided
	post "$candidate" kustomization/apps-dev/two success 'reconciliation succeeded'
	open
}

@test "clusters: so many contexts have to report" {
	stage --config 'clusters: 2'
	post "$candidate" kustomization/apps-dev/one success 'reconciliation succeeded'
	undecided
	post "$candidate" kustomization/apps-dev/one success 'reconciliation succeeded'
	undecided
	post "$candidate" kustomization/apps-dev/two success 'dependency not ready'
	undecided
	post "$candidate" kustomization/apps-dev/two success 'reconciliation succeeded'
	open
}

@test "clusters: one failure closes, whoever has not reported yet" {
	stage --config 'clusters: 3'
	post "$candidate" kustomization/apps-dev/one failure 'health check failed'
	closed dev
}

@test "clusters may report on different commits" {
	stage --config 'clusters: 2'
	post "$candidate" kustomization/apps-dev/one success 'reconciliation succeeded'
	commit_file README.md later <<<later
	post "$(remote_tip)" kustomization/apps-dev/two success 'reconciliation succeeded'
	open
}

@test "status_context says what counts instead" {
	stage --config 'status_context: "argocd/{env}/*-{group}"'
	flux apps dev success
	undecided
	post "$candidate" argocd/dev/eu-apps success Synced
	open
	post "$candidate" argocd/dev/us-apps failure Degraded
	closed dev
	post "$candidate" argocd/dev/us-apps success Synced
	post "$candidate" argocd/qa/us-apps failure Degraded
	post "$candidate" argocd/dev/us-appsx failure Degraded
	post "$candidate" xargocd/dev/us-apps failure Degraded
	open
}

@test "status_context of an environment, for clusters whose Kustomizations bear one name" {
	make_gitops
	printf '%s\n' 'environments:' '  - {name: dev, auto: true, status_context: "kustomization/{group}/0c9c*"}' \
		'  - {name: qa, auto: true, status_context: "kustomization/{group}/9f3a*"}' '  - {name: prod}' |
		commit_file gitops-promotion.yaml
	commit_tag apps dev web v1
	propose apps/web v1 qa
	post "$(remote_tip)" kustomization/apps/9f3a21bb success 'reconciliation succeeded'
	flux apps dev success
	undecided
	jq_is '[.config.environments[] | .status_context // "none"] | join(" ")' \
		'kustomization/{group}/0c9c* kustomization/{group}/9f3a* none'
	post "$(remote_tip)" kustomization/apps/0c9c2e41 success 'reconciliation succeeded'
	open
}

@test "... that could speak of two environments are 78" {
	make_gitops
	commit_tag apps dev web v1
	propose apps/web v1 qa
	local dev
	for dev in 'kustomization/{group}-*' '*/apps-qa' 'helmrelease/apps-prod'; do
		printf '%s\n' 'environments:' "  - {name: dev, auto: true, status_context: \"$dev\"}" '  - {name: qa, auto: true}' '  - {name: prod}' |
			commit_file gitops-promotion.yaml
		verdict 78 1
		one_message gp-check-status apps/dev apps/ status_context
	done
	printf '%s\n' 'environments:' '  - {name: dev, status_context: "x/{group}"}' '  - {name: qa, status_context: "x/{group}"}' |
		commit_file gitops-promotion.yaml
	verdict 78 1
}

@test "Flux's informational successes are no evidence in whatever context" {
	local words context

	stage --config 'status_context: "{env}-*/kustomization/{group}"'
	for words in 'dependency not ready' 'Dependency not ready.' progressing 'progressing with retry' 'drift detected' info \
		'rollback succeeded' 'uninstall succeeded' suspended; do
		post "$candidate" dev-eu1/kustomization/apps success "$words"
	done
	undecided
	post "$candidate" dev-eu1/kustomization/apps success 'reconciliation succeeded'
	post "$candidate" dev-eu1/kustomization/apps success 'dependency not ready'
	open
	post "$candidate" dev-eu1/kustomization/apps failure 'dependency not ready'
	closed dev
}

@test "status_description says which successes count" {
	stage --config $'status_context: "argocd/{env}"\nstatus_description: "*Healthy*"'
	post "$candidate" argocd/dev success 'Synced, Progressing'
	post "$candidate" argocd/dev success
	undecided
	jq_is .config.status_description '*Healthy*'
	post "$candidate" argocd/dev success 'Synced, Healthy'
	post "$candidate" argocd/dev success 'Synced, Progressing'
	open
	post "$candidate" argocd/dev failure Degraded
	closed dev
}

@test "a context that nearly matches is named while nothing has reported" {
	stage
	post "$candidate" gp/gate success
	post "$candidate" ci success
	undecided
	lacks "$(jq -r .status.reason <<<"$output")" saw
	post "$candidate" azcagit/apps-dev success Deployed
	undecided
	jq_is .status.reason 'no status reports web v1 reconciled in apps/dev (saw azcagit/apps-dev: set status_context to count it)'
	flux apps dev success
	open
}

@test "status_context without a star is one context" {
	stage --config 'status_context: "{group}.{env}"'
	post "$candidate" appsXdev success
	undecided
	post "$candidate" apps.dev success
	open
}

# Evidence: which commits

@test "a status on a later commit speaks of this version, when Flux skipped the merge itself" {
	stage
	commit_file README.md later <<<later
	commit_tag apps dev api v5
	flux apps dev success
	open
	jq_is .status.sha "$(remote_tip)"
}

@test "a status on an older commit does not" {
	make_gitops
	flux apps dev success
	commit_tag apps dev web v1
	propose apps/web v1 qa
	undecided
}

@test "a repair later on main opens a gate that an earlier failure closed" {
	stage
	flux apps dev failure
	closed dev
	commit_file apps/dev/database.yaml 'repair' <<<'migrated: true'
	closed dev
	flux apps dev success
	open
}

@test "a failure later on main closes it again" {
	stage
	flux apps dev success
	commit_file apps/dev/database.yaml 'break' <<<'migrated: false'
	open
	flux apps dev failure
	closed dev
}

@test "a context's newest candidate counts, not its newest status" {
	stage
	commit_file README.md later <<<later
	flux apps dev success
	flux apps dev failure "$candidate"
	open
}

@test "only the newest unbroken run of this tag is evidence" {
	make_gitops
	commit_tag apps dev web v1
	flux apps dev success
	commit_tag apps dev web v2
	flux apps dev success
	commit_tag apps dev web v1
	propose apps/web v1 qa
	undecided
	flux apps dev success
	open
}

@test "commits off the first-parent chain are no evidence" {
	make_gitops
	seed_to
	sed -i s/:v0/:v1/ "$SEED/apps/dev/web.yaml"
	seed_push 'v1 in dev' side
	seed_to main
	git -C "$SEED" fetch --quiet origin side
	git -C "$SEED" merge --quiet --no-ff -m 'merge side' FETCH_HEAD
	git -C "$SEED" push --quiet origin HEAD:refs/heads/main
	flux apps dev success "$(remote_tip side)"
	propose apps/web v1 qa
	undecided
	flux apps dev success
	open
}

@test "the newest hundred commits of the run are looked at, and the one where the version arrived" {
	stage
	flux apps dev success
	{
		for n in {1..99}; do
			printf 'commit refs/heads/main\ncommitter E <e@example.com> %d +0000\ndata 1\nx\n' $((1800000000 + n))
			[ "$n" -gt 1 ] || printf 'from refs/heads/main^0\n'
			printf '\n'
		done
	} | git -C "$REMOTE" fast-import --quiet
	same commits "$candidate" "$(git -C "$REMOTE" rev-parse main~99)"
	open
	commit_file README.md 'one more' <<<more
	commit_file README.md 'and another' <<<another
	flux apps dev failure "$(git -C "$REMOTE" rev-parse main~100)"
	open
	jq_is .status.sha "$candidate"
	flux apps dev failure "$(git -C "$REMOTE" rev-parse main~99)"
	closed dev
}

@test "all markers of the app have to be at the tag" {
	make_gitops
	manifest apps dev web v0
	cp "$SEED/apps/dev/web.yaml" "$SEED/apps/dev/worker.yaml"
	seed_push 'two of them'
	commit_tag apps dev web v1
	flux apps dev success
	propose apps/web v1 qa
	verdict 1 1
	jq_is .status.state failure
}

# Taken back

@test "an environment that went back to what it had before is no evidence, however green it was" {
	stage
	flux apps dev success
	open
	commit_file README.md later <<<later
	commit_tag apps dev web v0
	back=$(remote_tip)
	closed "apps/dev went back to v0 at ${back:0:8}"
	jq_is '.status.sha // "none"' none
	commit_file README.md 'and on' <<<on
	closed "apps/dev went back to v0 at ${back:0:8}"
	commit_tag apps dev web v1
	undecided
	flux apps dev success
	open
}

@test "... not only to the version just before, and also by way of a newer one" {
	make_gitops
	commit_tag apps dev web v0.5
	commit_tag apps dev web v1
	flux apps dev success
	propose apps/web v1 qa
	commit_tag apps dev web v2
	open
	commit_tag apps dev web v0
	closed 'apps/dev went back to v0 at'
}

# Superseded

@test "the previous environment never had this version: superseded" {
	make_gitops
	propose apps/web v1 qa
	closed 'superseded by v0'
}

@test "the previous environment went on before a word about this version: superseded" {
	stage
	commit_tag apps dev web v2
	closed 'moved on to v2'
	flux apps dev success
	closed 'moved on to v2'
}

@test "the previous environment went on while this version was pending: superseded" {
	stage
	flux apps dev pending
	commit_tag apps dev web v2
	closed 'moved on to v2'
}

@test "the previous environment went on after this version had succeeded: open" {
	stage
	flux apps dev success
	commit_tag apps dev web v2
	open
	flux apps dev failure
	open
}

@test "the previous environment went on after this version had failed: closed" {
	stage
	flux apps dev failure
	commit_tag apps dev web v2
	flux apps dev success
	closed 'health check failed'
}

# Is the pull request what it says?

@test "other edits in the pull request close it, with the reason" {
	stage
	flux apps dev success
	open
	commit_file README.md 'in passing' promote/apps-web <<<passing
	closed 'carry other edits in their own pull request'
}

@test "an edit in the same manifest, in passing, closes it" {
	stage
	flux apps dev success
	seed_to promote/apps-web
	sed -i 's/name: web/name: evil/' "$SEED/apps/qa/web.yaml"
	amend_branch promote/apps-web
	closed 'carry other edits in their own pull request'
}

@test "the trailer kept, the content another tag: closed" {
	stage
	flux apps dev success
	seed_to promote/apps-web
	sed -i 's/:v1/:v2/' "$SEED/apps/qa/web.yaml"
	amend_branch promote/apps-web
	verdict 1 1
}

@test "the trailer kept, another app set as well: closed" {
	stage
	flux apps dev success
	seed_to promote/apps-web
	sed -i 's/:v0/:v1/' "$SEED/apps/qa/api.yaml"
	amend_branch promote/apps-web
	verdict 1 1
}

@test "the trailer kept, another environment set as well: closed" {
	stage
	flux apps dev success
	seed_to promote/apps-web
	sed -i 's/:v0/:v1/' "$SEED/apps/prod/web.yaml"
	amend_branch promote/apps-web
	verdict 1 1
}

@test "the configuration changed in the pull request: closed, and it changes nothing" {
	stage
	seed_to promote/apps-web
	printf 'environments:\n  - env: qa\n    auto: true\n' >"$SEED/gitops-promotion.yaml"
	amend_branch promote/apps-web
	verdict 1 1
	flux apps dev success
	verdict 1 1
}

@test "a mode, a file added, a file removed: closed" {
	stage
	flux apps dev success
	local head

	head=$(remote_tip promote/apps-web)
	seed_to promote/apps-web
	chmod +x "$SEED/apps/qa/web.yaml"
	amend_branch promote/apps-web
	verdict 1 1
	git -C "$REMOTE" update-ref refs/heads/promote/apps-web "$head"
	seed_to promote/apps-web
	touch "$SEED/apps/qa/empty"
	amend_branch promote/apps-web
	verdict 1 1
	git -C "$REMOTE" update-ref refs/heads/promote/apps-web "$head"
	seed_to promote/apps-web
	rm "$SEED/README.md"
	amend_branch promote/apps-web
	verdict 1 1
	git -C "$REMOTE" update-ref refs/heads/promote/apps-web "$head"
	open
}

@test "a description that disagrees with the trailer is being updated: undecided" {
	stage
	flux apps dev success
	describe 1 "$(pr 1 .description | sed 's/"tag":"v1"/"tag":"v2"/')"
	undecided
	describe 1 "$(pr 1 .description | sed 's/"tag":"v2"/"tag":"v1"/')"
	open
	describe 1 "$(pr 1 .description | sed 's/"env":"qa"/"env":"dev"/')"
	undecided
}

@test "a description that calls prod dev gets nowhere" {
	make_gitops
	commit_tag apps dev web v1
	commit_tag apps qa web v1
	propose apps/web v1 prod
	describe 1 "$(pr 1 .description | sed 's/"env":"prod"/"env":"dev"/')"
	sh_pipe 0 'gp-find-pr --open --number 1 | gp-read-config | gp-check-status; case $? in 1 | 75) ;; *) exit 1 ;; esac'
	[ "$(jq -r .status.state <<<"$output")" != success ]
}

@test "a description without metadata on a promotion's branch gets nowhere" {
	stage
	flux apps dev success
	describe 1 'nothing to see here'
	sh_pipe 0 'gp-find-pr --open --number 1 | gp-read-config | gp-check-status; case $? in 1 | 75) ;; *) exit 1 ;; esac'
	[ "$(jq -r .status.state <<<"$output")" != success ]
}

@test "description and trailer forged together still have to agree with the content" {
	make_gitops
	seed_to
	sed -i s/:v0/:v9/ "$SEED/apps/prod/web.yaml"
	local metadata

	metadata='{"group":"apps","app":"web","tag":"v9","env":"dev","sha":"'$(remote_tip)'","feature":"","type":"promote"}'
	seed_push "Promote apps/web version v9 to environment dev"$'\n\n'"Gp-Promotion: $metadata" promote/apps-web
	open_pr promote/apps-web 'Promote apps/web version v9 to environment dev' "<!-- metadata = $metadata -->"
	closed 'carry other edits in their own pull request'
}

@test "a second commit with a trailer of its own has to agree with the content too" {
	stage
	flux apps dev success
	seed_to promote/apps-web
	sed -i s/:v0/:v1/ "$SEED/apps/prod/web.yaml"
	local metadata

	metadata='{"group":"apps","app":"web","tag":"v1","env":"qa","sha":"'$(remote_tip)'","feature":"","type":"promote"}'
	seed_push "again"$'\n\n'"Gp-Promotion: $metadata" promote/apps-web
	verdict 1 1
}

@test "an own commit without a trailer on top gets nowhere" {
	stage
	flux apps dev success
	seed_to promote/apps-web
	seed_push 'an empty commit' promote/apps-web
	sh_pipe 0 'gp-find-pr --open --number 1 | gp-read-config | gp-check-status; case $? in 0 | 1 | 75) ;; *) exit 1 ;; esac'
	echo more >>"$SEED/README.md"
	seed_push 'another commit' promote/apps-web
	verdict 1 1
}

@test "a merge that would undo what main has, unseen in the head's tree, closes it" {
	stage
	flux apps dev success
	# Somebody's change reaches main by a merge; the same change is merged into the branch, but thrown away.
	seed_to
	git -C "$SEED" checkout --quiet -b theirs
	echo important >"$SEED/README.md"
	git -C "$SEED" commit --quiet -am 'an important change'
	git -C "$SEED" checkout --quiet --detach HEAD^
	git -C "$SEED" merge --quiet --no-ff -m 'Merge theirs' theirs
	git -C "$SEED" push --quiet origin HEAD:refs/heads/main
	git -C "$SEED" fetch --quiet origin refs/heads/promote/apps-web
	git -C "$SEED" checkout --quiet --detach FETCH_HEAD
	git -C "$SEED" merge --quiet --no-ff -s ours -m "Merge branch 'theirs'" theirs
	git -C "$SEED" push --quiet origin HEAD:refs/heads/promote/apps-web
	closed 'carry other edits in their own pull request'
}

@test "main merged into the branch is no matter" {
	stage
	flux apps dev success
	commit_file README.md 'other matters' <<<more
	seed_to promote/apps-web
	git -C "$SEED" fetch --quiet origin main
	git -C "$SEED" merge --quiet --no-ff -m "Merge branch 'main'" FETCH_HEAD
	git -C "$SEED" push --quiet origin HEAD:refs/heads/promote/apps-web
	open
}

@test "edits smuggled into that merge close it" {
	stage
	flux apps dev success
	commit_file README.md 'other matters' <<<more
	seed_to promote/apps-web
	git -C "$SEED" fetch --quiet origin main
	git -C "$SEED" merge --quiet --no-ff --no-commit FETCH_HEAD 2>/dev/null
	sed -i s/:v0/:v9/ "$SEED/apps/prod/web.yaml"
	git -C "$SEED" add -A
	git -C "$SEED" commit --quiet -m "Merge branch 'main'"
	git -C "$SEED" push --quiet origin HEAD:refs/heads/promote/apps-web
	closed 'carry other edits in their own pull request'
}

@test "main merged where the tag has moved on meanwhile: judged against that main" {
	stage
	flux apps dev success
	commit_tag apps prod web v5
	seed_to promote/apps-web
	git -C "$SEED" fetch --quiet origin main
	git -C "$SEED" merge --quiet --no-ff -m "Merge branch 'main'" FETCH_HEAD
	git -C "$SEED" push --quiet origin HEAD:refs/heads/promote/apps-web
	open
}

@test "a branch that starts from what is not main's is closed" {
	make_gitops
	commit_tag apps dev web v1
	flux apps dev success
	seed_to
	printf 'evil\n' >>"$SEED/README.md"
	git -C "$SEED" commit --quiet -am 'not on main'
	sed -i s/:v0/:v1/ "$SEED/apps/qa/web.yaml"
	local metadata

	metadata='{"group":"apps","app":"web","tag":"v1","env":"qa","sha":"'$(remote_tip)'","feature":"","type":"promote"}'
	seed_push "Promote apps/web version v1 to environment qa"$'\n\n'"Gp-Promotion: $metadata" promote/apps-web
	open_pr promote/apps-web 'Promote apps/web version v1 to environment qa' "<!-- metadata = $metadata -->"
	verdict 1 1
}

@test "a base commit off main's first-parent chain is closed" {
	make_gitops
	commit_tag apps dev web v1
	seed_to
	printf 'side\n' >>"$SEED/README.md"
	seed_push 'on the side' side
	sed -i s/:v0/:v1/ "$SEED/apps/qa/web.yaml"
	local metadata

	metadata='{"group":"apps","app":"web","tag":"v1","env":"qa","sha":"'$(remote_tip)'","feature":"","type":"promote"}'
	seed_push "Promote apps/web version v1 to environment qa"$'\n\n'"Gp-Promotion: $metadata" promote/apps-web
	open_pr promote/apps-web 'Promote apps/web version v1 to environment qa' "<!-- metadata = $metadata -->"
	seed_to
	git -C "$SEED" fetch --quiet origin side
	git -C "$SEED" merge --quiet --no-ff -m 'merge side' FETCH_HEAD
	git -C "$SEED" push --quiet origin HEAD:refs/heads/main
	flux apps dev success
	verdict 1 1
}

@test "environments and their order are the base tip's, not the branch's" {
	stage
	flux apps dev success
	open
	commit_file gitops-promotion.yaml 'staging between' <<-'YAML'
		environments:
		  - env: dev
		    auto: true
		  - env: staging
		    auto: true
		  - env: qa
		    auto: true
	YAML
	seed_to
	manifest apps staging web v0
	seed_push 'staging has the web'
	closed 'superseded by v0'
}

@test "the head is judged, not the merge commit that the forge made" {
	stage
	flux apps dev success
	git -C "$REMOTE" update-ref refs/pull/1/merge "$(remote_tip)"
	commit_file README.md 'in passing' promote/apps-web <<<passing
	git -C "$REMOTE" update-ref refs/pull/1/merge "$(remote_tip)"
	closed 'carry other edits in their own pull request'
}

# Pull requests of the older tool

# older TAG SED-SCRIPT: its commit in qa, with what sed does to the manifest.
older() {
	seed_to
	sed -i "$2" "$SEED/apps/qa/web.yaml"
	[ -z "${3:-}" ] || printf 'more\n' >>"$SEED/$3"
	seed_push "Promote apps/web version $1 to environment qa" promote/apps-web
	open_pr promote/apps-web "Promote apps/web version $1 to environment qa" \
		'<!-- metadata = {"group":"apps","app":"web","tag":"'"$1"'","env":"qa","sha":"'"$(remote_tip)"'","feature":"","type":"promote"} -->'
}

@test "one of the older tool is judged by its metadata" {
	make_gitops
	commit_tag apps dev web v1
	older v1 's/:v0/:v1/'
	undecided
	flux apps dev success
	open
}

@test "one of the older tool may be laid out anew" {
	make_gitops
	commit_tag apps dev web v1
	older v1 's/:v0/:v1/; s/^        - name: web/      - name: "web"/; s/^          image/        image/'
	flux apps dev success
	open
}

@test "one of the older tool may not change another value" {
	make_gitops
	commit_tag apps dev web v1
	older v1 's/:v0/:v1/; s/kind: Deployment/kind: DaemonSet/'
	flux apps dev success
	verdict 1 1
}

@test "one of the older tool may not change another file" {
	make_gitops
	commit_tag apps dev web v1
	older v1 's/:v0/:v1/' README.md
	flux apps dev success
	verdict 1 1
}

@test "one of the older tool with another tag than it says" {
	make_gitops
	commit_tag apps dev web v1
	older v1 's/:v0/:v2/'
	flux apps dev success
	verdict 1 1
}

# Waiting

# wait_for FILE TEXT: until the text is there, at most 20 s.
wait_for() {
	local n

	for n in {1..200}; do
		grep -qF -- "$2" "$1" 2>/dev/null && return
		sleep 0.1
	done
	fail "no '$2' in:" "$(cat "$1")"
}

# wait_in_background OPTION: the gate on pull request 1 waits; $pid, $T/out, $T/err.
wait_in_background() {
	(
		gp-find-pr --open --number 1 | gp-read-config | timeout 60 gp-check-status "$1"
	) >"$T/out" 2>"$T/err" 3>&- &
	pid=$!
	wait_for "$T/err" 'gp-check-status: '
}

@test "without --wait it never waits" {
	stage
	SECONDS=0
	undecided
	[ "$SECONDS" -lt 10 ] || fail "took $SECONDS s"
}

@test "--wait says what it waits for, and goes on as soon as the status is there" {
	stage
	wait_in_background --wait=50s
	has "$(cat "$T/err")" dev
	flux apps dev success
	wait "$pid"
	same state success "$(jq -r .status.state "$T/out")"
}

@test "--wait ends with a failure as soon as that is there" {
	stage
	wait_in_background --wait=50s
	flux apps dev failure
	status=0
	wait "$pid" || status=$?
	same status 1 "$status"
	same state failure "$(jq -r .status.state "$T/out")"
}

@test "bare --wait waits as long as the configuration says" {
	stage --config 'status_timeout_minutes: 3'
	wait_in_background --wait
	flux apps dev success
	wait "$pid"
	same state success "$(jq -r .status.state "$T/out")"
}

@test "--wait fetches the base anew: the status may be on a commit that came later" {
	stage
	wait_in_background --wait=50s
	commit_file README.md later <<<later
	flux apps dev success
	wait "$pid"
	same sha "$(remote_tip)" "$(jq -r .status.sha "$T/out")"
}

@test "--wait sees that it is superseded" {
	stage
	wait_in_background --wait=50s
	commit_tag apps dev web v2
	status=0
	wait "$pid" || status=$?
	same status 1 "$status"
	has "$(jq -r .error.message "$T/out")" 'moved on to v2'
}

@test "--wait ends undecided when its time is over" {
	stage
	SECONDS=0
	verdict 75 1 --wait=1s
	[ "$SECONDS" -lt 20 ] || fail "took $SECONDS s"
	jq_is .status.state pending
	jq_is .error.exit 75
	has "$stderr" dev
}

@test "--wait does not wait for what is decided" {
	stage
	flux apps dev failure
	SECONDS=0
	verdict 1 1 --wait=50s
	flux apps dev success
	open --wait=50s
	[ "$SECONDS" -lt 20 ] || fail "took $SECONDS s"
}

@test "a duration is a number with a unit" {
	stage
	local duration

	for duration in x -1s 5parsecs 99999999999999999999s s ' 5s'; do
		sh_pipe 64 'gp-check-status "--wait=$1" </dev/null' "$duration"
		one_message gp-check-status
	done
}

# Streams, and nothing touched

@test "a stream of verdicts, in order; the first failure's status" {
	make_gitops --apps 'apps/web apps/api'
	commit_tag apps dev web v1
	flux apps dev failure
	propose apps/api v1 dev
	propose apps/web v1 qa
	seed_to
	echo more >>"$SEED/README.md"
	seed_push 'a change' docs
	open_pr docs 'a change'
	sh_pipe 1 'gp-find-pr --open --all | gp-read-config | gp-check-status'
	same verdicts '1success 2failure 3success' \
		"$(jq -r '"\(.pull_request.number)\(.status.state)"' <<<"$output" | paste -sd ' ')"
}

@test "it leaves clone and remote as they were" {
	stage
	flux apps dev success
	commit_file README.md later <<<later
	local clone remote

	clone=$(snapshot_clone "$CLONE")
	pr 1 >/dev/null # the forge takes note of main's move
	remote=$(snapshot_remote)
	open
	same clone "$clone" "$(snapshot_clone "$CLONE")"
	same remote "$remote" "$(snapshot_remote)"
	fsck_clean "$CLONE"
}

@test "the forge that cannot tell the statuses is an error, not a verdict" {
	stage
	spy_forge
	on_op list-statuses <<-'SH'
		jq -c '{id, error: {exit: 77, message: "401: bad credentials"}}'
	SH
	verdict 77 1
	one_message gp-check-status 'bad credentials'
	jq_is '.status // "none"' none
}

@test "status_from: only the word of those counts, in whatever state; others are named" {
	make_gitops --config 'status_from: [flux@example.com]'
	commit_tag apps dev web v1
	propose apps/web v1 qa >/dev/null
	verdict 75 1
	lacks "$stderr" status_from
	flux apps dev success
	verdict 75 1
	jq_is .status.reason "no status reports web v1 reconciled in apps/dev (kustomization/apps-dev/0c9c2e41 is from 'emilia@example.com', who is not in status_from)"
	GIT_COMMITTER_EMAIL=flux@example.com flux apps dev success
	verdict 0 1
	# A stranger's later word in the same context hides nothing, good or bad.
	flux apps dev failure
	verdict 0 1
	GIT_COMMITTER_EMAIL=Flux@Example.com flux apps dev failure
	verdict 1 1
	flux apps dev success
	verdict 1 1
}

@test "status_from of an environment takes the place of the configuration's" {
	make_gitops
	commit_file gitops-promotion.yaml <<-'YAML'
		status_from: [nobody@example.com]
		environments:
		  - {name: dev, status_from: [emilia@example.com]}
		  - name: qa
		  - name: prod
	YAML
	commit_tag apps dev web v1
	propose apps/web v1 qa >/dev/null
	flux apps dev success
	verdict 0 1
	printf 'status_from: emilia\nenvironments: [{name: dev}]\n' | commit_file gitops-promotion.yaml
	expect 78 start apps/web v2
	has "$stderr" 'gitops-promotion.yaml:1:14: status_from: expected a list'
}

@test "Flux's reasons are a closed list: what only looks like success is evidence of nothing" {
	local words

	make_gitops
	commit_tag apps dev web v1
	propose apps/web v1 qa >/dev/null
	for words in '0 of 3 succeeded' 'hardly succeeded' 'reconciliation almost succeeded' 'test succeeded once' \
		'install succeeded: no' 'rollback succeeded' 'uninstall succeeded'; do
		flux apps dev success '' "$words" 2>/dev/null || flux apps dev success "$(remote_tip)" "$words"
		verdict 75 1
	done
	for words in 'install succeeded' 'Upgrade succeeded.' 'test succeeded' succeeded; do
		flux apps dev pending
		flux apps dev success "$(remote_tip)" "$words"
		verdict 0 1
	done
}

@test "a cluster that is gone: its last failure says since when it is silent, and 'without' leaves it out" {
	local tip

	make_gitops
	commit_tag apps dev web v1
	propose apps/web v1 qa >/dev/null
	tip=$(remote_tip)
	flux apps dev success "$tip"
	post "$tip" kustomization/apps-dev/deadbeef failure 'health check failed'
	verdict 1 1
	jq_is .status.reason "apps/dev: health check failed (kustomization/apps-dev/deadbeef at ${tip:0:8})"
	# Ten days later.
	git -C "$REMOTE" cat-file blob "refs/gp/state:status/${tip:0:1}/${tip:1:1}/${tip:2}" |
		sed 's/"created_at":[[:space:]]*"[^"]*"/"created_at": "2026-01-02T03:04:05Z"/' >"$T/run/statuses"
	{
		printf 'commit refs/gp/state\ncommitter E <e@example.com> 1700000000 +0000\ndata 1\nx\nfrom refs/gp/state^0\n'
		printf 'M 644 inline status/%s/%s/%s\ndata <<-end-\n' "${tip:0:1}" "${tip:1:1}" "${tip:2}"
		cat "$T/run/statuses"
		printf -- '-end-\n'
	} | git -C "$REMOTE" fast-import --quiet
	verdict 1 1
	jq_is .status.reason \
		"apps/dev: health check failed (kustomization/apps-dev/deadbeef at ${tip:0:8}, silent since 2026-01-02)"
	commit_file gitops-promotion.yaml <<-'YAML'
		without: ["kustomization/*/deadbeef"]
		environments: [{name: dev}, {name: qa}, {name: prod}]
	YAML
	verdict 0 1
	commit_file gitops-promotion.yaml <<-'YAML'
		without: ["kustomization/*/deadbeef"]
		environments: [{name: dev, without: ["*/{group}-{env}/nobody"]}, {name: qa}, {name: prod}]
	YAML
	verdict 1 1
}
