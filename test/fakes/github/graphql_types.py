"""The part of GitHub's GraphQL schema that the forge has, and what each field is. https://docs.github.com/graphql/reference

A field is F(type, what to do, **arguments). What to do gets (context, object, arguments); without one the object's
attribute of that name is taken. Types of fields and arguments are written as in the schema; [X] of a connection's nodes.
"""

import base64
import time
from dataclasses import dataclass

from access import Refusal
from model import now

PAGING = {"first": "Int", "last": "Int", "after": "String", "before": "String"}
ENUMS = {
    "PullRequestState": ("OPEN", "CLOSED", "MERGED"),
    "PullRequestMergeMethod": ("MERGE", "SQUASH", "REBASE"),
    "OrderDirection": ("ASC", "DESC"),
    "IssueOrderField": ("CREATED_AT", "UPDATED_AT", "COMMENTS"),
    "PullRequestOrderField": ("CREATED_AT", "UPDATED_AT"),
}
INPUTS = {
    "IssueOrder": {"field": "IssueOrderField!", "direction": "OrderDirection!"},
    "PullRequestOrder": {"field": "PullRequestOrderField!", "direction": "OrderDirection!"},
    "EnablePullRequestAutoMergeInput": {
        "pullRequestId": "ID!",
        "mergeMethod": "PullRequestMergeMethod",
        "expectedHeadOid": "GitObjectID",
        "commitHeadline": "String",
        "commitBody": "String",
        "authorEmail": "String",
        "clientMutationId": "String",
    },
    "FileAddition": {"path": "String!", "contents": "Base64String!"},
    "FileChanges": {"additions": "[FileAddition!]"},
    "CommittableBranch": {"id": "ID", "repositoryNameWithOwner": "String", "branchName": "String"},
    "CommitMessage": {"headline": "String!", "body": "String"},
    "CreateCommitOnBranchInput": {
        "branch": "CommittableBranch!",
        "message": "CommitMessage!",
        "fileChanges": "FileChanges",
        "expectedHeadOid": "GitObjectID!",
        "clientMutationId": "String",
    },
    "DisablePullRequestAutoMergeInput": {"pullRequestId": "ID!", "clientMutationId": "String"},
}
UNIONS = {
    "Node": ("PullRequest", "Repository", "Commit", "StatusContext", "CheckRun"),
    "GitObject": ("Commit",),
    "StatusCheckRollupContext": ("StatusContext", "CheckRun"),
}


@dataclass
class Connection:
    items: list


@dataclass
class Commit:
    repository: object
    oid: str


@dataclass
class Ref:
    repository: object
    name: str


class F:
    def __init__(self, kind, resolve=None, needs=None, **arguments):
        self.kind, self.resolve, self.needs, self.arguments = kind, resolve, needs, arguments

    @property
    def name(self):
        return self.kind.strip("[]!")


def lost(kind, how):
    return Refusal(404, f"Could not resolve to a {kind} with {how}.", kind="NOT_FOUND")


# Repositories


def repository(ctx, _, args):
    found = ctx.forge.find(f"{args['owner']}/{args['name']}")
    if not found or (found.private and not ctx.token.sees(found)):
        raise lost("Repository", f"the name '{args['owner']}/{args['name']}'")
    return found


def node(ctx, _, args):
    found = ctx.forge.pull_of_node(args["id"])
    if not found:
        found = next((r for r in ctx.forge.repositories.values() if r.node == args["id"]), None)
    if not found:
        raise lost("node", f"the global id of '{args['id']}'")
    return found


def ref(ctx, repo, args):
    name = args["qualifiedName"]
    full = name if name.startswith("refs/") else "refs/heads/" + name
    return Ref(repo, full) if repo.git.ref(full) else None


def git_object(ctx, repo, args):
    oid = args.get("oid") or repo.git.ref(args.get("expression") or "")
    return Commit(repo, oid) if oid and repo.git.has_commit(oid) else None


def protection_rule(ctx, one, args):
    rule = one.repository.protection.get(one.name.removeprefix("refs/heads/"))
    if not rule or rule.ruleset:
        return None
    ctx.token.require("administration=read")
    return rule


def pull_request(ctx, repo, args):
    if not 1 <= args["number"] <= len(repo.pulls):
        raise lost("PullRequest", f"the number of {args['number']}")
    return repo.pulls[args["number"] - 1]


def state(pull):
    return "MERGED" if pull.merged_at else pull.state.upper()


def pull_requests(ctx, repo, args):
    found = list(repo.pulls)
    if args.get("states"):
        found = [p for p in found if state(p) in args["states"]]
    if args.get("headRefName"):
        found = [p for p in found if p.branch == args["headRefName"]]
    if args.get("baseRefName"):
        found = [p for p in found if p.base == args["baseRefName"]]
    order = args.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    if order["field"] == "UPDATED_AT":
        found.sort(key=lambda pull: pull.updated_at)
    if order["direction"] == "DESC":
        found.reverse()
    return Connection(found)


def associated(ctx, commit, args):
    return Connection(commit.repository.pulls_of_commit(commit.oid))


def committed(commit):
    seconds = int(commit.repository.git.field(commit.oid, "%ct"))
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


# Reports on commits


def rollup(ctx, commit, args):
    return commit if commit.repository.latest(commit.oid) else None


def rollup_state(ctx, commit, args):
    results = {r.result for r in commit.repository.latest(commit.oid)}
    for name in ("failure", "error", "pending"):
        if name in results:
            return name.upper()
    return "SUCCESS"


def rollup_contexts(ctx, commit, args):
    return Connection(commit.repository.latest(commit.oid))


def status_of(ctx, commit, args):
    return commit if [r for r in commit.repository.latest(commit.oid) if r.kind == "status"] else None


def status_contexts(ctx, commit, args):
    return [r for r in commit.repository.latest(commit.oid) if r.kind == "status"]


def upper(name):
    return lambda ctx, one, args: getattr(one, name) and getattr(one, name).upper()


def attribute(name):
    return lambda ctx, one, args: getattr(one, name)


# Mutations


def create_commit(ctx, _, args):
    """https://docs.github.com/graphql/reference/mutations#createcommitonbranch; modes of files stay."""
    given = args["input"]
    ctx.token.require("contents=write")
    repo = ctx.forge.find(given["branch"]["repositoryNameWithOwner"])
    ref = "refs/heads/" + given["branch"]["branchName"]
    head = repo.git.ref(ref)
    if head != given["expectedHeadOid"]:
        text = f"Expected branch to point to \"{given['expectedHeadOid']}\" but it points to \"{head}\"."
        raise Refusal(200, text, kind="STALE_DATA")
    env = {"GIT_INDEX_FILE": repo.git.path + "/commit.index"}
    repo.git("read-tree", head, env=env)
    for one in given.get("fileChanges", {}).get("additions", []):
        mode = repo.git("ls-tree", head, "--", one["path"]).split(" ")[0] or "100644"
        oid = repo.git("hash-object", "-w", "--stdin", data=base64.b64decode(one["contents"], validate=True))
        repo.git("update-index", "--add", "--cacheinfo", f"{mode},{oid},{one['path']}", env=env)
    message = given["message"]["headline"] + ("\n\n" + given["message"]["body"] if given["message"].get("body") else "")
    made = repo.git.commit(repo.git("write-tree", env=env), [head], message, (ctx.token.login, "bot@example.com", now()))
    repo.git.set_ref(ref, made)
    return Commit(repo, made)


def of_node(ctx, args):
    pull = ctx.forge.pull_of_node(args["input"]["pullRequestId"])
    if not pull:
        raise lost("node", f"the global id of '{args['input']['pullRequestId']}'")
    # What auto-merge may do is what a merge may: contents, and the pull request itself.
    ctx.token.require("contents=write,pull_requests=write")
    return pull


def enable(ctx, _, args):
    pull, given = of_node(ctx, args), args["input"]
    method = (given.get("mergeMethod") or "MERGE").lower()
    text = given.get("commitHeadline"), given.get("commitBody")
    pull.repository.enable_auto(ctx.token, pull, method, given.get("expectedHeadOid"), *text)
    return {"pull": pull, "given": given}


def disable(ctx, _, args):
    pull = of_node(ctx, args)
    pull.repository.disable_auto(pull)
    return {"pull": pull, "given": args["input"]}


PAYLOAD = {
    "pullRequest": F("PullRequest", lambda ctx, one, args: one["pull"]),
    "clientMutationId": F("String", lambda ctx, one, args: one["given"].get("clientMutationId")),
    "actor": F("User", lambda ctx, one, args: ctx.token.login),
}

TYPES = {
    "Query": {
        "repository": F("Repository", repository, owner="String!", name="String!", followRenames="Boolean"),
        "node": F("Node", node, id="ID!"),
        "viewer": F("User!", lambda ctx, _, args: ctx.token.login),
        "rateLimit": F("RateLimit", lambda ctx, _, args: ctx.forge.rate, dryRun="Boolean"),
    },
    "Mutation": {
        "enablePullRequestAutoMerge": F("AutoMergePayload", enable, input="EnablePullRequestAutoMergeInput!"),
        "disablePullRequestAutoMerge": F("AutoMergePayload", disable, input="DisablePullRequestAutoMergeInput!"),
        "createCommitOnBranch": F("CreateCommitPayload", create_commit, input="CreateCommitOnBranchInput!"),
    },
    "AutoMergePayload": PAYLOAD,
    "CreateCommitPayload": {"commit": F("Commit", lambda ctx, made, args: made)},
    "User": {"login": F("String!", lambda ctx, login, args: login)},
    "RateLimit": {
        "limit": F("Int!", lambda ctx, rate, args: rate["limit"]),
        "cost": F("Int!", lambda ctx, rate, args: 1),
        "remaining": F("Int!", lambda ctx, rate, args: rate["limit"] - rate["used"]),
        "used": F("Int!", lambda ctx, rate, args: rate["used"]),
    },
    "Repository": {
        "id": F("ID!", attribute("node")),
        "name": F("String!"),
        "nameWithOwner": F("String!", attribute("full_name")),
        "isPrivate": F("Boolean!", attribute("private")),
        "isFork": F("Boolean!", lambda ctx, repo, args: repo.parent is not None),
        "autoMergeAllowed": F("Boolean!", attribute("allow_auto_merge")),
        "mergeCommitAllowed": F("Boolean!", lambda ctx, repo, args: repo.allow["merge"]),
        "squashMergeAllowed": F("Boolean!", lambda ctx, repo, args: repo.allow["squash"]),
        "rebaseMergeAllowed": F("Boolean!", lambda ctx, repo, args: repo.allow["rebase"]),
        "defaultBranchRef": F("Ref", lambda ctx, repo, args: ref(ctx, repo, {"qualifiedName": repo.default_branch})),
        "ref": F("Ref", ref, qualifiedName="String!"),
        "object": F("GitObject", git_object, oid="GitObjectID", expression="String"),
        "pullRequest": F("PullRequest", pull_request, "pull_requests=read", number="Int!"),
        "pullRequests": F(
            "PullRequestConnection!",
            pull_requests,
            "pull_requests=read",
            states="[PullRequestState!]",
            headRefName="String",
            baseRefName="String",
            labels="[String!]",
            orderBy="IssueOrder",
            **PAGING,
        ),
    },
    "Ref": {
        "name": F("String!", lambda ctx, one, args: one.name.split("/", 2)[2]),
        "prefix": F("String!", lambda ctx, one, args: "/".join(one.name.split("/")[:2]) + "/"),
        "target": F("GitObject", lambda ctx, one, args: Commit(one.repository, one.repository.git.ref(one.name))),
        "branchProtectionRule": F("BranchProtectionRule", protection_rule),
    },
    "BranchProtectionRule": {
        "requiredStatusCheckContexts": F("[String]", attribute("contexts")),
        "requiresStatusChecks": F("Boolean!", lambda ctx, rule, args: bool(rule.contexts)),
        "requiresStrictStatusChecks": F("Boolean!", attribute("strict")),
        "isAdminEnforced": F("Boolean!", attribute("admins")),
    },
    "Commit": {
        "id": F("ID!", lambda ctx, one, args: "C_" + one.oid[:16]),
        "oid": F("GitObjectID!"),
        "committedDate": F("DateTime!", lambda ctx, one, args: committed(one)),
        "message": F("String!", lambda ctx, one, args: one.repository.git.field(one.oid, "%B")),
        "associatedPullRequests": F(
            "PullRequestConnection", associated, "pull_requests=read", orderBy="PullRequestOrder", **PAGING
        ),
        "statusCheckRollup": F("StatusCheckRollup", rollup, "statuses=read"),
        "status": F("Status", status_of, "statuses=read"),
    },
    "StatusCheckRollup": {
        "state": F("StatusState!", rollup_state),
        "contexts": F("StatusCheckRollupContextConnection!", rollup_contexts, **PAGING),
    },
    "Status": {"state": F("StatusState!", rollup_state), "contexts": F("[StatusContext]", status_contexts)},
    "StatusContext": {
        "id": F("ID!", attribute("node")),
        "context": F("String!"),
        "state": F("StatusState!", upper("state")),
        "description": F("String"),
        "targetUrl": F("URI", attribute("target_url")),
        "createdAt": F("DateTime!", attribute("created_at")),
        "creator": F("User", lambda ctx, one, args: one.creator.removesuffix("[bot]")),
    },
    "CheckRun": {
        "id": F("ID!", attribute("node")),
        "databaseId": F("Int", attribute("number")),
        "name": F("String!", attribute("context")),
        "status": F("CheckStatusState!", upper("status")),
        "conclusion": F("CheckConclusionState", upper("conclusion")),
        "detailsUrl": F("URI", attribute("details_url")),
        "startedAt": F("DateTime", attribute("started_at")),
        "completedAt": F("DateTime", attribute("completed_at")),
        "title": F("String", lambda ctx, one, args: None),
        "summary": F("String", lambda ctx, one, args: None),
    },
    "PullRequest": {
        "id": F("ID!", attribute("node")),
        "number": F("Int!"),
        "url": F("URI!", lambda ctx, p, args: f"{ctx.web}/{p.repository.full_name}/pull/{p.number}"),
        "title": F("String!"),
        "body": F("String!", lambda ctx, p, args: p.body or ""),
        "state": F("PullRequestState!", lambda ctx, p, args: state(p)),
        "isDraft": F("Boolean!", lambda ctx, p, args: False),
        "isCrossRepository": F("Boolean!", attribute("fork")),
        "headRefName": F("String!", attribute("branch")),
        "baseRefName": F("String!", attribute("base")),
        "headRefOid": F("GitObjectID!", attribute("head")),
        "baseRefOid": F("GitObjectID!", attribute("base_sha")),
        "headRepository": F("Repository", attribute("source")),
        "baseRepository": F("Repository", attribute("repository")),
        "repository": F("Repository!"),
        "createdAt": F("DateTime!", attribute("created_at")),
        "updatedAt": F("DateTime!", attribute("updated_at")),
        "closedAt": F("DateTime", attribute("closed_at")),
        "mergedAt": F("DateTime", attribute("merged_at")),
        "merged": F("Boolean!", lambda ctx, p, args: bool(p.merged_at)),
        "closed": F("Boolean!", lambda ctx, p, args: p.state == "closed"),
        "autoMergeRequest": F("AutoMergeRequest", attribute("auto")),
        "mergeCommit": F("Commit", lambda ctx, p, args: p.merge_commit and Commit(p.repository, p.merge_commit)),
        "mergeStateStatus": F(
            "MergeStateStatus!", lambda ctx, p, args: p.repository.merge_state(p) if p.state == "open" else "UNKNOWN"
        ),
        "mergeable": F(
            "MergeableState!",
            lambda ctx, p, args: "UNKNOWN" if p.state != "open" else "MERGEABLE" if p.test_merge else "CONFLICTING",
        ),
        "viewerCanEnableAutoMerge": F(
            "Boolean!", lambda ctx, p, args: p.state == "open" and not p.auto and p.repository.allow_auto_merge
        ),
    },
    "AutoMergeRequest": {
        "enabledAt": F("DateTime", lambda ctx, auto, args: auto["at"] or now()),
        "mergeMethod": F("PullRequestMergeMethod!", lambda ctx, auto, args: auto["method"].upper()),
        "enabledBy": F("User", lambda ctx, auto, args: auto["by"]),
    },
    "PageInfo": {name: F(kind, lambda ctx, one, args, n=name: one[n]) for name, kind in (
        ("hasNextPage", "Boolean!"), ("hasPreviousPage", "Boolean!"), ("startCursor", "String"), ("endCursor", "String"),
    )},
}  # fmt: skip


def connection(of):
    return {
        "nodes": F(f"[{of}]", lambda ctx, page, args: page["nodes"]),
        "totalCount": F("Int!", lambda ctx, page, args: page["total"]),
        "pageInfo": F("PageInfo!", lambda ctx, page, args: page),
    }


# What all of a union have in common.
TYPES["Node"] = {"id": F("ID!")}
TYPES["GitObject"] = {"id": F("ID!"), "oid": F("GitObjectID!")}
TYPES["PullRequestConnection"] = connection("PullRequest")
TYPES["StatusCheckRollupContextConnection"] = connection("StatusCheckRollupContext")


def type_of(value):
    name = type(value).__name__
    return {"Pull": "PullRequest", "Status": "StatusContext"}.get(name, name)


def cursor(at):
    return base64.b64encode(f"cursor:v2:{at}".encode()).decode()


def cut(found, args, name):
    """One page of a connection: https://docs.github.com/graphql/guides/using-pagination-in-the-graphql-api"""
    asked = next((n for n in ("first", "last") if args.get(n) is not None), None)
    if not asked:
        text = f"You must provide a `first` or `last` value to properly paginate the `{name}` connection."
        raise Refusal(422, text, kind="MISSING_PAGINATION_BOUNDARIES")
    size = args[asked]
    if not 0 <= size <= 100:
        text = f"Requesting {size} records on the `{name}` connection exceeds the `{asked}` limit of 100 records."
        raise Refusal(422, text, kind="EXCESSIVE_PAGINATION")
    start, stop = 0, len(found.items)
    for edge in ("after", "before"):
        if not args.get(edge):
            continue
        try:
            at = int(base64.b64decode(args[edge]).decode().rsplit(":", 1)[1])
        except (ValueError, IndexError) as e:
            text = f"`{args[edge]}` does not appear to be a valid cursor."
            raise Refusal(422, text, kind="INVALID_CURSOR_ARGUMENTS") from e
        start, stop = (at, stop) if edge == "after" else (start, at - 1)
    start, stop = (start, min(stop, start + size)) if asked == "first" else (max(start, stop - size), stop)
    return {
        "nodes": found.items[start:stop],
        "total": len(found.items),
        "hasNextPage": stop < len(found.items),
        "hasPreviousPage": start > 0,
        "startCursor": cursor(start + 1) if stop > start else None,
        "endCursor": cursor(stop) if stop > start else None,
    }
