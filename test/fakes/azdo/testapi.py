"""What a test does to the forge, beside what test/fakes/hub/arranging.py has. REPOSITORY is COLLECTION/PROJECT/NAME.

PUT   tokens                    {TOKEN: {login, name, kind: pat, job or aad, permissions, repositories, expired}}
POST  repositories              {collection, project, name, files or from}
POST  forks/REPOSITORY          {name, project}
PATCH repositories/REPOSITORY   {default_branch}
PUT   policies/REPOSITORY       [{type: status, build, reviewers, strategy or size, isBlocking, isEnabled, settings}], each
                                with the scope of the branch "branch" (main), or with one of its own; in place of the
                                old ones; the answer is their ids
PUT   builds/REPOSITORY/NUMBER  {policy, result: queued, running, approved, rejected}   what a build validation says
PUT   votes/REPOSITORY/NUMBER   {login: 10, 5, 0, -5 or -10}
PUT   settings                  see Forge.settings in model.py
"""

from access import Refusal
from hub import arranging
from policy import BUILD, FILE_SIZE, MERGE_STRATEGY, REVIEWERS, STATUS, Policy

KINDS = {"status": STATUS, "build": BUILD, "reviewers": REVIEWERS, "strategy": MERGE_STRATEGY, "size": FILE_SIZE}


def answer(forge, method, parts, body):
    def find(rest):
        found = forge.repositories.get(tuple(p.lower() for p in rest[:3]))
        if not found:
            raise Refusal(404, "NotFound", "no such repository: " + "/".join(rest[:3]))
        return found, rest[3:]

    known = arranging.answer(forge, method, parts, body, find)
    if known is not None:
        return known
    key = f"{method} {parts[0]}"
    if key == "PUT settings":
        if set(body) - set(forge.settings):
            raise Refusal(400, "Unknown", f"no such setting: {set(body) - set(forge.settings)}")
        forge.settings.update(body)
        return forge.settings
    repository, rest = find(parts[1:])
    if key == "PATCH repositories":
        repository.default_branch = body["default_branch"]
    elif key == "PUT policies":
        repository.project.policies = [policy(repository, **one) for one in body]
        repository.settle()
        return [one.id for one in repository.project.policies]
    elif key in ("PUT builds", "PUT votes"):
        pull = next(p for p in repository.pulls if str(p.number) == rest[0])
        if key == "PUT builds":
            pull.builds[body["policy"]] = (body["result"], len(pull.iterations))
        else:
            pull.votes.update({forge.identity(who): vote for who, vote in body.items()})
        repository.start_due()
    else:
        raise Refusal(404, "NotFound", "no such thing to arrange: " + key)
    return {}


def policy(repository, type, settings, branch="main", scope=None, **flags):  # noqa: A002 (the member's name)
    scope = scope or [{"repositoryId": repository.id, "refName": "refs/heads/" + branch, "matchKind": "Exact"}]
    return Policy(repository.project, KINDS[type], settings, scope, **flags)
