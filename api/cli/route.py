"""`citygrid route`: who answers for each row of a table of points."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from api.cli.files import AS_JSON, CRS, FILE, Bar, occasion
from api.cli.frame import REFUSED_ROWS, Means, emit_json, language, say, tell


@click.command(
    help=say(
        "给表中每一行点找到责任人，并写在行尾。放不到图上的行照样保留，rule 为 refused。",
        "Find who answers for each row of points, written behind the row."
        " A row that cannot be placed is kept, with the rule refused.",
    )
)
@FILE
@click.option(
    "--lon", metavar="F", help=say("经度（东坐标）所在的列。", "Column of the longitude (easting).")
)
@click.option(
    "--lat", metavar="F", help=say("纬度（北坐标）所在的列。", "Column of the latitude (northing).")
)
@CRS
@click.option(
    "--accuracy-field", metavar="F", help=say("定位精度（米）所在的列。", "Column of the accuracy in metres.")
)
@click.option(
    "--at",
    metavar="TIME",
    help=say("问哪一刻的责任人；不填为现在。", "The moment asked about; left out: now."),
)
@click.option(
    "--generation",
    metavar="G",
    help=say("用哪一版网格；不填为现行版。", "The drawing of cells; left out: the active one."),
)
@click.option("--layer", metavar="NAME", help=say("工作表或图层。", "Sheet or layer."))
@click.option("--encoding", metavar="NAME", help=say("文字编码。", "Text encoding."))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help=say("写到 .csv 或 .parquet。", "Written to a .csv or .parquet."),
)
@AS_JSON
@click.pass_obj
def command(
    means: Means,
    file: Path,
    lon: str | None,
    lat: str | None,
    crs: str | None,
    accuracy_field: str | None,
    at: str | None,
    generation: str | None,
    layer: str | None,
    encoding: str | None,
    out: Path,
    as_json: bool,
) -> int:
    from etl.loading import FileRequest
    from etl.routed_file import REFUSED, route_file

    headers = {"lon": lon, "lat": lat, "accuracy": accuracy_field}
    request = FileRequest(file, crs, layer=layer, encoding=encoding, headers=headers)
    with Bar() as bar, means.database.unit_of_work() as session:
        when = occasion(means, bar)
        moment = _moment(at, means) if at else when.now
        result = route_file(
            session, request, out, when, at=moment, language=language(), generation=generation
        )
    if as_json:
        emit_json(result.as_json())
    else:
        rules = ", ".join(f"{rule} {count:,}" for rule, count in result.rules.most_common())
        tell(say(f"{result.rows:,} 行：{rules}", f"{result.rows:,} rows: {rules}"))
        for zh, en in result.remarks:
            tell(say(f"注：{zh}", f"note: {en}"))
        tell(say(f"写到 {out}", f"written to {out}"))
    return REFUSED_ROWS if result.rules[REFUSED] else 0


def _moment(text: str, means: Means) -> datetime:
    """A moment of the command line; without an offset it is the city's."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            say(f"“{text}”不是时刻，如 2026-11-23T10:00。", f"{text!r} is no moment, like 2026-11-23T10:00.")
        ) from error
    return moment.replace(tzinfo=means.settings.zone) if moment.tzinfo is None else moment
