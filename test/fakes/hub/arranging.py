"""What a test does to any forge: below /_test/, without a token. Each answers with a JSON value. A forge's own
testapi.py adds to it.

PUT   tokens                 {TOKEN: {…}}, what a forge's Token takes
POST  repositories           {…, files: {path: text}}        a repository with a first commit, or
                             {…, from: path}                 with another one's branches
POST  forks/REPOSITORY       {…}
POST  statuses/REPOSITORY    {commit, count, state}          other/1, other/2 and so on, by somebody else
POST  pulls/REPOSITORY       {count}         that many open pull requests, of branches many/1, many/2 and so on
POST  settle/REPOSITORY      after refs were changed behind the forge's back
PUT   faults                 [fault], see faults.py
"""

from hub.repository import now


def answer(model, method, parts, body, find):
    """None where it is none of these. find(parts) is (repository, the parts after it)."""
    key = f"{method} {parts[0]}"
    if key == "PUT tokens":
        for text, more in body.items():
            model.add_token(text, **more)
        return {}
    if key == "POST repositories":
        files, origin = body.pop("files", {"README.md": "beginning\n"}), body.pop("from", None)
        repository = model.add_repository(**body)
        if origin:
            repository.git("fetch", "--quiet", origin, "+refs/heads/*:refs/heads/*")
        else:
            first_commit(repository, files)
        repository.settle()
        return {"path": repository.git.path, "url": repository.clone_url()}
    if key == "PUT faults":
        model.faults = [dict(fault, seen=0) for fault in body]
        return {}
    if key == "POST forks":
        repository, _ = find(parts[1:])
        return {"url": model.fork(repository, **body).clone_url()}
    if key == "POST statuses":
        for i in range(body["count"]):
            find(parts[1:])[0].somebody_says(body["commit"], f"other/{i + 1}", body["state"])
        return {}
    if key == "POST pulls":
        many_pulls(find(parts[1:])[0], body["count"])
        return {}
    if key == "POST settle":
        model.pushed(find(parts[1:])[0], None)
        return {}
    return None


def many_pulls(repository, count):
    """Each with a commit of its own; fast, and so without a trial of their merges."""
    base, stream = "refs/heads/" + repository.default_branch, ""
    for i in range(1, count + 1):
        stream += f"commit refs/heads/many/{i}\ncommitter Emilia <emilia@example.com> 1767323045 +0000\ndata 0\n\n"
        stream += f"from {base}^0\nM 644 inline many/{i}\ndata 0\n\n"
    repository.git("fast-import", "--quiet", data=stream.encode())
    tip = repository.git.ref(base)
    for i in range(1, count + 1):
        pull = repository.somebody_opens(f"many/{i}")
        pull.tested, pull.test_merge = (tip, pull.head), tip


def first_commit(repository, files):
    git, lines = repository.git, []
    for path, text in files.items():
        oid = git("hash-object", "-w", "--stdin", data=text.encode())
        lines.append(f"100644 blob {oid}\t{path}")
    env = {"GIT_INDEX_FILE": git.path + "/first.index"}
    git("update-index", "--add", "--index-info", data=("\n".join(lines) + "\n").encode(), env=env)
    tip = git.commit(git("write-tree", env=env), [], "the beginning", ("Emilia", "emilia@example.com", now()))
    git.set_ref("refs/heads/" + repository.default_branch, tip)
