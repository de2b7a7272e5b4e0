#!/usr/bin/env bats
# gp-forge-github: addresses, tokens, refusals, trouble on the way, how many requests. What it shares with other forges
# is in forge.bats.

setup() {
	load ../lib/helper
	load ../fakes/github/hands
	load ../lib/driver
	driver_setup
}

# requests [FILTER]: how many of those that the server has seen since forget.
requests() {
	jq -rs --argjson from "${seen:-0}" '[.[$from:][] | select(.path | startswith("/_test/") or contains(".git/") | not)
		| select('"${1:-true}"')] | length' "$HUB_LOG"
}

# The frame

@test "conventions" {
	expect 0 gp-forge-github --help
	has "$output" 'usage: gp-forge-github'
	expect 64 gp-forge-github --no-such-option
	expect 0 gp-forge-github </dev/null
	same output '' "$output"
	GP_TIMEOUT=soon expect 78 gp-forge-github </dev/null
	one_message gp-forge-github GP_TIMEOUT soon
	GP_RETRY_BUDGET=-1 expect 78 gp-forge-github </dev/null
	one_message gp-forge-github GP_RETRY_BUDGET -1
	sh_pipe 71 'echo "{}" | gp-forge-github >/dev/full'
	one_message gp-forge-github 'cannot write a reply'
}

# Addresses

@test "every form of a remote's URL names the repository" {
	local url

	for url in https://github.com/acme/shop https://github.com/acme/shop.git https://user:pw@github.com/acme/shop.git/ \
		https://GitHub.com:443/acme/shop git@github.com:acme/shop.git github.com:acme/shop git@github.com:/acme/shop.git \
		ssh://git@github.com/acme/shop.git ssh://git@ssh.github.com:443/acme/shop.git git+ssh://git@github.com/acme/shop; do
		ask find-pr '{"open":true}' "$url"
		jq_is '.result.pull_requests | tojson' '[]'
	done
}

@test "what is no repository's URL is 65, without the URL, which may hold a secret" {
	local url

	for url in https://github.com/acme https://github.com/ https://github.com/a/b/c https://u:secret@github.com/../x \
		/srv/shop.git file:///srv/shop.git ftp://github.com/acme/shop 'https://github.com/acme/sh op' git@github.com: \
		https://github.com/acme/.. https://github.com/acme/.git; do
		ask find-pr '{"open":true}' "$url"
		refused 65 repository.url
		lacks "$output" secret
	done
}

@test "the job's API is that of the job's server alone" {
	unset GP_API_URL
	export GITHUB_SERVER_URL=https://ghe.example.com GITHUB_API_URL=$HUB_URL GITHUB_GRAPHQL_URL=$HUB_URL/graphql
	ask find-pr '{"open":true}' git@ghe.example.com:acme/shop.git
	jq_is '.result.pull_requests | tojson' '[]'
	export HTTPS_PROXY=http://127.0.0.1:1 GP_RETRY_BUDGET=0
	ask find-pr '{"open":true}' git@other.example.com:acme/shop.git
	refused 75 other.example.com
	# the job's token neither
	unset GP_TOKEN
	export GITHUB_TOKEN=$HUB_GP
	ask find-pr '{"open":true}' git@ghe.example.com:acme/shop.git
	jq_is '.result.pull_requests | tojson' '[]'
	ask find-pr '{"open":true}' git@other.example.com:acme/shop.git
	refused 77 'no token' other.example.com
}

@test "a token is not sent over http, but for this machine" {
	GP_API_URL=http://api.example.com ask find-pr '{"open":true}'
	refused 78 GP_API_URL http://api.example.com https://
	GP_API_URL=http://127.0.0.1.example.com ask find-pr '{"open":true}'
	refused 78 GP_API_URL
	GP_API_URL=https://user:secret@127.0.0.1 ask find-pr '{"open":true}'
	refused 78 GP_API_URL
	lacks "$output" secret
	http_proxy=http://127.0.0.1:1 ALL_PROXY=http://127.0.0.1:1 ask find-pr '{"open":true}'
	jq_is .error null
}

# Tokens

@test "the token: from a variable, or a file's first line" {
	unset GP_TOKEN
	ask find-pr '{"open":true}'
	refused 77 'no token' GP_TOKEN_FILE
	printf '%s\r\nrest\n' "$HUB_GP" >token
	GP_TOKEN_FILE=token ask find-pr '{"open":true}'
	jq_is .error null
	GP_TOKEN_FILE=nowhere ask find-pr '{"open":true}'
	refused 78 GP_TOKEN_FILE nowhere
	GITHUB_TOKEN=$HUB_GP ask find-pr '{"open":true}'
	jq_is .error null
	GH_TOKEN=$HUB_GP ask find-pr '{"open":true}'
	jq_is .error null
}

@test "bad credentials are 77, and the token is not shown" {
	export GP_TOKEN=github_pat_nobody
	ask find-pr '{"open":true}'
	refused 77 'bad credentials'
	ask set-status "{\"commit\":\"$tip\",\"context\":\"c\",\"state\":\"success\"}"
	refused 77 'bad credentials'
	fault '{"match": "graphql", "times": 9, "what": "status", "status": 422, "body": {"message": "github_pat_nobody is bad"}}'
	ask find-pr '{"open":true}'
	refused 69 '*** is bad'
	export GP_TOKEN=$'two\nlines'
	ask find-pr '{"open":true}'
	refused 78 'the token'
	lacks "$output" two
}

@test "a missing permission is 77 and named" {
	branch a
	open a
	hub_test PUT tokens "{\"$HUB_GP\": {\"login\": \"gp-bot\", \"permissions\": {\"metadata\": \"read\",
		\"contents\": \"read\", \"pull_requests\": \"read\", \"statuses\": \"read\"}}}"
	ask set-status "{\"commit\":\"$head\",\"context\":\"gp/gate\",\"state\":\"success\"}"
	refused 77 'commit statuses: write'
	ask merge-pr "$(bound)"
	refused 77 'contents: write'
	ask open-pr '{"branch":"a","title":"t","description":"other"}'
	refused 77 'pull requests: write'
	ask set-auto-merge "$(auto true)"
	refused 77 'pull requests'
}

@test "a repository that is not there is 69" {
	ask find-pr '{"open":true}' https://github.com/acme/nothing
	refused 69 "no repository 'acme/nothing'" 'may not see it'
	ask find-pr '{"number":1}' https://github.com/acme/nothing
	refused 69 "no repository 'acme/nothing'"
}

# Trouble

@test "what may pass is tried again: reading" {
	local what

	for what in '"what": "reset"' '"what": "close"' '"what": "status", "status": 502, "body": "<html>"' \
		'"what": "status", "status": 503' \
		'"what": "status", "status": 200, "body": {"errors": [{"message": "Something went wrong while executing your query."}]}'; do
		fault "{\"match\": \"graphql\", \"times\": 2, $what}"
		ask find-pr '{"open":true}'
		jq_is '.result.pull_requests | tojson' '[]'
	done
	fault '{"match": "graphql", "times": 1, "what": "hang"}'
	GP_TIMEOUT=1 ask find-pr '{"open":true}'
	jq_is '.result.pull_requests | tojson' '[]'
}

@test "what does not pass within the budget is 75" {
	fault '{"match": "graphql", "times": 99, "what": "status", "status": 502}'
	GP_RETRY_BUDGET=0 ask find-pr '{"open":true}'
	refused 75 '502'
	fault '{"match": "graphql", "times": 99, "what": "reset"}'
	GP_RETRY_BUDGET=1 ask find-pr '{"open":true}'
	refused 75 127.0.0.1
	fault '{"match": "graphql", "times": 99, "what": "hang"}'
	GP_RETRY_BUDGET=0 GP_TIMEOUT=1 ask find-pr '{"open":true}'
	refused 75 127.0.0.1
	GP_RETRY_BUDGET=1 GP_API_URL=http://127.0.0.1:1 ask find-pr '{"open":true}'
	refused 75 127.0.0.1
}

@test "a pull request is opened once, whatever gets lost" {
	local after what posts n=0

	for after in false true; do
		for what in '"what": "reset"' '"what": "status", "status": 502'; do
			git -C "$SEED" fetch --quiet
			branch "b$((n += 1))"
			fault "{\"match\": \"POST .*/pulls \", \"after\": $after, $what}"
			forget
			open "b$n"
			jq_is .result.created true
			posts=2
			[ "$after" = false ] || posts=1
			same "posts, $after" "$posts" "$(requests '.method == "POST" and (.path | endswith("/pulls"))')"
			ask find-pr "{\"branch\":\"b$n\"}"
			jq_is '.result.pull_requests | length' 1
		done
	done
}

@test "a merge whose reply gets lost is a merge" {
	branch a
	open a
	ask set-status "{\"commit\":\"$head\",\"context\":\"gp/gate\",\"state\":\"success\"}"
	fault '{"match": "PUT .*/merge", "after": true, "what": "reset"}'
	ask merge-pr "$(bound)"
	jq_is '.result.pull_request.state' merged
	jq_is '.result.pull_request.merge_commit' "$(git -C "$SEED" ls-remote origin refs/heads/main | cut -f 1)"
}

@test "a base that moves under the merge: once more" {
	branch a
	open a
	ask set-status "{\"commit\":\"$head\",\"context\":\"gp/gate\",\"state\":\"success\"}"
	fault '{"match": "PUT .*/merge", "times": 2, "what": "status", "status": 405, "body":
		{"message": "Base branch was modified. Review and try the merge again."}}'
	ask merge-pr "$(bound)"
	jq_is '.result.pull_request.state' merged
}

@test "several required checks that are not green are named" {
	hub_test PUT protection/acme/shop/main '{"contexts": ["gp/gate", "ci/build", "ci/lint"], "ruleset": true}'
	branch a
	open a
	ask set-status "{\"commit\":\"$head\",\"context\":\"gp/gate\",\"state\":\"success\"}"
	ask set-status "{\"commit\":\"$head\",\"context\":\"ci/lint\",\"state\":\"pending\"}"
	ask merge-pr "$(bound)"
	refused 69 "#$number" required "'ci/build' is missing, 'ci/lint' is pending"
	lacks "$output" gp/gate
}

@test "rate limits are waited for, or 75 with the time" {
	local limit

	fault '{"match": "graphql", "what": "status", "status": 429, "headers": {"Retry-After": "1"}, "body": {"message": "Slow down."}}'
	ask find-pr '{"open":true}'
	jq_is .error null
	for limit in '"status": 403, "headers": {"Retry-After": "1000"}, "body": {"message": "You have exceeded a secondary rate limit."}' \
		"\"status\": 403, \"headers\": {\"X-RateLimit-Remaining\": \"0\", \"X-RateLimit-Reset\": \"$(($(date +%s) + 1000))\"}, \"body\": {\"message\": \"API rate limit exceeded.\"}" \
		"\"status\": 200, \"headers\": {\"X-RateLimit-Remaining\": \"0\", \"X-RateLimit-Reset\": \"$(($(date +%s) + 1000))\"}, \"body\": {\"errors\": [{\"type\": \"RATE_LIMITED\", \"message\": \"API rate limit exceeded.\"}]}"; do
		fault "{\"match\": \"graphql\", \"what\": \"status\", $limit}"
		ask find-pr '{"open":true}'
		refused 75 'rate limited by' 'rate limit' 'try again in '
		[[ $output =~ in\ (99|100)[0-9]\ s ]] || fail "$output"
	done
	fault '{"match": "POST .*/statuses", "what": "status", "status": 403, "headers": {"Retry-After": "1"}, "body": {"message": "secondary rate limit"}}'
	ask set-status "{\"commit\":\"$tip\",\"context\":\"c\",\"state\":\"success\"}"
	jq_is .result.status.state success
}

@test "a reply that makes no sense is 76" {
	local body

	for body in '"<html>"' '[]' '{"data": null}' '{"data": {"repository": {"pullRequests": {"nodes": [{"number": "5"}]}}}}' \
		'{"data": {"repository": {"pullRequests": {}}}}' '{"data": {"repository": {"pullRequests": {"nodes": [7]}}}}'; do
		fault "{\"match\": \"graphql\", \"what\": \"status\", \"status\": 200, \"body\": $body}"
		ask find-pr '{"open":true}'
		refused 76 'invalid response from'
	done
	fault '{"match": "POST .*/statuses", "what": "status", "status": 201, "body": {"state": "success"}}'
	ask set-status "{\"commit\":\"$tip\",\"context\":\"c\",\"state\":\"success\"}"
	refused 76 'invalid response from'
}

@test "redirects are not followed" {
	fault "{\"match\": \"POST .*/statuses\", \"what\": \"status\", \"status\": 307, \"headers\": {\"Location\": \"$HUB_URL/elsewhere\"}}"
	forget
	ask set-status "{\"commit\":\"$tip\",\"context\":\"c\",\"state\":\"success\"}"
	refused 69 'has moved' acme/shop
	same requests 1 "$(requests)"
}

@test "a next page at another address is not asked for" {
	ask set-status "{\"commit\":\"$tip\",\"context\":\"c\",\"state\":\"success\"}"
	fault '{"match": "GET .*/statuses", "what": "status", "status": 200, "body": [],
		"headers": {"Link": "<https://evil.example.com/repos?page=2>; rel=\"next\""}}'
	ask list-statuses "{\"commits\":[\"$tip\"],\"all\":true}"
	refused 76 'another address'
}

# Requests

@test "auto-merge with the pull request's id is one request, and is checked" {
	branch a
	open a
	forget
	ask set-auto-merge "$(auto true "$pull_id")"
	jq_is .result.pull_request.auto_merge true
	ask set-auto-merge "$(auto false "$pull_id")"
	jq_is .result.pull_request.auto_merge false
	same requests 2 "$(requests)"
	number=77
	ask set-auto-merge "$(auto true "$pull_id")"
	refused 65 pull_id
}

@test "auto-merge that the settings do not allow: 69, and where to allow it" {
	branch a
	open a
	hub_test PATCH repositories/acme/shop '{"allow_auto_merge": false}'
	ask set-auto-merge "$(auto true)"
	refused 69 'not allowed' 'Allow auto-merge' 'Settings > General > Pull Requests'
	ask get-repository
	jq_is .result.auto_merge_allowed false
}

@test "a hundred commits' statuses are one request" {
	forget
	ask list-statuses "$(jq -cn --arg c "$tip" '{commits: [$c, (range(99) | tostring | "0" * (40 - length) + .)]}')"
	jq_is '.result.statuses | length' 100
	same requests 1 "$(requests)"
}

@test "all: every page of what was ever posted, newest first, in as many requests as there are commits with any" {
	local n

	jq -cn --arg c "$tip" --arg u "$FORGE_URL" 'range(105) | {id: ., op: "set-status", repository: {url: $u, base: "main"},
		commit: $c, context: "ci/\(. % 3)", state: "success", description: "\(.)"}' >posts
	expect 0 gp-forge-github <posts
	same errors 0 "$(jq -s 'map(select(.error)) | length' <<<"$output")"
	ask list-statuses "{\"commits\":[\"$tip\"]}"
	jq_is ".result.statuses[\"$tip\"] | length" 3
	forget
	ask list-statuses "{\"all\":true,\"commits\":[\"$tip\",\"0123456789012345678901234567890123456789\"]}"
	jq_is ".result.statuses[\"$tip\"] | map(.description) | tojson" "$(jq -cn '[range(105) | 104 - . | tostring]')"
	same requests 3 "$(requests)"
}

@test "who polls asks conditionally" {
	ask set-status "{\"commit\":\"$tip\",\"context\":\"c\",\"state\":\"pending\"}"
	forget
	for _ in 1 2 3 4; do
		jq -cn --arg c "$tip" --arg u "$FORGE_URL" '{op: "list-statuses", repository: {url: $u}, commits: [$c]}'
	done >polls
	expect 0 gp-forge-github <polls
	same states '["pending","pending","pending","pending"]' "$(jq -cs "map(.result.statuses[\"$tip\"][0].state)" <<<"$output")"
	# GraphQL; statuses and check-runs, which this token may not see; statuses alone
	same requests 5 "$(requests)"
	same 'that cost nothing' 2 "$(requests '.status == 304')"
}

@test "a status with the pull request's id is one request, without it two" {
	branch a
	open a
	forget
	ask set-status "{\"commit\":\"$head\",\"number\":$number,\"pull_id\":\"$pull_id\",\"context\":\"gp/gate\",\"state\":\"pending\"}"
	jq_is .result.status.state pending
	same requests 1 "$(requests)"
	ask set-status "{\"commit\":\"$head\",\"number\":$number,\"context\":\"gp/gate\",\"state\":\"success\"}"
	jq_is .result.status.state success
	same requests 3 "$(requests)"
}

@test "gp-new asks three times, gp-status three times, gp-promote five times" {
	rm -rf "$T/github" "$SEED"
	hub_gitops --envs 'dev:true qa:true prod:false' --apps apps/web
	forget
	sh_pipe 0 'gp-new --group apps --app web --tag v1'
	same gp-new 3 "$(requests)"
	forget
	sh_pipe 0 'gp-status --number 1'
	same gp-status 3 "$(requests)"
	git fetch --quiet
	git checkout --quiet --detach origin/main
	forget
	sh_pipe 0 'gp-promote'
	same gp-promote 5 "$(requests)"
}

@test "labels, reviewers and draft: given to a new one, added where missing, never taken away" {
	rm -rf "$T/github" "$SEED"
	hub_gitops --apps apps/web --envs 'dev:false qa:false' --config \
		'pull_request: {labels: [promotion, gp], reviewers: [emilia, acme/platform, nobody], draft: true}'
	sh_pipe 0 'gp-new --group apps --app web --tag v1'
	has "$stderr" "warning: cannot ask 'nobody' to review #1" 'not a collaborator'
	same created 'promotion,gp emilia platform true' "$(details 1)"
	# Emilia gives her review, adds a label and takes one away: that one comes back, and she is asked no more.
	hub_api "$HUB_EMILIA" POST pulls/1/reviews '{"event": "COMMENT"}' >/dev/null
	hub_api "$HUB_EMILIA" POST issues/1/labels '{"labels": ["urgent"]}' >/dev/null
	hub_test PATCH "pulls/$HUB_SHOP/1" '{"labels": ["urgent", "GP"]}'
	sh_pipe 0 'gp-new --group apps --app web --tag v1'
	same 'added where missing' 'urgent,GP,promotion  platform true' "$(details 1)"
	forget
	sh_pipe 0 'gp-new --group apps --app web --tag v1'
	has "$stderr" 'up to date'
}

# details N: labels, people who are asked to review, teams, draft.
details() {
	hub_api "$HUB_EMILIA" GET "pulls/$1" | command jq -r '[([.labels[].name] | join(",")),
		([.requested_reviewers[].login] | join(",")), ([.requested_teams[].slug] | join(",")), .draft | tostring] | join(" ")'
}

@test "a description is cut to what GitHub takes, between characters" {
	ask set-status "$(jq -cn --arg c "$tip" '{commit: $c, context: "c", state: "success", description: ("ü" * 141)}')"
	jq_is .result.status.description "$(jq -rn '"ü" * 137 + "..."')"
	ask set-status "$(jq -cn --arg c "$tip" '{commit: $c, context: "c", state: "success", description: ("ü" * 140)}')"
	jq_is .result.status.description "$(jq -rn '"ü" * 140')"
}

@test "merged_as: found although the index lags, in one request, and asked for again where nothing knows yet" {
	local commit

	branch a
	open a
	ask set-status "{\"commit\":\"$head\",\"context\":\"gp/gate\",\"state\":\"success\"}"
	hub_test PUT settings '{"index_lag": 60}'
	ask merge-pr "$(bound)"
	commit=$(jq -r .result.pull_request.merge_commit <<<"$output")
	forget
	ask find-pr "{\"merged_as\":\"$commit\"}"
	jq_is '.result.pull_requests | map(.number) | tojson' "[$number]"
	same requests 1 "$(requests)"
	fault "{\"match\": \"associatedPullRequests\", \"times\": 2, \"what\": \"status\", \"status\": 200, \"body\": {\"data\":
		{\"repository\": {\"object\": {\"committedDate\": \"$(date -u +%Y-%m-%dT%H:%M:%SZ)\", \"associatedPullRequests\": {\"nodes\": []}},
		\"pullRequests\": {\"nodes\": []}}}}}"
	ask find-pr "{\"merged_as\":\"$commit\"}"
	jq_is '.result.pull_requests | map(.number) | tojson' "[$number]"
}

# TLS and proxies

# A CA, and a server with its certificate; GP_API_URL is the new server.
tls_forge() {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj '/CN=our own CA' \
		-addext basicConstraints=critical,CA:TRUE 2>/dev/null
	openssl req -newkey rsa:2048 -nodes -keyout host.key -out host.csr -subj /CN=127.0.0.1 2>/dev/null
	printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\n' >host.ext
	openssl x509 -req -in host.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile host.ext -out host.pem 2>/dev/null
	SSL_CERT_FILE=ca.pem hub_forge --tls host.pem host.key
	SSL_CERT_FILE=ca.pem hub_test POST repositories '{"owner": "acme", "name": "shop"}'
	export GP_API_URL=$HUB_URL
}

@test "TLS: a certificate of our own CA is trusted where SSL_CERT_FILE or GIT_SSL_CAINFO says so" {
	command -v openssl >/dev/null || skip 'no openssl'
	rm -rf "$T/github"
	tls_forge
	ask find-pr '{"open":true}'
	refused 78 'not trusted' SSL_CERT_FILE
	SSL_CERT_FILE=ca.pem ask find-pr '{"open":true}'
	jq_is '.result.pull_requests | tojson' '[]'
	GIT_SSL_CAINFO=ca.pem SSL_CERT_FILE=/nowhere ask find-pr '{"open":true}'
	jq_is '.result.pull_requests | tojson' '[]'
	SSL_CERT_FILE=/nowhere ask find-pr '{"open":true}'
	refused 78 /nowhere
}

# reach EXIT TEXT: git's own traffic with the forge, by a program that looks for a configuration that is not there.
reach() {
	expect "$1" gp-read-config -C clone --group apps --app web --tag v1
	has "$stderr" "$2"
}

@test "what holds for the API holds for git: certificates, token and proxy" {
	command -v openssl >/dev/null || skip 'no openssl'
	rm -rf "$T/github"
	tls_forge
	proxy
	git init --quiet clone
	git -C clone remote add origin "$HUB_URL/acme/shop.git"
	export GP_PROVIDER=github
	reach 71 certificate
	export SSL_CERT_FILE=$PWD/ca.pem
	reach 78 'no gitops-promotion.yaml'
	GP_TOKEN=wrong reach 77 'is the token right'
	lacks "$stderr" wrong
	: >proxied
	HTTPS_PROXY=$proxy reach 78 'no gitops-promotion.yaml'
	same proxied "CONNECT ${HUB_URL#https://}" "$(sort -u proxied)"
}

# proxy: a proxy for CONNECT; $proxy is its address, and each target is a line in proxied.
proxy() {
	IFS= read -r -t 30 proxy < <(exec python3 - "$$" 3>&- 2>"$T/proxy.err" <<-'END'
		import os, socket, sys, threading, time

		def pump(a, b):
		    try:
		        while data := a.recv(65536):
		            b.sendall(data)
		        b.shutdown(socket.SHUT_WR)
		    except OSError:
		        pass

		def serve(client):
		    head = b""
		    while b"\r\n\r\n" not in head:
		        head += client.recv(65536)
		    target = head.split()[1].decode()
		    with open("proxied", "a") as f:
		        f.write(head.split()[0].decode() + " " + target + "\n")
		    host, port = target.rsplit(":", 1)
		    server = socket.create_connection((host, int(port)))
		    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
		    threading.Thread(target=pump, args=(server, client), daemon=True).start()
		    pump(client, server)

		def watch(parent):
		    while os.path.exists(f"/proc/{parent}") or os.getppid() > 1:
		        time.sleep(1)
		        try:
		            os.kill(parent, 0)
		        except OSError:
		            break
		    os._exit(0)

		listener = socket.create_server(("127.0.0.1", 0))
		threading.Thread(target=watch, args=(int(sys.argv[1]),), daemon=True).start()
		print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
		os.close(1)
		while True:
		    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
	END
	)
	[ -n "$proxy" ] || fail "no proxy: $(cat "$T/proxy.err")"
}

@test "a proxy is used when HTTPS_PROXY says so, and not for what NO_PROXY names" {
	command -v openssl >/dev/null || skip 'no openssl'
	rm -rf "$T/github"
	tls_forge
	proxy
	export SSL_CERT_FILE=ca.pem HTTPS_PROXY=$proxy
	ask find-pr '{"open":true}'
	jq_is '.result.pull_requests | tojson' '[]'
	same proxied "CONNECT ${HUB_URL#https://}" "$(cat proxied)"
	NO_PROXY=127.0.0.1 ask find-pr '{"open":true}'
	jq_is .error null
	same 'proxied still' 1 "$(grep -c '' proxied)"
	HTTPS_PROXY=http://127.0.0.1:1 GP_RETRY_BUDGET=0 ask find-pr '{"open":true}'
	refused 75 127.0.0.1
}

@test "commit_via: api: GitHub makes the commit, byte for byte the same, and no branch of it is left" {
	rm -rf "$T/github" "$SEED"
	local ours

	hub_gitops --apps apps/web --envs 'dev:true qa:true' --config 'commit_via: api'
	ours=$(start apps/web v1 | gp-set-tag | jq -r .change.commit)
	sh_pipe 0 'gp-new --group apps --app web --tag v1'
	same 'who made it' gp-bot "$(git -C "$HUB_REMOTE" log -1 --format=%an promote/apps-web)"
	same tree "$(git rev-parse "$ours^{tree}")" "$(git -C "$HUB_REMOTE" rev-parse 'promote/apps-web^{tree}')"
	same parent "$(remote_tip)" "$(git -C "$HUB_REMOTE" rev-parse promote/apps-web^)"
	has "$(git -C "$HUB_REMOTE" log -1 --format=%B promote/apps-web)" 'Promote apps/web version v1' Gp-Promotion:
	same branches 'main promote/apps-web' "$(git -C "$HUB_REMOTE" for-each-ref --format='%(refname:strip=2)' refs/heads | paste -sd ' ')"
	sh_pipe 0 'gp-status --number 1'
	has "$stderr" 'gate of #1 is open'
	# A job that was killed in between has left one.
	git -C "$HUB_REMOTE" branch --quiet gp-commit/promote/apps-web main
	sh_pipe 0 'gp-new --group apps --app web --tag v2'
	lacks "$(git -C "$HUB_REMOTE" for-each-ref)" gp-commit
}
