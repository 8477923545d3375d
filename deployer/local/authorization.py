"""With AUTH=true: what ministack's check of policies leaves out.

Stock ministack doesn't know what some calls are about, and so asks for a permission for everything; what a call needs
besides its own action (to pass a role, to tag what it creates) it doesn't ask for at all.
"""

import uuid
from urllib.parse import parse_qs

from ministack import app
from ministack.core import iam_actions, iam_evaluator, responses, router
from ministack.services import apigateway_v1 as gateway
from ministack.services import iam

# What can create with tags -> the permission that the tags need.
_TAGGING = {
    "application-autoscaling:RegisterScalableTarget": "application-autoscaling:TagResource",
    "dynamodb:CreateTable": "dynamodb:TagResource",
    "iam:CreatePolicy": "iam:TagPolicy",
    "iam:CreateRole": "iam:TagRole",
    "lambda:CreateFunction": "lambda:TagResource",
    "logs:CreateLogGroup": "logs:TagResource",
}
_SERVICES = {action.partition(":")[0] for action in _TAGGING}

_extract_resource_arn = iam_actions.extract_resource_arn


def denied(access_key: str, action: str, service: str, arn: str, context: dict | None = None):
    """With AUTH=true, ministack's record of a denial; None when the caller may."""
    if not app.AUTH:
        return None
    return iam_evaluator.enforce(
        access_key, action, service, responses.get_region(), resource_arn=arn, service_context=context
    )


def denial(access_key: str, action: str, service: str, arn: str, context: dict | None = None) -> str | None:
    """With AUTH=true, why the caller may not do this; None when the caller may."""
    found = denied(access_key, action, service, arn, context)
    if found is None:
        return None
    return (
        f"User: {getattr(found, 'principal_arn', 'unknown')} is not authorized to perform: {action} on resource: "
        f"{arn} because no identity-based policy allows the {action} action"
    )


# ---- What a call is about ---------------------------------------------------------------------------------------


def extract_resource_arn(service, method, path, headers, body, query_params, region, account_id):
    """The ARN of the call's resource, or `*`."""
    if service == "iam":
        return _iam_arn(query_params, account_id) or _extract_resource_arn(
            service, method, path, headers, body, query_params, region, account_id
        )
    found = _extract_resource_arn(service, method, path, headers, body, query_params, region, account_id)
    if found != "*":
        return found
    if service == "dynamodb":
        return _field(body, "ResourceArn") or found
    name = _field(body, "FunctionName")
    if service == "lambda" and method == "POST" and name:
        return name if name.startswith("arn:") else f"arn:aws:lambda:{region}:{account_id}:function:{name}"
    return found


def _iam_arn(parameters: dict, account_id: str) -> str | None:
    """Roles and policies by name, with their path."""
    values = {name: iam._p(parameters, name) for name in ("Action", "RoleName", "PolicyName", "Path")}
    role = iam._roles.get(values["RoleName"])
    if role:
        return role["Arn"]
    path = values["Path"] or "/"
    if values["Action"] == "CreateRole":
        return f"arn:aws:iam::{account_id}:role{path}{values['RoleName']}"
    if values["Action"] == "CreatePolicy":
        return f"arn:aws:iam::{account_id}:policy{path}{values['PolicyName']}"
    return None


def _field(body: bytes, name: str) -> str:
    return iam_actions._safe_json_field(body, name)


# ---- Tags of what is created ------------------------------------------------------------------------------------


def _asking_for_tags(service: str, handler):
    """A service's calls, those that create with tags only for who may tag."""

    async def handle(method, path, headers, body, query_params):
        return _tagging_denial(service, method, path, headers, body, query_params) or await handler(
            method, path, headers, body, query_params
        )

    return handle


def _tagging_denial(service, method, path, headers, body, query_params):
    parameters = dict(query_params)
    if service == "iam":
        parameters |= parse_qs(body.decode(errors="replace"), keep_blank_values=True)
    call = service, method, path, headers, body, parameters
    creating = iam_actions.extract_iam_action(*call)
    tagging = _TAGGING.get(creating)
    tags = iam_actions.request_tag_context(service, creating, body, parameters) if tagging else None
    if not tags:
        return None
    region, account = responses.get_region(), responses.get_account_id()
    arn = extract_resource_arn(*call, region, account)
    key = router.extract_access_key_id(headers, query_params)
    return _denial_answer(denied(key, tagging, service, arn, tags), service, tagging, headers, arn)


def _denial_answer(found, service, action, headers, arn):
    """The answer that says so; None when nothing was denied."""
    if found is None:
        return None
    principal = getattr(found, "principal_arn", "unknown")
    explicit = getattr(found, "decision", "") == "Deny"
    return iam_actions.access_denied_response(
        service, action, principal, str(uuid.uuid4()), headers=headers, resource_arn=arn, explicit_deny=explicit
    )


# ---- Resource policies of REST APIs -----------------------------------------------------------------------------


def _asking_for_policies(handler):
    """API Gateway's calls, those that change an API's resource policy only for who may do that."""

    async def handle(method, path, headers, body, query_params):
        return _policy_denial(method, path, headers, body, query_params) or await handler(
            method, path, headers, body, query_params
        )

    return handle


def _policy_denial(method, path, headers, body, query_params):
    top, _, api_id = path.strip("/").partition("/")
    api = gateway._rest_apis.get(api_id) if top == "restapis" and method in ("PUT", "PATCH") else None
    if api is None:
        return None
    # An import without a policy takes away the one that there is.
    changes = b'"x-amazon-apigateway-policy"' in body or (method == "PUT" and api.get("policy"))
    if not changes and not (method == "PATCH" and b'"/policy"' in body):
        return None
    action, arn = "apigateway:UpdateRestApiPolicy", gateway._rest_api_arn(api_id)
    key = router.extract_access_key_id(headers, query_params)
    return _denial_answer(denied(key, action, "apigateway", arn), "apigateway", action, headers, arn)


def install() -> None:
    """Makes ministack use all of the above, if it checks policies at all. After all services are there."""
    if not app.AUTH:
        return
    iam_actions.extract_resource_arn = extract_resource_arn
    for service in _SERVICES:
        app.SERVICE_HANDLERS[service] = _asking_for_tags(service, app.SERVICE_HANDLERS[service])
    app.SERVICE_HANDLERS["apigateway"] = _asking_for_policies(app.SERVICE_HANDLERS["apigateway"])
