"""Kinds of fields that API Gateway's patch operations change, each with its paths and its operations."""

from collections.abc import Callable
from dataclasses import dataclass

import patch_values as values
from patch_values import Refused


@dataclass(frozen=True)
class Field:
    """What can be replaced."""

    convert: Callable = values.text
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
class Map:
    """What has entries, `/field/key`; `absent` is the answer to a removal of one that isn't there."""

    convert: Callable = values.text
    absent: str = ""

    def patch(self, record, name, rest, operation, value, path):
        if len(rest) != 1:
            raise Refused(f"Invalid patch path {path}")
        entries = record[name] = record.get(name) or {}
        if operation != "remove":
            entries[rest[0]] = self.convert(value)
        elif entries.pop(rest[0], None) is None and self.absent:
            raise Refused(self.absent, "NotFoundException")


class List:
    """What has values, `/field/value`."""

    def patch(self, record, name, rest, operation, value, path):
        if len(rest) != 1:
            raise Refused(f"Invalid patch path {path}")
        kept = [one for one in record.get(name) or [] if one != rest[0]]
        if operation == "replace" and len(kept) == len(record.get(name) or []):
            raise Refused(f"Invalid patch path {path}")
        added = {"add": [rest[0]], "replace": [value], "remove": []}[operation]
        record[name] = kept + [one for one in added if one not in kept]


class Addresses:
    """What has values, and one path for all: `/field`."""

    def patch(self, record, name, rest, operation, value, path):
        if rest or not value:
            raise Refused(f"Invalid patch path {path}")
        kept = [one for one in record.get(name) or [] if one != value]
        record[name] = {"add": [*kept, value], "replace": [value], "remove": kept}[operation]


_endpoint_type = values.one_of(
    "REGIONAL", "EDGE", "PRIVATE", message="Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE"
)


class EndpointTypes:
    """A list of one, whose path ends with the old value or its place."""

    def patch(self, record, name, rest, operation, value, path):
        types = record.get(name) or ["EDGE"]
        if len(rest) != 1 or rest[0] not in ("0", types[0]):
            raise Refused(f"Invalid patch path {path}")
        if operation != "replace":
            raise Refused("Invalid patch operation specified. Must be 'add'|'remove'|'replace'")
        record[name] = [_endpoint_type(value)]


class Canary:
    """A part of the stage's requests that goes to another deployment: made by its first setting, removed as a whole."""

    _FIELDS = {
        "deploymentId": values.text,
        "percentTraffic": lambda value: float(value),
        "useStageCache": values.boolean,
    }

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
                canary.setdefault("stageVariableOverrides", {})[variable] = values.variable(value)
            case _:
                raise Refused(f"Invalid patch path {path}")


@dataclass(frozen=True)
class Record:
    """Fields of a field, `/field/inner`."""

    fields: dict

    def patch(self, record, name, rest, operation, value, path):
        if not rest or rest[0] not in self.fields:
            raise Refused(f"Invalid patch path {path}")
        inner = record[name] = record.get(name) or {}
        self.fields[rest[0]].patch(inner, rest[0], rest[1:], operation, value, path)
