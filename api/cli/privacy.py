"""`citygrid privacy`: what is due to go, what is held about a person, and the public map's numbers."""

from __future__ import annotations

import getpass

import click

from api.cli.frame import ID, Means, emit_json, say, tell

AS_JSON = click.option("--json", "as_json", is_flag=True, help=say("以 JSON 输出。", "Print JSON."))


@click.group(
    help=say("个人信息：留存、查询报告、公开统计。", "Personal data: retention, reports, public numbers.")
)
def command() -> None:
    pass


@command.command(
    help=say(
        "各类数据留存到期情况；加 --run 才真正删除或匿名。",
        "What is due by each retention rule; only --run removes or anonymises it.",
    )
)
@click.option("--run", "really", is_flag=True, help=say("执行。", "Do it."))
@click.option("--kind", multiple=True, help=say("只处理这一类（可多次）。", "Only this kind (repeatable)."))
@AS_JSON
@click.pass_obj
def retention(means: Means, really: bool, kind: tuple[str, ...], as_json: bool) -> None:
    from api import retention as rules
    from gis.access import Principal
    from gis.forgetting import KINDS

    _refuse_unknown(kind)
    now = means.now()
    with means.database.system_work() as session:
        due = [one for one in rules.overview(session, now) if not kind or one.kind in kind]
    done = {}
    if really:
        by = Principal(0, f"cli:{getpass.getuser()}", "", "admin", "")
        folder = means.settings.home / "photos"
        done = {one.kind: rules.run(means.database, one.kind, now, folder, by=by).rows for one in due}
    if as_json:
        emit_json(
            [{"kind": one.kind, "days": one.days, "due": one.due, "done": done.get(one.kind)} for one in due]
        )
        return
    for one in due:
        words = KINDS[one.kind]
        act = {"delete": say("删除", "delete"), "anonymise": say("匿名", "anonymise")}[words.act]
        what = f"{act} {done[one.kind]}" if really else say(f"到期 {one.due}", f"{one.due} due")
        click.echo(f"{one.kind:<12} {say(*words.title)}  {one.days} {say('天', 'days')}  {act}  {what}")
    if not really:
        tell(say("未做任何改动；执行请加 --run。", "Nothing was changed; add --run to do it."))


def _refuse_unknown(kinds: tuple[str, ...]) -> None:
    from gis.errors import NotFound
    from gis.forgetting import KINDS

    if unknown := set(kinds) - set(KINDS):
        raise NotFound(
            en=f"There is no retention rule {', '.join(sorted(unknown))}.",
            zh=f"没有留存规则 {'、'.join(sorted(unknown))}。",
            remedy_en="Rules are " + ", ".join(KINDS) + ".",
            remedy_zh="规则有：" + "、".join(KINDS) + "。",
        )


@command.command(
    help=say(
        "某人的个人信息查询报告：存了什么、从哪来、谁看过。查询会留痕。",
        "What is held about a person, where it came from, who saw it. The look is recorded.",
    )
)
@click.option("--resident", type=ID, help=say("居民编号。", "The resident's number."))
@click.option("--name", help=say("准确的姓名，与电话同用。", "The exact name, with --phone."))
@click.option("--phone", help=say("准确的电话。", "The exact telephone."))
@click.option(
    "--purpose",
    type=click.Choice(["request", "complaint", "inspection"]),
    required=True,
    help=say("用途。", "What for."),
)
@AS_JSON
@click.pass_obj
def report(
    means: Means, resident: int | None, name: str | None, phone: str | None, purpose: str, as_json: bool
) -> int:
    from gis.access import Principal
    from gis.forgetting import rules
    from layers.household_reading import From, no_households
    from layers.subject_rights import report as report_on

    # Who is at the terminal reaches the database itself: as the office that may read plainly.
    operator = Principal(0, f"cli:{getpass.getuser()}", "", "subdistrict_officer", "")
    with means.database.unit_of_work(operator) as session:
        days = {kind: rule.days for kind, rule in rules(session).items()}
        found = report_on(
            session, resident_id=resident, name=name, phone=phone, purpose=purpose, by=operator,
            now=means.now(), where=From("cli"), kept_days=days,
        )  # fmt: skip
    if not found:
        raise no_households()
    if as_json:
        emit_json(found)
        return 0
    for one in found:
        for record in one.records:
            until = (
                f"{record.kept_until:%Y-%m-%d}"
                if record.kept_until
                else say("在住期间", "while living there")
            )
            click.echo(f"{record.table} {record.key}  {say('来源', 'source')} {record.source or '–'}  "
                       f"{say('留存至', 'kept until')} {until}")  # fmt: skip
            for held in record.fields:
                value = "–" if held.value is None else held.value
                click.echo(f"    {say(held.zh, held.en)} [{held.privacy}]  {value}")
        for seen in one.seen:
            at = seen.at.astimezone(means.settings.zone)
            click.echo(f"{at:%Y-%m-%d %H:%M}  {seen.username}  {seen.action}  {seen.purpose or ''}")
    return 0


@command.command(
    help=say(
        "公布已结束月份的公开统计（每月一次，公布后不再改变）。",
        "Publish the public numbers of months that are over; once each, never changed again.",
    )
)
@AS_JSON
@click.pass_obj
def publish(means: Means, as_json: bool) -> None:
    from incidents.public_bins import publish_due

    settings = means.settings
    with means.database.system_work() as session:
        done = publish_due(session, means.now(), k=settings.public_hide_below, zone=settings.zone)
    if as_json:
        emit_json(done)
    elif done:
        listed = ", ".join(f"{month:%Y-%m}" for month in done)
        tell(say(f"已公布：{listed}。页面：/public", f"Published: {listed}. The page: /public"))
    else:
        tell(say("没有新的月份可公布（月末后 15 天）。", "No month is due; each is 15 days after its end."))
