"""Routes: pull requests, their iterations and their statuses."""

import re
import time

from access import Refusal, invalid
from model import Status
from repositories import status_fields
from rest import route, word_of

PULLS = "9946fd70-0d40-406e-b686-b4744cbbcc37"
STATES = ("notSet", "active", "abandoned", "completed", "all")


def matching(call, pulls):
    state = call.word("searchCriteria.status", STATES, "active")
    for name in ("searchCriteria.sourceRefName", "searchCriteria.targetRefName"):
        if call.query(name) and not call.query(name).startswith("refs/"):
            raise invalid(name)
    checks = (
        ("sourceRefName", lambda p: "refs/heads/" + p.branch),
        ("targetRefName", lambda p: p.target),
        ("sourceRepositoryId", lambda p: p.source.id),
        ("repositoryId", lambda p: p.repository.id),
        ("creatorId", lambda p: p.creator.id),
    )
    wanted = [(call.query("searchCriteria." + name), of) for name, of in checks]
    found = [p for p in pulls if state in ("all", "notSet", p.status)]
    found = [p for p in found if all(value in (None, of(p)) for value, of in wanted)]
    return sorted(found, key=lambda p: -p.number)


@route("GET", "git/repositories/{repository}/pullRequests", PULLS)
def list_pulls(call):
    return call.page(matching(call, call.repo.pulls), call.render.pull, default=101)


@route("GET", "git/pullRequests", "a5d28130-9cd2-40fa-9f08-902e7daa9efb")
def list_all_pulls(call):
    return call.page(matching(call, call.all_pulls()), call.render.pull, default=101)


def texts(fields):
    title, description = fields.get("title"), fields.get("description")
    for value in (title, description):
        if value is not None and not isinstance(value, str):
            raise Refusal(400, "VssPropertyValidationException", "Value cannot be null.\r\nParameter name: body")
    if title is not None and not title.strip():
        raise invalid("title")
    # A string of .NET: UTF-16.
    for name, value, most in (("title", title, 400), ("description", description, 4000)):
        if value and len(value.encode("utf-16-le")) // 2 > most:
            text = f"Invalid argument value. Parameter name: {name} cannot be more than {most} characters long."
            raise Refusal(400, "InvalidArgumentValueException", text)


@route("POST", "git/repositories/{repository}/pullRequests", PULLS)
def open_pull(call):
    fields = call.body()
    call.token.require("PullRequestContribute")
    for name in ("sourceRefName", "targetRefName", "title"):
        if not isinstance(fields.get(name), str) or not fields[name]:
            raise invalid(name)
    texts(fields)
    pull = call.repo.open_pull(call.token, fields)
    return 201, call.render.pull(pull, full=True)


@route("GET", "git/repositories/{repository}/pullRequests/{number}", PULLS)
def get_pull(call):
    return 200, call.render.pull(call.pull(), full=True)


@route("GET", "git/pullRequests/{number}", "01a46dea-7d46-4d40-bc84-319e7c260d99")
def get_pull_by_id(call):
    return 200, call.render.pull(call.pull(), full=True)


def not_editable():
    text = "TF401181: The pull request cannot be edited due to its state."
    return Refusal(400, "GitPullRequestNotEditableException", text)


CHANGEABLE = {
    "title",
    "description",
    "status",
    "autoCompleteSetBy",
    "completionOptions",
    "mergeOptions",
    "targetRefName",
}
CHANGEABLE |= {"isDraft", "lastMergeSourceCommit"}
OPTIONS = {"autoCompleteIgnoreConfigIds", "bypassPolicy", "bypassReason", "deleteSourceBranch", "mergeCommitMessage"}
OPTIONS |= {"mergeStrategy", "squashMerge", "transitionWorkItems", "triggeredByAutoComplete"}
STRATEGIES = ("", "noFastForward", "squash", "rebase", "rebaseMerge")


@route("PATCH", "git/repositories/{repository}/pullRequests/{number}", PULLS)
def change_pull(call):
    pull, fields = call.pull(), call.body()
    call.token.require("PullRequestContribute")
    # "…will either cause the server to throw an InvalidArgumentValueException, or to silently ignore the update":
    # https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests/update
    if not fields or set(fields) - CHANGEABLE:
        raise invalid("The pull request to update was not valid.")
    texts(fields)
    status = word_of(STATES, fields.get("status") or 0, "status")
    if status == "all":
        raise invalid("status")
    if pull.status == "completed" or (pull.status == "abandoned" and status != "active"):
        raise not_editable()
    pull.title = fields.get("title") or pull.title
    if "description" in fields:
        pull.description = fields["description"] or ""
    if fields.get("isDraft") is not None:
        pull.draft = fields["isDraft"]
    change_options(call, pull, fields.get("completionOptions"))
    if fields.get("targetRefName"):
        retarget(call, pull, fields["targetRefName"])
    if fields.get("autoCompleteSetBy"):
        call.repo.set_auto(call.token, pull, fields["autoCompleteSetBy"].get("id") or "")
    if status == "completed":
        head = (fields.get("lastMergeSourceCommit") or {}).get("commitId")
        if not head:
            raise invalid("Invalid pull request: lastMergeSourceCommit")
        call.repo.complete(call.token, pull, head)
    elif status == "abandoned":
        call.repo.abandon(call.token, pull)
    elif status == "active" and not pull.open:
        call.repo.reactivate(pull)
    call.repo.start_due()
    return 200, call.render.pull(pull, full=True)


def change_options(call, pull, options):
    if options is None:
        return
    if set(options) - OPTIONS:
        raise invalid("completionOptions")
    if options.get("bypassPolicy"):
        call.token.require("PullRequestBypassPolicy", "branch")
    # The samples of the documentation send "true".
    pull.options = {k: v == "true" if v in ("true", "false") else v for k, v in options.items() if v is not None}
    if "mergeStrategy" in pull.options:
        pull.options["mergeStrategy"] = word_of(STRATEGIES, options["mergeStrategy"], "mergeStrategy")


def retarget(call, pull, name):
    if not call.repo.git.ref(name):
        call.repo._no_branch()
    pull.base, pull.tested = name.removeprefix("refs/heads/"), None
    pull.iterate("retarget")
    call.repo.settle()


QUERIES = ("notSet", "lastMergeCommit", "commit")


@route("POST", "git/repositories/{repository}/pullRequestQuery", "b3a6eebe-9cf0-49ea-b6cb-1a4c5f5007b0")
def query_pulls(call):
    results, queries = [], call.body().get("queries")
    for one in queries or []:
        kind = word_of(QUERIES, one.get("type") or 0, "type")
        if kind == "notSet":
            raise invalid("queries")
        found = {}
        for oid in one.get("items") or []:
            pulls = [p for p in call.repo.pulls if asked_for(p, kind, oid)]
            if pulls:
                found[oid] = [call.render.pull(p) for p in pulls]
        results.append(found)
        one["type"] = kind
    return 200, {"queries": queries, "results": results}


def asked_for(pull, kind, oid):
    """By a commit that was merged, or by the merge; completed ones alone, and not at once."""
    if pull.status != "completed" or time.monotonic() < pull.indexed_at:
        return False
    if kind == "lastMergeCommit":
        return pull.merge_commit == oid
    return oid in pull.repository.git.ahead(pull.base_sha, pull.head)


# Labels and reviewers: https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-labels and …-reviewers

LABELS = "f22387e3-984e-4c52-9c6d-fbb8f14c812d"
REVIEWERS = "4b6702c7-aa35-4b89-9c96-b9abf6d3e540"


@route("GET", "git/repositories/{repository}/pullRequests/{number}/labels", LABELS)
def list_labels(call):
    shown = [call.render.label(name) for name in call.pull().labels]
    return 200, {"value": shown, "count": len(shown)}


@route("POST", "git/repositories/{repository}/pullRequests/{number}/labels", LABELS)
def add_label(call):
    pull, name = call.pull(), call.body().get("name")
    call.token.require("PullRequestContribute")
    if not name:
        raise invalid("name")
    if name not in pull.labels:
        pull.labels.append(name)
    return 200, call.render.label(name)


@route("GET", "git/repositories/{repository}/pullRequests/{number}/reviewers", REVIEWERS)
def list_reviewers(call):
    shown = [call.render.reviewer(call.pull(), one) for one in call.pull().reviewers]
    return 200, {"value": shown, "count": len(shown)}


@route("PUT", "git/repositories/{repository}/pullRequests/{number}/reviewers/{reviewer}", REVIEWERS)
def add_reviewer(call):
    pull, wanted = call.pull(), call.names["reviewer"]
    call.token.require("PullRequestContribute")
    known = {token.identity.id: token.identity for token in call.forge.tokens.values()}
    if wanted not in known:
        text = f"TF401186: Reviewer with id {wanted} could not be found."
        raise Refusal(404, "GitPullRequestReviewerNotFoundException", text)
    pull.reviewers[wanted] = call.body().get("vote") or 0
    return 201, call.render.reviewer(pull, wanted)


@route("GET", "git/repositories/{repository}/pullRequests/{number}/iterations", "d43911ee-6958-46b0-a42b-8445b8a0d004")
def list_iterations(call):
    pull = call.pull()
    shown = [call.render.iteration(pull, n) for n in range(1, len(pull.iterations) + 1)]
    return 200, {"value": shown, "count": len(shown)}


@route(
    "GET",
    "git/repositories/{repository}/pullRequests/{number}/iterations/{iteration}",
    "d43911ee-6958-46b0-a42b-8445b8a0d004",
)
def get_iteration(call):
    return 200, call.render.iteration(call.pull(), iteration_of(call, call.names["iteration"]))


def iteration_of(call, text):
    count = len(call.pull().iterations)
    if not re.fullmatch(r"\d+", str(text)) or not 1 <= int(text) <= count:
        raise invalid("iterationId")
    return int(text)


# Statuses

PULL_STATUSES = "b5f6bb4f-8d1e-4d79-8d11-4c9172c99c35"


@route("GET", "git/repositories/{repository}/pullRequests/{number}/statuses", PULL_STATUSES)
def list_pull_statuses(call):
    pull = call.pull()
    shown = [call.render.status(s, pull) for s in pull.statuses]
    return 200, {"value": shown, "count": len(shown)}


@route("POST", "git/repositories/{repository}/pullRequests/{number}/statuses", PULL_STATUSES)
def post_pull_status(call):
    pull, fields = call.pull(), status_fields(call)
    call.token.require("PullRequestContribute")
    if not pull.open:
        raise not_editable()
    iteration = fields.get("iterationId")
    if iteration is not None:
        iteration = iteration_of(call, iteration)
    number = next(call.forge.numbers)
    pull.statuses.append(Status(number, call.token.identity, fields, iteration, len(pull.iterations)))
    call.repo.start_due()
    return 200, call.render.status(pull.statuses[-1], pull)
