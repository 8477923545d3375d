"""Requests to the invoke URL and Lambda's Invoke: exact texts, mapped errors, permissions, speed."""

import json
import time
import unittest

from testing import LocalAws, Stack, document, operation

ERRORS = {
    "default": {"statusCode": "200"},
    "bad: .*": {"statusCode": "400"},
    r"lines: (\n|.)+": {"statusCode": "418"},
    r"[.] \d\.": {"statusCode": "409"},
    "RequestId: .*": {"statusCode": "500", "responseTemplates": {"application/json": '{"message":"broken"}'}},
}
TEMPLATES = {"text/plain": '{"text": "$input.body", "id": "$input.params(\'id\')"}'}


def setUpModule():
    global aws, stack
    aws = LocalAws()
    stack = Stack(
        aws,
        "f",
        document(
            {
                "/exact": {"post": operation("f", 400, 409, 418, 500, responses=ERRORS)},
                "/template/{id}": {
                    "post": operation("f", requestTemplates=TEMPLATES, passthroughBehavior="when_no_templates")
                },
                "/no-default": {"post": operation("f", responses={"bad: .*": {"statusCode": "200"}})},
                "/hasty": {"post": operation("f", timeoutInMillis=100)},
                "/proxy": {"post": operation("f", type="aws_proxy")},
                "/header": {
                    "post": operation(
                        "f",
                        responses={
                            "default": {
                                "statusCode": "200",
                                "responseParameters": {"method.response.header.X-Told": "'yes'"},
                            }
                        },
                    )
                },
            }
        ),
        Timeout=1,
    )


def tearDownModule():
    aws.stop()


class ExactTexts(unittest.TestCase):
    TEXTS = (
        b'{ "a" : 1.50,\n"b":123456789012345678901234567890.10 }',
        b"1e400",
        b"-0",
        b'"\\u00e9\\/ \xc3\xa9 \\ud800"',
        b'{"same":1,"same":2}',
        b"9" * 5000,
        b"[" * 3000 + b"]" * 3000,
        b'{"big":"' + b"x" * 300_000 + b'"}',
        b"null",
        b' "spaced" ',
    )

    def test_through_the_invoke_url(self):
        for text in self.TEXTS:
            with self.subTest(text[:40]):
                self.assertEqual(stack.send("/exact", text), (200, text))

    def test_through_invoke(self):
        for text in self.TEXTS:
            with self.subTest(text[:40]):
                answer = stack.functions.invoke(FunctionName="f", Payload=text)
                self.assertEqual(answer["Payload"].read(), text)
                self.assertNotIn("FunctionError", answer)

    def test_without_a_body_the_event_is_an_empty_object(self):
        self.assertEqual(stack.send("/exact", b""), (200, b"{}"))
        self.assertEqual(stack.functions.invoke(FunctionName="f")["Payload"].read(), b"{}")

    def test_what_is_not_json_never_reaches_the_function(self):
        for text in (b"{", b"operation=ping", b"NaN", b"[Infinity]", b"'x'", b'"\xff"', b"{} {}"):
            with self.subTest(text):
                status, answer = stack.send("/exact", text)
                self.assertEqual(status, 400)
                self.assertRegex(json.loads(answer)["message"], "^Could not parse request body into json: ")
                with self.assertRaisesRegex(Exception, "InvalidRequestContentException.*Could not parse"):
                    stack.functions.invoke(FunctionName="f", Payload=text)


class Errors(unittest.TestCase):
    def test_a_matching_pattern_gives_its_status_and_the_errors_own_text(self):
        status, answer = stack.send("/exact", b'{"fail":"bad: x"}')
        self.assertEqual((status, answer), (400, b'{ "errorType":"E", "errorMessage":"bad: x", "digits":0.10 }'))

    def test_a_pattern_must_match_the_whole_message_within_a_line(self):
        for message in ("not bad: x", "bad:", "bad: x\ny"):
            self.assertEqual(
                stack.send("/exact", json.dumps({"fail": message}, separators=(",", ":")).encode())[0], 200
            )

    def test_patterns_mean_what_they_mean_to_java(self):
        for message, status in (
            ("lines: a", 418),
            ("lines: a\nb", 418),
            ("lines: a\r\nb", 200),
            ("lines: ", 200),
            ("bad: a\u2028b", 200),
            (". 1.", 409),
            (". 1x", 200),
            ("x 1.", 200),
            (". \u0661.", 200),
        ):
            with self.subTest(message):
                body = json.dumps({"fail": message}, separators=(",", ":")).encode()
                self.assertEqual(stack.send("/exact", body)[0], status)

    def test_lambdas_own_errors_name_the_request(self):
        told = {
            b'"exit"': ("Runtime.ExitError", "RequestId: [-0-9a-f]{36} Error: .* exit status 7$"),
            b'"killed"': ("Runtime.ExitError", "RequestId: [-0-9a-f]{36} Error: .* signal: killed$"),
            b'"sleep"': ("Sandbox.Timedout", r"RequestId: [-0-9a-f]{36} Error: Task timed out after 1\.00 seconds$"),
        }
        for event, (error_type, message) in told.items():
            with self.subTest(event):
                answer = stack.functions.invoke(FunctionName="f", Payload=event)
                error = json.loads(answer["Payload"].read())
                self.assertEqual((answer["FunctionError"], error["errorType"]), ("Unhandled", error_type))
                self.assertRegex(error["errorMessage"], message)
        self.assertEqual(stack.send("/exact", b'"exit"'), (500, b'{"message":"broken"}'))
        self.assertEqual(stack.send("/exact", b"1.50"), (200, b"1.50"))

    def test_a_function_that_can_not_start(self):
        told = {"init": "^can not start$", "exit": "RequestId: .* Error: .* exit status 3$"}
        for broken, message in told.items():
            with self.subTest(broken):
                other = Stack(
                    aws,
                    f"broken-{broken}",
                    document({"/": {"post": operation(f"broken-{broken}")}}),
                    Environment={"Variables": {"BROKEN": broken}},
                )
                status, answer = other.send("/", b"{}")
                self.assertEqual(status, 200)
                self.assertRegex(json.loads(answer)["errorMessage"], message)

    def test_without_a_default_response(self):
        self.assertEqual(stack.send("/no-default", b"{}"), (500, b'{"message": "Internal server error"}'))
        self.assertEqual(stack.send("/no-default", b'{"fail":"bad: x"}')[0], 200)

    def test_an_integration_gives_up_after_its_timeout(self):
        started = time.monotonic()
        status, answer = stack.send("/hasty", b'"sleep"')
        self.assertEqual((status, json.loads(answer)), (504, {"message": "Endpoint request timed out"}))
        self.assertLess(time.monotonic() - started, 0.9)

    def test_a_proxy_function_that_fails_tells_the_client_nothing(self):
        self.assertEqual(stack.send("/proxy", b"{}")[0], 200)
        other = Stack(
            aws,
            "broken-proxy",
            document({"/": {"post": operation("broken-proxy", type="aws_proxy")}}),
            Environment={"Variables": {"BROKEN": "exit"}},
        )
        self.assertEqual(other.send("/", b"{}"), (502, b'{"message": "Internal server error"}'))

    def test_a_proxy_function_whose_answer_is_no_response(self):
        answers = {
            '"pong"': 502,
            "null": 502,
            "[200]": 502,
            '{"statusCode": 200, "body": {"not": "text"}}': 502,
            '{"statusCode": "200"}': 200,
            '{"statusCode": 201, "body": null}': 201,
            '{"statusCode": 202, "body": "text"}': 202,
        }
        for number, (answer, expected) in enumerate(answers.items()):
            name = f"answers-{number}"
            definition = document({"/": {"post": operation(name, type="aws_proxy")}})
            other = Stack(aws, name, definition, Environment={"Variables": {"ANSWER": answer}})
            status, text = other.send("/", b"{}")
            self.assertEqual(status, expected, answer)
            if status == 502:
                self.assertEqual(text, b'{"message": "Internal server error"}')

    def test_a_proxy_function_without_concurrency(self):
        definition = document({"/": {"post": operation("reserved", type="aws_proxy")}})
        other = Stack(aws, "reserved", definition)
        aws.client("lambda").put_function_concurrency(FunctionName="reserved", ReservedConcurrentExecutions=0)
        self.assertEqual(other.send("/", b"{}"), (500, b'{"message": "Internal server error"}'))


class Mapping(unittest.TestCase):
    def test_request_template(self):
        status, answer = stack.send("/template/7", b"hello", headers={"Content-Type": "text/plain; charset=utf-8"})
        self.assertEqual((status, answer), (200, b'{"text": "hello", "id": "7"}'))

    def test_a_content_type_without_template(self):
        status, _answer = stack.send("/template/7", b"{}", headers={"Content-Type": "application/json"})
        self.assertEqual(status, 415)

    def test_response_header(self):
        url = f"/restapis/{stack.api}/Prod/_user_request_/header"
        self.assertEqual(aws.request("POST", url, b"{}")[1]["X-Told"], "yes")

    def test_unknown_paths_and_methods(self):
        missing = (403, b'{"message":"Missing Authentication Token"}')
        self.assertEqual(stack.send("/nothing", b"{}"), missing)
        self.assertEqual(stack.send("/exact", b"", method="GET"), missing)

    def test_by_host_name(self):
        host = f"{stack.api}.execute-api.localhost:{aws.port}"
        status, _headers, answer = aws.request("POST", "/Prod/exact", b"1.0", {"Host": host})
        self.assertEqual((status, answer), (200, b"1.0"))


class Permission(unittest.TestCase):
    def test_the_functions_policy_decides(self):
        refused = (500, b'{"message": "Internal server error"}')
        other = Stack(
            aws,
            "permitted",
            document(
                {
                    "/a": {"post": operation("permitted")},
                    "/b": {"post": operation("permitted"), "get": operation("permitted")},
                    "/p": {"post": operation("permitted", type="aws_proxy")},
                    "/c": {"post": operation("not-there")},
                }
            ),
        )
        self.assertEqual(other.send("/a", b"1")[0], 200)
        self.assertEqual(other.send("/c", b"1"), refused)
        for source, works in {"Prod/POST/b": "/b", "*/POST/b": "/b", "Test/POST/b": None, "*/GET/b": None}.items():
            with self.subTest(source):
                other.functions.remove_permission(FunctionName="permitted", StatementId="api")
                self.assertEqual(other.send("/b", b"1"), refused)
                other.permit(source)
                for path in ("/a", "/b", "/p"):
                    self.assertEqual(other.send(path, b"1")[0], 200 if path == works else 500, path)


class Invocations(unittest.TestCase):
    def test_the_function_sees_lambdas_environment_and_not_the_launchers(self):
        answer = stack.functions.invoke(FunctionName="f", Payload=b'"environment"')
        environment = json.loads(answer["Payload"].read())
        self.assertEqual(environment["AWS_ENDPOINT_URL"], aws.endpoint)
        self.assertEqual(environment["AWS_LAMBDA_LOG_GROUP_NAME"], "/aws/lambda/f")
        self.assertRegex(environment["AWS_LAMBDA_LOG_STREAM_NAME"], r"^\d{4}/")
        for name in ("GATEWAY_PORT", "STATE_DIR", "PERSIST_STATE", "LOG_LEVEL"):
            self.assertNotIn(name, environment)

    def test_there_are_no_pauses(self):
        for call in (lambda: stack.send("/exact", b'{"operation":"ping"}'), self._invoke):
            times = []
            for _ in range(30):
                started = time.perf_counter()
                call()
                times.append(time.perf_counter() - started)
            # Stock ministack: 90 ms. One of its two pauses alone: 40 ms.
            self.assertLess(sorted(times)[15], 0.03)

    @staticmethod
    def _invoke():
        stack.functions.invoke(FunctionName="f", Payload=b"{}")


if __name__ == "__main__":
    unittest.main()
