"""What a test does to the forge, beside what test/fakes/hub/arranging.py has. O/R is OWNER/NAME.

PUT   tokens                 {TOKEN: {login, kind, permissions, admin, repositories, expired}}
POST  repositories           {owner, name, files or from}
POST  forks/O/R              {owner}
PATCH repositories/O/R       {private, allow_auto_merge, delete_branch_on_merge, allow: {merge, squash, rebase}}
PUT   protection/O/R/BRANCH  {contexts, strict, admins, ruleset}      null takes it away
PATCH pulls/O/R/N            {labels: []}: what a person clicks
PUT   settings               {index_lag: seconds, rate: {limit, used, reset}}
"""

from access import not_found
from hub import arranging
from model import Protection


def answer(forge, method, parts, body):
    def find(rest):
        found = forge.find("/".join(rest[:2]))
        if not found:
            raise not_found()
        return found, rest[2:]

    known = arranging.answer(forge, method, parts, body, find)
    if known is not None:
        return known
    key = f"{method} {parts[0]}"
    if key == "PUT settings":
        forge.index_lag = body.get("index_lag", forge.index_lag)
        forge.rate.update(body.get("rate", {}))
        return forge.rate
    repository, rest = find(parts[1:])
    if key == "PATCH repositories":
        repository.allow.update(body.pop("allow", {}))
        for name in ("private", "allow_auto_merge", "delete_branch_on_merge", "default_branch"):
            setattr(repository, name, body.get(name, getattr(repository, name)))
    elif key == "PATCH pulls":
        repository.pull(int(rest[0])).labels = body["labels"]
    elif key == "PUT protection":
        branch = "/".join(rest)
        repository.protection.pop(branch, None)
        if body is not None:
            repository.protection[branch] = Protection(**body)
        repository.settle()
    else:
        raise not_found()
    return {}
