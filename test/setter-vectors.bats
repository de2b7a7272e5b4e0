#!/usr/bin/env bats
# The setter's vectors, test/setter/NAME/: before.yaml; args, which has group,
# app and tag; and after.yaml, or error, which has the exit status and words of
# the message. Each vector is an environment of its own, so that one stream
# goes through all of them. Beside the vector stands a plain manifest of the
# app, so that there always is something to do.

setup() {
	load helper
	gp_setup
	vectors="$test_root/test/setter"
	make_gitops
	git config --global core.autocrlf false
}

# lay_out DIR FILE: FILE (before.yaml, or after.yaml where there is one) of each vector, in DIR.
lay_out() {
	local vector group app tag env

	for vector in "$vectors"/*/; do
		read -r group app tag <"$vector/args"
		env=$(basename "$vector")
		mkdir -p "$1/$group/$env"
		cp "$vector/before.yaml" "$1/$group/$env/vector.yaml"
		[ ! -e "$vector/$2" ] || cp "$vector/$2" "$1/$group/$env/vector.yaml"
		printf 'image: web:v0 # {"$imagepolicy": "%s:%s"}\n' "$group" "$app" >"$1/$group/$env/plain.yaml"
		jq -cn --arg g "$group" --arg a "$app" --arg t "$tag" --arg e "$env" \
			'{promotion: {type: "promote", group: $g, app: $a, tag: $t, env: $e, sha: "", feature: ""},
				environment: {name: $e, auto: false, previous: null}}' >>"$T/vectors"
	done
}

# documents: the vectors' documents, on the current tip.
documents() {
	start apps/web v1 >"$T/start"
	jq -c --slurpfile start "$T/start" '$start[0] + .' "$T/vectors" >"$T/documents"
}

# judge SHOW: each document of $T/out is what its vector says. SHOW DOCUMENT PATH prints a file as it is now.
judge() {
	local document vector group app tag env want words count=0 failed=0

	while read -r document; do
		count=$((count + 1))
		IFS=$'\t' read -r group app tag env < <(jq -r '.promotion | [.group, .app, .tag, .env] | @tsv' <<<"$document")
		vector=$vectors/$env
		"$1" "$document" "$group/$env/vector.yaml" >"$T/got"
		if [ -e "$vector/error" ]; then
			read -r want words <"$vector/error"
			cp "$vector/before.yaml" "$T/want"
		else
			want=0 words=''
			cp "$vector/after.yaml" "$T/want"
		fi
		if [ "$(jq '.error.exit // 0' <<<"$document")" != "$want" ] || ! cmp -s "$T/want" "$T/got" ||
			[[ "$(jq -r '.error.message // ""' <<<"$document")" != *"$words"* ]]; then
			failed=$((failed + 1))
			printf '%s (%s): %s\n' "$env" "$want $words" "$(jq -c '.error // "no error"' <<<"$document")" >&2
			diff "$T/want" "$T/got" | cat -A >&2
		fi
	done <"$T/out"
	same vectors "$(find "$vectors" -name before.yaml | grep -c '')" "$count"
	[ "$failed" -eq 0 ] || fail "$failed of $count vectors"
}

in_commit() {
	git cat-file blob "$(jq -r '.change.commit // .repository.tip' <<<"$1"):$2"
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
	judge in_commit
}
