#!/usr/bin/env bats
# Servers whose lists have no end: each ends with 76, after few requests.

setup() {
	load ../lib/helper
	gp_setup
}

# endless KIND: a server that answers every request with a page of a list that goes on; $URL is where it is, and each
# request is a line in $T/asked.
endless() {
	: >"$T/asked"
	python3 -S -c '
import http.server, json, sys, threading

kind, port_file, log = sys.argv[1:]
pull = {"id": "PR_1", "number": 1, "url": "u", "title": "t", "body": "", "state": "OPEN", "isCrossRepository": False,
        "headRefName": "b", "baseRefName": "main", "headRefOid": "0" * 39 + "1", "autoMergeRequest": None, "mergeCommit": None}
status = {"context": "c", "state": "success", "created_at": "2026-01-02T03:04:05Z", "description": None, "target_url": None}
azure = {"pullRequestId": 1, "status": "active", "title": "t", "sourceRefName": "refs/heads/b",
         "targetRefName": "refs/heads/main", "mergeStatus": "succeeded", "isDraft": False,
         "repository": {"id": "r", "name": "shop", "project": {"id": "p", "name": "shop"}},
         "lastMergeSourceCommit": {"commitId": "0" * 39 + "1"}}
count = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 20

    def log_message(self, *words):
        pass

    def do_GET(self):
        global count
        count += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        with open(log, "a") as f:
            f.write(self.command + " " + self.path + "\n")
        headers, answer = {}, {}
        if "graphql" in self.path:
            cursor = "same" if kind == "cursor" else f"c{count}"
            page = {"nodes": [{**pull, "number": count}] * (1 if kind == "cursor" else 100), "pageInfo": {"hasNextPage": True, "endCursor": cursor}}
            one = {"__typename": "StatusContext", "context": "c", "state": "SUCCESS", "createdAt": status["created_at"]}
            rollup = {"contexts": {"nodes": [one], "pageInfo": {"hasNextPage": False}}}
            answer = {"data": {"repository": {"pullRequests": page, "c0": {"statusCheckRollup": rollup}}}}
        elif "/statuses" in self.path:
            answer = [status] * 100
            headers["Link"] = f"<http://127.0.0.1:{self.server.server_port}{self.path}>; rel=\"next\""
        elif "azure" in kind:
            answer = {"count": 100, "value": [{**azure, "pullRequestId": 7 if kind == "azure-same" else count * 100 + i} for i in range(100)]}
        text = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
open(port_file, "w").write(str(server.server_port))
server.serve_forever()' "$1" "$T/port" "$T/asked" 3>&- &
	gp_children+=($!)
	until [ -s "$T/port" ]; do sleep 0.02; done
	URL=http://127.0.0.1:$(cat "$T/port")
	export GP_TOKEN=token-of-gp
}

# refuses_endless DRIVER JSON MOST WORDS: 76 with these words, after at most MOST requests.
refuses_endless() {
	expect 0 "gp-forge-$1" <<<"$2"
	jq_is .error.exit 76
	has "$output" "$4"
	[ "$(grep -c '' "$T/asked")" -le "$3" ] || fail "$(grep -c '' "$T/asked") requests"
}

@test "a GraphQL cursor that repeats" {
	endless cursor
	refuses_endless github "{\"op\":\"find-pr\",\"open\":true,\"repository\":{\"url\":\"$URL/acme/shop.git\",\"base\":\"main\"}}" 3 'begins again'
}

@test "a Link that names its own page" {
	endless link
	refuses_endless github "{\"op\":\"list-statuses\",\"all\":true,\"commits\":[\"0123456789012345678901234567890123456789\"],\"repository\":{\"url\":\"$URL/acme/shop.git\",\"base\":\"main\"}}" 6 'begins again'
}

@test "Azure's pages that are always full, and always the same" {
	endless azure-same
	refuses_endless azdo "{\"op\":\"find-pr\",\"open\":true,\"repository\":{\"url\":\"$URL/acme/shop/_git/shop\",\"base\":\"main\"}}" 12 'begins again'
}

@test "cursors without an end: a thousand pages are enough" {
	endless more
	refuses_endless github "{\"op\":\"find-pr\",\"open\":true,\"repository\":{\"url\":\"$URL/acme/shop.git\",\"base\":\"main\"}}" 1001 'more than 1000 pages'
}
