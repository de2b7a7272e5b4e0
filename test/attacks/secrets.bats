#!/usr/bin/env bats
# Tokens and passwords: where they go, and that they are nowhere else. That no test of the whole suite sees one in what a
# program prints, or leaves one in a file, is the affair of helper.bash; here is the proof that it would be found there.

setup() {
	load ../lib/helper
	gp_setup
	load ../fakes/github/hands
}

# spy_on_git: from here on git writes down, for each call, its environment (env.secret) and what all processes are called
# (argv.txt), before it does its work.
spy_on_git() {
	mkdir -p "$T/bin"
	real=$(command -v git)
	cat >"$T/bin/git" <<-SH
		#!/bin/sh
		cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -a -v '^LC_ALL=' >>'$T/argv.txt'
		case " \$* " in
		*' ls-remote '* | *' fetch '* | *' push '*) echo "remote \$*" >>'$T/calls' ;;
		*)
			echo "local \$*" >>'$T/calls'
			env >>'$T/env.secret'
			;;
		esac
		exec '$real' "\$@"
	SH
	chmod +x "$T/bin/git"
	export PATH="$T/bin:$PATH"
}

# The net itself

@test "a token that is printed fails the test that sees it, whatever the exit status" {
	local name

	for name in GP_TOKEN GITHUB_TOKEN GH_TOKEN SYSTEM_ACCESSTOKEN AZURE_DEVOPS_EXT_PAT; do
		(
			export "$name=canary-$name"
			expect 0 printf '%s\n' "a canary-$name b"
		) 2>/dev/null && fail "$name on stdout"
		(
			export "$name=canary-$name"
			expect 3 sh -c "echo canary-$name >&2; exit 3"
		) 2>/dev/null && fail "$name on stderr"
		(
			export "$name=canary-$name"
			expect 0 sh -c "printf %s x-access-token:canary-$name | base64"
		) 2>/dev/null && fail "$name in base64"
		(
			export "$name=canary-$name"
			expect 0 echo canary
		)
	done
	GP_TOKEN=canary-x expect 0 echo canary
	same learned canary-x "${gp_secrets[0]}"
}

@test "a token that is left in a file fails the test at its end" {
	export GP_TOKEN=canary-in-a-file
	mkdir -p "$T/some/where"
	printf 'x\0canary-in-a-file' >"$T/some/where/else"
	(teardown) 2>"$T/run/err" && fail 'not found'
	has "$(cat "$T/run/err")" some/where/else
	mv "$T/some/where/else" "$T/some/where/else.secret"
	(teardown)
}

# Flows

@test "the flows, as loud as they can be: in no argument, document, file, log, nor where it is not needed" {
	local n flow

	# Other tests may run beside this one, and start their forges with their own.
	HUB_GP=github_pat_of_$$_$RANDOM$RANDOM
	hub_gitops
	export GITHUB_TOKEN=$GP_TOKEN
	cd "$T"
	rm -rf "$CLONE"
	git clone --quiet --depth 1 "$FORGE_URL" "$CLONE"
	cd "$CLONE"
	commit_file README.md 'main goes on' <<<more
	# From here on only gp calls it.
	spy_on_git
	for flow in "gp-new --group apps --app web --tag v1" "gp-refresh" "gp-promote" "gp-refresh"; do
		# shellcheck disable=SC2086
		expect 0 $flow -v -v
		printf '%s\n%s\n' "$output" "$stderr" >>"$T/log"
	done
	n=$(prs | head -n 1)
	expect 75 gp-status --number "${n:-2}" -v --wait=1s || [ "$status" -eq 0 ]
	same 'the arguments' '' "$(grep -aF -e "$HUB_GP" -e "$(printf 'x-access-token:%s' "$HUB_GP" | base64)" "$T/argv.txt")"
	has "$(cat "$T/argv.txt")" gp-forge-github ls-remote
	has "$(cat "$T/calls")" 'local rev-parse' 'remote push' ' fetch --quiet' 'remote ls-remote'
	same 'the environment' '' "$(grep -aF "$HUB_GP" "$T/env.secret")"
}

@test "the driver of a forge gets no other forge's tokens, that of a directory none" {
	make_gitops
	local name

	mkdir -p "$T/bin"
	for name in local github azdo other; do
		printf '#!/bin/sh\nenv >"%s/env-%s.secret"\n' "$T" "$name" >"$T/bin/gp-forge-$name"
		chmod +x "$T/bin/gp-forge-$name"
		# shellcheck disable=SC2030
		(
			export GP_TOKEN=tok-own GITHUB_TOKEN=tok-github GH_TOKEN=tok-gh SYSTEM_ACCESSTOKEN=tok-azure AZURE_DEVOPS_EXT_PAT=tok-pat
			PATH=$T/bin:$PATH GP_PROVIDER=$name expect 71 gp-find-pr --open --all
		)
	done
	same local '' "$(grep -o 'tok-.*' "$T/env-local.secret")"
	same github 'tok-gh tok-github tok-own' "$(grep -o 'tok-.*' "$T/env-github.secret" | sort | paste -sd ' ')"
	same azdo 'tok-azure tok-own tok-pat' "$(grep -o 'tok-.*' "$T/env-azdo.secret" | sort | paste -sd ' ')"
	same other 5 "$(grep -c tok- "$T/env-other.secret")"
}

# Errors

@test "a password in the remote's URL is in no message, document or request" {
	make_gitops
	local url code

	for url in https://me:hunter22@127.0.0.1:1/acme/shop.git http://hunter22@127.0.0.1:1/acme/shop.git \
		https://a:hunter22@b:hunter22@127.0.0.1:1/x.git https://a:b/hunter22@127.0.0.1:1/x.git ssh://me:hunter22@127.0.0.1:1/acme/shop; do
		git remote set-url origin "$url"
		# Nobody is there; two of them libcurl does not even try.
		code=75
		case $url in */x.git | ssh:*) code=71 ;; esac
		GIT_SSH_COMMAND=false GP_PROVIDER=github GP_TIMEOUT=2 expect "$code" gp-read-config -v -v --group apps --app web --tag v1
		has "$stderr" 'cannot reach remote' 127.0.0.1
		lacks "$output$stderr" hunter22
		GP_VERBOSE=2 GP_PROVIDER='' expect 78 gp-read-config --group apps --app web --tag v1
		has "$stderr" 'cannot tell the forge' 127.0.0.1
		lacks "$output$stderr" hunter22
	done
	# Nor where it works: the document has the URL without it, and so has what the driver is asked.
	hub_forge
	hub_repository "$REMOTE"
	git remote set-url origin "${FORGE_URL/:\/\//:\/\/$HUB_GP:$HUB_GP@}"
	GP_API_URL=$HUB_API GP_PROVIDER=github GP_TOKEN=$HUB_GP expect 0 gp-find-pr -v -v --open --all
	jq_is .repository.url "$FORGE_URL"
	git remote set-url origin "$FORGE_URL"
}

@test "what a server says of the token is not passed on unless it is harmless: wrong, revoked, not allowed" {
	hub_gitops
	export GP_TOKEN=github_pat_wrong
	expect 77 gp-new -v -v --group apps --app web --tag v1
	has "$stderr" 'is the token right'
	export GP_TOKEN=$HUB_GP
	hub_test PUT tokens "{\"$HUB_GP\": {\"login\": \"gp-bot\", \"permissions\": {\"metadata\": \"read\", \"contents\": \"read\"}}}"
	expect 77 gp-new -v -v --group apps --app web --tag v1
	lacks "$output$stderr" "$HUB_GP"
}

# Elsewhere

@test "a server that sends git elsewhere does not send the token there" {
	make_gitops
	local ports

	IFS= read -r -t 30 ports < <(exec python3 - "$$" "$T/requests.secret" 3>&- 2>/dev/null <<-'END'
		import http.server, os, sys, threading, time
		class Server(http.server.BaseHTTPRequestHandler):
		    def answer(self):
		        moved = self.server is first
		        with open(sys.argv[2], "a") as f:
		            print("first" if moved else "second", self.command, self.path, self.headers.get("Authorization"), file=f)
		        body = b"" if moved else b"001e# service=git-upload-pack\n0000000eversion 2\n000cls-refs\n0000"
		        self.send_response(301 if moved else 200)
		        if moved:
		            self.send_header("Location", "http://127.0.0.1:%d%s" % (second.server_port, self.path))
		        self.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
		        self.send_header("Content-Length", str(len(body)))
		        self.end_headers()
		        self.wfile.write(body)
		    do_GET = do_POST = answer
		    def log_message(self, *args): pass
		first, second = (http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) for _ in "12")
		print(first.server_port, second.server_port, flush=True)
		if os.fork():
		    os._exit(0)
		os.close(1)
		for server in first, second:
		    threading.Thread(target=server.serve_forever, daemon=True).start()
		while os.path.exists("/proc/" + sys.argv[1]):
		    time.sleep(0.2)
	END
	)
	git remote set-url origin "http://127.0.0.1:${ports% *}/acme/shop.git"
	GP_PROVIDER=github GP_TOKEN=canary-redirected expect 71 gp-read-config --group apps --app web --tag v1
	has "$stderr" 301 'give the remote its new URL'
	has "$(cat "$T/requests.secret")" 'first GET /acme/shop.git/info/refs' Basic
	lacks "$(cat "$T/requests.secret")" second
}

@test "what needs no token does not get one: readlink, gp-report; and no program leaves a core" {
	local name pid

	make_gitops
	mkdir -p "$T/stub"
	for name in readlink gp-report; do
		cat >"$T/stub/$name" <<-SH
			#!/bin/sh
			env >>"$T/$name.env"
			exec $(command -v "$name") "\$@"
		SH
		chmod +x "$T/stub/$name"
	done
	# The wrappers look beside themselves first: so these stand there.
	cp "$test_root"/scripts/gp-* "$test_root/scripts/options.sh" "$T/stub/"
	rm -f "$T/stub/gp-report"
	cat >"$T/stub/gp-report" <<-SH
		#!/bin/sh
		env >>"$T/gp-report.env"
		exec $GP_BUILD/gp-report "\$@"
	SH
	chmod +x "$T/stub/gp-report"
	GP_TOKEN=hush-hush-token GITHUB_TOKEN=hush-hush-github GP_BUILD="$T/stub:$GP_BUILD" PATH="$T/stub:$PATH" \
		expect 0 "$T/stub/gp-new" apps/web v1
	for name in readlink gp-report; do
		[ -s "$T/$name.env" ] || fail "$name was not called"
		lacks "$(cat "$T/$name.env")" hush-hush
		rm "$T/$name.env"
	done
	mkfifo "$T/never"
	(ulimit -c unlimited 2>/dev/null || true; exec gp-merge <>"$T/never" >/dev/null) 3>&- &
	pid=$!
	gp_children+=("$pid")
	for _ in {1..100}; do
		grep -q '^Max core file size *0 *0' "/proc/$pid/limits" && break
		sleep 0.02
	done
	grep -q '^Max core file size *0 *0' "/proc/$pid/limits"
}

@test "an answer in HTTP/0.9, and a 304 that nobody asked for: 76" {
	local forge kind

	for kind in nonsense 'HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n'; do
		rm -f "$T/port"
		python3 -S -c '
import socket, sys, threading
server = socket.create_server(("127.0.0.1", 0))
open(sys.argv[1], "w").write(str(server.getsockname()[1]))
def answer(client):
    data = b""
    while b"\r\n\r\n" not in data:
        more = client.recv(65536)
        if not more:
            return
        data += more
    client.sendall(sys.argv[2].encode().decode("unicode_escape").encode() + b"\r\n")
    client.close()
while True:
    threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()' "$T/port" "$kind" 3>&- &
		gp_children+=($!)
		until [ -s "$T/port" ]; do sleep 0.02; done
		for forge in github azdo; do
			GP_TOKEN=hush-hush-token GP_RETRY_BUDGET=1 expect 0 "gp-forge-$forge" <<<"$(printf \
				'{"op":"find-pr","open":true,"repository":{"url":"http://127.0.0.1:%s/acme/%sshop","base":"main"}}' \
				"$(cat "$T/port")" "$([ "$forge" = github ] || echo shop/_git/)")"
			jq_is .error.exit 76
		done
	done
}
