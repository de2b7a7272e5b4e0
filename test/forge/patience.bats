#!/usr/bin/env bats
# How long a forge is waited for: as long as it gets on.

setup() {
	load ../lib/helper
	gp_setup
}

# forge_of NAME: a forge with three open pull requests, for each of which a list does not say all; its driver is gp-forge-NAME.
forge_of() {
	local number

	load "../fakes/$1/hands"
	forge_remote
	for number in 1 2 3; do
		git clone --quiet "$FORGE_URL" "$T/seed$number"
		git -C "$T/seed$number" commit --quiet --allow-empty -m "change $number"
		git -C "$T/seed$number" push --quiet origin "HEAD:refs/heads/b$number"
		"gp-forge-$1" <<<"$(jq -cn --arg b "b$number" --arg u "$FORGE_URL" '{op: "open-pr", branch: $b, title: $b,
			description: ("x" * 500), repository: {url: $u, base: "main"}}')" | jq -e .result >/dev/null
	done
}

@test "an operation takes as long as it gets answers: each request has the time of its own" {
	forge_of azdo
	# All of them take longer than one may; gp hears of it.
	hub_test PUT faults '[{"match": "GET ", "times": 9, "what": "late", "seconds": 2}]'
	GP_TIMEOUT=6 GP_RETRY_BUDGET=0 expect 0 gp-forge-azdo <<<"{\"op\":\"find-pr\",\"open\":true,\"repository\":{\"url\":\"$FORGE_URL\"}}"
	same numbers '[1,2,3]' "$(jq -c '.result.pull_requests | map(.number)' <<<"$output")"
	[ "$(grep -c '^$' <<<"$output")" -ge 2 ] || fail "$output"
	[ -n "$(tail -n 1 <<<"$output")" ]
	# What does not get on ends as ever.
	hub_test PUT faults '[{"match": "GET .*/pullrequests/2", "what": "hang"}]'
	GP_TIMEOUT=1 GP_RETRY_BUDGET=0 expect 0 gp-forge-azdo <<<"{\"op\":\"find-pr\",\"open\":true,\"repository\":{\"url\":\"$FORGE_URL\"}}"
	jq_is .error.exit 75
}

@test "each request has a budget of its own, and one that fails late is tried again" {
	forge_of github
	hub_test POST "pulls/$HUB_SHOP" '{"count": 250}'
	hub_test PUT faults '[{"match": "graphql", "nth": 3, "what": "status", "status": 502},
		{"match": "graphql", "times": 9, "what": "late", "seconds": 2}]'
	GP_TIMEOUT=5 GP_RETRY_BUDGET=2 expect 0 gp-forge-github <<<"{\"op\":\"find-pr\",\"open\":true,\"repository\":{\"url\":\"$FORGE_URL\"}}"
	same count 253 "$(jq '.result.pull_requests | length' <<<"$output")"
}

@test "gp waits for a driver that says that it is at work, and not for ever" {
	expect 0 patience-driver 0 99
	has "$output" 'a reply after 99 s'
	expect 75 patience-driver 0 101
	has "$output" 'gp-forge-slow: no answer within 100 s'
	expect 0 patience-driver 20 90
	has "$output" 'a reply after 1890 s'
	expect 75 patience-driver 1 101
	expect 75 patience-driver -1 2
	has "$output" 'gp-forge-slow: still at work after 3600 s after 3600 s'
}

@test "empty lines before a reply, of a driver in a shell" {

	make_gitops
	mkdir bin
	cat >bin/gp-forge-wordy <<-'SH'
		#!/bin/sh
		while IFS= read -r request; do
			printf '\n\n'
			printf '%s' "$request" | gp-forge-local
		done
	SH
	chmod +x bin/gp-forge-wordy
	PATH=$PWD/bin:$PATH expect 0 gp-find-pr --open --all --provider wordy
	jq_is .skip.reason 'no pull request is open'
}

@test "a driver whose reader has gone stops working" {
	forge_of azdo
	hub_test PUT faults '[{"match": "GET ", "times": 99, "what": "late", "seconds": 2.5}]'
	# It cannot write that it is at work, and asks for none of the pull requests any more.
	echo "{\"op\":\"find-pr\",\"open\":true,\"repository\":{\"url\":\"$FORGE_URL\"}}" >request
	sh_pipe 71 '{ GP_VERBOSE=0 gp-forge-azdo <request; echo $? >status; } | :; read -r status <status; exit "$status"'
	same looked-up 0 "$(jq -s 'map(select(.path | test("/pullrequests/[0-9]+$"))) | length' "$HUB_LOG")"
}
