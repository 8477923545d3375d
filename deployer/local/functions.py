"""Lambda's functions: states that take a moment, what is read back, what is refused. How they run: environments.py."""

import contextvars
import json
import os
import re
import threading
import time

from ministack.core import iam_evaluator, responses
from ministack.services import iam, kms, lambda_svc

import authentication
import authorization
import environments

# How long a function is in a state between two others. Long enough to be seen, short enough to wait for.
_TRANSITION = float(os.environ.get("TRANSITION_SECONDS", "0.1"))

# What Lambda makes no functions with any more.
_GIVEN_UP = re.compile(
    r"dotnet5\.0|dotnetcore\d\.\d|go1\.x|java8|nodejs(4\.3(-edge)?|6\.10|8\.10|1[024]\.x)?|provided|python(2\.7|3\.[67])|"
    r"ruby2\.[57]"
)

# The account's concurrent executions, and those of them that can't be reserved.
_CONCURRENT, _UNRESERVED = 1000, 100

# A function's resource policy: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
_POLICY_BYTES = 20_480

# What may be a permission's source, by Lambda's API model.
_SOURCE_ARN = (
    r"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)"
)
_SOURCE_ARN_LENGTH = 10_000

_RESERVED_VARIABLES = {
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}  # fmt: skip

_handle_request = None
_create_function = lambda_svc._create_function
_update_code = lambda_svc._update_code
_update_config = lambda_svc._update_config
_get_policy = lambda_svc._get_policy
_add_permission = lambda_svc._add_permission
_remove_permission = lambda_svc._remove_permission
_put_concurrency = lambda_svc._put_function_concurrency
_get_account_settings = lambda_svc._get_account_settings
_schedule_state_transition = lambda_svc._schedule_state_transition
_load_functions = lambda_svc.load_persisted_state


def _refusal(code: str, message: str, status: int = 400):
    return responses.error_response_json(code, message, status)


def _invalid(message: str):
    return _refusal("InvalidParameterValueException", message)


# ---- What is refused --------------------------------------------------------------------------------------------


def create_function(data):
    """Refuses what Lambda refuses."""
    role = data.get("Role") or ""
    refusal = _role_refusal(role) or _settings_refusal(data, role) or _key_refusal(data.get("KMSKeyArn"))
    return refusal or _create_function(data)


def update_config(name, data):
    """Refuses what Lambda refuses, and keeps the environment when no variables are told."""
    record = lambda_svc._functions.get(name)
    if record is None:
        return _update_config(name, data)
    if "Environment" in data and "Variables" not in data["Environment"]:
        data = {key: value for key, value in data.items() if key != "Environment"}
    refusal = _role_refusal(data["Role"]) if data.get("Role") else None
    if data.keys() & {"Environment", "KMSKeyArn"}:
        refusal = refusal or _key_refusal(data.get("KMSKeyArn", record["config"].get("KMSKeyArn")))
    role = data.get("Role") or record["config"]["Role"]
    return refusal or _settings_refusal(data, role) or _update_config(name, data)


def _settings_refusal(data: dict, role: str):
    """Why these settings can't be, with that role; else None."""
    runtime = data.get("Runtime") or ""
    if _GIVEN_UP.fullmatch(runtime):
        return _invalid(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
            "We recommend you use a supported runtime while creating or updating functions."
        )
    for field, least, most in (("MemorySize", 128, 10240), ("Timeout", 1, 1800)):
        value = data.get(field, least)
        if not least <= value <= most:
            place = field[0].lower() + field[1:]
            message = f"1 validation error detected: Value '{value}' at '{place}' failed to satisfy constraint: "
            return _refusal("ValidationException", f"{message}Member must have value between {least} and {most}")
    if (data.get("TracingConfig") or {}).get("Mode") == "Active" and not _may(role, "xray:PutTraceSegments"):
        return _invalid("The provided execution role does not have permissions to call PutTraceSegments on XRAY")
    return _environment_refusal((data.get("Environment") or {}).get("Variables") or {})


def _role_refusal(role: str):
    """Refuses a role that isn't there, doesn't trust Lambda, or that the caller may not pass."""
    record = iam._roles.get(role.rpartition("/")[2])
    if record is None or not _trusts_lambda(record["AssumeRolePolicyDocument"]):
        return _invalid("The role defined for the function cannot be assumed by Lambda.")
    return _pass_role_denial(role)


def _trusts_lambda(document: str) -> bool:
    def several(value):
        return value if isinstance(value, list) else [value]

    for statement in several(json.loads(document)["Statement"]):
        principal = statement.get("Principal")
        services = several(principal.get("Service")) if isinstance(principal, dict) else []
        actions = {action.lower() for action in several(statement.get("Action", []))}
        if statement.get("Effect") == "Allow" and "lambda.amazonaws.com" in services:
            if actions & {"sts:assumerole", "sts:*", "*"}:
                return True
    return False


def _may(role: str, action: str) -> bool:
    """Whether a role's policies and boundary allow an action that knows no resources."""
    name, account = role.rpartition("/")[2], responses.get_account_id()
    context = iam_evaluator.EvalContext(
        principal_arn=role,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn="*",
        region=responses.get_region(),
    )
    policies = iam_evaluator._gather_role_policies(name, account)
    limits = iam_evaluator._permissions_boundary(iam._roles, name, account)
    return iam_evaluator.evaluate(context, policies, *limits).decision == "Allow"


def _pass_role_denial(role: str):
    """With AUTH=true, an answer that denies iam:PassRole, which stock ministack never asks for; else None."""
    context = {"iam:passedtoservice": "lambda.amazonaws.com"}
    denial = authorization.denial(lambda_svc._request_access_key.get(), "iam:PassRole", "iam", role, context)
    return _refusal("AccessDeniedException", denial, 403) if denial else None


def _environment_refusal(variables: dict):
    text = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    cannot = (
        "Lambda was unable to configure your environment variables because the environment variables you have provided"
    )
    if len(text.encode()) > 4096:
        return _invalid(f"{cannot} exceeded the 4KB limit. String measured: {text}")
    reserved = sorted(_RESERVED_VARIABLES & set(variables))
    if reserved:
        return _invalid(
            f"{cannot} contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    return None


def _key_fault(arn: str) -> tuple[str, str] | None:
    """Why KMS can't use the key: its error's code and message; else None."""
    key = kms._resolve_key(arn)
    if key is None:
        return "NotFoundException", f"Key '{arn}' does not exist"
    refusal = kms._check_key_state(key)
    if refusal is None:
        return None
    refused = json.loads(refusal[2])
    return refused["__type"], refused["message"]


def _key_refusal(arn: str | None):
    """Refuses to encrypt environment variables with a key that can't be used."""
    fault = _key_fault(arn) if arn else None
    if fault is None:
        return None
    return _invalid(
        "Lambda was unable to configure access to your environment variables because the KMS key is invalid for "
        f"CreateGrant. Please check your KMS key settings. KMS Exception: {fault[0]} KMS Message: {fault[1]}"
    )


def update_code(name, data):
    """Refuses an update without code, whatever else it changes."""
    if name in lambda_svc._functions and not data.keys() & {"ZipFile", "S3Bucket", "ImageUri"}:
        return _invalid("Please provide a source for function code.")
    return _update_code(name, data)


def put_concurrency(name, data):
    """Refuses to reserve what the account must keep for the others."""
    others = (one["concurrency"] or 0 for key, one in lambda_svc._functions.items() if key != name)
    wanted = data.get("ReservedConcurrentExecutions", 0)
    if name in lambda_svc._functions and sum(others) + wanted > _CONCURRENT - _UNRESERVED:
        return _invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            f"below its minimum value of [{_UNRESERVED}]."
        )
    return _put_concurrency(name, data)


def get_account_settings():
    """The account's limits, whatever this machine has."""
    status, headers, body = _get_account_settings()
    settings = json.loads(body)
    reserved = sum(one["concurrency"] or 0 for one in lambda_svc._functions.values())
    settings["AccountLimit"] |= {
        "ConcurrentExecutions": _CONCURRENT,
        "UnreservedConcurrentExecutions": _CONCURRENT - reserved,
    }
    return status, headers, json.dumps(settings).encode()


# ---- Permissions ------------------------------------------------------------------------------------------------


def add_permission(function, data, *arguments):
    """Refuses an id or a source that isn't one, and a policy that gets too long."""
    statement, source = data.get("StatementId") or "", data.get("SourceArn")
    if not re.fullmatch(r"[\w-]{1,100}", statement, re.ASCII):
        return _constraint("statementId", statement, "satisfy regular expression pattern: ([a-zA-Z0-9-_]+)")
    if source and not re.fullmatch(_SOURCE_ARN, source, re.ASCII):
        return _constraint("sourceArn", source, f"satisfy regular expression pattern: {_SOURCE_ARN}")
    if source and len(source) > _SOURCE_ARN_LENGTH:
        return _constraint("sourceArn", source, f"have length less than or equal to {_SOURCE_ARN_LENGTH}")
    answer = _add_permission(function, data, *arguments)
    record = lambda_svc._functions.get(function)
    if answer[0] < 300 and record:
        size = len(json.dumps({**record["policy"], "Id": "default"}, separators=(",", ":")))
        if size > _POLICY_BYTES:
            record["policy"]["Statement"].pop()
            message = f"The final policy size ({size}) is bigger than the limit ({_POLICY_BYTES})."
            return _refusal("PolicyLengthExceededException", message)
    return answer


def _constraint(place: str, value: str, constraint: str):
    message = f"1 validation error detected: Value '{value}' at '{place}' failed to satisfy constraint: Member must "
    return _refusal("ValidationException", message + constraint)


def remove_permission(function, statement, *arguments):
    """Tells a policy without the statement from no policy."""
    answer = _remove_permission(function, statement, *arguments)
    record = lambda_svc._functions.get(function)
    if answer[0] == 404 and record and record["policy"]["Statement"]:
        message = f"Statement {statement} is not found in resource policy."
        return _refusal("ResourceNotFoundException", message, 404)
    return answer


def get_policy(function, *arguments):
    """A function that nobody was ever given a permission for has no policy, rather than an empty one."""
    record = lambda_svc._functions.get(function)
    if not record or not record["policy"]["Statement"]:
        return _refusal("ResourceNotFoundException", "The resource you requested does not exist.", 404)
    return _get_policy(function, *arguments)


# ---- States -----------------------------------------------------------------------------------------------------


def _updating(update):
    """An update of a function: refused while another is going on; the function stays Active, and what it was, meanwhile."""

    def handle(name, data):
        function = lambda_svc._functions.get(name)
        if function is None:
            return update(name, data)
        config = function["config"]
        if config.get("State") == "Pending" or config.get("LastUpdateStatus") == "InProgress":
            message = (
                "The operation cannot be performed at this time. An update is in progress for resource: "
                f"{config['FunctionArn']}"
            )
            return _refusal("ResourceConflictException", message, 409)
        environments.hold(name)
        begun = False
        try:
            status, headers, body = update(name, data)
            begun = status < 300
        finally:
            if not begun:
                environments.switch(name)
        if begun:
            active = {
                "State": "Active",
                "StateReason": "",
                "StateReasonCode": "",
                "LastUpdateStatusReason": "The function is being created.",
                "LastUpdateStatusReasonCode": "Creating",
            }
            config.update(active)
            body = json.dumps({**json.loads(body), **active}).encode()
        return status, headers, body

    return handle


def settle_later(name, delay):
    """Says after a moment that the function is as it was asked to be, which only then counts."""

    def settle():
        time.sleep(delay)
        environments.switch(name)
        _schedule_state_transition(name, 0)

    threading.Thread(target=contextvars.copy_context().run, args=(settle,), daemon=True).start()


def load_functions(data):
    """What was changing when the state was saved has changed by now; the thread that would say so is gone."""
    _load_functions(data)
    for function in lambda_svc._functions.all_values():
        function["config"].update(
            State="Active",
            StateReason="",
            StateReasonCode="",
            LastUpdateStatus="Successful",
            LastUpdateStatusReason="",
            LastUpdateStatusReasonCode="",
        )


# ---- What is read back ------------------------------------------------------------------------------------------


def _tidy(config: dict, created: bool = False) -> dict:
    """A function's configuration as Lambda writes it: without what isn't set, and variables only with a key for them."""
    fault = _key_fault(config["KMSKeyArn"]) if config.get("KMSKeyArn") and config.get("Environment") else None
    if fault:
        message = (
            "Lambda was unable to decrypt your environment variables because the KMS access was denied. "
            f"Please check your KMS permissions. KMS Exception: {fault[0]} KMS Message: {fault[1]}"
        )
        config = {**config, "Environment": {"Error": {"ErrorCode": fault[0], "Message": message}}}
    unset = {key for key, value in config.items() if value in ("", [], None) and key != "Description"}
    if not (config.get("VpcConfig") or {}).get("SubnetIds"):
        unset.add("VpcConfig")
    if not (config.get("RuntimeVersionConfig") or {}).get("RuntimeVersionArn"):
        unset.add("RuntimeVersionConfig")
    if created:
        unset.add("LastUpdateStatus")
    return {key: value for key, value in config.items() if key not in unset}


def _with_visible_tags(function: dict) -> dict:
    """GetFunction's answer: its tags, if it has any, are for those who may list them."""
    arn, tags = function["Configuration"]["FunctionArn"], function.pop("Tags", None)
    if not tags:
        return function
    denial = authorization.denial(lambda_svc._request_access_key.get(), "lambda:ListTags", "lambda", arn)
    if denial:
        return {**function, "TagsError": {"ErrorCode": "AccessDeniedException", "Message": denial}}
    return {**function, "Tags": tags}


async def handle_request(method, path, headers, body, query_params):
    """Lambda's calls, tidied."""
    status, answer_headers, answer = await _handle_request(method, path, headers, body, query_params)
    if status >= 300 or not re.match(r"/2015-03-31/functions(/|$)", path) or "/invocations" in path:
        return status, answer_headers, answer
    told = json.loads(answer) if isinstance(answer, bytes) and answer[:1] == b"{" else {}
    if "FunctionArn" in told and "Runtime" in told:
        told = _tidy(told, created=status == 201)
    elif "Configuration" in told:
        told = _with_visible_tags({**told, "Configuration": _tidy(told["Configuration"])})
    elif "Functions" in told:
        told = {**told, "Functions": [_tidy(one) for one in told["Functions"]]}
    else:
        return status, answer_headers, answer
    return status, answer_headers, json.dumps(told, ensure_ascii=False).encode()


def code_url(name: str) -> str:
    """Where the code can be had for ten minutes, by who was told."""
    account, region = responses.get_account_id(), responses.get_region()
    path = f"/_ministack/lambda-code/{account}/{region}/{name}"
    return authentication.presigned(os.environ["AWS_ENDPOINT_URL"] + path, account, region, 600)


def install() -> None:
    """Makes ministack use all of the above. After `invoke`, whose invocations it lets pass."""
    global _handle_request
    _handle_request, lambda_svc.handle_request = lambda_svc.handle_request, handle_request
    lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = _TRANSITION
    lambda_svc._presigned_code_url = code_url
    lambda_svc._create_function = create_function
    lambda_svc._schedule_state_transition = settle_later
    lambda_svc._update_code = _updating(update_code)
    lambda_svc._update_config = _updating(update_config)
    lambda_svc._put_function_concurrency = put_concurrency
    lambda_svc._get_account_settings = get_account_settings
    lambda_svc._add_permission = add_permission
    lambda_svc._remove_permission = remove_permission
    lambda_svc._get_policy = get_policy
    lambda_svc.load_persisted_state = load_functions
