"""What a test does to the forge: below /_test/, without a token. Each answers with a JSON value.

PUT   tokens                 {TOKEN: {login, kind, permissions, admin, repositories, expired}}
POST  repositories           {owner, name, files: {path: text}}       a repository with a first commit, or
                             {owner, name, from: path}                with another one's branches
PATCH repositories/O/R       {private, allow_auto_merge, delete_branch_on_merge, allow: {merge, squash, rebase}}
PUT   protection/O/R/BRANCH  {contexts, strict, admins, ruleset}      null takes it away
POST  forks/O/R              {owner}
POST  settle/O/R             after refs were changed behind the forge's back
PUT   settings               {index_lag: seconds, rate: {limit, used, reset}}
PUT   faults                 [fault], see faults.py
"""

from access import not_found
from model import Protection, now


def answer(forge, method, parts, body):
    what, rest = parts[0], parts[1:]
    key = method + " " + what
    if key == "PUT tokens":
        for text, more in body.items():
            forge.add_token(text, **more)
        return {}
    if key == "POST repositories":
        return create(forge, body)
    if key == "PUT settings":
        forge.index_lag = body.get("index_lag", forge.index_lag)
        forge.rate.update(body.get("rate", {}))
        return forge.rate
    if key == "PUT faults":
        forge.faults = [dict(fault, seen=0) for fault in body]
        return {}
    repository = forge.find("/".join(rest[:2]))
    if not repository:
        raise not_found()
    if key == "PATCH repositories":
        repository.allow.update(body.pop("allow", {}))
        for name in ("private", "allow_auto_merge", "delete_branch_on_merge", "default_branch"):
            setattr(repository, name, body.get(name, getattr(repository, name)))
    elif key == "PUT protection":
        branch = "/".join(rest[2:])
        repository.protection.pop(branch, None)
        if body is not None:
            repository.protection[branch] = Protection(**body)
        repository.settle()
    elif key == "POST forks":
        return {"full_name": forge.fork(repository, body["owner"]).full_name}
    elif key == "POST settle":
        forge.pushed(repository, None)
    else:
        raise not_found()
    return {}


def create(forge, body):
    repository = forge.add_repository(body["owner"], body["name"])
    git = repository.git
    if "from" in body:
        git("fetch", "--quiet", body["from"], "+refs/heads/*:refs/heads/*")
    else:
        first_commit(repository, body.get("files", {"README.md": "beginning\n"}))
    repository.settle()
    return {"full_name": repository.full_name, "path": git.path, "url": f"{forge.url}/{repository.full_name}.git"}


def first_commit(repository, files):
    git, lines = repository.git, []
    for path, text in files.items():
        oid = git("hash-object", "-w", "--stdin", data=text.encode())
        lines.append(f"100644 blob {oid}\t{path}")
    env = {"GIT_INDEX_FILE": git.path + "/first.index"}
    git("update-index", "--add", "--index-info", data=("\n".join(lines) + "\n").encode(), env=env)
    tip = git.commit(git("write-tree", env=env), [], "the beginning", ("Emilia", "emilia@example.com", now()))
    git.set_ref("refs/heads/" + repository.default_branch, tip)
