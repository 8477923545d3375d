"""One process of a `provided.*` function: started, given events, and ended.

Stock ministack takes 50 to 90 ms for every answer: it waits 50 ms for a log line that a quiet function never writes,
and sends headers and body of the next event in two small packets, so that Nagle's algorithm and delayed
acknowledgement add 40 ms.
"""

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import time
import uuid
import zipfile

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

import platform_log
import runtime_api
import texts

LOG_STREAM = "_LogStream"  # in the configuration of a worker

_INIT_SECONDS = 10  # that Lambda gives a process to ask for its first event; the second attempt has the function's time
_LOOK_AGAIN = 0.05  # seconds until it is looked whether the process has ended
_KEPT_LINES = 10_000  # of an invocation
_RESULT = re.compile(r"/runtime/invocation/([^/]+)/(response|error)/?$")


def _is_executable(code_zip: bytes) -> bool:
    """Whether the zip lets everybody execute its bootstrap. Lambda runs it as another user than the files' owner; ministack
    would make it executable by itself."""
    with zipfile.ZipFile(io.BytesIO(code_zip)) as archive:
        modes = [entry.external_attr >> 16 for entry in archive.infolist() if entry.filename == "bootstrap"]
    return all(mode & 0o005 == 0o005 for mode in modes)


class _Failed(Exception):
    """The process didn't get to an answer. With the name that Lambda has for that, or with what the process said."""

    def __init__(self, error_type: str, said: runtime_api.Request | None = None):
        super().__init__(error_type)
        self.error_type, self.said = error_type, said


class ExactWorker(lambda_runtime.Worker):
    """An execution environment that passes texts through and never waits for what won't come."""

    def __init__(self, func_name: str, config: dict, code_zip: bytes):
        super().__init__(func_name, config, code_zip)
        self._process: subprocess.Popen | None = None
        self._api: runtime_api.RuntimeApi | None = None
        self._next: runtime_api.Request | None = None  # by which the process waits for an event
        self._peak_memory = 0
        self._output_tail = b""
        # Of the invocation that is going on; times in seconds since 1970.
        self._lines: list[platform_log.Line] = []
        self._init_seconds: float | None = None
        self._delivered: float | None = None

    def invoke(self, event, request_id: str, *, trace_id: str | None = None, invoked_function_arn: str = "") -> dict:
        """Runs one invocation; the outcome's payloads are parsed, their texts are in the exchange, if there is one."""
        exchange = texts.exchange_of(event)
        with self._lock:
            outcome, answer = self._run(
                exchange.request if exchange else json.dumps(event).encode(),
                {
                    "Lambda-Runtime-Aws-Request-Id": request_id,
                    "Lambda-Runtime-Invoked-Function-Arn": invoked_function_arn,
                    **({"Lambda-Runtime-Trace-Id": trace_id} if trace_id else {}),
                },
            )
        if exchange:
            exchange.answer = answer
            # ministack passes bytes through, where it would fail to spell half of a surrogate pair.
            if outcome["status"] == "ok":
                outcome["result"] = answer
            else:
                outcome["error_payload"] = {"errorMessage": outcome["error"]}
        return outcome

    def _run(self, event: bytes, headers: dict[str, str]) -> tuple[dict, bytes]:
        """The outcome of an invocation, as ministack has it, and the text of the answer."""
        request_id, asked = headers["Lambda-Runtime-Aws-Request-Id"], time.time()
        self._init_seconds = self._delivered = failure = None
        reason = ""
        try:
            kind, said = self._answer(event, headers)
            text, ended = said.body, said.arrived
        except _Failed as failed:
            kind, said, failure, ended = "error", failed.said, failed.error_type, time.time()
            reason = self._end(failure)
            error = {"errorType": failure, "errorMessage": f"RequestId: {request_id} Error: {reason}"}
            text = said.body if said else json.dumps(error).encode()
        payload = _parsed(text)
        outcome = {"status": "ok", "result": payload}
        if kind == "error":
            message = payload.get("errorMessage", "") if isinstance(payload, dict) else str(payload)
            message = str(message).encode("utf-8", errors="replace").decode()
            outcome = {"status": "error", "error": message, "error_payload": payload}
            if failure and said:
                failure, reason = str(payload.get("errorType")) if isinstance(payload, dict) else failure, message
        outcome["log"] = self._write_log(request_id, self._delivered or asked, ended, failure, reason)
        return outcome, text

    def _write_log(self, request_id: str, started: float, ended: float, failure: str | None, reason: str) -> str:
        """All lines of an invocation: to CloudWatch Logs, and for who wants their tail."""
        self._look_at_memory()
        report = platform_log.Report(
            request_id=request_id,
            started=int(started * 1000),
            seconds=max(ended - started, 0),
            peak_memory=self._peak_memory,
            # Where the function never got its event, starting it is what the invocation took.
            init_seconds=self._init_seconds if self._delivered else None,
            failure=failure,
            reason=reason,
        )
        own, self._lines = self._lines, []
        lines = report.lines(self.config, own)
        platform_log.write(platform_log.group_of(self.config), self.config[LOG_STREAM], lines)
        return "".join(f"{line.text}\n" for line in lines)

    # -- The process.

    def _answer(self, event: bytes, headers: dict[str, str]) -> tuple[str, runtime_api.Request]:
        """Gives the process an event; what it says about it, and whether that is a response or an error."""
        timeout = self.config.get("Timeout", 3)
        if self._proc is None or self._proc.poll() is not None:
            self._start(timeout)
        until = time.monotonic() + timeout
        headers["Lambda-Runtime-Deadline-Ms"] = str(int((time.time() + timeout) * 1000))
        while True:
            request = self._next or self._request(until)
            self._next = None
            result = _RESULT.search(request.path)
            with contextlib.suppress(OSError):  # whoever asked is gone: the process may ask again, or has ended
                if request.path.endswith("/runtime/invocation/next"):
                    if self._delivered:
                        self._next = request
                    else:
                        delivered = time.time()
                        request.answer(200, event, headers)
                        self._delivered = delivered
                elif not result:
                    request.answer(404)
                elif not self._delivered or result[1] != headers["Lambda-Runtime-Aws-Request-Id"]:
                    request.answer(400, b'{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}')
                else:
                    request.answer(202)
            if result and self._delivered and result[1] == headers["Lambda-Runtime-Aws-Request-Id"]:
                self._read_output()
                return result[2], request

    def _request(self, until: float) -> runtime_api.Request:
        """The next request of the process."""
        while not self._api.requests:
            ended = self._process.poll() is not None  # first, so that its last words are heard
            left = until - time.monotonic()
            if not self._api.wait(0 if ended else min(left, _LOOK_AGAIN)):
                if ended:
                    raise _Failed("Runtime.ExitError")
                if left <= 0:
                    raise _Failed("Sandbox.Timedout")
        return self._api.requests.popleft()

    def _start(self, timeout: float) -> None:
        """Starts the process, and waits until it asks for its first event."""
        try:
            self._start_within(_INIT_SECONDS)
        except _Failed as failed:
            if failed.error_type != "Sandbox.Timedout":
                raise
            self._end(failed.error_type)
            self._start_within(timeout)

    def _start_within(self, seconds: float) -> None:
        self._discard()
        version = self.config.get("Version", "$LATEST")
        self.config[LOG_STREAM] = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{version}]{uuid.uuid4().hex}"
        if not _is_executable(self.code_zip):
            raise _Failed("Runtime.InvalidEntrypoint")
        folder = lambda_svc._provided_runtime_code_dir(self.code_zip)
        self._api, self._peak_memory = runtime_api.RuntimeApi(), 0
        port = int(self._api.address.rpartition(":")[2])
        # No process may be started while an executable is being written, for it would inherit the descriptor.
        with lambda_svc._provided_code_lock:
            started = time.time()
            try:
                self._process = self._proc = subprocess.Popen(
                    [f"{folder}/bootstrap"],
                    cwd=folder,
                    env=lambda_svc._provided_worker_env(self.config, folder, port),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    umask=0o022,
                )
            except OSError:
                raise _Failed("Runtime.InvalidEntrypoint") from None
        os.set_blocking(self._process.stdout.fileno(), False)
        self._api.watch(self._process.stdout, self._take_output)
        until = time.monotonic() + seconds
        while self._next is None:
            request = self._request(until)
            if request.path.endswith("/runtime/init/error"):
                request.answer(202)
                raise _Failed("Runtime.Unknown", request)
            if request.path.endswith("/runtime/invocation/next"):
                self._next = request
            else:
                request.answer(404)
        self._init_seconds = max(self._next.arrived - started, 0)
        self._look_at_memory()

    def _end(self, error_type: str) -> str:
        """Ends the process, if it hasn't ended by itself; Lambda's words for what became of it."""
        code = None
        if self._process is not None:
            self._look_at_memory()
            code = self._process.poll()
            self._process.kill()
            self._process.wait()
        self._discard()
        # Integration responses select on these.
        if error_type == "Sandbox.Timedout":
            return f"Task timed out after {float(self.config.get('Timeout', 3)):.2f} seconds"
        if error_type == "Runtime.InvalidEntrypoint" and not _is_executable(self.code_zip):
            return "fork/exec /var/task/bootstrap: permission denied"
        if error_type == "Runtime.InvalidEntrypoint":
            return "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
        if code in (None, 0):
            return "Runtime exited without providing a reason"
        if code < 0:
            return f"Runtime exited with error: signal: {signal.strsignal(-code).lower()}"
        return f"Runtime exited with error: exit status {code}"

    def _discard(self) -> None:
        """Forgets a process that has ended."""
        if self._api:
            self._read_output()
            self._api.close()
        self._api = self._next = self._process = self._proc = None

    def _discard_tmpdir(self) -> None:
        """Called by ministack when it has ended the process. An invocation that is going on sees that for itself."""
        if self._lock.acquire(blocking=False):
            self._discard()
            self._lock.release()

    def _look_at_memory(self) -> None:
        self._peak_memory = platform_log.peak_memory(self._process) or self._peak_memory

    # -- What it writes. Whatever was written before an answer is in the pipe by then: there is nothing to wait for.

    def _take_output(self) -> bool:
        """Takes over some of what is in the pipe; false at its end."""
        try:
            output = os.read(self._process.stdout.fileno(), 65536)
        except BlockingIOError:
            return True
        *lines, self._output_tail = (self._output_tail + output).split(b"\n")
        if self._output_tail and not output:
            lines, self._output_tail = [self._output_tail], b""
        now = platform_log.now()
        self._lines += [
            platform_log.Line(now, line.rstrip(b"\r").decode("utf-8", errors="replace")) for line in lines
        ]
        del self._lines[:-_KEPT_LINES]
        return bool(output)

    def _read_output(self) -> None:
        """Takes over all that is in the pipe; a line that isn't ended counts as one."""
        for _ in range(1000):
            if not self._api.wait(0):
                break
        if self._output_tail:
            self._lines.append(platform_log.Line(platform_log.now(), self._output_tail.decode("utf-8", errors="replace")))
            self._output_tail = b""


def _parsed(text: bytes) -> object:
    try:
        return texts.parse_json(text)
    except texts.InvalidJson:
        return text.decode("utf-8", errors="replace")
