"""A loopback proxy between gp and a test forge: it notes each request, and does to one of them what it was told to.

A request is known by its point, "METHOD PATH?QUERY #n": the n-th with that line, commit ids aside, because what several
programs ask at a time has no order. Faults are the functions of FAULTS; each gets the Exchange and answers the client, or does not.
"""

import http.client
import json
import re
import select
import socket
import struct
import threading

CHUNK = 1 << 16


class Gone(Exception):
    """The connection is over."""


class Exchange:
    """One request, its client and what the forge makes of it."""

    def __init__(self, proxy, client, upstream, line, headers, body):
        self.proxy, self.client, self.upstream = proxy, client, upstream
        self.method, self.target = line.split(" ")[:2]
        self.headers, self.body = headers, body
        self.is_git = "/info/refs" in self.target or self.target.endswith(("/git-upload-pack", "/git-receive-pack"))

    def forward(self):
        """(status, headers, body) by the forge."""
        skip = ("connection", "transfer-encoding", "content-length", "expect", "accept-encoding")
        headers = {k: v for k, v in self.headers if k.lower() not in skip}
        # What a push did shows in the refs.
        if self.method != "GET" and not self.is_git:
            self.proxy.told.append((self.method, self.target, self.body))
        self.upstream.request(self.method, self.target, self.body or None, headers)
        reply = self.upstream.getresponse()
        kept = [(k, v) for k, v in reply.getheaders() if k.lower() not in ("content-length", "connection")]
        body = reply.read()
        if not self.is_git:
            real, ours = self.proxy.forge_url, self.proxy.url
            kept = [(k, v.replace(real, ours)) for k, v in kept]
            body = body.replace(real.encode(), ours.encode())
        return reply.status, kept, body

    def answer(self, status, headers, body, close=False):
        head = [f"HTTP/1.1 {status} {http.client.responses.get(status, 'Status')}"]
        head += [f"{k}: {v}" for k, v in headers]
        if status != 304:
            head.append(f"Content-Length: {len(body)}")
        if close:
            head.append("Connection: close")
        self.client.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + (body if self.method != "HEAD" else b""))
        if close:
            raise Gone

    def hear(self, reply):
        """gp is told this; notes what it has been told so far, pushes aside."""
        if "receive-pack" not in self.target:
            self.proxy.heard.append(reply[2])

    def reset(self):
        # A linger of zero: close(2) sends RST.
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    def hang(self):
        select.select([self.client], [], [], 60)
        raise Gone


JSON = [("Content-Type", "application/json; charset=utf-8")]
HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n"


def say(message):
    return json.dumps({"message": message, "documentation_url": "https://docs.example.com"}).encode()


def mistyped(value):
    """The same shape, but each value of another type."""
    if isinstance(value, dict):
        return {k: mistyped(v) for k, v in value.items()}
    if isinstance(value, list):
        return [mistyped(v) for v in value]
    return 7 if isinstance(value, str) else "text"


def misshapen(value):
    """Objects where lists belong, and lists where objects do."""
    if isinstance(value, dict):
        return [misshapen(v) for v in value.values()]
    if isinstance(value, list):
        return {str(i): misshapen(v) for i, v in enumerate(value)}
    return value


def in_json(change):
    def fault(x):
        status, headers, body = x.forward()
        try:
            body = json.dumps(change(json.loads(body))).encode()
        except ValueError:
            body = bytes(reversed(body))
        x.answer(status, headers, body)

    return fault


def status(code, headers=(), message="Server Error"):
    return lambda x: x.answer(code, JSON + list(headers), say(message))


def reset_after(x):
    x.forward()
    x.reset()


def hang_after(x):
    x.forward()
    x.hang()


def bad_gateway_after(x):
    x.forward()
    x.answer(502, JSON, say("Server Error"))


def truncated(x):
    reply, headers, body = x.forward()
    x.answer(reply, headers, body[: len(body) // 2])


def cut(x):
    """Less than Content-Length says."""
    reply, headers, body = x.forward()
    head = "".join(f"{k}: {v}\r\n" for k, v in headers)
    text = f"HTTP/1.1 {reply} OK\r\n{head}Content-Length: {len(body) + 10}\r\nConnection: close\r\n\r\n"
    x.client.sendall(text.encode() + body[: len(body) // 2])
    raise Gone


def flood(x):
    """64 MiB and a byte, of JSON."""
    size = (64 << 20) + 1
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n["
    x.client.sendall(head.encode())
    blank = b" " * (1 << 20)
    for _ in range(64):
        x.client.sendall(blank)
    raise Gone


SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to"
    " GitHub Support for help, please include the request ID."
)

FAULTS = {
    "reset": Exchange.reset,
    "reset-after": reset_after,
    "hang": Exchange.hang,
    "hang-after": hang_after,
    "500": status(500),
    "502": status(502),
    "502-after": bad_gateway_after,
    "503": status(503, [("Retry-After", "1")]),
    "429": status(429, message="Too Many Requests"),
    "429-after-1": status(429, [("Retry-After", "1")], "Too Many Requests"),
    # https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
    "secondary-limit": status(403, [("Retry-After", "60")], SECONDARY),
    "truncated": truncated,
    "cut": cut,
    "html": lambda x: x.answer(200, [("Content-Type", "text/html; charset=utf-8")], HTML),
    "mistyped": in_json(mistyped),
    "misshapen": in_json(misshapen),
    "flood": flood,
}


class Busy:
    """How many are at work: with busy: …"""

    def __init__(self):
        self.count, self.changed = 0, threading.Condition()

    def __enter__(self):
        with self.changed:
            self.count += 1

    def __exit__(self, *_):
        with self.changed:
            self.count -= 1
            self.changed.notify_all()

    def wait_for_nobody(self):
        with self.changed:
            self.changed.wait_for(lambda: self.count == 0, 60)


class Proxy:
    """Listens from the start on; url is where. What was asked since arm() is in points, in the order of arrival; what of
    that may have changed something and came to the forge, in told; the replies, in heard, and those before the last arm() in past."""

    def __init__(self, forge_url):
        self.forge_url = forge_url
        scheme, _, self.address = forge_url.partition("://")
        assert scheme == "http", "a test forge without TLS"
        self.lock, self.busy = threading.Lock(), Busy()
        self.listener = self.bind(0)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.clients = set()
        self.arm()
        self.listen()

    def bind(self, port):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        return listener

    def listen(self):
        self.listener.listen(64)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def refuse(self):
        """From here on nobody can connect; the port stays ours."""
        old = self.listener
        old.shutdown(socket.SHUT_RDWR)
        old.close()
        self.listener = self.bind(self.port)
        self.refuses = True

    def arm(self, point=None, fault=None, before=None):
        """A fault for one point; before: refuse connections once this point is answered ("": at once)."""
        with self.lock:
            self.past = getattr(self, "heard", [])
            self.points, self.told, self.heard, self.seen, self.hit = [], [], [], {}, False
            self.point, self.fault, self.before, self.refuses = point, fault, before, False
            clients, self.clients = self.clients, set()
        for client in clients:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        if before == "":
            self.hit = True
            self.refuse()

    def disarm(self):
        """Once the forge has done what it was asked, also where whoever asked is gone."""
        self.busy.wait_for_nobody()
        refused = self.refuses
        self.arm()
        if refused:
            self.listen()

    def accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with self.lock:
            self.clients.add(client)
        upstream = http.client.HTTPConnection(self.address)
        try:
            with client, client.makefile("rb") as reader:
                while self.serve_one(client, reader, upstream):
                    pass
        except (Gone, OSError, ValueError, http.client.HTTPException):
            pass
        finally:
            upstream.close()
            with self.lock:
                self.clients.discard(client)

    def serve_one(self, client, reader, upstream):
        line = reader.readline().decode().rstrip("\r\n")
        if not line:
            return False
        headers = []
        while text := reader.readline().decode().rstrip("\r\n"):
            name, _, value = text.partition(":")
            headers.append((name, value.strip()))
        given = {k.lower(): v for k, v in headers}
        if "expect" in given:
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        x = Exchange(self, client, upstream, line, headers, read_body(reader, given))
        with self.busy:
            strikes, last = self.note(x)
            if strikes:
                self.fault(x)
            else:
                reply = x.forward()
                x.hear(reply)
                if last:
                    self.refuse()
                x.answer(*reply, close=last)
        return given.get("connection", "").lower() != "close"

    def note(self, x):
        with self.lock:
            kind = re.sub(r"\b[0-9a-f]{40}\b", "COMMIT", f"{x.method} {x.target}")
            self.seen[kind] = self.seen.get(kind, 0) + 1
            point = f"{kind} #{self.seen[kind]}"
            self.points.append(point)
            strikes = point == self.point and self.fault is not None
            self.hit = self.hit or strikes
            last = point == self.before
            self.hit = self.hit or last
            return strikes, last


def read_body(reader, given):
    if given.get("transfer-encoding", "").lower() != "chunked":
        return reader.read(int(given.get("content-length") or 0))
    body = b""
    while size := int(reader.readline().split(b";")[0], 16):
        body += reader.read(size)
        reader.readline()
    reader.readline()
    return body
