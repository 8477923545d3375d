"""Lambda's Runtime API: the HTTP interface by which a function's process gets its events and gives its answers.

Stock ministack has a server with several threads for each process, and passes every event and answer from one to the
other. Here the thread of an invocation speaks with the process itself. Between invocations nobody listens: the
process waits for its next event, and is as good as frozen, as it is on Lambda.

Who asks for an event gets it, and may answer it: so neither other users nor web pages are answered.
"""

import collections
import dataclasses
import http
import os
import select
import socket
import struct
import sys
import time
import typing

_AT_ONCE = 262_144  # bytes
_STAMPED = 35  # Linux's SO_TIMESTAMPNS, which Python has no name for
_STAMP = struct.Struct("@ll")


@dataclasses.dataclass
class Request:
    """What the process asks, and when that arrived, in seconds since 1970."""

    method: str
    path: str
    body: bytes
    arrived: float
    _connection: "_Connection"

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        """Raises `OSError` when the process is gone, or doesn't read."""
        lines = [f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}", f"Content-Length: {len(body)}"]
        if body:
            lines.append("Content-Type: application/json")
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self._connection.stream.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)


class RuntimeApi:
    """The Runtime API of one process, for one thread at a time."""

    def __init__(self):
        self.requests: collections.deque[Request] = collections.deque()
        self._poller = select.poll()  # not `select`, which ends at descriptor 1024
        self._readers: dict[int, tuple[typing.Any, typing.Callable[[], bool]]] = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        # What the kernel says is right even when this program is late. Connections inherit it.
        if sys.platform == "linux":
            self._listener.setsockopt(socket.SOL_SOCKET, _STAMPED, 1)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.watch(self._listener, self._accept)

    def watch(self, stream, reader: typing.Callable[[], bool]) -> None:
        """Has `reader` called when there is something to read, until it returns false; then the stream is closed."""
        self._readers[stream.fileno()] = stream, reader
        self._poller.register(stream, select.POLLIN)

    def wait(self, seconds: float) -> bool:
        """Takes in what is there, or comes within this time; whether anything did."""
        ready = self._poller.poll(max(seconds, 0) * 1000)
        for descriptor, _event in ready:
            stream, reader = self._readers[descriptor]
            if not reader():
                del self._readers[descriptor]
                self._poller.unregister(stream)
                stream.close()
        return bool(ready)

    def close(self) -> None:
        """The process, should it still be there, finds nobody."""
        for stream, _reader in self._readers.values():
            stream.close()
        self._readers.clear()

    def _accept(self) -> bool:
        stream, _address = self._listener.accept()
        if not _is_of_this_user(stream):
            stream.close()
            return True
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.settimeout(10)  # for a process that doesn't read what it asked for
        connection = _Connection(stream, self.requests, self.address)
        self.watch(stream, connection.read)
        return True


class _Connection:
    def __init__(self, stream: socket.socket, requests: collections.deque[Request], host: str):
        self.stream, self._host = stream, host
        self._requests = requests
        self._received = bytearray()

    def read(self) -> bool:
        try:
            data, stamps, _flags, _address = self.stream.recvmsg(_AT_ONCE, socket.CMSG_SPACE(_STAMP.size))
        except OSError:
            return False
        arrived = time.time()
        for level, kind, stamp in stamps:
            if (level, kind) == (socket.SOL_SOCKET, _STAMPED):
                seconds, nanoseconds = _STAMP.unpack(stamp)
                arrived = seconds + nanoseconds / 1e9
        self._received += data
        try:
            while request := self._request(arrived):
                self._requests.append(request)
        except ValueError:  # not HTTP, or not from a function
            return False
        return bool(data)

    def _request(self, arrived: float) -> Request | None:
        """Takes the next request out of what was received, if all of it is there."""
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return None
        first, *lines = self._received[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
        if headers.get("host") != self._host or "origin" in headers or "sec-fetch-site" in headers:
            raise ValueError("a web page")
        if "chunked" in headers.get("transfer-encoding", "").lower():
            body, end = _chunks(self._received, end + 4)
        else:
            start, end = end + 4, end + 4 + int(headers.get("content-length", 0))
            body = bytes(self._received[start:end]) if end <= len(self._received) else None
        if body is None:
            return None
        del self._received[:end]
        method, path, *_version = first.split(" ")
        return Request(method, path, body, arrived, self)


def _is_of_this_user(stream: socket.socket) -> bool:
    """Whether a process of this user is at the other end. Only Linux tells."""
    if sys.platform != "linux":
        return True
    here, there = (_as_listed(address) for address in (stream.getsockname(), stream.getpeername()))
    with open("/proc/net/tcp") as connections:
        for connection in connections:
            fields = connection.split()
            if fields[1:3] == [there, here]:
                return int(fields[7]) == os.geteuid()
    return False


def _as_listed(address: tuple[str, int]) -> str:
    """As /proc/net/tcp writes it: https://docs.kernel.org/networking/proc_net_tcp.html."""
    host, port = address
    return f"{struct.unpack('=I', socket.inet_aton(host))[0]:08X}:{port:04X}"


def _chunks(received: bytearray, position: int) -> tuple[bytes | None, int]:
    """A body in chunks that begins at the position, and where it ends; None when it isn't all there."""
    chunks = []
    while (end := received.find(b"\r\n", position)) >= 0:
        size = int(received[position:end].partition(b";")[0], 16)
        if size:
            position = end + 2 + size + 2
            chunks.append(bytes(received[end + 2 : end + 2 + size]))
            continue
        # Trailers, such as the runtime's error report, and an empty line.
        last = received.find(b"\r\n\r\n", end)
        return (b"".join(chunks), last + 4) if last >= 0 else (None, 0)
    return None, 0
