"""`citygrid check`: files looked at before they are loaded."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.files import AS_JSON, CRS, FILE
from api.cli.frame import FAILED, REFUSED_ROWS, Means, emit_json, say, tell


@click.group(help=say("导入前的检查。", "Checks before a load."))
def command() -> None:
    pass


@command.command(
    help=say(
        "坐标系是否属实：点位与已知楼栋对照，指出 GCJ-02、BD-09、WGS 84 的混用及偏移。"
        "结束状态：0 属实，1 无法判断，2 不符。",
        "Is the declared system true? Points are laid over what is known; a mix-up of GCJ-02, BD-09 and"
        " WGS 84 is named with its offset. Status 0 true, 1 cannot tell, 2 contradicted.",
    )
)
@FILE
@click.option(
    "--against",
    default="buildings",
    show_default=True,
    help="buildings | shops | components",
)
@click.option("--lon", "lon_field", metavar="F", help=say("经度列。", "Column of the longitude."))
@click.option("--lat", "lat_field", metavar="F", help=say("纬度列。", "Column of the latitude."))
@click.option("--layer", metavar="NAME", help=say("多图层文件中的图层。", "Layer of a file with several."))
@CRS
@AS_JSON
@click.pass_obj
def crs(
    means: Means,
    file: Path,
    against: str,
    lon_field: str | None,
    lat_field: str | None,
    layer: str | None,
    crs: str | None,
    as_json: bool,
) -> int:
    from etl.crs_check import check_file

    with means.database.system_work() as session:
        verdict = check_file(
            session, file, crs=crs, against=against, lon_field=lon_field, lat_field=lat_field, layer=layer
        )
    zh, en = verdict.words
    if as_json:
        emit_json(
            {
                "declared": verdict.declared,
                "found": verdict.found,
                "agrees": verdict.agrees,
                "points": verdict.points,
                "offset_m": verdict.offset_m,
                "residual_m": verdict.residual_m,
                "fits": verdict.fits,
                "message_zh": zh,
                "message_en": en,
                "vectors": [] if verdict.vectors is None else verdict.vectors.tolist(),
            }
        )
    else:
        click.echo(say(zh, en))
        for fit in verdict.fits:
            tell(
                say(
                    f"  按 {fit.crs} 读：贴近度 {fit.closeness:.3f}，偶然 {fit.chance:.3f}，"
                    f"证据 {fit.evidence:+.1f} 倍标准误",
                    f"  read as {fit.crs}: closeness {fit.closeness:.3f}, by chance {fit.chance:.3f},"
                    f" evidence {fit.evidence:+.1f} standard errors",
                )
            )
    return {True: 0, None: REFUSED_ROWS, False: FAILED}[verdict.agrees]
