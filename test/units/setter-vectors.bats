#!/usr/bin/env bats
# The setter's vectors, test/setter/NAME/: before.yaml; args, which has group,
# app and tag; and after.yaml, or error, which has the exit status and words of
# the message. lines, where there is one, has the numbers of the lines that the
# document has to tell of. Each vector is an environment of its own, so that one
# stream goes through all of them. Beside the vector stands a plain manifest of
# the app, so that there always is something to do.

setup() {
	load ../lib/helper
	gp_setup
	vectors="$test_root/test/units/setter"
	make_gitops
	git config --global core.autocrlf false
}

# lay_out DIR FILE: FILE (before.yaml, or after.yaml where there is one) of each vector, in DIR.
lay_out() {
	local vector group app tag env

	for vector in "$vectors"/*; do
		read -r group app tag <"$vector/args"
		env=${vector##*/}
		mkdir -p "$1/$group/$env"
		if [ -e "$vector/$2" ]; then
			cp "$vector/$2" "$1/$group/$env/vector.yaml"
		else
			cp "$vector/before.yaml" "$1/$group/$env/vector.yaml"
		fi
		printf 'image: web:v0 # {"$imagepolicy": "%s:%s"}\n' "$group" "$app" >"$1/$group/$env/plain.yaml"
		printf '{"promotion":{"type":"promote","group":"%s","app":"%s","tag":"%s","env":"%s","sha":"","feature":""},' \
			"$group" "$app" "$tag" "$env"
		printf '"environment":{"name":"%s","auto":false,"previous":null}}\n' "$env"
	done >"$T/vectors"
}

# documents: the vectors' documents, on the current tip.
documents() {
	start apps/web v1 >"$T/start"
	jq -c --slurpfile start "$T/start" '$start[0] + .' "$T/vectors" >"$T/documents"
}

# judge SHOW [again]: each document of $T/out is what its vector says. SHOW COMMIT PATH prints a file as it is now;
# nothing is left to tell of when it is done again.
judge() {
	local group env commit exit message lines vector want wanted words want_lines count=0 failed=0

	jq -r '[.promotion.group, .promotion.env, .change.commit // .repository.tip, .error.exit // 0, .error.message // "-",
		([.change.files[]? | select(.path | endswith("/vector.yaml")) | .line] | join(" "))] | @tsv' \
		"$T/out" >"$T/table"
	while IFS=$'\t' read -r group env commit exit message lines; do
		count=$((count + 1))
		vector=$vectors/$env
		"$1" "$commit" "$group/$env/vector.yaml" >"$T/got"
		want=0 words='' wanted=$vector/after.yaml
		want_lines=$lines
		[ "${2:-}" = again ] || [ ! -e "$vector/lines" ] || want_lines=$(<"$vector/lines")
		if [ -e "$vector/error" ]; then
			read -r want words <"$vector/error"
			wanted=$vector/before.yaml
		fi
		if [ "$exit" != "$want" ] || [[ "$message" != *"$words"* ]] || [ "$lines" != "$want_lines" ] || ! cmp -s "$wanted" "$T/got"; then
			failed=$((failed + 1))
			printf '%s (%s): %s %s\n' "$env" "$want $words" "$exit" "$message" >&2
			printf 'lines %s, not %s\n' "$lines" "$want_lines" >&2
			diff "$wanted" "$T/got" | cat -A >&2
		fi
	done <"$T/table"
	same vectors "$(find "$vectors" -name before.yaml | grep -c '')" "$count"
	[ "$failed" -eq 0 ] || fail "$failed of $count vectors"
}

in_commit() {
	git cat-file blob "$1:$2"
}

in_work_tree() {
	cat "$2"
}

@test "every vector as a commit" {
	lay_out "$SEED" before.yaml
	seed_push vectors
	documents
	timeout 60 gp-set-tag <"$T/documents" >"$T/out" 2>"$T/err" || true
	judge in_commit
}

@test "every vector in the work tree" {
	lay_out "$SEED" before.yaml
	seed_push vectors
	git pull --quiet
	documents
	timeout 60 gp-set-tag --work-tree <"$T/documents" >"$T/out" 2>"$T/err" || true
	judge in_work_tree
}

@test "every outcome, set again, stays as it is" {
	lay_out "$SEED" after.yaml
	seed_push vectors
	documents
	timeout 60 gp-set-tag <"$T/documents" >"$T/out" 2>"$T/err" || true
	judge in_commit again
}
