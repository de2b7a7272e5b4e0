#!/usr/bin/env bats
# Several at once: what else happens between any two requests of a flow (test/fire/faults/races), and crowds.

setup() {
	load ../lib/helper
	load ../lib/faults
	gp_setup
}

@test "something else happens before each request of a flow: local" {
	under_fire
	in_lanes local 3 races
}

@test "something else happens before each request of a flow: github" {
	under_fire
	in_lanes github 3 races
}

@test "something else happens before each request of a flow: azdo" {
	under_fire
	in_lanes azdo 3 races
}

# crowd COUNT: so many gp-new for as many apps, eight at a time, in one clone: none is lost.
crowd() {
	seq "$1" | xargs -P 8 -I N timeout 120 gp-new --group apps --app aN --tag v1 3>&- >"$T/run/crowd" 2>"$T/run/crowd.err" ||
		fail "$(cat "$T/run/crowd.err")" || return
	prs '"\(.branch) \(.title) \(.auto_merge)"' | sort >"$T/run/got"
	for n in $(seq "$1"); do
		echo "promote/apps-a$n Promote apps/a$n version v1 to environment dev true"
	done | sort >"$T/run/wanted"
	diff -u "$T/run/wanted" "$T/run/got" >&2
	for n in $(seq "$1"); do
		same "tag of a$n" v1 "$(remote_tag apps dev "a$n" "promote/apps-a$n")" || return
	done
	fsck_clean "$CLONE"
}

@test "50 apps at once: local" {
	under_fire
	make_gitops --apps "$(printf 'apps/a%s ' {1..50})"
	crowd 50
	fsck_clean "$REMOTE"
}

@test "50 apps at once: github" {
	under_fire
	load ../fakes/github/hands
	hub_gitops --apps "$(printf 'apps/a%s ' {1..50})"
	crowd 50
}

@test "50 apps at once: azdo" {
	under_fire
	load ../fakes/azdo/hands
	hub_gitops --apps "$(printf 'apps/a%s ' {1..50})"
	crowd 50
}

# both: two releases of one app, started together. Whoever says 75 is run again.
both() {
	local tag tags=(v1 v2) pids=() status

	for tag in "${tags[@]}"; do
		GP_VERBOSE=-1 gp-new --group apps --app web --tag "$tag" >"$T/run/$tag" 2>"$T/run/$tag.err" 3>&- &
		pids+=($!)
	done
	for tag in "${tags[@]}"; do
		status=0
		wait "${pids[0]}" || status=$?
		pids=("${pids[@]:1}")
		[ "$status" -eq 0 ] || same "$(cat "$T/run/$tag.err")" 75 "$status" || return
		[ "$status" -eq 0 ] || same number 1 "$(new apps/web "$tag")" || return
	done
	same pulls 1 "$(prs | grep -c '')"
	tag=$(remote_tag apps dev web promote/apps-web)
	[[ "$tag" == v[12] ]]
	same title "Promote apps/web version $tag to environment dev" "$(prs .title)"
	has "$(prs .description)" "\"tag\":\"$tag\""
	has "$(git -C "$REMOTE" log -1 --format=%B promote/apps-web)" "\"tag\":\"$tag\""
	same auto true "$(prs .auto_merge)"
}

@test "two releases of one app at once: local" {
	make_gitops
	both
}

@test "two releases of one app at once: github" {
	load ../fakes/github/hands
	hub_gitops
	both
}

@test "two releases of one app at once: azdo" {
	load ../fakes/azdo/hands
	hub_gitops
	both
}

# ten GREP_ORDER: ten releases of one app at once: nobody fails; one pull request, and it is all one release's.
ten() {
	local n pids=() failed=0

	for n in {10..19}; do
		gp-new --group apps --app web --tag "1.$n.0" >"$T/run/$n" 2>"$T/run/$n.err" 3>&- &
		pids+=($!)
	done
	for n in "${!pids[@]}"; do
		wait "${pids[$n]}" || failed=$((failed + 1))
	done
	same 'how many failed' 0 "$failed" || fail "$(cat "$T"/run/*.err)" || return
	same pulls 1 "$(prs | grep -c '')"
	tag=$(remote_tag apps dev web promote/apps-web)
	same title "Promote apps/web version $tag to environment dev" "$(prs .title)"
	has "$(prs .description)" "\"tag\":\"$tag\""
	has "$(git -C "$REMOTE" log -1 --format=%B promote/apps-web)" "\"tag\":\"$tag\""
	same auto true "$(prs .auto_merge)"
}

@test "ten releases of one app at once: none fails, and with an order the newest stays: local" {
	make_gitops --config 'order: semver'
	ten
	same newest 1.19.0 "$tag"
}

@test "ten releases of one app at once: none fails, and with an order the newest stays: github" {
	load ../fakes/github/hands
	hub_gitops --config 'order: semver'
	ten
	same newest 1.19.0 "$tag"
}

@test "ten releases of one app at once, without an order: one of them stays, whole" {
	make_gitops
	ten
}

@test "the same release ten times at once: all succeed" {
	make_gitops
	local n pids=()

	for n in {1..10}; do
		gp-new --group apps --app web --tag v1 >"$T/run/$n" 2>"$T/run/$n.err" 3>&- &
		pids+=($!)
	done
	for n in "${pids[@]}"; do wait "$n" || fail "$(cat "$T"/run/*.err)"; done
	same pulls 1 "$(prs | grep -c '')"
}
