"""`citygrid duties`: the roster of the coming days, and the holes in it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from api.cli.frame import REFUSED_ROWS, Means, emit_json, say, tell

if TYPE_CHECKING:
    from grids.duty_check import Hole

_DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])


@click.group(help=say("值班表。", "The duty roster."))
def command() -> None:
    pass


@command.command(
    help=say(
        "列出时段内每一处无人值班。有缺口时退出码为 1。",
        "List every hole of a span: which ground, which post, from when to when. Status 1 when there is one.",
    )
)
@click.option(
    "--from", "since", type=_DAY, help=say("开始，缺省为现在。", "Start in the city's time; left out: now.")
)
@click.option(
    "--to",
    "until",
    type=_DAY,
    help=say("结束（不含），缺省七天后。", "End, not included; left out: in 7 days."),
)
@click.option(
    "--territory",
    default="",
    metavar="CODE",
    help=say("只查这一辖区编码之下。", "Only under this code prefix."),
)
@click.option("--json", "as_json", is_flag=True, help=say("以 JSON 输出。", "Print JSON."))
@click.pass_obj
def check(means: Means, since: datetime | None, until: datetime | None, territory: str, as_json: bool) -> int:
    from grids.duty_check import holes

    zone = means.settings.zone
    start = means.now() if since is None else since.replace(tzinfo=zone)
    end = start + timedelta(days=7) if until is None else until.replace(tzinfo=zone)
    with means.database.system_work() as session:
        found = holes(session, start, end, territory, zone=zone)
    if as_json:
        emit_json(found)
    else:
        for hole in found:
            click.echo(_line(hole, zone))
        tell(
            say(f"共 {len(found)} 处缺口。", f"Holes: {len(found)}.")
            if found
            else say("没有缺口。", "No holes.")
        )
    return REFUSED_ROWS if found else 0


def _line(hole: Hole, zone: ZoneInfo) -> str:
    """`2026-11-25 08:00 – 2026-11-25 17:30  990101001001002 安澜 002  member: Wang away, no stand-in`"""
    from grids.reasons import POST_NAMES

    start, end = (t.astimezone(zone).strftime("%Y-%m-%d %H:%M") for t in (hole.starts_at, hole.ends_at))
    zh, en = POST_NAMES[hole.post] if hole.post else ("", "")
    who = say("、", ", ").join(hole.members)
    what = {
        "vacant": say(f"{zh}：岗位空缺", f"{en}: vacant"),
        "away": say(f"{zh}：{who} 请假，无人代班", f"{en}: {who} on leave, no stand-in"),
        "nobody": say(
            "无人值班：网格员、网格长、街道值班员都不在", "nobody: no member, leader or duty officer"
        ),
    }[hole.kind]
    return f"{start} – {end}  {hole.ground} {hole.ground_name}  {what}"
