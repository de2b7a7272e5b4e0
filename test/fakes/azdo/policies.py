"""Routes: branch policies, and how they stand for a pull request."""

import re

from access import invalid
from policy import TYPES, Policy
from rest import route


@route("GET", "git/policy/configurations", "2c420070-a0a2-49cc-9639-c9f271c5ff07", scoped="yes", preview=True)
def list_policies_of_ref(call):
    """Those that cover a branch, of the project's own ones too, and those of the repository's pushes:
    https://learn.microsoft.com/rest/api/azure/devops/git/policy-configurations/get"""
    project = call.forge.project(call.collection, call.project)
    repository, ref, kind = call.query("repositoryId"), call.query("refName"), call.query("policyType")
    found = [p for p in project.policies if kind in (None, p.type) and p.covers(repository, ref)]
    return call.continued(found, call.render.policy, default=100)


CONFIGURATIONS = "dad91cbe-d183-45f8-9c6e-9c1164472121"


@route("GET", "policy/configurations", CONFIGURATIONS, scoped="yes")
def list_policies(call):
    project = call.forge.project(call.collection, call.project)
    kind = call.query("policyType")
    return call.continued([p for p in project.policies if kind in (None, p.type)], call.render.policy)


@route("POST", "policy/configurations", CONFIGURATIONS, scoped="yes")
def add_policy(call):
    call.token.require("EditPolicies")
    fields, project = call.body(), call.forge.project(call.collection, call.project)
    settings = dict(fields.get("settings") or {})
    scope = settings.pop("scope", None)
    if not scope:
        raise invalid("configuration.Settings")
    flags = {k: fields[k] for k in ("isBlocking", "isEnabled") if k in fields}
    project.policies.append(Policy(project, (fields.get("type") or {}).get("id"), settings, scope, **flags))
    return 200, call.render.policy(project.policies[-1])


@route("GET", "policy/types", "44096322-2d3d-466a-bb30-d1b7de69f61f", scoped="yes")
def list_types(call):
    shown = [call.render.policy_type(one) for one in TYPES]
    return 200, {"value": shown, "count": len(shown)}


@route("GET", "policy/evaluations", "c23ddff5-229c-4d04-a80b-0fdce9f360c8", scoped="yes", preview=True)
def list_evaluations(call):
    project, wanted = call.forge.project(call.collection, call.project), call.query("artifactId") or ""
    match = re.fullmatch(r"vstfs:///CodeReview/CodeReviewId/([^/]+)/(\d+)", wanted)
    if not match or match[1] != project.id:
        raise invalid("artifactId")
    call.names["number"] = match[2]
    pull = call.pull()
    if pull.unevaluated > 0:
        pull.unevaluated -= 1
        return 200, {"value": [], "count": 0}
    found = [(p, p.stands(pull)) for p in pull.repository.policies(pull)]
    # They are evaluated anew in the background; until then the old ones stand.
    if pull.stale > 0:
        pull.stale -= 1
        found = [(p, pull.stood.get(p.id, how)) for p, how in found]
    if not call.flag("includeNotApplicable"):
        found = [(p, how) for p, how in found if how != "notApplicable"]
    return call.page(found, lambda pair: call.render.evaluation(pull, *pair))
