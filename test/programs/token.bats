#!/usr/bin/env bats
# How the forge's token gets to git, and where it does not get to.

setup() {
	load ../lib/helper
	gp_setup
	make_gitops
	# A git that writes down what it was called with, and does not go anywhere.
	mkdir "$T/spy"
	real=$(command -v git)
	cat >"$T/spy/git" <<-SH
		#!/bin/sh
		{
			echo "argv \$*"
			i=0
			while [ \$i -lt "\${GIT_CONFIG_COUNT:-0}" ]; do
				eval "echo \"config \\\$GIT_CONFIG_KEY_\$i=\\\$GIT_CONFIG_VALUE_\$i\""
				i=\$((i + 1))
			done
		} >>'$T/git.secret'
		case " \$* " in
		*' ls-remote '*)
			[ -z "\$SSH_DENIED" ] || [ "\${GIT_CONFIG_KEY_0#url}" != "\$GIT_CONFIG_KEY_0" ] || {
				echo 'git@github.com: Permission denied (publickey).' >&2
				exit 128
			}
			echo '$(git rev-parse HEAD)	refs/heads/main'
			;;
		*) exec '$real' "\$@" ;;
		esac
	SH
	chmod +x "$T/spy/git"
	export PATH="$T/spy:$PATH"
	basic=$(printf 'x-access-token:%s' s3cr3t | base64)
}

# remote URL: the clone's.
remote() {
	"$real" remote set-url origin "$1"
	: >"$T/git.secret"
}

read_config() {
	expect 0 gp-read-config --base main --group apps --app web --tag v1
}

@test "it goes to git as configuration for exactly the remote's URL, never as an argument" {
	remote https://github.com/acme/shop.git
	GITHUB_TOKEN=s3cr3t read_config
	same argv '' "$(grep ^argv "$T/git.secret" | grep -e s3cr3t -e "$basic")"
	same config "config http.https://github.com/acme/shop.git.extraheader=
config http.https://github.com/acme/shop.git.extraheader=Authorization: Basic $basic
config http.https://github.com/acme/shop.git.followRedirects=false" "$(grep ^config "$T/git.secret")"
	lacks "$output$stderr" s3cr3t "$basic"
}

@test "what the environment configures git with stays" {
	remote https://github.com/acme/shop.git
	GITHUB_TOKEN=s3cr3t GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=user.name GIT_CONFIG_VALUE_0=me read_config
	has "$(cat "$T/git.secret")" 'config user.name=me' "extraheader=Authorization: Basic $basic"
}

@test "GP_TOKEN comes before the forge's own, and a file after them" {
	remote https://github.com/acme/shop.git
	echo s3cr3t >"$T/token"
	GP_TOKEN_FILE=$T/token read_config
	has "$(cat "$T/git.secret")" "$basic"
	: >"$T/git.secret"
	GP_TOKEN=s3cr3t GH_TOKEN=an0ther GP_TOKEN_FILE=$T/none read_config
	has "$(cat "$T/git.secret")" "$basic"
	GP_TOKEN_FILE=$T/none expect 78 gp-read-config --base main --group apps --app web --tag v1
	has "$stderr" GP_TOKEN_FILE "$T/none"
}

@test "not over plain HTTP, not to a URL that has its own password, not to another forge" {
	local url

	for url in http://github.com/acme/shop.git https://me:mine@github.com/acme/shop.git; do
		remote "$url"
		GITHUB_TOKEN=s3cr3t read_config
		same "$url" '' "$(grep "$basic" "$T/git.secret")"
	done
	remote https://dev.azure.com/acme/shop/_git/shop
	GITHUB_TOKEN=s3cr3t read_config
	same 'another forge' '' "$(grep -i authorization "$T/git.secret")"
}

@test "a URL with a user name gets it like the one without" {
	local url

	for url in https://acme@dev.azure.com/acme/shop/_git/shop http://acme@127.0.0.1:8080/acme/shop/_git/shop \
		http://acme@localhost/acme/shop/_git/shop; do
		remote "$url"
		GP_PROVIDER=azdo AZURE_DEVOPS_EXT_PAT=s3cr3t read_config
		has "$(cat "$T/git.secret")" "config http.$url.extraheader=Authorization: Basic "
	done
	for url in http://acme@git.example/shop http://127.0.0.1@git.example/shop http://localhost:80@git.example/shop \
		http://me@localhost@git.example/shop https://me@you@git.example/shop; do
		remote "$url"
		GP_PROVIDER=azdo AZURE_DEVOPS_EXT_PAT=s3cr3t read_config
		same "$url" '' "$(grep -i authorization "$T/git.secret")"
	done
}

@test "a forge of somebody's own gets it too, with GP_GIT_USER, and the remote's URL alone" {
	local own

	own=$(printf git:s3cr3t | base64)
	remote https://git.example/shop.git
	GP_PROVIDER=mine GP_TOKEN=s3cr3t read_config
	same config "config http.https://git.example/shop.git.extraheader=
config http.https://git.example/shop.git.extraheader=Authorization: Basic $own
config http.https://git.example/shop.git.followRedirects=false" "$(grep ^config "$T/git.secret")"
	: >"$T/git.secret"
	GP_GIT_USER=oauth2 GP_PROVIDER=mine GP_TOKEN=s3cr3t read_config
	has "$(cat "$T/git.secret")" "Basic $(printf oauth2:s3cr3t | base64)"
	: >"$T/git.secret"
	GITHUB_TOKEN=s3cr3t GP_PROVIDER=mine read_config
	same "another forge's token" '' "$(grep -i authorization "$T/git.secret")"
	GP_GIT_USER=a:b GP_PROVIDER=mine GP_TOKEN=s3cr3t expect 78 gp-read-config --base main --group apps --app web --tag v1
	has "$stderr" GP_GIT_USER
	GP_PROVIDER=local GP_TOKEN=s3cr3t read_config
	same 'the local forge' '' "$(grep -i authorization "$T/git.secret")"
}

@test "an SSH remote that does not let us in is reached over HTTPS" {
	remote git@github.com:acme/shop.git
	SSH_DENIED=1 GITHUB_TOKEN=s3cr3t read_config
	same config "config url.https://github.com/acme/shop.git.insteadOf=git@github.com:acme/shop.git
config http.https://github.com/acme/shop.git.extraheader=
config http.https://github.com/acme/shop.git.extraheader=Authorization: Basic $basic
config http.https://github.com/acme/shop.git.followRedirects=false" "$(grep ^config "$T/git.secret")"
}

@test "an SSH remote that lets us in stays one, and without a token its error is told" {
	remote git@github.com:acme/shop.git
	GITHUB_TOKEN=s3cr3t read_config
	same config '' "$(grep ^config "$T/git.secret")"
	SSH_DENIED=1 expect 71 gp-read-config --base main --group apps --app web --tag v1
	has "$stderr" 'Permission denied'
}

@test "the server that GitHub Actions names is one of GitHub's" {
	remote https://git.acme.example/acme/shop.git
	expect 78 gp-read-config --base main --group apps --app web --tag v1
	GITHUB_SERVER_URL=https://git.acme.example GITHUB_TOKEN=s3cr3t read_config
	jq_is .repository.provider github
	has "$(cat "$T/git.secret")" "http.https://git.acme.example/acme/shop.git.extraheader=Authorization: Basic $basic"
}

@test "a server that says nothing is given up after GP_TIMEOUT: 75" {
	local port

	IFS= read -r -t 30 port < <(exec python3 - "$$" 3>&- 2>/dev/null <<-'END'
		import os, socket, sys, time
		s = socket.socket()
		s.bind(("127.0.0.1", 0))
		s.listen()
		print(s.getsockname()[1], flush=True)
		if os.fork():
		    os._exit(0)
		os.close(1)
		while os.path.exists("/proc/" + sys.argv[1]):
		    time.sleep(0.2)
	END
	)
	PATH=${PATH#"$T/spy:"} git remote set-url origin "http://127.0.0.1:$port/acme/shop.git"
	PATH=${PATH#"$T/spy:"} GP_PROVIDER=github GP_TIMEOUT=1 expect 75 gp-read-config --group apps --app web --tag v1
	has "$stderr" 'cannot reach remote' "127.0.0.1:$port"
}
