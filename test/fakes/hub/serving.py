"""HTTP for a test forge on a loopback port. A forge's server.py calls main with its Service.

server.py --root DIR [--tls CERT KEY] [--log FILE] [--parent PID]

It prints its URL, a line, as soon as it listens, goes to the background, and ends with the process PID. What tests do
to it is below URL/_test/ (arranging.py). Each other request is a line of JSON in the log, without its token.
"""

import argparse
import base64
import json
import os
import ssl
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from hub import faults


class Refusal(Exception):
    """An answer that is no success. A service says in body() how it looks."""

    def __init__(self, status, message, headers=None):
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers or {}

    def body(self):
        return {"message": self.message}


class Service:
    """What a forge is, seen from HTTP. model has url, faults, tokens (text -> token, which has login)."""

    name = "forge.test"
    media = "application/json; charset=utf-8"

    def __init__(self, model):
        self.model = model

    def route(self, request):
        """(what tells a repository, what comes after its path) of a request by git; (None, "") of any other."""
        raise NotImplementedError

    def authenticate(self, request):
        """The token, None where there is none."""
        raise NotImplementedError

    def answer(self, request, token):
        """(status, headers, body), body bytes or a JSON value. May raise a Refusal."""
        raise NotImplementedError

    def refused(self, request, refusal):
        """A Refusal as an answer."""
        return refusal.status, refusal.headers, refusal.body()

    def arrange(self, method, parts, body):
        """What a test does: a JSON value."""
        raise NotImplementedError


def credentials(request):
    """(scheme, user, secret) of the Authorization header, scheme "basic" or what it says, in lower case; None where
    there is none, and a secret of None where it cannot be read."""
    given = request.headers.get_all("Authorization") or []
    if len(given) > 1:
        raise Refusal(400, 'Duplicate header: "Authorization"')
    if not given:
        return None
    scheme, _, text = given[0].partition(" ")
    if scheme.lower() != "basic":
        return scheme.lower(), None, text
    try:
        user, _, secret = base64.b64decode(text).decode().partition(":")
    except ValueError:
        return "basic", None, None
    return "basic", user, secret


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.headers, self.body = method, headers, body
        split = urllib.parse.urlsplit(target)
        self.path, self.query_string = split.path, split.query
        self.query = urllib.parse.parse_qs(split.query, keep_blank_values=True)
        self.prefix = ""
        self.repository, self.rest = None, ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sys_version = ""

    def version_string(self):
        return self.server.service.name

    def log_message(self, format, *args):  # noqa: A002 (the base class's name)
        pass

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (ConnectionError, ssl.SSLError):
            self.close_connection = True

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        data = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def serve(self):
        service = self.server.service
        request = Request(self.command, self.path, self.headers, self.body())
        if request.path.startswith("/_test/"):
            with self.server.lock:
                return self.arrange(service, request)
        request.repository, request.rest = service.route(request)
        fault = faults.due(service.model, request)
        if fault and not faults.strikes_later(fault):
            self.server.note(request, None, fault.get("status", 0), fault["what"])
            return faults.strike(fault, self)
        token, answer = None, None
        with self.server.lock:
            try:
                token = service.authenticate(request)
                answer = service.answer(request, token)
            except Refusal as e:
                answer = service.refused(request, e)
        self.server.note(request, token, answer[0], answer[2])
        if fault:
            return faults.strike(fault, self, answer)
        return self.reply(*answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = serve

    def arrange(self, service, request):
        parts = [urllib.parse.unquote(p) for p in request.path.split("/")[2:]]
        try:
            self.reply(200, {}, service.arrange(request.method, parts, json.loads(request.body or b"null")))
        except Refusal as e:
            self.reply(e.status, {}, e.body())

    def reply(self, status, headers, body):
        if not isinstance(body, bytes):
            body = b"" if body is None or status == 304 else json.dumps(body).encode()
            headers = {"Content-Type": self.server.service.media, **headers}
        self.send_response(status)
        for name, value in headers.items():
            for one in value if isinstance(value, list) else [value]:
                self.send_header(name, one)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, service, tls, log):
        super().__init__(("127.0.0.1", 0), Handler)
        self.service, self.log, self.lock, self.log_lock = service, log, threading.Lock(), threading.Lock()
        self.tls = None
        if tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*tls)
        service.model.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_port}"

    def get_request(self):
        sock, address = super().get_request()
        if self.tls:
            sock = self.tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return sock, address

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, ssl.SSLError, TimeoutError)):
            super().handle_error(request, client_address)

    def note(self, request, token, status, answer):
        if not self.log:
            return
        headers = {name: value for name, value in request.headers.items() if name.lower() != "authorization"}
        line = {
            "method": request.method,
            "path": request.path,
            "query": request.query_string,
            "prefix": request.prefix,
            "login": token.login if token else None,
            "headers": headers,
            "status": status,
        }
        if not request.repository:
            if isinstance(answer, bytes):
                answer = answer.decode(errors="replace")
            line.update(body=request.body.decode(errors="replace"), answer=answer)
        with self.log_lock, open(self.log, "a", encoding="utf-8") as f:
            f.write(json.dumps(line) + "\n")


def outlive_nobody(parent):
    while True:
        time.sleep(0.2)
        try:
            os.kill(parent, 0)
        except OSError:
            os._exit(0)


def main(make):
    """make(directory) is the Service whose repositories are there."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", required=True)
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--log")
    parser.add_argument("--parent", type=int)
    options = parser.parse_args()
    os.closerange(3, 1024)
    os.makedirs(options.root, exist_ok=True)
    server = Server(make(os.path.abspath(options.root)), options.tls, options.log)
    print(server.service.model.url, flush=True)
    # On its own: no shell waits for it, or for what it holds open.
    if os.fork():
        os._exit(0)
    os.setsid()
    for fd in (0, 1):
        os.dup2(os.open(os.devnull, os.O_RDWR), fd)
    if options.parent:
        threading.Thread(target=outlive_nobody, args=(options.parent,), daemon=True).start()
    server.serve_forever()
