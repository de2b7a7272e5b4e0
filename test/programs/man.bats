#!/usr/bin/env bats
# The man pages, held to the programs.

setup() {
	load ../lib/helper
	gp_setup
	man="$test_root/man"
}

# rendered PAGE: as plain text of one width.
rendered() {
	mandoc -T utf8 -O width=200 "$1" | sed "s/.$(printf '\b')//g"
}

@test "mandoc finds nothing to say of any page" {
	command -v mandoc >/dev/null || skip 'no mandoc'
	local page

	for page in "$man"/*.[157]; do
		expect 0 mandoc -T lint -W warning "$page"
		same "${page##*/}" '' "$output$stderr"
	done
}

@test "every program, wrapper and format has its page" {
	local page

	for page in gp-document.5 gitops-promotion.yaml.5 gp-forge.7 gp.7; do
		[ -e "$man/$page" ] || fail "no $page"
	done
	for page in "$GP_BUILD"/gp-* "$test_root"/scripts/gp-*; do
		[ -x "$page" ] && [ -f "$page" ] || continue
		[ -e "$man/${page##*/}.1" ] || fail "no ${page##*/}.1"
	done
}

@test "sections come in one order" {
	local page got wanted='NAME SYNOPSIS DESCRIPTION ENVIRONMENT FILES EXIT_STATUS EXAMPLES SEE_ALSO'
	local section

	for page in "$man"/gp-*.1; do
		got=$(sed -n 's/^\.Sh //p' "$page" | tr -d '"' | tr ' ' '_' | paste -sd ' ')
		section=$(for name in $wanted; do case " $got " in *" $name "*) echo "$name" ;; esac done | paste -sd ' ')
		same "${page##*/}" "$section" "$(for name in $got; do case " $wanted " in *" $name "*) echo "$name" ;; esac done | paste -sd ' ')"
		has " $got " ' NAME ' ' SYNOPSIS ' ' DESCRIPTION ' ' EXIT_STATUS ' ' EXAMPLES '
	done
}

# The words of a usage, without the line breaks and the indent.
words() {
	tr -s ' \n\t' ' ' | sed 's/^ //; s/ $//'
}

@test "--help is the SYNOPSIS" {
	command -v mandoc >/dev/null || skip 'no mandoc'
	local page program synopsis usage

	for page in "$man"/gp-*.1 "$man"/gp.1; do
		[ -e "$page" ] || continue
		program=$(basename "$page" .1)
		synopsis=$(rendered "$page" | sed -n '/^SYNOPSIS/,/^[A-Z]/{/^[A-Z]/d;p;}' | words)
		expect 0 "$program" --help
		usage=$(awk 'NR > 1 && /^[^ ]|^$/ { exit } { print }' <<<"$output" | sed 's/^usage: //' | words)
		same "$program" "$synopsis" "$usage"
	done
}

@test "exit numbers exist in exit.h, and mean what it says" {
	command -v mandoc >/dev/null || skip 'no mandoc'
	local page number

	for page in "$man"/gp-*.1; do
		for number in $(sed -n '/^\.Sh EXIT STATUS/,/^\.Sh/s/^\.It \(Li \)\{0,1\}\([0-9]\{1,3\}\).*/\2/p' "$page"); do
			grep -Eq "= ${number}[ ,]" "$test_root/common/sys/exit.h" || fail "${page##*/}: $number"
		done
	done
}

@test "every long option that a program takes is in its page" {
	local page program option

	for page in "$man"/gp-*.1; do
		program=$(basename "$page" .1)
		expect 0 "$program" --help
		for option in $(grep -o -e '--[a-z][a-z-]*' <<<"$output" | sort -u); do
			grep -Eq -e "Fl -${option#--}( |\$|[=,:])" "$page" || fail "$program: $option is not in its page"
		done
	done
}

@test "pages that are referred to exist" {
	local page name section

	for page in "$man"/*.[157]; do
		while read -r name section; do
			case $name in
			gp | gp-* | gitops-promotion.yaml) ;;
			*) continue ;;
			esac
			[ -e "$man/$name.$section" ] || fail "${page##*/} refers to $name($section)"
		done < <(grep -oE '\.?Xr [A-Za-z0-9.-]+ [0-9]' "$page" | cut -d ' ' -f 2,3)
	done
}

@test "gp(7) names every page" {
	local page name

	for page in "$man"/*.[157]; do
		name=${page##*/}
		[ "$name" != gp.7 ] || continue
		grep -Eq "Xr ${name%.*} ${name##*.}( |$)" "$man/gp.7" || fail "gp(7) does not name $name"
	done
}

@test "gp-document(5) names every member" {
	local member

	for member in promotion config environment repository change pull_request previous_pull_request status skip error dry_run; do
		grep -qw "$member" "$man/gp-document.5" || fail "$member"
	done
}

@test "gitops-promotion.yaml(5) names every key" {
	local key

	for key in prflow environments name env auto status_timeout_minutes status_context status_description order clusters gate_check groups; do
		grep -qw "$key" "$man/gitops-promotion.yaml.5" || fail "$key"
	done
}

@test "gp-forge(7) names every operation" {
	local op

	for op in get-repository find-pr open-pr set-auto-merge merge-pr list-statuses set-status; do
		grep -q -e "$op" "$man/gp-forge.7" || fail "$op"
	done
}

@test "the examples' commands exist, with options that their programs take" {
	local page program option rest

	for page in "$man"/*.1; do
		# each "gp-x --a --b" up to a pipe's end, within the examples
		while read -r program rest; do
			command -v "$program" >/dev/null || fail "${page##*/}: $program"
			for option in $(grep -oE -e '(^| )--[a-z][a-z-]*' <<<"$rest"); do
				has "$("$program" --help) --help --version --quiet --verbose --remote --base --provider --dry-run" "$option" ||
					fail "${page##*/}: $program $option"
			done
		done < <(sed -n '/^\.Sh EXAMPLES/,/^\.Sh/p' "$page" | grep -oE '\bgp-[a-z][a-z-]*( [^|>;]*)?' | grep -vE '^gp-(document|forge)( |$)')
	done
}

# sources: all program text on one line, adjacent string literals joined.
sources() {
	cat "$test_root"/bin/*.c "$test_root"/common/*/*.c "$test_root"/common/*/*/*.c "$test_root"/scripts/install-deps \
		"$test_root"/scripts/ci/azure/since | tr '\n\t' '  ' | sed 's/" *"//g'
}

# pattern MESSAGE: the message as a regular expression. A word in capitals stands for what a format or another literal fills
# in, unless it is part of a variable's name.
pattern() {
	sed 's/[][\\.*^$(){}?+|]/\\&/g; s/#N\b/#[^ ]{1,20}/g; s/'\''gp\/gate'\''/[^ ]{1,20}/g
		s/\b\(HOST\|REPO\|BRANCH\|ENV\|GROUP\|APP\|TAG\|COMMIT\|SECONDS\|TEXT\|N\)\b/[^ ]{0,60}/g; s/--tag$/[^ ]*/; s/:/(%s)?:/' <<<"$1"
}

@test "messages that gp-github(7) and gp-azdo(7) explain are in the sources" {
	local page message text pieces

	text=$(sources)
	for page in "$man/gp-github.7" "$man/gp-azdo.7"; do
		pieces=0
		while read -r message; do
			grep -qE -e "$(pattern "$message")" <<<"$text" || fail "${page##*/}: no source says '$message'"
			pieces=$((pieces + 1))
		done < <(sed -n '/^\.Sh TROUBLESHOOTING/,/^\.Sh SEE/s/^\.It Sy //p' "$page")
		[ "$pieces" -ge 10 ] || fail "${page##*/}: $pieces messages"
	done
}

# plain RENDERER PAGE: as text for a terminal of 80 columns.
plain() {
	case $1 in
	mandoc) mandoc -T ascii -O width=78 "$2" | col -bx ;;
	groff) groff -mdoc -T ascii -P -cbou -rLL=78n "$2" 2>&1 ;;
	esac
}

@test "tables fit into 80 columns, in each renderer that is there" {
	local page renderer cells row line met=0

	for renderer in mandoc groff; do
		command -v "$renderer" >/dev/null || continue
		for page in $(grep -l '^\.Bl -column' "$man"/*.[157]); do
			plain "$renderer" "$page" >"$T/text"
			# Each row's cells stand on one line, in order.
			while read -r row; do
				cells=$(sed 's/^\.It //; s/\bSy //g; s/Xr \([^ ]*\) \([0-9]\)/\1\\(\2\\)/g; s/ , /, /g; s/ Ta / +/g' <<<"$row")
				line=$(grep -E -e "^ *$cells *\$" "$T/text") || fail "$renderer ${page##*/}: '$row' is not on one line"
				[ "${#line}" -le 80 ] || fail "$renderer ${page##*/}: $line"
				met=$((met + 1))
			done < <(sed -n '/^\.Bl -column/,/^\.El/s/^\.It .* Ta .*/&/p' "$page")
		done
	done
	[ "$met" -gt 0 ] || skip 'neither mandoc nor groff'
}
