"""The local AWS: ministack on a loopback port, with what a deployer needs put right.

Started as `python local_aws.py`, and set up by environment variables only:

    STATE_DIR            an absolute path: the folder of all that it writes, closed to other users (`state_folder.py`)
    GATEWAY_PORT         port to listen on, 4566 when not given; 0 takes a free one
    PERSIST_STATE=1      keep in STATE_DIR/data what it holds
    AUTH=true            check policies; signatures are checked in any case
    TRANSITION_SECONDS   how long tables and functions take to become ACTIVE, 0.1 when not given

It answers only to the credentials in STATE_DIR/credentials, which it makes (`authentication.py`).

One line on stdout, `ready http://127.0.0.1:PORT`, says that the self-test has passed; STATE_DIR/running says it, too. SIGTERM
ends it. Exit status 1: failed, 2: wrong setup, 3: the port is in use, 4: the state is in use. The last line on stderr says
why.
"""

import asyncio
import errno
import importlib.metadata
import logging
import os
import socket
import sys
import tempfile

import state_folder

MINISTACK_VERSION = "1.5.33"
HOST = "127.0.0.1"


class Refused(Exception):
    """It can't start; `status` is the exit status."""

    def __init__(self, message: str, status: int):
        super().__init__(message)
        self.status = status


def check_version() -> None:
    """Private functions are replaced, so that only the version this was written for will do."""
    try:
        found = importlib.metadata.version("ministack")
    except importlib.metadata.PackageNotFoundError:
        found = "none"
    if found != MINISTACK_VERSION:
        raise Refused(f"needs ministack {MINISTACK_VERSION}, found {found}: install requirements.txt again", 2)


def listen() -> socket.socket:
    """The listening socket, taken before anything else, so that a port in use is known at once and for certain."""
    wanted = os.environ.get("GATEWAY_PORT") or "4566"
    if not wanted.isdecimal() or int(wanted) > 65535:
        raise Refused(f"GATEWAY_PORT must be a port number, not '{wanted}'", 2)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, int(wanted)))
        listener.listen(100)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Refused(f"port {wanted} is in use", 3) from None
        raise Refused(f"can't listen on port {wanted}: {error.strerror}", 2) from None
    return listener


def claim_state() -> state_folder.StateFolder:
    """The folder for all files, for this process alone."""
    path = os.environ.get("STATE_DIR", "")
    if not os.path.isabs(path):
        raise Refused("STATE_DIR must be an absolute path", 2)
    os.umask(0o077)
    try:
        folder = state_folder.StateFolder(path)
        folder.claim()
    except state_folder.InUse as reason:
        raise Refused(str(reason), 4) from None
    except (state_folder.NotPrivate, OSError) as reason:
        raise Refused(f"can't use {path}: {reason}", 2) from None
    return folder


def set_up_environment(port: int, folder: state_folder.StateFolder) -> None:
    """What ministack and the functions read from the environment, most of it when ministack is imported."""
    os.environ.update(
        GATEWAY_PORT=str(port),
        BIND_HOST=HOST,
        AWS_ENDPOINT_URL=f"http://{HOST}:{port}",
        IOT_MTLS_ENABLED="0",  # would listen on all interfaces
        SFTP_ENABLED="0",
        STATE_DIR=str(folder.data),
        TMPDIR=str(folder.temporary),
    )
    tempfile.tempdir = None  # should anything have asked for it before
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    transition = os.environ.get("TRANSITION_SECONDS", "0")
    if not transition.replace(".", "", 1).isdecimal():
        raise Refused(f"TRANSITION_SECONDS must be a number, not '{transition}'", 2)


def repair(folder: state_folder.StateFolder) -> None:
    """Replaces in ministack what differs from AWS; each module says what and why."""
    import authentication

    authentication.install(folder.secret(), str(folder.path / "credentials"))  # before ministack's services are imported

    import authorization
    import autoscaling
    import connections
    import definition
    import deployments
    import durability
    import environments
    import fidelity
    import functions
    import integration
    import invoke
    import logs
    import patches
    import roles
    import tables
    import throttling

    gateway_parts = integration, definition, patches, deployments, throttling
    service_parts = autoscaling, roles, tables, functions, logs, fidelity
    for part in (connections, invoke, environments, *gateway_parts, *service_parts, authorization, durability):
        part.install()


async def serve(listener: socket.socket, folder: state_folder.StateFolder) -> None:
    """Serves until SIGTERM or SIGINT, or until the self-test fails."""
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config
    from ministack import app
    from ministack.core import lambda_runtime

    import authentication
    import self_test

    port = listener.getsockname()[1]
    stop = _stop_event()
    failure: list[str] = []

    async def become_ready() -> None:
        """Takes the place of ministack's ready scripts, which run when it listens."""
        try:
            await self_test.run(port)
        except Exception as error:
            reason = str(error) if isinstance(error, self_test.Failed) else repr(error)
            failure.append(f"self-test of ministack {MINISTACK_VERSION} failed: {reason}")
            stop.set()
            return
        app._ready_scripts_state.update(status="completed")
        folder.record(port, ready=True)
        print(f"ready http://{HOST}:{port}", flush=True)

    app._run_ready_scripts = become_ready
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.keep_alive_max_requests = sys.maxsize  # else a connection in use is cut off after 1,000
    config.graceful_timeout = 1
    config.loglevel = os.environ["LOG_LEVEL"]
    try:
        await hypercorn_serve(authentication.guarded(app.app), config, shutdown_trigger=stop.wait)
    finally:
        lambda_runtime.reset()  # ends the functions
        folder.empty_temporary()
    if failure:
        raise Refused(failure[0], 1)


def _stop_event() -> asyncio.Event:
    import signal

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def main() -> int:
    """Runs the local AWS; the exit status."""
    try:
        check_version()
        folder = claim_state()
        listener = listen()
        port = listener.getsockname()[1]
        folder.record(port, ready=False)
        set_up_environment(port, folder)
        repair(folder)
        asyncio.run(serve(listener, folder))
    except Refused as reason:
        print(f"local AWS: {reason}", file=sys.stderr, flush=True)
        return reason.status
    finally:
        logging.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
