"""Between gp and a forge's driver, and between git and its transport over a pipe: notes each request, and does to one
of them what it was told to.

gp finds build/…/faulty-driver under the driver's name, which hands over its pipes. Points are "OP #n" and
"git-upload-pack #n" or "git-receive-pack #n". Faults are those of FAULTS and GIT_FAULTS, or a function that is called
before the request goes on.
"""

import array
import json
import os
import select
import socket
import subprocess
import threading

from proxy import Busy, misshapen, mistyped


class Ended(Exception):
    """The program that we stand for ends, with this exit status."""

    def __init__(self, status=1):
        super().__init__(status)
        self.status = status


class Request:
    """One request to a driver: what it is, how to have it answered, where the reply goes."""

    def __init__(self, client, text, driver, out):
        self.client, self.json, self.text, self.driver, self.out = client, json.loads(text), text, driver, out

    def forward(self):
        self.driver.stdin.write(self.text)
        self.driver.stdin.flush()
        return self.driver.stdout.readline()

    def answer(self, text):
        self.out.write(text if isinstance(text, bytes) else json.dumps(text).encode() + b"\n")
        self.out.flush()


def end(_):
    raise Ended


def end_after(x):
    x.forward()
    raise Ended


def hang(x):
    select.select([x.client], [], [], 60)
    raise Ended


def error(code):
    return lambda x: x.answer({"id": x.json["id"], "error": {"exit": code, "message": "not now"}})


def truncated(x):
    reply = x.forward()
    x.answer(reply[: len(reply) // 2])
    raise Ended


def in_result(change):
    def fault(x):
        reply = json.loads(x.forward())
        if "result" in reply:
            reply["result"] = change(reply["result"])
        x.answer(reply)

    return fault


def flood(x):
    """64 MiB and more, of JSON."""
    x.answer(b'{"id":%d,"result":{' % x.json["id"] + b" " * (64 << 20) + b"}}\n")


FAULTS = {
    "end": end,
    "end-after": end_after,
    "hang": hang,
    "75": error(75),
    "69": error(69),
    "77": error(77),
    "truncated": truncated,
    "html": lambda x: x.answer(b"<!DOCTYPE html><html></html>\n"),
    "mistyped": in_result(mistyped),
    "misshapen": in_result(misshapen),
    "flood": flood,
}


def advertise(argv, fds, stdin):
    """The other side of git's transport, after what it says first, up to a flush packet, has been passed on."""
    child = subprocess.Popen(argv, stdin=stdin, stdout=subprocess.PIPE, stderr=fds[2])
    size = b""
    while size != b"0000" and (size := child.stdout.read(4)):
        os.write(fds[1], size + (child.stdout.read(int(size, 16) - 4) if size > b"0004" else b""))
    return child


def git_cut(argv, fds):
    child = advertise(argv, fds, subprocess.PIPE)
    child.kill()
    child.communicate()


def git_end_after(argv, fds):
    """A push takes effect, and does not say so; of a fetch the beginning of the reply is lost, and so all of it."""
    child = advertise(argv, fds, fds[0])
    if argv[0].endswith("git-upload-pack"):
        child.stdout.read(4)
        child.kill()
    child.communicate()


GIT_FAULTS = {
    "end": lambda argv, fds: None,
    "end-after": git_end_after,
    "cut": git_cut,
    "html": lambda argv, fds: os.write(fds[1], b"<!DOCTYPE html><html></html>\n"),
}


class Relay:
    """Listens at `path`. driver: the program that is to answer; exec_path: where git's programs are."""

    def __init__(self, path, driver, exec_path):
        self.driver, self.exec_path = driver, exec_path
        self.lock, self.busy = threading.Lock(), Busy()
        self.env = self.cwd = None
        self.arm()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def arm(self, point=None, fault=None):
        with self.lock:
            self.points, self.told, self.seen, self.hit = [], [], {}, False
            self.point, self.fault = point, fault

    def disarm(self):
        """Once the driver has done what it was asked, also where whoever asked is gone."""
        self.busy.wait_for_nobody()
        self.arm()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        size = array.array("i", [0, 0, 0]).itemsize * 3
        with client, self.busy:
            text, control, _, _ = client.recvmsg(8192, socket.CMSG_SPACE(size))
            fds = array.array("i")
            fds.frombytes(control[0][2][:size])
            argv = [word.decode() for word in text.split(b"\0")[:-1]]
            status = 1
            try:
                name = os.path.basename(argv[0])
                answer = self.serve_git(name, argv, fds) if name.startswith("git-") else self.serve_driver(client, fds)
            except Ended as e:
                status, answer = e.status, None
            except (OSError, ValueError):
                answer = None
            for fd in fds:
                try:
                    os.close(fd)
                except OSError:
                    pass
            try:
                client.sendall(answer or bytes([status]))
            except OSError:
                pass

    def note(self, kind):
        with self.lock:
            self.seen[kind] = self.seen.get(kind, 0) + 1
            point = f"{kind} #{self.seen[kind]}"
            self.points.append(point)
            strikes = point == self.point
            self.hit = self.hit or strikes
        if not strikes:
            return None
        if callable(self.fault):
            self.fault()
            return None
        return self.fault

    def serve_git(self, name, argv, fds):
        fault = self.note(name)
        real = f"{self.exec_path}/{name}"
        if not fault:
            return b"\xff" + real.encode()
        GIT_FAULTS[fault]([real, *argv[1:]], fds)
        return None

    def serve_driver(self, client, fds):
        driver = subprocess.Popen(
            [self.driver], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=fds[2], env=self.env, cwd=self.cwd
        )
        try:
            with os.fdopen(fds[0], "rb", closefd=False) as requests, os.fdopen(fds[1], "wb", closefd=False) as out:
                for line in requests:
                    self.serve_request(Request(client, line, driver, out))
        finally:
            driver.stdin.close()
            driver.stdout.close()
            driver.wait()
        return bytes([0])

    def serve_request(self, x):
        fault = self.note(x.json["op"])
        forward = x.forward

        def told():
            self.told.append(x.text)
            return forward()

        x.forward = told
        if fault:
            FAULTS[fault](x)
        else:
            x.answer(x.forward())
