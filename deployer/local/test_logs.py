"""What FilterLogEvents finds, page by page."""

import time
import unittest

from botocore.exceptions import ClientError
from testing import LocalAws

LINES = ["REPORT RequestId: 1", "report of nothing", '{"type":"platform.report"}', "START RequestId: 1", "an ERROR"]


def setUpModule():
    global aws, now
    aws, now = LocalAws(), int(time.time() * 1000)
    logs = aws.client("logs")
    logs.create_log_group(logGroupName="/group")
    for stream in ("one", "two"):
        logs.create_log_stream(logGroupName="/group", logStreamName=stream)
        events = [{"timestamp": now + index, "message": line} for index, line in enumerate(LINES)]
        logs.put_log_events(logGroupName="/group", logStreamName=stream, logEvents=events)


def tearDownModule():
    aws.stop()


def found(**arguments):
    pages = aws.client("logs").get_paginator("filter_log_events").paginate(logGroupName="/group", **arguments)
    return [page["events"] for page in pages]


class FilterLogEvents(unittest.TestCase):
    def test_patterns(self):
        for pattern, expected in (
            ("", LINES),
            ("REPORT", LINES[:1]),
            ("RequestId", [LINES[0], LINES[3]]),
            ('"RequestId: 1" REPORT', LINES[:1]),
            ('?"REPORT RequestId" ?"platform.report"', [LINES[0], LINES[2]]),
            ("-RequestId -report", LINES[4:]),
            ("%ERR.R$%", LINES[4:]),
            ("RequestId ?REPORT", [LINES[0], LINES[3]]),
        ):
            (page,) = found(filterPattern=pattern, logStreamNames=["one"])
            self.assertEqual([event["message"] for event in page], expected, pattern)

    def test_what_is_not_known_is_refused(self):
        for pattern in ('{ $.level = "ERROR" }', "[a, b]", '"open'):
            with self.assertRaises(ClientError) as refused:
                found(filterPattern=pattern)
            self.assertEqual(refused.exception.response["Error"]["Code"], "InvalidParameterException", pattern)

    def test_pages_in_order_of_time_and_some_of_them_empty(self):
        pages = found(filterPattern="ERROR", PaginationConfig={"PageSize": 3})
        self.assertEqual([len(page) for page in pages], [0, 0, 1, 1])
        everything = [event for page in found(PaginationConfig={"PageSize": 3}) for event in page]
        self.assertEqual(len({event["eventId"] for event in everything}), 2 * len(LINES))
        self.assertEqual(sorted(event["timestamp"] for event in everything), [e["timestamp"] for e in everything])

    def test_a_page_goes_on_where_the_last_one_ended(self):
        logs = aws.client("logs")
        logs.create_log_group(logGroupName="/busy")
        for stream in ("one", "two"):
            logs.create_log_stream(logGroupName="/busy", logStreamName=stream)
            events = [{"timestamp": now + number // 8, "message": f"{stream} {number}"} for number in range(12)]
            logs.put_log_events(logGroupName="/busy", logStreamName=stream, logEvents=events)
        messages, token = [], {}
        while True:
            page = logs.filter_log_events(logGroupName="/busy", limit=5, **token)
            messages += [event["message"] for event in page["events"]]
            if "nextToken" not in page:
                break
            token = {"nextToken": page["nextToken"]}
            late = [{"timestamp": now - 1000, "message": "late"}]
            logs.put_log_events(logGroupName="/busy", logStreamName="two", logEvents=late)
        self.assertEqual(sorted(messages), sorted(f"{stream} {n}" for stream in ("one", "two") for n in range(12)))
        with self.assertRaisesRegex(ClientError, "nextToken is invalid"):
            logs.filter_log_events(logGroupName="/busy", nextToken="x")

    def test_a_span_of_time_includes_both_ends(self):
        (page,) = found(startTime=now + 1, endTime=now + 2, logStreamNames=["two"])
        self.assertEqual([event["message"] for event in page], LINES[1:3])

    def test_an_event_keeps_its_id(self):
        self.assertEqual(found(), found())

    def test_a_group_that_is_not_there(self):
        with self.assertRaises(aws.client("logs").exceptions.ResourceNotFoundException):
            aws.client("logs").filter_log_events(logGroupName="/none")
