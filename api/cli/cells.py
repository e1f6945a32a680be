"""`citygrid cells`: is a drawing of the cells sound, and put it to work."""

from __future__ import annotations

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

    with means.database.unit_of_work() as session:
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

    with means.database.unit_of_work() as session:
        done = activate_generation(session, generation, by=None, now=means.now(), force=force)
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
