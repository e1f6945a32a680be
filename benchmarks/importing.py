"""Loading a file of polygons into PostGIS: `citygrid load land`, ogr2ogr and geopandas' to_postgis.

The file is a GeoPackage of wiggly 33-cornered polygons with an id, a kind and a name. Every contender starts
a process of its own on an empty table with a spatial index and takes the file from the disk to the commit, so
start-up counts for all. Ours does more on the way: it checks every geometry and value, looks for repeated ids
and compares with what is there; its table also keeps two more indexes. Afterwards rows and areas must agree.
Processor seconds are those of client and server together.

Last line: {"vs_ogr2ogr": their seconds / ours, "vs_to_postgis": likewise, "peak_mb": our process at its
largest, "rows_per_s": ours}. A contender that is not installed is null and said so.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psycopg
import shapely
import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gis.cluster import PrivateCluster


@dataclass(frozen=True, slots=True)
class Run:
    """One contender once: wall seconds, processor seconds of client and server together, peak megabytes."""

    seconds: float
    cpu: float
    megabytes: float


CORNERS = 32
"""Distinct ones; a ring repeats its first as its 33rd."""
SPACING = 0.0006
KINDS = np.array(["park", "green", "school", "plaza"], object)


def make_file(path: Path, rows: int) -> None:
    """A GeoPackage of `rows` polygons on a square lattice, the same for the same number."""
    from pyogrio.raw import write

    rng = np.random.default_rng(7)
    side = int(np.ceil(np.sqrt(rows)))
    column, row = np.arange(rows) % side, np.arange(rows) // side
    angle = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    radius = SPACING * rng.uniform(0.2, 0.45, (rows, CORNERS))
    x = 113.0 + SPACING * column[:, None] + radius * np.cos(angle)
    y = 22.8 + SPACING * row[:, None] + radius * np.sin(angle)
    polygons = shapely.polygons(np.stack([x, y], axis=-1))
    names = np.array([f"地块 {n}" for n in range(rows)], object)
    write(
        path,
        shapely.to_wkb(polygons),
        [np.arange(rows), KINDS[np.arange(rows) % 4], names],
        ["id", "kind", "name"],
        geometry_type="Polygon",
        crs="EPSG:4490",
    )


def load_citygrid(path: Path, url: str) -> None:
    """The command line's own way, without its bar."""
    from etl.loading import FileRequest, Occasion
    from etl.pipelines import land
    from gis.database import Database
    from gis.settings import Settings

    database = Database(url)
    with database.system_work() as session:
        land(session, FileRequest(path), Occasion(None, datetime.now(UTC), Settings().zone))
    database.dispose()


def load_to_postgis(path: Path, url: str) -> None:
    """What a notebook does; to_postgis copies text and makes the index first."""
    import geopandas

    frame = geopandas.read_file(path, engine="pyogrio")
    frame.to_postgis("theirs", sa.create_engine(url), index=False)


def load_ogr2ogr(path: Path, url: str) -> None:
    """GDAL's tool with COPY, its fastest way in."""
    target = sa.make_url(url)
    parts = {
        "dbname": target.database,
        "user": target.username,
        "host": target.query.get("host") or target.host,
        "port": target.query.get("port") or target.port,
        "password": target.password,
    }
    given = " ".join(f"{name}='{value}'" for name, value in parts.items() if value)
    subprocess.run(
        [
            "ogr2ogr",
            "--config",
            "PG_USE_COPY",
            "YES",
            "-f",
            "PostgreSQL",
            f"PG:{given}",
            str(path),
            "-nln",
            "theirs",
            "-lco",
            "GEOMETRY_NAME=geometry",
        ],
        check=True,
    )


CONTENDERS = {"citygrid": load_citygrid, "to_postgis": load_to_postgis, "ogr2ogr": load_ogr2ogr}
TABLES = {
    "citygrid": ("land", "geom"),
    "to_postgis": ("theirs", "geometry"),
    "ogr2ogr": ("theirs", "geometry"),
}


@contextmanager
def empty_databases() -> Iterator[tuple[Path, PrivateCluster]]:
    """(folder, cluster) with a migrated database for each contender."""
    from api.migrations import upgrade  # the contenders themselves must not carry it

    with tempfile.TemporaryDirectory(prefix="citygrid-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # started as root, the server's own account must be able to walk in
        cluster = PrivateCluster(Path(folder) / "pg")
        cluster.ensure()
        try:
            for name in CONTENDERS:
                cluster.ensure_database(name)
                upgrade(cluster.url(name))
            yield Path(folder), cluster
        finally:
            cluster.stop()


def clear(url: str) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("TRUNCATE land")
        connection.execute("DROP TABLE IF EXISTS theirs")
        connection.execute("CHECKPOINT")


def found(url: str, name: str) -> tuple[int, float]:
    """(rows, sum of areas in square degrees) of what a contender wrote."""
    table, column = TABLES[name]
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        rows, area = connection.execute(f"SELECT count(*), sum(ST_Area({column})) FROM {table}").fetchone()  # type: ignore[misc]
    return rows, round(area, 9)


def server_cpu(cluster: PrivateCluster) -> float:
    """Seconds of processor time of the server and of every backend that has left it."""
    pid = (cluster.data / "postmaster.pid").read_text().split()[0]
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def run_once(name: str, path: Path, cluster: PrivateCluster) -> Run:
    """A contender in a process of its own on an empty table."""
    url = cluster.url(name)
    clear(url)
    before, start = server_cpu(cluster), time.perf_counter()
    told = subprocess.run(
        [sys.executable, __file__, "--contender", name, str(path), url], capture_output=True, text=True
    )
    if told.returncode:
        raise SystemExit(f"{name} failed: {told.stderr[-2000:]}")
    seconds = time.perf_counter() - start
    own, megabytes = (float(figure) for figure in told.stdout.split()[-2:])
    return Run(seconds, own + server_cpu(cluster) - before, megabytes)


def be(name: str, path: Path, url: str) -> None:
    """One contender, once; prints its (or its child's) processor seconds and the megabytes at its largest."""
    CONTENDERS[name](path, url)
    used = resource.getrusage(resource.RUSAGE_CHILDREN if name == "ogr2ogr" else resource.RUSAGE_SELF)
    megabytes = used.ru_maxrss / 1024 if name == "ogr2ogr" else own_peak()
    print(used.ru_utime + used.ru_stime, megabytes)


def own_peak() -> float:
    """Megabytes of this process at its largest; `ru_maxrss` would count the process it was forked from."""
    status = Path("/proc/self/status").read_text()
    return float(status.split("VmHWM:")[1].split()[0]) / 1024


def compare(rows: int, rounds: int) -> dict[str, float | int | None]:
    """Every contender `rounds` times in turn, so that whatever else the machine does hits all alike."""
    there = [name for name in CONTENDERS if name != "ogr2ogr" or shutil.which("ogr2ogr")]
    runs: dict[str, list[Run]] = {name: [] for name in there}
    answers = {}
    with empty_databases() as (folder, cluster):
        path = folder / "land.gpkg"
        make_file(path, rows)
        for _ in range(rounds):
            for name in there:
                runs[name].append(run_once(name, path, cluster))
                answers[name] = found(cluster.url(name), name)
    if len(set(answers.values())) != 1:
        raise SystemExit(f"The contenders do not agree: {answers}")
    best = {name: statistics.median(run.seconds for run in each) for name, each in runs.items()}
    print(f"{rows:,} polygons of {CORNERS + 1} vertices, median of {rounds}")
    print(f"{'':12} {'seconds':>8} {'rows/s':>10} {'CPU s':>8} {'peak MB':>8}")
    for name in CONTENDERS:
        if name in best:
            cpu = statistics.median(run.cpu for run in runs[name])
            peak = max(run.megabytes for run in runs[name])
            print(f"{name:12} {best[name]:8.2f} {rows / best[name]:10,.0f} {cpu:8.2f} {peak:8.0f}")
        else:
            print(f"{name:12}   absent: not on PATH")
    ours = best["citygrid"]
    return {
        "vs_ogr2ogr": round(best["ogr2ogr"] / ours, 2) if "ogr2ogr" in best else None,
        "vs_to_postgis": round(best["to_postgis"] / ours, 2),
        "peak_mb": round(max(run.megabytes for run in runs["citygrid"])),
        "rows_per_s": round(rows / ours),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="40,000 polygons, once")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--contender", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contender:
        name, path, url = given.contender
        be(name, Path(path), url)
        return
    rows, rounds = (40_000, 1) if given.quick else (given.rows, 3)
    print(json.dumps(compare(rows, rounds)))


if __name__ == "__main__":
    main()
