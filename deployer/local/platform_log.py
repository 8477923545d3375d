"""What Lambda itself writes to a function's log: the lines around those of the function, with what was measured.

Stock ministack writes a log stream for each invocation instead of one for each environment, tells the caller's time
instead of the function's, and gives `LogType=Tail` none of it.
"""

import dataclasses
import datetime
import math
import os
import time

from ministack.services import cloudwatch_logs

_KEPT = 200_000  # events of an environment; endless load would fill the memory


@dataclasses.dataclass
class Line:
    """An event of the log, without the newline at its end."""

    milliseconds: int  # since 1970
    text: str


def now() -> int:
    """The time of an event, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclasses.dataclass
class Report:
    """What an invocation took."""

    request_id: str
    started: int  # in milliseconds since 1970
    seconds: float  # from when the function got its event to when it answered
    peak_memory: int  # of the environment so far, in MB
    init_seconds: float | None = None  # of a new environment; None if it was there, or didn't come to be
    failure: str | None = None  # the type of the error, when the runtime didn't get to an answer
    reason: str = ""  # of the failure

    def lines(self, config: dict, own: list[Line]) -> list[Line]:
        """All of an invocation: START, the function's own lines, why it failed, END and REPORT."""
        ended, version = now(), config.get("Version", "$LATEST")
        lines = [Line(self.started, f"START RequestId: {self.request_id} Version: {version}"), *own]
        if self.failure == "Sandbox.Timedout":
            at = datetime.datetime.fromtimestamp(ended / 1000, datetime.timezone.utc)
            moment = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            lines.append(Line(ended, f"{moment} {self.request_id} {self.reason}\n"))
        elif self.failure:
            lines.append(Line(ended, f"RequestId: {self.request_id} Error: {self.reason}\n{self.failure}"))
        lines.append(Line(ended, f"END RequestId: {self.request_id}"))
        lines.append(Line(ended, self._text(config)))
        return lines

    def _text(self, config: dict) -> str:
        duration = self.seconds * 1000
        if self.failure == "Sandbox.Timedout":
            duration = min(duration, config["Timeout"] * 1000)
        # The initialisation is billed, too, whatever the runtime.
        billed = math.ceil(round(duration + (self.init_seconds or 0) * 1000, 2))
        fields = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {duration:.2f} ms",
            f"Billed Duration: {max(billed, 1)} ms",
            f"Memory Size: {config.get('MemorySize', 128)} MB",
            f"Max Memory Used: {self.peak_memory} MB",
        ]
        if self.init_seconds is not None:
            fields.append(f"Init Duration: {self.init_seconds * 1000:.2f} ms")
        if self.failure == "Sandbox.Timedout":
            fields.append("Status: timeout")
        elif self.failure:
            fields += ["Status: error", f"Error Type: {self.failure}"]
        return "\t".join([*fields, ""])


def group_of(config: dict) -> str:
    """The name of a function's log group."""
    return (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config.get('FunctionName')}"


def write(group: str, stream: str, lines: list[Line]) -> None:
    """To CloudWatch Logs. Whoever deletes the group meanwhile finds it made again, as on AWS."""
    if group not in cloudwatch_logs._log_groups:
        cloudwatch_logs._create_log_group({"logGroupName": group})
    if stream not in cloudwatch_logs._log_groups[group]["streams"]:
        cloudwatch_logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
    record = cloudwatch_logs._log_groups[group]["streams"][stream]
    ingested = now()
    events = [
        {"timestamp": line.milliseconds, "message": f"{line.text}\n", "ingestionTime": ingested} for line in lines
    ]
    cloudwatch_logs._append_log_events(record, events)
    if len(record["events"]) > _KEPT:
        with cloudwatch_logs._log_events_lock:
            del record["events"][: _KEPT // 4]
    cloudwatch_logs._fanout_to_subscription_filters(group, stream, events)


def peak_memory(process) -> int:
    """Peak resident memory of a process in MB; 0 where the system doesn't tell, or the process has ended."""
    try:
        descriptor = os.open(f"/proc/{process.pid}/status", os.O_RDONLY)
        try:
            status = os.read(descriptor, 4096)
        finally:
            os.close(descriptor)
        return math.ceil(int(status.partition(b"VmHWM:")[2].split(maxsplit=1)[0]) / 1024)
    except (OSError, AttributeError, IndexError, ValueError):
        return 0
