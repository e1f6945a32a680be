"""`citygrid route`: who answers for each row of a table of points."""

from __future__ import annotations

from contextlib import nullcontext
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
@click.option(
    "--cluster",
    "address",
    metavar="ADDRESS",
    help=say(
        "由 Dask 集群计算：调度器地址，或 local:N 即本机 N 个进程。",
        "Decided by a Dask cluster: a scheduler's address, or local:N for N processes here.",
    ),
)
@click.option(
    "--shared",
    type=click.Path(path_type=Path, file_okay=False),
    help=say("集群各进程共享的文件夹。", "A folder that all workers of the cluster see."),
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
    address: str | None,
    shared: Path | None,
    layer: str | None,
    encoding: str | None,
    out: Path,
    as_json: bool,
) -> int:
    from etl.cluster import cluster
    from etl.loading import FileRequest
    from etl.routed_file import REFUSED, route_file
    from etl.routing import decide_here

    deciding = (
        cluster(address, shared or means.settings.home / "ground") if address else nullcontext(decide_here)
    )
    headers = {"lon": lon, "lat": lat, "accuracy": accuracy_field}
    request = FileRequest(file, crs, layer=layer, encoding=encoding, headers=headers)
    with deciding as decide, Bar() as bar, means.database.system_work() as session:
        when = occasion(means, bar)
        result = route_file(
            session,
            request,
            out,
            when,
            at=_moment(at, means) if at else when.now,
            language=language(),
            generation=generation,
            decide=decide,
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
