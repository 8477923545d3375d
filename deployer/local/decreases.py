"""How often a day DynamoDB decreases a table's provisioned capacity.

Four times at any time, and after that when the last decrease was an hour ago: 27 times at most. A day is one of UTC.
<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>
"""

import datetime

_AT_ANY_TIME, _HOUR = 4, 3600
_RECORD = "_decreases"  # in the table's record: how many there were on the day of the last, and when that was
_UNITS = "ReadCapacityUnits", "WriteCapacityUnits"


def _day(time: float) -> datetime.date:
    return datetime.datetime.fromtimestamp(time, datetime.UTC).date()


def today(table: dict, now: float) -> int:
    """How many decreases there were today."""
    count, last = table.get(_RECORD, (0, 0))
    return count if _day(last) == _day(now) else 0


def described(table: dict, now: float) -> dict:
    """What a table's description tells of them."""
    last = {"LastDecreaseDateTime": table[_RECORD][1]} if _RECORD in table else {}
    return {"NumberOfDecreasesToday": today(table, now), **last}


def is_decrease(current: dict, wanted: dict) -> bool:
    """Whether one throughput has less of anything than the other."""
    return any(wanted.get(unit, current[unit]) < current[unit] for unit in _UNITS)


def refusal(table: dict, now: float) -> str | None:
    """Why the table's capacity can't be decreased now; else None."""
    count, last = table.get(_RECORD, (0, 0))
    if today(table, now) < _AT_ANY_TIME or now - last >= _HOUR:
        return None
    return (
        "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. "
        f"After the first {_AT_ANY_TIME} decreases, each subsequent decrease in the same UTC day can be performed at "
        f"most once every {_HOUR} seconds. Number of decreases today: {count}. Last decrease at {_told(last)}. "
        f"Next decrease can be made at {_told(last + _HOUR)}"
    )


def _told(time: float) -> str:
    """As in `Monday, October 10, 2022 at 1:00:19 PM Coordinated Universal Time`."""
    moment = datetime.datetime.fromtimestamp(time, datetime.UTC)
    hour = moment.hour % 12 or 12
    return f"{moment:%A, %B} {moment.day}, {moment.year} at {hour}:{moment:%M:%S %p} Coordinated Universal Time"


def count(table: dict, now: float) -> None:
    """Remembers a decrease."""
    table[_RECORD] = today(table, now) + 1, now
