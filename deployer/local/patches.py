"""API Gateway's Update* calls, which take patch operations: a list of `{"op", "path", "value"}`, values as strings.

Stock ministack writes any path into any record, as text: endpoint types become a map and booleans strings, and the SDKs
can't read the API any more. Here each kind of record says what can be changed and what its values are; the rest is
refused, and of a list with a bad operation nothing takes effect.
"""

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from ministack.services import apigateway_v1 as gateway


class Refused(Exception):
    """The message and, with another one than BadRequestException, the error's code."""

    def __init__(self, message: str, code: str = "BadRequestException"):
        super().__init__(message)
        self.code = code


# ---- Values -----------------------------------------------------------------------------------------------------


def _text(value) -> str:
    return value or ""


def _boolean(value) -> bool:
    return str(value).lower() == "true"


def _one_of(*values: str, message: str) -> Callable[[str], str]:
    def convert(value):
        if value not in values:
            raise Refused(message)
        return value

    return convert


def _integer(least: int, most: int, message: str) -> Callable[[str], int]:
    def convert(value):
        if not re.fullmatch(r"-?\d+", value or "", re.ASCII) or not least <= int(value) <= most:
            raise Refused(message)
        return int(value)

    return convert


def _rate(value) -> float:
    if not re.fullmatch(r"-1(\.0+)?|\d+(\.\d+)?", value or "", re.ASCII):
        raise Refused("Invalid throttling rate limit")
    return float(value)


def _compression(value) -> int | None:
    """No value switches it off."""
    message = "Invalid minimum compression size, must be between 0 and 10485760"
    return _integer(0, 10485760, message)(value) if value else None


def _variable(value) -> str:
    if not re.fullmatch(r"[A-Za-z0-9\-._~:/?#&=,]+", value or ""):
        raise Refused("Stage variable values can only have alphanumeric characters and the symbols -._~:/?#&=,")
    return value


# ---- Fields -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Field:
    """What can be replaced."""

    convert: Callable = _text
    removable: bool = False

    def patch(self, record: dict, name: str, rest: list[str], operation: str, value, path: str) -> None:
        if rest:
            raise Refused(f"Invalid patch path {path}")
        if operation == "remove" and self.removable:
            record[name] = ""
        elif operation != "replace":
            raise Refused("Invalid patch operation specified. Must be one of: [replace]")
        else:
            record[name] = self.convert(value)


@dataclass(frozen=True)
class _Map:
    """What has entries, `/field/key`; `absent` is the answer to a removal of one that isn't there."""

    convert: Callable = _text
    absent: str = ""

    def patch(self, record, name, rest, operation, value, path):
        if len(rest) != 1:
            raise Refused(f"Invalid patch path {path}")
        entries = record[name] = record.get(name) or {}
        if operation != "remove":
            entries[rest[0]] = self.convert(value)
        elif entries.pop(rest[0], None) is None and self.absent:
            raise Refused(self.absent, "NotFoundException")


class _List:
    """What has values, `/field/value`."""

    def patch(self, record, name, rest, operation, value, path):
        if len(rest) != 1:
            raise Refused(f"Invalid patch path {path}")
        kept = [one for one in record.get(name) or [] if one != rest[0]]
        if operation == "replace" and len(kept) == len(record.get(name) or []):
            raise Refused(f"Invalid patch path {path}")
        added = {"add": [rest[0]], "replace": [value], "remove": []}[operation]
        record[name] = kept + [one for one in added if one not in kept]


class _Addresses:
    """What has values, and one path for all: `/field`."""

    def patch(self, record, name, rest, operation, value, path):
        if rest or not value:
            raise Refused(f"Invalid patch path {path}")
        kept = [one for one in record.get(name) or [] if one != value]
        record[name] = {"add": [*kept, value], "replace": [value], "remove": kept}[operation]


_endpoint_type = _one_of(
    "REGIONAL", "EDGE", "PRIVATE", message="Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE"
)


class _EndpointTypes:
    """A list of one, whose path ends with the old value or its place."""

    def patch(self, record, name, rest, operation, value, path):
        types = record.get(name) or ["EDGE"]
        if len(rest) != 1 or rest[0] not in ("0", types[0]):
            raise Refused(f"Invalid patch path {path}")
        if operation != "replace":
            raise Refused("Invalid patch operation specified. Must be 'add'|'remove'|'replace'")
        record[name] = [_endpoint_type(value)]


class _Canary:
    """A part of the stage's requests that goes to another deployment: made by its first setting, removed as a whole."""

    _FIELDS = {"deploymentId": _text, "percentTraffic": lambda value: float(value), "useStageCache": _boolean}

    def patch(self, record, name, rest, operation, value, path):
        if operation == "remove" and not rest:
            if not record.pop(name, None):
                raise Refused(f"Cannot remove {path}: there is no canary")
            return
        if operation != "replace":
            raise Refused(f"Invalid {operation} operation with path: {path}")
        canary = {"percentTraffic": 0.0, "deploymentId": record["deploymentId"], "useStageCache": False}
        canary = record[name] = record.get(name) or canary
        match rest:
            case [field] if field in self._FIELDS:
                canary[field] = self._FIELDS[field](value)
            case ["stageVariableOverrides", variable]:
                canary.setdefault("stageVariableOverrides", {})[variable] = _variable(value)
            case _:
                raise Refused(f"Invalid patch path {path}")


@dataclass(frozen=True)
class _Record:
    """Fields of a field, `/field/inner`."""

    fields: dict

    def patch(self, record, name, rest, operation, value, path):
        if not rest or rest[0] not in self.fields:
            raise Refused(f"Invalid patch path {path}")
        inner = record[name] = record.get(name) or {}
        self.fields[rest[0]].patch(inner, rest[0], rest[1:], operation, value, path)


_PARAMETER, _CONTENT_TYPE = "Invalid parameter name specified", "Content-Type specified was not found"

_REST_API = {
    "apiKeySource": _Field(_one_of("HEADER", "AUTHORIZER", message="Invalid API key source specified")),
    "binaryMediaTypes": _List(),
    "description": _Field(removable=True),
    "disableExecuteApiEndpoint": _Field(_boolean),
    "endpointAccessMode": _Field(
        _one_of("BASIC", "STRICT", message="Invalid endpoint access mode specified. Valid options are BASIC,STRICT")
    ),
    "endpointConfiguration": _Record(
        {
            "types": _EndpointTypes(),
            "ipAddressType": _Field(
                _one_of("ipv4", "dualstack", message="ipAddressType must be either ipv4 or dualstack.")
            ),
            "vpcEndpointIds": _Addresses(),
        }
    ),
    "minimumCompressionSize": _Field(_compression),
    "name": _Field(),
    "policy": _Field(),
    "securityPolicy": _Field(),
    "version": _Field(),
}
_RESOURCE = {"parentId": _Field(), "pathPart": _Field()}
_METHOD = {
    "apiKeyRequired": _Field(_boolean),
    "authorizationScopes": _Addresses(),
    "authorizationType": _Field(),
    "authorizerId": _Field(),
    "operationName": _Field(),
    "requestModels": _Map(absent=_CONTENT_TYPE),
    "requestParameters": _Map(_boolean, _PARAMETER),
    "requestValidatorId": _Field(),
}
_METHOD_RESPONSE = {"responseModels": _Map(absent=_CONTENT_TYPE), "responseParameters": _Map(_boolean, _PARAMETER)}
_INTEGRATION = {
    "cacheKeyParameters": _List(),
    "cacheNamespace": _Field(),
    "connectionId": _Field(),
    "connectionType": _Field(),
    "contentHandling": _Field(),
    "credentials": _Field(),
    "httpMethod": _Field(),
    "passthroughBehavior": _Field(
        _one_of("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER", message="Invalid passthrough behavior")
    ),
    "requestParameters": _Map(absent=_PARAMETER),
    "requestTemplates": _Map(absent=_CONTENT_TYPE),
    "timeoutInMillis": _Field(_integer(50, 29000, "Timeout should be between 50 ms and 29000 ms")),
    "uri": _Field(),
}
_INTEGRATION_RESPONSE = {
    "contentHandling": _Field(),
    "responseParameters": _Map(absent=_PARAMETER),
    "responseTemplates": _Map(absent=_CONTENT_TYPE),
    "selectionPattern": _Field(),
}
_DEPLOYMENT = {"description": _Field()}
_STAGE = {
    "accessLogSettings": _Record({"destinationArn": _Field(), "format": _Field()}),
    "cacheClusterEnabled": _Field(_boolean),
    "cacheClusterSize": _Field(),
    "canarySettings": _Canary(),
    "clientCertificateId": _Field(),
    "deploymentId": _Field(),
    "description": _Field(),
    "documentationVersion": _Field(),
    "tracingEnabled": _Field(_boolean),
    "variables": _Map(_variable),
}

# Of a stage, `/RESOURCE/METHOD/` and one of these; RESOURCE and METHOD are `*` or a path and a verb.
_METHOD_SETTINGS = {
    "metrics/enabled": ("metricsEnabled", _boolean),
    "logging/loglevel": ("loggingLevel", _one_of("OFF", "ERROR", "INFO", message="Invalid logging level")),
    "logging/dataTrace": ("dataTraceEnabled", _boolean),
    "throttling/burstLimit": ("throttlingBurstLimit", _integer(-1, 2**31 - 1, "Invalid throttling burst limit")),
    "throttling/rateLimit": ("throttlingRateLimit", _rate),
    "caching/enabled": ("cachingEnabled", _boolean),
    "caching/ttlInSeconds": ("cacheTtlInSeconds", _integer(0, 3600, "Invalid cache TTL")),
    "caching/dataEncrypted": ("cacheDataEncrypted", _boolean),
    "caching/requireAuthorizationForCacheControl": ("requireAuthorizationForCacheControl", _boolean),
    "caching/unauthorizedCacheControlHeaderStrategy": ("unauthorizedCacheControlHeaderStrategy", _text),
}
_METHOD_SETTINGS_DEFAULT = {
    "metricsEnabled": False,
    "dataTraceEnabled": False,
    "throttlingBurstLimit": 5000,
    "throttlingRateLimit": 10000.0,
    "cachingEnabled": False,
    "cacheTtlInSeconds": 300,
    "cacheDataEncrypted": False,
    "requireAuthorizationForCacheControl": True,
    "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
}


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
        elif fields is _STAGE:
            _patch_method_setting(patched, kind, path, operation.get("value"))
        else:
            raise Refused(f"Invalid patch path {path}")
    record.clear()
    record.update(patched)


def _patch_method_setting(stage: dict, kind: str, path: str, value) -> None:
    settings = stage["methodSettings"] = stage.get("methodSettings") or {}
    parts = path.split("/")[1:]
    if kind == "remove" and len(parts) >= 2 and "/".join(parts[-2:]) not in _METHOD_SETTINGS:
        if settings.pop("/".join(parts), None) is None:
            message = f"Cannot remove method setting {path[1:]} because there is no method setting for this method "
            raise Refused(message)
        return
    if len(parts) < 4 or "/".join(parts[-2:]) not in _METHOD_SETTINGS:
        raise Refused(f"Invalid method setting path: {path}")
    if kind != "replace":
        raise Refused("Invalid patch operation specified. Must be one of: [replace]")
    name, convert = _METHOD_SETTINGS["/".join(parts[-2:])]
    converted = convert(value)
    settings.setdefault("/".join(parts[:-2]), dict(_METHOD_SETTINGS_DEFAULT))[name] = converted


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


update_stage = _call(_STAGE, _stage, _touched)
_update_resource = _call(_RESOURCE, _resource)
_update_method_response = _call(_METHOD_RESPONSE, _method_response, status=201)
_update_integration_response = _call(_INTEGRATION_RESPONSE, _integration_response)


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
    gateway._update_rest_api = _call(_REST_API, _rest_api, gateway._rest_api_view)
    gateway._update_resource = update_resource
    gateway._update_method = _call(_METHOD, _method)
    gateway._update_integration = _call(_INTEGRATION, _integration)
    gateway._update_deployment = _call(_DEPLOYMENT, _deployment)
