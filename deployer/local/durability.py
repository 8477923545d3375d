"""State is saved soon after each change, not only when the process ends well.

Stock ministack writes its state when it is asked to stop: after a SIGKILL or a power cut, everything since the start
is gone.
"""

import asyncio
import copy
import json
import pickle
import threading
import time
import types

from ministack import app
from ministack.core import persistence
from ministack.services import dynamodb

_READS = ("Describe", "Get", "List", "Query", "Scan", "Filter", "BatchGet", "TransactGet")
_DELAY = 0.2  # s; many changes in a row are saved once
_SHARE = 0.1  # of the time at most, so that a large state doesn't slow down what is done with it

_changed: set[str] = set()
_saving: asyncio.Task | None = None
_files = threading.Lock()
_epoch = 0  # copies of the state that were made in an earlier one are out of date
_copy = copy.deepcopy
_save_all = app.save_all
_reset_all_state = app._reset_all_state


def _is_read(method: str, headers: dict, body: bytes) -> bool:
    target = headers.get("x-amz-target", "").rpartition(".")[2]
    if target:
        return target.startswith(_READS)
    if body.startswith(b"Action="):
        return body[len(b"Action=") :].decode("latin-1").startswith(_READS)
    return method in ("GET", "HEAD", "OPTIONS")


def _noting_changes(service: str, handler):
    async def handle(method, path, headers, body, query_params):
        answer = await handler(method, path, headers, body, query_params)
        if not _is_read(method, headers, body) and not path.endswith("/invocations"):
            _note(service)
        return answer

    return handle


def _note(service: str) -> None:
    """The service's state is to be saved shortly."""
    global _saving
    config = app.SERVICE_REGISTRY[service]
    _changed.update((config.get("state_key", config["module"]), *config.get("sub_modules", ())))
    if _saving is None or _saving.done():
        _saving = asyncio.get_running_loop().create_task(_save_soon())


async def _save_soon() -> None:
    await asyncio.sleep(_DELAY)
    while _changed:
        services, started = set(_changed), time.monotonic()
        _changed.clear()
        # The state is copied here, where nothing else changes it, and written by a thread.
        copies = {}
        for service, get_state in app._build_persistence_save_dict().items():
            if service in services and (state := get_state()) is not None:
                copies[service] = state
        await asyncio.to_thread(_write, copies, _epoch)
        await asyncio.sleep((time.monotonic() - started) / _SHARE)


def _write(copies: dict, epoch: int) -> None:
    for service, state in copies.items():
        with _files:
            if epoch != _epoch:
                return
            persistence.save_state(service, state)


def _outdating_copies(change):
    """What writes or removes all files itself, after which no older copy may be written."""

    def changed(*arguments):
        global _epoch
        with _files:
            _epoch += 1
            return change(*arguments)

    return changed


# ---- Pauses ------------------------------------------------------------------------------------------------------
# While a table of some thousand items is copied and spelled, requests wait. C does both several times faster than Python.


def copied(value):
    """What `copy.deepcopy` gives, for data."""
    return pickle.loads(pickle.dumps(value, pickle.HIGHEST_PROTOCOL)) if type(value) in (dict, list) else _copy(value)


def dump(value, file, **options) -> None:
    """What `json.dump` does, which spells piece by piece."""
    file.write(json.dumps(value, **options))


def _with(module, **replaced):
    """The module, but for some of its functions."""
    return types.SimpleNamespace(**{**vars(module), **replaced})


def install() -> None:
    """Makes ministack save changes, if it keeps state at all."""
    if not persistence.PERSIST_STATE:
        return
    dynamodb.copy = _with(copy, deepcopy=copied)
    persistence.json = _with(json, dump=dump)
    for service, handler in app.SERVICE_HANDLERS.items():
        app.SERVICE_HANDLERS[service] = _noting_changes(service, handler)
    app.save_all = _outdating_copies(_save_all)
    app._reset_all_state = _outdating_copies(_reset_all_state)
