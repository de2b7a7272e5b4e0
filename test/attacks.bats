#!/usr/bin/env bats
# What somebody tried in order to make gp do the wrong thing: old and edited documents, races between two steps, evidence
# that is none, drivers that hang. The gate's own rules are in gp-check-status.bats.

load helper.bash

setup() {
	gp_setup
	make_gitops --apps 'apps/web apps/db'
}

# Old documents

@test "an overtaken release's document opens nothing: 75" {
	start apps/web v1 | gp-set-tag >"$T/old"
	local n tip

	n=$(new apps/web v2)
	run_status "$n" >/dev/null
	tip=$(remote_tip)
	GP_VERBOSE=-1 sh_pipe 75 'gp-open-pr <"$T/old" | gp-merge --auto'
	one_message gp-open-pr apps/web dev 'run again'
	same open '' "$(prs)"
	# And the newer one goes on.
	expect 0 run_promote "$tip"
	jq_is .promotion.tag v2
	jq_is .promotion.env qa
}

@test "another app's merge in between does not make a document old" {
	start apps/web v1 | gp-set-tag >"$T/old"
	commit_tag apps dev db v5
	sh_pipe 0 'gp-open-pr <"$T/old" | gp-merge --auto'
	same open 1 "$(prs)"
}

@test "a document from before the failure does not turn the gate green" {
	carry apps/web v1 dev
	flux apps dev success
	propose apps/web v1 qa
	gp-find-pr --open --all | gp-read-config >"$T/old"
	commit_file README.md 'other matters' <<<more
	flux apps dev failure
	sh_pipe 1 'gp-check-status <"$T/old" | gp-set-status --gate'
	same gate failure "$(gate "$(prs)")"
}

# Edited documents

@test "a tag edited between two steps is found out" {
	start apps/web v1 | gp-set-tag | jq -c '.promotion.tag = "v9"' >"$T/edited"
	GP_VERBOSE=-1 sh_pipe 65 'gp-open-pr <"$T/edited" | gp-merge --auto'
	one_message gp-open-pr change.commit
	same branches main "$(remote_branches)"
}

@test "a commit that does more than its promotion is never pushed" {
	local commit

	seed_to
	sed -i s/:v0/:v6/ "$SEED/apps/prod/db.yaml"
	git -C "$SEED" commit --quiet -am 'more'
	commit=$(git -C "$SEED" rev-parse HEAD)
	git fetch --quiet "$SEED" "$commit"
	start apps/web v1 | gp-set-tag | jq -c --arg c "$commit" '.change.commit = $c' >"$T/edited"
	require_checks
	GP_VERBOSE=-1 sh_pipe 65 'gp-open-pr <"$T/edited" | gp-merge --auto'
	one_message gp-open-pr change.commit
	same branches main "$(remote_branches)"
	same prod v0 "$(remote_tag apps prod db)"
}

@test "a dry run that is no boolean is not taken for none" {
	start apps/web v1 | gp-set-tag | jq -c '.dry_run = "true"' >"$T/edited"
	expect 65 gp-open-pr <"$T/edited"
	one_message gp-open-pr dry_run
	same branches main "$(remote_branches)"
}

@test "a skip that is null is none" {
	start apps/web v1 | jq -c '.skip = null' >"$T/edited"
	expect 0 gp-set-tag <"$T/edited"
	jq_true .change.commit
}

# Races

@test "two at once on one branch: the one whose commit was pushed over says 75" {
	spy_forge
	on_op open-pr <<-'SH'
		request=$(cat)
		case $request in
		*'version vA '*)
			[ -e "$T/once" ] || { : >"$T/once" && gp-new --group apps --app web --tag vB >"$T/B" 2>&1; }
			;;
		esac
	SH
	GP_VERBOSE=-1 expect 75 gp-new --group apps --app web --tag vA
	one_message gp-open-pr promote/apps-web
	same head "$(remote_tip promote/apps-web)" "$(pr 1 .head)"
	# Run again it wins, and all agrees.
	expect 0 gp-new --group apps --app web --tag vA
	same title 'Promote apps/web version vA to environment dev' "$(pr 1 .title)"
	has "$(git -C "$REMOTE" log -1 --format=%s promote/apps-web)" vA
}

# Pull requests

@test "a broken pull request that claims an earlier environment is an error, not a silent skip" {
	local n tip

	n=$(new apps/web v1)
	run_status "$n" >/dev/null
	tip=$(remote_tip)
	n=$(run_promote "$tip" | jq .pull_request.number)
	seed_to promote/apps-web
	echo more >>"$SEED/README.md"
	seed_push "a person's commit" promote/apps-web
	open_pr promote/apps-web 'a title' '<!-- metadata = {"group":"apps","app":"web","tag":"v0.1","env":"dev"} -->'
	GP_VERBOSE=-1 expect 69 run_promote "$tip"
	one_message gp-open-pr "#$n" broken
}

@test "a branch that nobody can merge does not stop the others" {
	local blob tree commit

	seed_to
	blob=$(git -C "$SEED" rev-parse HEAD:README.md)
	tree=$(printf '100644 ..\0%b' "$(sed 's/../\\x&/g' <<<"$blob")" | git -C "$SEED" hash-object -w -t tree --literally --stdin)
	commit=$(git -C "$SEED" commit-tree -p HEAD -m evil "$tree")
	seed_push 'nothing yet' foo
	open_pr foo
	git -C "$SEED" push --quiet --force origin "$commit:refs/heads/foo"
	expect 0 gp-new --group apps --app db --tag v7
	same open '1 2' "$(prs | paste -sd ' ')"
}

# Evidence that is none

@test "a rollback that succeeded does not hide the upgrade that failed" {
	carry apps/web v1 dev
	propose apps/web v1 qa
	post "$(remote_tip)" helmrelease/apps-dev/0c9c2e41 failure 'upgrade failed'
	post "$(remote_tip)" helmrelease/apps-dev/0c9c2e41 success 'rollback succeeded'
	verdict 1 "$(prs)"
	has "$stderr" 'upgrade failed'
	post "$(remote_tip)" helmrelease/apps-dev/0c9c2e41 success 'uninstall succeeded'
	verdict 1 "$(prs)"
	post "$(remote_tip)" helmrelease/apps-dev/0c9c2e41 success 'upgrade succeeded'
	verdict 0 "$(prs)"
}

# Drivers

@test "a driver that hangs is ended, and the next document gets a new one" {
	mkdir -p "$T/bin"
	cat >"$T/bin/gp-forge-slow" <<-'SH'
		#!/bin/sh
		if [ ! -e "$T/once" ]; then : >"$T/once" && exec sleep 300; fi
		exec gp-forge-local
	SH
	chmod +x "$T/bin/gp-forge-slow"
	export PATH="$T/bin:$PATH" GP_PROVIDER=slow GP_TIMEOUT=1 GP_RETRY_BUDGET=1
	for app in web db; do start "apps/$app" v1; done | gp-set-tag >"$T/two"
	expect 75 gp-open-pr <"$T/two"
	same errors 'gp-open-pr null' "$(jq -r '.error.program' <<<"$output" | paste -sd ' ')"
	same branch promote/apps-db "$(jq -r 'select(.pull_request) | .pull_request.branch' <<<"$output")"
}
