"""`citygrid demo`: the synthetic city, with people who can sign in to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from api.cli.frame import Means, emit_json, say, tell
from gis.errors import Conflict, Invalid


@click.group(help=say("演示城市：全部为合成数据。", "The demo city: synthetic throughout."))
def command() -> None:
    pass


@command.command(help=say("装入演示城市与演示账户。", "Load the demo city and its accounts."))
@click.option("--size", default="subdistrict", show_default=True, help="subdistrict | district | city")
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    help=say("随机种子。", "Seed; the same seed is the same city."),
)
@click.option(
    "--as-of",
    "as_of",
    metavar="TIME",
    help=say("视为“现在”的时刻（测试用）。", "The moment taken as now, with its offset."),
)
@click.option(
    "--if-empty",
    is_flag=True,
    help=say("数据库非空则什么也不做。", "Do nothing when the database is not empty."),
)
@click.option("--json", "as_json", is_flag=True, help=say("以 JSON 输出。", "Print JSON."))
@click.pass_obj
def load(means: Means, size: str, seed: int, as_of: str | None, if_empty: bool, as_json: bool) -> None:
    from api import migrations

    migrations.upgrade(means.database_url)
    if not is_empty(means):
        if if_empty:
            tell(say("数据库里已有数据，未做任何事。", "The database holds data; nothing was done."))
            return
        raise Conflict(
            en="The database is not empty; the demo city would be mixed with what is there.",
            zh="数据库非空，演示城市会与已有数据混在一起。",
            remedy_en="Use an empty database: another CITYGRID_HOME, or another CITYGRID_DATABASE_URL.",
            remedy_zh="请用空数据库：另设 CITYGRID_HOME 或 CITYGRID_DATABASE_URL。",
        )
    summary = load_demo_city(means, size=size, seed=seed, as_of=_moment(as_of))
    if as_json:
        emit_json(summary)


def is_empty(means: Means) -> bool:
    """Whether nothing has been loaded yet: no area, no cell, no case."""
    import sqlalchemy as sa

    with means.database.unit_of_work() as session:
        return not session.execute(
            sa.text("SELECT EXISTS (TABLE area) OR EXISTS (TABLE cell) OR EXISTS (TABLE incident)")
        ).scalar()


def load_demo_city(
    means: Means, *, size: str = "subdistrict", seed: int = 1, as_of: datetime | None = None
) -> Any:
    """The city, whole, and then its accounts, which are printed. Returns the city's summary."""
    from api.demo_accounts import create_demo_accounts
    from etl.demo_city import load_demo

    now = as_of or means.now()
    tell(say(f"正在装入演示城市（{size}）……", f"Loading the demo city ({size}) ..."))
    summary = load_demo(means.database, size=size, seed=seed, as_of=now)
    with means.database.unit_of_work() as session:
        accounts = create_demo_accounts(session, summary, now=now)
    for account in accounts:
        tell(f"{account.username} / {account.password}")
    return summary


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Invalid(
            en=f"{text!r} is no time with an offset.",
            zh=f"“{text}”不是带时区的时间。",
            remedy_en="Write it like 2026-11-23T10:00:00+08:00.",
            remedy_zh="写法如 2026-11-23T10:00:00+08:00。",
        )
    return found
