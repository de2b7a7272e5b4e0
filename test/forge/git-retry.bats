#!/usr/bin/env bats
# What may pass between git and the server: repeated within GP_RETRY_BUDGET, as the server asks.

setup() {
	load ../lib/helper
	gp_setup
	load ../fakes/github/hands
	hub_gitops --apps apps/web --envs 'dev:true qa:true'
	export GP_RETRY_BUDGET=8
}

# trouble MATCH JSON…: what the server does to requests from here on.
trouble() {
	local match=$1 fault list=''

	shift
	for fault; do
		list+="${list:+, }{\"match\": $(json "$match"), $fault}"
	done
	hub_test PUT faults "[$list]"
}

@test "one 500, 503, 429 or reset of each of git's requests: the flow succeeds" {
	local n=0 fault match

	for match in 'GET .*info/refs.*' 'POST .*git-receive-pack'; do
		for fault in '"what": "status", "status": 500' '"what": "status", "status": 503' \
			'"what": "status", "status": 429, "headers": {"Retry-After": "1"}' '"what": "reset"'; do
			trouble "$match" "$fault"
			expect 0 gp-new --group apps --app web --tag "v$((n += 1))"
			same "$match $fault" "Promote apps/web version v$n to environment dev" "$(pr 1 .title)"
		done
	done
}

@test "a fetch too" {
	git clone --quiet --depth 1 "$(git remote get-url origin)" "$T/shallow"
	commit_file README.md <<<more
	hub_settle
	cd "$T/shallow"
	trouble 'POST .*git-upload-pack' '"what": "status", "status": 502, "nth": 2' '"what": "reset", "nth": 4'
	expect 0 gp-new --group apps --app web --tag v1
}

@test "a push whose reply is lost has landed: it is looked at, not repeated" {
	trouble 'POST .*git-receive-pack' '"what": "reset", "after": true'
	expect 0 gp-new --group apps --app web --tag v1
	same open 1 "$(prs)"
	trouble 'POST .*git-receive-pack' '"what": "status", "status": 504, "after": true'
	expect 0 gp-new --group apps --app web --tag v2
	same title 'Promote apps/web version v2 to environment dev' "$(pr 1 .title)"
}

@test "Retry-After is waited for, and one beyond the budget is not" {
	local began

	trouble 'GET .*info/refs' '"what": "status", "status": 503, "headers": {"Retry-After": "3"}'
	began=$SECONDS
	expect 0 gp-new --group apps --app web --tag v1
	[ $((SECONDS - began)) -ge 2 ]
	trouble 'GET .*info/refs' '"what": "status", "status": 503, "headers": {"Retry-After": "3600"}'
	expect 75 gp-new --group apps --app web --tag v2
	one_message gp-read-config 'returned error: 503'
}

@test "what does not pass ends with 75 when the budget is used up, in one line without a trace of the request" {
	export GP_RETRY_BUDGET=1 GP_VERBOSE=-1
	trouble 'GET .*info/refs' '"what": "status", "status": 503, "times": 99'
	expect 75 gp-new --group apps --app web --tag v1
	one_message gp-read-config 'returned error: 503'
	lacks "$stderr" header http.c
	trouble 'POST .*git-receive-pack' '"what": "status", "status": 503, "times": 99'
	expect 75 gp-new --group apps --app web --tag v1
	one_message gp-open-pr "cannot push branch 'promote/apps-web'" '503'
}

@test "a refusal is not repeated" {
	export GP_VERBOSE=-1
	trouble 'GET .*info/refs' '"what": "status", "status": 404'
	expect 71 gp-new --group apps --app web --tag v1
	has "$stderr" 'not found'
}
