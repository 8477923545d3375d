"""Limits of an API's requests. Stock ministack overlooks those of a single method, and takes -1, which is none, for 0."""

import time

from ministack.services import apigateway_v1 as gateway

# What applies where nothing is set: the limits of an account.
_RATE, _BURST = 10_000, 5_000

_buckets: dict[tuple, tuple[float, float]] = {}


def method_limits(stage: dict, path: str, method: str) -> dict | None:
    """The settings of a method, else those of all methods of the stage."""
    settings = stage.get("methodSettings") or {}
    escaped = path.replace("~", "~0").replace("/", "~1")
    return settings.get(f"{escaped}/{method}") or settings.get("*/*")


def take_token(slot: tuple, limits: dict) -> bool:
    """Takes one of the tokens of a limit, if there is one: so many at once, and so many more each second."""
    rate, burst = (
        default if limit is None or limit < 0 else limit
        for limit, default in ((limits.get("rateLimit"), _RATE), (limits.get("burstLimit"), _BURST))
    )
    slot, now = (slot, rate, burst), time.monotonic()  # whatever is changed begins anew
    tokens, since = _buckets.get(slot, (burst, now))
    tokens = min(burst, tokens + (now - since) * rate)
    taken = tokens >= 1
    _buckets[slot] = tokens - taken, now
    return taken


def install() -> None:
    """Makes ministack use all of the above."""
    gateway._method_throttle_settings = method_limits
    gateway._take_token = take_token
