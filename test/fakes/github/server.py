#!/usr/bin/env python3
"""A forge like GitHub on a loopback port: git over HTTP, the REST API and GraphQL, as far as gp and its tests use them.

server.py --root DIR [--tls CERT KEY] [--log FILE] [--parent PID]

Prints its URL; how it runs and what it logs is in test/fakes/hub/serving.py. The API is at URL (and, as GitHub Enterprise
Server has it, at URL/api/v3 and URL/api/graphql), repositories at URL/OWNER/NAME.git, and what tests do to it below
URL/_test/ (testapi.py).
"""

import hashlib
import json
import os
import re
import sys

sys.dont_write_bytecode = not sys.pycache_prefix  # beside the sources, that is
sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import graphql
import rest
import testapi
from access import Refusal, not_found
from hub import githttp, serving
from model import Forge
from push import Judge
from render import Render

GIT_PATH = re.compile(r"/([^/]+/[^/]+?)(?:\.git)?(/(?:info/refs|git-upload-pack|git-receive-pack))\Z")


class GitHub(serving.Service):
    name = "github.test"

    def route(self, request):
        # With or without .git: the checkout action leaves it out.
        git = GIT_PATH.match(request.path)
        return git.groups() if git else (None, "")

    def authenticate(self, request):
        given = serving.credentials(request)
        if not given:
            return None
        scheme, _, secret = given
        # Over git a token is a password: https://docs.github.com/get-started/git-basics/about-remote-repositories
        known = scheme == "basic" or (not request.repository and scheme in ("bearer", "token"))
        token = self.model.tokens.get(secret) if known else None
        if not token or token.expired:
            raise Refusal(401, "Bad credentials")
        return token

    def answer(self, request, token):
        if request.repository:
            return git_answer(self.model, request, token)
        if not request.headers.get("User-Agent"):
            # https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api#user-agent-required
            text = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header"
            raise Refusal(403, text)
        return api_answer(self.model, request, token)

    def refused(self, request, refusal):
        """What git shows as "remote: …" is plain text; the API speaks JSON."""
        if not request.repository:
            return refusal.status, refusal.headers, refusal.body()
        headers, text = {"Content-Type": "text/plain; charset=utf-8"}, refusal.message
        if refusal.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="GitHub"'
            text = "Invalid username or token. Password authentication is not supported for Git operations."
        elif refusal.status == 404:
            text = "Repository not found."
        return refusal.status, {**refusal.headers, **headers}, (text + "\n").encode()

    def arrange(self, method, parts, body):
        return testapi.answer(self.model, method, parts, body)


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
    return githttp.serve(repository.git, request, token.login if token else "", Judge(forge, repository, token))


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


if __name__ == "__main__":
    serving.main(lambda root: GitHub(Forge(root)))
