"""Records a command in a terminal of a fixed size, and draws its last screen as SVG."""

import fcntl
import html
import os
import pty
import re
import select
import struct
import subprocess
import termios
from dataclasses import dataclass

import pyte

COLUMNS, ROWS = 100, 40
CELL, LINE = 8.4, 18

# Readable on the picture's own dark background, which does not depend on the page around it.
BACKGROUND, FOREGROUND, BAR = "#1b1f27", "#d8dee9", "#2b303b"
COLOURS = {
    "red": "#ff7b85",
    "green": "#8fd694",
    "brown": "#f0c674",
    "blue": "#81a2f0",
    "magenta": "#d3a0e8",
    "cyan": "#7fd1d8",
    "black": "#7c8594",
}


@dataclass
class Recording:
    """The last screen of a command: text cells with their style, row by row."""

    screen: pyte.Screen
    status: int

    def rows(self) -> list[str]:
        """The text of each row, without trailing spaces or trailing empty rows."""
        rows = [row.rstrip() for row in self.screen.display]
        while rows and not rows[-1]:
            rows.pop()
        return rows


def record(command: list[str], folder: str) -> Recording:
    """Runs a command in a pseudo-terminal until it ends, and returns what the terminal shows then."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in ("CI", "NO_COLOR")}
    environment["TERM"] = "xterm-256color"
    with subprocess.Popen(
        command, cwd=folder, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    ) as process:
        os.close(slave)
        while True:
            ready, _, _ = select.select([master], [], [], 0.1)
            try:
                data = os.read(master, 65536) if ready else b""
            except OSError:
                break
            if data:
                stream.feed(data)
            elif process.poll() is not None:
                break
        status = process.wait()
    os.close(master)
    return Recording(screen, status)


def svg(recording: Recording, title: str, replacements: list[tuple[str, str]]) -> str:
    """Draws a recording. Each replacement is a regular expression and the text that stands for its matches."""
    rows = recording.rows()
    height = (len(rows) + 1) * LINE + 40
    width = COLUMNS * CELL + 32
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        f"<title>{html.escape(title)}</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
        f'<rect width="100%" height="26" rx="8" fill="{BAR}"/>',
        *(f'<circle cx="{18 + 18 * n}" cy="13" r="5" fill="#5b6472"/>' for n in range(3)),
        f'<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="{FOREGROUND}">',
    ]
    for number, text in enumerate(rows):
        spans = "".join(_spans(recording.screen.buffer[number], len(text), replacements))
        lines.append(f'<text xml:space="preserve" x="16" y="{48 + number * LINE}">{spans}</text>')
    return "\n".join([*lines, "</g>", "</svg>", ""])


def _spans(row, length: int, replacements: list[tuple[str, str]]):
    """One element for each run of cells of one style."""
    cells = [row[column] for column in range(length)]
    start = 0
    while start < length:
        style = (cells[start].fg, cells[start].bold)
        end = start
        while end < length and (cells[end].fg, cells[end].bold) == style:
            end += 1
        text = "".join(cell.data for cell in cells[start:end])
        for pattern, replacement in replacements:
            text = re.sub(pattern, replacement, text)
        fill = f' fill="{COLOURS[style[0]]}"' if style[0] in COLOURS else ""
        weight = ' font-weight="bold"' if style[1] else ""
        yield f"<tspan{fill}{weight}>{html.escape(text)}</tspan>"
        start = end
