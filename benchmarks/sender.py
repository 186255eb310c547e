"""Sends one big body as fast as the socket takes it; a process of its own. Prints three times, as JSON.

`python -m benchmarks.sender HOST PORT FILE HEAD TAIL`: HEAD and TAIL are files with the bytes before and after the content.
"""

import json
import socket
import sys
import time
from pathlib import Path


def send(host: str, port: int, content: Path, head: bytes, tail: bytes) -> dict[str, float | str]:
    """Seconds on the monotonic clock of the machine: begun, the last byte sent, answered; and the answer."""
    with socket.create_connection((host, port)) as connection, content.open("rb") as file:
        begun = time.monotonic()
        connection.sendall(head)
        connection.sendfile(file)
        connection.sendall(tail)
        sent = time.monotonic()
        answer = _answer(connection)
        answered = time.monotonic()
    return {"begun": begun, "sent": sent, "answered": answered, "answer": answer.decode(errors="replace")}


def _answer(connection: socket.socket) -> bytes:
    """All of it, by its Content-Length."""
    answer = b""
    while piece := connection.recv(65_536):
        answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if lengths and len(body) >= int(lengths[0].partition(b":")[2]):
            break
    return answer


if __name__ == "__main__":
    host, port, content, head, tail = sys.argv[1:]
    print(json.dumps(send(host, int(port), Path(content), Path(head).read_bytes(), Path(tail).read_bytes())))
