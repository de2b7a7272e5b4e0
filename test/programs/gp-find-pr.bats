#!/usr/bin/env bats
# gp-find-pr: which promotions were merged, which pull requests are open.

setup() {
	load ../lib/helper
	gp_setup
	make_gitops --apps 'apps/web apps/api apps/job'
}

# land N: the gate is green, the pull request merged.
land() {
	post "$(pr "$1" .head)" gp/gate success
	[ "$(pr "$1" .state)" = merged ] || merge_pr "$1" "${2:-merge}"
}

found() {
	jq -r "$1" <<<"$output" | paste -sd ' '
}

# --merged

@test "--merged: the promotion that the base's tip merged" {
	land "$(propose apps/web v1 dev)"
	expect 0 gp-find-pr --merged
	jq_is '.promotion | "\(.type) \(.group) \(.app) \(.tag) \(.env) \(.feature)"' 'promote apps web v1 dev '
	jq_is .pull_request.number 1
	jq_is .pull_request.state merged
	jq_is .pull_request.branch promote/apps-web
	jq_is .pull_request.title 'Promote apps/web version v1 to environment dev'
	jq_is .repository.base main
	jq_is .repository.tip "$(remote_tip)"
	jq_is .repository.provider local
}

@test "--merged: nothing that the tip merged is a skip" {
	expect 0 gp-find-pr --merged
	jq_is .skip.program gp-find-pr
	[ -n "$(jq -r '.skip.reason // ""' <<<"$output")" ]
	same documents 1 "$(grep -c '' <<<"$output")"
}

@test "--merged: a person's commit, and a person's pull request, are no promotions" {
	land "$(propose apps/web v1 dev)"
	commit_file README.md 'a word' <<<hello
	expect 0 gp-find-pr --merged
	jq_is 'has("skip")' true
	seed_to
	echo more >>"$SEED/README.md"
	seed_push 'a change' docs
	land "$(open_pr docs 'a change')"
	expect 0 gp-find-pr --merged
	jq_is 'has("skip")' true
}

@test "--merged: without --since it looks at one commit alone" {
	land "$(propose apps/web v1 dev)"
	land "$(propose apps/api v1 dev)"
	expect 0 gp-find-pr --merged
	same apps api "$(found .promotion.app)"
}

@test "--merged --since: one push can carry several merges, oldest first" {
	local before

	before=$(remote_tip)
	land "$(propose apps/web v1 dev)"
	land "$(propose apps/api v2 dev)"
	commit_file README.md 'in between' <<<x
	land "$(propose apps/job v3 dev)"
	expect 0 gp-find-pr --merged --since "$before"
	same promotions 'web@v1 api@v2 job@v3' "$(found '"\(.promotion.app)@\(.promotion.tag)"')"
	expect 0 gp-find-pr --merged --since "$before" --commit "$(git -C "$REMOTE" rev-parse main~1)"
	same promotions 'web@v1 api@v2' "$(found '"\(.promotion.app)@\(.promotion.tag)"')"
}

@test "--merged --commit: that commit's merge, also when the tip has gone on" {
	land "$(propose apps/web v1 dev)"
	local commit

	commit=$(remote_tip)
	land "$(propose apps/api v2 dev)"
	expect 0 gp-find-pr --merged --commit "$commit"
	same apps web "$(found .promotion.app)"
	jq_is .repository.tip "$(remote_tip)"
}

@test "--merged takes the commit from CI" {
	land "$(propose apps/web v1 dev)"
	local commit

	commit=$(remote_tip)
	land "$(propose apps/api v2 dev)"
	GITHUB_SHA=$commit expect 0 gp-find-pr --merged
	same apps web "$(found .promotion.app)"
	BUILD_SOURCEVERSION=$commit expect 0 gp-find-pr --merged
	same apps web "$(found .promotion.app)"
	GITHUB_SHA=$commit expect 0 gp-find-pr --merged --commit "$(remote_tip)"
	same apps api "$(found .promotion.app)"
}

@test "--merged takes what was there before from GitHub's event" {
	local before

	before=$(remote_tip)
	land "$(propose apps/web v1 dev)"
	land "$(propose apps/api v2 dev)"
	printf '{"before":"%s","after":"%s"}\n' "$before" "$(remote_tip)" >"$T/event.json"
	GITHUB_EVENT_NAME=push GITHUB_EVENT_PATH="$T/event.json" GITHUB_SHA=$(remote_tip) expect 0 gp-find-pr --merged
	same apps 'web api' "$(found .promotion.app)"
}

@test "--merged: an event of a branch that is new (all zeros), or a before that is gone, is that commit alone" {
	land "$(propose apps/web v1 dev)"
	local before

	for before in 0000000000000000000000000000000000000000 1234567890123456789012345678901234567890; do
		printf '{"before":"%s","after":"%s"}\n' "$before" "$(remote_tip)" >"$T/event.json"
		GITHUB_EVENT_NAME=push GITHUB_EVENT_PATH="$T/event.json" GITHUB_SHA=$(remote_tip) expect 0 gp-find-pr --merged
		same apps web "$(found .promotion.app)"
	done
}

@test "--merged finds squash merges too" {
	land "$(propose apps/web v1 prod)" squash
	same parents 1 "$(git -C "$REMOTE" log -1 --format=%P main | wc -w)"
	expect 0 gp-find-pr --merged
	same promotions 'web@v1' "$(found '"\(.promotion.app)@\(.promotion.tag)"')"
}

@test "--merged: an unknown revision is named" {
	expect 64 gp-find-pr --merged --since nowhere
	one_message gp-find-pr nowhere
	expect 64 gp-find-pr --merged --commit nowhere
	one_message gp-find-pr nowhere
}

@test "--merged in a depth-1 checkout sees the whole push" {
	local before

	before=$(remote_tip)
	land "$(propose apps/web v1 dev)"
	land "$(propose apps/api v2 dev)"
	land "$(propose apps/job v3 dev)"
	checkout "$T/ci"
	cd "$T/ci"
	expect 0 gp-find-pr --merged --since "$before"
	same apps 'web api job' "$(found .promotion.app)"
}

# many N: as many commits by hand on main, at once.
many() {
	local i tip now

	# No commit is older than its parents: git follows history by time.
	tip=$(remote_tip) now=$(git -C "$REMOTE" log -1 --format=%ct main)
	for ((i = 0; i < $1; i++)); do
		printf 'commit refs/heads/main\ncommitter Emilia <emilia@example.com> %s +0000\ndata 0\n\n' "$now"
		[ "$i" -gt 0 ] || printf 'from %s\n' "$tip"
		printf 'M 644 inline notes/%s\ndata 0\n\n' "$((i % 7))"
	done | git -C "$REMOTE" fast-import --quiet
}

@test "--merged --since: of very many commits the newest thousand are looked at, and what is thrown away is not one of them" {
	local long_ago gone

	long_ago=$(remote_tip)
	land "$(propose apps/web v1 dev)"
	many 1000
	land "$(propose apps/api v2 dev)"
	commit_file README.md 'a word' <<<hello
	# A push that was thrown away by force, a while ago.
	gone=$(git -C "$REMOTE" commit-tree -p main~5 -m gone 'main^{tree}')
	git -C "$REMOTE" update-ref refs/heads/gone "$gone"
	for dir in "$CLONE" "$T/ci"; do
		[ "$dir" = "$CLONE" ] || checkout "$dir"
		cd "$dir"
		expect 0 gp-find-pr --merged --since "$long_ago"
		same apps api "$(found .promotion.app)"
		has "$stderr" 'more than 1000 commits back: only the newest 1000 are looked at'
		expect 0 gp-find-pr --merged --since "$gone"
		jq_is 'has("skip")' true
		has "$stderr" 'only its last commit is looked at'
		expect 0 gp-find-pr --merged --since 1234567890123456789012345678901234567890
		jq_is 'has("skip")' true
		has "$stderr" 'only its last commit is looked at'
	done
}

@test "--merged: a promotion without a type, as the older tool wrote early ones, is one" {
	seed_to
	sed -i s/:v0/:v1/ "$SEED/apps/dev/web.yaml"
	seed_push 'Promote apps/web version v1 to environment dev' promote/apps-web
	land "$(open_pr promote/apps-web 'Promote apps/web version v1 to environment dev' \
		'<!-- metadata = {"group":"apps","app":"web","tag":"v1","env":"dev","sha":"abc"} -->'$'\n''text')"
	expect 0 gp-find-pr --merged
	jq_is '.promotion | "\(.type) \(.group) \(.app) \(.tag) \(.env)"' 'promote apps web v1 dev'
}

# --open

@test "--open --number: that pull request, with its promotion" {
	propose apps/web v1 dev
	propose apps/api v2 qa
	expect 0 gp-find-pr --open --number 2
	jq_is '.promotion | "\(.app) \(.tag) \(.env)"' 'api v2 qa'
	jq_is .pull_request.number 2
	jq_is .pull_request.state open
	jq_is .pull_request.auto_merge true
	jq_is .pull_request.head "$(remote_tip promote/apps-api)"
	jq_is .repository.tip "$(remote_tip)"
}

@test "--open --branch: that branch's" {
	propose apps/web v1 dev
	propose apps/api v2 qa
	expect 0 gp-find-pr --open --branch promote/apps-web
	jq_is .pull_request.number 1
}

@test "--open --all: every open one, ascending" {
	propose apps/web v1 dev
	propose apps/api v2 qa
	propose apps/job v3 dev
	land 1
	expect 0 gp-find-pr --open --all
	same numbers '2 3' "$(found .pull_request.number)"
}

@test "--open: none at all is a skip" {
	expect 0 gp-find-pr --open --all
	jq_is .skip.program gp-find-pr
	expect 0 gp-find-pr --open --branch promote/apps-web
	jq_is .skip.program gp-find-pr
}

@test "--open --number: one that is merged is not open" {
	land "$(propose apps/web v1 dev)"
	expect 0 gp-find-pr --open --number 1
	jq_is .skip.program gp-find-pr
}

@test "--open: one that is no promotion is a document without promotion" {
	seed_to
	echo more >>"$SEED/README.md"
	seed_push 'a change' docs
	open_pr docs 'a change'
	expect 0 gp-find-pr --open --number 1
	jq_is 'has("promotion")' false
	jq_is 'has("skip") or has("error")' false
	jq_is .pull_request.number 1
	jq_is .pull_request.title 'a change'
}

@test "--open in CI goes by the number that the job is for" {
	propose apps/web v1 dev
	propose apps/api v2 qa
	GITHUB_REF=refs/pull/2/merge expect 0 gp-find-pr --open
	jq_is .pull_request.number 2
	SYSTEM_PULLREQUEST_PULLREQUESTID=1 expect 0 gp-find-pr --open
	jq_is .pull_request.number 1
	SYSTEM_PULLREQUEST_PULLREQUESTID=987654 SYSTEM_PULLREQUEST_PULLREQUESTNUMBER=1 expect 0 gp-find-pr --open
	jq_is .pull_request.number 1
}

@test "--open in CI does not go by a branch name that a fork could share" {
	propose apps/web v1 dev
	git checkout --quiet --detach
	GITHUB_HEAD_REF=promote/apps-web expect 64 gp-find-pr --open
	SYSTEM_PULLREQUEST_SOURCEBRANCH=refs/heads/promote/apps-web expect 64 gp-find-pr --open
}

@test "--open in CI: a head that is no longer the job's commit is 75" {
	propose apps/web v1 dev
	local old

	old=$(pr 1 .head)
	printf '{"number":1,"pull_request":{"number":1,"head":{"sha":"%s"}}}\n' "$old" >"$T/event.json"
	GITHUB_EVENT_NAME=pull_request GITHUB_EVENT_PATH="$T/event.json" GITHUB_REF=refs/pull/1/merge expect 0 gp-find-pr --open
	propose apps/web v2 dev
	GITHUB_EVENT_NAME=pull_request GITHUB_EVENT_PATH="$T/event.json" GITHUB_REF=refs/pull/1/merge expect 75 gp-find-pr --open
	one_message gp-find-pr
	jq_is .error.exit 75
	SYSTEM_PULLREQUEST_PULLREQUESTID=1 SYSTEM_PULLREQUEST_SOURCECOMMITID=$old expect 75 gp-find-pr --open
	one_message gp-find-pr
}

@test "an event that cannot be read is told" {
	propose apps/web v1 dev
	GITHUB_EVENT_NAME=pull_request GITHUB_EVENT_PATH="$T/nowhere.json" GITHUB_REF=refs/pull/1/merge \
		sh_pipe 0 'gp-find-pr --open; [ $? -ge 64 ]'
	one_message gp-find-pr nowhere.json
}

# Options

@test "--merged or --open, one of the two" {
	expect 64 gp-find-pr
	one_message gp-find-pr
	expect 64 gp-find-pr --merged --open --all
	one_message gp-find-pr
}

@test "--open outside of CI is about the branch that is checked out" {
	propose apps/web v1 dev
	git fetch --quiet
	git checkout --quiet promote/apps-web
	expect 0 gp-find-pr --open
	jq_is .pull_request.number 1
	git checkout --quiet main
	expect 0 gp-find-pr --open
	jq_is .skip.program gp-find-pr
	git checkout --quiet --detach
	expect 64 gp-find-pr --open
	one_message gp-find-pr
}

@test "options that contradict each other are 64" {
	expect 64 gp-find-pr --open --all --number 1
	expect 64 gp-find-pr --open --number 1 --branch b
	expect 64 gp-find-pr --merged --number 1
	expect 64 gp-find-pr --open --all --since main
}

@test "a number is a number" {
	local number

	for number in 0 -1 x 1x '' 99999999999999999999 1.5; do
		expect 64 gp-find-pr --open "--number=$number" || fail "number '$number'"
		one_message gp-find-pr
	done
}

# What is read from descriptions

@test "what the metadata escapes comes back as it was" {
	seed_to
	echo more >>"$SEED/README.md"
	seed_push 'a change' promote/apps-web
	open_pr promote/apps-web 'Promote' \
		'<!-- metadata = {"group":"apps","app":"web","tag":"v1","env":"dev","sha":"","feature":"a\u003cb\u003e\u0026","type":"promote"} -->'
	expect 0 gp-find-pr --open --number 1
	jq_is .promotion.feature 'a<b>&'
}

@test "metadata that is broken, or names what no name is, is never acted upon" {
	local description

	seed_to
	echo more >>"$SEED/README.md"
	seed_push 'a change' promote/apps-web
	for description in \
		'<!-- metadata = {"group":"apps" -->' \
		'<!-- metadata = [] -->' \
		'<!-- metadata = {"group":"../..","app":"web","tag":"v1","env":"dev","sha":"","feature":"","type":"promote"} -->' \
		'<!-- metadata = {"group":7,"app":"web","tag":"v1","env":"dev"} -->' \
		'<!-- metadata = {"group":"apps","app":"web","tag":"v1","tag":"v2","env":"dev"} -->' \
		'<!-- metadata = {"group":"apps","app":"web","tag":"a b","env":"dev"} -->'; do
		open_pr promote/apps-web Promote "$description" >/dev/null
		sh_pipe 0 'gp-find-pr --open --number 1; case $? in 0 | 65) ;; *) exit 1 ;; esac'
		jq_is '.promotion // "none"' none || fail "$description"
	done
}

@test "it leaves the clone as it was" {
	local before

	land "$(propose apps/web v1 dev)"
	before=$(snapshot_clone "$CLONE")
	expect 0 gp-find-pr --merged
	expect 0 gp-find-pr --open --all
	same clone "$before" "$(snapshot_clone "$CLONE")"
}

@test "--number of what is not there is an error, not a skip" {
	expect 69 gp-find-pr --open --number 99
	one_message gp-find-pr 'no pull request #99'
}
