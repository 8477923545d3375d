"""Small differences from AWS that a deployer notices: in what it reads back, and in what should be refused."""

import json

from ministack.core import responses
from ministack.core.arn import execute_api_arn
from ministack.services import apigateway_v1 as gateway
from ministack.services import cloudwatch_logs, iam, tagging

import definition
import patches

# ---- API Gateway ------------------------------------------------------------------------------------------------

# Maps whose keys and values are the user's: an empty string in them is a value.
_USER_MAPS = {"requestParameters", "requestTemplates", "responseParameters", "responseTemplates", "tags", "variables"}
_ABSENT_WHEN_EMPTY = _USER_MAPS | {
    "accessLogSettings",
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
        case "POST", "restapis", api_id, "resources", _ if (
            len(gateway._resources.get(api_id, {})) >= definition.RESOURCES
        ):
            return gateway._v1_error("LimitExceededException", definition.TOO_MANY_RESOURCES, 429)
        case "POST", "restapis" if json.loads(body or b"{}").get("description") == "":
            return gateway._v1_error("BadRequestException", "Description cannot be an empty string", 400)
        case "DELETE", "restapis", *_:
            return patches.absence(parts)
        case "PUT", "restapis", _, "resources", _, "methods", _, "integration":
            fault = definition.integration_fault(json.loads(body or b"{}"))
            return gateway._v1_error("BadRequestException", fault, 400) if fault else None
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
    if parts[2:] == ["stages"] and "deploymentId" in query_params:
        wanted = query_params["deploymentId"]
        answered["item"] = [stage for stage in answered["item"] if stage["deploymentId"] in wanted]
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
_authorize_request = gateway._authorize_request_v1
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
    answer = _create_rest_api(
        {**data, "endpointConfiguration": {"ipAddressType": addresses, **endpoint, "types": types}}
    )
    if answer[0] == 201:
        api = gateway._rest_apis[json.loads(answer[2])["id"]]
        # Stock ministack doesn't know which versions of TLS an API takes.
        api["securityPolicy"] = data.get("securityPolicy") or "TLS_1_0"
        api["endpointAccessMode"] = data.get("endpointAccessMode")
        return gateway._v1_response(gateway._rest_api_view(api), 201)
    return answer


# Of the ARN that an authorizer is asked about: <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>.
_METHOD_ARN_BYTES = 1600


async def authorize_request(api_id, stage_name, called, method, path, *rest):
    """Refuses a path that is too long to ask an authorizer about."""
    *_, account, region = rest
    arn = execute_api_arn(region, account, api_id, stage_name, method, path)
    if called.get("authorizerId") and len(arn.encode()) > _METHOD_ARN_BYTES:
        # AWS's own words are not known.
        body = json.dumps({"message": "Request URI too long"}).encode()
        return (414, {"Content-Type": "application/json"}, body), None
    return await _authorize_request(api_id, stage_name, called, method, path, *rest)


def delete_resource(api_id, resource_id):
    """Takes what is below it along."""
    answer = _delete_resource(api_id, resource_id)
    resources = gateway._resources.get(api_id, {})
    while orphans := [one for one in resources.values() if one["parentId"] and one["parentId"] not in resources]:
        for orphan in orphans:
            del resources[orphan["id"]]
    return answer


def delete_rest_api(api_id):
    """Refuses while a custom domain leads to the API, and forgets the tags of the API's stages, too."""
    domains = sorted(
        domain
        for domain, mappings in gateway._base_path_mappings.items()
        if any(mapping["restApiId"] == api_id for mapping in mappings.values())
    )
    if domains:
        message = (
            f"Deleting RestApi {api_id} failed. Please remove all base path mappings related to the RestApi in your "
            f"domains: {', '.join(domains)}"
        )
        return gateway._v1_error("BadRequestException", message, 400)
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


# ---- Resource Groups Tagging API --------------------------------------------------------------------------------

_matches_type_filters = tagging._matches_type_filters
_get_resources = tagging._get_resources
_collect_iam = tagging._collect_iam


def collect_policies():
    """IAM's policies, which are listed in one region only; its roles are in none."""
    if responses.get_region() == "us-east-1":
        for arn, policy in iam._policies.items():
            yield arn, tagging._normalise_list(policy.get("Tags"))


def collect_identities():
    """All of IAM that a policy's condition can ask tags of."""
    yield from _collect_iam()
    for arn, policy in iam._policies.items():
        yield arn, tagging._normalise_list(policy.get("Tags"))


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


def get_resources(data):
    """In pages, which stock ministack ignores."""
    size, token = data.get("ResourcesPerPage", 50), data.get("PaginationToken") or "0"
    if not 1 <= size <= 100 or not token.isdecimal():
        return tagging._invalid_parameter("Invalid ResourcesPerPage or PaginationToken")
    status, headers, body = _get_resources(data)
    if status >= 300:
        return status, headers, body
    found, start = json.loads(body)["ResourceTagMappingList"], int(token)
    end = start + size
    page = {"ResourceTagMappingList": found[start:end], "PaginationToken": str(end) if end < len(found) else ""}
    return status, headers, json.dumps(page).encode()


def install() -> None:
    """Makes ministack use all of the above. After the other modules, whose answers it tidies."""
    global _handle_request
    _handle_request, gateway.handle_request = gateway.handle_request, rest_api
    gateway.find_api_scope = find_api_scope
    gateway._create_rest_api = create_rest_api
    gateway._delete_rest_api = delete_rest_api
    gateway._authorize_request_v1 = authorize_request
    gateway._delete_resource = delete_resource
    gateway._delete_stage = delete_stage

    tagging._COLLECTORS.update(apigateway=collect_apigateway, iam=collect_policies, logs=collect_logs)
    tagging._RESOURCE_TAG_COLLECTORS.update(apigateway=collect_apigateway, iam=collect_identities, logs=collect_logs)
    tagging._matches_type_filters = matches_type_filters
    tagging._HANDLERS["GetResources"] = get_resources
