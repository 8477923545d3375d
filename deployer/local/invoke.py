"""Lambda's Invoke, and what a function finds in its environment."""

import base64
import contextvars
import os
import secrets

from ministack.core import lambda_runtime
from ministack.core.responses import error_response_json
from ministack.services import lambda_svc, sts

import platform_log
import texts
import workers

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

_keys: dict[tuple[str, str], tuple[str, str, str]] = {}  # by function and role: access key, secret, session token
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
        event = texts.parse_json(body)
    except texts.InvalidJson as error:
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
    with texts.exact(event, text) as exchange:
        status, answer_headers, body = await _invoke(name, event, headers, path_qualifier, query_params)
    return status, answer_headers, body if exchange.answer is None or status != 200 else exchange.answer


def _emit_unwritten_logs(*arguments, log_source=None):
    """Writes the log of other runtimes."""
    if log_source != workers.LOG_STREAM:
        _emit_lambda_logs(*arguments, log_source=log_source)


def execution_credentials(config: dict) -> dict[str, str]:
    """Credentials of the function's own, for its role; with AUTH=true they may do what the role may.

    Stock ministack gives it those of the root user, or makes them of the function's name, so that everybody could.
    """
    function, role = config["FunctionArn"], config.get("Role", "")
    if (function, role) not in _keys:
        key = "ASIA" + base64.b32encode(secrets.token_bytes(10)).decode()
        _keys[function, role] = key, secrets.token_urlsafe(30), secrets.token_urlsafe(48)
    key, secret, token = _keys[function, role]
    account, _region = lambda_runtime._account_region_from_function_config(config)
    role_name, session = role.rsplit("/", 1)[-1], config["FunctionName"][:64]
    # Each time, for a reset forgets all sessions.
    sts.register_session(
        key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role_name}/{session}",
            "UserId": f"{role_name}:{session}",
            "SecretAccessKey": secret,
            "SessionToken": token,
        },
    )
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}


def _function_environment(config: dict, code_dir: str, port: int) -> dict:
    """The function's environment variables: Lambda's and its own, and of the launcher's only what a process needs."""
    environment = _provided_worker_env(config, code_dir, port)
    own = (config.get("Environment") or {}).get("Variables") or {}
    for name in os.environ:
        if name not in own and name not in _SHARED_WITH_FUNCTIONS and not name.startswith("AWS_LAMBDA_"):
            environment.pop(name, None)
    # There are no such endpoints here, and SDKs refuse to ask for one at an address that is given.
    for name in ("AWS_USE_DUALSTACK_ENDPOINT", "AWS_USE_FIPS_ENDPOINT"):
        if name in environment:
            environment[name] = "false"
    environment["AWS_LAMBDA_INITIALIZATION_TYPE"] = "on-demand"
    environment["AWS_LAMBDA_LOG_GROUP_NAME"] = platform_log.group_of(config)
    environment["AWS_LAMBDA_LOG_STREAM_NAME"] = config.get(workers.LOG_STREAM, "")
    return environment


def install() -> None:
    """Makes ministack use all of the above."""
    lambda_svc.handle_request = _handle_request_exactly
    lambda_svc._invoke = _invoke_exactly
    lambda_svc._emit_lambda_logs = _emit_unwritten_logs
    lambda_svc._provided_worker_env = _function_environment
    lambda_svc.execution_credentials = lambda_runtime.execution_credentials = execution_credentials
