"""Values of API Gateway's patch operations: text that stands for booleans, numbers and more."""

import re
from collections.abc import Callable


class Refused(Exception):
    """The message and, with another one than BadRequestException, the error's code."""

    def __init__(self, message: str, code: str = "BadRequestException"):
        super().__init__(message)
        self.code = code


def text(value) -> str:
    return value or ""


def boolean(value) -> bool:
    return str(value).lower() == "true"


def one_of(*values: str, message: str) -> Callable[[str], str]:
    def convert(value):
        if value not in values:
            raise Refused(message)
        return value

    return convert


def integer(least: int, most: int, message: str) -> Callable[[str], int]:
    def convert(value):
        if not re.fullmatch(r"-?\d+", value or "", re.ASCII) or not least <= int(value) <= most:
            raise Refused(message)
        return int(value)

    return convert


def rate(value) -> float:
    if not re.fullmatch(r"-1(\.0+)?|\d+(\.\d+)?", value or "", re.ASCII):
        raise Refused("Invalid throttling rate limit")
    return float(value)


def compression(value) -> int | None:
    """No value switches it off."""
    message = "Invalid minimum compression size, must be between 0 and 10485760"
    return integer(0, 10485760, message)(value) if value else None


def variable(value) -> str:
    if not re.fullmatch(r"[A-Za-z0-9\-._~:/?#&=,]+", value or ""):
        raise Refused("Stage variable values can only have alphanumeric characters and the symbols -._~:/?#&=,")
    return value
