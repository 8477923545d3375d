"""What the tests share: a local AWS of their own, clients of it, and a function to deploy."""

import http.client
import io
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time
import zipfile

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from state_folder import StateFolder

LAUNCHER = pathlib.Path(__file__).with_name("local_aws.py")
ACCOUNT, REGION = "123456789012", "us-east-1"
_SESSION = botocore.session.get_session()  # one for all, for it reads large files
ROLE = f"arn:aws:iam::{ACCOUNT}:role/role"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)

# Answers with the event's own text, unless the event asks for something else.
_RUNTIME = r"""
import http.client, json, os, re, signal, sys, time
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

def call(method, path, body=None):
    api.request(method, "/2018-06-01/runtime/" + path, body)
    answer = api.getresponse()
    return answer.headers, answer.read()

if os.environ.get("BROKEN") == "init":
    call("POST", "init/error", b'{"errorType":"Extension.Broken","errorMessage":"can not start"}')
    sys.exit(1)
if os.environ.get("BROKEN"):
    sys.exit(3)
while True:
    headers, event = call("GET", "invocation/next")
    if event == b'"exit"':
        os._exit(7)
    if event == b'"killed"':
        os.kill(os.getpid(), signal.SIGKILL)
    if event == b'"sleep"':
        time.sleep(60)
    if event == b'"log"':
        print("a line of the function", flush=True)
    if event == b'"much"':
        print("\n".join(["much"] * 2000), flush=True)
    if event == b'"memory"':
        len(b"x" * 100_000_000)
    meeting = re.fullmatch(rb'{"meet":"(.*)"}', event)
    if meeting:
        folder = meeting[1].decode()
        open(f"{folder}/{os.getpid()}", "w").close()
        while not os.path.exists(f"{folder}/end"):
            time.sleep(0.01)
    if meeting or event == b'"environment"':
        code = open(os.environ["LAMBDA_TASK_ROOT"] + "/code").read()
        event = json.dumps({**os.environ, "CODE": code, "PID": str(os.getpid())}).encode()
    if event == b'"pid"':
        event = str(os.getpid()).encode()
    event = os.environ.get("ANSWER", "").encode() or event
    request = "invocation/" + headers["Lambda-Runtime-Aws-Request-Id"]
    failure = re.match(rb'\{"fail":(.*)\}$', event, re.S)
    if failure:
        call("POST", request + "/error", b'{ "errorType":"E", "errorMessage":' + failure[1] + b', "digits":0.10 }')
    else:
        call("POST", request + "/response", event)
    if event == b'"late"':
        time.sleep(1)  # By then the answer's log is complete, also on a busy machine.
        print("too late", flush=True)
"""


def package(code: str = "") -> bytes:
    """The function's deployment package; `code` tells one from the other."""
    bootstrap = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -ISs "$LAMBDA_TASK_ROOT/runtime.py"\n'
    return zipped({"bootstrap": bootstrap, "runtime.py": _RUNTIME, "code": code})


def zipped(texts: dict[str, str], mode: int = 0o755) -> bytes:
    """An archive of these files."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        for name, text in texts.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            files.writestr(entry, text)
    return archive.getvalue()


class LocalAws:
    """A local AWS in a folder of its own, on a port that was free."""

    def __init__(self, folder: str | None = None, port: int = 0, **environment: str):
        self._folder = tempfile.TemporaryDirectory() if folder is None else None
        folder = folder or self._folder.name
        self.process = subprocess.Popen(
            [sys.executable, LAUNCHER],
            env={
                "PATH": os.environ["PATH"],
                "HOME": folder,
                "GATEWAY_PORT": str(port),
                "PERSIST_STATE": "1",
                "STATE_DIR": f"{folder}/state",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        ready = self.process.stdout.readline()
        if not ready.startswith("ready "):
            _out, error = self.process.communicate()
            raise AssertionError(f"not ready: {error}")
        self.secret = StateFolder(f"{folder}/state").secret()
        self.endpoint = ready.split()[1]
        self.port = int(self.endpoint.rsplit(":", 1)[1])

    def stop(self, kill: bool = False) -> str:
        """Ends it, and returns what it wrote to stderr."""
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        _out, error = self.process.communicate(timeout=10)
        if self._folder:
            self._folder.cleanup()
        return error

    def client(
        self,
        service: str,
        key: str = ACCOUNT,
        secret: str | None = None,
        region: str = REGION,
        token: str | None = None,
    ):
        """An SDK client that doesn't retry, so that every answer is seen."""
        return _SESSION.create_client(
            service,
            region,
            endpoint_url=self.endpoint,
            aws_access_key_id=key,
            aws_secret_access_key=secret or self.secret,
            aws_session_token=token,
            config=botocore.config.Config(retries={"total_max_attempts": 1}),
        )

    def signed(self, method: str, path: str, body: bytes = b""):
        """Status, headers and body of a request that is no operation of AWS's."""
        request = AWSRequest(method, self.endpoint + path, data=body)
        SigV4Auth(Credentials(ACCOUNT, self.secret), "ministack", REGION).add_auth(request)
        return self.request(method, path, body, dict(request.headers))

    def request(self, method: str, path: str, body: bytes = b"", headers: dict | None = None):
        """Status, headers and body of a plain request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


class Stack:
    """A role, a function and an API whose methods call it."""

    def __init__(self, aws: LocalAws, name: str, document: dict, **function):
        self.aws, self.name = aws, name
        self.iam, self.functions, self.gateway = (aws.client(one) for one in ("iam", "lambda", "apigateway"))
        if not any(role["RoleName"] == "role" for role in self.iam.list_roles()["Roles"]):
            self.iam.create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)
        settings = {"Runtime": "provided.al2023", "Handler": "bootstrap", "Role": ROLE, "Timeout": 1, **function}
        self.functions.create_function(FunctionName=name, Code={"ZipFile": package()}, **settings)
        self.api = self.gateway.create_rest_api(name=name, endpointConfiguration={"types": ["REGIONAL"]})["id"]
        self.permit("*")
        self.define(document)
        self.gateway.create_deployment(restApiId=self.api, stageName="Prod")
        wait_until(lambda: self.functions.get_function(FunctionName=name)["Configuration"]["State"] == "Active")

    def permit(self, source: str) -> None:
        """Lets the API call the function from `source`: stage, method and path."""
        self.functions.add_permission(
            FunctionName=self.name,
            StatementId="api",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self.api}/{source}",
        )

    def define(self, document: dict, mode: str = "overwrite", strict: bool = True) -> dict:
        """PutRestApi."""
        return self.gateway.put_rest_api(
            restApiId=self.api, mode=mode, failOnWarnings=strict, body=json.dumps(document)
        )

    def resources(self) -> dict[str, dict]:
        """What is defined, by path."""
        listed = self.gateway.get_resources(restApiId=self.api, embed=["methods"], limit=500)["items"]
        return {resource["path"]: resource for resource in listed}

    def send(self, path: str, body: bytes, method: str = "POST", headers: dict | None = None):
        """Status and body of a request to the invoke URL."""
        url = f"/restapis/{self.api}/Prod/_user_request_{path}"
        status, _headers, answer = self.aws.request(method, url, body, headers)
        return status, answer


def integration(function: str, **fields) -> dict:
    """An `x-amazon-apigateway-integration` that calls the function."""
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
    return {
        "type": "aws",
        "httpMethod": "POST",
        "uri": f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations",
        "responses": {"default": {"statusCode": "200"}},
        **fields,
    }


def operation(function: str, *statuses: int, **fields) -> dict:
    """An OpenAPI operation that calls the function, with these responses besides 200."""
    return {
        "responses": {str(status): {"description": ""} for status in (200, *statuses)},
        "x-amazon-apigateway-integration": integration(function, **fields),
    }


def document(paths: dict, **fields) -> dict:
    """An OpenAPI document."""
    return {"openapi": "3.0.1", "info": {"title": "api", "version": "1"}, "paths": paths, **fields}


def wait_until(condition, seconds: float = 10) -> None:
    """Waits for the condition to be true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("waited too long")
        time.sleep(0.02)
