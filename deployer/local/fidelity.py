"""Small differences from AWS that a deployer notices: in what it reads back, and in what should be refused."""

import json
import os

from ministack import app
from ministack.core import iam_evaluator, responses
from ministack.services import apigateway_v1 as gateway
from ministack.services import cloudwatch_logs, iam, lambda_svc, tagging

import patches

# How long functions are in a state between two others. Long enough to be seen, short enough to wait for.
_TRANSITION = float(os.environ.get("TRANSITION_SECONDS", "0.1"))

# ---- API Gateway ------------------------------------------------------------------------------------------------

# Maps whose keys and values are the user's: an empty string in them is a value.
_USER_MAPS = {"requestParameters", "requestTemplates", "responseParameters", "responseTemplates", "tags", "variables"}
_ABSENT_WHEN_EMPTY = _USER_MAPS | {
    "authorizationScopes",
    "binaryMediaTypes",
    "integrationResponses",
    "methodResponses",
    "requestModels",
    "resourceMethods",
    "responseModels",
}

_handle_request = None


def _tidy(record):
    """A REST API record as AWS writes it: without fields that aren't set, and without our own."""
    if isinstance(record, list):
        return [_tidy(item) for item in record]
    if not isinstance(record, dict):
        return record
    return {
        key: value if key in _USER_MAPS else _tidy(value)
        for key, value in record.items()
        if not (value is None or value == "" or key.startswith("_") or (key in _ABSENT_WHEN_EMPTY and not value))
        and (key, value) != ("connectionType", "INTERNET")
    }


def _rest_api_call(method: str, parts: list[str], body: bytes):
    """What ministack lacks or should refuse; else None."""
    match method, *parts:
        case "PATCH", "restapis", *_:
            return patches.update_response(parts, body)
        case "POST", "restapis" if json.loads(body or b"{}").get("description") == "":
            return gateway._v1_error("BadRequestException", "Description cannot be an empty string", 400)
        case "PUT", "restapis", api_id, "resources", resource_id, "methods", verb, *rest if len(rest) in (0, 2):
            resource = gateway._resources.get(api_id, {}).get(resource_id, {})
            known = resource.get("resourceMethods", {}).get(verb)
            if known and not rest:
                return gateway._v1_error("ConflictException", "Method already exists for this resource", 409)
            if known and rest[0] == "responses" and rest[1] in known["methodResponses"]:
                return gateway._v1_error("ConflictException", "Response already exists for this resource", 409)
    return None


async def rest_api(method, path, headers, body, query_params):
    """API Gateway's control plane, read back as AWS writes it: tidied, with the tags that TagResource set, and with
    methods only for `embed=methods`."""
    parts = path.strip("/").split("/")
    own = _rest_api_call(method, parts, body)
    status, answer_headers, answer = own or await _handle_request(method, path, headers, body, query_params)
    if status >= 300 or parts[0] != "restapis" or not answer:
        return status, answer_headers, answer
    answered = json.loads(answer)
    for record in answered.get("item", [answered]):
        if len(parts) <= 2:
            record["tags"] = gateway._v1_tags.get(gateway._rest_api_arn(record["id"]), {})
        elif parts[2] == "stages" and "stageName" in record:
            arn = f"{gateway._rest_api_arn(parts[1])}/stages/{record['stageName']}"
            record["tags"] = gateway._v1_tags.get(arn) or record.get("tags")
            record["cacheClusterStatus"] = "AVAILABLE" if record.get("cacheClusterEnabled") else "NOT_AVAILABLE"
        elif parts[2] == "resources" and len(parts) <= 4 and method == "GET":
            methods = record.get("resourceMethods") or {}
            embedded = "methods" in ",".join(query_params.get("embed", []))
            record["resourceMethods"] = methods if embedded else {verb: {} for verb in methods}
    return status, answer_headers, json.dumps(_tidy(answered), ensure_ascii=False).encode()


_find_api_scope = gateway.find_api_scope
_create_rest_api = gateway._create_rest_api
_delete_rest_api = gateway._delete_rest_api
_delete_resource = gateway._delete_resource
_delete_stage = gateway._delete_stage


def find_api_scope(api_id):
    """The account and region of an API. Stock ministack looks in the caller's account only, so that a client without
    credentials, which is anybody with the URL, reaches the APIs of one account only."""
    owners = ((account, region) for (account, region, found), _api in gateway._rest_apis.all_items() if found == api_id)
    return _find_api_scope(api_id) or next(owners, None)


def create_rest_api(data):
    """An edge-optimized API where nothing else is asked for."""
    endpoint = data.get("endpointConfiguration") or {}
    types = endpoint.get("types") or ["EDGE"]
    addresses = "dualstack" if types == ["PRIVATE"] else "ipv4"
    return _create_rest_api(
        {**data, "endpointConfiguration": {"ipAddressType": addresses, **endpoint, "types": types}}
    )


def delete_resource(api_id, resource_id):
    """Takes what is below it along."""
    answer = _delete_resource(api_id, resource_id)
    resources = gateway._resources.get(api_id, {})
    while orphans := [one for one in resources.values() if one["parentId"] and one["parentId"] not in resources]:
        for orphan in orphans:
            del resources[orphan["id"]]
    return answer


def delete_rest_api(api_id):
    """Forgets the tags of the API's stages, too."""
    answer = _delete_rest_api(api_id)
    if answer[0] < 300:
        for arn in [arn for arn in gateway._v1_tags if arn.startswith(f"{gateway._rest_api_arn(api_id)}/")]:
            del gateway._v1_tags[arn]
    return answer


def delete_stage(api_id, stage_name):
    """Forgets the stage's tags, too."""
    answer = _delete_stage(api_id, stage_name)
    if answer[0] < 300:
        gateway._v1_tags.pop(f"{gateway._rest_api_arn(api_id)}/stages/{stage_name}", None)
    return answer


# ---- Lambda -----------------------------------------------------------------------------------------------------

_create_function = lambda_svc._create_function
_update_code = lambda_svc._update_code
_update_config = lambda_svc._update_config
_get_policy = lambda_svc._get_policy
_load_functions = lambda_svc.load_persisted_state


def create_function(data):
    """Refuses a role that isn't there."""
    role = data.get("Role", "")
    if role.rpartition("/")[2] not in iam._roles:
        message = "The role defined for the function cannot be assumed by Lambda."
        return responses.error_response_json("InvalidParameterValueException", message, 400)
    return _pass_role_denial(role) or _create_function(data)


def update_config(name, data):
    """Refuses a role that the caller may not pass."""
    return (_pass_role_denial(data["Role"]) if data.get("Role") else None) or _update_config(name, data)


def _pass_role_denial(role: str):
    """With AUTH=true, an answer that denies iam:PassRole, which stock ministack never asks for; else None."""
    if not app.AUTH:
        return None
    denied = iam_evaluator.enforce(
        lambda_svc._request_access_key.get(),
        "iam:PassRole",
        "iam",
        responses.get_region(),
        resource_arn=role,
        service_context={"iam:passedtoservice": "lambda.amazonaws.com"},
    )
    if denied is None:
        return None
    message = (
        f"User: {getattr(denied, 'principal_arn', 'unknown')} is not authorized to perform: iam:PassRole on resource: "
        f"{role} because no identity-based policy allows the iam:PassRole action"
    )
    return responses.error_response_json("AccessDeniedException", message, 403)


def _updating(update):
    """An update of a function: refused while another is going on; the function stays Active meanwhile."""

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
            return responses.error_response_json("ResourceConflictException", message, 409)
        status, headers, body = update(name, data)
        if status < 300:
            active = {"State": "Active", "StateReason": "", "StateReasonCode": ""}
            config.update(active)
            body = json.dumps({**json.loads(body), **active}).encode()
        return status, headers, body

    return handle


def get_policy(function, *arguments):
    """A function that nobody was ever given a permission for has no policy, rather than an empty one."""
    record = lambda_svc._functions.get(function)
    if record and not record["policy"]["Statement"]:
        message = "The resource you requested does not exist."
        return responses.error_response_json("ResourceNotFoundException", message, 404)
    return _get_policy(function, *arguments)


def load_functions(data):
    """What was changing when the state was saved has changed by now; the thread that would say so is gone."""
    _load_functions(data)
    for function in lambda_svc._functions.all_values():
        function["config"].update(State="Active", StateReason="", StateReasonCode="", LastUpdateStatus="Successful")


# ---- Resource Groups Tagging API --------------------------------------------------------------------------------

_matches_type_filters = tagging._matches_type_filters


def collect_apigateway():
    """REST APIs and stages, which stock ministack never lists."""
    region = f":{responses.get_region()}:"
    for arn, tags in gateway._v1_tags.items():
        if region in arn and tags:
            yield arn, tagging._normalise_flat(tags)


def collect_logs():
    """Log groups, which stock ministack never lists."""
    for group in cloudwatch_logs._log_groups.values():
        yield group["arn"].removesuffix(":*"), tagging._normalise_flat(group.get("tags"))


def matches_type_filters(arn, type_filters):
    """The resource type of API Gateway's ARNs stands after a slash, and there may be slashes in a log group's name."""
    if ":log-group:" in arn:
        arn = arn.replace("/", "-")
    return _matches_type_filters(arn.replace("::/", "::"), type_filters)


def install() -> None:
    """Makes ministack use all of the above. After the other modules, whose answers it tidies."""
    global _handle_request
    _handle_request, gateway.handle_request = gateway.handle_request, rest_api
    gateway.find_api_scope = find_api_scope
    gateway._create_rest_api = create_rest_api
    gateway._delete_rest_api = delete_rest_api
    gateway._delete_resource = delete_resource
    gateway._delete_stage = delete_stage

    lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = _TRANSITION
    lambda_svc._create_function = create_function
    lambda_svc._update_code = _updating(_update_code)
    lambda_svc._update_config = _updating(update_config)
    lambda_svc._get_policy = get_policy
    lambda_svc.load_persisted_state = load_functions

    tagging._COLLECTORS["apigateway"] = collect_apigateway
    tagging._COLLECTORS["logs"] = collect_logs
    tagging._matches_type_filters = matches_type_filters
