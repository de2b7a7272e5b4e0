# shellcheck shell=sh disable=SC2034,SC2154 # it shares its variables with the wrapper
# What gp's wrappers have in common: reads "$@", changes directory for -C, and hands provider, remote, base and
# verbosity to the programs by the environment. The wrapper sets `usage` and a function `option NAME VALUE` for
# the options of its own, all of which take a value; it returns 1 where it knows no such option.
fail() {
	message="${0##*/}: $1"
	if [ -n "${GITHUB_ACTIONS-}${TF_BUILD-}" ]; then
		# Also as the CI system shows errors; and what came from outside must not be a command or a line of its own to it.
		message=$(printf '%s' "$message" | tr '\000-\037\177#%' '[?*]')
		[ -z "${GITHUB_ACTIONS-}" ] || printf '::error title=%s::%s\n' "${0##*/}" "${message#*: }" >&2
		[ -n "${GITHUB_ACTIONS-}" ] || printf '##vso[task.logissue type=error]%s\n' "$message" >&2
	fi
	printf '%s\n' "$message" >&2
	exit 64
}

# need NAME VALUE: an option that cannot be left out.
need() {
	[ -n "$2" ] || fail "option '--$1' is missing"
}

# check_method VALUE: told here, because the program that takes it is the last of the pipe.
check_method() {
	case $1 in
	'' | merge | squash | rebase) ;;
	*) fail "no such method: '$1' (merge, squash or rebase)" ;;
	esac
}

common_usage='  -n, --dry-run        say what would be done and do nothing
  -C dir               work in dir
      --base branch    base branch (default: the default branch of the remote)
      --provider name  forge (default: told by the URL of the remote)
      --remote name    remote (default: origin)
  -q, --quiet          only errors on standard error
  -v, --verbose        say more
  -h, --help           show this help
  -V, --version        show the version'

dry_run='' verbose=''
while [ $# -gt 0 ]; do
	# One spelling for all below: --name=value, -Cvalue and -nv become two words; --wait alone waits as long as the default.
	case $1 in
	--wait) shift && set -- --wait '' "$@" ;;
	--?*=*) first=${1%%=*} rest=${1#*=} && shift && set -- "$first" "$rest" "$@" ;;
	-C?*) rest=${1#-C} && shift && set -- -C "$rest" "$@" ;;
	-[hVqvn]?*) first=${1%"${1#??}"} rest=-${1#??} && shift && set -- "$first" "$rest" "$@" ;;
	esac
	case $1 in
	-h | --help) printf '%s\n%s\n' "$usage" "$common_usage" && exit ;;
	-V | --version) version=$(gp-read-config --version) && echo "${0##*/} ${version##* }" && exit ;;
	-q | --quiet) verbose=-1 && shift && continue ;;
	-v | --verbose) verbose=$((${verbose:-0} + 1)) && shift && continue ;;
	-n | --dry-run) dry_run=--dry-run && shift && continue ;;
	-C | --directory | --provider | --remote | --base) ;;
	-*) option "$1" "${2-}" || fail "unknown option '$1'" ;;
	*) fail "unexpected argument '$1'" ;;
	esac
	[ $# -gt 1 ] || fail "option '$1' needs a value"
	case $1 in
	-C | --directory) cd -- "$2" 2>/dev/null || fail "cannot change to directory '$2'" ;;
	--provider) export GP_PROVIDER="$2" ;;
	--remote) export GP_REMOTE="$2" ;;
	--base) export GP_BASE="$2" ;;
	esac
	shift 2
done
[ -z "$verbose" ] || export GP_VERBOSE="$verbose"

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
