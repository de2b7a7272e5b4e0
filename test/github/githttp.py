"""git's smart HTTP, by git http-backend(1), with a hosting service's say before a push lands.

https://git-scm.com/docs/http-protocol, https://git-scm.com/docs/gitprotocol-pack
"""

import gzip
import os
import subprocess
import tempfile

from gitrepo import ZERO


def pkt(data):
    return b"%04x" % (len(data) + 4) + data


def commands(body):
    """(capabilities, [(old, new, ref)]) of a push."""
    found, caps, at = [], set(), 0
    while at + 4 <= len(body):
        size = int(body[at : at + 4], 16)
        if size == 0:
            break
        line = body[at + 4 : at + size]
        at += size
        if b"\0" in line:
            line, words = line.split(b"\0", 1)
            caps = set(words.decode().split())
        parts = line.decode().rstrip("\n").split(" ", 2)
        if len(parts) == 3 and len(parts[0]) == len(ZERO):
            found.append(tuple(parts))
    return caps, found


def rejection(caps, refs, said, reasons):
    """A reply to a push of which nothing landed; reasons: ref -> why."""
    report = pkt(b"unpack ok\n")
    for ref in refs:
        report += pkt(f"ng {ref} {reasons.get(ref, 'pre-receive hook declined')}\n".encode())
    report += b"0000"
    if "side-band-64k" not in caps:
        return report
    reply = b"".join(pkt(b"\2" + (line + "\n").encode()) for line in said)
    return reply + pkt(b"\1" + report) + b"0000"


def protected(repository, token, pushes):
    """What branch protection says of a push: (lines, reasons), empty where it may land. The words are those that
    users quote; https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-protected-branches/about-protected-branches"""
    lines, reasons = [], {}
    for old, new, ref in pushes:
        branch = ref.removeprefix("refs/heads/")
        rule = repository.protection.get(branch) if branch != ref else None
        if not rule or (token.admin and not rule.admins):
            continue
        said = []
        if new == ZERO:
            said = ["Cannot delete this branch"]
        elif old != ZERO and repository.git.has_commit(new) and not repository.git.is_ancestor(old, new):
            said = ["Cannot force-push to this branch"]
        else:
            said = repository.missing_checks(branch, new)
        if not said:
            continue
        if rule.ruleset:
            lines += [f"error: GH013: Repository rule violations found for {ref}.", ""] + ["- " + s for s in said]
            reasons[ref] = "push declined due to repository rule violations"
        else:
            lines += [f"error: GH006: Protected branch update failed for {ref}."] + ["error: " + s for s in said]
            reasons[ref] = "protected branch hook declined"
    return lines, reasons


def serve(forge, repository, token, request):
    """(status, headers, body) for a request below OWNER/NAME.git; request.rest is what comes after that."""
    body = request.body
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    push = request.rest == "/git-receive-pack"
    if push:
        caps, pushes = commands(body)
        hidden = [ref for _, _, ref in pushes if ref.startswith("refs/pull/")]
        lines, reasons = protected(repository, token, pushes)
        for ref in hidden:
            reasons[ref] = "deny updating a hidden ref"
        if reasons:
            reply = rejection(caps, [ref for _, _, ref in pushes], lines, reasons)
            return 200, {"Content-Type": "application/x-git-receive-pack-result", "Cache-Control": "no-cache"}, reply
    with tempfile.TemporaryDirectory() as scratch:
        env = {
            **repository.git.env,
            "GIT_PROJECT_ROOT": forge.root,
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{repository.full_name}.git{request.rest}",
            "REQUEST_METHOD": request.method,
            "QUERY_STRING": request.query_string,
            "CONTENT_TYPE": request.headers.get("Content-Type") or "",
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_USER": token.login if token else "",
            "REMOTE_ADDR": "127.0.0.1",
            "GIT_PROTOCOL": request.headers.get("Git-Protocol") or "",
        }
        flag = os.path.join(scratch, "workflow")
        if push and not token.allows("workflows=write"):
            env["FORGE_REFUSE_WORKFLOWS"] = flag
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=env, check=False)
        refused = None
        if os.path.exists(flag):
            with open(flag, encoding="utf-8") as f:
                refused = f.read()
    if refused is not None:
        who = "a Personal Access Token" if token.kind == "pat" else "a GitHub App"
        need = "`workflow` scope" if token.kind == "pat" else "`workflows` permission"
        why = f"refusing to allow {who} to create or update workflow `{refused}` without {need}"
        refs = [ref for _, _, ref in pushes]
        reply = rejection(caps, refs, [], {ref: why for ref in refs})
        return 200, {"Content-Type": "application/x-git-receive-pack-result"}, reply
    if push:
        forge.pushed(repository, token)
    return parse_cgi(done.stdout)


def parse_cgi(output):
    head, _, body = output.partition(b"\r\n\r\n")
    status, headers = 200, {}
    for line in head.decode().split("\r\n"):
        name, _, value = line.partition(": ")
        if name.lower() == "status":
            status = int(value.split(" ")[0])
        elif name:
            headers[name] = value
    return status, headers, body
