#!/usr/bin/env bats
# What somebody tried in order to make gp do the wrong thing: old and edited documents, races between two steps, evidence
# that is none, drivers that hang. The gate's own rules are in gp-check-status.bats.

load ../lib/helper

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

@test "two at once on one branch: the one whose commit was pushed over gives way, and all agrees" {
	spy_forge
	on_op open-pr <<-'SH'
		request=$(cat)
		case $request in
		*'version vA '*)
			[ -e "$T/once" ] || { : >"$T/once" && gp-new --group apps --app web --tag vB >"$T/B" 2>&1; }
			;;
		esac
	SH
	GP_VERBOSE=-1 expect 0 gp-new --group apps --app web --tag vA
	jq_is .skip.reason 'superseded by vB, which another run has just brought in #1'
	same head "$(remote_tip promote/apps-web)" "$(pr 1 .head)"
	same title 'Promote apps/web version vB to environment dev' "$(pr 1 .title)"
	# Run again it wins.
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

# The gate: what a pull request is

# stage: the web is at v1 in dev, which Flux has reconciled; pull request 1 wants it in qa.
stage() {
	commit_tag apps dev web v1
	flux apps dev success
	propose apps/web v1 qa
}

# says TAG ENV [TYPE]: the metadata of a promotion of apps/web.
says() {
	printf '{"group":"apps","app":"web","tag":"%s","env":"%s","sha":"","feature":"","type":"%s"}' "$1" "$2" "${3:-promote}"
}

# forge_pr BRANCH MESSAGE [DESCRIPTION]: all of $SEED in one commit with this message, and a pull request of it.
forge_pr() {
	seed_push "$2" "$1"
	open_pr "$1" 'Promote apps/web version v1 to environment qa' "${3:-}"
}

# trailer TAG ENV [TYPE]: a commit message as gp writes it.
trailer() {
	printf 'Promote apps/web version %s to environment %s\n\nGp-Promotion: %s' "$1" "$2" "$(says "$@")"
}

described() {
	printf '<!-- metadata = %s -->' "$(says "$@")"
}

# describe_any BRANCH TITLE DESCRIPTION: opens a pull request, whatever characters these have, and however many.
describe_any() {
	printf %s "$3" >"$T/description"
	jq -nc --arg b "$1" --arg t "$2" --rawfile d "$T/description" --arg url "file://$REMOTE" '{id: 1, op: "open-pr",
		repository: {provider: "local", url: $url, base: "main"}, branch: $b, title: $t, description: $d}' |
		gp-forge-local >/dev/null
}

# seed_tag ENV TAG [APP]: sets the tag in $SEED.
seed_tag() {
	sed -i "s/:v[^ ]* #/:$2 #/" "$SEED/apps/$1/${3:-web}.yaml"
}

# closed N TEXT…: the gate is closed, with this reason, and stays so when it is posted.
closed() {
	local n=$1

	shift
	verdict 1 "$n"
	one_message gp-check-status "$@"
	jq_is .status.state failure
}

opened() {
	verdict 0 "$1"
	jq_is .status.state success
}

@test "a trailer in an earlier commit and none in the newest" {
	stage
	seed_to promote/apps-web
	seed_push 'fix typo' promote/apps-web
	closed 1 '2 commits of its own'
	seed_push 'Promote apps/web version v1 to environment qa' promote/apps-web
	closed 1 '3 commits of its own'
}

@test "two trailers, the same or not, and a trailer that is no JSON" {
	stage
	seed_to
	seed_tag qa v1
	forge_pr a "$(trailer v1 qa)"$'\n'"Gp-Promotion: $(says v1 qa)"
	closed 2 'two Gp-Promotion trailers'
	seed_to
	seed_tag qa v1
	forge_pr b "$(trailer v1 qa)"$'\n'"Gp-Promotion: $(says v1 dev)" "$(described v1 qa)"
	closed 3 'two Gp-Promotion trailers'
	seed_to
	seed_tag qa v1
	forge_pr c $'x\n\nGp-Promotion: {"group":"apps","group":"db"}' "$(described v1 qa)"
	closed 4 'Gp-Promotion trailer'
}

@test "a type that there is not, or in another case" {
	stage
	local type n=1

	for type in Promote PROMOTE promotion feature 'promote ' '*'; do
		seed_to
		seed_tag qa v1
		forge_pr "promote/x-$((n += 1))" "$(trailer v1 qa "$type")" "$(described v1 qa "$type")"
		closed "$n" "unknown type of promotion: '$type'"
	done
}

@test "metadata twice: closed without a trailer, undecided with one" {
	stage
	seed_to
	seed_tag qa v1
	forge_pr promote/x 'Promote apps/web version v1 to environment qa' "$(described v1 qa) $(described v1 qa)"
	closed 2 'stands twice'
	open_pr promote/apps-web 'a title' "$(described v1 qa)$(described v1 dev)"
	verdict 75 1
}

@test "100 kB of metadata: closed, in one short line" {
	stage
	local big

	big=$(printf 'v%0100000d' 1)
	seed_to
	seed_tag qa v1
	seed_push 'Promote apps/web version v1 to environment qa' promote/x
	describe_any promote/x x "$(described "$big" qa)"
	closed 2 'tag'
	[ "${#stderr}" -lt 4200 ] || fail "${#stderr} bytes on stderr"
	printf '%s' "$(trailer "$big" qa)" >"$T/message"
	git -C "$SEED" commit --quiet --amend --file "$T/message"
	git -C "$SEED" push --quiet --force origin HEAD:refs/heads/promote/x
	closed 2 'tag'
	[ "${#stderr}" -lt 4200 ] || fail "${#stderr} bytes on stderr"
}

@test "an octopus, and a merge with its parents the wrong way round" {
	stage
	local tip head octopus

	seed_to promote/apps-web
	head=$(git -C "$SEED" rev-parse HEAD)
	commit_file README.md more <<<more
	commit_file README.md again <<<again
	git -C "$SEED" fetch --quiet origin main
	tip=$(git -C "$SEED" rev-parse FETCH_HEAD)
	git -C "$SEED" merge --quiet --no-edit FETCH_HEAD
	octopus=$(git -C "$SEED" commit-tree -p "$head" -p "$tip" -p "$tip^" -m octopus 'HEAD^{tree}')
	git -C "$SEED" push --quiet origin "$octopus:refs/heads/promote/apps-web"
	closed 1 'merges something that is not its base'
	octopus=$(git -C "$SEED" commit-tree -p "$tip" -p "$head" -m "Merge branch 'promote/apps-web'" 'HEAD^{tree}')
	git -C "$SEED" push --quiet --force origin "$octopus:refs/heads/promote/apps-web"
	closed 1 'carry other edits in their own pull request'
	octopus=$(git -C "$SEED" commit-tree -p "$head" -p "$tip" -m "Merge branch 'main'" 'HEAD^{tree}')
	git -C "$SEED" push --quiet --force origin "$octopus:refs/heads/promote/apps-web"
	opened 1
}

@test "what one commit brought and an update of the branch took back" {
	# main has the same change by another way, and a merge would undo it there.
	stage
	seed_to
	seed_tag qa v1
	echo important >"$SEED/README.md"
	git -C "$SEED" commit --quiet -am "$(trailer v1 qa)"
	local evil tip

	evil=$(git -C "$SEED" rev-parse HEAD)
	commit_file other.txt 'main goes on' <<<x
	tip=$(remote_tip)
	git -C "$SEED" fetch --quiet origin main
	git -C "$SEED" merge --quiet --no-ff --no-commit FETCH_HEAD
	git -C "$SEED" checkout --quiet "$tip" README.md
	git -C "$SEED" commit --quiet -m "Merge branch 'main'"
	git -C "$SEED" push --quiet --force origin HEAD:refs/heads/promote/apps-web
	seed_to
	git -C "$SEED" merge --quiet --no-ff -m 'an important change' "$evil"
	git -C "$SEED" push --quiet origin HEAD:refs/heads/main
	closed 1 README.md 'carry other edits in their own pull request'
}

@test "a link, a submodule or a directory where the manifest was, and what git reads besides" {
	stage
	local head tricks=(
		'ln -sf ../dev/web.yaml apps/qa/web.yaml'
		'rm apps/qa/web.yaml; mkdir apps/qa/web.yaml; echo x >apps/qa/web.yaml/x'
		'echo "*.yaml merge=ours" >.gitattributes'
		'printf "[submodule \"x\"]\n\tpath = x\n\turl = --upload-pack=x\n" >.gitmodules'
		'mkdir -p .github/workflows; echo on: push >.github/workflows/x.yaml'
		'git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),apps/qa/sub'
	)

	head=$(remote_tip promote/apps-web)
	for trick in "${tricks[@]}"; do
		git -C "$REMOTE" update-ref refs/heads/promote/apps-web "$head"
		seed_to promote/apps-web
		git -C "$SEED" clean --quiet -fd
		(cd "$SEED" && eval "$trick")
		[[ "$trick" == *cacheinfo* ]] || git -C "$SEED" add -A
		git -C "$SEED" commit --quiet --amend --no-edit
		git -C "$SEED" push --quiet --force origin HEAD:refs/heads/promote/apps-web
		closed 1 'carry other edits in their own pull request' || fail "$trick"
	done
}

@test "trees that no git would write are not read as something harmless" {
	stage
	local good evil apps head

	seed_to promote/apps-web
	head=$(git -C "$SEED" rev-parse HEAD)
	good=$(git -C "$SEED" rev-parse HEAD:apps)
	seed_tag prod v9
	git -C "$SEED" add -A
	evil=$(git -C "$SEED" rev-parse "$(git -C "$SEED" write-tree):apps")
	# two entries of one name; the files beside them as they are
	apps=$({
		for oid in "$good" "$evil"; do
			printf '40000 apps\0%b' "$(sed 's/../\\x&/g' <<<"$oid")"
		done
		git -C "$SEED" cat-file tree 'HEAD^{tree}' | python3 -c '
import sys
d = sys.stdin.buffer.read()
while d:
    i = d.index(0) + 21
    if d[:11] != b"40000 apps\0": sys.stdout.buffer.write(d[:i])
    d = d[i:]'
	} | git -C "$SEED" hash-object -w -t tree --literally --stdin)
	evil=$(git -C "$SEED" log -1 --format=%B "$head" | git -C "$SEED" commit-tree -p "$head^" "$apps")
	git -C "$SEED" push --quiet --force origin "$evil:refs/heads/promote/apps-web"
	closed 1 'is malformed'
}

@test "refs that replace objects, and grafts, in the clone change nothing" {
	stage
	local head evil tip

	opened 1
	head=$(remote_tip promote/apps-web)
	tip=$(remote_tip)
	git fetch --quiet origin promote/apps-web
	commit_file README.md 'in passing' promote/apps-web <<<passing
	git fetch --quiet origin promote/apps-web
	evil=$(remote_tip promote/apps-web)
	git replace "$evil" "$head"
	mkdir -p .git/info
	echo "$evil $tip" >.git/info/grafts
	closed 1 'carry other edits in their own pull request'
	# Nor does history that is replaced make evidence.
	commit_tag apps dev web v2
	git fetch --quiet origin main
	git -C "$REMOTE" update-ref refs/heads/promote/apps-web "$head"
	flux apps dev failure "$tip"
	git replace "$(remote_tip)" "$tip"
	closed 1 'health check failed'
}

@test "a clone that borrows its objects from another" {
	stage
	git clone --quiet --shared "$REMOTE" "$T/shared"
	cd "$T/shared"
	opened 1
	git remote set-url origin "file://$REMOTE"
}

@test "branches that are called like options or patterns" {
	stage
	local name n=1

	# shellcheck disable=SC2016
	for name in -rf --upload-pack=x '--exec=touch${IFS}x' 'a;touch${IFS}x' '$(touch${IFS}x)' '`touch${IFS}x`' "a'b\"c" 'promote/é' '%0aerror'; do
		seed_to
		echo "$name" >>"$SEED/README.md"
		git -C "$SEED" commit --quiet -am "$(trailer v1 qa)"
		git -C "$SEED" push --quiet --force origin HEAD:refs/heads/tmp
		git -C "$REMOTE" update-ref "refs/heads/$name" refs/heads/tmp
		describe_any "$name" "$name" "$(described v1 qa)"
		closed $((n += 1)) 'carry other edits in their own pull request'
	done
	[ ! -e x ] && [ ! -e "$T/x" ] && [ ! -e "$REMOTE/x" ]
	# As the base: 64, 65 or refused, and nothing is fetched into a branch.
	for name in -rf --upload-pack=x main:refs/heads/evil '*' 'ma in' '' . .. a..b 'main^' '@{u}' $'a\nb' x.lock; do
		expect 64 gp-read-config --base "$name" --group apps --app web --tag v1
		start apps/web v1 | jq -c --arg b "$name" '.repository.base = $b' >"$T/edited"
		expect 65 gp-set-tag <"$T/edited"
		expect 65 gp-open-pr <"$T/edited"
	done
	same branches main "$(git for-each-ref --format='%(refname:strip=2)' refs/heads)"
}

@test "look-alikes are no promotions, but once they say that they are, they are judged" {
	stage
	local name n=1

	for name in Promote/apps-web promоte/apps-web promote-apps-web apps-web; do
		seed_to
		seed_tag prod v9
		forge_pr "$name" 'a change of my own'
		n=$((n + 1))
		verdict 0 "$n"
		jq_is .status.reason 'not a promotion: nothing to wait for'
		open_pr "$name" 'a change' "$(described v9 prod)" >/dev/null
		verdict 1 "$n"
		open_pr "$name" 'a change' "$(described v9 dev)" >/dev/null
		verdict 1 "$n"
	done
	# A commit says what it is, whatever its branch and description: its status counts wherever it is the head.
	seed_to
	seed_tag qa v9
	forge_pr innocent 'Promote apps/web version v9 to environment qa'
	closed $((n + 1)) 'does not say which'
}

@test "environments renamed, reordered or added in the pull request's own configuration" {
	stage
	local config head

	head=$(remote_tip promote/apps-web)
	for config in 'qa dev prod' 'qa' 'Dev qa prod' 'dev qa prod extra'; do
		git -C "$REMOTE" update-ref refs/heads/promote/apps-web "$head"
		seed_to promote/apps-web
		{
			echo environments:
			# shellcheck disable=SC2086
			printf '  - env: %s\n    auto: true\n' $config
		} >"$SEED/gitops-promotion.yaml"
		git -C "$SEED" commit --quiet -a --amend --no-edit
		git -C "$SEED" push --quiet --force origin HEAD:refs/heads/promote/apps-web
		closed 1 gitops-promotion.yaml 'carry other edits in their own pull request'
		jq_is '[.config.environments[].name] | join(" ")' 'dev qa prod'
	done
	# Nor can the trailer name one that only looks like it, or leads elsewhere.
	for name in QA 'qa ' dev/../qa ../qa '' /qa qa/. $'qa\\n'; do
		git -C "$REMOTE" update-ref refs/heads/promote/apps-web "$head"
		seed_to promote/apps-web
		git -C "$SEED" commit --quiet --amend -m "$(trailer v1 "$name")"
		git -C "$SEED" push --quiet --force origin HEAD:refs/heads/promote/apps-web
		verdict 1 1
		jq_is .status.state failure
	done
}

@test "prod changed while the first environment is named" {
	stage
	seed_to
	seed_tag prod v9
	forge_pr promote/x "$(trailer v9 dev)" "$(described v9 dev)"
	closed 2 apps/prod/web.yaml
	# … and the first one with it, in passing.
	seed_to
	seed_tag dev v9
	seed_tag prod v9
	forge_pr promote/y "$(trailer v9 dev)" "$(described v9 dev)"
	closed 3 apps/prod/web.yaml
	# … and another app's tag.
	seed_to
	seed_tag dev v9
	seed_tag dev v9 db
	forge_pr promote/z "$(trailer v9 dev)" "$(described v9 dev)"
	closed 4 apps/dev/db.yaml
}

@test "nothing is set, though the trailer says so" {
	stage
	seed_to
	forge_pr promote/x "$(trailer v1 qa)" "$(described v1 qa)"
	closed 2 'does not set apps/web to v1 everywhere'
}

@test "main has moved the manifest to another environment since" {
	stage
	opened 1
	seed_to
	git -C "$SEED" rm --quiet apps/prod/web.yaml
	git -C "$SEED" mv apps/qa/web.yaml apps/prod/web.yaml
	seed_push 'qa is prod now'
	closed 1 apps/qa/web.yaml "gone from 'main'"
}

@test "a revert: of the promotion itself, and of the version in the environment before" {
	stage
	local head

	head=$(remote_tip promote/apps-web)
	sh_pipe 0 'gp-find-pr --open --number 1 | gp-read-config | gp-check-status | gp-set-status --gate'
	same state merged "$(pr 1 .state)"
	seed_to
	git -C "$SEED" revert --no-edit -m 1 HEAD >/dev/null 2>&1
	git -C "$SEED" push --quiet origin HEAD:refs/heads/main
	same qa v0 "$(remote_tag apps qa web)"
	# The old commit again is in main already; promoted anew, it asks dev anew.
	propose apps/web v1 qa
	opened 2
	[ "$head" != "$(pr 2 .head)" ]
	commit_tag apps dev web v0
	commit_tag apps dev web v1
	verdict 75 2
	flux apps dev failure
	closed 2 'health check failed'
}

@test "two apps whose names run together never answer for each other" {
	stage
	for path in a/dev/b-c a/qa/b-c a-b/dev/c a-b/qa/c; do
		IFS=/ read -r group env app <<<"$path"
		seed_to
		manifest "$group" "$env" "$app" v0
		seed_push "$path"
	done
	commit_tag a dev b-c v1
	flux a dev success
	propose a/b-c v1 qa
	opened 2
	# The other one's content under this one's name, and the other way round.
	seed_to promote/a-b-c
	manifest a qa b-c v0
	manifest a-b qa c v1
	git -C "$SEED" commit --quiet -a --amend --no-edit
	git -C "$SEED" push --quiet --force origin HEAD:refs/heads/promote/a-b-c
	closed 2 'carry other edits in their own pull request'
	GP_VERBOSE=-1 expect 69 gp-new --group a-b --app c --tag v1
	one_message gp-open-pr 'is taken'
}

# Pull requests as the older tool made them, which have no trailer

# older MESSAGE SCRIPT: one whose manifest for qa is what sed makes of it.
older() {
	seed_to
	sed -i "$2" "$SEED/apps/qa/web.yaml"
	git -C "$SEED" checkout --quiet -B promote/apps-web
	git -C "$SEED" commit --quiet -am "$1"
	git -C "$SEED" push --quiet --force origin HEAD:refs/heads/promote/apps-web
	git -C "$SEED" checkout --quiet --detach
	open_pr promote/apps-web 'a title' "$(described v1 qa)" >/dev/null
}

@test "leaving the trailer out buys nothing but another layout" {
	commit_tag apps dev web v1
	flux apps dev success
	local script title='Promote apps/web version v1 to environment qa' set='s/:v0 #/:v1 #/'

	older "$title" "$set; s/^          image/         image/; s/^        - name/       - name/"
	opened 1
	for script in \
		's/:v0 #\(.*\)/:v1\n          #\1/' \
		"$set; s/  *# .*//" \
		"$set; s/apps:web/apps:db/" \
		"$set; s/apps:web/apps:web:name/" \
		"$set; s/# {/# x {/" \
		"s/\(- name: web\)/\1 # {\"\$imagepolicy\": \"apps:web\"}/; s/:v0 #.*/:v1/" \
		"$set; s/name: web/name: !!str web/" \
		"$set; s/name: web/name: \&a web/" \
		"$set; s/kind: Deployment/kind: 'true'/" \
		"$set; \$s/\$/\n---\nkind: Namespace/"; do
		older "$title" "$script"
		closed 1 apps/qa/web.yaml || fail "$script"
	done
	older 'another subject' "$set"
	closed 1 'its commit is neither'
	older 'Promote apps/web version v1 to environment prod' "$set"
	closed 1 'its commit is neither'
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

@test "contexts that only look like the environment's" {
	carry apps/web v1 dev
	propose apps/web v1 qa
	local context tip

	tip=$(remote_tip)
	for context in kustomization/apps-dev-evil kustomization/apps-dev-evil/1 Kustomization/apps-dev/1 kustomization/Apps-dev/1 \
		kustomization//apps-dev kustomization/apps-dev/ kustomization/apps-dev/a/ kustomization/apps-dev/a//b ' kustomization/apps-dev' \
		kustomization/apps_dev kustomization/аpps-dev/1 helmrelease/apps-dev.x/1 helmreleases/apps-dev \
		kustomization/apps-dev//1 xkustomization/apps-dev 'kustomization/apps-dev?' kustomization/apps-qa/1; do
		post "$tip" "$context" success 'reconciliation succeeded'
	done
	verdict 75 "$(prs)"
	jq_is .status.context null
}

@test "descriptions that only sound like a success" {
	carry apps/web v1 dev
	propose apps/web v1 qa
	local words tip

	tip=$(remote_tip)
	for words in 'reconciliation has not succeeded' 'Rollback succeeded' 'rollback succeeded.' ' rollback succeeded' \
		'helm rollback succeeded' 'UNINSTALL succeeded' 'reconciliation unsucceeded' 'reconciliation failed, rollback succeeded' \
		'succeeded: 0' 'Reconciliation SUCCEEDED!' 'it never succeeded' 'not-succeeded' 'reconciliation succeeded?'; do
		post "$tip" kustomization/apps-dev/1 success "$words"
		verdict 75 "$(prs)" || fail "$words"
	done
	post "$tip" kustomization/apps-dev/1 success 'reconciliation succeeded'
	verdict 0 "$(prs)"
}

@test "one cluster's later success does not hide another's failure" {
	carry apps/web v1 dev
	propose apps/web v1 qa
	post "$(remote_tip)" kustomization/apps-dev/eu failure 'health check failed'
	commit_file README.md later <<<later
	post "$(remote_tip)" kustomization/apps-dev/us success 'reconciliation succeeded'
	post "$(remote_tip)" helmrelease/apps-dev success 'upgrade succeeded'
	verdict 1 "$(prs)"
	has "$stderr" 'health check failed' kustomization/apps-dev/eu
}

@test "another digest of the same tag is another version" {
	local a b

	printf -v a 'sha256:%064d' 1
	printf -v b 'sha256:%064d' 2
	commit_tag apps dev web "v1@$a"
	flux apps dev success
	propose apps/web "v1@$a" qa
	verdict 0 "$(prs)"
	for tag in v1 "v1@$b" "$b" "$a"; do
		propose apps/web "$tag" qa
		verdict 1 "$(prs)"
		has "$stderr" 'superseded by'
	done
}

# Whose pull requests are followed

# merged_pull FILTER: what the forge says of merged pull requests from now on is changed by jq.
merged_pull() {
	on_op find-pr <<-SH
		sed 's/"provider":"spy"/"provider":"local"/' | gp-forge-local | jq -c '.result.pull_requests[] |= ($1)'
	SH
}

@test "promote follows merged pull requests of the repository's own branches, and no others" {
	carry apps/web v1 dev
	local filter tip before

	tip=$(remote_tip)
	before=$(git -C "$REMOTE" for-each-ref refs/heads)
	spy_forge
	for filter in '.fork = true' '.base = "release"' '.state = "open"' '.state = "closed"' \
		'.description |= sub("\"type\":\"promote\""; "\"type\":\"feature\"")' '.description = "no promotion"' \
		'.description |= sub("\"tag\":\"v1\""; "\"tag\":\"v9\"")' '.description |= sub("\"app\":\"web\""; "\"app\":\"db\"")' \
		'.description |= sub("\"env\":\"dev\""; "\"env\":\"qa\"")' '.description |= sub("\"env\":\"dev\""; "\"env\":\"stage\"")'; do
		merged_pull "$filter"
		expect 0 run_promote "$tip"
		jq_is 'has("skip")' true || fail "$filter"
		same refs "$before" "$(git -C "$REMOTE" for-each-ref refs/heads)"
	done
	merged_pull .
	expect 0 run_promote "$tip"
	jq_is '"\(.promotion.env) \(has("skip"))"' 'qa false'
}

@test "a squash whose message was edited, to say something else even, is followed by what was merged" {
	local n

	n=$(new apps/web v1)
	seed_to promote/apps-web
	git -C "$SEED" reset --quiet --soft HEAD^
	git -C "$SEED" commit --quiet -m "$(trailer v9 prod)"
	git -C "$SEED" push --quiet origin HEAD:refs/heads/main
	git -C "$REMOTE" update-ref -d refs/heads/promote/apps-web
	spy_forge
	merged_pull 'if .number == 1 then .state = "merged" | .merge_commit = "'"$(remote_tip)"'" else . end'
	on_op find-pr <<-SH
		jq -c '{id, result: {pull_requests: (if .merged_as then [$(pr "$n" | jq -c '.state = "merged" | .fork = false')] else [] end)}}'
	SH
	expect 0 run_promote
	jq_is '.promotion | "\(.tag) \(.env)"' 'v1 qa'
}

# The head that was judged, and no other

# swap OP: while the forge is asked for OP, somebody pushes to the promotion's branch.
swap() {
	on_op "$1" <<-'SH'
		cat >/dev/null
		[ ! -e "$T/swapped" ] || exit 0
		: >"$T/swapped"
		git -C "$REMOTE" update-ref refs/heads/promote/apps-web "$(cat "$T/evil")"
	SH
	rm -f "$T/swapped"
}

# evil_head: a commit on the promotion's branch that changes prod, in $T/evil, not pushed to the branch yet.
evil_head() {
	seed_to promote/apps-web
	seed_tag prod v9
	seed_push 'evil' evil
	git -C "$REMOTE" rev-parse refs/heads/evil >"$T/evil"
	git -C "$REMOTE" update-ref -d refs/heads/evil
}

@test "a head that is swapped before auto-merge or the merge is not merged" {
	local n good

	carry apps/web v1 dev
	n=$(run_promote | jq .pull_request.number)
	good=$(pr "$n" .head)
	evil_head
	gp-find-pr --open --number "$n" | gp-read-config >"$T/judged"
	forge set-auto-merge "{\"number\": $n, \"enable\": false}" >/dev/null
	jq -c '.pull_request.auto_merge = false' "$T/judged" >"$T/doc"
	spy_forge
	sed -i 's/"provider":"local"/"provider":"spy"/' "$T/doc"
	swap set-auto-merge
	expect 75 gp-merge --auto <"$T/doc"
	same auto false "$(pr "$n" .auto_merge)"
	git -C "$REMOTE" update-ref refs/heads/promote/apps-web "$good"
	require_checks
	swap merge-pr
	expect 75 gp-merge <"$T/doc"
	same state open "$(pr "$n" .state)"
	same prod v0 "$(remote_tag apps prod web)"
}

@test "a verdict stands on the commit that was judged, whatever was pushed meanwhile" {
	local n good

	carry apps/web v1 dev
	n=$(run_promote | jq .pull_request.number)
	good=$(pr "$n" .head)
	evil_head
	flux apps dev success
	gp-find-pr --open --number "$n" | gp-read-config | gp-check-status >"$T/verdict"
	git -C "$REMOTE" update-ref refs/heads/promote/apps-web "$(cat "$T/evil")"
	expect 75 gp-set-status --gate <"$T/verdict"
	same gate none "$(gate "$n")"
	same prod v0 "$(remote_tag apps prod web)"
	same state open "$(pr "$n" .state)"
	# The job for the head from before says nothing of the one that is there now.
	echo "{\"pull_request\":{\"number\":$n,\"head\":{\"sha\":\"$good\"}}}" >"$T/event"
	GITHUB_EVENT_PATH=$T/event GITHUB_REF=refs/pull/$n/merge expect 75 gp-find-pr --open
	closed "$n" 'carry other edits in their own pull request'
}

@test "a head that is swapped while gp-open-pr looks is neither kept nor overwritten" {
	local n

	n=$(new apps/web v1)
	evil_head
	spy_forge
	swap set-auto-merge
	GP_VERBOSE=-1 expect 75 gp-new --group apps --app web --tag v2
	same head "$(cat "$T/evil")" "$(remote_tip promote/apps-web)"
	same gate none "$(gate "$n")"
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
