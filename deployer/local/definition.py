"""PutRestApi: a REST API's whole definition from one OpenAPI 3 document.

Stock ministack answers 404. It has an importer for its own CloudFormation, which leaves out most of an integration and
every response. This one reads what API Gateway documents for `x-amazon-apigateway-*`, into the records that the other
calls read and write. What it doesn't know is a warning, as on AWS, so that `failOnWarnings` refuses a document which
would lose something.
"""

import copy
import json
import re

from ministack.services import apigateway_v1 as gateway

from integration import java_pattern

_VERBS = {verb: verb.upper() for verb in ("get", "post", "put", "delete", "patch", "head", "options")}
_VERBS["x-amazon-apigateway-any-method"] = "ANY"

_INTEGRATION_TYPES = ("AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK")
_PASSTHROUGH = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
_INTEGRATION_KEYS = {
    "type", "httpMethod", "uri", "credentials", "requestParameters", "requestTemplates", "passthroughBehavior",
    "contentHandling", "timeoutInMillis", "cacheNamespace", "cacheKeyParameters", "connectionType", "responses",
}  # fmt: skip
_INTEGRATION_RESPONSE_KEYS = {"statusCode", "responseTemplates", "responseParameters", "contentHandling"}
# Resources that an API may have: <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>.
RESOURCES = 300
TOO_MANY_RESOURCES = "Maximum number of Resources for this API has been reached"
_PATH_PART = re.compile(r"\{[\w.:-]+\+?\}|[\w.:-]+", re.ASCII)
_PARAMETER_PLACES = {"path": "path", "query": "querystring", "header": "header"}

# API-level extension -> the API's setting and its value when an overwriting document doesn't have it.
_SETTINGS = {
    "x-amazon-apigateway-api-key-source": ("apiKeySource", "HEADER"),
    "x-amazon-apigateway-binary-media-types": ("binaryMediaTypes", []),
    "x-amazon-apigateway-minimum-compression-size": ("minimumCompressionSize", None),
    "x-amazon-apigateway-policy": ("policy", None),
    "x-amazon-apigateway-security-policy": ("securityPolicy", "TLS_1_0"),
    "x-amazon-apigateway-endpoint-access-mode": ("endpointAccessMode", None),
}
# PutRestApi leaves the endpoint as it is; the others are read below.
_API_EXTENSIONS = {
    *_SETTINGS,
    "x-amazon-apigateway-endpoint-configuration",
    "x-amazon-apigateway-gateway-responses",
    "x-amazon-apigateway-request-validator",
    "x-amazon-apigateway-request-validators",
}
_OPERATION_EXTENSIONS = {
    "x-amazon-apigateway-auth",
    "x-amazon-apigateway-integration",
    "x-amazon-apigateway-request-validator",
}


class Refused(Exception):
    """The document can't become an API; nothing of it is kept."""

    def __init__(self, message: str, code: str = "BadRequestException", status: int = 400):
        super().__init__(message)
        self.code, self.status = code, status


def put_rest_api(api_id: str, mode: str, fail_on_warnings: bool, body: bytes):
    """The operation. Either the whole document takes effect, or nothing of it."""
    api = gateway._rest_apis.get(api_id)
    if api is None:
        return gateway._v1_error("NotFoundException", "Invalid API identifier specified", 404)
    if mode not in ("merge", "overwrite"):
        return gateway._v1_error("BadRequestException", f"Invalid mode specified: {mode}", 400)
    stores = (
        gateway._rest_apis,
        gateway._resources,
        gateway._authorizers_v1,
        gateway._models,
        gateway._gateway_responses,
        gateway._request_validators,
    )
    before = [copy.deepcopy(store.get(api_id, {})) for store in stores]
    try:
        warnings = _Import(api_id, _document(body), overwrite=mode == "overwrite").run()
        if warnings and fail_on_warnings:
            raise Refused("Warnings found during import:\n\t" + "\n\t".join(warnings))
    except (Refused, AttributeError, KeyError, TypeError) as reason:
        if not isinstance(reason, Refused):
            reason = Refused(f"Invalid OpenAPI input: not the expected structure ({reason!r})")
        for store, record in zip(stores, before, strict=True):
            store[api_id] = record
        return gateway._v1_error(reason.code, str(reason), reason.status)
    view = gateway._rest_api_view(gateway._rest_apis[api_id])
    return gateway._v1_response({**view, "warnings": warnings} if warnings else view)


def _document(body: bytes) -> dict:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise Refused(f"Invalid OpenAPI input: {error}") from None
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        raise Refused("Invalid OpenAPI input: only OpenAPI 3 documents in JSON are supported here.")
    return document


def integration_fault(integration: dict) -> str | None:
    """Why this can't be an integration, in a document or in a PutIntegration."""
    kind = str(integration.get("type", "")).upper()
    uri = integration.get("uri") or ""
    timeout = integration.get("timeoutInMillis", 29000)
    passthrough = str(integration.get("passthroughBehavior", "WHEN_NO_MATCH")).upper()
    if kind not in _INTEGRATION_TYPES:
        return f"Invalid integration type '{integration.get('type')}'"
    if kind != "MOCK" and not integration.get("httpMethod"):
        return "Enumeration value for HttpMethod must be non-empty"
    if kind.startswith("AWS") and not re.match(r"arn:[\w-]+:apigateway:[\w-]+:[\w.-]+:(path|action)/", uri):
        if uri.startswith("arn:"):
            return "AWS ARN for integration must contain path or action"
        return "Invalid ARN specified in the request"
    if not isinstance(timeout, int) or not 50 <= timeout <= 29000:
        return "Timeout should be between 50 ms and 29000 ms"
    if passthrough not in _PASSTHROUGH:
        return f"Invalid passthrough behavior '{passthrough}'"
    return None


class _Import:
    """One document on its way into one API."""

    def __init__(self, api_id: str, document: dict, overwrite: bool):
        self.api_id = api_id
        self.document = document
        self.overwrite = overwrite
        self.warnings: list[str] = []
        self.resources = gateway._resources[api_id]
        self.ids = {resource["path"]: resource["id"] for resource in self.resources.values()}

    def run(self) -> list[str]:
        self._unknown(self.document, _API_EXTENSIONS, "the API")
        if self.overwrite:
            self._forget_what_is_not_declared()
            for store in (gateway._authorizers_v1, gateway._models, gateway._gateway_responses):
                store[self.api_id] = {}
            gateway._request_validators[self.api_id] = {}
        self._settings()
        self._models()
        self._gateway_responses()
        validators = self._validators()
        schemes = self._security_schemes()
        for path, item in (self.document.get("paths") or {}).items():
            resource_id = self._resource(path)
            self._unknown(item, set(_VERBS), path)
            for key, verb in _VERBS.items():
                if key in item:
                    operation = {
                        **item[key],
                        "parameters": [*item.get("parameters", []), *item[key].get("parameters", [])],
                    }
                    self._operation(path, resource_id, verb, operation, schemes, validators)
        return self.warnings

    def _forget_what_is_not_declared(self) -> None:
        declared = {"/"}
        for path in self.document.get("paths") or {}:
            parts = path.strip("/").split("/")
            declared |= {"/" + "/".join(parts[: depth + 1]) for depth in range(len(parts))}
        for path in set(self.ids) - declared:
            del self.resources[self.ids.pop(path)]
        for resource in self.resources.values():
            resource["resourceMethods"] = {}

    def _unknown(self, part: dict, known: set[str], where: str) -> None:
        for key in part:
            if key.startswith("x-amazon-apigateway-") and key not in known:
                self.warnings.append(f"Unsupported extension '{key}' on {where}, ignoring")

    # -- The API itself.

    def _settings(self) -> None:
        api = gateway._rest_apis[self.api_id]
        info = self.document.get("info") or {}
        if info.get("title"):
            api["name"] = info["title"]
        for field in ("description", "version"):
            if field in info or self.overwrite:
                api[field] = info.get(field, "")
        for extension, (field, default) in _SETTINGS.items():
            if extension in self.document or self.overwrite:
                api[field] = self.document.get(extension, copy.copy(default))
        if str(api.get("securityPolicy")).startswith("SecurityPolicy_") and not api.get("endpointAccessMode"):
            raise Refused("Errors found during import:\n\tA security policy of this name needs an endpoint access mode")

    def _models(self) -> None:
        for name, schema in ((self.document.get("components") or {}).get("schemas") or {}).items():
            gateway._create_model(self.api_id, {"name": name, "schema": json.dumps(schema)})

    def _gateway_responses(self) -> None:
        for kind, response in (self.document.get("x-amazon-apigateway-gateway-responses") or {}).items():
            status, _headers, body = gateway._put_gateway_response(self.api_id, kind, response)
            if status >= 400:
                raise Refused(f"Errors found during import:\n\t{json.loads(body)['message']}")

    def _validators(self) -> dict[str, str]:
        """Ids by name."""
        known = gateway._request_validators.setdefault(self.api_id, {})
        for name, validator in (self.document.get("x-amazon-apigateway-request-validators") or {}).items():
            for old in [one["id"] for one in known.values() if one["name"] == name]:
                del known[old]
            gateway._create_request_validator(self.api_id, {"name": name, **validator})
        return {validator["name"]: validator["id"] for validator in known.values()}

    def _security_schemes(self) -> dict[str, dict]:
        authorizers = gateway._authorizers_v1.setdefault(self.api_id, {})
        for name in gateway._security_schemes(self.document):
            for old in [one["id"] for one in authorizers.values() if one["name"] == name]:
                del authorizers[old]
        return gateway._import_security_schemes(self.api_id, self.document)

    # -- Paths.

    def _resource(self, path: str) -> str:
        """The id of the resource at `path`, which is made when it isn't there, with its ancestors. Ids are kept."""
        if not path.startswith("/"):
            raise Refused(f"Errors found during import:\n\tInvalid path '{path}': it must start with '/'")
        here, resource_id = "", self.ids["/"]
        for part in path.strip("/").split("/") if path != "/" else []:
            if not _PATH_PART.fullmatch(part):
                raise Refused(
                    f"Errors found during import:\n\tUnable to create resource at path '{path}': Resource's path part "
                    "only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and "
                    "the end."
                )
            here = f"{here}/{part}"
            if here not in self.ids:
                self.ids[here] = self._create(path, resource_id, part)
            resource_id = self.ids[here]
        return resource_id

    def _create(self, path: str, parent_id: str, part: str) -> str:
        if part.startswith("{"):
            for sibling in self.resources.values():
                taken = sibling["pathPart"]
                if sibling["parentId"] == parent_id and taken.startswith("{"):
                    raise Refused(
                        f"Errors found during import:\n\tUnable to create resource at path '{path}': "
                        f"A sibling ({taken}) of this resource already has a variable path part -- only one is allowed"
                    )
        if len(self.resources) >= RESOURCES:
            raise Refused(TOO_MANY_RESOURCES, "LimitExceededException", 429)
        _status, _headers, body = gateway._create_resource(self.api_id, parent_id, {"pathPart": part})
        return json.loads(body)["id"]

    # -- Methods.

    def _operation(self, path, resource_id, verb, operation, schemes, validators) -> None:
        where = f"'{verb}' for resource at path '{path}'"
        self._unknown(operation, _OPERATION_EXTENSIONS, where)
        security = operation.get("security", self.document.get("security"))
        method = gateway._method_security(security, schemes)
        for scheme in {name for requirement in security or [] for name in requirement} - set(schemes):
            # Without this, the method would be open to everybody and nobody would know.
            self.warnings.append(f"Unsupported security scheme '{scheme}' on {where}, ignoring")
        authorization = (operation.get("x-amazon-apigateway-auth") or {}).get("type")
        if authorization:
            method["authorizationType"] = authorization.upper()
        validator = operation.get(
            "x-amazon-apigateway-request-validator", self.document.get("x-amazon-apigateway-request-validator")
        )
        if validator:
            if validator not in validators:
                raise Refused(
                    f"Errors found during import:\n\tUnable to put method {where}: no validator '{validator}'"
                )
            method["requestValidatorId"] = validators[validator]
        method["operationName"] = operation.get("operationId", "")
        method["requestParameters"] = {
            f"method.request.{_PARAMETER_PLACES[parameter['in']]}.{parameter['name']}": bool(parameter.get("required"))
            for parameter in operation["parameters"]
            if parameter.get("in") in _PARAMETER_PLACES
        }
        method["requestModels"] = _models_of(operation.get("requestBody"))
        gateway._put_method(self.api_id, resource_id, verb, method)

        statuses = set()
        for status, response in (operation.get("responses") or {}).items():
            if not re.fullmatch(r"[1-5]\d\d", str(status)):
                self.warnings.append(f"Ignoring response '{status}' of {where}: not a status code")
                continue
            statuses.add(str(status))
            headers = {f"method.response.header.{name}": False for name in response.get("headers") or {}}
            record = {"responseParameters": headers, "responseModels": _models_of(response)}
            gateway._put_method_response(self.api_id, resource_id, verb, str(status), record)

        integration = operation.get("x-amazon-apigateway-integration")
        if integration:
            self._integration(resource_id, verb, where, integration)
            for pattern, response in (integration.get("responses") or {}).items():
                self._integration_response(resource_id, verb, where, pattern, response, statuses)

    def _integration(self, resource_id, verb, where, integration) -> None:
        def refuse(reason: str):
            raise Refused(f"Errors found during import:\n\tUnable to put integration on {where}: {reason}")

        for key in set(integration) - _INTEGRATION_KEYS:
            self.warnings.append(f"Unsupported integration field '{key}' on {where}, ignoring")
        fault = integration_fault(integration)
        if fault:
            refuse(fault)
        record = {key: integration[key] for key in _INTEGRATION_KEYS & set(integration) - {"responses"}}
        record |= {
            "type": integration["type"].upper(),
            "passthroughBehavior": integration.get("passthroughBehavior", "WHEN_NO_MATCH").upper(),
            "httpMethod": integration.get("httpMethod"),
        }
        gateway._put_integration(self.api_id, resource_id, verb, record)
        if "cacheNamespace" in integration:
            stored = self.resources[resource_id]["resourceMethods"][verb]["methodIntegration"]
            stored["cacheNamespace"] = integration["cacheNamespace"]

    def _integration_response(self, resource_id, verb, where, pattern, response, statuses) -> None:
        def refuse(reason: str):
            raise Refused(f"Errors found during import:\n\tUnable to put integration response on {where}: {reason}")

        for key in set(response) - _INTEGRATION_RESPONSE_KEYS:
            self.warnings.append(f"Unsupported integration response field '{key}' on {where}, ignoring")
        status = str(response.get("statusCode", ""))
        if status not in statuses:
            refuse("Invalid Response status code specified")
        try:
            java_pattern(pattern)
        except re.error as error:
            refuse(f"Invalid selection pattern specified: {pattern} ({error})")
        stored = self.resources[resource_id]["resourceMethods"][verb]["methodIntegration"]["integrationResponses"]
        if status in stored:
            self.warnings.append(f"More than one integration response {status} on {where}, the last one counts")
        record = {key: response[key] for key in _INTEGRATION_RESPONSE_KEYS & set(response)}
        record["selectionPattern"] = "" if pattern == "default" else pattern
        gateway._put_integration_response(self.api_id, resource_id, verb, status, record)


def _models_of(described: dict | None) -> dict[str, str]:
    """Model names by content type, of a request body or a response."""
    models = {}
    for content_type, media in ((described or {}).get("content") or {}).items():
        reference = (media.get("schema") or {}).get("$ref", "")
        if reference:
            models[content_type] = reference.rsplit("/", 1)[-1]
    return models


_handle_request = gateway.handle_request


async def handle_request(method, path, headers, body, query_params):
    """The route that ministack doesn't have: PUT /restapis/{id}."""
    parts = path.strip("/").split("/")
    if method == "PUT" and len(parts) == 2 and parts[0] == "restapis":
        mode = gateway._qp(query_params, "mode", "merge")
        strict = gateway._qp(query_params, "failonwarnings", "false")
        return put_rest_api(parts[1], mode, strict == "true", body)
    return await _handle_request(method, path, headers, body, query_params)


def install() -> None:
    """Makes ministack route PutRestApi here."""
    gateway.handle_request = handle_request
