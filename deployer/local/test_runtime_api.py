"""The Runtime API, as HTTP: what comes in pieces, in chunks, or is none."""

import os
import socket
import sys
import time
import unittest

from runtime_api import RuntimeApi


class Requests(unittest.TestCase):
    def setUp(self):
        self.api = RuntimeApi()
        self.addCleanup(self.api.close)
        self.process = self.connect()
        host = f"Host: {self.api.address}\r\n".encode()
        self.next = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n" + host + b"\r\n"
        self.response = b"POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\n" + host

    def connect(self) -> socket.socket:
        host, _, port = self.api.address.partition(":")
        stream = socket.create_connection((host, int(port)), 10)
        self.addCleanup(stream.close)
        return stream

    def received(self, *parts: bytes) -> list[tuple[str, str, bytes]]:
        for part in parts:
            self.process.sendall(part)
            while self.api.wait(0):  # what was sent to this machine is there
                pass
        requests = [(one.method, one.path.rpartition("/")[2], one.body) for one in self.api.requests]
        self.api.requests.clear()
        return requests

    def test_in_pieces(self):
        text = self.response + b"Content-Length: 5\r\n\r\nhello" + self.next
        for size in (1, 7, 1000):
            parts = [text[start : start + size] for start in range(0, len(text), size)]
            self.assertEqual(self.received(*parts), [("POST", "response", b"hello"), ("GET", "next", b"")], size)

    def test_in_chunks_with_trailers(self):
        chunks = b"5\r\nhello\r\n2;x=y\r\n\r\n\r\n0\r\n"
        for end in (b"\r\n", b"Lambda-Runtime-Function-Error-Type: E\r\nOther: x\r\n\r\n"):
            text = self.response + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + end + self.next
            for parts in ([text], [text[start : start + 1] for start in range(len(text))]):
                self.assertEqual(self.received(*parts), [("POST", "response", b"hello\r\n"), ("GET", "next", b"")])

    def test_much(self):
        body = b"x" * 6_000_000
        parts = [body[start : start + 100_000] for start in range(0, len(body), 100_000)]
        (request,) = self.received(self.response + b"Content-Length: 6000000\r\n\r\n", *parts)
        self.assertEqual(request[2], body)

    def test_the_time_is_that_of_arrival(self):
        before = time.time()
        self.process.sendall(self.next)
        after = time.time()
        time.sleep(0.2)
        self.api.wait(1)  # for the connection
        self.api.wait(1)
        (request,) = self.api.requests
        self.assertGreaterEqual(request.arrived, before)
        self.assertLess(request.arrived, after + 0.1)

    def test_answers_go_to_who_asked(self):
        other = self.connect()
        other.sendall(self.next)
        self.received(self.next.replace(b"next", b"first"))
        self.process.sendall(self.next)
        self.received()
        other.sendall(self.next.replace(b"next", b"second"))
        while not any(one.path.endswith("second") for one in self.api.requests):
            self.api.wait(1)
        for request in self.api.requests:
            request.answer(200, request.path.rpartition("/")[2].encode(), {"X-Told": "yes"})
        told = other.recv(1000)
        self.assertTrue(told.startswith(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"), told)
        self.assertTrue(told.endswith(b"X-Told: yes\r\n\r\nsecond"), told)

    def test_what_is_not_http_ends_its_connection_only(self):
        for nonsense in (b"nonsense\r\n\r\n", self.response + b"Content-Length: many\r\n\r\n"):
            other = self.connect()
            other.sendall(nonsense)
            while self.api.wait(0):
                pass
            self.assertEqual(other.recv(1), b"")
        self.assertEqual(self.received(self.next), [("GET", "next", b"")])

    def test_web_pages_get_no_event(self):
        here = f"Host: {self.api.address}\r\n".encode()
        for page in (here + b"Origin: http://evil.example\r\n", here + b"Sec-Fetch-Site: cross-site\r\n", b"Host: evil\r\n"):
            other = self.connect()
            other.sendall(self.next.replace(here, page))
            while self.api.wait(0):
                pass
            self.assertEqual((other.recv(1), len(self.api.requests)), (b"", 0), page)

    @unittest.skipUnless(sys.platform == "linux" and os.geteuid() == 0, "needs Linux, and to be another user")
    def test_other_users_get_no_event(self):
        stranger = os.fork()
        if not stranger:
            os.setuid(65534)
            other = self.connect()
            try:
                other.sendall(self.next)
                os._exit(len(other.recv(1)))
            except ConnectionError:
                os._exit(0)
        while os.waitid(os.P_PID, stranger, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            self.api.wait(0.1)
        self.assertEqual((os.waitpid(stranger, 0)[1], len(self.api.requests)), (0, 0))


if __name__ == "__main__":
    unittest.main()
