# Which forges there are is known to their drivers, to the table in provider*.c and to what is written for people: the
# sources that comments cite, gp's list of programs. For awk -f over everything else.
{
	line = tolower($0)
	gsub(/(https:\/\/)?[a-z.]*(github|microsoft)\.com\/[^ )]*/, "", line)
	# By this variable a CI system is known, which shows errors in its own way; that is no forge.
	gsub(/github_actions/, "", line)
	sub(/^[ \t]*forge-[a-z]* .*/, "", line)
}

line ~ /github|azure|azdo|devops|visualstudio|gitlab|gitea|bitbucket/ {
	printf "%s:%d: names a forge: %s\n", FILENAME, FNR, $0
	bad = 1
}

END { exit bad }
