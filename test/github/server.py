#!/usr/bin/env python3
"""A forge like GitHub on a loopback port: git over HTTP, the REST API and GraphQL, as far as gp and its tests use them.

server.py --root DIR [--tls CERT KEY] [--log FILE] [--parent PID]

Prints its URL, a line, as soon as it listens, goes to the background, and ends with the process PID. The API is at URL
(and, as GitHub Enterprise Server has it, at URL/api/v3 and URL/api/graphql), repositories at URL/OWNER/NAME.git, and
what tests do to it below URL/_test/ (testapi.py). Each request is a line of JSON in the log, without its token.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import ssl
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.dont_write_bytecode = True  # beside the sources, that is

import faults
import githttp
import graphql
import rest
import testapi
from access import Refusal, not_found
from model import Forge
from render import Render

MEDIA = "application/json; charset=utf-8"
GIT_PATH = re.compile(r"/([^/]+/[^/]+?)(?:\.git)?(/(?:info/refs|git-upload-pack|git-receive-pack))\Z")


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.headers, self.body = method, headers, body
        split = urllib.parse.urlsplit(target)
        self.path, self.query_string = split.path, split.query
        self.query = urllib.parse.parse_qs(split.query, keep_blank_values=True)
        self.prefix = ""
        # With or without .git: the checkout action leaves it out.
        git = GIT_PATH.match(self.path)
        self.repository, self.rest = git.groups() if git else (None, "")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "github.test", ""

    def log_message(self, format, *args):  # noqa: A002 (the base class's name)
        pass

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (ConnectionError, ssl.SSLError):
            self.close_connection = True

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        data = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def serve(self):
        forge = self.server.forge
        request = Request(self.command, self.path, self.headers, self.body())
        if request.path.startswith("/_test/"):
            with self.server.lock:
                return self.test(forge, request)
        fault = faults.due(forge, request)
        if fault and not fault.get("after"):
            self.server.note(request, None, 0, fault["what"])
            return faults.strike(fault, self)
        token, answer = None, None
        with self.server.lock:
            try:
                token = authenticate(forge, request)
                answer = self.answer(forge, request, token)
            except Refusal as e:
                answer = e.status, e.headers, refusal_body(request, e)
        self.server.note(request, token, answer[0], answer[2])
        if fault:
            return faults.strike(fault, self)
        return self.reply(*answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = serve

    def test(self, forge, request):
        parts = [urllib.parse.unquote(p) for p in request.path.split("/")[2:]]
        try:
            self.reply(200, {}, testapi.answer(forge, request.method, parts, json.loads(request.body or b"null")))
        except Refusal as e:
            self.reply(e.status, {}, e.body())

    def answer(self, forge, request, token):
        if request.repository:
            return git_answer(forge, request, token)
        if not request.headers.get("User-Agent"):
            # https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api#user-agent-required
            text = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header"
            raise Refusal(403, text)
        return api_answer(forge, request, token)

    def reply(self, status, headers, body):
        if not isinstance(body, bytes):
            body = b"" if body is None or status == 304 else json.dumps(body).encode()
            headers = {"Content-Type": MEDIA, **headers}
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def authenticate(forge, request):
    """The request's token; None where there is no Authorization."""
    given = request.headers.get_all("Authorization") or []
    if len(given) > 1:
        raise Refusal(400, 'Duplicate header: "Authorization"')
    if not given:
        return None
    scheme, _, text = given[0].partition(" ")
    if scheme.lower() == "basic":
        try:
            text = base64.b64decode(text).decode().partition(":")[2]
        except ValueError:
            text = ""
    elif request.repository or scheme.lower() not in ("bearer", "token"):
        # Over git a token is a password: https://docs.github.com/get-started/git-basics/about-remote-repositories
        text = ""
    token = forge.tokens.get(text)
    if not token or token.expired:
        raise Refusal(401, "Bad credentials")
    return token


def refusal_body(request, refusal):
    """What git shows as "remote: …" is plain text; the API speaks JSON."""
    if not request.repository:
        return refusal.body()
    refusal.headers["Content-Type"] = "text/plain; charset=utf-8"
    text = refusal.message
    if refusal.status == 401:
        refusal.headers["WWW-Authenticate"] = 'Basic realm="GitHub"'
        text = "Invalid username or token. Password authentication is not supported for Git operations."
    elif refusal.status == 404:
        text = "Repository not found."
    return (text + "\n").encode()


def git_answer(forge, request, token):
    repository = forge.find(request.repository)
    if not repository or repository.private:
        if not token:
            raise Refusal(401, "Requires authentication")
        if not repository or not token.sees(repository) or not token.allows("contents=read"):
            raise not_found()
    if "git-receive-pack" in request.rest + request.query_string:
        if not token:
            raise Refusal(401, "Requires authentication")
        if not token.allows("contents=write"):
            text = f"Permission to {request.repository}.git denied to {token.login}."
            raise Refusal(403, "Write access to repository not granted." if token.kind == "app" else text)
    return githttp.serve(forge, repository, token, request)


def api_answer(forge, request, token):
    for prefix in ("/api/v3", "/api"):
        if request.path.startswith(prefix + "/"):
            request.prefix, request.path = prefix, request.path[len(prefix) :]
            break
    render = Render(forge.url + request.prefix, forge.url)
    by_id = request.path.split("/")
    if by_id[1] == "repositories":
        # What Link headers say.
        repository = next((r for r in forge.repositories.values() if str(r.number) == by_id[2]), None)
        if not repository:
            raise not_found()
        request.path = "/".join(["/repos", repository.full_name, *by_id[3:]])
    is_graphql = request.path == "/graphql"
    if is_graphql and not token:
        raise Refusal(401, "This endpoint requires you to be authenticated.")
    rate = forge.rate
    if rate["used"] >= rate["limit"] and request.path != "/rate_limit":
        return limited(rate, is_graphql)
    if is_graphql:
        status, headers, body = 200, {}, graphql.answer(forge, render, request, token)
    else:
        try:
            status, headers, body = rest.answer(forge, render, request, token)
        except Refusal as e:
            status, headers, body = e.status, e.headers, e.body()
    # https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate
    if status == 200 and request.method == "GET":
        headers["ETag"] = 'W/"' + hashlib.sha256(json.dumps(body).encode()).hexdigest() + '"'
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return 304, headers | rate_headers(rate, is_graphql), None
    if request.path != "/rate_limit":
        rate["used"] += 1
    return status, headers | rate_headers(rate, is_graphql), body


def rate_headers(rate, is_graphql):
    return {
        "X-RateLimit-Limit": str(rate["limit"]),
        "X-RateLimit-Remaining": str(max(rate["limit"] - rate["used"], 0)),
        "X-RateLimit-Used": str(rate["used"]),
        "X-RateLimit-Reset": str(int(rate["reset"])),
        "X-RateLimit-Resource": "graphql" if is_graphql else "core",
        "X-GitHub-Media-Type": "github.v3; format=json",
    }


def limited(rate, is_graphql):
    """https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit"""
    text = "API rate limit exceeded for user ID 1."
    if is_graphql:
        return 200, rate_headers(rate, True), {"errors": [{"type": "RATE_LIMITED", "message": text}]}
    return 403, rate_headers(rate, False), Refusal(403, text).body()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, forge, tls, log):
        super().__init__(("127.0.0.1", 0), Handler)
        self.forge, self.log, self.lock, self.log_lock = forge, log, threading.Lock(), threading.Lock()
        self.tls = None
        if tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*tls)
        forge.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_port}"

    def get_request(self):
        sock, address = super().get_request()
        if self.tls:
            sock = self.tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return sock, address

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, ssl.SSLError, TimeoutError)):
            super().handle_error(request, client_address)

    def note(self, request, token, status, answer):
        if not self.log:
            return
        headers = {name: value for name, value in request.headers.items() if name.lower() != "authorization"}
        line = {
            "method": request.method,
            "path": request.path,
            "query": request.query_string,
            "prefix": request.prefix,
            "login": token.login if token else None,
            "headers": headers,
            "status": status,
        }
        if not request.repository:
            line.update(body=request.body.decode(errors="replace"), answer=answer)
        with self.log_lock, open(self.log, "a", encoding="utf-8") as f:
            f.write(json.dumps(line) + "\n")


def outlive_nobody(parent):
    while True:
        time.sleep(0.2)
        try:
            os.kill(parent, 0)
        except OSError:
            os._exit(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", required=True)
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--log")
    parser.add_argument("--parent", type=int)
    options = parser.parse_args()
    os.closerange(3, 1024)
    os.makedirs(options.root, exist_ok=True)
    server = Server(Forge(os.path.abspath(options.root)), options.tls, options.log)
    print(server.forge.url, flush=True)
    # On its own: no shell waits for it, or for what it holds open.
    if os.fork():
        os._exit(0)
    os.setsid()
    for fd in (0, 1):
        os.dup2(os.open(os.devnull, os.O_RDWR), fd)
    if options.parent:
        threading.Thread(target=outlive_nobody, args=(options.parent,), daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
