"""What Lambda writes to a function's log: for the caller, and to CloudWatch Logs."""

import base64
import concurrent.futures
import json
import math
import re
import time
import unittest

from testing import LocalAws, Stack, document, operation, wait_until

REPORT = re.compile(
    r"REPORT RequestId: (?P<id>[-0-9a-f]{36})\tDuration: (?P<duration>\d+\.\d\d) ms\tBilled Duration: (?P<billed>\d+) ms\t"
    r"Memory Size: (?P<size>\d+) MB\tMax Memory Used: (?P<used>\d+) MB\t(?:Init Duration: (?P<init>\d+\.\d\d) ms\t)?"
    r"(?P<status>.*)\n"
)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.aws = LocalAws()
        cls.addClassCleanup(cls.aws.stop)
        cls.logs = cls.aws.client("logs")

    def setUp(self):
        self.name = self.id().rpartition(".")[2]

    def make(self, **settings) -> None:
        self.stack = Stack(self.aws, self.name, document({"/x": {"post": operation(self.name)}}), **settings)

    def invoke(self, event: object) -> tuple[list[str], re.Match]:
        """The lines that the caller gets, and the report among them."""
        payload = json.dumps(event)
        answer = self.stack.functions.invoke(FunctionName=self.name, Payload=payload, LogType="Tail")
        lines = base64.b64decode(answer["LogResult"]).decode().splitlines(keepends=True)
        return lines, REPORT.fullmatch(lines[-1])

    def events(self, pattern: str = "") -> list[dict]:
        pages = self.logs.get_paginator("filter_log_events")
        pages = pages.paginate(logGroupName=f"/aws/lambda/{self.name}", filterPattern=pattern)
        return [event for page in pages for event in page["events"]]


class Lines(Case):
    def test_of_an_invocation(self):
        self.make()
        lines, report = self.invoke("log")
        request = report["id"]
        self.assertEqual(
            lines[:-1],
            [f"START RequestId: {request} Version: $LATEST\n", "a line of the function\n", f"END RequestId: {request}\n"],
        )
        events = self.events()
        self.assertEqual([event["message"] for event in events], lines)
        self.assertEqual([event["message"] for event in self.events(f'"{request}" REPORT')], lines[-1:])
        (stream,) = {event["logStreamName"] for event in events}
        self.assertRegex(stream, r"^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$")
        (told,) = self.logs.describe_log_streams(logGroupName=f"/aws/lambda/{self.name}")["logStreams"]
        times = [event["timestamp"] for event in events]
        self.assertEqual(
            (told["logStreamName"], told["firstEventTimestamp"], told["lastEventTimestamp"]),
            (stream, times[0], times[-1]),
        )
        self.assertEqual(times, sorted(times))

    def test_what_is_written_after_an_answer_comes_with_the_next(self):
        self.make()
        lines, _report = self.invoke("late")
        self.assertNotIn("too late\n", lines)
        # Earlier, the environment would still be busy, and another one would answer from then on.
        time.sleep(4)
        wait_until(lambda: self.invoke(1)[0][1] == "too late\n")

    def test_the_caller_gets_the_last_4_kb(self):
        self.make()
        lines, report = self.invoke("much")
        self.assertEqual(len("".join(lines)), 4096)
        self.assertTrue(report)
        self.assertEqual(len(self.events("much")), 2000)

    def test_each_of_many_at_once_is_reported(self):
        self.make()
        with concurrent.futures.ThreadPoolExecutor(8) as askers:
            answers = list(askers.map(lambda number: self.stack.send("/x", str(number).encode()), range(200)))
        self.assertEqual(answers, [(200, str(number).encode()) for number in range(200)])
        for term in ("START", "END", "REPORT"):
            events = self.events(f'"{term} RequestId"')
            self.assertEqual(len({event["message"].split()[2] for event in events}), 200, term)
        reports = [REPORT.fullmatch(event["message"]) for event in self.events('"REPORT RequestId"')]
        streams = self.logs.describe_log_streams(logGroupName=f"/aws/lambda/{self.name}")["logStreams"]
        self.assertEqual(sum(1 for report in reports if report["init"]), len(streams))


class Reports(Case):
    def test_the_start_of_an_environment_is_told_once_and_billed(self):
        self.make()
        _lines, cold = self.invoke(1)
        _lines, warm = self.invoke(1)
        self.assertEqual(int(cold["billed"]), math.ceil(round(float(cold["duration"]) + float(cold["init"]), 2)))
        self.assertIsNone(warm["init"])
        self.assertEqual(int(warm["billed"]), math.ceil(float(warm["duration"])))
        self.assertLess(float(warm["duration"]), float(cold["init"]))

    def test_memory_is_what_was_set_and_the_most_that_was_used(self):
        self.make(MemorySize=256)
        _lines, before = self.invoke(1)
        _lines, much = self.invoke("memory")
        _lines, after = self.invoke(1)
        self.assertEqual(before["size"], "256")
        self.assertGreater(int(much["used"]), int(before["used"]) + 90)
        self.assertEqual(after["used"], much["used"])
        self.stack.functions.update_function_configuration(FunctionName=self.name, MemorySize=512)
        wait_until(lambda: self.invoke(1)[1]["size"] == "512")
        environment = json.loads(self.stack.send("/x", b'"environment"')[1])
        self.assertEqual(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "512")
        self.assertLess(int(self.invoke(1)[1]["used"]), int(much["used"]))

    def test_an_error_of_the_function_is_an_answer(self):
        self.make()
        self.assertEqual(self.invoke({"fail": "x"})[1]["status"], "")

    def test_a_timeout(self):
        self.make(Timeout=1)
        lines, report = self.invoke("sleep")
        self.assertRegex("".join(lines), rf"\dZ {report['id']} Task timed out after 1\.00 seconds\n")
        self.assertEqual((report["duration"], report["status"]), ("1000.00", "Status: timeout\t"))
        self.assertGreater(int(report["used"]), 0)

    def test_an_exit(self):
        self.make()
        lines, report = self.invoke("exit")
        told = f"RequestId: {report['id']} Error: Runtime exited with error: exit status 7\nRuntime.ExitError\n"
        self.assertIn(told, "".join(lines))
        self.assertEqual(report["status"], "Status: error\tError Type: Runtime.ExitError\t")
        self.assertGreater(int(report["used"]), 0)

    def test_a_function_that_can_not_start(self):
        self.make(Environment={"Variables": {"BROKEN": "init"}})
        lines, report = self.invoke(1)
        self.assertIn("can not start\nExtension.Broken\n", "".join(lines))
        self.assertEqual(report["status"], "Status: error\tError Type: Extension.Broken\t")
        self.assertIsNone(report["init"])


if __name__ == "__main__":
    unittest.main()
