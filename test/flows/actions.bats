#!/usr/bin/env bats
# gp in GitHub Actions: the action and the workflows that a team copies, by linters and by hand. The steps of action.yml
# run as a runner runs them, in a checkout as actions/checkout makes it, against gp-forge-local.

setup_file() {
	load ../lib/helper
	gp_setup "$BATS_FILE_TMPDIR"
	# bats 1.8 cannot skip here.
	if [[ "$GP_BUILD" == *asan* ]] || ! find_python; then return; fi
	# The action's own second step: it builds and installs gp, once for all tests.
	step_text 1 >"$T/install"
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL RUNNER_TEMP="$T/runner" GITHUB_ACTION_PATH="$test_root/scripts/ci/github" \
		sh -e "$T/install" >"$T/install.log" 2>&1 3>&- || fail "$(cat "$T/install.log")"
}

setup() {
	load ../lib/helper
	gp_setup
	[[ "$GP_BUILD" != *asan* ]] || skip 'it builds a gp of its own'
	find_python || skip 'no python3 with PyYAML here'
	action=$test_root/scripts/ci/github/action.yml
	workflows=("$test_root"/scripts/ci/github/workflows/*.yml)
}

# as_json FILE: YAML with all scalars as strings, so that the key "on" stays one.
as_json() {
	"$python" -c 'import json, sys, yaml; print(json.dumps(yaml.load(open(sys.argv[1]), yaml.BaseLoader)))' "$1"
}

# step_text N: the shell code of a step.
step_text() {
	as_json "$test_root/scripts/ci/github/action.yml" | jq -r ".runs.steps[$1].run"
}

# tool NAME: one of the linters, where `make lint` puts them or from PATH.
tool() {
	local path

	for path in "$test_root/build/tools/$1" "$test_root/build/tools/node_modules/.bin/$1"; do
		[ ! -x "$path" ] || { echo "$path" && return; }
	done
	command -v "$1"
}

# act EXIT [INPUT=VALUE…]: the action in a job. Its outputs are in $T/output, its summary in $T/summary, its log in $stderr.
act() {
	local want=$1 inputs='{}' input n steps variables job=$T/job

	shift
	for input; do
		inputs=$(jq --arg name "${input%%=*}" --arg value "${input#*=}" '.[$name] = $value' <<<"$inputs")
	done
	[ -d "$job" ] || checkout "$job"
	: >"$T/output"
	: >"$T/summary"
	steps=$(as_json "$action" | jq '.runs.steps | length')
	for ((n = 0; n < steps; n++)); do
		[ "$n" -ne 1 ] || continue
		# The one condition that there is.
		if [ "$(as_json "$action" | jq -r ".runs.steps[$n].if // \"\"")" = "inputs.feature != ''" ]; then
			[ "$(jq -r '.feature // ""' <<<"$inputs")" != '' ] || continue
		fi
		mapfile -d '' variables < <(as_json "$action" | jq -j --argjson inputs "$inputs" ".runs.steps[$n].env // {} |
			to_entries[] | \"\(.key)=\(.value | capture(\"inputs\\\\.(?<name>[a-z]+)\") as \$m | \$inputs[\$m.name] // \"\")\\u0000\"")
		step_text "$n" >"$T/step"
		(
			cd "$job" || exit
			exec env GITHUB_ACTIONS=true CI=true RUNNER_TEMP="$BATS_FILE_TMPDIR/runner" \
				GITHUB_ACTION_PATH="$test_root/scripts/ci/github" GITHUB_OUTPUT="$T/output" \
				GITHUB_STEP_SUMMARY="$T/summary" GITHUB_REPOSITORY=acme/shop "${variables[@]}" \
				timeout -k 5 60 sh -e "$T/step" >"$T/run/act.out" 2>"$T/run/act.err" 3>&-
		) && status=0 || status=$?
		slurp output "$T/run/act.out"
		slurp stderr "$T/run/act.err"
		[ "$status" -eq 0 ] || break
	done
	same "exit of act $*" "$want" "$status" || fail "$output" "$stderr"
}

# output_is NAME VALUE: an output of the action, as the runner reads the file.
output_is() {
	same "$1" "$2" "$(sed -n "s/^$1=//p" "$T/output")"
}

# What linters and the schema say

@test "actionlint finds nothing in the workflows" {
	local actionlint

	actionlint=$(tool actionlint) || skip 'no actionlint here: make lint installs it where there is a go'
	expect 0 "$actionlint" -no-color "${workflows[@]}"
	same actionlint '' "$output"
}

@test "actionlint would find something" {
	local actionlint

	actionlint=$(tool actionlint) || skip 'no actionlint here: make lint installs it where there is a go'
	sed 's/contents: read/contents: raed/' "$test_root/scripts/ci/github/workflows/status.yml" >"$T/broken.yml"
	expect 1 "$actionlint" -no-color "$T/broken.yml"
	has "$output" raed
}

@test "action.yml and the workflows are as the schemas have them" {
	local validator file

	validator=$(tool action-validator) || skip 'no action-validator here: make lint installs it where there is an npm'
	for file in "$action" "${workflows[@]}"; do
		expect 0 "$validator" "$file"
	done
	sed 's/using: composite/using: composed/' "$action" >"$T/action.yml"
	expect 1 "$validator" "$T/action.yml"
}

# What they promise

@test "no expression stands in shell code" {
	local file

	for file in "$action" "${workflows[@]}"; do
		as_json "$file" | jq -r '.. | objects | .run? // empty | strings' >"$T/code"
		lacks "$(cat "$T/code")" '${{'
	done
	has "$(step_text 2)" GITHUB_ACTION_PATH
}

@test "inputs are those of the older tool's action, and outputs those that gp-report writes" {
	as_json "$action" >"$T/action.json"
	same inputs 'action app feature group tag token' "$(jq -r '.inputs | keys | join(" ")' "$T/action.json")"
	printf '{}\n' | GITHUB_ACTIONS=true GITHUB_OUTPUT="$T/output" gp-report >/dev/null
	same outputs "$(sed 's/=.*//' "$T/output" | sort | paste -sd ' ')" \
		"$(jq -r '.outputs | keys | join(" ")' "$T/action.json")"
	same values '' "$(jq -r '.outputs | to_entries[] | select(.value.value != "${{ steps.gp.outputs.\(.key) }}")' "$T/action.json")"
}

@test "other people's actions are pinned by commit, with the version beside" {
	local file line

	for file in "${workflows[@]}"; do
		while read -r line; do
			[[ "$line" == *'uses: OWNER/gp/'* ]] && continue
			[[ "$line" =~ uses:\ actions/[a-z-]+@[0-9a-f]{40}\ \#\ v[0-9]+\.[0-9]+\.[0-9]+$ ]] ||
				fail "${file##*/}: $line"
		done < <(grep ' uses:' "$file")
	done
}

# There is no release yet: a tag in an example would name nothing.
@test "examples name no release: a placeholder stands for a commit of gp" {
	local file

	for file in "${workflows[@]}" "$test_root/man/gp-github.7"; do
		same "${file##*/}" COMMIT "$(sed -n 's|.*uses: OWNER/gp/scripts/ci/github@\([^ ]*\).*|\1|p' "$file")"
	done
}

@test "Dependabot, which gets no secrets, starts neither promote nor status" {
	output=$(as_json "$test_root/scripts/ci/github/workflows/promote.yml")
	jq_is .jobs.promote.if "github.actor != 'dependabot[bot]'"
	output=$(as_json "$test_root/scripts/ci/github/workflows/status.yml")
	jq_is .jobs.status.if "github.actor != 'dependabot[bot]'"
}

@test "workflows have the least permissions, the default checkout, and no group that drops runs" {
	local file

	for file in "${workflows[@]}"; do
		as_json "$file" >"$T/workflow.json"
		output=$(cat "$T/workflow.json")
		jq_is '.permissions | tojson' '{"contents":"read"}'
		# The App's key is a secret of an environment that only main may use; its token may do what the flow needs.
		jq_is '[.jobs[].environment] | tojson' '["gp"]'
		jq_is '[.jobs[].steps[] | select(.uses // "" | startswith("actions/create-github-app-token@")) | .with
			| [."permission-contents", ."permission-pull-requests", ."permission-statuses"] | join(" ")] | join(",")' \
			"$(case ${file##*/} in new.yml | promote.yml) echo write write write ;; *) echo read read write ;; esac)"
		jq_is '[.jobs[].steps[-1].with.token] | join(" ")' '${{ steps.app.outputs.token }}'
		jq_is '[.. | objects | select(has("concurrency"))] | length' 0
		jq_is '[.jobs[] | select(has("permissions"))] | length' 0
		jq_is '[.jobs[].steps[] | select(.uses // "" | startswith("actions/checkout@")) | has("with")] | tojson' '[false]'
		jq_is '[.jobs[].steps[] | has("run")] | any' false
	done
}

@test "the step that judges a pull request sees no secret, and its job starts by the event that runs the base's own files" {
	output=$(as_json "$test_root/scripts/ci/github/workflows/status.yml")
	jq_is '.on | keys | join(" ")' pull_request_target
	jq_is '[.jobs[].steps[] | select(.uses | startswith("actions/create-github-app-token@") | not) | tojson
		| contains("secrets.")] | any' false
	lacks "$(grep -v '^ *#' "$test_root/scripts/ci/github/workflows/status.yml")" head.
}

# The action, by hand

@test "new: the pull request, the outputs and the summary" {
	make_gitops
	act 0 action=new token=t group=apps app=web tag=v1
	same 'documents in the log' '' "$output"
	output_is number 1
	output_is branch promote/apps-web
	output_is commit "$(remote_tip promote/apps-web)"
	output_is skipped false
	output_is reason ''
	has "$(cat "$T/summary")" "| \`apps/web\` | \`v0\` → \`v1\` | \`dev\` | \`#1\` | opened, merges by itself |"
	act 0 action=new token=t group=apps app=web tag=v1
	has "$(cat "$T/summary")" 'stands as it was'
	same 'pull requests' 1 "$(prs)"
}

@test "from new to prod: promote on a push, status as pull_request_target runs it, refresh" {
	local before n

	make_gitops
	require_checks gp/gate
	act 0 action=new token=t group=apps app=web tag=v1
	before=$(remote_tip)
	printf '{"pull_request":{"number":1,"head":{"sha":"%s"}}}\n' "$(pr 1 .head)" >"$T/event"
	GITHUB_EVENT_NAME=pull_request_target GITHUB_EVENT_PATH="$T/event" GITHUB_REF=refs/heads/main \
		GITHUB_SHA="$before" act 0 action=status token=t
	has "$(cat "$T/summary")" 'gate open'
	output_is reason 'dev is the first environment of apps/web'
	same '#1' merged "$(pr 1 .state)"

	rm -rf "$T/job"
	printf '{"before":"%s"}\n' "$before" >"$T/event"
	GITHUB_EVENT_NAME=push GITHUB_EVENT_PATH="$T/event" GITHUB_REF=refs/heads/main GITHUB_SHA="$(remote_tip)" \
		act 0 action=promote token=t
	output_is number 2
	n=2
	act 0 action=refresh token=t
	has "$(cat "$T/summary")" 'gate pending'
	same gate pending "$(gate "$n")"
	flux apps dev success
	act 0 action=refresh token=t
	has "$(cat "$T/summary")" 'gate open'
	same '#2' merged "$(pr 2 .state)"
	same tags 'v1 v1 v0' "$(tags apps web)"
}

@test "a closed gate fails the job, and the reason is an output" {
	make_gitops
	require_checks gp/gate
	act 0 action=new token=t group=apps app=web tag=v1
	run_status 1 >/dev/null
	run_promote >/dev/null
	flux apps dev failure
	printf '{"pull_request":{"number":2,"head":{"sha":"%s"}}}\n' "$(pr 2 .head)" >"$T/event"
	GITHUB_EVENT_PATH="$T/event" act 1 action=status token=t
	has "$stderr" '::error title=gp-check-status::'
	has "$(cat "$T/summary")" 'gate closed: `apps/dev: health check failed'
	has "$(cat "$T/output")" 'reason=apps/dev: health check failed' 'number=2'
}

@test "nothing to promote: skipped, and said why" {
	make_gitops
	GITHUB_SHA="$(remote_tip)" act 0 action=promote token=t
	output_is skipped true
	output_is reason 'no promotion was merged'
}

@test "an error: its exit status, an annotation, the summary" {
	make_gitops
	act 65 action=new token=t group=apps app=gone tag=v1
	has "$stderr" '::error title=gp-set-tag::no marker'
	has "$(cat "$T/summary")" '**error**: `no marker'
	has "$(cat "$T/output")" 'reason=no marker'
	output_is skipped false
}

@test "feature: a clear error, before anything is built" {
	make_gitops
	act 64 action=feature token=t group=apps app=web tag=v1 feature=blue
	has "$output" "::error title=gp::gp has no features"
	same 'pull requests' '' "$(prs)"
}

@test "an action that there is not: told, and not repeated" {
	make_gitops
	act 64 action=$'feature-stale\n::set-output name=number::7' token=t
	same log "::error title=gp::the input 'action' has to be new, promote, status or refresh" "$output"
	act 64 action='' token=t
}

@test "an input that is missing is named" {
	make_gitops
	act 64 action=new token=t group=apps app=web
	has "$stderr" "gp-new: missing option: --tag" "::error title=gp-new::missing option: --tag"
}

@test "inputs are words, whatever is in them" {
	local evil

	make_gitops
	for evil in '$(touch evil)' '"; touch evil; "' $'v1\ntouch evil' '--env=prod' '`touch evil`' '${{ github.token }}'; do
		act 64 action=new token=t group=apps app=web tag="$evil"
		act 64 action=new token=t group=apps app="$evil" tag=v1
		same 'lines of commands' 1 "$(grep -c '^ *::' <<<"$stderr")"
	done
	[ ! -e "$T/job/evil" ] || fail 'it ran'
	same 'pull requests' '' "$(prs)"
}

@test "the token is not on a command line, and not in the log" {
	make_gitops
	act 0 action=new token=hush-hush-hush group=apps app=web tag=v1
	lacks "$output$stderr$(cat "$T/summary" "$T/output")" hush
	lacks "$(cat "$test_root/scripts/ci/run" "$test_root/scripts/ci/install")" TOKEN
}
