"""`citygrid indicators`: the numbers of the evaluation, with their denominators."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.frame import Means, emit_json, say, tell

if TYPE_CHECKING:
    from incidents.evaluation_report import Line, Report

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(
    help=say(
        "考核指标：每个率都带分子和分母；分母为零时写“无数据”。",
        "The indicators of the evaluation: every rate with its numerator and denominator.",
    )
)
@click.option(
    "--by",
    "group",
    metavar="GROUP",
    help=say(
        "分组：district、subdistrict、community、cell、member、department、category、channel。",
        "Told apart by district, subdistrict, community, cell, member, department, category or channel.",
    ),
)
@click.option(
    "--window", default="30d", show_default=True, metavar="NAME", help="7d | 30d | 90d | month | last_month"
)
@click.option(
    "--from", "first", type=_DAY, help=say("自己定的时段：第一天。", "A span of one's own: first day.")
)
@click.option("--to", "last", type=_DAY, help=say("最后一天（含）。", "Last day, included."))
@click.option("--territory", metavar="CODE", help=say("只算这一辖区。", "Only this territory."))
@click.option(
    "--category", "categories", multiple=True, metavar="CODE", help=say("只算这些类别。", "Only these.")
)
@click.option(
    "--only", "ids", multiple=True, metavar="ID", help=say("只列这些指标。", "Only these indicators.")
)
@click.option(
    "--csv", "out", type=click.Path(path_type=Path), help=say("写到 CSV 文件。", "Write a CSV file.")
)
@click.option("--json", "as_json", is_flag=True, help=say("以 JSON 输出。", "Print JSON."))
@click.pass_obj
def command(
    means: Means,
    group: str | None,
    window: str,
    first: datetime | None,
    last: datetime | None,
    territory: str | None,
    categories: tuple[str, ...],
    ids: tuple[str, ...],
    out: Path | None,
    as_json: bool,
) -> None:
    from incidents.evaluation import Scope
    from incidents.evaluation_report import evaluation_report
    from incidents.indicators import INDICATORS, indicator_named
    from incidents.windows import named_window, window_between
    from incidents.workflow import SYSTEM

    zone, now = means.settings.zone, means.now()
    if first is not None and last is not None:
        ends = last.replace(tzinfo=zone) + timedelta(days=1)
        span = window_between(first.replace(tzinfo=zone), ends, zone)
    else:
        span = named_window(window, now, zone)
    with means.database.system_work() as session:
        report = evaluation_report(
            session,
            span,
            by=SYSTEM,
            now=now,
            zone=zone,
            scope=Scope(territory=territory, categories=categories),
            group=group,
            indicators=[indicator_named(id_) for id_ in ids] or list(INDICATORS.values()),
        )
    if out is not None:
        out.write_text(_csv(report), "utf-8-sig")
        tell(say(f"写到 {out}", f"Written to {out}"))
    if as_json:
        emit_json(_records(report))
    elif out is None:
        for line in [report.total, *report.lines]:
            _print(report, line)


def _records(report: Report) -> list[dict[str, object]]:
    """One record a group and indicator."""
    from incidents.indicators import Ratio

    found: list[dict[str, object]] = []
    for line in [report.total, *report.lines]:
        for one in report.indicators:
            record: dict[str, object] = {
                "code": line.code, "name": say(line.zh, line.en), "indicator": one.id,
                "title": say(one.zh, one.en),
            }  # fmt: skip
            spans = (("", line.now), ("previous_", line.previous), ("year_before_", line.year_before))
            for prefix, numbers in spans:
                ratio = numbers.get(one.id, Ratio())
                record |= {
                    f"{prefix}numerator": ratio.numerator,
                    f"{prefix}denominator": ratio.denominator,
                    f"{prefix}percent": ratio.percent,
                }
            found.append(record)
    return found


def _csv(report: Report) -> str:
    import csv
    import io

    from etl.safe_cells import safe_cell

    records = _records(report)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]), lineterminator="\r\n")
    writer.writeheader()
    for record in records:
        writer.writerow({key: safe_cell(v) if isinstance(v, str) else v for key, v in record.items()})
    return text.getvalue()


def _print(report: Report, line: Line) -> None:
    """A group with its rates: `96.2 %   152 / 158   按期处置率 handled_on_time   环比 94.1 %`."""
    from incidents.indicators import Ratio

    click.echo(f"{line.code}  {say(line.zh, line.en)}".strip())
    for one in report.indicators:
        now, before = line.now.get(one.id, Ratio()), line.previous.get(one.id, Ratio())
        language = say("zh", "en")
        figures = f"{now.numerator} / {now.denominator}"
        against = say("环比 ", "previous ") + before.words(language)
        click.echo(f"{now.words(language):>9}  {figures:>15}  {say(one.zh, one.en)} {one.id}  {against}")
