"""Routes: who the caller is, repositories, refs, commits and their statuses."""

from access import invalid, unresolvable
from model import STATES
from rest import route, word_of


@route("GET", "connectionData", "00d9565f-ed9c-4a06-9a50-00e7896ccab4", scoped="no", preview=True)
def connection_data(call):
    return 200, call.render.connection(call.token, call.collection)


@route("GET", "resourceAreas", "e81700f7-3be2-46de-8624-2eb35882fcaa", scoped="no", preview=True)
def resource_areas(call):
    """None: clients ask everything here then, as on a server of one's own."""
    return 200, {"value": [], "count": 0}


# Repositories


@route("GET", "git/repositories", "225f7195-f9c7-4d14-ab28-a83f7ff77e1f")
def list_repositories(call):
    shown = [call.render.repository(r) for r in call.forge.within(call.token, call.collection, call.project)]
    return 200, {"value": shown, "count": len(shown)}


@route("GET", "git/repositories/{repository}", "225f7195-f9c7-4d14-ab28-a83f7ff77e1f")
def get_repository(call):
    return 200, call.render.repository(call.repo, full=True)


@route("GET", "git/repositories/{repository}/refs", "2d874a60-a811-4f62-9c9f-963a6ea0a55b")
def list_refs(call):
    start, part = "refs/" + (call.query("filter") or ""), (call.query("filterContains") or "").lower()
    lines = call.repo.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    refs = [line.split(" ") for line in lines if not line.startswith("refs/internal/")]
    found = [ref for ref in refs if ref[0].startswith(start) and part in ref[0].lower()]
    return call.continued(found, lambda ref: call.render.ref(call.repo, *ref))


@route("GET", "git/repositories/{repository}/diffs/commits", "615588d5-c0c7-4b88-88f8-e625306446e8")
def compare(call):
    oids = []
    for side in ("base", "target"):
        kind = call.word(side + "VersionType", ("branch", "commit", "tag"), "branch")
        name = call.query(side + "Version") or call.repo.default_branch
        oid = call.repo.git.ref({"branch": "refs/heads/", "tag": "refs/tags/", "commit": ""}[kind] + name)
        if not oid:
            raise unresolvable(kind.capitalize(), name, call.repo.name)
        oids.append(oid)
    return 200, call.render.comparison(call.repo, *oids)


# Statuses of commits


def status_fields(call):
    fields = call.body()
    return {**fields, "state": word_of(STATES, fields.get("state") or 0, "state")}


def latest(statuses):
    return list({(s.name, s.genre or ""): s for s in statuses}.values())


STATUSES = "428dd4fb-fda5-4722-af02-9313b80305da"


@route("GET", "git/repositories/{repository}/commits/{commit}/statuses", STATUSES)
def list_statuses(call):
    found = list(reversed(call.repo.statuses.get(known(call), [])))
    if call.flag("latestOnly"):
        found = list(reversed(latest(reversed(found))))
    return call.page(found, call.render.status, top="top", skip="skip", default=1000)


def known(call):
    oid = call.names["commit"]
    if not call.repo.git.has_commit(oid):
        raise unresolvable("Commit", oid, call.repo.name)
    return oid


@route("POST", "git/repositories/{repository}/commits/{commit}/statuses", STATUSES)
def post_status(call):
    fields = status_fields(call)
    call.token.require("GenericContribute")
    return 201, call.render.status(call.repo.post(call.token.identity, call.names["commit"], fields))


@route("POST", "git/repositories/{repository}/commitsBatch", "6400dfb2-0bcb-462b-b992-5a57f8f1416c")
def commits_batch(call):
    fields = call.body()
    ids = fields.get("ids")
    if not ids or set(fields) - {"ids"}:
        raise invalid("searchCriteria")
    for oid in ids:
        call.names["commit"] = oid
        known(call)
    wanted = call.flag("includeStatuses") and call.forge.settings["batch_statuses"]
    statuses = call.repo.statuses if wanted else {}
    return call.page(ids, lambda oid: call.render.commit(call.repo, oid, statuses.get(oid)))
