"""Execution environments of functions, which are processes here: one for each invocation at a time, and what a change does to them.

Stock ministack ends a function's processes the moment its code or configuration is changed, in the middle of an answer,
too; and an invocation that had read the function before the change starts the old code again, for all that follow.
On Lambda, invocations go on with what was there until the update is successful. Those that run then are answered by the
environment that they run in, which ends afterwards; later ones get a new one.
"""

import os
import threading
import time
import typing

from ministack.core import lambda_runtime
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc

import workers

_IDLE_SECONDS = float(os.environ.get("LAMBDA_WARM_TTL_SECONDS", "300"))


class Key(typing.NamedTuple):
    """What an environment was made of. The revision changes with each update, so nothing old is ever taken for new."""

    account: str
    region: str
    function: str
    version: str
    revision: str


# The guard of all that follows. Nothing that waits is done while it is held.
_guard = threading.Lock()
_idle: dict[Key, list[lambda_runtime.Worker]] = {}
_busy: dict[lambda_runtime.Worker, Key] = {}
_ending: set[lambda_runtime.Worker] = set()  # of the busy ones
_before: dict[tuple[str, str, str], dict] = {}  # functions that are being updated, as they were

_invalidate_worker = lambda_svc.invalidate_worker
_reap_idle_workers = lambda_svc.reap_idle_workers
_reset = lambda_runtime.reset


def _scope(name: str) -> tuple[str, str, str]:
    return get_account_id(), get_region(), name


# ---- Invocations ------------------------------------------------------------------------------------------------


def execute(function: dict, event, request_id: str) -> dict:
    """Stands in for ministack's two executors of functions that run as processes of this machine."""
    lambda_svc._ensure_reaper_thread()
    worker = _take(function)
    about = {
        "trace_id": lambda_svc._xray_trace_id_for_invocation(function["config"]),
        "invoked_function_arn": function["config"]["FunctionArn"],
    }
    if isinstance(worker, workers.ExactWorker):
        answer = {"log_source": workers.LOG_STREAM}  # written already
    else:
        about |= {"depth": lambda_svc._invoke_depth.get(), "durable": lambda_svc._durable_env_overlay()}
        answer = {}
    try:
        outcome = worker.invoke(event, request_id, **about)
    except Exception as error:
        lambda_svc.logger.exception("An invocation of %s failed", function["config"]["FunctionName"])
        outcome = {"status": "error", "error": str(error)}
    finally:
        _give_back(worker)
    log = outcome.get("log", ""), outcome.get("trace")
    answer["log"] = "\n".join(filter(None, log))
    if outcome["status"] == "ok":
        return {**answer, "body": outcome.get("result")}
    payload = outcome.get("error_payload")
    if not isinstance(payload, dict):
        timed_out = outcome["error"].startswith("Task timed out after")
        error_type = "Sandbox.Timedout" if timed_out else "Runtime.HandlerError"
        payload = {"errorMessage": outcome["error"], "errorType": error_type}
    return {**answer, "body": payload, "error": True}


def _take(function: dict) -> lambda_runtime.Worker:
    """The environment that was used last of those that are free, else a new one."""
    with _guard:
        config, code = _as_it_stands(function)
        key = Key(*_scope(config["FunctionName"]), config.get("Version", "$LATEST"), config["RevisionId"])
        idle = _idle.get(key)
        worker = idle.pop() if idle else lambda_runtime._worker_class_for(config)(key.function, dict(config), code)
        _busy[worker] = key
        return worker


def _as_it_stands(function: dict) -> tuple[dict, bytes]:
    """What is to run: not what was read when the request came, but what is in effect now."""
    name = function["config"]["FunctionName"]
    if function["config"].get("Version", "$LATEST") == "$LATEST":
        function = _before.get(_scope(name)) or lambda_svc._functions.get(name) or function
    return function["config"], function["code_zip"]


def _give_back(worker: lambda_runtime.Worker) -> None:
    worker.last_used = time.time()
    with _guard:
        key = _busy.pop(worker)
        if worker not in _ending:
            _idle.setdefault(key, []).append(worker)
            return
        _ending.remove(worker)
    # Not in the way of the answer; and the program waits for the thread, so that no process is left.
    threading.Thread(target=lambda_runtime.kill_workers, args=([worker],)).start()


# ---- Changes ----------------------------------------------------------------------------------------------------


def hold(name: str) -> None:
    """Invocations go on with the function as it is now, whatever is changed, until `switch`."""
    function = lambda_svc._functions[name]
    with _guard:
        _before[_scope(name)] = {"config": dict(function["config"]), "code_zip": function.get("code_zip")}


def switch(name: str) -> None:
    """From here on invocations see the function as it is. Environments of what it was before end with their answer."""
    function = lambda_svc._functions.get(name)
    current = function and function["config"]["RevisionId"]
    scope = _scope(name)
    _end(
        lambda key: key[:3] == scope and key.version == "$LATEST" and key.revision != current,
        first=lambda: _before.pop(scope, None),
    )


def invalidate(name: str, qualifier: str | None = None, account: str | None = None, region: str | None = None) -> None:
    """The function or a version of it was deleted. Said of an update, too, which has its time with `switch`."""
    _invalidate_worker(name, qualifier, account, region)
    if qualifier == "$LATEST":
        return

    def gone(key: Key) -> bool:
        wanted = (account, region, name, qualifier)
        return all(one is None or one == found for one, found in zip(wanted, key))

    _end(gone)


def _end(which, first=lambda: None) -> None:
    """Ends environments: those that are free now, the others when they have answered."""
    with _guard:
        first()
        ended = [worker for key in [*filter(which, _idle)] for worker in _idle.pop(key)]
        _ending.update(worker for worker, key in _busy.items() if which(key))
    lambda_runtime.kill_workers(ended)


def end_unused(ttl: float = _IDLE_SECONDS) -> int:
    """Ends what hasn't been used for so many seconds, as Lambda does after some minutes; how many."""
    unused, since = [], time.time() - ttl
    with _guard:
        for key, idle in [*_idle.items()]:
            unused += [worker for worker in idle if worker.last_used < since]
            _idle[key] = [worker for worker in idle if worker.last_used >= since]
            if not _idle[key]:
                del _idle[key]
    lambda_runtime.kill_workers(unused)
    return len(unused) + _reap_idle_workers(ttl)


def reset() -> None:
    """Ends everything, whatever it is doing."""
    _reset()
    with _guard:
        everything = [*_busy, *(worker for idle in _idle.values() for worker in idle)]
        _ending.update(_busy)
        _idle.clear()
        _before.clear()
    lambda_runtime.kill_workers(everything)


def install() -> None:
    """Makes ministack use all of the above."""
    lambda_runtime.ProvidedWorker = workers.ExactWorker
    lambda_svc._execute_function_provided_warm = execute
    lambda_svc._execute_function_warm = execute
    lambda_svc.invalidate_worker = invalidate
    lambda_svc.reap_idle_workers = end_unused
    lambda_runtime.reset = reset
