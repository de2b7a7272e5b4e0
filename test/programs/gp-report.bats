#!/usr/bin/env bats
# gp-report: documents go through it, and a CI job's page shows them. What is in them stays text there.

setup() {
	load ../lib/helper
	gp_setup
	opened='{"promotion":{"group":"apps","app":"web","tag":"v2","env":"qa"},"change":{"branch":"promote/apps-web","commit":"0a1b2c","files":[{"from":"ghcr.io/acme/web:v1","to":"ghcr.io/acme/web:v2"}]},"pull_request":{"number":7,"url":"https://github.com/acme/shop/pull/7","created":true,"auto_merge":true}}'
}

# report EXIT <DOCUMENTS: in a job of GitHub Actions; the summary goes to $summary.
report() {
	rm -f "$T/summary" "$T/output"
	GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY="$T/summary" GITHUB_OUTPUT="$T/output" expect "$1" gp-report
	slurp summary "$T/summary"
}

# azure EXIT <DOCUMENTS: in a job of Azure Pipelines; what its agent makes of standard error is the JSON in $done.
azure() {
	mkdir -p "$T/temporary"
	TF_BUILD=True AGENT_TEMPDIRECTORY="$T/temporary" expect "$1" gp-report
	need_python
	done=$("$python" "$test_root/test/flows/pipelines.py" agent <<<"$stderr")
}

# made FILTER WANTED
made() {
	same "$1" "$2" "$(jq -r "$1" <<<"$done")"
}

need_python() {
	python=python3
	"$python" -c 'import yaml' 2>/dev/null || python=/usr/bin/python3
	"$python" -c 'import yaml' 2>/dev/null || skip 'no python3 with PyYAML here'
}

# row N: a row of the summary's table.
row() {
	sed -n "$((3 + $1))p" "$T/summary"
}

# output_of NAME: as the runner reads the file: NAME=VALUE up to the line's end, where no "<<" comes before the "=".
output_of() {
	awk -v name="$1" '
		{
			equals = index($0, "="); heredoc = index($0, "<<")
			if (!equals || (heredoc && heredoc < equals)) { print "not NAME=VALUE: " $0; exit }
			if (substr($0, 1, equals - 1) == name) value = substr($0, equals + 1)
		}
		END { print value }' "$T/output"
}

@test "outside of CI documents pass, and that is all" {
	local documents=$opened$'\n''{"n":12345678901234567890123,"skip":{"program":"p","reason":"r"}}'

	GITHUB_STEP_SUMMARY="$T/summary" GITHUB_OUTPUT="$T/output" expect 0 gp-report <<<"$documents"
	same documents "$documents" "$output"
	same stderr '' "$stderr"
	[ ! -e "$T/summary" ] && [ ! -e "$T/output" ] || fail 'it wrote something'
	TF_BUILD=True expect 0 gp-report <<<"$documents"
	same 'documents in Azure Pipelines' "$documents" "$output"
}

@test "in CI documents pass unchanged too" {
	local documents=$opened$'\n''{"zeta":1,"error":{"program":"p","exit":75,"message":"m"},"alpha":[{}]}'

	report 75 <<<"$documents"
	same documents "$documents" "$output"
	same stderr '' "$stderr"
}

@test "the exit status is that of the first document with an error" {
	local skip='{"skip":{"program":"p","reason":"r"}}'

	report 0 <<<"$skip"
	report 1 <<<"$skip"$'\n''{"error":{"program":"p","exit":1,"message":"m"}}'$'\n''{"error":{"program":"p","exit":69,"message":"m"}}'
	report 65 <<<'{"error":{}}'
	report 77 <<<'{"error":{"exit":77},"skip":{}}'
}

@test "no document at all is 65, and in the summary" {
	report 65 </dev/null
	has "$stderr" 'gp-report: no document on standard input'
	has "$(row 1)" '**error**: `no document on standard input'
	jq_is .error.exit 65
}

@test "a promotion: app, versions, environment, link, what happened" {
	report 0 <<<"$opened"
	same row "| \`apps/web\` | \`v1\` → \`v2\` | \`qa\` | [#7](https://github.com/acme/shop/pull/7) | opened, merges by itself |" \
		"$(row 1)"
	same branch promote/apps-web "$(output_of branch)"
	same commit 0a1b2c "$(output_of commit)"
	same number 7 "$(output_of number)"
	same url https://github.com/acme/shop/pull/7 "$(output_of url)"
	same skipped false "$(output_of skipped)"
	same reason '' "$(output_of reason)"
}

# happened WORDS EDIT: what the last column says of $opened after an edit.
happened() {
	local want=$1 last

	jq -c "$2" <<<"$opened" >"$T/document"
	report "${3:-0}" <"$T/document"
	last=$(row 1)
	last=${last% |}
	same "$2" "$want" "${last##*| }"
}

@test "what happened, in words" {
	happened 'opened, waits for a person' '.pull_request.auto_merge = false'
	happened 'updated, merges by itself' '.pull_request |= (.created = false | .updated = true)'
	happened 'stands as it was' '.pull_request.created = false'
	happened merged '.pull_request.merged = true'
	happened 'nothing done' 'del(.pull_request)'
	happened 'dry run: nothing was written' 'del(.pull_request) | .dry_run = true'
	happened 'skipped: `web is at v2 already`' '.skip = {program: "p", reason: "web is at v2 already"}'
	happened '**error**: `it broke`' '.error = {program: "gp-open-pr", exit: 69, message: "it broke"}' 69
	happened 'gate open: `fine`' '.status = {state: "success", reason: "fine"}'
	happened 'dry run: gate open: `fine`' '.dry_run = true | .status = {state: "success", reason: "fine"}'
	happened 'gate closed: `broken`' \
		'.status = {state: "failure", reason: "broken"} | .error = {program: "gp-check-status", exit: 1, message: "m"}' 1
	same reason broken "$(output_of reason)"
	happened 'gate pending: `no word yet`' \
		'.status = {state: "pending", reason: "no word yet"} | .error = {program: "gp-check-status", exit: 75, message: "m"}' 75
	happened '**error**: `lost`' \
		'.status = {state: "success", reason: "fine"} | .error = {program: "gp-set-status", exit: 75, message: "lost"}' 75
	same reason lost "$(output_of reason)"
}

@test "versions: where the scalars did not agree, or are no images" {
	happened 'opened, merges by itself' '.change.files += [{from: "ghcr.io/acme/web:v0", to: "ghcr.io/acme/web:v2"}]'
	has "$(row 1)" '| `apps/web` | `v2` | `qa` |'
	happened 'opened, merges by itself' '.change.files = [{from: "v1", to: "v2"}, {from: "localhost:5000/web:v1", to: "x"}]'
	has "$(row 1)" '| `v1` → `v2` |'
	happened 'opened, merges by itself' '.change.files = [{from: "web@sha256:'"$(printf 'a%.0s' {1..64})"'", to: "x"}]'
	has "$(row 1)" '| `sha256:aaaa'
	happened 'opened, merges by itself' '.change.files = "odd"'
	has "$(row 1)" '| `v2` |'
	happened 'opened, merges by itself' '.promotion = 7 | .change.files = [7]'
	has "$(row 1)" '|  |  |  | [#7]'
}

@test "several documents are several rows, and the outputs are the last one's" {
	report 0 <<<"$opened"$'\n'"$(jq -c '.promotion.app = "api" | .pull_request.number = 8' <<<"$opened")"
	has "$(row 1)" apps/web
	has "$(row 2)" apps/api
	same number 8 "$(output_of number)"
	same lines 6 "$(grep -c '' "$T/output")"
}

@test "two commands of one step: two tables, and the later outputs count" {
	report 0 <<<"$opened"
	jq -c '.pull_request.number = 8' <<<"$opened" |
		GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY="$T/summary" GITHUB_OUTPUT="$T/output" gp-report >/dev/null
	same tables 2 "$(grep -c '^| app ' "$T/summary")"
	same 'blank line before a table' '' "$(sed -n 5p "$T/summary")"
	same number 8 "$(output_of number)"
}

@test "a refresh over thousands stays under what a summary may have" {
	local i

	for ((i = 0; i < 5000; i++)); do
		printf '%s\n' "$opened"
	done >"$T/documents"
	report 0 <"$T/documents"
	same passed 5000 "$(grep -c '' <<<"$output")"
	[ "$(wc -c <"$T/summary")" -lt 524288 ] || fail "$(wc -c <"$T/summary")"
	same 'rows and the rest' 5000 "$(($(grep -c '^| `apps/web`' "$T/summary") + $(sed -n 's/^\([0-9]*\) more are not shown\.$/\1/p' "$T/summary")))"
}

@test "a summary that cannot be written is a warning" {
	GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY="$T/nowhere/summary" GITHUB_OUTPUT="$T" expect 0 gp-report <<<"$opened"
	same document "$opened" "$output"
	has "$stderr" "gp-report: warning: cannot write '$T/nowhere/summary'" "cannot write '$T'"
}

# What comes from outside

@test "no text begins a cell, a row, HTML, a link, or ends its code" {
	local evil line

	for evil in 'a|b' 'a\|b' 'a\' '\`' '`' '``' 'a`b``c```d' '<img src=x onerror=alert(1)>' '[x](javascript:alert(1))' \
		'![x](http://evil.example/)' '@everyone' '&lt;b&gt;' '<!--' '**b**' $'line\n| next | row |' $'a\r\nb' \
		'$\color{red}{x}$' '-->' '`|`' ' ` '; do
		jq -c --arg evil "$evil" '.promotion |= with_entries(.value = $evil) | .change.files[0].from = $evil |
			.skip = {program: $evil, reason: $evil} | .pull_request.url = $evil | .pull_request.title = $evil' \
			<<<"$opened" >"$T/document"
		report 0 <"$T/document"
		same "lines for $evil" 3 "$(sed 1d "$T/summary" | grep -c '')"
		line=$(row 1)
		same "cells for $evil" 6 "$(tr -cd '|' <<<"$line" | wc -c)"
		# What is left when all code spans are gone, each from a row of backticks to the next of the same length.
		line=$(python3 -c '
import re, sys
print(re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "C", sys.argv[1]))' "$line")
		same "around $evil" '| C | C → C | C | C | skipped: C |' "$line"
	done
}

@test "a link is a web page's, and nothing in it ends it" {
	happened 'opened, merges by itself' '.pull_request.url = "https://github.com/a)b <c>|d`e\"f\\g[h](i)\nj"'
	has "$(row 1)" '| [#7](https://github.com/a%29b%20%3Cc%3E%7Cd%60e%22f%5Cg%5Bh%5D%28i%29%0Aj) |'
	happened 'opened, merges by itself' '.pull_request.url = "javascript:alert(1)"'
	has "$(row 1)" '| `#7` |'
	happened 'opened, merges by itself' '.pull_request.url = "/srv/shop.git"'
	has "$(row 1)" '| `#7` |'
}

@test "no value sets a second output" {
	local evil

	for evil in $'x\nnumber=9' $'x\r\nnumber=9' $'x\rnumber=9' $'x\u2028number=9' $'x\u0085number=9' 'x<<EOF' '<<EOF' '=' 'a=b'; do
		jq -c --arg evil "$evil" '.change.branch = $evil | .change.commit = $evil | .pull_request.url = $evil |
			.skip = {program: "p", reason: $evil}' <<<"$opened" >"$T/document"
		report 0 <"$T/document"
		same "lines for $evil" 6 "$(python3 -c 'import sys; print(len(open(sys.argv[1], newline="").read().splitlines()))' "$T/output")"
		same number 7 "$(output_of number)"
		same skipped true "$(output_of skipped)"
	done
	same branch 'a=b' "$(output_of branch)"
}

@test "long texts are cut" {
	jq -c '.error = {exit: 69, message: ("x" * 100000)} | .promotion.app = ("y" * 100000)' <<<"$opened" >"$T/document"
	report 69 <"$T/document"
	[ "$(wc -c <"$T/summary")" -lt 8192 ] || fail "$(wc -c <"$T/summary")"
	has "$(output_of reason)" 'xxx...'
}

# Azure Pipelines

@test "in Azure Pipelines: the table is uploaded, the outputs are set, documents pass unchanged" {
	report 0 <<<"$opened"
	azure 0 <<<"$opened"
	same documents "$opened" "$output"
	made .summaries[0] "$summary"
	made '.outputs | to_entries | map("\(.key)=\(.value)") | join("\n")' "$(cat "$T/output")"
	made .commands 7
	same files 1 "$(find "$T/temporary" -type f | wc -l)"
}

@test "in Azure Pipelines: two commands of one step are two tables" {
	azure 0 <<<"$opened"
	azure 0 <<<"$opened"
	same files 2 "$(find "$T/temporary" -type f | wc -l)"
}

@test "in Azure Pipelines: without a directory no summary, and one that cannot be written is a warning" {
	TF_BUILD=True expect 0 gp-report <<<"$opened"
	lacks "$stderr" uploadsummary
	has "$stderr" 'variable=number]7'
	TF_BUILD=True AGENT_TEMPDIRECTORY="$T/nowhere" expect 0 gp-report <<<"$opened"
	has "$stderr" "gp-report: warning: cannot write '$T/nowhere/gp-"
	lacks "$stderr" uploadsummary
}

@test "in Azure Pipelines: no value is a command, and the agent reads each as it is" {
	local evil

	for evil in 'a;b]c' '50% of %3B %0A %AZP25 %25' ']##' '"' $'tab\there' 'ä→' '%0D%0A' 'x;isSecret=true]y' '##[error]x'; do
		jq -c --arg evil "$evil" '.change.branch = $evil | .skip = {program: "p", reason: $evil}' <<<"$opened" >"$T/document"
		azure 0 <"$T/document"
		made .commands 7
		made .outputs.branch "${evil//$'\t'/ }"
		made .outputs.reason "${evil//$'\t'/ }"
		made .outputs.skipped true
	done
	# One that would be a command where somebody prints the variable.
	jq -c '.skip = {program: "p", reason: "##vso[task.setvariable variable=x]y"}' <<<"$opened" >"$T/document"
	azure 0 <"$T/document"
	made .outputs.reason '?#vso[task.setvariable variable=x]y'
	azure 69 <<<'{"error":{"program":"p","exit":69,"message":"##vso[task.complete result=Failed;]"}}'
	lacks "$output" '##vso'
}
