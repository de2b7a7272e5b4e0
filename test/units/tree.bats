#!/usr/bin/env bats
# Trees as common/git/tree.h has them, held against git's own word: what differs,
# what an update makes, what a merge makes.
# shellcheck disable=SC2030,SC2031,SC2016,SC2001 # variables meant for a subshell only; bytes as printf writes them

setup() {
	load ../lib/helper
	gp_setup
	export GIT_DIR="$T/trees.git"
	git init --quiet --bare
	blob=$(git hash-object -w --stdin <<<one)
	other=$(git hash-object -w --stdin <<<two)
	empty=$(git hash-object -w -t tree /dev/null)
}

# trees LINE…: answers of the driver; words of a line are separated by blanks here.
trees() {
	printf '%s\n' "$@" | tr ' ' '\t' >"$T/commands"
	sh_pipe 0 'tree-driver "$GIT_DIR/objects" <"$T/commands"'
}

# tree [PATH=BLOB…]: the tree with these files, made by git. A name's mode may follow: a=ID,100755.
tree() {
	local file mode

	rm -f "$T/index"
	for file; do
		mode=100644
		[[ "$file" != *,* ]] || mode=${file##*,}
		printf '%s %.40s\t%s\n' "$mode" "${file#*=}" "${file%%=*}"
	done | GIT_INDEX_FILE="$T/index" git update-index --index-info
	GIT_INDEX_FILE="$T/index" git write-tree
}

# raw BYTES: a tree of any bytes; @ stands for the id of a blob, % for that of the empty tree.
raw() {
	local bytes=$1

	bytes=${bytes//@/$(sed 's/../\\x&/g' <<<"$blob")}
	bytes=${bytes//%/$(sed 's/../\\x&/g' <<<"$empty")}
	printf '%b' "$bytes" | git hash-object -w -t tree --literally --stdin
}

# git_diff FROM TO: as the driver prints it.
git_diff() {
	git diff-tree -r --no-renames --no-abbrev "$1" "$2" |
		sed 's/^:\([0-9]*\) \([0-9]*\) \([0-9a-f]*\) \([0-9a-f]*\) [A-Z]/\1 \3 \2 \4/'
}

@test "what differs, in the order of paths" {
	local from to

	from=$(tree "a=$blob" "a-b=$blob" "a.b/x=$blob" "b/c/d=$blob" "b/c/e=$blob" "c=$blob" "gone/x=$blob" "same/x=$blob")
	to=$(tree "a/x=$blob" "a-b=$other" "a.b=$blob" "b/c/d=$other" "b/c/e=$blob" "c=$blob,100755" "l=$blob,120000" \
		"m=$blob,160000" "same/x=$blob")
	trees "diff $from $to"
	same 'differences' "$(git_diff "$from" "$to")" "$output"
	[ "$(wc -l <<<"$output")" -eq 10 ]
	trees "diff $to $from"
	same 'the other way' "$(git_diff "$to" "$from")" "$output"
	trees "diff - $from"
	same 'against nothing' "$(git_diff "$empty" "$from")" "$output"
	trees "diff $from $from" "diff - -"
	same 'no difference' '' "$output"
}

@test "an entry by its path" {
	local at

	at=$(tree "a-b=$blob" "a/x/y=$blob,100755" "a.b=$blob")
	trees "find $at a/x/y" "find $at a" "find $at a-b/x" "find $at a/" "find $at a/x/z" "find $at x"
	same 'found' "100755 $blob
040000 $(git rev-parse "$at:a")
000000 0000000000000000000000000000000000000000
000000 0000000000000000000000000000000000000000
000000 0000000000000000000000000000000000000000
000000 0000000000000000000000000000000000000000" "$output"
}

# update_is WANTED BASE [MODE ID PATH…]
update_is() {
	local wanted=$1

	shift
	trees "update $*"
	same "update $*" "$wanted" "$output" || fail "$(git ls-tree -r "$output")"
}

@test "updates: entries stay in git's order, what is left empty goes, files and directories replace each other" {
	local at none=0000000000000000000000000000000000000000

	at=$(tree "a=$blob" "a-b=$blob" "d/e/f=$blob" "d/g=$blob" "z=$blob")
	update_is "$at" "$at"
	update_is "$empty" -
	update_is "$(tree "a/b=$blob" "x=$blob")" - 100644 "$blob" x 100644 "$blob" a/b
	update_is "$(tree "a=$other" "a-b=$blob" "d/e/f=$other,100755" "d/g=$blob" "z=$blob")" "$at" \
		100755 "$other" d/e/f 100644 "$other" a
	update_is "$(tree "a-b=$blob" "a/x=$other" "d/e/f=$blob" "d/g=$blob" "z=$blob")" "$at" 100644 "$other" a/x
	update_is "$(tree "a=$blob" "a-b=$blob" "d=$other" "z=$blob")" "$at" 100644 "$other" d 0 $none d/g
	update_is "$(tree "a=$blob" "a-b=$blob" "d=$other" "d-e=$blob" "z=$blob")" "$at" \
		0 $none d/g 100644 "$blob" d-e 100644 "$other" d
	update_is "$(tree "a=$blob" "a-b=$blob" "d/g=$blob" "z=$blob")" "$at" 0 $none d/e/f 0 $none a/not/here 0 $none y
	update_is "$(tree "a=$blob")" "$at" 0 $none d/e/f 0 $none d/g 0 $none z 0 $none a-b
	update_is "$empty" "$at" 0 $none a 0 $none a-b 0 $none d 0 $none z
}

@test "updates that make no tree are refused" {
	local path

	for path in a//b /a a/ . a/../b .git/config a/.GIT; do
		trees "update - 100644 $blob $path"
		same "$path" "error 71: '$path' cannot be a path in git" "$output"
	done
	trees "update - 100644 $blob a 100644 $blob a/b" "update - 100644 $blob a 0 $blob a"
	same 'twice' "error 71: 'a' cannot be a file and a directory
error 71: 'a' is changed twice" "$output"
}

# merge_is WANTED BASE OURS THEIRS: either way round; git's own merge says the same where it has merge-tree.
merge_is() {
	local wanted=$1 base ours theirs

	trees "merge $2 $3 $4" "merge $2 $4 $3"
	same "merge $2 $3 $4" "$wanted"$'\n'"$wanted" "$output"
	[ "$wanted" != conflict ] && git merge-tree -h 2>&1 | grep -q -e --write-tree || return 0
	base=$(git commit-tree -m base "$2")
	ours=$(git commit-tree -p "$base" -m ours "$3")
	theirs=$(git commit-tree -p "$base" -m theirs "$4")
	same 'git merge-tree' "$wanted" "$(git merge-tree --write-tree "$ours" "$theirs")"
}

@test "merges: each entry from the side that changed it" {
	local base file

	base=$(tree "a=$blob" "d/e=$blob" "d/f=$blob" "z=$blob")
	merge_is "$base" "$base" "$base" "$base"
	merge_is "$(tree "a=$other" "d/e=$blob" "d/f=$other" "z=$blob")" "$base" \
		"$(tree "a=$other" "d/e=$blob" "d/f=$blob" "z=$blob")" "$(tree "a=$blob" "d/e=$blob" "d/f=$other" "z=$blob")"
	merge_is "$(tree "d/e=$other" "n/x=$blob" "n/y=$blob" "z=$blob")" "$base" \
		"$(tree "d/e=$other" "d/f=$blob" "n/x=$blob" "z=$blob")" "$(tree "a=$blob" "d/e=$other" "n/y=$blob" "z=$blob")"
	merge_is "$(tree "a/x=$other" "z=$other")" "$base" "$(tree "a/x=$other" "d/e=$blob" "d/f=$blob" "z=$blob")" \
		"$(tree "a=$blob" "z=$other")"
	file=$(tree "a=$blob")
	merge_is "$empty" "$file" "$file" "$empty"
}

@test "merges that take more than trees are left to others" {
	local base

	base=$(tree "a=$blob" "d/e=$blob")
	merge_is conflict "$base" "$(tree "a=$other" "d/e=$blob")" "$(tree "a=$blob,100755" "d/e=$blob")"
	merge_is conflict "$base" "$(tree "a=$other" "d/e=$blob")" "$(tree "d/e=$blob")"
	# Moved to b and to c; moved and taken away; put in a directory that was moved.
	merge_is conflict "$base" "$(tree "b=$blob" "d/e=$blob")" "$(tree "c=$blob" "d/e=$blob")"
	merge_is conflict "$base" "$(tree "b=$blob" "d/e=$blob")" "$(tree "d/e=$blob")"
	merge_is conflict "$base" "$(tree "a=$blob" "n/e=$blob")" "$(tree "a=$blob" "d/e=$blob" "d/f=$other")"
	# A name that is a file for one and a directory for the other, also where "x-y" stands between them.
	merge_is conflict "$base" "$(tree "a=$blob" "d/e=$blob" "x=$blob" "x-y=$blob")" \
		"$(tree "a=$blob" "d/e=$blob" "x/y=$blob")"
}

@test "a merge of commits: by trees, else by lines; none without common history" {
	local base a b c

	printf '%s\n' 1 2 3 4 5 6 7 8 >"$T/text"
	base=$(git commit-tree -m base "$(tree "t=$(git hash-object -w "$T/text")" "u=$blob")")
	a=$(git commit-tree -p "$base" -m a "$(tree "t=$(sed s/1/one/ "$T/text" | git hash-object -w --stdin)" "u=$blob")")
	b=$(git commit-tree -p "$base" -m b "$(tree "t=$(sed s/8/eight/ "$T/text" | git hash-object -w --stdin)" "u=$blob")")
	c=$(git commit-tree -p "$base" -m c "$(tree "t=$(git hash-object -w "$T/text")" "u=$other")")
	trees "merge-commits $a $b" "merge-commits $a $c" "merge-commits $a $(git commit-tree -m alone "$empty")"
	same 'merged' "$(tree "t=$(sed 's/1/one/; s/8/eight/' "$T/text" | git hash-object -w --stdin)" "u=$blob")
$(tree "t=$(sed s/1/one/ "$T/text" | git hash-object -w --stdin)" "u=$other")
conflict" "$output"
}

@test "a malformed tree is an error, wherever it is met" {
	local bytes tree

	for bytes in '100644' '100644 ' '100644 a' '100644 a\0' '100644 a\0abc' '100644 a\0@x' '100648 a\0@' ' a\0@' \
		'777777777777777777777777 a\0@' '0x1ff a\0@' '100644 \0@' '100644 a/b\0@' '100644 .\0@' '100644 ..\0@' \
		'40000 .git\0%' '40000 .GIT\0%' '100644 a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'; do
		tree=$(raw "$bytes")
		trees "find $tree zz" "read $tree" "diff - $tree" "update $tree 100644 $blob q" "merge - - $tree"
		same "$bytes" 5 "$(grep -c "^error 65: tree $tree is malformed$" <<<"$output")"
	done
	# Out of order, or two of one name: whoever looks for an entry could see another one than git.
	for bytes in '100644 b\0@100644 a\0@' '100644 a\0@100644 a\0@' '100644 a\0@100644 a-b\0@40000 a\0%'; do
		tree=$(raw "$bytes")
		trees "read $tree" "diff - $tree" "update $tree 100644 $blob q" "merge - - $tree"
		same "$bytes" 4 "$(grep -c "^error 65: tree $tree is malformed$" <<<"$output")"
	done
	# Modes that git no longer writes are those that it takes them for.
	tree=$(raw '0040000 d\0%100664 f\0@100775 g\0@')
	trees "read $tree"
	same 'old modes' "040000 $empty	d
100644 $blob	f
100755 $blob	g" "$output"
}

@test "directories without end are an error" {
	local tree i

	tree=$(tree "f=$blob")
	for ((i = 0; i < 101; i++)); do
		tree=$(printf '040000 tree %s\td\n' "$tree" | git mktree)
	done
	trees "diff - $tree" "update - 100644 $blob $(printf 'd/%.0s' {1..101})f"
	same 'too deep' "error 65: directories are nested more than 100 deep
error 65: directories are nested more than 100 deep" "$output"
}
