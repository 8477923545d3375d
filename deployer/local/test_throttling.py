"""Limits of requests: of a stage, and of one of its methods."""

import unittest

from testing import LocalAws, Stack, document, operation

TOO_MANY = 429, b'{"message":"Too Many Requests"}'
NEVER = "0.000001"  # a second: no token comes during a test


class Throttling(unittest.TestCase):
    def setUp(self):
        aws = LocalAws()
        self.addCleanup(aws.stop)
        paths = {"/x": {"post": operation("f")}, "/y/{id}": {"post": operation("f")}}
        self.stack = Stack(aws, "f", document(paths))

    def limit(self, rate: str, burst: str, method: str = "*/*") -> None:
        told = {"rateLimit": rate, "burstLimit": burst}
        patches = [
            {"op": "replace", "path": f"/{method}/throttling/{name}", "value": value} for name, value in told.items()
        ]
        self.stack.gateway.update_stage(restApiId=self.stack.api, stageName="Prod", patchOperations=patches)

    def ask(self, path: str, times: int = 1) -> list[tuple[int, bytes]]:
        return [self.stack.send(path, b"1") for _ in range(times)]

    def test_a_stage_lets_so_many_through_and_answers_the_others(self):
        self.limit(NEVER, "3")
        self.assertEqual(self.ask("/x", 5), [(200, b"1")] * 3 + [TOO_MANY] * 2)
        self.assertEqual(self.ask("/y/1"), [(200, b"1")], "each method has its own")
        self.limit("100000", "5")
        self.assertEqual(self.ask("/x"), [(200, b"1")])
        self.limit("0", "0")
        self.assertEqual(self.ask("/x", 2), [TOO_MANY] * 2)
        self.limit("-1", "-1")
        self.assertEqual(self.ask("/x", 5), [(200, b"1")] * 5)

    def test_a_method_has_limits_of_its_own(self):
        self.limit("0", "0", "~1y~1{id}/POST")
        self.assertEqual(self.ask("/y/1", 2) + self.ask("/x"), [TOO_MANY] * 2 + [(200, b"1")])


if __name__ == "__main__":
    unittest.main()
