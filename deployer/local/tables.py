"""DynamoDB's tables: states that take a moment, what is read back, what is refused."""

import json
import os
import time

from ministack.core import responses
from ministack.services import dynamodb

import decreases

# How long a table is in a state between two others. Long enough to be seen, short enough to wait for.
_TRANSITION = float(os.environ.get("TRANSITION_SECONDS", "0.1"))

_create_table = dynamodb._create_table
_update_table = dynamodb._update_table
_delete_table = dynamodb._delete_table
_describe_table = dynamodb._describe_table
_table_description = dynamodb._table_description
_update_ttl = dynamodb._update_ttl
_describe_ttl = dynamodb._describe_ttl

_transitions: dict[tuple, tuple[str, float, dict]] = {}  # table -> status, until when, description
_ttl_transitions: dict[tuple, tuple[str, float]] = {}  # table -> status of its time to live, until when


def _key(name) -> tuple[str, str, str]:
    return responses.get_account_id(), responses.get_region(), name


def _name(data: dict) -> str:
    return dynamodb._normalize_table_name(data.get("TableName"))


def _invalid(message: str):
    return responses.error_response_json("ValidationException", message, 400)


def _no_such_table(name):
    message = f"Requested resource not found: Table: {name} not found"
    return responses.error_response_json("ResourceNotFoundException", message, 400)


# ---- States -----------------------------------------------------------------------------------------------------


def _transition(name) -> tuple[str, dict] | None:
    """The status that a table is in for the moment, and its description then."""
    status, until, description = _transitions.get(_key(name), ("", 0, {}))
    if time.monotonic() < until:
        return status, description
    _transitions.pop(_key(name), None)
    return None


def _in_use(name):
    """A refusal while the table changes; else None."""
    current = _transition(name)
    if current is None:
        return None
    doing = {"CREATING": "created", "UPDATING": "updated", "DELETING": "deleted"}[current[0]]
    message = f"Attempt to change a resource which is still in use: Table is being {doing}: {name}"
    return responses.error_response_json("ResourceInUseException", message, 400)


def _taking_a_moment(operation, status: str):
    """An operation on a table after which it has `status` for a moment, and until when others are refused."""

    def handle(data):
        name = _name(data)
        current = _transition(name)
        if current and current[0] == "DELETING" and status == "UPDATING":
            return _no_such_table(name)
        if current:
            return _in_use(name)
        code, headers, body = operation(data)
        if code >= 300:
            return code, headers, body
        description = {**json.loads(body)["TableDescription"], "TableStatus": status}
        _transitions[_key(name)] = (status, time.monotonic() + _TRANSITION, description)
        if name in dynamodb._tables:
            description = table_description(name)
        return code, headers, json.dumps({"TableDescription": description}).encode()

    return handle


def describe_table(data):
    """DescribeTable, also of a table that is being deleted."""
    status, description = _transition(_name(data)) or ("", {})
    return responses.json_response({"Table": description}) if status == "DELETING" else _describe_table(data)


def table_description(name):
    """A table's description, with the status that it has for the moment, and how it is billed as DynamoDB tells it."""
    status, _description = _transition(name) or ("", {})
    description = _table_description(name)
    throughput = {**decreases.described(dynamodb._tables[name], time.time()), **description["ProvisionedThroughput"]}
    description["ProvisionedThroughput"] = throughput
    billing = description.pop("BillingModeSummary", {})
    on_demand = billing.get("BillingMode") == "PAY_PER_REQUEST"
    if on_demand or "LastUpdateToPayPerRequestDateTime" in billing:
        since = {} if status == "CREATING" else {"LastUpdateToPayPerRequestDateTime": description["CreationDateTime"]}
        description["BillingModeSummary"] = {**since, **billing}
    description["WarmThroughput"] = {
        "ReadUnitsPerSecond": 12000 if on_demand else throughput["ReadCapacityUnits"],
        "WriteUnitsPerSecond": 4000 if on_demand else throughput["WriteCapacityUnits"],
        "Status": "ACTIVE",
    }
    return {**description, "TableStatus": status} if status else description


# ---- Changes ----------------------------------------------------------------------------------------------------


def update_table(data):
    """Refuses what would change nothing, and keeps when the table was last switched to on-demand."""
    table = dynamodb._tables.get(_name(data))
    if table is None:
        return _update_table(data)
    refusal = _billing_refusal(table, data)
    if refusal:
        return _invalid(refusal)
    before = table["BillingModeSummary"]
    provisioned = before["BillingMode"] == "PROVISIONED"
    wanted = data.get("ProvisionedThroughput") or {}
    decreased = provisioned and decreases.is_decrease(table["ProvisionedThroughput"], wanted)
    refusal = decreases.refusal(table, time.time()) if decreased else None
    if refusal:
        return responses.error_response_json("LimitExceededException", refusal, 400)
    answer = _update_table(data)
    if answer[0] < 300 and decreased:
        decreases.count(table, time.time())
    if answer[0] < 300 and any("Create" in update for update in data.get("ReplicaUpdates") or []):
        table[_SOURCED_AT] = {responses.get_region(): time.time()}
    if answer[0] < 300 and data.get("BillingMode") == "PROVISIONED":
        was_on_demand = before["BillingMode"] == "PAY_PER_REQUEST"
        since = before.get("LastUpdateToPayPerRequestDateTime", table["CreationDateTime"] if was_on_demand else None)
        table["BillingModeSummary"] = {
            "BillingMode": "PROVISIONED",
            **({"LastUpdateToPayPerRequestDateTime": since} if since else {}),
        }
    return answer


def _billing_refusal(table: dict, data: dict) -> str | None:
    current, wanted = table["BillingModeSummary"]["BillingMode"], data.get("BillingMode")
    capacity, throughput = table["ProvisionedThroughput"], data.get("ProvisionedThroughput")
    invalid = "One or more parameter values were invalid: "
    if (wanted or current) == "PAY_PER_REQUEST":
        if throughput:
            return (
                f"{invalid}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
                "PAY_PER_REQUEST"
            )
        return "The billing mode of the table will not change." if wanted == current else None
    if not throughput:
        both = "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
        return f"{invalid}{both}" if wanted else None
    units = "ReadCapacityUnits", "WriteCapacityUnits"
    if current == "PROVISIONED" and all(throughput.get(unit) == capacity[unit] for unit in units):
        told = " ".join(
            f"Current {unit} provisioned for the table: {capacity[unit]}. Requested {unit}: {throughput[unit]}."
            for unit in units
        )
        return (
            "The provisioned throughput for the table will not change. The requested value equals the current value. "
            f"{told} Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
        )
    return None


# Region -> when its table was last the source of a new replica: in the table's record. For a day after, DynamoDB refuses
# to delete it while it has replicas. (A replica gets a copy of the record, hence the region.)
_SOURCED_AT = "_sourced_replica_at"
_DAY = 24 * 60 * 60


def delete_table(data):
    """Refuses in DynamoDB's words."""
    table = dynamodb._tables.get(_name(data)) or {}
    if table.get("DeletionProtectionEnabled"):
        return _invalid(
            "Resource cannot be deleted as it is currently protected against deletion. "
            "Disable deletion protection first."
        )
    replicas = set(dynamodb._replica_group(table)) - {responses.get_region()}
    sourced_at = table.get(_SOURCED_AT, {}).get(responses.get_region(), 0)
    if replicas and time.time() - sourced_at < _DAY:
        return _invalid(
            "Replica cannot be deleted because it has acted as a source region for new replica(s) being added to the "
            "table in the last 24 hours."
        )
    return _delete_table(data)


# ---- Time to live -----------------------------------------------------------------------------------------------


def update_time_to_live(data):
    """Refuses to enable or disable it again, and another attribute than the one that is enabled."""
    name, specification = _name(data), data.get("TimeToLiveSpecification") or {}
    if name not in dynamodb._tables:
        return _no_such_table(name)
    if (_transition(name) or ("", {}))[0] == "CREATING":
        return _in_use(name)
    setting = dynamodb._ttl_settings.get(name) or {}
    current = setting.get("TimeToLiveStatus", "DISABLED")
    attribute = setting.get("AttributeName")
    if current == "ENABLED" and attribute != specification.get("AttributeName"):
        return _invalid(f"TimeToLive is active on a different AttributeName: current AttributeName is {attribute}")
    wanted = "ENABLED" if specification.get("Enabled") else "DISABLED"
    if wanted == current:
        return _invalid(f"TimeToLive is already {current.lower()}")
    answer = _update_ttl(data)
    if answer[0] < 300:
        status = "ENABLING" if wanted == "ENABLED" else "DISABLING"
        _ttl_transitions[_key(name)] = (status, time.monotonic() + _TRANSITION)
    return answer


def describe_time_to_live(data):
    """With the status that it has for the moment; of one that is disabled without the attribute."""
    name = _name(data)
    if name not in dynamodb._tables:
        return _no_such_table(name)
    code, headers, body = _describe_ttl(data)
    description = json.loads(body)["TimeToLiveDescription"]
    status, until = _ttl_transitions.get(_key(name), ("", 0))
    if time.monotonic() < until:
        description["TimeToLiveStatus"] = status
    elif description["TimeToLiveStatus"] == "DISABLED":
        description.pop("AttributeName", None)
    return code, headers, json.dumps({"TimeToLiveDescription": description}).encode()


# ---- Point-in-time recovery -------------------------------------------------------------------------------------

_DAYS = "_recovery_period_in_days"  # in the table's record


def update_continuous_backups(data):
    """Keeps the period, too."""
    name = _name(data)
    table = dynamodb._tables.get(name)
    if table is None:
        return _backups_of_no_table(name)
    if (_transition(name) or ("", {}))[0] == "CREATING":
        message = f"Backups are being enabled for the table: {name}. Please retry later"
        return responses.error_response_json("ContinuousBackupsUnavailableException", message, 400)
    specification = data.get("PointInTimeRecoverySpecification") or {}
    days = specification.get("RecoveryPeriodInDays", table.get(_DAYS, 35))
    if not 1 <= days <= 35:
        return _invalid("RecoveryPeriodInDays must be between 1 and 35")
    table[_DAYS] = days
    dynamodb._pitr_settings[name] = bool(specification.get("PointInTimeRecoveryEnabled"))
    return describe_continuous_backups(data)


def describe_continuous_backups(data):
    """Tells the period, too."""
    name = _name(data)
    table = dynamodb._tables.get(name)
    if table is None:
        return _backups_of_no_table(name)
    recovery: dict = {"PointInTimeRecoveryStatus": "DISABLED"}
    if dynamodb._pitr_settings.get(name):
        now = int(time.time())
        recovery = {
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": table.get(_DAYS, 35),
            "EarliestRestorableDateTime": now,
            "LatestRestorableDateTime": now,
        }
    description = {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": recovery}
    return responses.json_response({"ContinuousBackupsDescription": description})


def _backups_of_no_table(name):
    return responses.error_response_json("TableNotFoundException", f"Table not found: {name}", 400)


def install() -> None:
    """Makes ministack use all of the above."""
    dynamodb._create_table = _taking_a_moment(_create_table, "CREATING")
    dynamodb._update_table = _taking_a_moment(update_table, "UPDATING")
    dynamodb._delete_table = _taking_a_moment(delete_table, "DELETING")
    dynamodb._describe_table = describe_table
    dynamodb._table_description = table_description
    dynamodb._update_ttl = update_time_to_live
    dynamodb._describe_ttl = describe_time_to_live
    dynamodb._update_continuous_backups = update_continuous_backups
    dynamodb._describe_continuous_backups = describe_continuous_backups
