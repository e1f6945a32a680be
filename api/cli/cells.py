"""`citygrid cells`: is a drawing of the cells sound, what would it change, and put it to work."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from api.cli.frame import REFUSED_ROWS, Means, emit_json, language, say, tell

_AS_JSON = click.option("--json", "as_json", is_flag=True, help=say("以 JSON 输出。", "Print JSON."))


@click.group(help=say("网格的版本。", "Generations of cells."))
def command() -> None:
    pass


@command.command(
    help=say(
        "检查一版网格：空白、重叠、碎缝、越出社区、没有网格员；逐条列出位置和面积。有问题时退出码为 1。",
        "Check a generation: gaps, overlaps, slivers, cells outside their community or without a member,"
        " each with its place and area. Status 1 when something is wrong.",
    )
)
@click.argument("generation")
@_AS_JSON
@click.pass_obj
def check(means: Means, generation: str, as_json: bool) -> int:
    from grids.generation_check import check_generation

    with means.database.system_work() as session:
        report = check_generation(session, generation, now=means.now())
    if as_json:
        emit_json(report)
    else:
        for fault in report.faults:
            click.echo(fault.words(language()))
        size = f"{report.cells:,}", f"{report.area_ha:,.1f}", len(report.faults)
        tell(
            say(
                "{}：{} 个网格，{} 公顷，{} 处问题。".format(generation, *size),
                "{}: {} cells, {} ha, {} faults.".format(generation, *size),
            )
        )
    return 0 if report.clean else REFUSED_ROWS


@command.command(
    help=say(
        "启用一版网格：先检查，再在一个事务里替换旧版，并把楼栋、住户、商铺、部件和在办事件划入新网格。",
        "Activate a generation: checked first, then in one transaction the old one is retired and buildings,"
        " households, shops, components and open cases move to the new cells.",
    )
)
@click.argument("generation")
@click.option(
    "--force",
    is_flag=True,
    help=say("有问题也启用；会留痕。", "Activate in spite of faults; this is written into the trail."),
)
@_AS_JSON
@click.pass_obj
def activate(means: Means, generation: str, force: bool, as_json: bool) -> None:
    from etl.activation import activate_generation
    from etl.redrawing import redraw_late_cases

    begun = means.now()
    with means.database.system_work() as session:
        done = activate_generation(session, generation, by=None, now=begun, force=force)
    with means.database.system_work() as session:
        for table, late in redraw_late_cases(session, generation, since=begun, now=means.now()).items():
            done.stamped[table] += late
    if as_json:
        emit_json(done)
        return
    moved = ", ".join(f"{table} {count:,}" for table, count in done.stamped.items() if count)
    tell(
        say(
            f"已启用 {done.generation}"
            + (f"，{done.replaced} 退役" if done.replaced else "")
            + f"。重新划入：{moved or '无'}。",
            f"{done.generation} is active"
            + (f", {done.replaced} is retired" if done.replaced else "")
            + f". Moved: {moved or 'nothing'}.",
        )
    )


@command.command(
    "what-if",
    help=say(
        "换一种划法，最近这些天的事件会归谁：按网格、按人列出增减，不写入任何数据。",
        "Were the cells drawn otherwise, who would have got the incidents of the last days: gains and losses"
        " by cell and by person. Nothing is written.",
    ),
)
@click.option(
    "--generation",
    metavar="G",
    help=say("试用已导入的一版；不填为现行版。", "A loaded drawing; left out: the active one."),
)
@click.option(
    "--cells",
    "cells_file",
    type=click.Path(path_type=Path, exists=True),
    help=say("改动的网格图形（列 code），相邻网格随之让出。", "Cells with other shapes (column code)."),
)
@click.option(
    "--exceptions",
    "exceptions_file",
    type=click.Path(path_type=Path, exists=True),
    help=say(
        "增设的例外地段（列 cell_code，可有 buffer_m、priority）。",
        "Exceptions to be added (column cell_code, perhaps buffer_m and priority).",
    ),
)
@click.option("--days", type=click.IntRange(1, 3660), default=30, show_default=True)
@click.option("--territory", default="", metavar="CODE", help=say("只看这片辖区。", "Only this ground."))
@_AS_JSON
@click.pass_obj
def try_out(
    means: Means,
    generation: str | None,
    cells_file: Path | None,
    exceptions_file: Path | None,
    days: int,
    territory: str,
    as_json: bool,
) -> None:
    from etl.trial_files import trial_of_files
    from etl.what_if import what_if

    trial = trial_of_files(generation, cells_file, exceptions_file)
    now = means.now()
    with means.database.system_work() as session:
        found = what_if(
            session,
            trial,
            since=now - timedelta(days=days),
            now=now,
            zone=means.settings.zone,
            territory=territory,
        )
    if as_json:
        emit_json(found)
        return
    for title, shares in ((say("网格", "cell"), found.cells), (say("人员", "member"), found.members)):
        for share in shares:
            change = f"{share.before:,} -> {share.after:,}  +{share.won:,} -{share.lost:,}"
            click.echo(f"{title}\t{share.code}\t{share.name}\t{change}")
    counts = f"{found.cases:,}", f"{len(found.moved):,}", f"{found.handed:,}"
    tell(
        say(
            "{} 件事件，{} 件改变归属，其中 {} 件换人。".format(*counts),
            "{} incidents, {} would move, {} of them to another person.".format(*counts),
        )
    )
    if found.left_over_m2 > 1:
        tell(
            say(
                f"有 {found.left_over_m2:,.0f} 平方米不再属于任何网格。",
                f"{found.left_over_m2:,.0f} m² would belong to no cell.",
            )
        )
