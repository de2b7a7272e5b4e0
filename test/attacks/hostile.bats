#!/usr/bin/env bats
# Files and trees that were made to hurt: each ends within bounds of time and memory, with a clear error and the right
# exit, or works; nothing outside the repository is read or written, and nothing in them is a command to a terminal or
# to a CI system.

load ../lib/helper

# What a program and its children may take: 1 GiB of address space each, and a minute (expect). A sanitizer takes more.
LIMIT_KB=1048576
[[ "$GP_BUILD" != *asan* ]] || LIMIT_KB=unlimited

setup() {
	gp_setup
	make_gitops
	export GP_VERBOSE=-1
}

# bounded EXIT STRING [ARG…]: as sh_pipe, within bounds.
bounded() {
	local want=$1 string=$2

	shift 2
	expect "$want" sh -c "ulimit -v $LIMIT_KB; $string" sh "$@"
}

MARKER='# {"$imagepolicy": "apps:web"}'
SET='gp-read-config --group apps --app web --tag v1 | gp-set-tag'

# in_dev NAME <CONTENT: a file in apps/dev, pushed. (fast-import: names of any bytes, quoted as git quotes them.)
in_dev() {
	local blob

	blob=$(git -C "$REMOTE" hash-object -w --stdin)
	printf 'commit refs/heads/main\ncommitter E <e@example.com> 1700000000 +0000\ndata 1\nx\nfrom refs/heads/main^0\nM 100644 %s %s\n' \
		"$blob" "\"apps/dev/$1\"" | git -C "$REMOTE" fast-import --quiet
}

# in_tree MODE OBJECT PATH: any entry in place of what is there, pushed.
in_tree() {
	printf 'commit refs/heads/main\ncommitter E <e@example.com> 1700000000 +0000\ndata 1\nx\nfrom refs/heads/main^0\nM %s %s %s\n' \
		"$1" "$2" "$3" | git -C "$REMOTE" fast-import --quiet
}

# repeat N TEXT
repeat() {
	head -c $(($1 * ${#2})) < <(yes -- "$2" | tr -d '\n')
}

# no_escapes TEXT: nothing in it is for a terminal.
no_escapes() {
	! grep -qP '[\x01-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8e\x8f\xa8-\xae]' <<<"$1" ||
		fail "an escape sequence in: $(cat -v <<<"$1")"
}

# no_commands TEXT: nor for a CI system that reads the log.
no_commands() {
	no_escapes "$1"
	! grep -qP '##\[|##vso|^([\s]|\xe3\x80\x80)*::(?!error title=gp-)' <<<"$1" || fail "a command in: $1"
}

# YAML.

@test "aliases of aliases of aliases: nobody follows them" {
	{
		echo 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]'
		for i in {1..30}; do
			printf 'a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n' "$i" "$i" \
				$((i - 1)){,,,,,,,,,}
		done
		echo "image: r/web:v0 $MARKER"
	} | in_dev bomb.yaml
	bounded 0 "$SET"
	jq_is '.change.files | length' 2
	printf 'environments: &a [{name: dev}]\nx: *a\n' | commit_file gitops-promotion.yaml
	bounded 78 "$SET"
	one_message gp-read-config 'gitops-promotion.yaml:2:4: aliases are not understood here'
}

@test "an alias within its own node is a node's affair; one without a node is an error, as to Flux" {
	in_dev cycle.yaml <<<"a: &a [*a]
image: r/web:v0 $MARKER"
	bounded 0 "$SET"
	in_dev cycle.yaml <<<"a: *b
image: r/web:v0 $MARKER"
	bounded 65 "$SET"
	one_message gp-set-tag "apps/dev/cycle.yaml: line 1, column 4: unknown anchor 'b'"
	# Anchors end with their document.
	in_dev cycle.yaml <<<"a: &b 1
---
a: *b
image: r/web:v0 $MARKER"
	bounded 65 "$SET"
	one_message gp-set-tag 'line 3, column 4'
}

@test "ten thousand levels of brackets, of dashes, of JSON" {
	{
		repeat 10000 '['
		repeat 10000 ']'
		printf '\nimage: r/web:v0 %s\n' "$MARKER"
	} | in_dev deep.yaml
	bounded 65 "$SET"
	one_message gp-set-tag 'apps/dev/deep.yaml: line 1, column 1001: nested too deeply'
	{
		repeat 10000 '- '
		printf 'image: r/web:v0 %s\n' "$MARKER"
	} | in_dev deep.yaml
	bounded 65 "$SET"
	one_message gp-set-tag 'apps/dev/deep.yaml: line 1, column 2001: nested too deeply'
	{
		printf 'environments: '
		repeat 10000 '['
		echo
	} | commit_file gitops-promotion.yaml
	bounded 78 "$SET"
	one_message gp-read-config 'gitops-promotion.yaml:1:' 'nested too deeply'
	printf '{"a":%s' "$(repeat 10000 '[')$(repeat 10000 ']')}" >"$T/deep.json"
	bounded 65 'gp-set-tag <"$1"' "$T/deep.json"
	one_message gp-set-tag 'nested too deeply'
}

@test "a line of a million signs, of quotes, of markers" {
	{
		repeat 1000000 '#'
		printf ' {"$imagepolicy": 1}\n'
		repeat 300000 '#{"'
		printf '}\n'
		repeat 100000 '# {"a": "b"} '
		printf '}\nimage: r/web:v0 %s\n' "$MARKER"
	} | in_dev signs.yaml
	bounded 0 "$SET"
	jq_is '.change.files | length' 2
	# A line of very many scalars before the marker, and very many marked lines.
	{
		printf 'a: ['
		repeat 500000 'a, '
		printf 'r/web:v0 %s\n  ]\n' "$MARKER"
		seq -f 'b%g: {a: 1, newTag: v0 # {"$imagepolicy": "apps:web:tag"}
  }' 2000
	} | in_dev signs.yaml
	bounded 0 "$SET"
	jq_is '.change.files | length' 2002
}

@test "100 MB: passed over without a marker of the app, refused with one" {
	head -c 100000000 /dev/zero | tr '\0' 'a' >"$T/big"
	in_dev big.yaml <"$T/big"
	bounded 0 "$SET"
	jq_is '.change.files | length' 1
	printf '\nimage: r/web:v0 %s\n' "$MARKER" >>"$T/big"
	in_dev big.yaml <"$T/big"
	bounded 65 "$SET"
	one_message gp-set-tag 'apps/dev/big.yaml: more than 16 MiB of YAML'
	git pull --quiet
	bounded 65 "$SET --work-tree"
	one_message gp-set-tag 'apps/dev/big.yaml: more than 16 MiB of YAML'
	{
		cat gitops-promotion.yaml
		repeat 1100000 '#'
		echo
	} | commit_file gitops-promotion.yaml
	bounded 78 "$SET"
	one_message gp-read-config 'gitops-promotion.yaml: more than 1 MiB'
}

@test "a configuration of very many keys, environments, groups" {
	{
		printf 'environments: [{name: dev}]\n'
		for i in {1..20000}; do echo "k$i: 1"; done
		echo 'k7: 1'
	} | commit_file gitops-promotion.yaml
	bounded 78 "$SET"
	one_message gp-read-config "gitops-promotion.yaml:20002:1: duplicate key 'k7'"
	{
		printf 'environments:\n'
		for i in {1..1001}; do echo "- name: e$i"; done
	} | commit_file gitops-promotion.yaml
	bounded 78 "$SET"
	one_message gp-read-config 'gitops-promotion.yaml:1002:3: more than 1000 environments'
	{
		printf 'environments: [{name: dev}]\ngroups:\n'
		for i in {1..10001}; do echo "  g$i: {}"; done
	} | commit_file gitops-promotion.yaml
	bounded 78 "$SET"
	one_message gp-read-config 'more than 10000 names'
}

# Trees.

@test "a directory of 100000 entries" {
	local file other

	file=$(git -C "$REMOTE" hash-object -w --stdin <<<"image: r/web:v0 $MARKER")
	other=$(git -C "$REMOTE" hash-object -w --stdin <<<a)
	in_tree 040000 "$({
		seq -f "100644 blob $other	f%06.0f.yaml" 100000
		printf '100644 blob %s\tg.yaml\n' "$file"
	} | git -C "$REMOTE" mktree)" apps/dev/many
	bounded 0 "$SET"
	jq_is '.change.files[0].path' apps/dev/many/g.yaml
}

# bomb OBJECT MODE: a tree that has ten times a tree that has ten times … ten levels deep; its id.
bomb() {
	local mode=$2 object=$1 type=tree tree

	[ "$mode" = 040000 ] || type=blob
	for level in {1..10}; do
		tree=$(for i in {0..9}; do printf '%s %s %s\tt%d%s\n' "$mode" "$type" "$object" "$i" "${type/tree/}"; done |
			sed 's/blob$/.yaml/' | git -C "$REMOTE" mktree --missing)
		object=$tree mode=040000 type=tree
	done
	echo "$tree"
}

@test "a few trees that name each other ten thousand million times" {
	local file empty

	file=$(git -C "$REMOTE" hash-object -w --stdin <<<"image: r/web:v0 $MARKER")
	empty=$(git -C "$REMOTE" mktree </dev/null)
	in_tree 040000 "$(bomb "$file" 100644)" apps/dev/t
	bounded 65 "$SET"
	one_message gp-set-tag 'more than 500000 entries'
	in_tree 040000 "$(bomb "$empty" 040000)" apps/dev/t
	bounded 65 "$SET"
	one_message gp-set-tag 'more than 500000 entries'
}

@test "the same in a pull request: the gate is closed" {
	local empty

	empty=$(git -C "$REMOTE" mktree </dev/null)
	bounded 0 "$SET | gp-open-pr | gp-merge --auto"
	printf 'commit refs/heads/promote/apps-web\ncommitter E <e@example.com> 1700000000 +0000\ndata <<E\n%s\nE\nfrom refs/heads/promote/apps-web^1\nM 040000 %s zz\n' \
		"$(git -C "$REMOTE" log -1 --format=%B promote/apps-web)" "$(bomb "$empty" 040000)" |
		git -C "$REMOTE" fast-import --quiet --force
	bounded 1 'gp-find-pr --open --all | gp-read-config | gp-check-status'
	one_message gp-check-status 'gate of #1 is closed: trees with more than 1000000 entries are not compared'
}

@test "a few bytes in a pull request that are a manifest of 300 MiB: the gate is closed" {
	local blob

	blob=$(head -c $((300 << 20)) /dev/zero | git -C "$REMOTE" hash-object -w --stdin)
	printf 'commit refs/heads/promote/apps-web\ncommitter E <e@example.com> 1700000000 +0000\ndata <<E\n%s\nE\nfrom refs/heads/main^0\nM 100644 %s apps/dev/web.yaml\n' \
		'Promote apps/web version v1 to environment dev' "$blob" | git -C "$REMOTE" fast-import --quiet
	open_pr promote/apps-web 'Promote apps/web version v1 to environment dev' \
		'<!-- metadata = {"group":"apps","app":"web","tag":"v1","env":"dev","sha":"","feature":"","type":"promote"} -->'
	bounded 1 'gp-find-pr --open --all | gp-read-config | gp-check-status'
	one_message gp-check-status "gate of #1 is closed: blob $blob has more than 256 MiB"
}

# git itself goes no deeper than 2048 (core.maxTreeDepth).
@test "very many directories within each other" {
	printf 'commit refs/heads/main\ncommitter E <e@example.com> 1700000000 +0000\ndata 1\nx\nfrom refs/heads/main^0\nM 100644 inline apps/dev/%sx.yaml\ndata 1\nx\n' \
		"$(repeat 1500 'd/')" | git -C "$REMOTE" fast-import --quiet
	bounded 65 "$SET"
	one_message gp-set-tag 'nested too deeply'
	python3 -c '
import os
os.chdir("apps/dev")
for _ in range(10000):
    os.mkdir("d")
    os.chdir("d")'
	start apps/web v1 >"$T/document"
	bounded 65 'gp-set-tag --work-tree <"$1"' "$T/document"
	one_message gp-set-tag 'nested too deeply'
}

@test "names in trees that lead out, or into .git" {
	local file tree name

	file=$(git -C "$REMOTE" hash-object -w --stdin <<<"image: r/web:v0 $MARKER")
	for name in .. . .git .GIT a/b; do
		tree=$({
			printf '100644 %s\0' "$name"
			printf '%b' "$(sed 's/../\\x&/g' <<<"$file")"
		} | git -C "$REMOTE" hash-object -t tree -w --stdin --literally)
		in_tree 040000 "$tree" apps/dev/t
		git fetch --quiet -c transfer.fsckObjects=false 2>"$T/run/fetch" || true
		bounded 65 "$SET"
		has "$stderr" malformed
	done
}

@test "symbolic links and submodules in the way are not entered" {
	local link

	mkdir "$T/outside"
	echo "image: r/web:v0 $MARKER" | tee "$T/outside/web.yaml" >"$T/outside/before"
	link=$(printf '%s' "$T/outside/web.yaml" | git -C "$REMOTE" hash-object -w --stdin)
	in_tree 120000 "$link" apps/dev/link.yaml
	in_tree 160000 "$(remote_tip)" apps/dev/sub.yaml
	bounded 0 "$SET"
	jq_is '.change.files | length' 1
	git pull --quiet 2>"$T/run/pull"
	bounded 0 "$SET --work-tree"
	cmp "$T/outside/web.yaml" "$T/outside/before"
	# In place of the directory, and of the configuration.
	link=$(printf '%s' "$T/outside" | git -C "$REMOTE" hash-object -w --stdin)
	printf 'commit refs/heads/main\ncommitter E <e@example.com> 1700000000 +0000\ndata 1\nx\nfrom refs/heads/main^0\nD apps/dev\nM 120000 %s apps/dev\n' \
		"$link" | git -C "$REMOTE" fast-import --quiet
	bounded 65 "$SET"
	one_message gp-set-tag 'apps/dev: a symbolic link, which gp does not follow'
	git reset --quiet --hard
	git pull --quiet 2>"$T/run/pull"
	bounded 65 "$SET --work-tree"
	one_message gp-set-tag "no directory 'apps/dev' in the work tree"
	cmp "$T/outside/web.yaml" "$T/outside/before"
	link=$(printf '/etc/passwd' | git -C "$REMOTE" hash-object -w --stdin)
	in_tree 120000 "$link" gitops-promotion.yaml
	bounded 78 "$SET"
	one_message gp-read-config 'no gitops-promotion.yaml'
}

@test "FIFOs, sockets and devices in a work tree are passed over" {
	start apps/web v1 >"$T/document"
	mkfifo apps/dev/a.yaml apps/dev/Kustomization
	mkdir apps/dev/b.yaml
	python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("apps/dev/c.yaml")'
	mknod apps/dev/d.yaml c 1 5 2>"$T/run/mknod" || true
	ln -s /dev/zero apps/dev/e.yaml
	bounded 0 'gp-set-tag --work-tree <"$1"' "$T/document"
	jq_is '.change.files | length' 1
	has "$(<apps/dev/web.yaml)" 'web:v1 '
	mkdir -p "$T/fifo/apps"
	mkfifo "$T/fifo/apps/qa"
	rm -r apps/qa
	mv "$T/fifo/apps/qa" apps/qa
	sed 's/"env":"dev"/"env":"qa"/' "$T/document" >"$T/qa"
	bounded 65 'gp-set-tag --work-tree <"$1"' "$T/qa"
	one_message gp-set-tag "no directory 'apps/qa' in the work tree"
}

# Names and text on the way to a person.

@test "names with line ends and escape sequences are carried verbatim, and are harmless" {
	in_dev 'a\033[31m\n::add-mask::x\r##[group]\302\2331m.yaml' <<<"image: r/web:v0 $MARKER"
	export GITHUB_ACTIONS=true
	GP_VERBOSE=2 bounded 0 "$SET --dry-run"
	no_commands "$output"
	no_commands "$stderr"
	jq_is '.change.files[0].path' $'apps/dev/a\e[31m\n::add-mask::x\r##[group]\xc2\x9b1m.yaml'
	bounded 0 "$SET | gp-open-pr"
	no_commands "$output"
	no_escapes "$(pr 1 .description)"
	no_escapes "$(git -C "$REMOTE" log -1 --format=%B promote/apps-web)"
	fsck_clean "$REMOTE"
	git pull --quiet
	bounded 0 "$SET --work-tree --dry-run"
	no_commands "$stderr"
	bounded 0 "$SET --work-tree"
	same 'the file' "image: r/web:v1 $MARKER" "$(cat apps/dev/a*)"
}

@test "a name that is not UTF-8 cannot stand in a document" {
	in_dev 'a\377.yaml' <<<"image: r/other:v0 # {\"\$imagepolicy\": \"apps:other\"}"
	bounded 0 "$SET"
	in_dev 'a\377.yaml' <<<"image: r/web:v0 $MARKER"
	bounded 65 "$SET"
	one_message gp-set-tag "the name of 'apps/dev/a?.yaml' is not UTF-8"
	git pull --quiet
	bounded 65 "$SET --work-tree"
	one_message gp-set-tag "the name of 'apps/dev/a?.yaml' is not UTF-8"
	no_commands "$stderr"
}

@test "what stands around a marker is no command in a diff" {
	printf 'a: |\n  ::add-mask::x\n  \302\240::stop-commands::y\n  \343\200\200::error::z\n  ##[group]\nimage: r/web:v0 %s\nb: "\342\200\256"\n' \
		"$MARKER" | in_dev text.yaml
	export GITHUB_ACTIONS=true
	bounded 0 "$SET --dry-run"
	has "$stderr" '+image: r/web:v1' 'stop-commands'
	no_commands "$stderr"
	git pull --quiet
	bounded 0 "$SET --work-tree --dry-run"
	has "$stderr" '+image: r/web:v1' 'stop-commands'
	no_commands "$stderr"
}

# A document with escape sequences, as they are and as JSON writes them.
escapes() {
	printf '{"skip":{"program":"x","reason":"y"},"a\\u001b":"\\u001b[31m\\u009b31m\\u202e\\u007f \302\23331m \342\200\256 \177"}' >"$T/document"
}

@test "no escape sequence comes out of a document" {
	escapes
	bounded 0 'gp-set-tag <"$1"' "$T/document"
	no_commands "$output"
	same 'the value' "$(jq -c . "$T/document")" "$(jq -c . <<<"$output")"
}

@test "a terminal gets no escape sequence out of a document, and gets it indented" {
	needs_terminal
	escapes
	expect 0 python3 -c '
import os, pty, subprocess, sys
ours, theirs = pty.openpty()
program = subprocess.Popen(["gp-set-tag"], stdin=open(sys.argv[1]), stdout=theirs)
os.close(theirs)
text = b""
try:
    while chunk := os.read(ours, 4096):
        text += chunk
except OSError:
    pass
sys.stdout.buffer.write(text.replace(b"\r\n", b"\n"))
sys.exit(program.wait())' "$T/document"
	has "$output" $'{\n\t"skip"'
	no_commands "$output"
	same 'the value' "$(jq -c . "$T/document")" "$(jq -c . <<<"$output")"
}

@test "names that lead elsewhere are no names, wherever they come from" {
	local name

	start apps/web v1 >"$T/document"
	for name in .. ../x /etc -rf '' '$(id)' '`id`' 'a b' $'a\nb' "it's" 'a"b' $'\e[31m' $'\xff' a..b x.lock "$(repeat 101 a)"; do
		bounded 64 'gp-read-config --group "$1" --app web --tag v1 | gp-set-tag' "$name"
		no_commands "$stderr"
		bounded 64 'gp-read-config --group apps --app "$1" --tag v1 | gp-set-tag' "$name"
		no_commands "$stderr"
		jq -c --arg name "$name" '.promotion.env = $name' "$T/document" >"$T/edited"
		bounded 65 'gp-set-tag <"$1"' "$T/edited"
		no_commands "$stderr"
	done
	for name in ../x -x 'a b' '' $'v1\nv2' '$(id)' 'v1@v2' "$(repeat 129 a)"; do
		bounded 64 'gp-read-config --group apps --app web --tag="$1" | gp-set-tag' "$name"
		no_commands "$stderr"
	done
	same branches main "$(remote_branches)"
}
