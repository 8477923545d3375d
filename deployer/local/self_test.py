"""What must be true before the local AWS says that it is ready.

The launcher replaces private functions of ministack. Should one of the replacements not take effect, requests would
still be answered, only wrongly: so one function and one API are made, in an account of their own, the invoke URL is
called, and nothing of it is left behind.
"""

import asyncio
import base64
import hashlib
import io
import json
import shlex
import shutil
import sys
import urllib.error
import urllib.request
import zipfile

from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict, request_scope
from ministack.services import apigateway_v1, iam, lambda_svc

_ACCOUNT, _REGION = "999999999999", "us-east-1"
_NAME = "self-test"
_FUNCTION = f"arn:aws:lambda:{_REGION}:{_ACCOUNT}:function:{_NAME}"
_URI = f"arn:aws:apigateway:{_REGION}:lambda:path/2015-03-31/functions/{_FUNCTION}/invocations"

# Text that a JSON parser of numbers would spell otherwise.
_BODY = b'{ "a":1.50, "b":123456789012345678901234567890.10, "c":1e400 }'
_FAILING_BODY = b'"fail"'
_ERROR = b'{"errorType":"E","errorMessage":"expected failure","digits":0.10}'

# A custom runtime that answers with the event's own text, or with the error when the event asks for it.
_BOOTSTRAP = f"""#!/bin/sh
exec {shlex.quote(sys.executable)} -ISs "$LAMBDA_TASK_ROOT/runtime.py"
"""
_RUNTIME = f"""
import os, socket
address = os.environ["AWS_LAMBDA_RUNTIME_API"]
host, port = address.split(":")
stream = socket.create_connection((host, int(port))).makefile("rwb")

def call(method, path, body=b""):
    head = [f"{{method}} /2018-06-01/runtime/invocation/{{path}} HTTP/1.1", f"Host: {{address}}", f"Content-Length: {{len(body)}}"]
    stream.write("\\r\\n".join([*head, "", ""]).encode() + body)
    stream.flush()
    stream.readline()
    headers = {{}}
    while line := stream.readline().strip():
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    return headers, stream.read(int(headers["content-length"]))

while True:
    headers, event = call("GET", "next")
    request = headers["lambda-runtime-aws-request-id"]
    if event == {_FAILING_BODY!r}:
        call("POST", request + "/error", {_ERROR!r})
    else:
        call("POST", request + "/response", event)
"""

_DOCUMENT = {
    "openapi": "3.0.1",
    "info": {"title": _NAME},
    "paths": {
        "/echo/{what}": {
            "post": {
                "responses": {"200": {"description": "echoed"}, "418": {"description": "failed"}},
                "x-amazon-apigateway-integration": {
                    "type": "aws",
                    "httpMethod": "POST",
                    "uri": _URI,
                    "responses": {"default": {"statusCode": "200"}, "expected .*": {"statusCode": "418"}},
                },
            }
        }
    },
}


class Failed(Exception):
    """The message names what is broken."""


async def run(port: int) -> None:
    """Raises `Failed` unless everything that the launcher repairs is repaired."""
    package = _package()
    _forget_account()  # what a process left that was stopped just here
    try:
        with request_scope(_ACCOUNT, _REGION):
            api_id = await _stack(package)
            await _invoke()
        url = f"http://127.0.0.1:{port}/restapis/{api_id}/test/_user_request_/echo/x"
        await _expect(
            "a request's body must reach the function, and its answer the client, byte for byte", url, _BODY, 200, _BODY
        )
        await _expect("a function's error must be mapped by its selectionPattern", url, _FAILING_BODY, 418, _ERROR)
        await _expect("a body that isn't JSON must be refused", url, b"{", 400, None)
        control = f"http://127.0.0.1:{port}/2015-03-31/functions"
        await _expect("a call that nobody signed must be refused", control, b"{}", 403, None)
    finally:
        await asyncio.to_thread(_clean_up, package)


async def _stack(package: bytes) -> str:
    """The role, the function, the permission, the API, its definition and a deployment; the API's id."""
    trust = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    }
    role = {"Action": "CreateRole", "RoleName": _NAME, "AssumeRolePolicyDocument": json.dumps(trust)}
    await iam.handle_request("POST", "/", {}, b"", {name: [value] for name, value in role.items()})
    await _call(
        lambda_svc,
        "POST",
        "/2015-03-31/functions",
        FunctionName=_NAME,
        Runtime="provided.al2023",
        Handler="bootstrap",
        Timeout=5,
        Role=f"arn:aws:iam::{_ACCOUNT}:role/{_NAME}",
        Code={"ZipFile": base64.b64encode(package).decode()},
    )
    api = await _call(apigateway_v1, "POST", "/restapis", name=_NAME, endpointConfiguration={"types": ["REGIONAL"]})
    root = f"/restapis/{api['id']}"
    await _call(
        lambda_svc,
        "POST",
        f"/2015-03-31/functions/{_NAME}/policy",
        StatementId=_NAME,
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{_REGION}:{_ACCOUNT}:{api['id']}/*/POST/echo/*",
    )
    await _call(apigateway_v1, "PUT", root, {"mode": ["overwrite"], "failonwarnings": ["true"]}, **_DOCUMENT)
    listed = await _call(apigateway_v1, "GET", f"{root}/resources", {"embed": ["methods"], "limit": ["500"]})
    _check_definition(listed["item"])
    await _call(apigateway_v1, "POST", f"{root}/deployments", stageName="test")
    return api["id"]


def _check_definition(resources: list[dict]) -> None:
    broken = "PutRestApi must make what the document says"
    by_path = {resource["path"]: resource for resource in resources}
    if set(by_path) != {"/", "/echo", "/echo/{what}"}:
        raise Failed(f"{broken}: the paths are {sorted(by_path)}")
    integration = by_path["/echo/{what}"]["resourceMethods"]["POST"]["methodIntegration"]
    patterns = {
        status: response.get("selectionPattern", "") for status, response in integration["integrationResponses"].items()
    }
    if (integration["type"], integration["uri"], patterns) != ("AWS", _URI, {"200": "", "418": "expected .*"}):
        raise Failed(f"{broken}: the integration is {integration}")


async def _call(service, method: str, path: str, query: dict | None = None, **fields) -> dict:
    status, _headers, answer = await service.handle_request(
        method, path, {}, json.dumps(fields).encode() if fields else b"", query or {}
    )
    if status >= 300:
        raise Failed(f"{method} {path} must work: it answered {status} {answer.decode(errors='replace')}")
    return json.loads(answer or b"{}")


async def _invoke() -> None:
    path = f"/2015-03-31/functions/{_NAME}/invocations"
    status, _headers, answer = await lambda_svc.handle_request("POST", path, {}, _BODY, {})
    if (status, answer) != (200, _BODY):
        raise Failed(f"Invoke must pass texts through byte for byte: sent {_BODY!r}, got {status} {answer!r}")


async def _expect(rule: str, url: str, body: bytes, status: int, answer: bytes | None) -> None:
    got_status, got = await asyncio.to_thread(_post, url, body)
    if got_status != status or answer not in (None, got):
        raise Failed(f"{rule}: sent {body!r}, expected {status} {answer!r}, got {got_status} {got!r}")


def _post(url: str, body: bytes) -> tuple[int, bytes]:
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"}, method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError as error:
        return 0, str(error).encode()


def _package() -> bytes:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        for name, text in {"bootstrap": _BOOTSTRAP, "runtime.py": _RUNTIME}.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, text)
    return package.getvalue()


def _clean_up(package: bytes) -> None:
    """Ends the function and forgets the account."""
    lambda_svc.invalidate_worker(_NAME, account=_ACCOUNT, region=_REGION)
    code = lambda_svc._provided_code_dirs.pop(hashlib.sha256(package).hexdigest(), None)
    if code:
        shutil.rmtree(code, ignore_errors=True)
    _forget_account()


def _forget_account() -> None:
    """Takes the account out of every service: with its logs, metrics and tags."""
    for name, module in list(sys.modules.items()):
        if not name.startswith("ministack.services."):
            continue
        for store in vars(module).values():
            if isinstance(store, (AccountScopedDict, AccountRegionScopedDict)):
                for key in [key for key in list(store._data) if key[0] == _ACCOUNT]:
                    store._data.pop(key, None)
