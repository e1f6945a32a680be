"""`citygrid load`: files of the outside world into the city, checked row by row, one transaction a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.cli.files import CRS, FILE, Bar, occasion, reading_options, show
from api.cli.frame import Means, say

if TYPE_CHECKING:
    from etl.report import LoadReport

GROUND = {
    "estates": ("小区", "Estates"),
    "buildings": ("楼栋", "Buildings"),
    "roads": ("道路", "Roads"),
    "shops": ("商铺", "Shops"),
    "components": ("部件", "Components"),
    "land": ("用地", "Land use"),
    "water": ("水系", "Water"),
    "exceptions": ("例外地段（面，或带缓冲的道路线）", "Exceptions (polygons, or road lines with a buffer)"),
}
PEOPLE = {
    "households": ("住户（CSV 或 Excel）", "Households (CSV or Excel)"),
    "residents": ("居民（CSV 或 Excel）", "Residents (CSV or Excel)"),
    "members": ("网格队伍及其岗位（CSV 或 Excel）", "Members and their posts (CSV or Excel)"),
}


def _field(name: str, zh: str, en: str, **more: Any) -> Callable[..., Any]:
    return click.option(
        f"--{name}-field", metavar="F", help=say(f"{zh}所在的列。", f"Column of the {en}."), **more
    )


@click.group(
    help=say(
        "导入文件。结束状态：0 完成，1 有被拒的行，2 用法或文件有误；同一文件再导入不产生变化。",
        "Load files. Status 0 done, 1 rows refused, 2 wrong usage or bad file."
        " The same file again changes nothing.",
    )
)
def command() -> None:
    pass


@command.command(help=say("行政区划的一级。", "One level of administrative areas."))
@FILE
@click.option("--level", required=True, help="city | district | subdistrict | community")
@_field("code", "编码", "code")
@_field("name", "名称", "name")
@_field("parent", "上级名称或编码", "parent's name or code")
@click.option(
    "--codes",
    "code_tables",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    metavar="CSV",
    help=say(
        "区划代码表（code,name），可给多份。", "Division code table (code,name); may be given several times."
    ),
)
@CRS
@reading_options
@click.pass_obj
def areas(
    means: Means,
    level: str,
    code_field: str | None,
    name_field: str | None,
    parent_field: str | None,
    code_tables: tuple[Path, ...],
    **reading: Any,
) -> int:
    from etl import pipelines

    headers = {"source_code": code_field, "name": name_field, "parent": parent_field}
    return _run(means, pipelines.areas, headers, level=level, code_tables=code_tables, **reading)


@command.command(help=say("一版网格。", "One drawing of the grid cells."))
@FILE
@_field("code", "编码", "code")
@_field("name", "名称", "name")
@click.option("--kind", default="social", show_default=True, help="social | unit | responsibility | special")
@click.option(
    "--generation",
    metavar="G",
    help=say("版本名；不填用文件名。", "Name of the drawing; left out: the file's name."),
)
@CRS
@reading_options
@click.pass_obj
def cells(
    means: Means,
    code_field: str | None,
    name_field: str | None,
    kind: str,
    generation: str | None,
    **reading: Any,
) -> int:
    from etl import pipelines

    headers = {"source_code": code_field, "name": name_field}
    return _run(means, pipelines.cells, headers, kind=kind, generation=generation, **reading)


def _ground(name: str, zh: str, en: str) -> None:
    @command.command(name, help=say(f"{zh}。", f"{en}."))
    @FILE
    @CRS
    @reading_options
    @click.pass_obj
    def load_ground(means: Means, **reading: Any) -> int:
        from etl.pipelines import GROUND

        return _run(means, GROUND[name], {}, **reading)


for _name, _words in GROUND.items():
    _ground(_name, *_words)


def _people(name: str, zh: str, en: str) -> None:
    @command.command(name, help=say(f"{zh}。", f"{en}."))
    @FILE
    @reading_options
    @click.pass_obj
    def load_people(means: Means, **reading: Any) -> int:
        from etl.people import PEOPLE

        return _run(means, PEOPLE[name], {}, **reading)


for _name, _words in PEOPLE.items():
    _people(_name, *_words)


@command.command(help=say("其他系统的事件。", "Cases of another system."))
@FILE
@_field("id", "来源编号", "case's id in its system", required=True)
@click.option(
    "--lon", metavar="F", help=say("经度（东坐标）所在的列。", "Column of the longitude (easting).")
)
@click.option(
    "--lat", metavar="F", help=say("纬度（北坐标）所在的列。", "Column of the latitude (northing).")
)
@_field("category", "类别", "category")
@_field("reported", "上报时间", "moment it was reported")
@_field("closed", "结案时间", "moment it was closed")
@_field("due", "截止时间", "moment it was due")
@CRS
@reading_options
@click.pass_obj
def incidents(
    means: Means,
    id_field: str,
    lon: str | None,
    lat: str | None,
    category_field: str | None,
    reported_field: str | None,
    closed_field: str | None,
    due_field: str | None,
    **reading: Any,
) -> int:
    from etl import cases

    headers = {
        "source_code": id_field,
        "lon": lon,
        "lat": lat,
        "category": category_field,
        "reported_at": reported_field,
        "closed_at": closed_field,
        "due_at": due_field,
    }
    return _run(means, cases.incidents, headers, **reading)


def _run(
    means: Means,
    pipeline: Callable[..., LoadReport],
    headers: dict[str, str | None],
    *,
    file: Path,
    crs: str | None = None,
    mapping: str | None,
    layer: str | None,
    encoding: str | None,
    refused_file: Path | None,
    dry_run: bool,
    as_json: bool,
    **particular: Any,
) -> int:
    """Run a pipeline in one unit of work, which a dry run takes back, and show its report."""
    from etl.loading import FileRequest

    request = FileRequest(file, crs, mapping, layer, encoding, headers, refused_file)
    with Bar() as bar, means.database.system_work() as session:
        report = pipeline(session, request, occasion(means, bar, dry_run=dry_run), **particular)
        if dry_run:
            session.rollback()
    return show(report, as_json)
