"""What the commands about files share: their options, the bar while they work, and how a report is shown."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.frame import REFUSED_ROWS, Means, emit_json, language, say, tell

if TYPE_CHECKING:
    from etl.loading import Occasion
    from etl.report import LoadReport
    from gis.access import Principal

FILE = click.argument("file", type=click.Path(path_type=Path))
CRS = click.option(
    "--crs",
    metavar="C",
    help=say(
        "文件的坐标系：EPSG:4490、EPSG:4326、GCJ-02、BD-09 或其他 EPSG 代码；不填则用文件自带的。",
        "System the file is in: EPSG:4490, EPSG:4326, GCJ-02, BD-09 or another EPSG code;"
        " left out: what the file itself says.",
    ),
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help=say("以 JSON 输出。", "Print JSON."))
_READING = (
    click.option(
        "--map", "mapping", metavar="NAME", help=say("映射文件名或路径。", "Mapping file, by name or path.")
    ),
    click.option(
        "--layer",
        metavar="NAME",
        help=say("多图层文件中的图层或工作表。", "Layer or sheet of a file that has several."),
    ),
    click.option(
        "--encoding",
        metavar="NAME",
        help=say("文字编码。", "Text encoding, where the file does not tell it."),
    ),
    click.option(
        "--refused",
        "refused_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=say("被拒行写到哪里；默认在输入文件旁。", "Where refused rows go; left out: beside the input."),
    ),
    click.option(
        "--dry-run", is_flag=True, help=say("照做一遍但不写入。", "Do all of it and write nothing.")
    ),
    AS_JSON,
)


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options every load has."""
    for option in reversed(_READING):
        command = option(command)
    return command


def operator() -> Principal:
    """Who works at the terminal: the login name, with the whole city; they can reach the database anyway."""
    from gis.access import Principal

    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return Principal(0, f"cli:{name}", name, "admin", "")


def occasion(means: Means, bar: Bar, *, dry_run: bool = False) -> Occasion:
    """Who loads, when, and who watches."""
    from etl.loading import Occasion

    return Occasion(operator(), means.now(), means.settings.zone, bar, dry_run)


def show(report: LoadReport, as_json: bool) -> int:
    """Print a report; the status is 1 when rows were refused."""
    if as_json:
        emit_json(report.as_json())
    else:
        for line in report.lines(language()):
            tell(line)
    return REFUSED_ROWS if report.refused else 0


PHASES = {
    "read": ("读取", "reading"),
    "route": ("定责", "routing"),
    "write": ("写入", "writing"),
    "dump": ("导出数据", "dumping"),
    "photos": ("照片", "photographs"),
    "check": ("核对文件", "checking"),
    "restore": ("恢复", "restoring"),
}
BAR_WIDTH = 30


class Bar:
    """A progress bar on a terminal's standard error; silent when nobody looks at one."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._open = False

    def __call__(self, phase: str, done: int, total: int | None) -> None:
        if not self._shown:
            return
        full = BAR_WIDTH if not total else min(BAR_WIDTH, BAR_WIDTH * done // total)
        count = f"{done:,}" + (f" / {total:,}" if total else "") if done else ""
        bar = "█" * full + "·" * (BAR_WIDTH - full)
        click.echo(f"\r\x1b[2K{say(*PHASES[phase])} {bar} {count}", err=True, nl=False)
        self._open = True

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._open:
            click.echo("\r\x1b[2K", err=True, nl=False)
