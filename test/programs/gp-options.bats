#!/usr/bin/env bats
# gp-options: what the arguments of a wrapper become.

setup() {
	load ../lib/helper
	gp_setup
	list='group= !+app= +tag= wait=? n:dry-run json'
}

# read_options EXIT [ARGUMENT…]: as a wrapper does; the variables are on $output, one a line.
read_options() {
	local want=$1

	shift
	list=$list expect "$want" sh -c 'code=$(gp-options gp-x "usage: gp-x" "$list" "$@") || exit
		eval "$code"
		printf "<%s>" "$group" "$app" "$tag" "$wait" "$dry_run" "$json" "${GP_BASE-}" "${GP_REMOTE-}" "${GP_PROVIDER-}" "${GP_VERBOSE-}"' sh "$@"
}

@test "options, their spellings, and arguments without a name" {
	read_options 0 --group g --app=a --tag t
	same variables '<g><a><t><><><><><><><>' "$output"
	read_options 0 a t -n
	same variables '<><a><t><><--dry-run><><><><><>' "$output"
	read_options 0 --tag t a --js --dry
	same variables '<><a><t><><--dry-run><--json><><><><>' "$output"
	read_options 0 -nvv a --base b --remote r --provider p
	same variables '<><a><><><--dry-run><><b><r><p><2>' "$output"
	read_options 0 -q a -- -t
	same variables '<><a><-t><><><><><><><-1>' "$output"
}

@test "a duration is the next word, or left out" {
	read_options 0 a --wait 5m
	same variables '<><a><><5m><><><><><><>' "$output"
	read_options 0 a --wait=5m t
	same variables '<><a><t><5m><><><><><><>' "$output"
	read_options 0 --wait a
	same variables '<><a><><><><><><><><>' "$output"
}

@test "whatever an argument holds, evaluating the code runs nothing else" {
	local evil

	for evil in "'; touch x; '" '$(touch x)' '`touch x`' $'a\ntouch x' '\' "\\'" '*' '"' ' '; do
		read_options 0 --app "$evil"
		same variables "<><$evil><><><><><><><><>" "$output"
	done
	[ ! -e x ]
}

@test "-C changes the directory once, in the wrapper" {
	mkdir -p a/b "it's"
	list='' expect 0 sh -c 'code=$(gp-options gp-x "" "" "$@") && eval "$code" && pwd' sh -C a -C b
	same directory "$T/a/b" "$output"
	list='' expect 0 sh -c 'code=$(gp-options gp-x "" "" "$@") && eval "$code" && pwd' sh -C "it's"
	same directory "$T/it's" "$output"
	read_options 64 -C nowhere a
	one_message gp-x "cannot change to directory 'nowhere'"
}

@test "--help and --version print and exit, also before what is wrong" {
	read_options 0 --help
	same help 'usage: gp-x' "$output"
	read_options 0 -V --nope
	[[ "$output" == 'gp-x '[0-9]* ]] || fail "$output"
}

@test "mistakes are reported in the wrapper's name, with a suggestion" {
	read_options 64
	one_message gp-x 'missing option: --app (try gp-x --help)'
	list='!group= !app= !tag='
	read_options 64 --group g --tag ''
	one_message gp-x 'missing options: --app, --tag (try gp-x --help)'
	list='!+app= json wait=? dry-run'
	read_options 64 a --dryrun
	one_message gp-x "unknown option '--dryrun': did you mean --dry-run? (try gp-x --help)"
	read_options 64 a --something
	one_message gp-x "unknown option '--something' (try gp-x --help)"
	read_options 64 a --ver
	one_message gp-x "option '--ver' is ambiguous (try gp-x --help)"
	read_options 64 a -x
	one_message gp-x "unknown option '-x' (try gp-x --help)"
	read_options 64 a --json=1
	one_message gp-x "option '--json' takes no value (try gp-x --help)"
	read_options 64 --app
	one_message gp-x "option '--app' needs a value (try gp-x --help)"
	read_options 64 a b
	one_message gp-x "unexpected argument 'b' (try gp-x --help)"
}

@test "a value that has to be one of some words" {
	list='method=merge|rebase|squash app='
	read_options 64 --method fast
	one_message gp-x "--method is merge|rebase|squash, not 'fast' (try gp-x --help)"
	read_options 64 --method squas
	list='method=merge|rebase|squash' expect 0 sh -c 'eval "$(gp-options gp-x "" "$list" --method squash)" && echo "$method"'
	same method squash "$output"
	GITHUB_ACTIONS=true read_options 64 --method $'x\n::set-env::'
	has "$stderr" '::error title=gp-x::'
	lacks "$stderr" $'\n::set-env'
}

@test "in a CI job a mistake is also an annotation, and nothing in it is a command" {
	GITHUB_ACTIONS=true read_options 64 a $'--no%\n::set-env::'
	has "$stderr" '::error title=gp-x::'
	lacks "$stderr" $'\n::set-env'
}

@test "what describes no option is 64" {
	local word

	for word in = - -x A 'a==' '+flag' 'n:' 'a=b||c' 'a=|b' 'a=B'; do
		list=$word
		read_options 64
		one_message gp-x "no option is described by"
	done
	list=$(printf 'a%d ' {1..25})
	read_options 64
	one_message gp-x 'more than 24 options'
}

@test "--suggest prints what may have been meant" {
	expect 0 gp-options --suggest statsu new promote status
	same word status "$output"
	expect 0 gp-options --suggest nwe new promote
	same word new "$output"
	expect 0 gp-options --suggest deploy new promote status
	same word '' "$output"
}

@test "without all three it is 64" {
	expect 64 gp-options
	one_message gp-options 'are needed'
	expect 64 gp-options gp-x help
	one_message gp-options
}

@test "a full disk is 71" {
	[ -e /dev/full ] || skip 'no /dev/full'
	expect 71 sh -c 'gp-options gp-x help a= >/dev/full'
	one_message gp-x 'standard output'
}
