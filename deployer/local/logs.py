"""FilterLogEvents: stock ministack ignores case, knows no optional terms, and cuts off what doesn't fit into one page."""

import bisect
import heapq
import itertools
import re
import uuid

from ministack.core.responses import error_response_json, json_response
from ministack.services import cloudwatch_logs

_PAGE = 10_000  # events that one call looks at, as AWS looks at so much for a page and no further
_TERM = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]+)%|([^\s"%]+))(?:\s+|$)')


def matcher(pattern: str):
    """A filter pattern of terms as a function of a message; None for what isn't known here."""
    pattern = pattern.strip()
    required, optional, excluded = [], [], []
    position = 0
    while position < len(pattern):
        term = _TERM.match(pattern, position)
        if term is None or pattern.startswith(("{", "[")):
            return None
        sign, quoted, regex, word = term.groups()
        text = quoted.replace('\\"', '"') if quoted is not None else word
        found = re.compile(regex).search if regex else lambda message, text=text: text in message
        {"": required, "?": optional, "-": excluded}[sign].append(found)
        position = term.end()
    # Beside a term without a sign, optional ones count for nothing.
    wanted = optional if optional and not required else []
    return lambda message: (
        all(found(message) for found in required)
        and (not wanted or any(found(message) for found in wanted))
        and not any(found(message) for found in excluded)
    )


def filter_log_events(data):
    """In pages, each of what was found among the next events: one without any may be followed by one with some."""
    group = cloudwatch_logs._log_groups.get(cloudwatch_logs._resolve_log_group_name(data))
    if group is None:
        return error_response_json("ResourceNotFoundException", "The specified log group does not exist.", 400)
    matches, token = matcher(data.get("filterPattern") or ""), data.get("nextToken") or "0-0"
    if matches is None:
        return _invalid("The local AWS knows filter patterns of terms only")
    if not re.fullmatch(r"\d+-\d+", token, re.ASCII):
        return _invalid("The specified nextToken is invalid.")
    since, seen = map(int, token.split("-"))  # so many events of that time were looked at
    first, last = max(data.get("startTime", 0), since), data.get("endTime", float("inf"))
    limit = min(data.get("limit", _PAGE), _PAGE)
    names = data.get("logStreamNames") or list(group["streams"])
    with cloudwatch_logs._log_events_lock:
        streams = [
            [(event, name) for event in _between(group["streams"][name]["events"], first, last, seen + limit + 1)]
            for name in names
            if name in group["streams"]
        ]
    found = list(itertools.islice(heapq.merge(*streams, key=lambda found: _time(found[0])), seen, seen + limit + 1))
    page = [event for event, _name in found[:limit]]
    answer = {"events": [_shown(*one) for one in found[:limit] if matches(one[0]["message"])], "searchedLogStreams": []}
    if len(found) > limit:
        reached = _time(page[-1])
        seen = sum(1 for event in page if _time(event) == reached) + (seen if reached == since else 0)
        answer["nextToken"] = f"{reached}-{seen}"
    return json_response(answer)


def _time(event: dict) -> int:
    return event["timestamp"]


def _between(events: list[dict], first: int, last: float, most: int) -> list[dict]:
    """A stream's events of a span of time, both ends included, but no more than `most`."""
    start = bisect.bisect_left(events, first, key=_time)
    end = bisect.bisect_right(events, last, key=_time)
    return events[start : min(end, start + most)]


def _shown(event: dict, stream: str) -> dict:
    # Whatever wrote the event, it has an id that stays.
    event.setdefault("eventId", str(uuid.uuid4().int))
    return {**event, "logStreamName": stream}


def _invalid(message: str):
    return error_response_json("InvalidParameterException", message, 400)


def install() -> None:
    """Makes ministack use all of the above."""
    cloudwatch_logs._filter_log_events = filter_log_events
