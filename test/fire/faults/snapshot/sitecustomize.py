"""Lets a test set a server back to an earlier moment, whatever it keeps in memory, by fork(2).

Python reads this file at its start where its directory is in PYTHONPATH, so the server need not know. With
GP_SNAPSHOT=PATH in its environment, the first server of socketserver's that serves takes commands at the Unix socket
PATH, a line each, and answers "ok":

snapshot   stops where it is, and serves on in a copy of itself
restore    ends that copy, and serves on in a new one: what the last one was told since is forgotten
"""

import os
import signal
import socket
import socketserver
import threading
import time

serve = socketserver.BaseServer.serve_forever


def outlive_nobody(parent):
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(0)


def serve_copy(server):
    """Never returns; the copy has the same socket to listen at."""
    threading.Thread(target=outlive_nobody, args=(os.getppid(),), daemon=True).start()
    serve(server, 0.05)
    os._exit(0)


def commands(listener):
    connection, _ = listener.accept()
    with connection.makefile("rw") as lines:
        for line in lines:
            yield line.strip()
            lines.write("ok\n")
            lines.flush()


def fork_copy(server):
    pid = os.fork()
    if not pid:
        serve_copy(server)
    return pid


def serve_forever(server, poll_interval=0.5):
    path = os.environ.pop("GP_SNAPSHOT", None)
    if not path:
        return serve(server, poll_interval)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    orders = commands(listener)

    def first():
        next(orders)
        server.shutdown()

    threading.Thread(target=first, daemon=True).start()
    serve(server, 0.05)
    copy = fork_copy(server)
    for order in orders:
        if order == "restore":
            os.kill(copy, signal.SIGKILL)
            os.waitpid(copy, 0)
            copy = fork_copy(server)
    os.kill(copy, signal.SIGKILL)
    os._exit(0)


socketserver.BaseServer.serve_forever = serve_forever
