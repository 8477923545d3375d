"""Invocations of `provided.*` functions: the JSON text is left alone, there are no pauses, failures read as on AWS.

Stock ministack parses an event into Python values and spells it anew for the function, and does the same with the
answer: `1.50` arrives as `1.5`, a 30-digit number as a float, `1e400` as `Infinity`, which is not JSON. AWS passes
both texts through. Here an `Exchange` travels beside the parsed values and carries the texts.

Stock ministack also takes 50 to 90 ms for every answer: it waits 50 ms for a log line that a quiet function never
writes, and sends headers and body of the next event in two small packets, so that Nagle's algorithm and delayed
acknowledgement add 40 ms. `ExactWorker` reads what is in the log pipe and goes on, and sends one packet.
"""

import contextlib
import contextvars
import dataclasses
import http.server
import json
import os
import queue
import select
import signal
import threading
import time
import uuid

from ministack.core import lambda_runtime
from ministack.core.responses import error_response_json
from ministack.services import lambda_svc

import platform_log

_RESULT_PATH = lambda_runtime._INVOCATION_RESULT_RE
LOG_STREAM = "_LogStream"  # in the configuration of a worker
_SHARED_WITH_FUNCTIONS = {
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "HOME",
    "LAMBDA_TASK_ROOT",
    "PATH",
    "TMPDIR",
    "_HANDLER",
}


# ---- Exact texts ------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Exchange:
    """The texts of one invocation. `event` is the parsed value whose text `request` is: compared by identity, so
    that another invocation made on the way (an authorizer, a failure destination) doesn't get this one's text."""

    event: object
    request: bytes
    answer: bytes | None = None


_exchange: contextvars.ContextVar[Exchange | None] = contextvars.ContextVar("exchange", default=None)


@contextlib.contextmanager
def exact(event: object, request: bytes):
    """Invocations of `event` inside this block get the text `request`; the exchange has the answer's text after."""
    exchange = Exchange(event, request)
    token = _exchange.set(exchange)
    try:
        yield exchange
    finally:
        _exchange.reset(token)


class InvalidJson(ValueError):
    """The text is not JSON; the message says where."""


def parse_json(text: bytes) -> object:
    """The parsed value of a JSON text, accepting exactly what JSON is: no NaN, no Infinity, numbers of any length."""

    def integer(digits: str) -> int | float:
        # Python refuses to convert integers of more than 4,300 digits.
        return int(digits) if len(digits) < 4000 else float(digits)

    def constant(name: str):
        raise InvalidJson(f"Unrecognized token '{name}'")

    try:
        return json.loads(text.decode("utf-8"), parse_int=integer, parse_constant=constant)
    except RecursionError:
        return {}  # nested too deeply for Python; the text is passed on all the same
    except InvalidJson:
        raise
    except ValueError as error:
        raise InvalidJson(str(error)) from None


# ---- The worker -------------------------------------------------------------------------------------------------


class ExactWorker(lambda_runtime.ProvidedWorker):
    """An execution environment that passes texts through and never waits for what won't come."""

    def __init__(self, func_name: str, config: dict, code_zip: bytes):
        super().__init__(func_name, config, code_zip)
        self._exit_code: int | None = None
        self._peak_memory = 0
        # Of the invocation that is going on: what it wrote, and when it began.
        self._lines: list[platform_log.Line] = []
        self._init_seconds: float | None = None
        self._delivered: tuple[int, float] | None = None
        # Of the generation.
        self._log_pipe = None
        self._log_tail = b""
        self._log_guard = threading.Lock()

    def invoke(self, event, request_id: str, **metadata) -> dict:
        """Runs one invocation; the outcome's payloads are parsed, their texts are in the exchange, if there is one."""
        exchange = _exchange.get()
        if exchange is not None and exchange.event is not event:
            exchange = None
        asked = _moment()
        self._exit_code = self._init_seconds = self._delivered = None
        try:
            outcome = super().invoke(exchange.request if exchange else event, request_id, **metadata)
        except (RuntimeError, OSError) as failure:
            outcome = self._failed_start(failure)
        answered = time.monotonic()
        failure, reason = None, ""
        if outcome["status"] == "ok":
            payload, answer, answered = outcome["result"]
            # ministack passes bytes through, where it would fail to spell half of a surrogate pair.
            outcome["result"] = answer if exchange else payload
        else:
            reported = outcome["error_payload"]
            if isinstance(reported, tuple):
                payload, answer, answered = reported
            else:
                failure, reason = reported["errorType"], self._reason(reported["errorType"])
                payload = {"errorType": failure, "errorMessage": f"RequestId: {request_id} Error: {reason}"}
                answer = json.dumps(payload).encode()
            message = payload.get("errorMessage", "") if isinstance(payload, dict) else str(payload)
            outcome["error"] = str(message).encode("utf-8", errors="replace").decode()
            outcome["error_payload"] = {"errorMessage": outcome["error"]} if exchange else payload
            if self._delivered is None and failure is None:
                failure, reason = _error_type(payload), outcome["error"]
        if exchange:
            exchange.answer = answer
        outcome["log"] = self._write_log(request_id, asked, answered, failure, reason)
        return outcome

    def _write_log(self, request_id: str, asked, answered: float, failure: str | None, reason: str) -> str:
        """All lines of an invocation, to CloudWatch Logs and for the caller."""
        # Where the function never got its event, starting it is what it took.
        started, since = self._delivered or asked
        init_seconds = self._init_seconds if self._delivered else None
        self._peak_memory = platform_log.peak_memory(self._proc) or self._peak_memory
        report = platform_log.Report(
            request_id, started, answered - since, self._peak_memory, init_seconds, failure, reason
        )
        with self._log_guard:
            own, self._lines = self._lines, []
        lines = report.lines(self.config, own)
        platform_log.write(platform_log.group_of(self.config), self.config[LOG_STREAM], lines)
        return "".join(f"{line.text}\n" for line in lines)

    def _failed_start(self, failure: Exception) -> dict:
        """The function didn't reach its first event. The error it reported itself, else what AWS says for it."""
        reported = self._init_error
        if reported is None:
            error_type = getattr(failure, "error_type", "Runtime.ExitError")
            if isinstance(failure, lambda_runtime.ProvidedInitTimeout):
                error_type = "Sandbox.Timedout"
            reported = {"errorType": error_type}
        self._teardown()
        self._drain_stderr_bounded()
        return {"status": "error", "error_payload": reported, "cold_start": True}

    def _reason(self, error_type: str) -> str:
        """Lambda's words for what became of the process. Integration responses select on them."""
        if error_type == "Sandbox.Timedout":
            return f"Task timed out after {float(self.config.get('Timeout', 3)):.2f} seconds"
        if error_type == "Runtime.InvalidEntrypoint":
            return "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
        if self._exit_code in (None, 0):
            return "Runtime exited without providing a reason"
        if self._exit_code < 0:
            return f"Runtime exited with error: signal: {signal.strsignal(-self._exit_code).lower()}"
        return f"Runtime exited with error: exit status {self._exit_code}"

    def _spawn(self, init_timeout: float | None = None):
        version = self.config.get("Version", "$LATEST")
        self.config[LOG_STREAM] = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{version}]{uuid.uuid4().hex}"
        super()._spawn(init_timeout)

    def _await_init(self, init_timeout: float | None = None) -> None:
        started = time.monotonic()
        super()._await_init(init_timeout)
        self._init_seconds = time.monotonic() - started
        self._peak_memory = platform_log.peak_memory(self._proc)

    def _teardown(self):
        if self._proc is not None:
            self._exit_code = self._proc.poll()
            self._peak_memory = platform_log.peak_memory(self._proc) or self._peak_memory
        super()._teardown()

    # -- Logs: whatever the function wrote before it answered is in the pipe by then, so there is nothing to wait for.

    def _pump_output(self, stream, _log_queue) -> None:
        """Takes output from the pipe all the time, for a full pipe would stop the function."""
        with self._log_guard:
            self._log_pipe, self._log_tail = stream, b""
        try:
            while True:
                _wait_readable(stream)
                with self._log_guard:
                    if not self._read_log_pipe():
                        return
        except (OSError, ValueError):
            return
        finally:
            with self._log_guard:
                if self._log_pipe is stream:
                    self._log_pipe = None
                stream.close()

    def _read_log_pipe(self) -> bool:
        """Takes over what is in the pipe now; false at its end. The caller holds the guard."""
        while self._log_pipe is not None and _wait_readable(self._log_pipe, 0):
            chunk = os.read(self._log_pipe.fileno(), 65536)
            if not chunk:
                return False
            *lines, self._log_tail = (self._log_tail + chunk).split(b"\n")
            for line in lines:
                self._keep_log_line(line)
        return True

    def _keep_log_line(self, line: bytes) -> None:
        if len(self._lines) >= lambda_runtime._PROVIDED_LOG_MAX_LINES:
            del self._lines[0]
        self._lines.append(platform_log.Line(platform_log.now(), line.rstrip(b"\r").decode("utf-8", errors="replace")))

    def _drain_stderr_bounded(self, *_timing, **_named_timing) -> str:
        with self._log_guard:
            with contextlib.suppress(OSError, ValueError):
                self._read_log_pipe()
            if self._log_tail:
                self._keep_log_line(self._log_tail)
                self._log_tail = b""
        return ""  # for nobody: the lines are kept

    # -- The HTTP side.

    def _build_handler_class(self, generation: int, pending: queue.Queue):
        """The Runtime API of one generation of this environment; what `ProvidedWorker` builds, for exact texts."""
        worker = self

        class RuntimeApi(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # headers and body leave together, when the request is done
            disable_nagle_algorithm = True

            def do_GET(self):
                if "/runtime/invocation/next" not in self.path:
                    return self._answer(404)
                if not worker._mark_first_poll(generation):
                    return self._stopped()
                while not worker._stopping and generation == worker._generation:
                    with contextlib.suppress(queue.Empty):
                        return self._deliver(*pending.get(timeout=0.1))
                return self._stopped()

            def do_POST(self):
                body = self._body()
                try:
                    payload = parse_json(body)
                except InvalidJson:
                    payload = body.decode("utf-8", errors="replace")
                answered = time.monotonic()
                if "/runtime/init/error" in self.path:
                    worker._record_init_error(generation, (payload, body, answered))
                    return self._answer(202)
                result = _RESULT_PATH.search(self.path)
                if not result:
                    return self._answer(404)
                request_id, kind = result.groups()
                if worker._record_result(generation, request_id, kind, (payload, body, answered)):
                    return self._answer(202)
                return self._answer(400, b'{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}')

            def _deliver(self, request_id, event, deadline, trace_id, function_arn):
                headers = {
                    "Lambda-Runtime-Aws-Request-Id": request_id,
                    "Lambda-Runtime-Deadline-Ms": str(deadline),
                    "Lambda-Runtime-Invoked-Function-Arn": function_arn,
                }
                if trace_id:
                    headers["Lambda-Runtime-Trace-Id"] = trace_id
                text = event if isinstance(event, bytes) else json.dumps(event).encode()
                worker._delivered = _moment()
                self._answer(200, text, headers)

            def _stopped(self):
                self._answer(500, b'{"errorMessage":"execution environment stopped"}')

            def _answer(self, status: int, body: bytes = b"", headers: dict | None = None):
                self.send_response_only(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                if body:
                    self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _body(self) -> bytes:
                if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                chunks = []
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    chunks.append(self.rfile.read(size))
                    self.rfile.readline()
                while self.rfile.readline().strip():
                    pass  # trailers, such as the runtime's error report
                return b"".join(chunks)

            def log_message(self, *_):
                pass

        return RuntimeApi


def _error_type(payload: object) -> str:
    return str(payload.get("errorType")) if isinstance(payload, dict) else "Runtime.Unknown"


def _moment() -> tuple[int, float]:
    """Now: for the log, and to measure from."""
    return platform_log.now(), time.monotonic()


def _wait_readable(stream, milliseconds: int | None = None) -> bool:
    """Whether there is something to read, or the end, within the time. Not `select`, which ends at descriptor 1024."""
    poller = select.poll()
    poller.register(stream, select.POLLIN)
    return bool(poller.poll(milliseconds))


# ---- Lambda's Invoke --------------------------------------------------------------------------------------------

_payload: contextvars.ContextVar[tuple[object, bytes] | None] = contextvars.ContextVar("payload", default=None)
_handle_request = lambda_svc.handle_request
_invoke = lambda_svc._invoke
_emit_lambda_logs = lambda_svc._emit_lambda_logs
_provided_worker_env = lambda_svc._provided_worker_env


async def _handle_request_exactly(method, path, headers, body, query_params):
    """Keeps an Invoke's payload for `_invoke_exactly`, and refuses what isn't JSON as Lambda does."""
    if method != "POST" or not path.endswith("/invocations") or not body.strip():
        return await _handle_request(method, path, headers, body, query_params)
    try:
        event = parse_json(body)
    except InvalidJson as error:
        message = f"Could not parse request body into json: {error}"
        return error_response_json("InvalidRequestContentException", message, 400, extra={"Type": "User"})
    token = _payload.set((event, body))
    try:
        return await _handle_request(method, path, headers, b"", query_params)
    finally:
        _payload.reset(token)


async def _invoke_exactly(name, event, headers, path_qualifier=None, query_params=None):
    """Invoke, with the payload as it came and the answer as the function gave it."""
    if _payload.get() is None:
        return await _invoke(name, event, headers, path_qualifier, query_params)
    event, text = _payload.get()
    with exact(event, text) as exchange:
        status, answer_headers, body = await _invoke(name, event, headers, path_qualifier, query_params)
    return status, answer_headers, body if exchange.answer is None or status != 200 else exchange.answer


def _emit_unwritten_logs(*arguments, log_source=None):
    """Writes the log of other runtimes."""
    if log_source != LOG_STREAM:
        _emit_lambda_logs(*arguments, log_source=log_source)


def _function_environment(config: dict, code_dir: str, port: int) -> dict:
    """The function's environment variables: Lambda's and its own, and of the launcher's only what a process needs."""
    environment = _provided_worker_env(config, code_dir, port)
    own = (config.get("Environment") or {}).get("Variables") or {}
    for name in os.environ:
        if name not in own and name not in _SHARED_WITH_FUNCTIONS and not name.startswith("AWS_LAMBDA_"):
            environment.pop(name, None)
    environment["AWS_LAMBDA_INITIALIZATION_TYPE"] = "on-demand"
    environment["AWS_LAMBDA_LOG_GROUP_NAME"] = platform_log.group_of(config)
    environment["AWS_LAMBDA_LOG_STREAM_NAME"] = config.get(LOG_STREAM, "")
    return environment


def install() -> None:
    """Makes ministack use all of the above."""
    lambda_svc.handle_request = _handle_request_exactly
    lambda_svc._invoke = _invoke_exactly
    lambda_svc._emit_lambda_logs = _emit_unwritten_logs
    lambda_svc._provided_worker_env = _function_environment
