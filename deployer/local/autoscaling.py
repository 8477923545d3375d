"""Application Auto Scaling, which ministack lacks: what is registered for DynamoDB's tables and indexes.

Nothing is scaled: capacity stays as it was set. The alarms that a policy names aren't in CloudWatch.
"""

import copy
import json
import re
import sys
import time
import uuid

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.responses import (
    AccountRegionScopedDict,
    error_response_json,
    get_account_id,
    get_region,
    json_response,
)
from ministack.services import dynamodb

import decreases

_SERVICE, _MODULE = "application-autoscaling", "application_autoscaling"
_RESOURCE = re.compile(r"table/([\w.-]+)(/index/[\w.-]+)?", re.ASCII)
_DIMENSION = re.compile(r"dynamodb:(table|index):(Read|Write)CapacityUnits")
_ROLE = "dynamodb.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"

_targets = AccountRegionScopedDict()  # (resource, dimension) -> the target, as Describe gives it
_policies = AccountRegionScopedDict()  # (resource, dimension, name) -> the policy
_tags = AccountRegionScopedDict()  # ARN of a target -> its tags


class Refused(Exception):
    """The error's code and message."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


def _invalid(message: str) -> Refused:
    return Refused("ValidationException", message)


# ---- Targets ----------------------------------------------------------------------------------------------------


def _key(data: dict) -> tuple[str, str]:
    """Which target is meant."""
    resource, dimension = data.get("ResourceId") or "", data.get("ScalableDimension") or ""
    found, kind = _RESOURCE.fullmatch(resource), _DIMENSION.fullmatch(dimension)
    if not found or not kind or (kind[1] == "index") != bool(found[2]) or data.get("ServiceNamespace") != "dynamodb":
        raise _invalid("Unsupported service namespace, resource type or scalable dimension")
    return resource, dimension


def _where(resource: str, dimension: str) -> str:
    return f"service namespace: dynamodb, resource ID: {resource}, scalable dimension: {dimension}"


def register_scalable_target(data: dict) -> dict:
    """Registers, or changes what is given of one that is registered."""
    key = resource, dimension = _key(data)
    if _RESOURCE.fullmatch(resource)[1] not in dynamodb._tables:
        raise _invalid(f"DynamoDB table does not exist: {resource}")
    known = _targets.get(key) or {}
    least = data.get("MinCapacity", known.get("MinCapacity"))
    most = data.get("MaxCapacity", known.get("MaxCapacity"))
    if least is None or most is None:
        raise _invalid("Minimum and maximum capacity are required to register a new scalable target")
    if least > most:
        raise _invalid("Maximum capacity cannot be less than minimum capacity")
    account, region = get_account_id(), get_region()
    arn = f"arn:aws:application-autoscaling:{region}:{account}:scalable-target/{uuid.uuid4().hex}"
    target = {
        "ServiceNamespace": "dynamodb",
        "ResourceId": resource,
        "ScalableDimension": dimension,
        "RoleARN": f"arn:aws:iam::{account}:role/aws-service-role/{_ROLE}",
        "CreationTime": round(time.time(), 3),
        "ScalableTargetARN": arn,
        "SuspendedState": {
            "DynamicScalingInSuspended": False,
            "DynamicScalingOutSuspended": False,
            "ScheduledScalingSuspended": False,
        },
        **known,
        "MinCapacity": least,
        "MaxCapacity": most,
    }
    target["SuspendedState"] = {**target["SuspendedState"], **(data.get("SuspendedState") or {})}
    _targets[key] = target
    _clamp(resource, dimension, least, most)
    if data.get("Tags"):
        _tags[target["ScalableTargetARN"]] = dict(data["Tags"])
    return {"ScalableTargetARN": target["ScalableTargetARN"]}


def _clamp(resource: str, dimension: str, least: int, most: int) -> None:
    """Brings the table's capacity within the limits, as registering does, as far as it may be decreased today."""
    name, index = _RESOURCE.fullmatch(resource).groups()
    throughput = dynamodb._tables[name].get("ProvisionedThroughput") or {}
    units = f"{_DIMENSION.fullmatch(dimension)[2]}CapacityUnits"
    if index or not throughput.get(units):
        return
    table, wanted = dynamodb._tables[name], min(max(throughput[units], least), most)
    if wanted < throughput[units]:
        if decreases.refusal(table, time.time()):
            return
        decreases.count(table, time.time())
    throughput[units] = wanted


def describe_scalable_targets(data: dict) -> dict:
    """Of all tables, of some, or of some in one dimension."""
    wanted = data.get("ResourceIds")
    return _page(data, "ScalableTargets", _selected(data, _targets, wanted))


def deregister_scalable_target(data: dict) -> dict:
    """Takes the target's policies and tags along."""
    key = _key(data)
    target = _targets.pop(key, None)
    if target is None:
        raise Refused("ObjectNotFoundException", f"No scalable target found for {_where(*key)}")
    _tags.pop(target["ScalableTargetARN"], None)
    for one in [one for one in _policies if one[:2] == key]:
        del _policies[one]
    return {}


# ---- Policies ---------------------------------------------------------------------------------------------------


def put_scaling_policy(data: dict) -> dict:
    """Makes or replaces a policy; of target tracking only, which is the only kind that DynamoDB takes."""
    key = resource, dimension = _key(data)
    name, tracking = data.get("PolicyName") or "", data.get("TargetTrackingScalingPolicyConfiguration")
    if key not in _targets:
        raise Refused("ObjectNotFoundException", f"No scalable target registered for {_where(*key)}")
    known = _policies.get((*key, name)) or {}
    if (data.get("PolicyType") or known.get("PolicyType")) != "TargetTrackingScaling":
        raise _invalid("Only TargetTrackingScaling policies are supported for DynamoDB")
    if not tracking or "TargetValue" not in tracking:
        raise _invalid("TargetTrackingScalingPolicyConfiguration with a TargetValue is required")
    for other, policy in _policies.items():
        same = _metric(policy["TargetTrackingScalingPolicyConfiguration"]) == _metric(tracking)
        if other[:2] == key and other[2] != name and same:
            raise _invalid("Only one TargetTrackingScaling policy for a given metric specification is allowed.")
    _policies[(*key, name)] = policy = {
        "PolicyARN": (
            f"arn:aws:autoscaling:{get_region()}:{get_account_id()}:scalingPolicy:{uuid.uuid4()}:"
            f"resource/dynamodb/{resource}:policyName/{name}"
        ),
        "PolicyName": name,
        "ServiceNamespace": "dynamodb",
        "ResourceId": resource,
        "ScalableDimension": dimension,
        "PolicyType": "TargetTrackingScaling",
        "Alarms": _alarms(resource),
        "CreationTime": round(time.time(), 3),
        **known,
        "TargetTrackingScalingPolicyConfiguration": tracking,
    }
    return {"PolicyARN": policy["PolicyARN"], "Alarms": policy["Alarms"]}


def _metric(tracking: dict):
    return tracking.get("PredefinedMetricSpecification"), tracking.get("CustomizedMetricSpecification")


def _alarms(resource: str) -> list[dict]:
    names = (
        f"TargetTracking-{resource}-{kind}-{uuid.uuid4()}"
        for kind in ("AlarmHigh", "AlarmLow", "ProvisionedCapacityHigh", "ProvisionedCapacityLow")
    )
    arn = f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm"
    return [{"AlarmName": name, "AlarmARN": f"{arn}:{name}"} for name in names]


def describe_scaling_policies(data: dict) -> dict:
    """Of all tables, of one, or of one in one dimension."""
    resource, names = data.get("ResourceId"), data.get("PolicyNames")
    found = _selected(data, _policies, [resource] if resource else None)
    return _page(data, "ScalingPolicies", [one for one in found if not names or one["PolicyName"] in names])


def delete_scaling_policy(data: dict) -> dict:
    """Leaves the target."""
    key, name = _key(data), data.get("PolicyName")
    if _policies.pop((*key, name), None) is None:
        message = f"No scaling policy found for {_where(*key)}, policy name: {name}"
        raise Refused("ObjectNotFoundException", message)
    return {}


# ---- Both -------------------------------------------------------------------------------------------------------


def _selected(data: dict, store: AccountRegionScopedDict, resources: list[str] | None) -> list[dict]:
    dimension = data.get("ScalableDimension")
    if dimension and not resources:
        raise _invalid("A scalable dimension needs a resource ID")
    return [
        record
        for key, record in sorted(store.items())
        if (not resources or key[0] in resources) and dimension in (None, key[1])
    ]


def _page(data: dict, field: str, found: list[dict]) -> dict:
    if data.get("ServiceNamespace") != "dynamodb":
        found = []
    token, size = data.get("NextToken") or "0", data.get("MaxResults") or 50
    if not token.isdecimal():
        raise Refused("InvalidNextTokenException", "Invalid next token")
    end = int(token) + size
    return {field: found[int(token) : end], **({"NextToken": str(end)} if end < len(found) else {})}


def _target_tags(data: dict) -> tuple[str, dict]:
    arn = data.get("ResourceARN") or ""
    if all(target["ScalableTargetARN"] != arn for target in _targets.values()):
        raise Refused("ResourceNotFoundException", f"The resource was not found: {arn}")
    return arn, _tags.get(arn) or {}


def tag_resource(data: dict) -> dict:
    """Of a target."""
    arn, tags = _target_tags(data)
    _tags[arn] = {**tags, **data.get("Tags", {})}
    return {}


def untag_resource(data: dict) -> dict:
    """Of a target."""
    arn, tags = _target_tags(data)
    _tags[arn] = {key: value for key, value in tags.items() if key not in data.get("TagKeys", [])}
    return {}


def list_tags_for_resource(data: dict) -> dict:
    """Of a target."""
    return {"Tags": _target_tags(data)[1]}


_OPERATIONS = {
    "DeleteScalingPolicy": delete_scaling_policy,
    "DeregisterScalableTarget": deregister_scalable_target,
    "DescribeScalableTargets": describe_scalable_targets,
    "DescribeScalingActivities": lambda data: {"ScalingActivities": []},
    "DescribeScalingPolicies": describe_scaling_policies,
    "DescribeScheduledActions": lambda data: {"ScheduledActions": []},
    "ListTagsForResource": list_tags_for_resource,
    "PutScalingPolicy": put_scaling_policy,
    "RegisterScalableTarget": register_scalable_target,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
}

# ---- What ministack expects of a service ------------------------------------------------------------------------


async def handle_request(method, path, headers, body, query_params):
    """One request; the operation stands in a header."""
    name = headers.get("x-amz-target", "").rpartition(".")[2]
    try:
        operation = _OPERATIONS.get(name)
        if operation is None:
            raise Refused("UnknownOperationException", f"Not supported here: {name}")
        return json_response(operation(json.loads(body or b"{}")))
    except Refused as reason:
        return error_response_json(reason.code, str(reason), 400, message_key="Message")


def get_state() -> dict:
    """What is saved."""
    return copy.deepcopy({"targets": _targets, "policies": _policies, "tags": _tags})


def load_persisted_state(data: dict) -> None:
    """What was saved."""
    for name, store in {"targets": _targets, "policies": _policies, "tags": _tags}.items():
        store.update(data[name])


def reset() -> None:
    """Forgets everything, of all accounts."""
    for store in (_targets, _policies, _tags):
        store.clear()


def install() -> None:
    """Makes ministack know the service."""
    router.SERVICE_PATTERNS[_SERVICE] = {"target_prefixes": ["AnyScaleFrontendService"], "credential_scope": _SERVICE}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[_SERVICE] = _SERVICE
    app.SERVICE_REGISTRY[_SERVICE] = {"module": _MODULE}
    app.SERVICE_HANDLERS[_SERVICE] = handle_request
    app._state_map[_MODULE] = _MODULE
    app._loaded_modules[_MODULE] = sys.modules[__name__]
