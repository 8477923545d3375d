"""Small differences from AWS that a deployer notices when it reads back what it wrote."""

import json

from ministack.services import apigateway_v1 as gateway

# Maps whose keys and values are the user's: an empty string in them is a value.
_USER_MAPS = {"requestParameters", "requestTemplates", "responseParameters", "responseTemplates", "tags", "variables"}
_ABSENT_WHEN_EMPTY = _USER_MAPS | {
    "authorizationScopes",
    "binaryMediaTypes",
    "integrationResponses",
    "methodResponses",
    "requestModels",
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


async def rest_api(method, path, headers, body, query_params):
    """API Gateway's control plane, tidied; GetResources shows methods only with `embed=methods`."""
    status, answer_headers, answer = await _handle_request(method, path, headers, body, query_params)
    parts = path.strip("/").split("/")
    if status >= 300 or parts[0] != "restapis" or not answer:
        return status, answer_headers, answer
    record = json.loads(answer)
    if method == "GET" and len(parts) in (3, 4) and parts[2] == "resources":
        embedded = "methods" in ",".join(query_params.get("embed", []))
        for resource in record.get("item", [record]):
            methods = resource.get("resourceMethods") or {}
            resource["resourceMethods"] = methods if embedded else {verb: {} for verb in methods}
            if not methods:
                del resource["resourceMethods"]
    return status, answer_headers, json.dumps(_tidy(record), ensure_ascii=False).encode()


_find_api_scope = gateway.find_api_scope


def find_api_scope(api_id):
    """The account and region of an API. Stock ministack looks in the caller's account only, so that a client without
    credentials, which is anybody with the URL, reaches the APIs of one account only."""
    owners = ((account, region) for (account, region, found), _api in gateway._rest_apis.all_items() if found == api_id)
    return _find_api_scope(api_id) or next(owners, None)


def install() -> None:
    """Makes ministack use all of the above. After the other modules, whose answers it tidies."""
    global _handle_request
    gateway.find_api_scope = find_api_scope
    _handle_request, gateway.handle_request = gateway.handle_request, rest_api
