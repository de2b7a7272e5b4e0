#!/usr/bin/env bats
# Names and words that somebody chose in order to do harm, wherever gp takes one: each is refused (64, 65, 78), or goes
# its way unchanged and is harmless: no path outside of the repository, no second word of a command, no escape sequence
# on a terminal, no command to a CI system in its log.
# shellcheck disable=SC2016 # what must not be expanded

# Where each name costs some processes, one of so many parts of them is drawn, by a commit's id. gp_setup unsets these.
parts=${GP_PARTS:-1} seed=${GP_SEED:-0}
((parts <= 10)) || parts=10

setup() {
	load ../lib/helper
	gp_setup
	make_gitops
	before=$(find "$T" -maxdepth 1 | sort)
	esc=$'\e' bel=$'\a' csi=$'\xc2\x9b'
	printf -v big '%010000d' 0
	# What no name is; what can be carried as text comes again below.
	hostile=(
		../x ../../etc/passwd /etc /etc/passwd . .. ./x x/.. x/../y -rf --help --upload-pack=x ''
		' ' 'a b' a/b 'a\b' $'a\nb' $'\n' $'a\r' $'a\tb' "a'b" 'a"b' '$(touch pwned)' '`touch pwned`' 'a;touch pwned'
		'a|b' 'a&b' 'a>b' '*' '?' '[a]' '{a,b}' '~' '~root' '$HOME' '%n%s' '%0a' '::error::x' '##[error]x' '##vso[task.x]y'
		"${esc}[31mred" "${esc}]0;title$bel" "${csi}31m" $'\xff\xfe' $'a\xc0\xafb' $'\xed\xa0\x80' $'\xe2\x80\xaea' "$big"
		.git .GIT .git/config con:x x.lock a..b x. é ｅ аpps
	)
	few=()
	for ((n = 0x${seed:0:7} % parts; n < ${#hostile[@]}; n += parts)); do few+=("${hostile[n]}"); done
	cannot_be_tags=(../x /etc -rf '' ' ' 'a b' a/b $'a\nb' "a'b" 'a"b' '$(touch pwned)' '`touch pwned`' 'a;b' '*' '%n' '::x'
		"${esc}[31m" $'\xff' "$big" .x @ v1@ v1@sha256:x v1@sha256 sha256:zz 'v1 # x' 'v1:v2' é)
}

# harmless: of what the last program said. (A NUL ends what bash sees, and no program prints one.)
harmless() {
	local text=$stderr

	lacks "$text" "$esc" "$bel" "$csi" $'\xe2\x80\xae' $'\r' $'\t' || return
	[ -z "$text" ] || iconv -f UTF-8 -t UTF-8 <<<"$text" >/dev/null || fail "not UTF-8: $text" || return
	[[ "$text" != '::'* ]] && ! grep -E '^[[:space:]]*(::|##)' <<<"$text" || fail "a command: $text" || return
	! grep -E '.{4200}' <<<"$text" || fail 'a very long line' || return
	lacks "$output" "$esc" "$csi" $'\n'
}

# untouched: nothing has appeared where nothing should.
untouched() {
	same 'files beside' "$before" "$(find "$T" -maxdepth 1 ! -name 'run' ! -name on ! -name bin ! -name '*.json' | sort |
		cat - <(echo "$T/run") | sort -u)" || return
	same 'the clone' '' "$(git status --porcelain --ignored)" || return
	[ -z "$(find / -maxdepth 1 -name pwned -o -maxdepth 1 -name x)" ]
	same branches main "$(remote_branches)"
}

@test "as group, app and environment on the command line: 64" {
	local option name

	echo "# hostile names: ${#few[@]} of ${#hostile[@]} (one of $parts parts, by ${seed:0:8})" >&3
	for option in --group --app --env; do
		for name in "${few[@]}"; do
			# The last of two options of one name counts.
			expect 64 gp-read-config --group apps --app web --tag v1 "$option=$name" || fail "$option=$name"
			harmless || fail "$option=$name"
		done
	done
	untouched
}

@test "as tag on the command line: 64" {
	local tag

	for tag in "${cannot_be_tags[@]}"; do
		expect 64 gp-read-config --group apps --app web --tag="$tag" || fail "$tag"
		harmless || fail "$tag"
	done
	untouched
}

@test "as base, remote, provider, revision and number on the command line" {
	local name option

	for name in "${few[@]}"; do
		for option in --base --remote --provider; do
			expect_one_of '64 69 71 78' gp-read-config --group apps --app web --tag v1 "$option=$name" || fail "$option=$name"
			harmless || fail "$option=$name"
		done
		expect_one_of '64' gp-find-pr --open --number="$name" || fail "--number=$name"
		harmless || fail "--number=$name"
		expect_one_of '64' gp-find-pr --merged --commit="$name" || fail "--commit=$name"
		harmless || fail "--commit=$name"
	done
	untouched
}

# expect_one_of 'EXIT…' COMMAND…
expect_one_of() {
	local codes=$1

	shift
	status=0
	timeout -k 5 60 "$@" >"$T/run/out" 2>"$T/run/err" 3>&- || status=$?
	slurp output "$T/run/out"
	slurp stderr "$T/run/err"
	[[ " $codes " == *" $status "* ]] || fail "exit $status of $*:" "$stderr"
}

# documents FILTER: writes to $T/documents.json the document of $T/document.json changed by FILTER once for each hostile
# text that JSON can hold ($x).
documents() {
	local x

	for x in "${hostile[@]}"; do
		iconv -f UTF-8 -t UTF-8 <<<"$x" >/dev/null 2>&1 || continue
		printf '%s\0' "$x"
	done >"$T/run/hostile"
	jq -Rsc 'split("\u0000")[:-1]' "$T/run/hostile" >"$T/run/hostile.json"
	jq -c --slurpfile hostile "$T/run/hostile.json" "\$hostile[0][] as \$x | $1" "$T/document.json" >"$T/documents.json"
}

@test "in a document, as what is promoted and where: 65, each" {
	local member program n

	start apps/web v1 | gp-set-tag | jq -c '. + {pull_request: {number: 1, url: "u", title: "t", description: "", branch: "b",
		base: "main", head: .change.commit, state: "open", auto_merge: false, fork: false}}' >"$T/document.json"
	# What could be a branch's name is found not to be one when the remote is asked.
	documents '.repository.base = $x'
	expect 65 gp-set-tag <"$T/documents.json"
	output='' harmless
	expect 65 gp-open-pr <"$T/documents.json"
	same 'documents with an error' "$(grep -c '' "$T/documents.json")" "$(grep -c '"error"' <<<"$output")"
	output='' harmless
	for member in .promotion.group .promotion.app .promotion.env .repository.tip .repository.url \
		.repository.provider .change.branch .change.commit; do
		documents "$member = \$x"
		n=$(grep -c '' "$T/documents.json")
		[ "$n" -gt 40 ]
		for program in gp-set-tag gp-open-pr; do
			[[ "$program" != gp-set-tag || "$member" != .change.* ]] || continue
			expect 65 "$program" <"$T/documents.json" || fail "$member"
			same "documents with an error ($program, $member)" "$n" "$(grep -c '"error"' <<<"$output")"
			output='' harmless || fail "$program $member"
		done
	done
	untouched
}

@test "in the configuration: 78 for a name, and told without harm" {
	local name text

	for name in "${few[@]}"; do
		text=$(printf '%s' "$name" | jq -Rs .) || true
		printf 'environments:\n  - env: %s\n' "$text" | commit_file gitops-promotion.yaml
		expect 78 gp-read-config --group apps --app web --tag v1 || fail "env: $text"
		harmless || fail "env: $text"
		printf 'environments:\n  - env: dev\n%s: x\nprflow: %s\n' "$text" "$text" | commit_file gitops-promotion.yaml
		expect 78 gp-read-config --group apps --app web --tag v1 || fail "prflow: $text"
		harmless || fail "prflow: $text"
		printf 'environments:\n  - env: dev\ngate_check: %s\nstatus_context: %s\n' "$text" "$text" | commit_file gitops-promotion.yaml
		expect_one_of '0 78' gp-read-config --group apps --app web --tag v1 || fail "gate_check: $text"
		harmless || fail "gate_check: $text"
	done
	untouched
}

# Text that is only carried

# carried [TEXT…]: what can stand in titles, descriptions and messages, of these or of all.
carried() {
	local x texts=("$@")

	[ $# -gt 0 ] || texts=("${hostile[@]}")
	for x in "${texts[@]}"; do
		iconv -f UTF-8 -t UTF-8 <<<"$x" >/dev/null 2>&1 || continue
		[ -z "$x" ] || printf '%s\0' "$x"
	done
}

@test "in pull requests, as a forge tells of them: judged, told and posted without harm" {
	local member system

	commit_file README.md change docs <<<other 2>/dev/null || true
	seed_to
	echo more >>"$SEED/README.md"
	seed_push 'a change' docs
	open_pr docs 'a change' >/dev/null
	carried | jq -Rsc 'split("\u0000")[:-1]' >"$T/hostile.json"
	spy_forge
	before=$(find "$T" -maxdepth 1 | sort)
	for member in title description branch url id; do
		on_op find-pr <<-SH
			sed 's/"provider":"spy"/"provider":"local"/' | gp-forge-local | jq -c --slurpfile x "$T/hostile.json" '
				.result.pull_requests |= [.[] as \$p | \$x[0] | to_entries[] | \$p + {$member: .value}]'
		SH
		for system in NONE GITHUB_ACTIONS TF_BUILD; do
			export "$system=true"
			sh_pipe 0 'gp-find-pr --open --all | gp-read-config | gp-check-status | gp-set-status --gate=post --dry-run | gp-report'
			unset "$system"
			same "carried verbatim: $member" "$(jq -c '.[]' "$T/hostile.json")" "$(jq -c ".pull_request.$member" <<<"$output")"
			output='' harmless_log "$system" || fail "$member"
		done
	done
}

# harmless_log SYSTEM: harmless, of many lines.
harmless_log() {
	lacks "$stderr" "$esc" "$bel" "$csi" $'\xe2\x80\xae' $'\r' || return
	case $1 in
	GITHUB_ACTIONS) ! grep -E '##\[|^[[:space:]]*::' <<<"$stderr" | grep -v '^::error title=gp-' | grep . || fail "$stderr" ;;
	# gp's own begin the line.
	TF_BUILD) ! sed 's/^##vso\[task\.logissue type=error\]gp-/gp-/; s/^##vso\[task\.setvariable isOutput=true;variable=[a-z]*\]/set /' \
		<<<"$stderr" | grep -F '##vso' || fail "$stderr" ;;
	esac
}

@test "in statuses, as a forge tells of them: told without harm" {
	local member system

	commit_tag apps dev web v1
	propose apps/web v1 qa
	carried "${few[@]}" | jq -Rsc 'split("\u0000")[:-1][]' >"$T/hostile.json"
	spy_forge
	for member in description url context; do
		while IFS= read -r x; do
			printf '%s' "$x" >"$T/run/x"
			on_op list-statuses <<-SH
				jq -c --slurpfile x "$T/run/x" '{id, result: {statuses: (.commits | map({key: ., value: [({context: "kustomization/apps-dev/1",
					state: "failure", description: "no", url: null, created_at: "2026-01-02T03:04:05Z", kind: "status"} + {$member: \$x[0]})]}) |
					from_entries)}}'
			SH
			for system in NONE GITHUB_ACTIONS TF_BUILD; do
				[[ "$system" = NONE || "$x" == *[:#]* ]] || continue
				export "$system=true"
				sh_pipe "$([ "$member" = context ] && echo 75 || echo 1)" \
					'gp-find-pr --open --all | gp-read-config | gp-check-status | gp-set-status --gate --dry-run'
				unset "$system"
				output='' harmless_log "$system" || fail "$member: $x"
			done
		done <"$T/hostile.json"
	done
}

@test "in a commit's message, its files' names and the forge's errors: told without harm" {
	local x system n=0

	carried >"$T/run/hostile"
	while IFS= read -r -d '' x; do
		seed_to
		x=${x:0:200}
		mkdir -p "$SEED/$(dirname "files/${x//\.\.}")" 2>/dev/null || true
		[[ "$x" == *.git* || "$x" == *.GIT* ]] || echo more >"$SEED/files/${x//[\/]/_}y" 2>/dev/null || true
		echo more >>"$SEED/README.md"
		printf '%s\n\nGp-Promotion: %s' "$x" \
			"$(jq -cn --arg x "$x" '{group: "apps", app: "web", tag: "v1", env: "dev", type: $x}')" >"$T/run/message"
		git -C "$SEED" add -A
		git -C "$SEED" commit --quiet --cleanup=verbatim --allow-empty-message --file "$T/run/message"
		git -C "$SEED" push --quiet origin "HEAD:refs/heads/h$((n += 1))"
		open_pr "h$n" >/dev/null
	done <"$T/run/hostile"
	for system in NONE GITHUB_ACTIONS TF_BUILD; do
		export "$system=true"
		sh_pipe 1 'gp-find-pr --open --all | gp-read-config | gp-check-status | gp-set-status --gate --dry-run | gp-report'
		unset "$system"
		same closed "$n" "$(grep -c '"state":"failure"' <<<"$output")"
		output='' harmless_log "$system"
	done
	jq -Rsc 'split("\u0000")[:-1]' "$T/run/hostile" >"$T/hostile.json"
	spy_forge
	for n in 1 20 33 34 36 40 41; do
		on_op find-pr <<-SH
			jq -c --slurpfile x "$T/hostile.json" '{id, error: {exit: 69, message: ("no: " + \$x[0][$n])}}'
		SH
		GITHUB_ACTIONS=true expect 69 gp-find-pr --open --all
		output='' harmless_log GITHUB_ACTIONS
	done
}

# What stands in manifests

@test "a dry run's diff is no command to a CI system" {
	seed_to
	printf 'a: |\n  ::warning::x\ni: r/web:v0 # {"$imagepolicy": "apps:web"}\nb: |\n  ::set-output name=x::y\n  ##[error]x ##vso[task.x]y\n' \
		>"$SEED/apps/dev/web.yaml"
	seed_push 'commands'
	GITHUB_ACTIONS=true sh_pipe 0 'gp-read-config --group apps --app web --tag v1 | gp-set-tag --dry-run'
	has "$stderr" '+i: r/web:v1' 'set-output name=x'
	harmless_log GITHUB_ACTIONS
	TF_BUILD=true sh_pipe 0 'gp-read-config --group apps --app web --tag v1 | gp-set-tag --dry-run'
	has "$stderr" '+i: r/web:v1' 'task.x]y'
	harmless_log TF_BUILD
	sh_pipe 0 'gp-read-config --group apps --app web --tag v1 | gp-set-tag --dry-run'
	has "$stderr" '   ::set-output name=x::y' '   ##[error]x ##vso[task.x]y'
}
