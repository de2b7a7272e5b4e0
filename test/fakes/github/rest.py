"""The REST API: a table of routes, each with what a token needs for it. https://docs.github.com/rest

A handler gets a Call and returns (status, body), body a JSON value or a Page.
"""

import json
import math
import re
import urllib.parse

from access import Refusal, not_found
from model import CheckRun, Protection, Status

ROUTES = []
STATES = ("error", "failure", "pending", "success")


def route(method, path, *needs):
    """path: segments, {x} is one of them, {x+} the rest of the path."""
    pattern = re.compile(
        re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)) + r"\Z"
    )

    def note(handler):
        ROUTES.append((method, pattern, needs, handler))
        return handler

    return note


class Page:
    """A list of which one page is asked for; show makes an item's body, wrap the whole body of the page's items."""

    def __init__(self, items, show, wrap=lambda shown, total: shown):
        self.items, self.show, self.wrap = items, show, wrap

    def cut(self, call):
        """(body, value of Link or None): https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api"""
        size = min(max(call.number("per_page", 30), 1), 100)
        page = max(call.number("page", 1), 1)
        last = max(math.ceil(len(self.items) / size), 1)
        links = []
        for rel, to in (("prev", page - 1), ("next", page + 1), ("last", last), ("first", 1)):
            if (rel in ("prev", "first") and page > 1 and to <= last) or (rel in ("next", "last") and page < last):
                links.append(f'<{call.address(page=to)}>; rel="{rel}"')
        shown = [self.show(item) for item in self.items[(page - 1) * size : page * size]]
        return self.wrap(shown, len(self.items)), ", ".join(links) or None


class Call:
    def __init__(self, forge, render, request, token, names):
        self.forge, self.render, self.request, self.token = forge, render, request, token
        self.names = {k: urllib.parse.unquote(v) for k, v in names.items()}
        self.repo = None
        if "owner" in names:
            self.repo = forge.visible(token, self.names["owner"], self.names["repo"])

    def query(self, name, default=None):
        return self.request.query.get(name, [default])[0]

    def number(self, name, default):
        try:
            return int(self.query(name, default))
        except ValueError:
            return default

    def address(self, **more):
        query = {k: v[0] for k, v in self.request.query.items()} | {k: str(v) for k, v in more.items()}
        path = self.request.path
        if self.repo:
            path = f"/repositories/{self.repo.number}/" + path.split("/", 4)[4]
        return f"{self.render.api}{path}?{urllib.parse.urlencode(query)}"

    def fields(self, required=(), **types):
        """The body's members; 422 as GitHub's where one is missing or of another type."""
        try:
            body = json.loads(self.request.body or b"{}")
        except ValueError as e:
            raise Refusal(400, "Problems parsing JSON") from e
        if not isinstance(body, dict):
            raise Refusal(422, "Invalid request.\n\nBody should be a JSON object")
        for name in required:
            if body.get(name) is None:
                raise Refusal(422, f'Invalid request.\n\n"{name}" wasn\'t supplied.')
        for name, kind in types.items():
            if body.get(name) is not None and not isinstance(body[name], kind):
                text = f"For 'properties/{name}', {body[name]!r} is not a {kind.__name__}."
                raise Refusal(422, "Invalid request.\n\n" + text)
        return body

    def pull(self):
        if not self.names["number"].isdigit():
            raise not_found()
        return self.repo.pull(int(self.names["number"]))

    def commit(self, name="ref"):
        wanted = self.names[name]
        oid = self.repo.git.ref(wanted) or self.repo.git.ref("refs/heads/" + wanted)
        if not oid:
            raise Refusal(422, f"No commit found for SHA: {wanted}")
        return oid


def answer(forge, render, request, token):
    """(status, headers, body as a JSON value or None) of a request to the API."""
    for method, pattern, needs, handler in ROUTES:
        match = pattern.match(request.path)
        if not match:
            continue
        if method != request.method:
            continue
        call = Call(forge, render, request, token, match.groupdict())
        if needs:
            if not token:
                raise Refusal(401, "Requires authentication")
            token.require(*needs)
        status, body = handler(call)
        headers = {"X-Accepted-GitHub-Permissions": "; ".join(needs)} if needs else {}
        if isinstance(body, Page):
            body, link = body.cut(call)
            if link:
                headers["Link"] = link
        return status, headers, body
    raise not_found()


@route("GET", "/rate_limit")
def rate_limit(call):
    rate = call.forge.rate
    core = {**rate, "remaining": rate["limit"] - rate["used"]}
    return 200, {"resources": {"core": core, "graphql": core, "search": core}, "rate": core}


@route("GET", "/user")
def user(call):
    return 200, call.render.user(call.token.login)


@route("GET", "/repos/{owner}/{repo}", "metadata=read")
def repository(call):
    return 200, call.render.repository(call.repo, full=True)


@route("GET", "/repos/{owner}/{repo}/pulls", "pull_requests=read")
def list_pulls(call):
    state, head, base = call.query("state", "open"), call.query("head"), call.query("base")
    found = [p for p in reversed(call.repo.pulls) if state in ("all", p.state)]
    # Anything but owner:branch is not a filter at all: https://docs.github.com/rest/pulls/pulls#list-pull-requests
    if head and ":" in head:
        found = [p for p in found if f"{p.source.owner}:{p.branch}" == head]
    if base:
        found = [p for p in found if p.base == base]
    if call.query("direction") == "asc":
        found.reverse()
    return 200, Page(found, call.render.pull)


@route("POST", "/repos/{owner}/{repo}/pulls", "pull_requests=write")
def open_pull(call):
    fields = call.fields(required=("head", "base"), title=str, head=str, base=str, body=str, draft=bool)
    if not (fields.get("title") or "").strip():
        missing = {"resource": "PullRequest", "code": "missing_field", "field": "title"}
        raise Refusal(422, "Validation Failed", [missing])
    return 201, call.render.pull(call.repo.open_pull(call.token.login, fields), full=True)


@route("GET", "/repos/{owner}/{repo}/pulls/{number}", "pull_requests=read")
def get_pull(call):
    return 200, call.render.pull(call.pull(), full=True)


@route("PATCH", "/repos/{owner}/{repo}/pulls/{number}", "pull_requests=write")
def change_pull(call):
    pull = call.pull()
    fields = call.fields(title=str, body=str, state=str, base=str)
    if fields.get("title") is not None:
        pull.title = fields["title"]
    if "body" in fields:
        pull.body = fields["body"]
    if fields.get("base"):
        pull.base, pull.tested = fields["base"], None
        call.repo.settle()
    if fields.get("state") == "closed" and pull.state == "open":
        call.repo.close(pull)
    elif fields.get("state") == "open" and pull.state == "closed":
        call.repo.reopen(pull)
    return 200, call.render.pull(pull, full=True)


@route("PUT", "/repos/{owner}/{repo}/pulls/{number}/merge", "contents=write")
def merge_pull(call):
    fields = call.fields(sha=str, merge_method=str, commit_title=str, commit_message=str)
    method = fields.get("merge_method") or "merge"
    if method not in ("merge", "squash", "rebase"):
        text = f"{method} is not a possible value. Must be one of: merge, squash, rebase."
        raise Refusal(422, "Invalid request.\n\n" + text)
    text = fields.get("commit_title"), fields.get("commit_message")
    sha = call.repo.merge(call.token, call.pull(), method, fields.get("sha"), *text)
    return 200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}


@route("POST", "/repos/{owner}/{repo}/issues/{number}/labels", "pull_requests=write")
def add_labels(call):
    """A label that does not exist is made."""
    pull, fields = call.pull(), call.fields(required=("labels",), labels=list)
    pull.labels += [name for name in fields["labels"] if name.lower() not in (had.lower() for had in pull.labels)]
    return 200, [call.render.label(call.repo, name) for name in pull.labels]


@route("POST", "/repos/{owner}/{repo}/pulls/{number}/requested_reviewers", "pull_requests=write")
def ask_reviewers(call):
    pull, fields = call.pull(), call.fields(reviewers=list, team_reviewers=list)
    for name in fields.get("reviewers") or []:
        if name == pull.user:
            raise Refusal(422, "Review cannot be requested from pull request author.")
        if name not in (token.login for token in call.forge.tokens.values()):
            text = "Reviews may only be requested from collaborators. One or more of the users or teams you specified is"
            raise Refusal(422, text + " not a collaborator of the " + call.repo.full_name + " repository.")
    pull.reviewers += [name for name in fields.get("reviewers") or [] if name not in pull.reviewers]
    pull.teams += [name for name in fields.get("team_reviewers") or [] if name not in pull.teams]
    return 201, call.render.pull(pull)


@route("GET", "/repos/{owner}/{repo}/pulls/{number}/reviews", "pull_requests=read")
def list_reviews(call):
    return 200, Page(call.pull().reviews, lambda login: {"user": call.render.user(login), "state": "COMMENTED"})


@route("POST", "/repos/{owner}/{repo}/pulls/{number}/reviews", "pull_requests=write")
def review(call):
    """Who has given a review is asked no more."""
    pull = call.pull()
    pull.reviews.append(call.token.login)
    pull.reviewers = [name for name in pull.reviewers if name != call.token.login]
    return 200, {"user": call.render.user(call.token.login), "state": "COMMENTED"}


@route("GET", "/repos/{owner}/{repo}/commits/{sha}/pulls", "pull_requests=read,contents=read")
def pulls_of_commit(call):
    return 200, Page(call.repo.pulls_of_commit(call.commit("sha")), call.render.pull)


@route("GET", "/repos/{owner}/{repo}/commits/{ref}/statuses", "statuses=read")
def list_statuses(call):
    repo = call.repo
    return 200, Page(repo.all_of(call.commit(), "status"), lambda s: call.render.status(repo, s))


@route("GET", "/repos/{owner}/{repo}/commits/{ref}/status", "statuses=read")
def combined_status(call):
    sha = call.commit()
    newest = [s for s in call.repo.latest(sha) if s.kind == "status"]
    states = {s.state for s in newest}
    state = "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"

    def wrap(shown, total):
        url = f"{call.render.repo_url(call.repo)}/commits/{sha}"
        body = {"state": state, "statuses": shown, "sha": sha, "total_count": total}
        return body | {"repository": call.render.repository(call.repo), "commit_url": url, "url": url + "/status"}

    return 200, Page(newest, lambda s: call.render.status(call.repo, s), wrap)


@route("POST", "/repos/{owner}/{repo}/statuses/{sha}", "statuses=write")
def post_status(call):
    fields = call.fields(required=("state",), state=str, context=str, description=str, target_url=str)

    def invalid(message):
        raise Refusal(422, "Validation Failed", [{"resource": "Status", "code": "custom", "message": message}])

    if fields["state"] not in STATES:
        invalid("state is not included in the list")
    if len(fields.get("description") or "") > 140:
        invalid("description is too long (maximum is 140 characters)")
    if fields.get("target_url") and not re.match(r"https?://", fields["target_url"]):
        invalid("target_url must use http(s) scheme")
    sha = call.names["sha"]
    if len([s for s in call.repo.all_of(sha, "status") if s.context == fields.get("context", "default")]) >= 1000:
        invalid("This SHA and context has reached the maximum number of statuses.")
    status = call.repo.report(Status, call.token.login, sha, fields)
    return 201, call.render.status(call.repo, status)


@route("GET", "/repos/{owner}/{repo}/commits/{ref}/check-runs", "checks=read")
def list_check_runs(call):
    runs = [r for r in call.repo.latest(call.commit()) if r.kind == "check-run"]
    if call.query("filter") == "all":
        runs = call.repo.all_of(call.commit(), "check-run")
    return 200, Page(
        runs,
        lambda r: call.render.check_run(call.repo, r),
        lambda shown, total: {"total_count": total, "check_runs": shown},
    )


@route("POST", "/repos/{owner}/{repo}/check-runs", "checks=write")
def post_check_run(call):
    if call.token.kind != "app":
        raise Refusal(403, "You must authenticate via a GitHub App.")
    fields = call.fields(required=("name", "head_sha"), name=str, head_sha=str)
    run = call.repo.report(CheckRun, call.token.login, fields["head_sha"], fields)
    return 201, call.render.check_run(call.repo, run)


@route("GET", "/repos/{owner}/{repo}/rules/branches/{branch+}", "metadata=read")
def rules(call):
    rule = call.repo.protection.get(call.names["branch"])
    found = [rule] if isinstance(rule, Protection) and rule.ruleset else []
    return 200, Page(found, lambda r: call.render.rule(call.repo, r))


@route("GET", "/repos/{owner}/{repo}/git/ref/{ref+}", "contents=read")
def get_ref(call):
    name = "refs/" + call.names["ref"]
    oid = call.repo.git.ref(name)
    if not oid:
        raise not_found()
    return 200, shown_ref(call, name)


@route("POST", "/repos/{owner}/{repo}/git/refs", "contents=write")
def make_ref(call):
    fields = call.fields(required=("ref", "sha"), ref=str, sha=str)
    if call.repo.git.ref(fields["ref"]):
        raise Refusal(422, "Reference already exists")
    if not call.repo.git.has_commit(fields["sha"]):
        raise Refusal(422, "Object does not exist")
    call.repo.git.set_ref(fields["ref"], fields["sha"])
    return 201, shown_ref(call, fields["ref"])


@route("PATCH", "/repos/{owner}/{repo}/git/refs/{ref+}", "contents=write")
def move_ref(call):
    fields, name = call.fields(required=("sha",), sha=str, force=bool), "refs/" + call.names["ref"]
    if not call.repo.git.ref(name):
        raise Refusal(422, "Reference does not exist")
    call.repo.git.set_ref(name, fields["sha"])
    return 200, shown_ref(call, name)


@route("DELETE", "/repos/{owner}/{repo}/git/refs/{ref+}", "contents=write")
def take_ref(call):
    name = "refs/" + call.names["ref"]
    if not call.repo.git.ref(name):
        raise Refusal(422, "Reference does not exist")
    call.repo.git.set_ref(name, None)
    return 204, None


def shown_ref(call, name):
    oid, url = call.repo.git.ref(name), call.render.repo_url(call.repo)
    target = {"type": "commit", "sha": oid, "url": f"{url}/git/commits/{oid}"}
    return {"ref": name, "node_id": f"REF_{oid[:12]}", "url": f"{url}/git/{name}", "object": target}


@route("GET", "/repos/{owner}/{repo}/branches/{branch+}", "contents=read")
def get_branch(call):
    """Whoever reads the contents sees which checks are required, not who may do what."""
    name = call.names["branch"]
    oid = call.repo.git.ref("refs/heads/" + name)
    if not oid:
        raise Refusal(404, "Branch not found")
    return 200, call.render.branch(call.repo, name, oid)
