"""git's smart HTTP, by git http-backend(1), with a hosting service's say before a push lands.

https://git-scm.com/docs/http-protocol, https://git-scm.com/docs/gitprotocol-pack
"""

import gzip
import os
import subprocess
import tempfile

from hub.gitrepo import ZERO

RESULT = {"Content-Type": "application/x-git-receive-pack-result", "Cache-Control": "no-cache"}


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


class Judge:
    """What a service has to say to a push; this one lets everything through but the refs of pull requests."""

    # Shell that runs where the new objects can be read, with git's lines for pre-receive on its standard input. It
    # writes what it finds into $FORGE_FOUND.
    hook = ""

    def before(self, pushes):
        """(lines for the user, ref -> reason) of what is refused by its names alone."""
        return [], {ref: "deny updating a hidden ref" for _, _, ref in pushes if ref.startswith("refs/pull/")}

    def after(self, pushes, found):
        """The same, from what the hook has found (nothing lands where it has found anything)."""
        raise NotImplementedError

    def landed(self, pushes):
        """They are in."""


def serve(git, request, user, judge):
    """(status, headers, body) for a request to a repository; request.rest is what comes after the repository's path."""
    body = request.body
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    if request.rest != "/git-receive-pack":
        return parse_cgi(backend(git, request, user, body, {}))
    caps, pushes = commands(body)
    said, reasons = judge.before(pushes)
    if not reasons:
        with tempfile.TemporaryDirectory() as scratch:
            found = os.path.join(scratch, "found")
            env = {"FORGE_PRE_RECEIVE": judge.hook, "FORGE_FOUND": found}
            output = backend(git, request, user, body, env)
            if os.path.exists(found):
                with open(found, encoding="utf-8") as f:
                    said, reasons = judge.after(pushes, f.read().splitlines())
    if reasons:
        return 200, RESULT, rejection(caps, [ref for _, _, ref in pushes], said, reasons)
    judge.landed(pushes)
    return parse_cgi(output)


def backend(git, request, user, body, more):
    root, name = os.path.split(git.path)
    env = {
        **git.env,
        **more,
        "GIT_PROJECT_ROOT": root,
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{name}{request.rest}",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query_string,
        "CONTENT_TYPE": request.headers.get("Content-Type") or "",
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_USER": user,
        "REMOTE_ADDR": "127.0.0.1",
        "GIT_PROTOCOL": request.headers.get("Git-Protocol") or "",
    }
    return subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=env, check=False).stdout


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
