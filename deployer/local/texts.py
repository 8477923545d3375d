"""JSON texts that are left alone on their way to a function and back.

Stock ministack parses an event into Python values and spells it anew for the function, and does the same with the
answer: `1.50` arrives as `1.5`, a 30-digit number as a float, `1e400` as `Infinity`, which is not JSON. AWS passes
both texts through. Here an `Exchange` travels beside the parsed values and carries the texts.
"""

import contextlib
import contextvars
import dataclasses
import json


@dataclasses.dataclass
class Exchange:
    """The texts of one invocation. `event` is the parsed value whose text `request` is: compared by identity, so
    that another invocation made on the way (an authorizer, a failure destination) doesn't get this one's text."""

    event: object
    request: bytes
    answer: bytes | None = None


_exchange: contextvars.ContextVar[Exchange | None] = contextvars.ContextVar("exchange", default=None)


@contextlib.contextmanager
def exact(event: object, request: bytes):
    """Invocations of `event` inside this block get the text `request`; the exchange has the answer's text after."""
    exchange = Exchange(event, request)
    token = _exchange.set(exchange)
    try:
        yield exchange
    finally:
        _exchange.reset(token)


def exchange_of(event: object) -> Exchange | None:
    """The exchange whose event this is, if there is one."""
    exchange = _exchange.get()
    return exchange if exchange is not None and exchange.event is event else None


class InvalidJson(ValueError):
    """The text is not JSON; the message says where."""


def parse_json(text: bytes) -> object:
    """The parsed value of a JSON text, accepting exactly what JSON is: no NaN, no Infinity, numbers of any length."""

    def integer(digits: str) -> int | float:
        # Python refuses to convert integers of more than 4,300 digits.
        return int(digits) if len(digits) < 4000 else float(digits)

    def constant(name: str):
        raise InvalidJson(f"Unrecognized token '{name}'")

    try:
        return json.loads(text.decode("utf-8"), parse_int=integer, parse_constant=constant)
    except RecursionError:
        return {}  # nested too deeply for Python; the text is passed on all the same
    except InvalidJson:
        raise
    except ValueError as error:
        raise InvalidJson(str(error)) from None
