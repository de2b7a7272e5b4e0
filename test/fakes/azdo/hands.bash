# hands.bash - an Azure DevOps for one test: starts test/fakes/azdo/server.py,
# which ends with the test, and makes the repository shop in "shop project" in
# it. For forge.bats (make check-forge FORGE=azdo) and for stories that are
# played there.
# shellcheck shell=bash
# shellcheck disable=SC2119,SC2120 # optional arguments

# shellcheck source=test/lib/hub.bash
source "$test_root/test/lib/hub.bash"

# gp's token and the build service may do what README asks for and nothing else; people are past branch policies.
HUB_NAME=azdo HUB_GP=pat-of-gp HUB_EMILIA=pat-of-emilia HUB_JOB=token-of-the-job

# hub_names PROJECT REPOSITORY: what they are called, if not "shop project" and "shop".
hub_names() {
	HUB_PROJECT=$1 HUB_REPOSITORY=$2
	HUB_SHOP=acme/${1// /%20}/${2// /%20}
	[[ "$1$2" != *[!A-Za-z0-9' '._~-]* ]] ||
		HUB_SHOP=$(jq -rn '"acme/" + ($ARGS.positional | map(@uri) | join("/"))' --args -- "$1" "$2")
}
hub_names 'shop project' shop

# hub_forge [OPTION…]: the server, and who is known there.
hub_forge() {
	local may='["GenericRead", "GenericContribute", "ForcePush", "CreateBranch", "PullRequestContribute"]'

	hub_start azdo "$@"
	HUB_API=$HUB_URL/acme
	hub_test PUT tokens "{
		\"$HUB_GP\": {\"login\": \"gp-bot\", \"permissions\": $may},
		\"$HUB_EMILIA\": {\"login\": \"emilia\", \"name\": \"Emilia\"},
		\"$HUB_JOB\": {\"login\": \"shop project Build Service (acme)\", \"kind\": \"job\", \"permissions\": $may}}"
}

# hub_repository [PATH]: the repository, with the branches of the repository PATH, if any, and with the status gp/gate required on
# main; people's git has Emilia's token.
hub_repository() {
	hub_test POST repositories "{\"collection\": \"acme\", \"project\": $(json "$HUB_PROJECT"),
		\"name\": $(json "$HUB_REPOSITORY")${1:+, \"from\": $(json "$1")}}"
	hub_require gp/gate
	hub_people "$HUB_EMILIA"
	FORGE_URL=$HUB_URL/${HUB_SHOP%/*}/_git/${HUB_SHOP##*/} HUB_REMOTE="$T/azdo/acme/$HUB_PROJECT/$HUB_REPOSITORY.git"
}

# hub_require [GENRE/NAME…]: the statuses that main requires from here on.
hub_require() {
	local context list=''

	for context; do
		list+="${list:+, }{\"type\": \"status\", \"settings\": {\"statusGenre\": $(json "${context%%/*}"),
			\"statusName\": $(json "${context#*/}"), \"invalidateOnSourceUpdate\": true, \"authorId\": null,
			\"defaultDisplayName\": null}}"
	done
	hub_test PUT "policies/$HUB_SHOP" "[$list]"
}

# hub_fork BRANCH TITLE: mallory's fork of shop has a branch like $SEED's HEAD, and a pull request of it.
hub_fork() {
	local repository

	hub_test POST "forks/$HUB_SHOP" '{"name": "mallorys-shop"}'
	git -C "$SEED" push --quiet "$HUB_URL/${HUB_SHOP%/*}/_git/mallorys-shop" "HEAD:refs/heads/$1"
	repository=$(curl -fsS --noproxy '*' -H "$(hub_basic "$HUB_EMILIA")" \
		"$HUB_URL/${HUB_SHOP%/*}/_apis/git/repositories/mallorys-shop?api-version=7.1")
	hub_api "$HUB_EMILIA" POST pullrequests "$(jq -c --arg branch "refs/heads/$1" --arg title "$2" '{$title,
		sourceRefName: $branch, targetRefName: "refs/heads/main", forkSource: {repository: {id}}}' <<<"$repository")" >/dev/null
}

# hub_api TOKEN METHOD PATH [JSON]: a request about shop by somebody; PATH is what comes after the repository. Prints the
# answer.
hub_api() {
	local path=$3

	case $path in
	*\?*) path+='&api-version=7.1' ;;
	*) path+='?api-version=7.1' ;;
	esac
	curl -fsS --noproxy '*' -A test -H "$(hub_basic "$1")" -H 'Content-Type: application/json' -X "$2" ${4:+-d "$4"} \
		"$HUB_URL/${HUB_SHOP%/*}/_apis/git/repositories/${HUB_SHOP##*/}/$path"
}

# post COMMIT CONTEXT STATE [DESCRIPTION [GENRE]]: a commit status by somebody else; Flux's, which are told by their names,
# have the genre fluxcd and its words for states, others none. No description is null.
post() {
	local genre='' failed=failed

	case $2 in
	kustomization/* | helmrelease/*) genre=fluxcd failed=error ;;
	esac
	hub_api "$HUB_EMILIA" POST "commits/$1/statuses" "$(jq -cn --arg name "$2" --arg state "$3" --arg text "${4:-}" \
		--arg genre "${5-$genre}" --arg failed "$failed" '{context: {$name, genre: (if $genre == "" then null else $genre end)},
			state: ({success: "succeeded", failure: $failed}[$state] // $state),
			description: (if $text == "" then null else $text end)}')" >/dev/null
}

# gate N: what the pull request's own statuses say of its newest iteration.
gate() {
	local last

	last=$(hub_api "$HUB_EMILIA" GET "pullrequests/$1/iterations" | jq '[.value[].id] | max')
	hub_api "$HUB_EMILIA" GET "pullrequests/$1/statuses" | jq -r --argjson last "$last" '[.value[]
		| select(.context.genre == "gp" and .context.name == "gate" and .iterationId == $last)] | last.state // "none"
		| {succeeded: "success", failed: "failure", error: "failure"}[.] // .'
}

# hub_check COMMIT NAME STATE: a status of the same name in a genre that is not Flux's.
hub_check() {
	post "$1" "$2" "$3" 'by somebody else' ci
}

# merge_by_hand N [METHOD]: Emilia presses the button.
merge_by_hand() {
	local words=([0]=noFastForward) pull

	[ "${2:-merge}" = merge ] || words=("$2")
	pull=$(hub_api "$HUB_EMILIA" GET "pullrequests/$1")
	hub_api "$HUB_EMILIA" PATCH "pullrequests/$1" "$(jq -c --arg strategy "${words[0]}" '{status: "completed",
		lastMergeSourceCommit: {commitId: .lastMergeSourceCommit.commitId},
		completionOptions: {mergeStrategy: $strategy, deleteSourceBranch: true}}' <<<"$pull")" >/dev/null
}

# azure_checkout DIR REF: as an agent does it: depth 1, detached, and no credentials left behind.
# https://learn.microsoft.com/azure/devops/pipelines/yaml-schema/steps-checkout
azure_checkout() {
	local oid

	oid=$(git -C "$REMOTE" rev-parse "$2") || return
	git init --quiet "$1"
	git -C "$1" remote add origin "$FORGE_URL"
	git -C "$1" -c "http.extraheader=AUTHORIZATION: bearer $HUB_JOB" fetch --quiet --force --tags --prune --depth=1 origin \
		"+$oid:refs/remotes/origin/$oid"
	git -C "$1" checkout --quiet --force "refs/remotes/origin/$oid"
}

# azure_job REASON REF [VARIABLE=VALUE…] -- COMMAND…: a step of a pipeline's run, with the variables that it gets, and
# with System.AccessToken, which a pipeline has to hand on by itself.
# https://learn.microsoft.com/azure/devops/pipelines/build/variables
azure_job() {
	local reason=$1 ref=$2

	shift 2
	hub_job azure_checkout "$ref" TF_BUILD=True BUILD_REASON="$reason" BUILD_SOURCEBRANCH="$ref" \
		BUILD_SOURCEBRANCHNAME="${ref##*/}" BUILD_SOURCEVERSION="$(git -C "$REMOTE" rev-parse "$ref")" \
		BUILD_REPOSITORY_PROVIDER=TfsGit BUILD_REPOSITORY_NAME="$HUB_REPOSITORY" BUILD_REPOSITORY_URI="$FORGE_URL" \
		SYSTEM_COLLECTIONURI="$HUB_URL/acme/" SYSTEM_TEAMFOUNDATIONCOLLECTIONURI="$HUB_URL/acme/" \
		SYSTEM_TEAMPROJECT="$HUB_PROJECT" SYSTEM_ACCESSTOKEN="$HUB_JOB" "$@"
}

# run_status N [OPTION…]: the build validation of pull request N; run_promote: the run for the last push to the base.
run_status() {
	local pull n=$1

	shift
	pull=$(hub_api "$HUB_JOB" GET "pullrequests/$n")
	azure_job PullRequest "refs/pull/$n/merge" SYSTEM_PULLREQUEST_PULLREQUESTID="$n" \
		SYSTEM_PULLREQUEST_SOURCEBRANCH="$(jq -r .sourceRefName <<<"$pull")" \
		SYSTEM_PULLREQUEST_TARGETBRANCH="$(jq -r .targetRefName <<<"$pull")" \
		SYSTEM_PULLREQUEST_SOURCECOMMITID="$(jq -r .lastMergeSourceCommit.commitId <<<"$pull")" \
		SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI="$FORGE_URL" -- gp-status "$@"
}

run_promote() {
	azure_job IndividualCI refs/heads/main -- gp-promote "$@"
}
