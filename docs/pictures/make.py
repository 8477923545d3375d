"""Makes the pictures of the README and the book from real runs against the local AWS.

Usage: make.py BINARY, from the root of the repository. `make pictures` calls it.
"""

import html
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import terminal

PICTURES = Path("docs/src/pictures")

# What differs from run to run, and what stands for it in the pictures.
RUN_SPECIFIC = [
    (r"127\.0\.0\.1:\d+", "127.0.0.1:4566"),
    (r"/restapis/\w+/", "/restapis/a1b2c3d4/"),
]


def picture_of_up(binary: str, local: list[str]) -> str:
    """Deploys the lab and draws the terminal."""
    recording = terminal.record([binary, "up", *local], ".")
    if recording.status != 0:
        raise SystemExit("\n".join(recording.rows()))
    return terminal.svg(recording, "deployer up --local in a terminal", RUN_SPECIFIC)


def picture_of_load(binary: str, local: list[str], folder: Path) -> str:
    """Loads the deployed lab and takes the first chart of the report's page, with the page's own style."""
    report = folder / "report.html"
    load = [binary, "load", *local, "--rate", "40", "--duration", "30s", "--cleanup", "--html", str(report)]
    subprocess.run(load, check=True, stdout=subprocess.DEVNULL)
    page = report.read_text()
    style = re.search(r"<style>(.*?)</style>", page, re.S)[1]
    figure = re.search(r"<figure>(.*?)</figure>", page, re.S)[1]
    width, height = re.search(r'viewBox="0 0 (\d+) (\d+)"', figure).groups()
    chart = re.search(r"<svg[^>]*>(.*?)</svg>", figure, re.S)[1]
    heading = re.search(r"<h2>(.*?)</h2>", figure, re.S)[1]
    keys = re.findall(r'<span class="key"><i class="(\w+)"></i>(.*?)</span>', figure)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {width} {int(height) + 50}" role="img">',
            f"<title>{heading}, from a load report</title>",
            f"<style>{html.escape(style, quote=False)}</style>",
            '<rect width="100%" height="100%" rx="8" style="fill: var(--paper)"/>',
            f'<text class="mark" x="16" y="28">{heading}</text>',
            *_legend(keys),
            f'<g transform="translate(0 40)">{chart}</g>',
            "</svg>",
            "",
        ]
    )


def _legend(keys: list[tuple[str, str]]):
    x = 170
    for name, text in keys:
        yield f'<g class="{name}"><rect class="bar" x="{x}" y="18" width="12" height="12" rx="3"/></g>'
        yield f'<text x="{x + 18}" y="28">{text}</text>'
        x += 34 + 8 * len(text)


def main(binary: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        local = ["--local", "--local-state", str(Path(folder, "local")), "--local-port", "0"]
        try:
            up = picture_of_up(binary, local)
            load = picture_of_load(binary, local, Path(folder))
        finally:
            stop = [binary, "local", "stop", "--local-state", str(Path(folder, "local"))]
            subprocess.run(stop, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (PICTURES / "up.svg").write_text(up)
    (PICTURES / "load.svg").write_text(load)
    print(f"Wrote {PICTURES}/up.svg and {PICTURES}/load.svg.", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
