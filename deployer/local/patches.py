"""API Gateway's Update* calls, which take patch operations: a list of `{"op", "path", "value"}`, values as strings.

Stock ministack writes any path into any record, as text: endpoint types become a map and booleans strings, and the SDKs
can't read the API any more. Here each kind of record says what can be changed and what its values are; the rest is
refused, and of a list with a bad operation nothing takes effect.
"""

import copy
import json
from collections.abc import Callable

from ministack.services import apigateway_v1 as gateway

import patch_records as records
from patch_values import Refused

# ---- Patching ---------------------------------------------------------------------------------------------------


def apply(fields: dict, record: dict, operations: list[dict]) -> None:
    """All of the operations, or `Refused` and none of them."""
    patched = copy.deepcopy(record)
    for operation in operations:
        kind, path = operation.get("op"), operation.get("path") or ""
        if kind not in ("add", "remove", "replace"):
            raise Refused("Invalid patch operation specified. Must be 'add'|'remove'|'replace'")
        name, *rest = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]] or [""]
        if name in fields:
            fields[name].patch(patched, name, rest, kind, operation.get("value"), path)
        elif fields is records.STAGE:
            _patch_method_setting(patched, kind, path, operation.get("value"))
        else:
            raise Refused(f"Invalid patch path {path}")
    record.clear()
    record.update(patched)


def _patch_method_setting(stage: dict, kind: str, path: str, value) -> None:
    settings = stage["methodSettings"] = stage.get("methodSettings") or {}
    parts = path.split("/")[1:]
    if kind == "remove" and len(parts) >= 2 and "/".join(parts[-2:]) not in records.METHOD_SETTINGS:
        if settings.pop("/".join(parts), None) is None:
            message = f"Cannot remove method setting {path[1:]} because there is no method setting for this method "
            raise Refused(message)
        return
    if len(parts) < 4 or "/".join(parts[-2:]) not in records.METHOD_SETTINGS:
        raise Refused(f"Invalid method setting path: {path}")
    if kind != "replace":
        raise Refused("Invalid patch operation specified. Must be one of: [replace]")
    name, convert = records.METHOD_SETTINGS["/".join(parts[-2:])]
    converted = convert(value)
    settings.setdefault("/".join(parts[:-2]), dict(records.METHOD_SETTINGS_DEFAULT))[name] = converted


def _refusal(reason: Refused):
    return gateway._v1_error(reason.code, str(reason), 404 if reason.code == "NotFoundException" else 400)


def _call(fields: dict, find: Callable, view: Callable = lambda record: record, status: int = 200):
    """An Update* call: of what `find` finds by the path's names; `view` is what is answered."""

    def update(*arguments):
        *names, data = arguments
        try:
            record = find(*names)
            apply(fields, record, data.get("patchOperations") or [])
        except Refused as reason:
            return _refusal(reason)
        return gateway._v1_response(view(record), status)

    return update


# ---- Records ----------------------------------------------------------------------------------------------------


def _found(record, what: str):
    if record is None:
        raise Refused(f"Invalid {what} specified", "NotFoundException")
    return record


def _rest_api(api_id):
    return _found(gateway._rest_apis.get(api_id), "API identifier")


def _resource(api_id, resource_id):
    return _found(gateway._resources.get(api_id, {}).get(resource_id), "Resource identifier")


def _method(api_id, resource_id, verb):
    return _found(_resource(api_id, resource_id)["resourceMethods"].get(verb), "Method identifier")


def _method_response(api_id, resource_id, verb, status):
    return _found(_method(api_id, resource_id, verb)["methodResponses"].get(status), "Response status code")


def _integration(api_id, resource_id, verb):
    return _found(_method(api_id, resource_id, verb)["methodIntegration"], "Integration identifier")


def _integration_response(api_id, resource_id, verb, status):
    responses = _integration(api_id, resource_id, verb)["integrationResponses"]
    return _found(responses.get(status), "Response status code")


def _deployment(api_id, deployment_id):
    return _found(gateway._deployments_v1.get(api_id, {}).get(deployment_id), "Deployment identifier")


def _stage(api_id, stage_name):
    return _found(gateway._stages_v1.get(api_id, {}).get(stage_name), "Stage identifier")


def _touched(stage: dict) -> dict:
    stage["lastUpdatedDate"] = gateway._now_unix()
    return stage


update_stage = _call(records.STAGE, _stage, _touched)
_update_resource = _call(records.RESOURCE, _resource)
_update_method_response = _call(records.METHOD_RESPONSE, _method_response, status=201)
_update_integration_response = _call(records.INTEGRATION_RESPONSE, _integration_response)


def update_resource(api_id, resource_id, data):
    """Moves what is below it, too."""
    status, headers, body = _update_resource(api_id, resource_id, data)
    if status >= 300:
        return status, headers, body
    resources = gateway._resources[api_id]
    for one in resources.values():
        one["path"] = gateway._compute_path(api_id, one["id"])
    return gateway._v1_response(resources[resource_id])


def update_response(parts: list[str], body: bytes):
    """UpdateMethodResponse and UpdateIntegrationResponse, which ministack lacks; None for any other path."""
    match parts:
        case ["restapis", api_id, "resources", resource_id, "methods", verb, "responses", status]:
            return _update_method_response(api_id, resource_id, verb, status, json.loads(body))
        case ["restapis", api_id, "resources", resource_id, "methods", verb, "integration", "responses", status]:
            return _update_integration_response(api_id, resource_id, verb, status, json.loads(body))
    return None


def absence(parts: list[str]):
    """The answer to the deletion of a method, or of a part of one, that isn't there; else None."""
    try:
        match parts:
            case ["restapis", api_id, "resources", resource_id, "methods", verb]:
                _method(api_id, resource_id, verb)
            case ["restapis", api_id, "resources", resource_id, "methods", verb, "responses", status]:
                _method_response(api_id, resource_id, verb, status)
            case ["restapis", api_id, "resources", resource_id, "methods", verb, "integration"]:
                _integration(api_id, resource_id, verb)
            case ["restapis", api_id, "resources", resource_id, "methods", verb, "integration", "responses", status]:
                _integration_response(api_id, resource_id, verb, status)
    except Refused as reason:
        return _refusal(reason)
    return None


def install() -> None:
    """Makes ministack use all of the above; `update_stage` goes through `deployments`, responses through `fidelity`."""
    gateway._update_rest_api = _call(records.REST_API, _rest_api, gateway._rest_api_view)
    gateway._update_resource = update_resource
    gateway._update_method = _call(records.METHOD, _method)
    gateway._update_integration = _call(records.INTEGRATION, _integration)
    gateway._update_deployment = _call(records.DEPLOYMENT, _deployment)
