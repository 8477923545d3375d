"""Deployments of REST APIs are snapshots, and stages can't be broken by deleting what they point to.

In stock ministack an edit is live without a redeployment, so that a forgotten one can't be noticed; an API without
methods can be deployed, the deployment of a stage deleted, and a stage created twice.
"""

import contextlib
import contextvars
import copy
import json
import random

from ministack.core.responses import AccountRegionScopedDict, request_scope
from ministack.services import apigateway_v1 as gateway

import patches

_deployed: contextvars.ContextVar[dict | None] = contextvars.ContextVar("deployed", default=None)


class _Definitions(AccountRegionScopedDict):
    """One part of the definitions of all APIs; while a request is served, that of the stage's deployment instead."""

    def __init__(self, field: str):
        super().__init__()
        self.field = field

    def get(self, key, default=None):
        snapshot = (_deployed.get() or {}).get(self.field)
        return super().get(key, default) if snapshot is None else snapshot


# What requests depend on, and the field of a deployment's record that holds its snapshot, so that it is persisted and
# deleted with it. The REST API's answers leave out what starts with an underscore (fidelity.py).
_PARTS = {
    "_resources": _Definitions("_resources"),
    "_authorizers_v1": _Definitions("_authorizers"),
    "_request_validators": _Definitions("_request_validators"),
    "_models": _Definitions("_models"),
}


@contextlib.contextmanager
def _as_deployed(api_id: str, stage_name: str):
    """Definitions are those of the stage's deployment; what it has no snapshot of (older state) is the API's."""
    stage = gateway._stages_v1.get(api_id, {}).get(stage_name) or {}
    canary = stage.get("canarySettings") or {}
    serving = canary if random.random() * 100 < canary.get("percentTraffic", 0) else stage
    token = _deployed.set(gateway._deployments_v1.get(api_id, {}).get(serving.get("deploymentId")))
    try:
        yield
    finally:
        _deployed.reset(token)


_execute_in_scope = gateway._execute_in_scope
_method_authorization_type = gateway.method_authorization_type
_create_deployment = gateway._create_deployment
_delete_deployment = gateway._delete_deployment
_create_stage = gateway._create_stage


async def execute_in_scope(request, api_id, stage_name, *rest):
    """Serves a request from the snapshot."""
    with _as_deployed(api_id, stage_name):
        return await _execute_in_scope(request, api_id, stage_name, *rest)


def method_authorization_type(api_id, stage_name, method, path):
    """What must be authorized, according to the snapshot."""
    scope = gateway.find_api_scope(api_id)
    if scope is None:
        return None
    with request_scope(*scope), _as_deployed(api_id, stage_name):
        return _method_authorization_type(api_id, stage_name, method, path)


def create_deployment(api_id, data):
    """Takes the snapshot."""
    resources = gateway._resources.get(api_id, {})
    methods = [method for resource in resources.values() for method in resource["resourceMethods"].values()]
    if api_id in gateway._rest_apis and not methods:
        return _bad_request("The REST API doesn't contain any methods")
    if not all(method["methodIntegration"] for method in methods):
        return _bad_request("No integration defined for method")
    stage = gateway._stages_v1.get(api_id, {}).get(data.get("stageName")) or {}
    if stage.get("canarySettings") and not data.get("canarySettings"):
        # AWS's own words are not known; its guide says that the canary has to go first.
        return _bad_request("A non-canary deployment can't be made while the stage has a canary")
    status, headers, body = _create_deployment(api_id, data)
    if status == 201:
        deployment = gateway._deployments_v1[api_id][json.loads(body)["id"]]
        for part in _PARTS.values():
            deployment[part.field] = copy.deepcopy(part.get(api_id, {}))
        stage = gateway._stages_v1[api_id].get(data.get("stageName"))
        if stage and "tracingEnabled" in data:
            stage["tracingEnabled"] = data["tracingEnabled"]
    return status, headers, body


def delete_deployment(api_id, deployment_id):
    """Refuses while a stage points to it."""
    stages = gateway._stages_v1.get(api_id, {}).values()
    serving = {one["deploymentId"] for stage in stages for one in (stage, stage.get("canarySettings") or stage)}
    if deployment_id in serving:
        return _bad_request("Active stages pointing to this deployment must be moved or deleted")
    return _delete_deployment(api_id, deployment_id)


def create_stage(api_id, data):
    """Refuses a second stage of that name, and a deployment that isn't there."""
    if data.get("stageName") in gateway._stages_v1.get(api_id, {}):
        return gateway._v1_error("ConflictException", "Stage already exists", 409)
    if api_id in gateway._rest_apis and data.get("deploymentId") not in gateway._deployments_v1.get(api_id, {}):
        return _bad_request("Deployment id does not exist")
    return _create_stage(api_id, data)


def update_stage(api_id, stage_name, data):
    """Refuses a deployment that isn't there."""
    for operation in data.get("patchOperations", []):
        known = gateway._deployments_v1.get(api_id, {})
        if operation.get("path") in ("/deploymentId", "/canarySettings/deploymentId") and operation.get("value") not in known:
            return _bad_request("Deployment id does not exist")
    return patches.update_stage(api_id, stage_name, data)


def _bad_request(message: str):
    return gateway._v1_error("BadRequestException", message, 400)


def install() -> None:
    """Makes ministack use all of the above. Before any state is there: the definitions get other containers."""
    for name, part in _PARTS.items():
        setattr(gateway, name, part)
    gateway._execute_in_scope = execute_in_scope
    gateway.method_authorization_type = method_authorization_type
    gateway._create_deployment = create_deployment
    gateway._delete_deployment = delete_deployment
    gateway._create_stage = create_stage
    gateway._update_stage = update_stage
