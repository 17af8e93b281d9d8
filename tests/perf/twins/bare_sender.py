"""What the kernel alone takes for a token: bytes ready beforehand, one ``send`` each, in steps of 10 ms."""

import argparse
import select
import socket
import time

STEP_S = 0.01
EVENT = b'c0\r\ndata: {"id":"chatcmpl-%b","choices":[{"index":0,"delta":{"content":"blue "}}]}\n\n\r\n' % (b"0" * 120)
HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: text/event-stream\r\n\r\n"


def main() -> None:
    """Answer every connection without end; one that is closed is dropped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--itl-s", type=float, default=0.05)
    parser.add_argument("--tokens", type=int)
    options = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", options.port), backlog=512)
    listener.setblocking(False)
    phases = round(options.itl_s / STEP_S)
    streams: list[list[socket.socket]] = [[] for _ in range(phases)]
    waiting: list[socket.socket] = []
    step = 0
    next_s = time.monotonic()
    while True:
        next_s += STEP_S
        while (left_s := next_s - time.monotonic()) > 0:
            for ready in select.select([listener, *waiting], [], [], left_s)[0]:
                if ready is listener:
                    client = listener.accept()[0]
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    waiting.append(client)
                    continue
                waiting.remove(ready)
                if ready.recv(65536):
                    ready.send(HEAD)
                    streams[step % phases].append(ready)
        step += 1
        due = streams[step % phases]
        for client in tuple(due):
            try:
                client.send(EVENT)
            except OSError:
                due.remove(client)


if __name__ == "__main__":
    main()
