"""Trouble on order. A fault is {match, nth, times, what, …}:

match    a regular expression that is looked for in "METHOD PATH BODY"
nth      the first of the matching requests that it hits (1)
times    how many in a row (1)
what     reset: the connection is reset without a reply; close: it ends within the reply's body; hang: no reply until
         the client goes; status: a reply with status, headers and body; headers: the true reply, with headers added;
         late: the true reply, after so many seconds
after    true: the request takes effect first, only its reply is lost
"""

import re
import select
import socket
import struct
import time


def due(forge, request):
    """The fault that hits this request, or None; the first of several. Counts, for each of them."""
    text = f"{request.method} {request.path} {request.body.decode(errors='replace')}"
    matching = [fault for fault in forge.faults if re.search(fault["match"], text)]
    for fault in matching:
        fault["seen"] += 1
    return next((f for f in matching if 0 <= f["seen"] - f.get("nth", 1) < f.get("times", 1)), None)


def strikes_later(fault):
    """Whether the request takes effect first."""
    return fault.get("after") or fault["what"] in ("headers", "late")


def strike(fault, handler, answer=None):
    """Does it to the connection of a request handler; answer: (status, headers, body), where there is one."""
    if fault["what"] == "headers":
        status, headers, body = answer
        handler.reply(status, {**headers, **fault["headers"]}, body)
        return
    if fault["what"] == "late":
        time.sleep(fault["seconds"])
        handler.reply(*answer)
        return
    handler.close_connection = True
    sock = handler.connection
    if fault["what"] == "status":
        body = fault.get("body", {"message": "Server Error"})
        if isinstance(body, str):
            body = body.encode()
        handler.reply(fault.get("status", 502), dict(fault.get("headers", {})), body)
    elif fault["what"] == "hang":
        select.select([sock], [], [], 60)
    elif fault["what"] == "close":
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
        handler.wfile.flush()
        sock.shutdown(socket.SHUT_WR)
    else:
        # A linger of zero: close(2) sends RST.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
