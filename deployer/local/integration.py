"""REST API integrations of type `AWS` (non-proxy) with Lambda, as API Gateway does them.

Stock ministack hands the function a proxy event, and answers every function error with 200. Here the event is the
request's body, or what the request template makes of it, byte for byte; the integration response is chosen by its
`selectionPattern`; and the function's resource policy is asked, for proxy integrations too.
"""

import asyncio
import json
import re

from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from ministack.core.responses import request_scope
from ministack.services import apigateway_v1 as gateway
from ministack.services import lambda_svc

import texts

_invoke_proxy = gateway._invoke_lambda_proxy_v1
_proxy_response = gateway._lambda_proxy_response

_JSON_HEADERS = {"Content-Type": "application/json"}

# A dot, or what a dot may stand in without being one: an escape, a class.
_DOT = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\.", re.DOTALL)
_NO_LINE_END = r"[^\n\r\x85\u2028\u2029]"


def _configuration_error():
    """500: the API is set up wrongly, and only its owner may know how."""
    return gateway._gw_error("API_CONFIGURATION_ERROR", "Internal server error")


async def invoke_non_proxy(
    integration,
    api_id,
    stage_name,
    stage,
    resource,
    request_path,
    method,
    headers,
    body,
    query_params,
    path_params,
    *,
    owner_account_id=None,
    owner_region=None,
    **_proxy_only,
):
    """Stands in for ministack's `_invoke_lambda_custom_v1`, whose signature this is."""
    function = gateway._extract_lambda_ref_from_integration_uri(integration.get("uri", ""))
    source = (owner_region, owner_account_id, api_id, stage_name, method)
    if integration.get("httpMethod") != "POST" or not _may_invoke(
        function, integration, source, resource, request_path
    ):
        return _configuration_error()

    template_context = {
        "apiId": api_id,
        "httpMethod": method,
        "requestId": gateway.new_uuid(),
        "resourcePath": resource["path"],
        "stage": stage_name,
    }
    parameters = {**headers, **{name: values[0] for name, values in query_params.items()}, **path_params}
    text = _request_text(integration, headers, body, parameters, template_context)
    if text is None:
        return gateway._gw_error("UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type")
    try:
        event = texts.parse_json(text)
    except texts.InvalidJson as error:
        return gateway._gw_error("BAD_REQUEST_BODY", f"Could not parse request body into json: {error}")

    with texts.exact(event, text) as exchange:
        call = gateway._call_lambda_raw(function, event, account_id=owner_account_id, region=owner_region)
        limit = (integration.get("timeoutInMillis") or 29000) / 1000
        try:
            # Shielded: on AWS, too, the function goes on when API Gateway has given up.
            result, missing = await asyncio.wait_for(asyncio.shield(asyncio.ensure_future(call)), limit)
        except asyncio.TimeoutError:
            return gateway._gw_error("INTEGRATION_TIMEOUT", "Endpoint request timed out")
    if missing or result.get("throttle"):
        return _configuration_error()

    failed = bool(result.get("error"))
    answer = exchange.answer if exchange.answer is not None else _spelled(result.get("body"))
    response = _integration_response(integration, _error_message(result) if failed else "")
    methods = resource["resourceMethods"]
    method_responses = (methods.get(method) or methods.get("ANY") or {}).get("methodResponses") or {}
    if response is None or response["statusCode"] not in method_responses:
        return _configuration_error()
    return int(response["statusCode"]), *_response(response, answer, parameters, template_context)


def _request_text(integration, headers, body, parameters, template_context) -> bytes | None:
    """The event's text: the body as it came, or the rendered template of its content type. None: not accepted."""
    content_type = gateway._header_ci(headers, "content-type") or "application/json"
    content_type = content_type.split(";", 1)[0].strip().lower()
    templates = {name.lower(): text for name, text in (integration.get("requestTemplates") or {}).items()}
    body = body or b""
    if content_type in templates:
        rendered = gateway._render_request_template_v1(
            templates[content_type] or "", body.decode("utf-8", errors="replace"), parameters, template_context
        )
        body = rendered.encode()
    elif {"NEVER": True, "WHEN_NO_TEMPLATES": bool(templates)}.get(integration.get("passthroughBehavior"), False):
        return None
    return body if body.strip() else b"{}"


def _error_message(result) -> str:
    payload = result.get("body")
    message = payload.get("errorMessage") if isinstance(payload, dict) else None
    return message if isinstance(message, str) else ""


def _integration_response(integration, message: str):
    """The response whose pattern matches the whole message (a success has the empty one), else the default one."""
    responses = list((integration.get("integrationResponses") or {}).values())
    for response in responses:
        pattern = response.get("selectionPattern")
        try:
            if pattern and java_pattern(pattern).fullmatch(message):
                return response
        except re.error:
            continue
    return next((response for response in responses if not response.get("selectionPattern")), None)


def java_pattern(pattern: str) -> re.Pattern:
    """A pattern that means what it means to Java: `.` matches no line end of any kind, and `\\d` ASCII only."""
    if "(?s" not in pattern:
        pattern = _DOT.sub(lambda match: _NO_LINE_END if match[0] == "." else match[0], pattern)
    return re.compile(pattern, re.ASCII)


def _response(response, answer: bytes, parameters, template_context):
    """Headers and body: mapped where the integration response says so, else the function's text."""
    headers = dict(_JSON_HEADERS)
    for target, source in (response.get("responseParameters") or {}).items():
        if (
            target.startswith("method.response.header.")
            and isinstance(source, str)
            and source[:1] == source[-1:] == "'"
        ):
            headers[target.removeprefix("method.response.header.")] = source[1:-1]
    template = (response.get("responseTemplates") or {}).get("application/json")
    if template:
        text = answer.decode("utf-8", errors="replace")
        answer = gateway._render_request_template_v1(template, text, parameters, template_context).encode()
    return headers, answer


def _spelled(payload) -> bytes:
    """The JSON text of an answer that came from a runtime whose own text isn't known."""
    if payload is None:
        return b"null"
    return bytes(payload) if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()


def _may_invoke(function, integration, source, resource, request_path) -> bool:
    """Whether the function exists and its resource policy lets this API call it from this method and path."""
    region, account, api_id, stage_name, method = source
    with request_scope(account, region):
        record, _config, _name = lambda_svc._get_base_func_record_for_ref(function)
    if record is None:
        return False
    if integration.get("credentials"):
        return True  # called with a role of the account; the resource policy isn't needed
    for path in (resource["path"], request_path):
        arn = f"arn:aws:execute-api:{region}:{account}:{api_id}/{stage_name}/{method}{path}"
        caller = EvalContext(
            principal_arn="*",
            principal_type="Service",
            principal_account="",
            action="lambda:InvokeFunction",
            resource_arn=function,
            region=region,
            service_context={"aws:sourcearn": arn, "aws:sourceaccount": account},
        )
        decision = evaluate_resource_policy(record.get("policy"), caller, service="apigateway.amazonaws.com")
        if decision.decision == "Allow":
            return True
    return False


async def _invoke_proxy_if_allowed(
    integration, api_id, stage_name, stage, resource, request_path, method, *request, **scope
):
    """A proxy integration, with the policy asked first, and 502 without the function's error text, as on AWS."""
    function = gateway._extract_lambda_ref_from_integration_uri(integration.get("uri", ""))
    source = (scope["owner_region"], scope["owner_account_id"], api_id, stage_name, method)
    if not _may_invoke(function, integration, source, resource, request_path):
        return _configuration_error()
    answer = await _invoke_proxy(
        integration, api_id, stage_name, stage, resource, request_path, method, *request, **scope
    )
    if isinstance(answer, tuple) and answer[0] == 502:
        return 502, dict(_JSON_HEADERS), b'{"message": "Internal server error"}'
    return answer


def _strict_proxy_response(result):
    """A proxy function's answer, if it is a response: an object whose body, if there is one, is text.

    <https://repost.aws/knowledge-center/malformed-502-api-gateway>. A function that Lambda turns away is a 500.
    """
    if result.get("throttle"):
        return {"statusCode": 500, "body": '{"message": "Internal server error"}'}, None
    if result.get("error"):
        return _proxy_response(result)
    answer = result.get("body")
    if not isinstance(answer, dict) or not isinstance(answer.get("body"), str | None):
        return None, "Malformed Lambda proxy response"
    return _proxy_response(result | {"body": answer | {"body": answer.get("body") or ""}})


def install() -> None:
    """Makes ministack use all of the above."""
    gateway._invoke_lambda_custom_v1 = invoke_non_proxy
    gateway._invoke_lambda_proxy_v1 = _invoke_proxy_if_allowed
    gateway._lambda_proxy_response = _strict_proxy_response
