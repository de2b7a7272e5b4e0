#!/usr/bin/env bats
# gp-forge-azdo: addresses, tokens, versions, refusals, trouble on the way, how many requests. What it shares with other
# forges is in forge.bats.

setup() {
	load ../lib/helper
	load ../fakes/azdo/hands
	load ../lib/driver
	driver_setup
	nobody=0123456789012345678901234567890123456789
}

status() {
	ask set-status "$(jq -cn --arg s "$1" --arg c "${2:-gp/gate}" --arg h "$head" --argjson n "$number" \
		'{commit: $h, context: $c, state: $s, number: $n}')"
	fine
}

# log [FILTER [WHAT]]: WHAT (.) of those requests of the API that the server has seen since forget.
log() {
	jq -rcs --argjson from "${seen:-0}" '.[$from:][] | select(.path | startswith("/_test/") or contains("/_git/") | not)
		| select('"${1:-true}"') | '"${2:-.}" "$HUB_LOG"
}
requests() {
	log "${1:-true}" .path | grep -c '' || true
}
set_up() {
	hub_test PUT settings "$1"
}

# evaluations_now: those of the pull request, as the server has them.
evaluations_now() {
	curl -fsS --noproxy '*' -H "$(hub_basic "$HUB_EMILIA")" "$HUB_URL/${HUB_SHOP%/*}/_apis/policy/evaluations?$(
	)artifactId=vstfs:///CodeReview/CodeReviewId/${pull_id%%/*}/$number&api-version=7.1-preview"
}

# evaluations STATUS LIST [TIMES [FAULT]]: the server answers with this list, where all stand like this.
evaluations() {
	fault "$(jq -c --arg status "$1" --argjson times "${3-9}" '{match: "GET .*/policy/evaluations ", $times, what: "status", status: 200,
		body: (.value[].status = $status)}' <<<"$2")${4+, $4}"
}

# merged: it is, or will be after some looks.
merged() {
	for _ in 1 2 3 4 5; do
		[ "$(hub_api "$HUB_EMILIA" GET "pullrequests/$number" | jq -r .status)" != completed ] || return 0
	done
	fail "#$number is not merged"
}

# The frame

@test "conventions" {
	expect 0 gp-forge-azdo --help
	has "$output" 'usage: gp-forge-azdo'
	expect 64 gp-forge-azdo --no-such-option
	expect 0 gp-forge-azdo </dev/null
	same output '' "$output"
	GP_TIMEOUT=soon expect 78 gp-forge-azdo </dev/null
	one_message gp-forge-azdo GP_TIMEOUT soon
	sh_pipe 71 'echo "{}" | gp-forge-azdo >/dev/full'
	one_message gp-forge-azdo 'cannot write a reply'
}

# Addresses

@test "every form of a remote's URL names the repository" {
	local url

	for url in https://dev.azure.com/acme/shop%20project/_git/shop 'https://dev.azure.com/acme/shop project/_git/shop/' \
		https://acme@dev.azure.com/acme/shop%20project/_git/shop https://u:p@DEV.azure.com:443/acme/shop%20project/_git/shop \
		https://acme.visualstudio.com/shop%20project/_git/shop \
		https://acme.visualstudio.com/DefaultCollection/shop%20project/_git/shop \
		https://dev.azure.com/acme/shop%20project/_git/_full/shop \
		git@ssh.dev.azure.com:v3/acme/shop%20project/shop ssh://git@ssh.dev.azure.com:22/v3/acme/shop%20project/shop \
		'git@ssh.dev.azure.com:v3/acme/shop project/shop' acme@vs-ssh.visualstudio.com:v3/acme/shop%20project/shop \
		ssh://acme@vs-ssh.visualstudio.com/v3/acme/shop%20project/shop \
		ssh://acme@vs-ssh.visualstudio.com:22/DefaultCollection/shop%20project/_ssh/shop \
		ssh://acme@acme.visualstudio.com:22/shop%20project/_git/shop \
		https://tfs.example.com/acme/shop%20project/_git/shop https://tfs.example.com:8443/tfs/acme/shop%20project/_git/shop \
		ssh://tfs.example.com:22/acme/shop%20project/_git/shop ssh://tfs@tfs.example.com/tfs/acme/shop%20project/_ssh/shop; do
		forget
		ask find-pr '{"open":true}' "$url"
		jq_is '.result.pull_requests | tojson' '[]' || fail "$url"
		same "$url" /acme/shop%20project/_apis/git/repositories/shop/pullrequests "$(log true .path)"
	done
}

@test "a name that ends in _ssh is no mark of SSH" {
	local url

	hub_names my_ssh shop_ssh
	hub_repository
	for url in ssh://acme@vs-ssh.visualstudio.com:22/my_ssh/_ssh/shop_ssh git@ssh.dev.azure.com:v3/acme/my_ssh/shop_ssh \
		ssh://acme@acme.visualstudio.com:22/my_ssh/_git/shop_ssh ssh://tfs@tfs.example.com/acme/my_ssh/_ssh/shop_ssh \
		ssh://tfs@tfs.example.com/acme/my_ssh/_git/shop_ssh; do
		forget
		ask find-pr '{"open":true}' "$url"
		same "$url" /acme/my_ssh/_apis/git/repositories/shop_ssh/pullrequests "$(log true .path)"
	done
	# The project is called as the repository is.
	hub_names shop_ssh shop_ssh
	hub_repository
	forget
	ask find-pr '{"open":true}' ssh://acme@vs-ssh.visualstudio.com:22/_ssh/shop_ssh
	same path /acme/shop_ssh/_apis/git/repositories/shop_ssh/pullrequests "$(log true .path)"
}

@test "the project may be missing where it is called as the repository is" {
	local url

	hub_names shop shop
	hub_repository
	for url in https://dev.azure.com/acme/_git/shop https://acme.visualstudio.com/_git/shop \
		https://acme.visualstudio.com/DefaultCollection/_git/shop https://tfs.example.com/acme/_git/shop \
		https://tfs.example.com/tfs/acme/_git/shop "$HUB_URL/acme/_git/shop"; do
		forget
		ask find-pr '{"open":true}' "$url"
		jq_is '.result.pull_requests | tojson' '[]'
		same "$url" /acme/shop/_apis/git/repositories/shop/pullrequests "$(log true .path)"
	done
}

@test "what is no repository's URL is 65, without the URL, which may hold a secret" {
	local url

	for url in https://dev.azure.com/acme/shop https://dev.azure.com/acme/shop/_git/ https://dev.azure.com/_git/shop \
		https://dev.azure.com/acme/a/b/_git/shop https://dev.azure.com/acme/shop/_git/a/b https://u:secret@dev.azure.com/ \
		https://dev.azure.com/acme/a%2fb/_git/shop https://dev.azure.com/acme/../_git/shop https://dev.azure.com/acme/a/_git/%ff \
		https://dev.azure.com/acme/a/_git/shop?x=secret git@ssh.dev.azure.com:v3/acme/shop git@ssh.dev.azure.com:acme \
		/srv/shop.git file:///srv/shop.git ftp://dev.azure.com/acme/a/_git/shop https://tfs.example.com/_git/shop \
		https://dev.azure.com/acme/a/_git/sh%00op; do
		ask find-pr '{"open":true}' "$url"
		refused 65 repository.url || fail "$url"
		lacks "$output" secret
	done
}

@test "names: blanks, percent signs, other scripts, what means something in a URL" {
	local project repository

	while read -r project repository; do
		hub_names "${project//_/ }" "${repository//_/ }"
		hub_repository
		git -C "$SEED" remote set-url origin "$FORGE_URL"
		git -C "$SEED" fetch --quiet origin
		branch "promote/a-b%20c"
		open "promote/a-b%20c"
		jq_is .result.pull_request.branch "promote/a-b%20c"
		jq_is .result.pull_request.url "$FORGE_URL/pullrequest/$number"
		status success
		ask merge-pr "$(bound)"
		jq_is .result.pull_request.state merged
	done <<-'END'
		100%_sure a%20b
		Проект_二 店舗-ü
		a+b&c=d x#y;z
	END
}

@test "on premises the collection is as long as the job says, and its API is there" {
	unset GP_API_URL GP_TOKEN
	export SYSTEM_ACCESSTOKEN=$HUB_JOB
	# By itself it would take the first step alone for the collection, and find no project.
	hub_names acme acme
	hub_repository
	forget
	SYSTEM_COLLECTIONURI=$HUB_URL/acme/ ask find-pr '{"open":true}' "$HUB_URL/acme/_git/acme"
	jq_is '.result.pull_requests | tojson' '[]'
	same path /acme/acme/_apis/git/repositories/acme/pullrequests "$(log true .path)"
	SYSTEM_COLLECTIONURI=$HUB_URL/acme/ ask find-pr '{"open":true}' "ssh://${HUB_URL#http://}/acme/acme/_git/acme"
	jq_is '.result.pull_requests | tojson' '[]'
	# What SSH leaves out is in the address.
	SYSTEM_COLLECTIONURI=$HUB_URL/tfs/acme/ ask find-pr '{"open":true}' "ssh://${HUB_URL#http://}/acme/acme/_git/acme"
	refused 69
	same path /tfs/acme/acme/_apis/git/repositories/acme/pullrequests "$(log true .path | tail -n 1)"
}

@test "the job's token is for the job's server alone" {
	unset GP_TOKEN
	export SYSTEM_ACCESSTOKEN=$HUB_JOB SYSTEM_COLLECTIONURI=https://dev.azure.com/acme/
	ask find-pr '{"open":true}' git@ssh.dev.azure.com:v3/acme/shop%20project/shop
	fine
	ask find-pr '{"open":true}' https://acme.visualstudio.com/shop%20project/_git/shop
	fine
	ask find-pr '{"open":true}' https://tfs.example.com/acme/shop%20project/_git/shop
	refused 77 'no token' tfs.example.com SYSTEM_ACCESSTOKEN AZURE_DEVOPS_EXT_PAT GP_TOKEN_FILE
}

@test "a token is not sent over http, but for this machine" {
	GP_API_URL=http://api.example.com ask find-pr '{"open":true}'
	refused 78 GP_API_URL http://api.example.com https://
	GP_API_URL=https://user:secret@127.0.0.1 ask find-pr '{"open":true}'
	refused 78 GP_API_URL
	lacks "$output" secret
	unset GP_API_URL
	ask find-pr '{"open":true}' http://dev.azure.com/acme/shop/_git/shop
	refused 78 https://
}

# Tokens

@test "a personal access token goes by Basic, a job's and a JSON Web Token by Bearer" {
	local jwt=eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2lnbmF0dXJl

	hub_test PUT tokens "{\"$jwt\": {\"login\": \"app\", \"kind\": \"aad\"}}"
	# What is sent is looked at by a listener of our own.
	for pair in "GP_TOKEN=plain Basic" "GP_TOKEN=$jwt Bearer" "SYSTEM_ACCESSTOKEN=job Bearer" "AZURE_DEVOPS_EXT_PAT=pat Basic"; do
		listen
		(
			unset GP_TOKEN
			export "${pair% *}" GP_API_URL=$listener GP_RETRY_BUDGET=0
			ask find-pr '{"open":true}'
		)
		same "${pair%%=*}" "${pair##* }" "$(sed -n 's/^Authorization: \([A-Za-z]*\) .*/\1/p' heard)"
		case $pair in
		*Basic) same credentials ":$(sed 's/[^=]*=\([^ ]*\) .*/\1/' <<<"$pair")" \
			"$(sed -n 's/^Authorization: Basic //p' heard | tr -d '\r' | base64 -d)" ;;
		esac
		has "$(cat heard)" 'X-TFS-FedAuthRedirect: Suppress' 'Accept: application/json' 'api-version=7.1'
	done
	export GP_TOKEN=$jwt
	ask find-pr '{"open":true}'
	fine
	unset GP_TOKEN
	AZURE_DEVOPS_EXT_PAT=$HUB_GP ask find-pr '{"open":true}'
	fine
	printf '%s\r\nrest\n' "$HUB_GP" >token
	GP_TOKEN_FILE=token ask find-pr '{"open":true}'
	fine
}

# listen: a listener for one request, at $listener; what it heard is in the file heard.
listen() {
	rm -f heard
	IFS= read -r -t 30 listener < <(exec python3 - 3>&- <<-'END'
		import os, socket
		server = socket.create_server(("127.0.0.1", 0))
		server.settimeout(60)
		print(f"http://127.0.0.1:{server.getsockname()[1]}/acme", flush=True)
		os.close(1)
		client, _ = server.accept()
		head = client.recv(65536)
		with open("heard.new", "wb") as f:
		    f.write(head)
		os.rename("heard.new", "heard")
		client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 23\r\n\r\n" + b'{"count":0, "value":[]}')
		client.close()
	END
	)
}

@test "a page to sign in is 77, whatever its status says, and the token is not shown" {
	local what

	GP_TOKEN=pat-of-nobody ask find-pr '{"open":true}'
	refused 77 'bad credentials'
	GP_TOKEN=pat-of-nobody ask set-status "{\"commit\":\"$tip\",\"context\":\"c\",\"state\":\"success\"}"
	refused 77 'bad credentials'
	for what in '"status": 203, "headers": {"Content-Type": "text/html"}' \
		'"status": 200, "headers": {"Content-Type": "text/html; charset=utf-8"}' \
		'"status": 302, "headers": {"Location": "https://spsprodeus21.vssps.visualstudio.com/_signin?x=1"}' \
		'"status": 203, "headers": {"Content-Type": "application/json"}'; do
		fault "{\"match\": \".\", \"what\": \"status\", \"body\": \"<!DOCTYPE html>\", $what}"
		ask find-pr '{"open":true}'
		refused 77 'bad credentials' 'sign-in page'
		fault "{\"match\": \".\", \"what\": \"status\", \"body\": \"<!DOCTYPE html>\", $what}"
		ask set-status "{\"commit\":\"$tip\",\"context\":\"c\",\"state\":\"success\"}"
		refused 77 'bad credentials' 'sign-in page'
	done
	fault "{\"match\": \"GET\", \"what\": \"status\", \"status\": 400,
		\"body\": {\"message\": \"$HUB_GP, or $(printf ':%s' "$HUB_GP" | base64), is bad\"}}"
	ask find-pr '{"open":true}'
	refused 69 '***, or ***, is bad'
	# What was refused for want of credentials was not done: it is not looked for either.
	branch a
	fault '{"match": "POST .*pullrequests ", "what": "status", "status": 203, "body": "<html>"}'
	forget
	ask open-pr '{"branch":"a","title":"t","description":""}'
	refused 77
	same requests 2 "$(requests)"
}

@test "a missing permission is 77, and what to allow" {
	branch a
	open a
	status pending
	hub_test PUT tokens "{\"$HUB_GP\": {\"login\": \"gp-bot\", \"permissions\": [\"GenericRead\"]}}"
	ask set-status "{\"commit\":\"$head\",\"context\":\"gp/gate\",\"state\":\"success\"}"
	refused 77 TF401027 "allow the token's user 'Contribute'"
	ask set-status "{\"commit\":\"$head\",\"context\":\"gp/gate\",\"state\":\"success\",\"number\":$number}"
	refused 77 TF401027 "allow the token's user 'Contribute to pull requests'"
	ask open-pr '{"branch":"a","title":"t","description":"other"}'
	refused 77 "'Contribute to pull requests'"
	ask set-auto-merge "$(auto true)"
	refused 77 "'Contribute to pull requests'"
	ask merge-pr "$(bound)"
	refused 77 "'Contribute to pull requests'"
	hub_test PUT tokens "{\"$HUB_GP\": {\"login\": \"gp-bot\", \"permissions\": [\"GenericRead\", \"PullRequestContribute\"]}}"
	hub_test PUT "policies/$HUB_SHOP" '[]'
	ask merge-pr "$(bound)"
	refused 77 "#$number" "allow the token's user 'Contribute'"
}

@test "a repository or a project that is not there is 69, whatever is asked of it" {
	local op members

	while read -r op members; do
		ask "$op" "$members" "$HUB_URL/acme/shop%20project/_git/nothing"
		refused 69 "no repository 'shop project/nothing'" 'may not see it' TF401019 || fail "$op $members"
		ask "$op" "$members" "$HUB_URL/acme/nothing/_git/shop"
		refused 69 "no repository 'nothing/shop'" TF200016 || fail "$op $members"
	done <<-END
		find-pr {"open":true}
		find-pr {"number":1}
		find-pr {"branch":"a"}
		find-pr {"merged_as":"$tip"}
		get-repository {}
		list-statuses {"commits":["$tip"]}
		list-statuses {"commits":["$tip","$nobody"]}
		set-status {"commit":"$tip","context":"c","state":"success"}
		set-status {"commit":"$tip","context":"c","state":"success","number":1}
		open-pr {"branch":"a","title":"t","description":""}
		set-auto-merge {"number":1,"enable":true,"method":"merge","head":"$tip"}
		merge-pr {"number":1,"method":"merge","head":"$tip"}
	END
}

# Versions

@test "an older server is asked in the newest version that it knows" {
	local version

	for version in 7.0 6.0 5.1; do
		set_up "{\"latest\": \"$version\", \"released\": \"$version\"}"
		forget
		ask find-pr '{"open":true}'
		jq_is '.result.pull_requests | tojson' '[]'
		same versions "7.1 $version" "$(log true '.query | capture("api-version=(?<v>[^&]*)").v' | paste -sd ' ')"
	done
	# What comes next in the same process does not ask again.
	forget
	jq -cn --arg u "$FORGE_URL" '{op: "find-pr", open: true, repository: {url: $u}}, {op: "get-repository", repository: {url: $u}}' >two
	expect 0 gp-forge-azdo <two
	same versions '7.1 5.1 5.1 5.1-preview' "$(log true '.query | capture("api-version=(?<v>[^&]*)").v' | paste -sd ' ')"
}

@test "an older server that does not say which, and one that has it as a preview" {
	fault '{"match": "GET", "times": 1, "what": "status", "status": 400, "body": {"typeKey": "VssVersionOutOfRangeException",
		"message": "The request matched route x, but the requested REST API version 7.1 was outside the valid version range for this route."}}'
	forget
	ask find-pr '{"open":true}'
	fine
	same versions '7.1 7.0' "$(log true '.query | capture("api-version=(?<v>[^&]*)").v' | paste -sd ' ')"
	fault '{"match": "GET", "times": 99, "what": "status", "status": 400, "body": {"typeKey": "VssVersionOutOfRangeException",
		"message": "The latest REST API version this server supports is 7.1."}}'
	ask find-pr '{"open":true}'
	refused 69 'this server supports is 7.1'
	set_up '{"latest": "7.1", "released": "7.0"}'
	fault '{"match": "no such thing", "what": "reset"}'
	forget
	ask find-pr '{"open":true}'
	fine
	same versions '7.1 7.1-preview' "$(log true '.query | capture("api-version=(?<v>[^&]*)").v' | paste -sd ' ')"
}

@test "every change names its version, and policies are never bypassed" {
	branch a
	open a
	ask set-auto-merge "$(auto true)"
	ask set-auto-merge "$(auto false)"
	status success
	ask merge-pr "$(bound)"
	fine
	same 'without a version' '' "$(log '.query | contains("api-version=") | not' .path)"
	same 'past policies' '' "$(log '.body | contains("bypass")' .body)"
}

# Trouble

@test "what may pass is tried again: reading" {
	local what

	for what in '"what": "reset"' '"what": "close"' '"what": "status", "status": 502, "body": "<html>"' \
		'"what": "status", "status": 503, "headers": {"Retry-After": "0"}'; do
		fault "{\"match\": \"GET\", \"times\": 2, $what}"
		ask find-pr '{"open":true}'
		jq_is '.result.pull_requests | tojson' '[]'
	done
}

@test "what does not pass within the budget is 75" {
	fault '{"match": "GET", "times": 99, "what": "status", "status": 502, "body": "<html>"}'
	GP_RETRY_BUDGET=0 ask find-pr '{"open":true}'
	refused 75 502
	GP_RETRY_BUDGET=1 GP_API_URL=http://127.0.0.1:1/acme ask find-pr '{"open":true}'
	refused 75 127.0.0.1
}

@test "Retry-After is obeyed: with 429, and with an answer that is none of an error" {
	fault '{"match": "GET", "what": "status", "status": 429, "headers": {"Retry-After": "1"}, "body": {"message": "TF400733: slow down."}}'
	ask find-pr '{"open":true}'
	fine
	fault '{"match": "GET", "what": "status", "status": 429, "headers": {"Retry-After": "1000"}, "body": {"message": "TF400733: slow down."}}'
	ask find-pr '{"open":true}'
	refused 75 'rate limited by' 'TF400733: slow down' 'try again in'
	[[ $output =~ in\ (99|100)[0-9]\ s ]] || fail "$output"
	# The first answer is used, the next request waits.
	two() {
		jq -cn --arg u "$FORGE_URL" '{op: "find-pr", open: true, repository: {url: $u}} | ., .' >two
		expect 0 gp-forge-azdo <two
	}
	fault '{"match": "GET", "what": "headers", "headers": {"Retry-After": "1"}}'
	two
	same exits '[null,null]' "$(jq -cs 'map(.error.exit)' <<<"$output")"
	fault '{"match": "GET", "what": "headers", "headers": {"Retry-After": "1000"}}'
	forget
	two
	same exits '[null,75]' "$(jq -cs 'map(.error.exit)' <<<"$output")"
	has "$output" 'rate limited by'
	same requests 1 "$(requests)"
	# A post is repeated after 429: it was not looked at.
	fault '{"match": "POST .*/statuses", "what": "status", "status": 429, "headers": {"Retry-After": "1"}}'
	ask set-status "{\"commit\":\"$tip\",\"context\":\"c\",\"state\":\"success\"}"
	jq_is .result.status.state success
}

@test "a pull request is opened once, whatever gets lost" {
	local after what n=0

	for after in false true; do
		for what in '"what": "reset"' '"what": "status", "status": 502'; do
			git -C "$SEED" fetch --quiet
			branch "b$((n += 1))"
			fault "{\"match\": \"POST .*/pullrequests \", \"after\": $after, $what}"
			open "b$n"
			jq_is .result.created true
			ask find-pr "{\"branch\":\"b$n\"}"
			jq_is '.result.pull_requests | length' 1
		done
	done
}

@test "a completion whose reply gets lost is one" {
	branch a
	open a
	status success
	fault '{"match": "PATCH ", "after": true, "what": "reset"}'
	ask merge-pr "$(bound)"
	jq_is '.result.pull_request.state' merged
	jq_is '.result.pull_request.merge_commit' "$(git -C "$SEED" ls-remote origin refs/heads/main | cut -f 1)"
	# On a connection that was there already libcurl repeats the request by itself.
	git -C "$SEED" fetch --quiet
	branch b
	open b
	status success
	fault '{"match": "PATCH ", "after": true, "what": "reset"}'
	jq -cn --arg u "$FORGE_URL" --argjson b "$(bound)" '{repository: {url: $u}} | . + {op: "get-repository"}, . + $b + {op: "merge-pr"}' >two
	expect 0 gp-forge-azdo <two
	same states '[null,"merged"]' "$(jq -cs 'map(.result.pull_request.state)' <<<"$output")"
}

@test "a reply that makes no sense is 76" {
	local body

	for body in '""' '"no json"' '[]' '{}' '{"count": 1, "value": {}}' '{"value": [7]}' '{"value": [{"pullRequestId": "5"}]}' \
		'{"value": [{"pullRequestId": 5, "status": "strange"}]}'; do
		fault "{\"match\": \"GET\", \"what\": \"status\", \"status\": 200, \"headers\": {\"Content-Type\": \"application/json\"}, \"body\": $body}"
		ask find-pr '{"open":true}'
		refused 76 'invalid response from' || fail "$body"
	done
	fault '{"match": "POST .*/statuses", "what": "status", "status": 201, "body": {"state": "succeeded"}}'
	ask set-status "{\"commit\":\"$tip\",\"context\":\"c\",\"state\":\"success\"}"
	refused 76 'invalid response from'
	fault '{"match": "pullrequestquery", "what": "status", "status": 200, "body": {"queries": []}}'
	ask find-pr "{\"merged_as\":\"$tip\"}"
	refused 76 'invalid response from'
}

@test "redirects are not followed" {
	fault "{\"match\": \"GET\", \"what\": \"status\", \"status\": 307, \"headers\": {\"Location\": \"$HUB_URL/elsewhere\", \"Content-Type\": \"text/plain\"}}"
	forget
	ask find-pr '{"open":true}'
	refused 69 'has moved' 'shop project/shop'
	same requests 1 "$(requests)"
}

@test "a redirection is one to sign in by where it goes, not by the page that comes with it" {
	local where

	for where in /tfs/acme/elsewhere https://proxy.example.com/shop/_git/shop https://dev.azure.com/acme/my_signing; do
		fault "{\"match\": \"GET\", \"what\": \"status\", \"status\": 302, \"body\": \"<html><head><title>Object moved</title></head>\",
			\"headers\": {\"Location\": \"$where\", \"Content-Type\": \"text/html; charset=utf-8\"}}"
		ask find-pr '{"open":true}'
		refused 69 'has moved (status 302)' 'shop project/shop'
	done
	for where in https://spsprodcus4.vssps.visualstudio.com/_signin?realm=dev.azure.com \
		https://login.microsoftonline.com/common/oauth2/authorize?client_id=499b84ac; do
		fault "{\"match\": \"GET\", \"what\": \"status\", \"status\": 302, \"body\": \"\",
			\"headers\": {\"Location\": \"$where\", \"Content-Type\": \"text/plain\"}}"
		ask find-pr '{"open":true}'
		refused 77 'bad credentials' 'sign-in page'
	done
}

# Lists

@test "all pages of pull requests, at the edges" {
	local count

	for count in 99 100 101; do
		hub_names "project $count" shop
		hub_repository
		hub_test POST "pulls/$HUB_SHOP" "{\"count\": $count}"
		forget
		ask find-pr '{"open":true}'
		jq_is '.result.pull_requests | length' "$count"
		jq_is '.result.pull_requests | map(.number) | . == sort and length == (unique | length)' true
		same "lists of $count" "$((count / 100 + 1))" "$(requests '.path | endswith("/pullrequests")')"
	done
}

@test "all pages of a commit's statuses, by top and skip without a sign" {
	hub_test POST "statuses/$HUB_SHOP" "{\"commit\": \"$tip\", \"count\": 1000, \"state\": \"success\"}"
	forget
	ask list-statuses "{\"commits\":[\"$tip\"]}"
	jq_is ".result.statuses[\"$tip\"] | length" 1000
	same queries 'latestOnly=true&top=1000&api-version=7.1 latestOnly=true&top=1000&skip=1000&api-version=7.1' "$(log true .query | paste -sd ' ')"
	hub_test POST "statuses/$HUB_SHOP" "{\"commit\": \"$tip\", \"count\": 1, \"state\": \"failure\"}"
	ask list-statuses "{\"commits\":[\"$tip\"],\"all\":true}"
	jq_is ".result.statuses[\"$tip\"] | length" 1001
	jq_is ".result.statuses[\"$tip\"][0].state" failure
}

@test "descriptions that lists cut are read from the pull request itself, and only they" {
	local text

	branch a
	open a "$(jq -rn '"<!-- metadata = {} -->" + "é" * 377')"
	branch b
	open b "$(jq -rn '"<!-- metadata = {} -->" + "é" * 1000 + "end"')"
	branch c
	open c ''
	forget
	ask find-pr '{"open":true}'
	jq_is '.result.pull_requests | map(.description | length) | tojson' '[399,1025,0]'
	jq_is '.result.pull_requests[1].description | endswith("end")' true
	same looks 1 "$(requests '.path | test("/pullrequests/[0-9]+$")')"
}

@test "what was closed since it was listed is not open" {
	local text first

	text=$(jq -rn '"é" * 500')
	branch a
	open a "$text"
	first=$number
	branch b
	open b "$text"
	hub_api "$HUB_EMILIA" GET 'pullrequests?searchCriteria.status=active' >listed
	hub_api "$HUB_EMILIA" PATCH "pullrequests/$number" '{"status": "abandoned"}' >/dev/null
	fault "{\"match\": \"GET .*/pullrequests \", \"what\": \"status\", \"status\": 200, \"body\": $(cat listed)}"
	ask find-pr '{"open":true}'
	jq_is '.result.pull_requests | map("\(.number) \(.state)") | tojson' "[\"$first open\"]"
	fault "{\"match\": \"GET .*/pullrequests \", \"what\": \"status\", \"status\": 200, \"body\": $(jq -c '.value |= .[:1]' listed)}"
	ask find-pr '{"branch":"b"}'
	jq_is '.result.pull_requests | tojson' '[]'
	same 'what is closed stays so' 0 "$(requests '.method == "PATCH" and .login == "gp-bot"')"
}

@test "all pages are read before anything is looked up, and once more where the list has shifted" {
	hub_test POST "pulls/$HUB_SHOP" '{"count": 150}'
	branch a
	open a "$(jq -rn '"é" * 500')"
	forget
	ask find-pr '{"open":true}'
	jq_is '.result.pull_requests | length' 151
	same order "lists lists #$number" "$(log true '.path | if endswith("/pullrequests") then "lists" else "#" + (split("/") | last) end' | paste -sd ' ')"
	# One that was on the first page is closed before the second one is asked for.
	hub_api "$HUB_EMILIA" GET 'pullrequests?searchCriteria.status=active&$top=100' |
		jq -c '.value[] |= {pullRequestId, status, title, sourceRefName, targetRefName, lastMergeSourceCommit}
			| del(.value[].lastMergeSourceCommit.url)' >listed
	hub_api "$HUB_EMILIA" PATCH "pullrequests/$number" '{"status": "abandoned"}' >/dev/null
	fault "{\"match\": \"GET .*/pullrequests \", \"what\": \"status\", \"status\": 200, \"body\": $(cat listed)}"
	ask find-pr '{"open":true}'
	jq_is '.result.pull_requests | map(.number) | tojson' "$(seq 150 | jq -cs .)"
}

@test "a description has room for 4000 characters of UTF-16: the human part is cut, the metadata never" {
	local text

	branch a
	open a "$(jq -rn '"<!-- metadata = {\"a\":1} -->\n" + "🚀" * 3000')"
	jq_is '.result.pull_request.description | startswith("<!-- metadata = {\"a\":1} -->\n🚀") and endswith("🚀...")' true
	[ "$(jq '.result.pull_request.description | [explode[] | if . > 65535 then 2 else 1 end] | add' <<<"$output")" -gt 3990 ]
	# The same once more changes nothing.
	forget
	ask open-pr "$(jq -cn '{branch: "a", title: "Change a", description: ("<!-- metadata = {\"a\":1} -->\n" + "🚀" * 3000)}')"
	jq_is .result.created false
	same changes 0 "$(requests '.method == "PATCH"')"
	text=$(jq -rn '"<!-- metadata = {\"a\":\"" + "x" * 3949 + "\"} -->"')
	open a "$text"$'\nand more than there is room for'
	jq_is '.result.pull_request.description' "$text"$'\nand more than there...'
	ask open-pr "$(jq -cn '{branch: "a", title: "t", description: ("<!-- " + "x" * 4000 + " -->")}')"
	refused 69 metadata 4000
}

# Auto-complete and completing

@test "auto-complete: by whom, how, and that work items are left alone" {
	branch a
	open a
	forget
	ask set-auto-merge "$(auto true '' squash)"
	jq_is .result.pull_request.auto_merge true
	jq_is '.result.clean' null
	same options '{"mergeStrategy":"squash","deleteSourceBranch":true,"transitionWorkItems":false,"autoCompleteIgnoreConfigIds":[]}' \
		"$(log '.method == "PATCH"' '.body | fromjson | .completionOptions')"
	same 'the same user' true "$(log '.method == "PATCH"' '.answer | .autoCompleteSetBy.id == .createdBy.id')"
	forget
	ask set-auto-merge "$(auto false)"
	jq_is .result.pull_request.auto_merge false
	same 'switched off' 00000000-0000-0000-0000-000000000000 "$(log '.method == "PATCH"' '.body | fromjson | .autoCompleteSetBy.id')"
}

@test "auto-complete of somebody else's pull request is ours" {
	branch a
	hub_api "$HUB_EMILIA" POST pullrequests '{"sourceRefName": "refs/heads/a", "targetRefName": "refs/heads/main", "title": "by hand"}' >pull
	number=$(jq .pullRequestId pull)
	forget
	ask set-auto-merge "$(auto true)"
	jq_is .result.pull_request.auto_merge true
	same 'another user' true "$(log '.method == "PATCH"' '.answer | .autoCompleteSetBy.id != .createdBy.id and .autoCompleteSetBy.uniqueName == "gp-bot@example.com"')"
}

@test "auto-complete does not wait for policies that are optional" {
	branch a
	open a
	hub_test PUT "policies/$HUB_SHOP" '[{"type": "status", "settings": {"statusGenre": "gp", "statusName": "gate"}},
		{"type": "status", "isBlocking": false, "settings": {"statusName": "nice-to-have"}}]'
	ask set-auto-merge "$(auto true)"
	jq_is .result.pull_request.auto_merge true
	status success
	# It is done in the background, a look or two later.
	for _ in 1 2 3 4 5; do
		ask find-pr "{\"number\":$number}"
		[[ "$output" == *'"state":"open"'* ]] || break
	done
	jq_is '.result.pull_requests[0].state' merged
}

@test "auto-complete is refused where no policy that blocks covers the base" {
	local policies

	branch a
	open a
	for policies in '[]' '[{"type": "status", "isBlocking": false, "settings": {"statusGenre": "gp", "statusName": "gate"}}]' \
		'[{"type": "status", "isEnabled": false, "settings": {"statusGenre": "gp", "statusName": "gate"}}]' \
		'[{"type": "status", "branch": "other", "settings": {"statusGenre": "gp", "statusName": "gate"}}]'; do
		hub_test PUT "policies/$HUB_SHOP" "$policies"
		forget
		ask set-auto-merge "$(auto true)"
		jq_is '"\(.result.clean) \(.result.pull_request.auto_merge) \(.result.pull_request.state)"' 'true false open'
		same changes 0 "$(requests '.method == "PATCH"')"
		ask get-repository
		jq_is '.result | [.auto_merge_allowed, .required_checks] | tojson' '[false,[]]'
	done
	hub_test PUT "policies/$HUB_SHOP" '[{"type": "reviewers", "settings": {"minimumApproverCount": 1}},
		{"type": "status", "settings": {"statusName": "plain"}}, {"type": "status", "settings": {"statusGenre": "gp", "statusName": "gate"}}]'
	ask set-auto-merge "$(auto true)"
	jq_is .result.pull_request.auto_merge true
	ask get-repository
	jq_is '.result | [.auto_merge_allowed, .required_checks] | tojson' '[true,["plain","gp/gate"]]'
}

@test "auto-complete: policies that are not evaluated yet are something to wait for" {
	set_up '{"evaluation_polls": 3}'
	branch a
	open a
	ask set-auto-merge "$(auto true)"
	jq_is '"\(.result.clean) \(.result.pull_request.auto_merge)"' 'null true'
}

@test "auto-complete: where policies may be met as soon as they are looked at, it stays off until they are" {
	local strategy='{"type": "strategy", "settings": {"allowNoFastForward": true}}' evaluations

	hub_test PUT "policies/$HUB_SHOP" "[$strategy]"
	set_up '{"evaluation_polls": 2}'
	branch a
	open a
	forget
	ask set-auto-merge "$(auto true "$pull_id")"
	jq_is '"\(.result.clean) \(.result.pull_request.auto_merge)"' 'true false'
	# The pull request is looked at before the evaluations that are trusted.
	same asked 'configurations evaluations evaluations configurations evaluations '"$number"' evaluations' \
		"$(log true '.path | split("/")[-1]' | paste -sd ' ')"
	set_up '{"evaluation_polls": 999}'
	branch b
	open b
	GP_RETRY_BUDGET=1 ask set-auto-merge "$(auto true "$pull_id")"
	refused 75 "has yet to look at the policies of #$number" "'Require a merge strategy' is missing"
	set_up '{"evaluation_polls": 0}'
	branch c
	open c
	evaluations=$(evaluations_now)
	evaluations queued "$evaluations"
	GP_RETRY_BUDGET=1 ask set-auto-merge "$(auto true "$pull_id")"
	refused 75 "has yet to look at the policies of #$number" "'Require a merge strategy' is missing"
	same changes 0 "$(requests '.method == "PATCH"')"
	# What has rejected it was looked at.
	evaluations rejected "$evaluations"
	ask set-auto-merge "$(auto true "$pull_id")"
	jq_is '"\(.result.clean) \(.result.pull_request.auto_merge)"' 'null true'
	# Beside one that cannot be met from the start the others do not matter.
	hub_test PUT "policies/$HUB_SHOP" "[$strategy, {\"type\": \"status\", \"settings\": {\"statusGenre\": \"gp\", \"statusName\": \"gate\"}}]"
	set_up '{"evaluation_polls": 999}'
	branch d
	open d
	GP_RETRY_BUDGET=1 ask set-auto-merge "$(auto true "$pull_id")"
	jq_is '"\(.result.clean) \(.result.pull_request.auto_merge)"' 'null true'
}

@test "auto-complete: what may not apply, is off, or is for pushes is nothing to wait for" {
	local policies

	set_up '{"evaluation_polls": 999}'
	branch a
	open a
	for policies in '{"type": "build", "settings": {"buildDefinitionId": 7, "filenamePatterns": ["/src/*"]}}' \
		'{"type": "status", "settings": {"statusName": "now and then", "policyApplicability": 1}}' \
		'{"type": "build", "isEnabled": false, "settings": {"buildDefinitionId": 7}}' \
		'{"type": "size", "scope": [{"repositoryId": null}], "settings": {"maximumGitBlobSizeInBytes": 1}}'; do
		hub_test PUT "policies/$HUB_SHOP" "[$policies]"
		GP_RETRY_BUDGET=1 ask set-auto-merge "$(auto true "$pull_id")"
		jq_is '"\(.result.clean) \(.result.pull_request.auto_merge)"' 'true false' || fail "$policies"
	done
	ask get-repository
	jq_is .result.auto_merge_allowed false
	# Beside what is met, and evaluated as not applicable.
	set_up '{"evaluation_polls": 0}'
	hub_test PUT "policies/$HUB_SHOP" '[{"type": "strategy", "settings": {"allowNoFastForward": true}},
		{"type": "size", "scope": [{"repositoryId": null}], "settings": {"maximumGitBlobSizeInBytes": 1}},
		{"type": "build", "settings": {"buildDefinitionId": 7, "filenamePatterns": ["/src/*"]}}]'
	branch b
	open b
	GP_RETRY_BUDGET=0 ask set-auto-merge "$(auto true)"
	jq_is '"\(.result.clean) \(.result.pull_request.auto_merge)"' 'true false'
}

@test "auto-complete: after a push, evaluations of the head before it do not count" {
	branch a
	open a
	status success
	set_up '{"stale_polls": 2, "merge_polls": 3}'
	branch a
	ask set-auto-merge "$(auto true)"
	jq_is '"\(.result.clean) \(.result.pull_request.auto_merge)"' 'null true'
	set_up '{"stale_polls": 0, "merge_polls": 999}'
	branch b
	open b
	status success
	GP_RETRY_BUDGET=1 ask set-auto-merge "$(auto true "$pull_id")"
	refused 75 "has yet to try the merge of #$number"
	ask find-pr "{\"number\":$number}"
	jq_is '.result.pull_requests[0].auto_merge' false
}

@test "auto-complete: optional policies are passed over before they are evaluated, and those that came later" {
	local wanted

	branch a
	open a
	hub_test PUT "policies/$HUB_SHOP" '[{"type": "status", "settings": {"statusGenre": "gp", "statusName": "gate"}},
		{"type": "build", "isBlocking": false, "settings": {"buildDefinitionId": 7, "filenamePatterns": ["/*"]}},
		{"type": "status", "isBlocking": false, "isEnabled": false, "settings": {"statusName": "off"}},
		{"type": "size", "isBlocking": false, "scope": [{"repositoryId": null}], "settings": {"maximumGitBlobSizeInBytes": 1}},
		{"type": "status", "isBlocking": false, "settings": {"statusName": "nice-to-have"}}]'
	wanted=$(jq -c '[.[1, 4]]' "$T/run/hub")
	evaluations queued "$(evaluations_now | jq -c '.value |= .[:1]')"
	forget
	ask set-auto-merge "$(auto true "$pull_id")"
	jq_is .result.pull_request.auto_merge true
	same ignored "$wanted" "$(log '.method == "PATCH"' '.body | fromjson | .completionOptions.autoCompleteIgnoreConfigIds')"
	hub_test PUT "policies/$HUB_SHOP" '[{"type": "status", "settings": {"statusGenre": "gp", "statusName": "gate"}},
		{"type": "status", "isBlocking": false, "settings": {"statusName": "new"}}]'
	evaluations queued '{"value": []}' 0
	status success
	ask set-auto-merge "$(auto true "$pull_id")"
	jq_is '.result.clean' null
	for _ in 1 2 3 4 5; do
		ask find-pr "{\"number\":$number}"
		[[ "$output" == *'"state":"open"'* ]] || break
	done
	jq_is '.result.pull_requests[0].state' merged
}

@test "policies that this process has listed are not listed again, unless there are others" {

	branch a
	open a
	branch b
	open b
	coproc gp-forge-azdo 3>&-
	converse() {
		jq -cn --arg o "$1" --argjson m "${2:-{\}}" --arg u "$FORGE_URL" '{op: $o, repository: {url: $u, base: "main"}} + $m' >&"${COPROC[1]}"
		IFS= read -r -t 60 output <&"${COPROC[0]}"
		fine
	}
	listed() {
		requests '.path | endswith("/policy/configurations")'
	}
	forget
	converse get-repository
	converse set-auto-merge "$(auto true "$pull_id")"
	jq_is .result.pull_request.auto_merge true
	converse set-auto-merge "$(auto true "$pull_id")"
	same listed 1 "$(listed)"
	hub_test PUT "policies/$HUB_SHOP" '[{"type": "status", "settings": {"statusGenre": "gp", "statusName": "gate"}},
		{"type": "status", "isBlocking": false, "settings": {"statusName": "new"}}]'
	converse set-auto-merge "$(auto true "$pull_id")"
	same listed 2 "$(listed)"
	same ignored "$(jq -c '.[1:]' "$T/run/hub")" \
		"$(log '.method == "PATCH"' '.body | fromjson | .completionOptions.autoCompleteIgnoreConfigIds' | tail -n 1)"
}

@test "auto-complete: completed between the look and the change is off; on only where that was our doing" {
	local pending

	branch a
	open a
	ask set-auto-merge "$(auto true "$pull_id")"
	pending=$(hub_api "$HUB_EMILIA" GET "pullrequests/$number")
	status success
	merged
	fault "{\"match\": \"GET .*/pullrequests/$number \", \"what\": \"status\", \"status\": 200, \"body\": $pending}"
	ask set-auto-merge "$(auto false)"
	jq_is '"\(.result.pull_request.state) \(.result.pull_request.auto_merge)"' 'merged false'
	# It was somebody else.
	git -C "$SEED" fetch --quiet
	branch b
	open b
	pending=$(evaluations_now)
	status success
	merge_by_hand "$number"
	merged
	evaluations queued "$pending"
	ask set-auto-merge "$(auto true "$pull_id")"
	refused 69 "pull request #$number is merged already"
	# The first attempt was made, its reply was lost, and there was nothing more to wait for.
	git -C "$SEED" fetch --quiet
	branch c
	open c
	pending=$(evaluations_now)
	status success
	evaluations queued "$pending" 9 '{"match": "PATCH ", "after": true, "what": "reset"}'
	ask set-auto-merge "$(auto true "$pull_id")"
	jq_is '"\(.result.pull_request.state) \(.result.pull_request.head)"' "merged $head"
}

@test "auto-complete: a base that changes under it switches it off again" {
	branch a
	open a
	hub_test PUT "policies/$HUB_SHOP" '[{"type": "status", "settings": {"statusGenre": "gp", "statusName": "gate"}},
		{"type": "status", "branch": "other", "settings": {"statusGenre": "gp", "statusName": "gate"}}]'
	git -C "$SEED" push --quiet origin origin/main:refs/heads/other
	hub_api "$HUB_EMILIA" PATCH "pullrequests/$number" '{"targetRefName": "refs/heads/other"}' >"$T/run/1"
	ask set-auto-merge "$(auto true "$pull_id")"
	refused 75 "base of #$number is now other, not main"
	ask find-pr "{\"number\":$number}"
	jq_is '.result.pull_requests[0] | "\(.base) \(.auto_merge)"' 'other false'
}

@test "auto-complete: a conflict is something to wait for" {
	branch a
	git -C "$SEED" checkout --quiet --force -B ours origin/main
	echo ours >"$SEED/README.md"
	git -C "$SEED" commit --quiet -am ours
	git -C "$SEED" push --quiet origin HEAD:main
	git -C "$SEED" checkout --quiet --force -B theirs HEAD~1
	echo theirs >"$SEED/README.md"
	git -C "$SEED" commit --quiet -am theirs
	git -C "$SEED" push --quiet origin HEAD:theirs
	head=$(git -C "$SEED" rev-parse HEAD)
	open theirs
	status success
	ask set-auto-merge "$(auto true)"
	jq_is '"\(.result.clean) \(.result.pull_request.auto_merge)"' 'null true'
	ask merge-pr "$(bound)"
	refused 69 "#$number" conflict
}

@test "auto-complete: a head that moves under it switches it off again" {
	branch a
	open a
	local before=$head
	branch a
	fault "{\"match\": \"GET .*/pullrequests/$number \", \"what\": \"status\", \"status\": 200, \"body\": $(
		hub_api "$HUB_EMILIA" GET "pullrequests/$number" | jq -c --arg h "$before" '.lastMergeSourceCommit.commitId = $h'
	)}"
	ask set-auto-merge "$(jq -cn --argjson n "$number" --arg h "$before" '{number: $n, head: $h, method: "merge", enable: true}')"
	refused 75 "head of #$number is now $head, not $before"
	ask find-pr "{\"number\":$number}"
	jq_is '.result.pull_requests[0].auto_merge' false
}

@test "completing is awaited: queued is not merged" {
	set_up '{"completion_polls": 2}'
	branch a
	open a
	status success
	forget
	ask merge-pr "$(bound)"
	jq_is '.result.pull_request.state' merged
	jq_is '.result.pull_request.merge_commit' "$(git -C "$SEED" ls-remote origin refs/heads/main | cut -f 1)"
	same looks 3 "$(requests '.method == "GET"')"
	set_up '{"completion_polls": 999}'
	branch b
	open b
	status success
	GP_RETRY_BUDGET=0 ask merge-pr "$(bound)"
	refused 75 "#$number" queued
}

@test "completing: what a policy says, and which are not met" {
	hub_test PUT "policies/$HUB_SHOP" '[{"type": "status", "settings": {"statusGenre": "gp", "statusName": "gate"}},
		{"type": "status", "settings": {"statusGenre": "ci", "statusName": "lint"}}, {"type": "reviewers", "settings": {"minimumApproverCount": 1}},
		{"type": "status", "settings": {"statusGenre": "ci", "statusName": "build"}}, {"type": "build", "settings": {"displayName": "all tests"}}]'
	branch a
	open a
	status success
	status failure ci/lint
	status pending ci/build
	ask merge-pr "$(bound)"
	refused 69 "#$number" 'policies are not satisfied' "'ci/lint' is rejected, 'Minimum number of reviewers' is missing" \
		"'ci/build' is pending, 'all tests' is missing"
	lacks "$output" gp/gate
}

@test "completing: a policy or a conflict that shows only later" {
	branch a
	open a
	status success
	set_up '{"completion_polls": 1}'
	fault "{\"match\": \"GET .*/pullrequests/$number \", \"what\": \"status\", \"status\": 200, \"body\": $(
		hub_api "$HUB_EMILIA" GET "pullrequests/$number" | jq -c '.mergeStatus = "rejectedByPolicy" | .mergeFailureMessage = "Work items must be linked"'
	)}"
	ask merge-pr "$(bound)"
	refused 69 "#$number" 'Work items must be linked'
}

@test "completing: a head that Azure DevOps has yet to see is waited for, one that is gone is 75" {
	set_up '{"head_polls": 3}'
	branch a
	open a
	branch a
	status success
	ask merge-pr "$(bound)"
	jq_is '.result.pull_request | "\(.state) \(.head)"' "merged $head"
}

@test "a pull request whose branch is gone is closed, and abandoned before there is another" {
	branch a
	open a
	ask set-auto-merge "$(auto true)"
	git -C "$SEED" push --quiet origin :a
	ask find-pr "{\"number\":$number}"
	jq_is '.result.pull_requests[0] | "\(.state) \(.auto_merge)"' 'closed false'
	ask find-pr '{"open":true}'
	jq_is '.result.pull_requests | length' 0
	same 'by itself' active "$(hub_api "$HUB_EMILIA" GET "pullrequests/$number" | jq -r .status)"
	ask find-pr '{"branch":"a"}'
	jq_is '.result.pull_requests | length' 0
	same afterwards abandoned "$(hub_api "$HUB_EMILIA" GET "pullrequests/$number" | jq -r .status)"
}

# Statuses

@test "statuses: genre and name, no genre, no description, not applicable, Flux's genre" {
	post_raw() {
		hub_api "$HUB_EMILIA" POST "commits/$tip/statuses" "$1" >/dev/null
	}
	post_raw '{"state": "succeeded", "context": {"name": "bare"}}'
	post_raw '{"state": "failed", "description": "no", "context": {"name": "b/c", "genre": "a"}, "targetUrl": "https://example.com"}'
	post_raw '{"state": "error", "context": {"name": "kustomization/apps-dev/0c9c2e41", "genre": "fluxcd"}}'
	post_raw '{"state": "succeeded", "context": {"name": "helmrelease/apps-dev/0c9c2e41", "genre": "fluxcd:prod-west"}}'
	post_raw '{"state": "succeeded", "context": {"name": "x", "genre": "fluxcdx"}}'
	post_raw '{"state": "notSet", "context": {"name": "unset", "genre": ""}}'
	post_raw '{"state": "succeeded", "context": {"name": "gone", "genre": "ci"}}'
	post_raw '{"state": "notApplicable", "context": {"name": "gone", "genre": "ci"}}'
	post_raw '{"state": "succeeded", "description": "apps-dev-x", "context": {"name": "kind/apps-dev", "genre": "fluxcd"}}'
	for all in false true; do
		ask list-statuses "{\"commits\":[\"$tip\"],\"all\":$all}"
		jq_is ".result.statuses[\"$tip\"] | map(\"\(.context)=\(.state)\") | join(\" \")" \
			'kind/apps-dev=success unset=pending fluxcdx/x=success helmrelease/apps-dev/0c9c2e41=success kustomization/apps-dev/0c9c2e41=failure a/b/c=failure bare=success'
		jq_is ".result.statuses[\"$tip\"][-1].description" null
		jq_is ".result.statuses[\"$tip\"] | all(has(\"number\") | not)" true
	done
	# One that applies again is there again.
	post_raw '{"state": "pending", "context": {"name": "gone", "genre": "ci"}}'
	ask list-statuses "{\"commits\":[\"$tip\"],\"all\":true}"
	jq_is ".result.statuses[\"$tip\"] | map(select(.context == \"ci/gone\").state) | tojson" '["pending"]'
}

@test "a context is posted so that it is listed as it was, and Flux's with Flux's genre" {
	local context

	for context in gp/gate plain a/b/c /x x/ a//b kustomization/apps-dev helmrelease/apps-dev/0c9c2e41 'ü 二/☂'; do
		ask set-status "$(jq -cn --arg c "$context" --arg t "$tip" '{commit: $t, context: $c, state: "success"}')"
		jq_is .result.status.context "$context"
		ask list-statuses "{\"commits\":[\"$tip\"]}"
		jq_is ".result.statuses[\"$tip\"][0].context" "$context"
	done
	same genres '["gp",null,"a",null,null,"a","fluxcd","fluxcd","ü 二"]' \
		"$(log '.method == "POST"' '.body | fromjson | .context.genre | tojson' | jq -cs .)"
}

@test "times of one second are in the order in which they came, however many digits they have" {
	fault "{\"match\": \"GET\", \"what\": \"status\", \"status\": 200, \"body\": {\"value\": [
		$(for t in 25.1Z 25.09Z 25Z 25.1000001Z 25.999999999Z; do printf '{"state": "succeeded", "context": {"name": "%s"}, "creationDate": "2026-01-02T03:04:%s"},' "$t" "$t"; done)
		{\"state\": \"succeeded\", \"context\": {\"name\": \"timeless\"}}, {\"state\": \"succeeded\"}]}}"
	ask list-statuses "{\"commits\":[\"$tip\"]}"
	jq_is ".result.statuses[\"$tip\"] | map(.context) | join(\" \")" '25.999999999Z 25.1000001Z 25.1Z 25.09Z 25Z'
	jq_is ".result.statuses[\"$tip\"] | map(.created_at) | unique | tojson" '["2026-01-02T03:04:25Z"]'
}

@test "several commits are one request; where one is unknown or the server does not know how, each is asked for" {
	local first=$tip second

	branch a
	second=$head
	for commit in "$first" "$second"; do
		ask set-status "{\"commit\":\"$commit\",\"context\":\"c\",\"state\":\"success\"}"
	done
	forget
	ask list-statuses "{\"commits\":[\"$first\",\"$second\",\"$first\"]}"
	jq_is '.result.statuses | map(length) | tojson' '[1,1]'
	same requests 1 "$(requests)"
	forget
	ask list-statuses "{\"commits\":[\"$first\",\"$second\",\"$nobody\"]}"
	jq_is '.result.statuses | map(length) | tojson' '[1,1,0]'
	same requests 4 "$(requests)"
	fault "{\"match\": \"commitsbatch\", \"times\": 9, \"what\": \"status\", \"status\": 200, \"body\": {\"value\": [{\"commitId\": \"$first\"}, {\"commitId\": \"$second\"}]}}"
	ask list-statuses "{\"commits\":[\"$first\",\"$second\"]}"
	jq_is '.result.statuses | map(length) | tojson' '[1,1]'
	# With all, those that have any are asked for once more.
	fault '{"match": "no such thing", "what": "reset"}'
	ask set-status "{\"commit\":\"$first\",\"context\":\"c\",\"state\":\"failure\"}"
	forget
	ask list-statuses "{\"commits\":[\"$first\",\"$second\"],\"all\":true}"
	jq_is '.result.statuses | map(length) | tojson' '[2,1]'
	same requests 3 "$(requests)"
}

@test "a server whose batches bring no statuses is asked for each commit, as soon as that is known for good" {
	local second third

	branch a
	second=$head
	branch b
	third=$head
	set_up '{"batch_statuses": false}'
	several() {
		jq -cn --arg u "$FORGE_URL" '{op: "list-statuses", repository: {url: $u}, commits: $ARGS.positional} | ., .' \
			--args "$@" >two
		forget
		expect 0 gp-forge-azdo <two
	}
	# Nothing is known as long as there is nothing to be seen.
	several "$tip" "$second" "$third"
	same requests 'batch one one one batch one one one' "$(log true 'if .path | endswith("batch") then "batch" else "one" end' | paste -sd ' ')"
	# The first one without any is not believed to speak for the others.
	ask set-status "{\"commit\":\"$second\",\"context\":\"c\",\"state\":\"success\"}"
	several "$tip" "$second" "$third"
	same statuses '[[0,1,0],[0,1,0]]' "$(jq -cs 'map(.result.statuses | map(length))' <<<"$output")"
	same requests 'batch one one one one one one' "$(log true 'if .path | endswith("batch") then "batch" else "one" end' | paste -sd ' ')"
	set_up '{"batch_statuses": true}'
	several "$tip" "$second" "$third"
	same statuses '[[0,1,0],[0,1,0]]' "$(jq -cs 'map(.result.statuses | map(length))' <<<"$output")"
	same requests 2 "$(requests)"
}

@test "a check is bound to the head's iteration, and says of which pull request it is" {
	branch a
	open a
	branch a
	forget
	status success
	same posted "2 success" "$(log '.method == "POST" and (.path | contains("/pullRequests/") or contains("/pullrequests/"))' \
		'.body | fromjson | "\(.iterationId) \(.state)"' | sed s/succeeded/success/)"
	ask list-statuses "{\"commits\":[\"$head\"]}"
	jq_is ".result.statuses[\"$head\"][0] | \"\(.context) \(.number)\"" "gp/gate $number"
	# Who has just seen the head need not look again.
	local before=$head
	branch a
	ask set-status "{\"commit\":\"$before\",\"context\":\"gp/gate\",\"state\":\"failure\",\"number\":$number,\"pull_id\":\"x\"}"
	jq_is .result.status.state failure
	ask set-status "{\"commit\":\"$before\",\"context\":\"gp/gate\",\"state\":\"failure\",\"number\":$number}"
	refused 75 "head of #$number is now $head, not $before"
}

@test "a check of what is completed or abandoned meanwhile goes to the commit alone" {
	local how

	for how in merge abandon; do
		git -C "$SEED" fetch --quiet
		branch "$how"
		open "$how"
		status success
		if [ "$how" = merge ]; then
			merge_by_hand "$number"
		else
			hub_api "$HUB_EMILIA" PATCH "pullrequests/$number" '{"status": "abandoned"}' >/dev/null
		fi
		ask set-status "{\"commit\":\"$head\",\"context\":\"gp/gate\",\"state\":\"failure\",\"number\":$number,\"pull_id\":\"$pull_id\"}"
		jq_is '.result.status | "\(.context) \(.state)"' 'gp/gate failure'
		ask list-statuses "{\"commits\":[\"$head\"]}"
		jq_is ".result.statuses[\"$head\"][0] | \"\(.state) \(.number)\"" "failure $number"
	done
	# It is the pull request that says so.
	branch open
	open open
	fault '{"match": "POST .*/pullrequests/.*/statuses ", "what": "status", "status": 400, "body": {"message": "TF401181: no."}}'
	ask set-status "{\"commit\":\"$head\",\"context\":\"gp/gate\",\"state\":\"failure\",\"number\":$number,\"pull_id\":\"$pull_id\"}"
	refused 69 TF401181
	ask list-statuses "{\"commits\":[\"$head\"]}"
	jq_is ".result.statuses[\"$head\"] | length" 0
}

@test "list-statuses of a pull request: its own, of the iteration that it is at" {
	branch a
	open a
	status failure ci/lint
	status success
	ask list-statuses "{\"commits\":[\"$head\"],\"number\":$number}"
	jq_is ".result.statuses[\"$head\"] | map(\"\(.context) \(.state) \(.number)\") | join(\", \")" \
		"gp/gate success $number, ci/lint failure $number"
	# The same head, into another base.
	git -C "$SEED" push --quiet origin origin/main:refs/heads/other
	hub_api "$HUB_EMILIA" PATCH "pullrequests/$number" '{"targetRefName": "refs/heads/other"}' >/dev/null
	ask list-statuses "{\"commits\":[\"$head\"],\"number\":$number}"
	jq_is ".result.statuses | tojson" "{\"$head\":[]}"
	ask list-statuses "{\"commits\":[\"$head\"]}"
	jq_is ".result.statuses[\"$head\"] | length" 2
	status pending
	ask list-statuses "{\"commits\":[\"$head\",\"$tip\"],\"number\":$number}"
	jq_is ".result.statuses | map(map(.state)) | tojson" '[["pending"],[]]'
	ask list-statuses "{\"commits\":[\"$head\"],\"number\":77}"
	refused 69 '#77'
}

@test "the gate's verdict of another pull request with the same head counts for nothing" {
	rm -rf "$T/azdo" "$SEED"
	hub_gitops --envs dev:false --apps apps/web
	sh_pipe 0 'gp-new --group apps --app web --tag v1'
	sh_pipe 0 'gp-status --number 1'
	hub_api "$HUB_EMILIA" PATCH pullrequests/1 '{"status": "abandoned"}' >"$T/run/1"
	jq '{sourceRefName, targetRefName, title, description}' "$T/run/1" >"$T/run/2"
	hub_api "$HUB_EMILIA" POST pullrequests "@$T/run/2" >"$T/run/1"
	same 'the other one' 2 "$(jq .pullRequestId "$T/run/1")"
	sh_pipe 0 'gp-status --number 2'
	has "$stderr" "posted 'gp/gate' success"
	same 'its own' succeeded "$(hub_api "$HUB_EMILIA" GET pullrequests/2/statuses | jq -r '.value[].state')"
	# Once is enough.
	sh_pipe 0 'gp-status --number 2'
	same 'its own' succeeded "$(hub_api "$HUB_EMILIA" GET pullrequests/2/statuses | jq -r '.value[].state')"
}

# Requests

# users: every answer says whose token it is, as the service's do.
users() {
	fault "{\"match\": \".\", \"times\": 9999, \"what\": \"headers\", \"headers\": {\"X-VSS-UserData\": \"$(user_id):gp-bot@example.com\"}}"
}
user_id() {
	curl -fsS --noproxy '*' -H "$(hub_basic "$HUB_GP")" "$HUB_API/_apis/connectionData?api-version=7.1-preview" | jq -r .authenticatedUser.id
}

@test "who the token's user is, is asked for only where no answer says it" {
	branch a
	open a
	forget
	ask set-auto-merge "$(auto true "$pull_id")"
	fine
	same asked 1 "$(requests '.path | endswith("/connectionData")')"
	ask set-auto-merge "$(auto false)"
	users
	forget
	ask set-auto-merge "$(auto true "$pull_id")"
	fine
	same requests 3 "$(requests)"
	fault '{"match": ".", "times": 9999, "what": "headers", "headers": {"X-VSS-UserData": "somebody else:x"}}'
	ask set-auto-merge "$(auto false)"
	ask set-auto-merge "$(auto true "$pull_id")"
	jq_is .result.pull_request.auto_merge true
}

# asked COUNT NAME: the API was asked so often since forget.
asked() {
	[ "$(requests)" -eq "$1" ] || fail "$2 asks $(requests) times, not $1:" "$(log true '"\(.method) \(.path)"')"
}

@test "where the header says somebody else, the server is asked who we are, once" {
	branch a
	open a
	fault "{\"match\": \".\", \"times\": 9999, \"what\": \"headers\", \"headers\": {\"X-VSS-UserData\": \"01234567-0123-0123-0123-012345678901:emilia\"}}"
	forget
	ask set-auto-merge "$(auto true "$pull_id")"
	jq_is .result.pull_request.auto_merge true
	same asked 'PATCH connectionData PATCH' \
		"$(log '.method == "PATCH" or (.path | endswith("/connectionData"))' 'if .method == "PATCH" then .method else "connectionData" end' | paste -sd ' ')"
	same 'set by' "[\"01234567-0123-0123-0123-012345678901\",\"$(user_id)\"]" "$(log '.method == "PATCH"' '.body | fromjson | .autoCompleteSetBy.id' | jq -Rcs 'split("\n")[:-1]')"
	# Where that is no other, it is refused.
	fault '{"match": "PATCH ", "times": 9, "what": "status", "status": 400, "body": {"typeKey": "InvalidArgumentValueException",
		"message": "Invalid argument value.\r\nParameter name: Invalid pull request auto complete set by id. Valid values are few."}}'
	forget
	ask set-auto-merge "$(auto true "$pull_id")"
	refused 69 'Invalid pull request auto complete set by id'
	same changes 1 "$(requests '.method == "PATCH"')"
}

@test "gp-new asks six times, gp-status five, gp-promote eight times" {
	rm -rf "$T/azdo" "$SEED"
	hub_gitops --envs 'dev:true qa:true prod:false' --apps apps/web
	users
	forget
	sh_pipe 0 'gp-new --group apps --app web --tag v1'
	asked 6 gp-new
	forget
	sh_pipe 0 'gp-status --number 1'
	asked 5 gp-status
	# What stands there already is not posted again.
	forget
	sh_pipe 0 'gp-status --number 1'
	git fetch --quiet
	git checkout --quiet --detach origin/main
	forget
	sh_pipe 0 'gp-promote'
	asked 8 gp-promote
}

@test "merged_as: found although the index lags, and asked for again where nothing knows yet" {
	local commit

	branch a
	open a
	status success
	set_up '{"index_lag": 60}'
	ask merge-pr "$(bound)"
	commit=$(jq -r .result.pull_request.merge_commit <<<"$output")
	forget
	ask find-pr "{\"merged_as\":\"$commit\"}"
	jq_is '.result.pull_requests | map(.number) | tojson' "[$number]"
	same requests 2 "$(requests)"
	set_up '{"index_lag": 0}'
	fault '{"match": "pullrequestquery|status=completed", "times": 3, "what": "status", "status": 200, "body": {"results": [{}], "value": []}}'
	ask find-pr "{\"merged_as\":\"$commit\"}"
	jq_is '.result.pull_requests | map(.number) | tojson' "[$number]"
}

@test "labels, reviewers by id, and draft: given to a new one, added where missing, never taken away" {
	rm -rf "$T/azdo" "$SEED" "$REMOTE"
	local emilia

	hub_gitops --apps apps/web --envs 'dev:false qa:false'
	emilia=$(curl -fsS --noproxy '*' -u ":$HUB_EMILIA" "$HUB_URL/acme/_apis/connectionData" | command jq -r .authenticatedUser.id)
	commit_file gitops-promotion.yaml <<-YAML
		pull_request: {labels: [promotion, gp], reviewers: [$emilia, emilia], draft: true}
		environments: [{name: dev}, {name: qa}]
	YAML
	hub_settle
	git fetch --quiet
	sh_pipe 0 'gp-new --group apps --app web --tag v1'
	has "$stderr" "warning: reviewer 'emilia' of #1 is not the id of an identity"
	same created "promotion,gp $emilia true" "$(details 1)"
	hub_api "$HUB_EMILIA" POST pullrequests/1/labels '{"name": "urgent"}' >/dev/null
	sh_pipe 0 'gp-new --group apps --app web --tag v2'
	same 'nothing twice, nothing away' "promotion,gp,urgent $emilia true" "$(details 1)"
}

# details N: labels, reviewers, draft.
details() {
	printf '%s %s\n' "$(hub_api "$HUB_EMILIA" GET "pullrequests/$1/labels" | command jq -r '[.value[].name] | join(",")')" \
		"$(hub_api "$HUB_EMILIA" GET "pullrequests/$1" | command jq -r '([.reviewers[].id] | join(",")) + " \(.isDraft)"')"
}
