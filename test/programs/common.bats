#!/usr/bin/env bats
# What holds for every program: options, streams, skip and error, strict JSON,
# errors in writing, the one line on stderr.

setup() {
	load ../lib/helper
	gp_setup
	programs=(gp-read-config gp-find-pr gp-find-missing gp-set-tag gp-open-pr gp-merge gp-check-status gp-set-status gp-report gp-forge-local)
	filters=(
		'gp-read-config'
		'gp-read-config --next'
		'gp-set-tag'
		'gp-set-tag --work-tree'
		'gp-open-pr'
		'gp-merge'
		'gp-merge --auto'
		'gp-check-status'
		'gp-check-status --wait=1s'
		'gp-set-status --gate'
		'gp-set-status --gate=post'
		'gp-set-status --state success'
		'gp-report'
	)
	skip='{"skip":{"program":"gp-elsewhere","reason":"nothing to do"}}'
}

# Options

@test "every program: -h and --help print the same usage on stdout and end well" {
	local program help

	for program in "${programs[@]}"; do
		expect 0 "$program" --help
		[[ "$output" == "usage: $program"* ]] || fail "$program --help: $output"
		same "$program: stderr" '' "$stderr"
		help=$output
		expect 0 "$program" -h
		same "$program -h" "$help" "$output"
	done
}

@test "every program: -V and --version print name and version" {
	local program version=''

	for program in "${programs[@]}"; do
		expect 0 "$program" -V
		[[ "$output" == "$program "[0-9]*.* ]] || fail "$program -V: $output"
		[ -n "$version" ] || version=${output#* }
		same "$program: version" "$version" "${output#* }"
		expect 0 "$program" --version
		same "$program --version" "$program $version" "$output"
	done
}

@test "every program: an unknown option is 64, one line that names it" {
	local program

	for program in "${programs[@]}"; do
		expect 64 "$program" --no-such-option <<<"$skip"
		one_message "$program" no-such-option
		[ "$program" = gp-forge-local ] || jq_is '"\(.error.program) \(.error.exit)"' "$program 64"
		expect 64 "$program" -% <<<"$skip"
		one_message "$program" %
	done
}

@test "every program: an argument that nobody asked for is 64" {
	local program

	for program in "${programs[@]}"; do
		expect 64 "$program" superfluous <<<"$skip"
		one_message "$program" superfluous
	done
}

@test "options that need an argument are 64 without" {
	local line

	for line in 'gp-read-config --group' 'gp-find-pr --number' 'gp-merge --method' 'gp-set-status --state' 'gp-set-tag -C'; do
		# shellcheck disable=SC2086
		expect 64 $line <<<"$skip"
		one_message "${line%% *}"
	done
}

@test "every filter: -C to a directory that is not there is told and nothing is done" {
	local program

	for program in gp-read-config gp-find-pr gp-set-tag gp-open-pr gp-merge gp-check-status gp-set-status; do
		sh_pipe 0 '"$1" -C "$T/nowhere"; [ $? -ge 64 ] && [ $? -le 78 ]' "$program" <<<"$skip"
		one_message "$program" nowhere
	done
}

# What comes in

@test "every filter: empty standard input is 65 and asks after the command before" {
	local filter

	for filter in "${filters[@]}"; do
		# shellcheck disable=SC2086
		expect 65 $filter </dev/null
		one_message "${filter%% *}" 'no document on standard input: did the command before it fail?'
	done
}

@test "every filter: only white space is as empty as nothing" {
	local filter

	for filter in "${filters[@]}"; do
		# shellcheck disable=SC2086
		expect 65 $filter <<<$' \n\t\r\n'
		one_message "${filter%% *}" 'no document on standard input'
	done
}

@test "a pipe that begins with nothing says so once and ends with 65" {
	sh_pipe 65 'true | gp-set-tag | gp-open-pr | gp-merge --auto'
	one_message gp-set-tag 'no document on standard input'
}

@test "every filter: what is no JSON object is 65" {
	local filter text

	for filter in "${filters[@]}"; do
		for text in '{' nonsense '[{"skip":{}}]'; do
			# shellcheck disable=SC2086
			expect 65 $filter <<<"$text" || fail "$filter took $text" || return
			one_message "${filter%% *}" || fail "$filter about $text" || return
		done
	done
	for text in '{"a":' '[]' '"text"' '17' 'null' '{"a":1]' "{'a':1}" '{"a":1,}' '}'; do
		expect 65 gp-set-tag <<<"$text" || fail "taken: $text" || return
		one_message gp-set-tag
	done
}

# Each text would be an innocent document with a skip but for its one fault.
@test "JSON is parsed strictly" {
	local text head='{"skip":{"program":"gp-elsewhere","reason":"r"}'

	for text in \
		"$head,\"a\":1,\"a\":1}" \
		"$head,\"a\":{\"b\":1,\"b\":2}}" \
		"$head,\"skip\":{}}" \
		"$head,\"a\":\"\\u0000\"}" \
		"$head,\"a\\u0000b\":1}" \
		"$head,\"a\":\"\\ud800\"}" \
		"$head,\"a\":\"\\udc00\\ud800\"}" \
		"$head,\"a\":\"\\ud800x\"}" \
		"$head,\"a\":\"\\ud800\\u0041\"}" \
		"$head,\"a\":\"\\uZZZZ\"}" \
		"$head,\"a\":\"\\x\"}" \
		"$head,\"a\":\"tab	in it\"}" \
		"$head,\"a\":\"line"$'\n'"in it\"}" \
		"$head,\"a\":"$'"\xff"'"}" \
		"$head,\"a\":"$'"\xc0\xaf"'"}" \
		"$head,\"a\":"$'"\xed\xa0\x80"'"}" \
		"$head,\"a\":01}" \
		"$head,\"a\":+1}" \
		"$head,\"a\":.5}" \
		"$head,\"a\":1.}" \
		"$head,\"a\":0x10}" \
		"$head,\"a\":NaN}" \
		"$head,\"a\":Infinity}" \
		"$head,\"a\":TRUE}" \
		"$head,\"a\":1 // no comments"$'\n'"}" \
		"$head,\"a\":/* none */1}" \
		"$head,a:1}" \
		"$head,\"a\" 1}" \
		"$head \"a\":1}" \
		"$head,}"; do
		expect 65 gp-set-tag <<<"$text" || fail "taken: $text" || return
		one_message gp-set-tag || return
	done
}

@test "a pair of surrogates, escapes and UTF-8 are fine" {
	expect 0 gp-set-tag <<<'{"skip":{"program":"p","reason":"r"},"a":"\ud83d\ude80 \"\\\/\b\f\n\r\t \u00e5 å 🚀"}'
	jq_is '.a == "🚀 \"\\/\b\f\n\r\t å å 🚀"' true
}

@test "trailing text after a document is 65, and the document before it went its way" {
	expect 65 gp-set-tag <<<"$skip garbage"
	one_message gp-set-tag
	same 'the first document' "$skip" "$(head -n 1 <<<"$output")"
}

@test "a document that ends in mid-air behind a good one is 65" {
	expect 65 gp-set-tag <<<"$skip"$'\n''{"skip":{"program":"x"'
	one_message gp-set-tag
	same 'the first document' "$skip" "$(head -n 1 <<<"$output")"
}

@test "look-up is case-sensitive: Skip and ERROR are unknown members" {
	expect 65 gp-set-tag <<<'{"Skip":{"program":"p","reason":"r"},"ERROR":{"exit":1}}'
	one_message gp-set-tag
}

@test "nesting without end is refused, not a crash" {
	local deep

	deep=$(
		printf '{"skip":{},"a":'
		printf '[%.0s' {1..200000}
	)
	expect 65 gp-set-tag <<<"$deep"
	one_message gp-set-tag
}

@test "a long text in a document is no matter" {
	local long

	long=$(printf 'x%.0s' {1..300000})
	expect 0 gp-set-tag <<<"{\"skip\":{\"program\":\"p\",\"reason\":\"r\"},\"a\":\"$long\"}"
	same length "${#long}" "$(jq -r .a <<<"$output" | tr -d '\n' | wc -c)"
}

# skip and error

@test "every filter: a skip passes untouched and silently, exit 0" {
	local filter document

	document='{"zeta":{"b":1,"a":[true,null,"x"]},"skip":{"program":"gp-elsewhere","reason":"r","more":1},"promotion":{"tag":1},"alpha":2}'
	for filter in "${filters[@]}"; do
		# shellcheck disable=SC2086
		expect 0 $filter <<<"$document"
		same "$filter" "$document" "$output"
		same "$filter: stderr" '' "$stderr"
	done
}

@test "every filter: an error passes untouched and silently, with its exit status" {
	local filter document exit

	document='{"zeta":1,"error":{"program":"gp-elsewhere","exit":69,"message":"it broke"},"alpha":[{}]}'
	for filter in "${filters[@]}"; do
		# shellcheck disable=SC2086
		expect 69 $filter <<<"$document"
		same "$filter" "$document" "$output"
		same "$filter: stderr" '' "$stderr"
	done
	for exit in 64 65 70 71 75 76 77 78 1; do
		expect "$exit" gp-open-pr <<<"${document/69/$exit}"
		same document "${document/69/$exit}" "$output"
	done
}

@test "an error wins over a skip" {
	expect 69 gp-open-pr <<<'{"skip":{"program":"a","reason":"r"},"error":{"program":"b","exit":69,"message":"m"}}'
}

@test "an error whose exit makes no sense still ends badly" {
	local exit

	for exit in 0 -1 256 3.5 '"69"' null 99999999999999999999; do
		expect 65 gp-merge <<<'{"error":{"program":"b","exit":'"$exit"',"message":"m"}}' || fail "exit $exit"
	done
	expect 65 gp-merge <<<'{"error":"broken"}'
	expect 65 gp-merge <<<'{"error":{}}'
}

@test "numbers stay exact, members keep their order" {
	local document

	document='{"z":12345678901234567890123,"y":-9007199254740993,"x":18446744073709551615,"skip":{"program":"p","reason":"r"},"b":9223372036854775807,"a":0,"B":9007199254740993}'
	expect 0 gp-set-tag <<<"$document"
	same document "$document" "$output"
}

@test "numbers and unknown members survive a program that works on the document" {
	make_gitops
	start apps/web v1 | jq -c '{zulu: 1} + . + {alpha: {d: 1, c: [1, {"b": null}]}}' |
		sed 's/"zulu":1/"zulu":12345678901234567890123/; s/"d":1/"d":9007199254740993/' >"$T/document"
	expect 0 gp-set-tag <"$T/document"
	has "$output" '"zulu":12345678901234567890123' '"alpha":{"d":9007199254740993,"c":[1,{"b":null}]}'
	same order "$(jq -r 'keys_unsorted | join(" ")' "$T/document")" \
		"$(jq -r 'del(.change) | keys_unsorted | join(" ")' <<<"$output")"
}

# Streams

@test "every filter: documents come out in order, the first failure's status counts" {
	local filter documents

	documents='{"n":1,"skip":{"program":"p","reason":"r"}}
{"n":2,"error":{"program":"p","exit":75,"message":"m"}}
{"n":3,"skip":{"program":"p","reason":"r"}}
{"n":4,"error":{"program":"p","exit":69,"message":"m"}}
{"n":5,"skip":{"program":"p","reason":"r"}}'
	for filter in "${filters[@]}"; do
		# shellcheck disable=SC2086
		expect 75 $filter <<<"$documents"
		same "$filter" "$documents" "$output"
		same "$filter: stderr" '' "$stderr"
	done
}

@test "documents may stand on many lines, or several on one" {
	expect 0 gp-open-pr <<<$'{\n  "skip": {"program": "p",\n"reason": "r"}\n}{"skip":{"program":"p","reason":"s"}} {"skip":\t{"program":"p","reason":"t"}}'
	same documents 'r s t' "$(jq -r .skip.reason <<<"$output" | paste -sd ' ')"
	same lines 3 "$(grep -c '' <<<"$output")"
}

@test "each document comes out before the next one is there" {
	local first second out in pid

	mkfifo "$T/in" "$T/out"
	gp-set-tag <"$T/in" >"$T/out" 3>&- &
	pid=$!
	exec {in}>"$T/in" {out}<"$T/out"
	printf '%s\n' '{"n":1,"skip":{"program":"p","reason":"r"}}' >&"$in"
	read -r -t 20 -u "$out" first
	printf '%s\n' '{"n":2,"skip":{"program":"p","reason":"r"}}' >&"$in"
	read -r -t 20 -u "$out" second
	exec {in}>&- {out}<&-
	wait "$pid"
	same first 1 "$(jq .n <<<"$first")"
	same second 2 "$(jq .n <<<"$second")"
}

@test "a failure in a stream does not stop the next, and each says its own line" {
	make_gitops --apps 'apps/web apps/api'
	{
		start apps/web v1
		start apps/gone v1
		start apps/api v1
		start apps/lost v1
	} >"$T/documents"
	expect 65 gp-set-tag <"$T/documents"
	same apps 'web gone api lost' "$(jq -r .promotion.app <<<"$output" | paste -sd ' ')"
	same outcome 'change error change error' \
		"$(jq -r 'if has("error") then "error" else "change" end' <<<"$output" | paste -sd ' ')"
	same messages 2 "$(grep -c '' <<<"$stderr")"
	has "$stderr" apps:gone apps:lost
}

@test "starters never touch standard input" {
	make_gitops
	sh_pipe 0 'printf "%s\n" untouched | { gp-read-config --group apps --app web --tag v1 >&2; cat; }'
	same 'standard input' untouched "$output"
	has "$stderr" '"tag":"v1"'
	sh_pipe 0 'printf "%s\n" untouched | { gp-find-pr --merged >&2; cat; }'
	same 'standard input' untouched "$output"
	has "$stderr" '"skip":'
}

@test "starters do not wait for a standard input that nobody closes" {
	make_gitops
	mkfifo "$T/never"
	expect 0 gp-read-config --group apps --app web --tag v1 <>"$T/never"
	has "$output" '"tag":"v1"'
	expect 0 gp-find-pr --open --all <>"$T/never"
	has "$output" '"skip":'
}

@test "starters work with standard input closed" {
	make_gitops
	expect 0 gp-read-config --group apps --app web --tag v1 <&-
	has "$output" '"tag":"v1"'
	expect 0 gp-find-pr --open --all <&-
	has "$output" '"skip":'
}

@test "documents are one line when stdout is no terminal" {
	make_gitops
	expect 0 gp-read-config --group apps --app web --tag v1
	has "$output" '"tag":"v1"'
	same lines 1 "$(grep -c '' <<<"$output")"
}

@test "documents are indented on a terminal" {
	command -v script >/dev/null || skip 'no script(1)'
	needs_terminal
	make_gitops
	expect 0 script -qec 'gp-read-config --group apps --app web --tag v1' /dev/null </dev/null
	[ "$(grep -c '' <<<"$output")" -gt 5 ] || fail "$output"
	same tag v1 "$(tr -d '\r' <<<"$output" | jq -r .promotion.tag)"
}

# What goes out

@test "every program: a full stdout is 71" {
	local program filter

	for program in "${programs[@]}"; do
		sh_pipe 71 '"$1" --help >/dev/full' "$program"
		one_message "$program"
		sh_pipe 71 '"$1" --version >/dev/full' "$program"
	done
	for filter in "${filters[@]}"; do
		sh_pipe 71 "$filter >/dev/full" <<<"$skip"
		one_message "${filter%% *}"
	done
	make_gitops
	sh_pipe 71 'gp-read-config --group apps --app web --tag v1 >/dev/full'
	sh_pipe 71 'gp-find-pr --open --all >/dev/full'
	sh_pipe 71 'echo "{\"id\":1,\"op\":\"nothing\"}" | gp-forge-local >/dev/full'
}

@test "a reader that went away ends a program, not the shell's patience" {
	sh_pipe 0 'yes "$1" | head -n 5000 | gp-set-tag | head -n 1' "$skip"
	same 'first line' "$skip" "$output"
}

@test "-q says nothing but errors" {
	make_gitops
	sh_pipe 0 'gp-read-config -q --group apps --app web --tag v1 | gp-set-tag -q | gp-open-pr -q | gp-merge -q --auto'
	same stderr '' "$stderr"
	sh_pipe 65 'gp-read-config -q --group apps --app gone --tag v1 | gp-set-tag -q'
	one_message gp-set-tag
}

@test "-v tells more than nothing and keeps stdout for the document" {
	make_gitops
	sh_pipe 0 'gp-read-config -v -v --group apps --app web --tag v1'
	[ -n "$stderr" ] || fail 'not a word'
	jq_is .promotion.app web
	has "$stderr" 'gp-read-config: '
}

@test "text from outside is stripped of control characters before it is shown" {
	make_gitops
	start apps/web v1 | jq -c '.promotion.app = "w\u001b[31meb\u0007\r\nforged: line"' >"$T/document"
	expect 65 gp-set-tag <"$T/document"
	one_message gp-set-tag
	same 'control characters' '' "$(tr -d '\n[:print:]' <<<"$stderr")"
}

@test "in GitHub Actions an error is an annotation too" {
	GITHUB_ACTIONS=true expect 65 gp-set-tag </dev/null
	has "$stderr" 'gp-set-tag: no document on standard input' '::error'
}

@test "in Azure Pipelines an error is an issue too" {
	TF_BUILD=True expect 65 gp-set-tag </dev/null
	has "$stderr" 'gp-set-tag: no document on standard input' '##vso[task.logissue type=error'
}

@test "an annotation cannot be forged by what comes from outside" {
	make_gitops
	start apps/web v1 | jq -c '.promotion.app = "web\n::set-env name=X::y\n##vso[task.setvariable variable=X]y"' >"$T/document"
	GITHUB_ACTIONS=true TF_BUILD=True expect 65 gp-set-tag <"$T/document"
	same 'forged lines' 0 "$(grep -Ec '^(::set-env|##vso\[task\.setvariable)' <<<"$stderr")"
	jq_is .error.exit 65
}

@test "a text in the middle of a line is no command to the CI system either, and documents stay the same" {
	local document='{"skip":{"program":"p","reason":"a ##[set-output name=number]7 ##vso[task.setvariable variable=x]y"}}'

	GITHUB_ACTIONS=true expect 0 gp-set-tag <<<"$document"
	lacks "$output" '##['
	same document "$document" "$(jq -c . <<<"$output")"
	TF_BUILD=True expect 0 gp-set-tag <<<"$document"
	lacks "$output" '##vso['
	same document "$document" "$(jq -c . <<<"$output")"
	expect 0 gp-set-tag <<<"$document"
	same 'outside of CI' "$document" "$output"
	make_gitops
	GITHUB_ACTIONS=true expect 65 gp-set-tag -v < <(start apps/web v1 | jq -c '.promotion.app = "##[set-output name=a]b"')
	lacks "$(grep -v '^::' <<<"$stderr")" '##['
}

# What a document says

@test "a filter that lacks a member says which" {
	make_gitops
	local filter

	for filter in gp-set-tag gp-open-pr gp-merge 'gp-merge --auto' gp-check-status 'gp-set-status --gate' 'gp-read-config --next'; do
		# shellcheck disable=SC2086
		expect 65 $filter <<<'{}'
		one_message "${filter%% *}"
		jq_is .error.exit 65
		jq_is .error.program "${filter%% *}"
		has "$stderr" "$(jq -r .error.message <<<"$output")"
	done
}

@test "a member of the wrong type is 65 and named" {
	make_gitops
	start apps/web v1 >"$T/document"
	expect 65 gp-set-tag < <(jq -c '.promotion.tag = 7' "$T/document")
	one_message gp-set-tag promotion tag
	expect 65 gp-set-tag < <(jq -c '.promotion = "web"' "$T/document")
	one_message gp-set-tag promotion
	expect 65 gp-set-tag < <(jq -c '.repository.tip = "not a commit"' "$T/document")
	one_message gp-set-tag
}

@test "names and tags of an edited document are checked like those of options" {
	make_gitops
	start apps/web v1 >"$T/document"
	local edit

	for edit in '.promotion.group = ".."' '.promotion.group = "a/b"' '.promotion.app = "-x"' '.promotion.env = "../dev"' \
		'.promotion.env = ""' '.promotion.tag = ""' '.promotion.tag = "a b"' '.promotion.tag = "v1\nx"' \
		'.promotion.tag = "x:y"' '.promotion.app = ".git"' '.promotion.group = "a.lock"'; do
		expect 65 gp-set-tag < <(jq -c "$edit" "$T/document") || fail "$edit"
		one_message gp-set-tag
		jq_is .error.exit 65
	done
}

@test "a document that names another repository than the local remote's is 65, its forge never asked" {
	make_gitops
	spy_forge
	start apps/web v1 | gp-set-tag | gp-open-pr >"$T/document"
	: >"$T/forge.log"
	local filter

	for filter in gp-open-pr gp-merge 'gp-merge --auto' gp-check-status 'gp-set-status --state success'; do
		# shellcheck disable=SC2086
		expect 65 $filter < <(jq -c '.repository.url = "https://evil.example/acme/shop"' "$T/document")
		one_message "${filter%% *}" evil.example
	done
	same 'asked of the forge' '' "$(spied)"
}

@test "credentials in a remote's URL reach no message and no document" {
	make_gitops
	git remote set-url origin 'http://emilia:s3cret@127.0.0.1:1/acme/shop.git'
	GP_PROVIDER=local sh_pipe 75 'gp-read-config -vv --group apps --app web --tag v1'
	lacks "$stderr$output" s3cret
	has "$stderr" 127.0.0.1:1
}
