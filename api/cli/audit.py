"""`citygrid audit`: who looked at a household, is the trail intact, seal it, and what looks unusual."""

from __future__ import annotations

import getpass
from datetime import timedelta
from pathlib import Path

import click

from api.cli.frame import FAILED, ID, Means, emit_json, say, tell

AS_JSON = click.option("--json", "as_json", is_flag=True, help=say("以 JSON 输出。", "Print JSON."))


@click.group(help=say("审计留痕。", "The trail of who did and who looked."))
def command() -> None:
    pass


@command.command("who-read", help=say("谁看过一户。", "Who looked at a household, newest first."))
@click.argument("household", type=ID)
@AS_JSON
@click.pass_obj
def who_read(means: Means, household: int, as_json: bool) -> None:
    from gis.access import Principal
    from layers.household_reading import PURPOSES, looks_at

    operator = Principal(0, f"cli:{getpass.getuser()}", "", "admin", "")
    with means.database.unit_of_work(operator) as session:
        looks = looks_at(session, household)
    if as_json:
        emit_json(looks)
        return
    for look in looks:
        purpose = PURPOSES.get(look.purpose or "", ("", ""))
        words = {
            "read_households": say("看了名单（脱敏）", "saw the list, masked"),
            "unmask_resident": say("看了一人的姓名电话", "opened one person"),
            "report_subject": say("查询一人的全部信息", "made a report on one person"),
            "read_refused": say("被拒绝", "was refused"),
        }[look.action]
        at = look.at.astimezone(means.settings.zone)
        line = (f"{at:%Y-%m-%d %H:%M}", look.username, words, say(*purpose), look.face, look.origin)
        click.echo("  ".join(part for part in line if part))
    tell(say(f"共 {len(looks)} 次。", f"{len(looks)} looks."))


@command.command(help=say("封存尚未封存的留痕。", "Seal what is not sealed yet."))
@AS_JSON
@click.pass_obj
def seal(means: Means, as_json: bool) -> None:
    from gis import audit_chain

    sealed = []
    while True:
        with means.database.system_work() as session:
            made = audit_chain.seal(session, means.now())
        if made is None:
            break
        sealed.append(made)
    if as_json:
        emit_json(sealed)
    elif sealed:
        entries = sum(one.entries for one in sealed)
        tell(say(f"已封存 {entries} 条。请另行记下：", f"{entries} entries sealed. Note this elsewhere:"))
        click.echo(sealed[-1].hash)
    else:
        tell(say("没有待封存的留痕。", "Nothing waits to be sealed."))


@command.command(help=say("核验留痕，指出第一条被改的。", "Check the trail; names the first changed entry."))
@AS_JSON
@click.pass_obj
def verify(means: Means, as_json: bool) -> int:
    from api.audit_words import fault_words
    from gis import audit_chain

    with means.database.system_work() as session:
        verdict = audit_chain.verify(session)
    if as_json:
        emit_json(verdict)
    elif verdict.fault is None:
        tell(
            say(
                f"完好：{verdict.entries} 条在 {verdict.seals} 个封存中，{verdict.waiting} 条待封存。",
                f"Intact: {verdict.entries} entries in {verdict.seals} seals, {verdict.waiting} wait.",
            )
        )
        if verdict.cut:
            tell(
                say(f"另有 {verdict.cut} 条按留存规则裁去，裁剪本身在留痕中。",
                    f"{verdict.cut} older ones were cut by the retention rule; the cut is in the trail.")
            )  # fmt: skip
        click.echo(verdict.hash)
    else:
        zh, en = fault_words(verdict)
        tell(say(f"{zh}。", f"{en[0].upper()}{en[1:]}."))
    return 0 if verdict.fault is None else FAILED


@command.command(help=say("异常查看：大量、夜间、越权。", "Unusual looks: many, by night, refused."))
@click.option("--days", default=7, show_default=True, help=say("往回几天。", "How many days back."))
@AS_JSON
@click.pass_obj
def alerts(means: Means, days: int, as_json: bool) -> int:
    from layers.unusual_looks import unusual_looks

    now = means.now()
    with means.database.system_work() as session:
        found = unusual_looks(session, now - timedelta(days=days), now, zone=means.settings.zone)
    if as_json:
        emit_json(found)
    for one in found if not as_json else ():
        since, until = (at.astimezone(means.settings.zone) for at in (one.since, one.until))
        words = {"bulk": say("大量查看", "many looks"), "night": say("夜间查看", "looks by night"),
                 "outside": say("越权查看", "refused looks")}[one.kind]  # fmt: skip
        click.echo(f"{one.username}  {words}  {one.looks}  {since:%m-%d %H:%M} – {until:%m-%d %H:%M}")
    return 1 if found else 0


@command.command(
    help=say("这份文件是谁导出的（改名也能查）。", "Who exported this file, whatever it is called now.")
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@AS_JSON
@click.pass_obj
def trace(means: Means, file: Path, as_json: bool) -> int:
    from etl.export_marks import trace as trace_file

    with means.database.system_work() as session:
        found = trace_file(session, file)
    if as_json:
        emit_json(found)
    elif found is None:
        tell(say("不是本系统导出的文件，或标记已被去掉。", "Not a file of ours, or its mark was taken out."))
    else:
        at = found.made_at.astimezone(means.settings.zone)
        click.echo(
            f"{found.display_name} ({found.username})  {at:%Y-%m-%d %H:%M}  {found.subject}  {found.reason}"
        )
        changed = say("；内容已被改过", "; its content was changed since") if found.changed else ""
        tell(
            say(
                f"编号 {found.number}，{found.rows:,} 行{changed}。",
                f"Number {found.number}, {found.rows:,} rows{changed}.",
            )
        )
    return 0 if found is not None else FAILED
