"""State is saved soon after each change, not only when the process ends well.

Stock ministack writes its state when it is asked to stop: after a SIGKILL or a power cut, everything since the start
is gone.
"""

import asyncio
import logging
import time

from ministack import app
from ministack.core import persistence

_READS = ("Describe", "Get", "List", "Query", "Scan", "Filter", "BatchGet", "TransactGet")
_DELAY = 0.2  # s; many changes in a row are saved once
_SHARE = 0.1  # of the time at most, so that a large state doesn't slow down what is done with it

_changed: set[str] = set()
_saving: asyncio.Task | None = None


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
            changed(service)
        return answer

    return handle


def changed(service: str) -> None:
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
        await asyncio.to_thread(_write, copies)
        await asyncio.sleep((time.monotonic() - started) / _SHARE)


def _write(copies: dict) -> None:
    for service, state in copies.items():
        persistence.save_state(service, state)


def install() -> None:
    """Makes ministack save changes, if it keeps state at all."""
    if not persistence.PERSIST_STATE:
        return
    logging.getLogger("persistence").setLevel(logging.WARNING)  # else four lines a change
    for service, handler in app.SERVICE_HANDLERS.items():
        app.SERVICE_HANDLERS[service] = _noting_changes(service, handler)
