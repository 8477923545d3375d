"""Who is answered: attacks of web pages, of other users and of other names for this address, with and without AUTH=true."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import time
import unittest
import urllib.parse

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

import authentication
from testing import ACCOUNT, REGION, ROLE, LocalAws, Stack, document, operation, package

FUNCTIONS = "/2015-03-31/functions"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
API = document({"/x": {"post": operation("f")}})


def function(name: str) -> bytes:
    """The body of a CreateFunction."""
    code = base64.b64encode(package()).decode()
    settings = {"FunctionName": name, "Runtime": "provided.al2023", "Handler": "bootstrap", "Role": ROLE}
    return json.dumps({**settings, "Code": {"ZipFile": code}}).encode()


def guard(scope: dict, message: dict, times: int):
    """What the guard takes of so many equal messages, and what it sends; the application must not see any of it."""
    received, sent = [], []

    async def application(_scope, receive, _send):
        raise AssertionError("the application is called")

    async def receive():
        received.append(None)
        return message if len(received) < times else {**message, "more_body": False}

    async def send(answer):
        sent.append(answer)

    headers = [(name.lower().encode(), value.encode()) for name, value in scope["headers"].items()]
    asyncio.run(authentication.guarded(application)({**scope, "headers": headers}, receive, send))
    return len(received), sent


class Open:
    """The same for both ways to run it."""

    AUTH = "false"

    @classmethod
    def setUpClass(cls):
        cls.aws = LocalAws(AUTH=cls.AUTH)
        cls.addClassCleanup(cls.aws.stop)
        cls.stack = Stack(cls.aws, "f", API)

    def sign(self, signer, method: str, path: str, body: bytes, headers: dict, key=ACCOUNT, secret=None, service="iam", **options):
        """The headers and the path of a signed request."""
        request = AWSRequest(method, self.aws.endpoint + path, data=body, headers=headers)
        signer(Credentials(key, secret or self.aws.secret), service, REGION, **options).add_auth(request)
        signed = urllib.parse.urlsplit(request.url)
        return dict(request.headers), f"{signed.path}?{signed.query}" if signed.query else signed.path

    def list_roles(self, signer, **options):
        """A signed call: method, path, body and headers."""
        if signer is SigV4QueryAuth:
            headers, path = self.sign(signer, "GET", "/?Action=ListRoles", b"", {}, **options)
            return "GET", path, b"", headers
        headers, path = self.sign(signer, "POST", "/", b"Action=ListRoles", FORM, **options)
        return "POST", path, b"Action=ListRoles", headers

    def assert_refused(self, method: str, path: str, body: bytes = b"", headers: dict | None = None):
        status, answered, text = self.aws.request(method, path, body, headers)
        self.assertIn(status, (400, 403), text)
        self.assertEqual([name for name in answered if name.lower().startswith("access-control-")], [])
        self.assertNotIn(self.aws.secret.encode(), text)

    def assert_nothing_was_made(self):
        self.assertEqual([one["RoleName"] for one in self.stack.iam.list_roles()["Roles"]], ["role"])
        self.assertEqual([one["FunctionName"] for one in self.stack.functions.list_functions()["Functions"]], ["f"])

    # -- Requests that a page of another origin can send without asking first.

    def test_unsigned_calls_are_refused(self):
        trust = urllib.parse.quote('{"Statement":[]}')
        role = f"Action=CreateRole&RoleName=evil&AssumeRolePolicyDocument={trust}".encode()
        text = {"Content-Type": "text/plain"}
        attacks = [
            ("POST", "/", role, FORM),
            ("GET", f"/?{role.decode()}", b"", {}),
            ("POST", FUNCTIONS, function("evil"), text),
            ("POST", f"{FUNCTIONS}/f/invocations", b"1", text),
            ("GET", f"{FUNCTIONS}/f", b"", {}),
            ("POST", "/", b"{}", {**text, "X-Amz-Target": "DynamoDB_20120810.ListTables"}),
            ("GET", "/bucket/key", b"", {}),
            ("PUT", "/bucket", b"", {}),
            ("POST", "/_ministack/reset", b"", {}),
            ("POST", "/_ministack/config", b"{}", {}),
            ("GET", "/_ministack/lambda-code/f", b"", {}),
            ("GET", f"/_ministack/lambda-code/{ACCOUNT}/{REGION}/f", b"", {}),
            ("GET", "/_ministack/ready", b"", {}),
            ("GET", "/_ministack/health", b"", {}),
            ("GET", "/_localstack/health", b"", {}),
            ("OPTIONS", "/", b"", {"Access-Control-Request-Method": "POST"}),
            ("GET", "/oauth2/authorize", b"", {}),
            ("POST", f"/_aws/execute-api/{self.stack.api}/Prod/x", b"1", {}),
            ("GET", f"/restapis/{self.stack.api}/resources", b"", {}),
            ("GET", f"/restapis/{self.stack.api}/Prod/_user_request_/@connections/1", b"", {}),
        ]
        page = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
        for method, path, body, headers in attacks:
            for more in ({}, page, {"Origin": "null"}):
                with self.subTest(method=method, path=path, **more):
                    self.assert_refused(method, path, body, {**headers, **more})
        self.assert_nothing_was_made()
        self.assertEqual(self.stack.send("/x", b"1"), (200, b"1"))

    def test_pages_and_other_names_are_refused_whatever_they_sign(self):
        own = f"127.0.0.1:{self.aws.port}"
        pages = [
            {"Origin": "http://evil.example"},
            {"Origin": f"http://{own}"},
            {"Origin": "null"},
            *({"Sec-Fetch-Site": site} for site in ("cross-site", "same-site", "same-origin")),
            *({"Host": host} for host in (f"evil.example:{self.aws.port}", "localhost.evil.example", "127.0.0.1.nip.io", "")),
            {"Host": f"f.lambda-url.{REGION}.localhost:{self.aws.port}"},
        ]
        for page in pages:
            with self.subTest(**page):
                headers, path = self.sign(SigV4Auth, "POST", "/", b"Action=ListRoles", {**FORM, **page})
                self.assert_refused("POST", path, b"Action=ListRoles", headers)
        for host in (own, f"localhost:{self.aws.port}", f"[::1]:{self.aws.port}", "localhost:80"):
            headers, path = self.sign(SigV4Auth, "POST", "/", b"Action=ListRoles", {**FORM, "Host": host})
            self.assertEqual(self.aws.request("POST", path, b"Action=ListRoles", headers)[0], 200, host)

    def test_an_invoke_url_is_for_everybody_but_not_under_another_name(self):
        origin = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
        path = f"/restapis/{self.stack.api}/Prod/_user_request_/x"
        for headers in ({}, origin, {"Authorization": "Bearer x"}, {"Host": "localhost"}):
            status, answered, text = self.aws.request("POST", path, b"1", headers)
            self.assertEqual((status, text), (200, b"1"), headers)
            # The API has declared none.
            self.assertNotIn("Access-Control-Allow-Origin", answered)
        self.assertEqual(self.aws.request("POST", path, b"1", {"Host": "evil.example"})[0], 403)
        host = {"Host": f"{self.stack.api}.execute-api.localhost:{self.aws.port}"}
        self.assertEqual(self.aws.request("POST", "/Prod/x", b"1", host)[2], b"1")
        for path in ("/_ministack/reset", "/2015-03-31/functions", "/Prod/@connections/1"):
            self.assertIn(self.aws.request("POST", path, b"", host)[0], (400, 403, 404), path)
        self.assert_nothing_was_made()

    def test_web_sockets_are_refused(self):
        with socket.create_connection(("127.0.0.1", self.aws.port), 10) as connection:
            upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eDEyMzQ1Njc4OTAxMjM0NQ==\r\n"
            path = f"/_aws/execute-api/{self.stack.api}/Prod"
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{upgrade}\r\n".encode())
            self.assertRegex(connection.recv(100), rb"HTTP/1.1 4\d\d ")
        # Also those that the application would accept.
        scope = {"type": "websocket", "path": "/", "headers": {}}
        self.assertEqual(guard(scope, {"type": "websocket.connect"}, 1), (1, [{"type": "websocket.close", "code": 1008}]))

    # -- Signatures.

    def test_other_secrets_are_refused(self):
        user = self.stack.iam.create_user(UserName="other")["User"]["UserName"]
        key = self.stack.iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
        for name in ("test", ACCOUNT, key, "AKIAIOSFODNN7EXAMPLE"):
            for secret in ("test", "x" * 40):
                for signer in (SigV4Auth, SigV4QueryAuth):
                    with self.subTest(key=name, signer=signer):
                        self.assert_refused(*self.list_roles(signer, key=name, secret=secret))
        self.stack.iam.delete_access_key(UserName=user, AccessKeyId=key)
        self.stack.iam.delete_user(UserName=user)

    def test_signatures_in_headers_and_in_queries_are_taken_and_all_that_is_signed_counts(self):
        for signer in (SigV4Auth, SigV4QueryAuth):
            method, path, body, headers = self.list_roles(signer)
            status, answered, _text = self.aws.request(method, path, body, headers)
            self.assertEqual(status, 200, signer)
            # No page may read it.
            self.assertEqual([name for name in answered if name.lower().startswith("access-control-")], [])
            self.assert_refused(method, path, b"Action=CreateUser&UserName=evil", headers)
            self.assert_refused("PUT", path, body, headers)
            self.assert_refused(method, f"{path}{'&' if '?' in path else '?'}UserName=evil", body, headers)
            self.assert_refused(method, path.replace("/", "/x", 1), body, headers)
            self.assert_refused(method, path, body, {**headers, "Host": f"localhost:{self.aws.port}"})

    def test_crafted_signatures_are_refused(self):
        body = b"Action=ListRoles"
        headers, path = self.sign(SigV4Auth, "POST", "/", body, FORM)
        good = headers["Authorization"]
        for crafted in (
            good[:-1] + ("0" if good[-1] != "0" else "1"),
            good.replace("host;", ""),
            good.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
            good.replace("Credential=", "Credential=000000000000/a, Credential="),
            "AWS4-HMAC-SHA256 " + good.split(" ", 1)[1].replace(",", ""),
            f"AWS {ACCOUNT}:c2lnbmF0dXJl",
            "AWS4-HMAC-SHA256",
            "Bearer x",
        ):
            with self.subTest(crafted):
                self.assert_refused("POST", path, body, {**headers, "Authorization": crafted})
        for date in ("20200101T000000Z", "", "now"):
            self.assert_refused("POST", path, body, {**headers, "X-Amz-Date": date})
        for query in (f"X-Amz-Credential={ACCOUNT}", f"AWSAccessKeyId={ACCOUNT}&Signature=x"):
            self.assert_refused("POST", f"/?{query}", body, FORM)

    def test_a_body_must_be_the_one_whose_hash_is_signed(self):
        body, other = b"Action=ListRoles", b"Action=CreateUser&UserName=evil"
        for declared in (hashlib.sha256(body).hexdigest(), "UNSIGNED-PAYLOAD"):
            headers, path = self.sign(SigV4Auth, "POST", "/", body, {**FORM, "X-Amz-Content-SHA256": declared})
            self.assert_refused("POST", path, other, headers)

    def test_a_signature_in_a_query_expires(self):
        for expires, answer in ((60, 200), (1, 403), (8 * 24 * 3600, 403)):
            call = self.list_roles(SigV4QueryAuth, expires=expires)
            if expires == 1:
                time.sleep(2)
            self.assertEqual(self.aws.request(*call)[0], answer, expires)

    def test_a_signature_must_be_for_this_host(self):
        class WithoutHost(SigV4Auth):
            def headers_to_sign(self, request):
                headers = super().headers_to_sign(request)
                del headers["host"]
                return headers

        self.assertEqual(self.aws.request(*self.list_roles(SigV4Auth))[0], 200)
        self.assert_refused(*self.list_roles(WithoutHost))

    def test_a_body_without_an_end_is_not_kept(self):
        headers, path = self.sign(SigV4Auth, "POST", "/", b"", FORM)
        headers["Host"] = f"127.0.0.1:{self.aws.port}"
        pieces = {"type": "http.request", "body": b"x" * 2**20, "more_body": True}
        received, sent = guard({"type": "http", "method": "POST", "path": path, "headers": headers}, pieces, 200)
        self.assertLess(received, 102)
        self.assertEqual(sent[0]["status"], 403)
        self.assertIn(b"too large", sent[1]["body"])

    # -- Who else has credentials.

    def test_a_function_has_credentials_of_its_own(self):
        found = json.loads(self.stack.send("/x", b'"environment"')[1])
        key, secret, token = (found[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))
        self.assertNotIn(self.aws.secret, found.values())
        identity = self.aws.client("sts", key, secret, token=token).get_caller_identity()
        self.assertEqual(identity["Arn"], f"arn:aws:sts::{ACCOUNT}:assumed-role/role/f")
        for wrong in ((key, "x" * 40, token), (key, secret, "x"), (key, secret, None)):
            with self.assertRaises(ClientError):
                self.aws.client("sts", *wrong[:2], token=wrong[2]).get_caller_identity()
        headers, path = self.sign(SigV4Auth, "POST", "/_ministack/reset", b"", {"X-Amz-Security-Token": token}, key, secret)
        self.assert_refused("POST", path, b"", headers)

    def test_the_code_can_be_had_for_a_while_by_who_was_told(self):
        url = urllib.parse.urlsplit(self.stack.functions.get_function(FunctionName="f")["Code"]["Location"])
        self.assertEqual(self.aws.request("GET", f"{url.path}?{url.query}")[2], package())
        self.assert_refused("GET", f"{url.path}?{url.query.replace('Expires=600', 'Expires=6000')}")

    def test_it_proves_that_it_has_the_secret(self):
        challenge = "0123456789abcdef" * 4
        status, _headers, answer = self.aws.request("GET", f"/_local_aws/proof?challenge={challenge}")
        proof = hmac.new(self.aws.secret.encode(), f"local AWS {challenge}".encode(), hashlib.sha256).hexdigest()
        self.assertEqual((status, json.loads(answer)), (200, {"proof": proof}))
        for wrong in ("", "x" * 64, challenge + "0", challenge + "%0a"):
            self.assertEqual(self.aws.request("GET", f"/_local_aws/proof?challenge={wrong}")[0], 400)


class WithoutPolicies(Open, unittest.TestCase):
    pass


class WithPolicies(Open, unittest.TestCase):
    AUTH = "true"

    def test_a_method_for_signed_requests_takes_no_other(self):
        resource = self.stack.resources()["/x"]["id"]
        at = {"restApiId": self.stack.api, "resourceId": resource, "httpMethod": "POST"}
        patch = [{"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"}]
        self.stack.gateway.update_method(**at, patchOperations=patch)
        self.stack.gateway.create_deployment(restApiId=self.stack.api, stageName="signed")
        path = f"/restapis/{self.stack.api}/signed/_user_request_/x"
        sign = {"service": "execute-api", "headers": {}}
        for key, secret, answer in ((ACCOUNT, None, 200), (ACCOUNT, "test", 403), ("test", "test", 403)):
            for signer in (SigV4Auth, SigV4QueryAuth):
                with self.subTest(key=key, signer=signer):
                    headers, signed = self.sign(signer, "POST", path, b"", key=key, secret=secret, **sign)
                    self.assertEqual(self.aws.request("POST", signed, b"", headers)[0], answer)
        self.assertEqual(self.aws.request("POST", path, b"1")[0], 403)


if __name__ == "__main__":
    unittest.main()
