#!/usr/bin/env bats
# gp in Azure Pipelines: the template and the pipelines that a team copies, by their schema and by hand. Their steps run as
# an agent runs them, in checkouts as an agent makes them, against gp-forge-local.

setup_file() {
	load ../lib/helper
	gp_setup "$BATS_FILE_TMPDIR"
	# bats 1.8 cannot skip here.
	if [[ "$GP_BUILD" == *asan* ]] || ! find_python; then return; fi
	agent_environment
	# The template's own step: it builds and installs gp, once for all tests.
	mkdir -p "$T/agent/1/s"
	ln -s "$test_root" "$T/agent/1/s/gp"
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL GP_SOURCE="$AGENT_BUILDDIRECTORY/s/gp" \
		bash -c "$(steps_of status | jq -r 'select(.displayName == "Install gp").bash')" >"$T/install.log" 2>&1 3>&- ||
		fail "$(cat "$T/install.log")"
}

setup() {
	load ../lib/helper
	gp_setup
	[[ "$GP_BUILD" != *asan* ]] || skip 'it builds a gp of its own'
	find_python || skip 'no python3 with PyYAML here'
	azure=$test_root/scripts/ci/azure
	pipelines=("$azure"/pipelines/*.yml)
	files=("$azure"/*.yml "${pipelines[@]}")
}

# agent_environment: what an agent sets for every step: https://learn.microsoft.com/azure/devops/pipelines/build/variables
agent_environment() {
	export TF_BUILD=True AGENT_BUILDDIRECTORY="$T/agent/1" AGENT_TEMPDIRECTORY="$BATS_FILE_TMPDIR/agent/_temp"
	export SYSTEM_TEAMPROJECTID=8d3e1f4a-0000-4000-8000-0123456789ab SYSTEM_DEFINITIONID=12
	mkdir -p "$AGENT_BUILDDIRECTORY" "$AGENT_TEMPDIRECTORY"
}

# steps_of PIPELINE [NAME=VALUE…]: its steps, when it is run with these parameters.
steps_of() {
	local name=$1

	shift
	"$python" "$test_root/test/flows/pipelines.py" steps "$test_root/scripts/ci/azure/pipelines/$name.yml" "$test_root" "$@"
}

# as_json FILE
as_json() {
	"$python" -c 'import json, sys, yaml; print(json.dumps(yaml.load(open(sys.argv[1]), yaml.BaseLoader)))' "$1"
}

# macros TEXT: each $(name) whose variable the job has is its value.
macros() {
	local text=$1 rest='' name variable

	while [[ "$text" =~ ^(.*)\$\(([A-Za-z._]+)\)(.*)$ ]]; do
		name=${BASH_REMATCH[2]^^} variable=${name//./_}
		[ "$variable" != SYSTEM_ACCESSTOKEN ] || variable=token
		if [ -n "${!variable+x}" ]; then
			text=${BASH_REMATCH[1]} rest=${!variable}${BASH_REMATCH[3]}$rest
		else
			text=${BASH_REMATCH[1]} rest="\$(${BASH_REMATCH[2]})${BASH_REMATCH[3]}$rest"
		fi
	done
	printf '%s' "$text$rest"
}

# job EXIT PIPELINE [NAME=VALUE…]: a run of it. Its log is $output, what the agent makes of that the JSON in $done. The
# commit is $BUILD_SOURCEVERSION, what is checked out $checkout (default: the commit on the base).
job() {
	local want=$1 step code path variables token=hush-hush-hush

	shift
	agent_environment
	local -x BUILD_SOURCEBRANCH=${BUILD_SOURCEBRANCH:-refs/heads/main}
	local -x BUILD_SOURCEVERSION=${BUILD_SOURCEVERSION:-$(remote_tip)}
	steps_of "$@" >"$T/steps" || return
	rm -rf "$AGENT_BUILDDIRECTORY"
	while IFS= read -r step; do
		if path=$(jq -er 'select(.checkout).path' <<<"$step"); then
			same depth 1 "$(jq -r .fetchDepth <<<"$step")" || return
			mkdir -p "$AGENT_BUILDDIRECTORY/${path%/*}"
			case $(jq -r .checkout <<<"$step") in
			self) checkout "$AGENT_BUILDDIRECTORY/$path" "${checkout:-$BUILD_SOURCEVERSION}" ;;
			gp) ln -s "$test_root" "$AGENT_BUILDDIRECTORY/$path" ;;
			*) fail "what is $step?" || return ;;
			esac
			continue
		fi
		[ "$(jq -r .displayName <<<"$step")" != 'Install gp' ] || continue
		mapfile -d '' -t variables < <(jq -j '.env | to_entries[] | "\(.key)=\(.value)\u0000"' <<<"$step")
		for code in "${!variables[@]}"; do
			variables[code]=${variables[code]%%=*}=$(macros "${variables[code]#*=}")
		done
		code=$(macros "$(jq -r .bash <<<"$step")")
		(
			cd "$(macros "$(jq -r .workingDirectory <<<"$step")")" || exit
			exec env "${variables[@]}" timeout -k 5 60 bash -c "$code" >"$T/log" 2>"$T/run/job.err" 3>&-
		) && status=0 || status=$?
	done <"$T/steps"
	unset TF_BUILD
	slurp output "$T/log"
	slurp stderr "$T/run/job.err"
	same 'standard error' '' "$stderr" || return
	done=$("$python" "$test_root/test/flows/pipelines.py" agent <"$T/log") || return
	same "exit of $*" "$want" "$status" || fail "$output"
}

# made FILTER WANTED: of what the agent has made of the log.
made() {
	same "$1" "$2" "$(jq -r "$1" <<<"$done")"
}

# builds JSON [CODE [LOCATION]]: a server that answers every question about builds with it; its requests are in $T/requests.
builds() {
	printf '%s' "$1" >"$T/builds.json"
	rm -f "$T/port"
	mkfifo "$T/port"
	"$python" -c '
import http.server, sys
answer, log, port, code, location = sys.argv[1:]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open(log, "a") as file:
            file.write(self.path + "\n" + self.headers["Authorization"] + "\n")
        body = open(answer, "rb").read()
        self.send_response(int(code))
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(port, "w") as file:
    file.write(str(server.server_port) + "\n")
server.serve_forever()' "$T/builds.json" "$T/requests" "$T/port" "${2:-200}" "${3-}" 3>&- &
	gp_children+=("$!")
	read -r port <"$T/port"
	export SYSTEM_COLLECTIONURI="http://127.0.0.1:$port/acme/"
}

# last_run COMMIT: the pipeline's last run that succeeded was for it.
last_run() {
	builds "{\"count\":1,\"value\":[{\"_links\":{},\"id\":7,\"buildNumber\":\"x,\\\"sourceVersion\\\":\\\"$(printf '0%.0s' {1..40})\\\"\",\"sourceBranch\":\"refs/heads/main\",\"sourceVersion\":\"$1\",\"triggerInfo\":{\"ci.sourceSha\":\"$1\"}}]}"
}

# pull_request N: this job validates it.
pull_request() {
	export SYSTEM_PULLREQUEST_PULLREQUESTID=$1 BUILD_SOURCEBRANCH="refs/pull/$1/merge" checkout="refs/pull/$1/merge"
	SYSTEM_PULLREQUEST_SOURCECOMMITID=$(pr "$1" .head)
	BUILD_SOURCEVERSION=$(git -C "$REMOTE" rev-parse "refs/pull/$1/merge")
	export SYSTEM_PULLREQUEST_SOURCECOMMITID BUILD_SOURCEVERSION
}

# land_dev APP TAG: its promotion to dev is merged.
land_dev() {
	local n

	n=$(propose "$1" "$2" dev)
	post "$(pr "$n" .head)" gp/gate success
	[ "$(pr "$n" .state)" = merged ] || merge_pr "$n"
}

# main_again: and this one is main's.
main_again() {
	unset -v "${!SYSTEM_PULLREQUEST_@}" BUILD_SOURCEBRANCH BUILD_SOURCEVERSION checkout
}

# What the schema says

@test "the template and the pipelines are as the schema has them" {
	[ -d "$test_root/build/tools/python" ] || skip 'no check-jsonschema here: make lint installs it'
	expect 0 "$test_root/test/lint/pipelines.py" "${files[@]}"
	same schema '' "$output"
}

@test "the schema would find something" {
	local edit

	[ -d "$test_root/build/tools/python" ] || skip 'no check-jsonschema here: make lint installs it'
	for edit in s/fetchDepth/fetchDpth/ s/persistCredentials/persist/ 's/displayName: gp/displayname: gp/' s/steps:/stages:/; do
		sed "$edit" "$azure/steps.yml" >"$T/broken.yml"
		expect 1 "$test_root/test/lint/pipelines.py" "$T/broken.yml"
		has "$output" broken.yml
	done
	sed 's/always: true/always: perhaps/' "$azure/pipelines/refresh.yml" >"$T/broken.yml"
	expect 1 "$test_root/test/lint/pipelines.py" "$T/broken.yml"
	has "$output" schedules.0.always
}

# What they promise

@test "no expression and no macro stands in shell code" {
	local code

	code=$(as_json "$azure/steps.yml" | jq -r '.steps[].bash // empty')
	has "$code" GP_SOURCE
	lacks "$code" '${{' '$(' '$['
}

@test "the token is in one step's environment, and in nothing else" {
	local file

	same 'steps that have it' 'gp: SYSTEM_ACCESSTOKEN' "$(as_json "$azure/steps.yml" |
		jq -r '.steps[] | . as $step | .env // {} | to_entries[] | select(.value | test("AccessToken")) | "\($step.name): \(.key)"')"
	for file in "${pipelines[@]}"; do
		lacks "$(cat "$file")" AccessToken
	done
	same 'where it is kept' 'false false' "$(as_json "$azure/steps.yml" | jq -r '[.steps[].persistCredentials // empty] | join(" ")')"
	# curl reads it from standard input.
	same 'lines with it' 1 "$(grep -v '^#' "$azure/since" | grep -c SYSTEM_ACCESSTOKEN)"
	has "$(grep -B 1 -A 9 -- '--header @-' "$azure/since")" "<<-END"
}

@test "parameters are those of the action for GitHub, but for the token" {
	same parameters "$(as_json "$test_root/scripts/ci/github/action.yml" | jq -r '.inputs | del(.token) | keys | join(" ")')" \
		"$(as_json "$azure/steps.yml" | jq -r '[.parameters[].name] | sort | join(" ")')"
	same actions 'new promote status refresh' "$(as_json "$azure/steps.yml" | jq -r '.parameters[0].values | join(" ")')"
}

@test "images and gp are pinned: a placeholder stands for a tag of gp" {
	local file

	for file in "${pipelines[@]}"; do
		output=$(as_json "$file")
		jq_is .pool.vmImage ubuntu-24.04
		jq_is '.resources.repositories | map("\(.repository) \(.ref)") | join(",")' "gp refs/tags/TAG"
		jq_is '[.. | objects | has("task")] | any' false
		jq_is '.jobs | length' 1
		jq_is '.jobs[0].timeoutInMinutes | tonumber > 0' true
	done
	same 'tasks in the template' 'bash checkout' "$(as_json "$azure/steps.yml" |
		jq -r '[.steps[] | keys[] | select(. == "bash" or . == "checkout" or . == "task" or . == "script")] | unique | join(" ")')"
}

@test "each starts when it should, and never by what it has not asked for" {
	local file

	for file in "${pipelines[@]}"; do
		output=$(as_json "$file")
		# Without them, Azure takes any push for a trigger.
		jq_is 'has("trigger") and .pr == "none"' true
		case ${file##*/} in
		new.yml) jq_is '"\(.trigger) \(.resources.containers[0].trigger.enabled)"' 'none true' ;;
		promote.yml) jq_is '.trigger | tojson' '{"batch":"true","branches":{"include":["main"]}}' ;;
		status.yml) jq_is .trigger none ;;
		refresh.yml)
			jq_is '.trigger.branches.include | join(" ")' main
			jq_is '.schedules[] | "\(.always) \(.branches.include | join(" "))"' 'true main'
			;;
		*) fail "what is $file?" ;;
		esac
		case ${file##*/} in
		promote.yml | refresh.yml) jq_is '.schedules | map(.always) | tojson' '["true"]' ;;
		*) jq_is 'has("schedules")' false ;;
		esac
	done
}

# By hand

@test "new: the pull request, the outputs and the summary" {
	make_gitops
	job 0 new group=apps app=web tag=v1
	made .outputs.number 1
	made .outputs.branch promote/apps-web
	made .outputs.commit "$(remote_tip promote/apps-web)"
	made .outputs.skipped false
	made .outputs.reason ''
	made '.summaries | length' 1
	has "$(jq -r '.summaries[0]' <<<"$done")" "| \`apps/web\` | \`v0\` → \`v1\` | \`dev\` | \`#1\` | opened, merges by itself |"
	made '.issues | length' 0
	lacks "$output" '{"'
	job 0 new group=apps app=web tag=v1
	has "$(jq -r '.summaries[0]' <<<"$done")" 'stands as it was'
	same 'pull requests' 1 "$(prs)"
}

@test "new: started by an image, it is that image's tag" {
	make_gitops
	RESOURCES_CONTAINER_IMAGE_TAG=v7 job 0 new
	same tag v7 "$(remote_tag apps dev web promote/apps-web)"
	# By hand, with the default left in place and no image: nothing that could be a tag.
	job 64 new
	has "$output" 'resources.container.image.tag'
}

@test "from new to prod: promote on main, status as build validation, refresh on a schedule" {
	local before

	make_gitops
	require_checks gp/gate
	before=$(remote_tip)
	last_run "$before"
	job 0 new group=apps app=web tag=v1
	pull_request 1
	job 0 status
	made .outputs.reason 'dev is the first environment of apps/web'
	same '#1' merged "$(pr 1 .state)"

	main_again
	job 0 promote
	made .outputs.number 2
	same asked "/acme/$SYSTEM_TEAMPROJECTID/_apis/build/builds?definitions=12&branchName=refs/heads/main&statusFilter=completed&resultFilter=succeeded&queryOrder=queueTimeDescending&\$top=1&api-version=5.1" \
		"$(sed -n '1s/%2f/\//gI;1p' "$T/requests")"
	same token 'Bearer hush-hush-hush' "$(sed -n 2p "$T/requests")"

	main_again
	job 0 refresh
	has "$(jq -r '.summaries[0]' <<<"$done")" 'gate pending'
	same gate pending "$(gate 2)"
	flux apps dev success
	job 0 refresh
	has "$(jq -r '.summaries[0]' <<<"$done")" 'gate open'
	same '#2' merged "$(pr 2 .state)"
	same tags 'v1 v1 v0' "$(tags apps web)"
}

@test "a closed gate fails the job, with an issue, and the reason is an output" {
	make_gitops
	require_checks gp/gate
	job 0 new group=apps app=web tag=v1
	run_status 1 >/dev/null
	run_promote >/dev/null
	flux apps dev failure
	pull_request 2
	job 1 status
	has "$(jq -r '.issues[0]' <<<"$done")" 'error: gp-check-status: gate of #2 is closed: apps/dev: health check failed'
	has "$(jq -r .outputs.reason <<<"$done")" 'apps/dev: health check failed'
	made .outputs.number 2
}

@test "a job for a head that is gone is 75, and is not about the new one" {
	make_gitops
	job 0 new group=apps app=web tag=v1
	pull_request 1
	job_head=$SYSTEM_PULLREQUEST_SOURCECOMMITID
	propose apps/web v2 dev >/dev/null
	job 75 status
	has "$output" "this job is for ${job_head:0:10}"
}

# What a run of promote is about

@test "promote: one run for several merges takes each of them on" {
	local before

	make_gitops --apps 'apps/web apps/api apps/job'
	before=$(remote_tip)
	land_dev apps/web v1
	land_dev apps/api v2
	commit_file README.md 'in between' <<<x
	land_dev apps/job v3
	last_run "$before"
	job 0 promote
	same 'pull requests' '3 api@v2 qa,3 job@v3 qa,3 web@v1 qa' "$(prs '.description' | sed -n \
		's/.*"app":"\([a-z]*\)","tag":"\([^"]*\)","env":"\([a-z]*\)".*/3 \1@\2 \3/p' | sort | paste -sd ,)"
}

@test "promote: where no run has succeeded yet, or the last was for this commit, its outputs are about this commit" {
	make_gitops --apps 'apps/web apps/api'
	land_dev apps/web v1
	land_dev apps/api v2
	builds '{"count":0,"value":[]}'
	job 0 promote
	made .outputs.branch promote/apps-api
	# What came before is made up for.
	same 'pull requests' 2 "$(prs | wc -l)"
	last_run "$(remote_tip)"
	job 0 promote
	made .outputs.branch promote/apps-api
	has "$(jq -r '.summaries[0]' <<<"$done")" 'stands as it was'
}

@test "promote: a run that comes late does not undo a newer release" {
	local before old

	make_gitops
	before=$(remote_tip)
	land_dev apps/web v1
	old=$(remote_tip)
	land_dev apps/web v2
	last_run "$before"
	job 0 promote
	same tag v2 "$(remote_tag apps qa web promote/apps-web)"
	BUILD_SOURCEVERSION=$old job 0 promote
	made .outputs.skipped true
	same tag v2 "$(remote_tag apps qa web promote/apps-web)"
	same 'pull requests' 1 "$(prs | wc -l)"
}

@test "promote: a server that does not say when the last run was ends the job, and nothing is left behind unseen" {
	local reply

	make_gitops
	land_dev apps/web v1
	for reply in '<html>sign in</html> 203' '<html>sign in</html> 200' '{"message":"no"} 401' ' 302' 'x 404'; do
		builds "${reply% *}" "${reply##* }"
		job 75 promote
		made '.issues | length' 1
		has "$(jq -r '.issues[0]' <<<"$done")" "error: gp: cannot ask for this pipeline's last run: the server"
		lacks "$output" hush
		same 'pull requests' '' "$(prs)"
	done
	builds '<html>moved</html>' 302 https://spsprodcus4.vssps.visualstudio.com/_signin?realm=dev.azure.com
	job 75 promote
	has "$output" "last run: the server does not accept the job's token (302)"
	builds '<html>moved</html>' 302 https://dev.azure.com/elsewhere
	job 75 promote
	has "$output" "last run: the server says 302"
	SYSTEM_COLLECTIONURI=http://127.0.0.1:1/ job 75 promote
	has "$output" "cannot ask for this pipeline's last run: curl says 7"
}

# What goes wrong

@test "nothing to promote: skipped, and said why" {
	make_gitops
	builds '{"count":0,"value":[]}'
	job 0 promote
	made .outputs.skipped true
	made .outputs.reason 'no promotion was merged'
}

@test "an error: its exit status, an issue, the summary" {
	make_gitops
	job 65 new group=apps app=gone tag=v1
	made '.issues | length' 1
	has "$(jq -r '.issues[0]' <<<"$done")" 'error: gp-set-tag: no marker'
	has "$(jq -r '.summaries[0]' <<<"$done")" '**error**: `no marker'
	has "$(jq -r .outputs.reason <<<"$done")" 'no marker'
}

@test "feature, and an action that there is not: a clear error" {
	agent_environment
	INPUT_ACTION=new INPUT_FEATURE=blue expect 64 "$test_root/scripts/ci/run"
	same log "##vso[task.logissue type=error]gp: gp has no features (temporary deployments) yet: leave the input 'feature' out" "$output"
	INPUT_ACTION=$'feature-stale\n##vso[task.x]' expect 64 "$test_root/scripts/ci/run"
	same log "##vso[task.logissue type=error]gp: the input 'action' has to be new, promote, status or refresh" "$output"
	make_gitops
	steps_of new group=apps app=web tag=v1 | jq -r '.env.INPUT_FEATURE // empty' >"$T/feature"
	same feature '' "$(cat "$T/feature")"
}

@test "an input that is missing is named" {
	make_gitops
	job 64 new group=apps app=web tag=
	has "$(jq -r '.issues[0]' <<<"$done")" "error: gp-new: missing option: --tag"
}

@test "a wrapper's usage error is an issue, and no more than that, whatever is in it" {
	local evil=$'--x\n##vso[task.setvariable variable=x]y\r::set-output name=x::y 50%\n'

	TF_BUILD=True expect 64 gp-new "$evil" y
	same lines 2 "$(grep -c '' <<<"$stderr")"
	done=$("$python" "$test_root/test/flows/pipelines.py" agent <<<"$stderr")
	made .commands 1
	has "$(jq -r '.issues[0]' <<<"$done")" "error: gp-new: unknown option '--x; ?#vso"
	GITHUB_ACTIONS=true expect 64 gp-new "$evil" y
	same lines 2 "$(grep -c '' <<<"$stderr")"
	same commands 1 "$(grep -c '^::error title=gp-new::unknown option' <<<"$stderr")"
	lacks "$stderr" '##[' '50%'
	expect 64 gp-new --nope y
	one_message gp-new "unknown option '--nope'"
}

@test "inputs are words, whatever is in them" {
	local evil

	make_gitops
	for evil in '$(touch evil)' '"; touch evil; "' '--env=prod' '`touch evil`' '##vso[task.setvariable variable=x]y' '%0D%0A##vso['; do
		job 64 new group=apps app=web tag="$evil"
		made .commands 8
		job 64 new group=apps app="$evil" tag=v1
		made .commands 8
		made '.outputs | length' 6
	done
	[ -z "$(find "$T/agent" -name evil)" ] || fail 'it ran'
	same 'pull requests' '' "$(prs)"
}

@test "the token is not on a command line, and not in the log" {
	make_gitops
	job 0 new group=apps app=web tag=v1
	lacks "$output$done" hush
	lacks "$(cat "$test_root/scripts/ci/run" "$test_root/scripts/ci/install")" TOKEN
}
