"""`citygrid export`: a layer as a file that other programs open."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.files import AS_JSON, Bar, occasion
from api.cli.frame import Means, emit_json, say, tell


@click.command(
    help=say(
        "导出一个图层；扩展名决定格式。含个人信息的图层和字段不会导出。",
        "Export a layer; the file's ending tells the format. Nothing personal is exported.",
    )
)
@click.argument("layer")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help=".gpkg | .geojson | .parquet | .csv | .xlsx",
)
@click.option(
    "--bbox", metavar="W,S,E,N", help=say("经纬度范围。", "Box in degrees of longitude and latitude.")
)
@click.option("--territory", metavar="CODE", help=say("辖区编码。", "Code of an area or a cell."))
@click.option("--reason", help=say("用途，写入文件标记。", "What it is for; stands in the file's mark."))
@AS_JSON
@click.pass_obj
def command(
    means: Means,
    layer: str,
    out: Path,
    bbox: str | None,
    territory: str | None,
    reason: str | None,
    as_json: bool,
) -> None:
    from etl.exports import TERMINAL_REASON, export

    with means.database.system_work() as session:
        made = export(
            session,
            layer,
            out,
            occasion(means, Bar()),
            bbox=_box(bbox) if bbox else None,
            territory=territory,
            reason=reason or TERMINAL_REASON,
        )
    if as_json:
        emit_json(made)
    else:
        tell(say(f"{made.rows:,} 条写到 {out}", f"{made.rows:,} rows written to {out}"))


def _box(text: str) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise click.BadParameter(
            say("--bbox 应为 西,南,东,北 四个数。", "--bbox wants four numbers: west,south,east,north.")
        ) from error
    if west > east or south > north:
        raise click.BadParameter(say("--bbox 的次序是 西,南,东,北。", "--bbox goes west,south,east,north."))
    return west, south, east, north
