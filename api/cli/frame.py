"""What every command stands on: its language, its means (settings, database, clock), how it ends.

A command tells a failure in the operator's language with its remedy and leaves with status 2; rows refused
inside a file that was read well are status 1; done is 0. A traceback is shown only under `CITYGRID_DEBUG`.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NoReturn

import click

REFUSED_ROWS = 1
FAILED = 2
INTERRUPTED = 130

ID = click.IntRange(1, 2**31 - 1)
"""Numbers of rows are PostgreSQL integers; a larger one names nothing."""


def language() -> str:
    """`zh` or `en`: `CITYGRID_LANGUAGE`, else whether the locale is a Chinese one."""
    chosen = os.environ.get("CITYGRID_LANGUAGE", "")
    if chosen in ("zh", "en"):
        return chosen
    locale = next(
        (os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), ""
    )
    return "zh" if locale.startswith("zh") else "en"


def say(zh: str, en: str) -> str:
    """The one of the two that the operator reads."""
    return zh if language() == "zh" else en


class Means:
    """What a command works with; made once, each part only when it is first asked for."""

    @cached_property
    def settings(self) -> Any:
        from gis.settings import Settings

        return Settings.load()

    @cached_property
    def database_url(self) -> str:
        """The configured database, or the private cluster's, started when it is down."""
        from gis.cluster import database_url

        return database_url(self.settings)

    @cached_property
    def database(self) -> Any:
        from gis.database import Database

        return Database(self.database_url)

    def now(self) -> datetime:
        """The moment, with an offset. Rooms below the door are told it and never ask."""
        return datetime.now(UTC)


class LazyGroup(click.Group):
    """A group whose commands live in modules that are imported only when they are called.

    `places` maps a command's name to (module, help in Chinese, help in English); the module holds the command
    as `command`. So `citygrid --help` is quick, and a room's imports cost only those who use it.
    """

    def __init__(self, *, places: Mapping[str, tuple[str, str, str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.places:
            return None
        return importlib.import_module(self.places[cmd_name][0]).command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(say("命令", "Commands")):
            formatter.write_dl([(name, say(zh, en)) for name, (_, zh, en) in self.places.items()])


def tell(message: str) -> None:
    """Something for the person at the terminal; never mixed into what `--json` prints."""
    click.echo(message, err=True)


def emit_json(value: Any) -> None:
    """One JSON document on standard output, dataclasses and moments included."""
    click.echo(json.dumps(value, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)


def run(group: click.Group) -> NoReturn:
    """Run the command line and leave with its status."""
    try:
        status = group.main(standalone_mode=False, obj=Means())
    except click.ClickException as error:
        error.show()
        status = FAILED
    except click.Abort:
        tell(say("已中断。", "Interrupted."))
        status = INTERRUPTED
    except Exception as error:
        if os.environ.get("CITYGRID_DEBUG"):
            raise
        _tell_failure(error)
        status = FAILED
    sys.exit(status if isinstance(status, int) else 0)


_UNREACHABLE = ("08", "28", "3D", "57P")
"""SQLSTATE: no connection, no such account, no such database, the server stops or starts."""


_OLD_SCHEMA = ("42P01", "42703", "42883")
"""SQLSTATE: no such table, column, function."""


def _of_database(error: Any) -> tuple[str, str]:
    """A failure of the database in words: its schema is not ours, it is not there, its disk is full, or it
    could not finish."""
    reason, state = str(error).strip(), getattr(error, "sqlstate", None)
    if state in _OLD_SCHEMA:
        return say("数据库的结构不是最新的：", "The database's schema is not the newest: ") + (
            reason.splitlines()[0]
        ), say("请运行：citygrid db upgrade", "Run: citygrid db upgrade")
    if state is None or state.startswith(_UNREACHABLE):
        return say("无法连接数据库：", "The database cannot be reached: ") + reason, say(
            "请核对 CITYGRID_DATABASE_URL；私有数据库用 citygrid db up 启动。",
            "Check CITYGRID_DATABASE_URL; the private cluster starts by: citygrid db up",
        )
    if state == "53100":
        return say("数据库所在磁盘已满：", "The database's disk is full: ") + reason, say(
            "没有写入任何内容；腾出空间后重试。", "Nothing was written; make room and run it again."
        )
    return say("数据库未能完成：", "The database could not finish: ") + reason, say(
        "没有写入任何内容；请重试。", "Nothing was written; run it again."
    )


def _tell_failure(error: Exception) -> None:
    """What went wrong and what to do, in the operator's language."""
    import psycopg
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from gis.errors import CityGridError

    if isinstance(error, CityGridError):
        message, remedy = say(error.message_zh, error.message_en), say(error.remedy_zh, error.remedy_en)
    elif isinstance(error, (OperationalError, psycopg.OperationalError)) or (
        isinstance(error, ProgrammingError) and getattr(error.orig, "sqlstate", None) in _OLD_SCHEMA
    ):
        message, remedy = _of_database(getattr(error, "orig", error))
    elif isinstance(error, OSError) and error.filename:
        message = f"{error.filename}: {error.strerror}"
        remedy = say("请核对该文件或文件夹及其权限。", "Check that file or folder, and its permissions.")
    else:
        message = (
            say("出了意料之外的错误：", "An unexpected fault: ") + f"{type(error).__name__}: {error}"[:500]
        )
        remedy = say("设 CITYGRID_DEBUG=1 重试可看详情。", "Run again with CITYGRID_DEBUG=1 for details.")
    tell(say(f"错误：{message}", f"Error: {message}"))
    if remedy:
        tell(say(f"办法：{remedy}", f"Remedy: {remedy}"))
