# shellcheck shell=sh disable=SC2154 # gp-options sets the variables
# What gp's wrappers have in common. The wrapper sets `usage`, and `options` as gp-options(1) describes them; "$@" is read
# as gp's programs read their arguments. -C changes directory once, and the programs get provider, remote, base and
# verbosity through the environment.
common_usage='      --json           print the document also on a terminal
  -n, --dry-run        say what would be done and do nothing
  -C dir               work in dir
      --base branch    base branch (default: the default branch of the remote)
      --provider name  forge (default: inferred from the remote URL)
      --remote name    remote (default: origin)
  -q, --quiet          only errors on standard error
  -v, --verbose        say more
  -h, --help           show this help
  -V, --version        show the version'
code=$(gp-options "${0##*/}" "$usage
$common_usage" "${options-} json n:dry-run" "$@") || exit
eval "$code"

# quiet_on_terminal: gp-report says on a terminal what the programs would say.
quiet_on_terminal() {
	[ -n "$json$dry_run${GP_VERBOSE-}" ] || [ ! -t 1 ] || export GP_VERBOSE=-1
}

# A shell that a signal ends leaves its pipe's programs behind, and they theirs. So the pipe runs in the background, where
# a signal does not wait for its end, and a signal ends them all: the pipe, and what it has started.
processes() {
	if [ ! -r "/proc/$$/stat" ]; then
		ps -A -o pid= -o ppid=
		return
	fi
	for stat in /proc/[0-9]*/stat; do
		# pid (name) state parent: the name may have blanks and parentheses
		read -r line <"$stat" && rest=${line##*) } && rest=${rest#* } && echo "${line%% *} ${rest%% *}"
	done 2>/dev/null
}

# All are stopped before any is ended: one that has lost its parent would not be found, nor one that is only being started.
end_all() {
	trap '' HUP INT QUIT TERM
	set +e
	mine=" $$ " before=''
	while [ "$mine" != "$before" ]; do
		before=$mine all=$(processes)
		while read -r pid parent; do
			case $mine in
			*" $pid "*) continue ;;
			*" $parent "*) kill -s STOP "$pid" 2>/dev/null && mine="$mine$pid " ;;
			esac
		done <<-END
			$all
		END
	done
	for pid in ${mine#" $$ "}; do
		kill "$pid" && kill -s CONT "$pid"
	done 2>/dev/null
	wait
	trap - "$1"
	kill -s "$1" "$$"
}

# finish: waits for the pipe that was started last, which is the wrapper's end.
finish() {
	wait "$!"
}

for signal in HUP INT QUIT TERM; do
	# shellcheck disable=SC2064 # this signal
	trap "end_all $signal" "$signal"
done
