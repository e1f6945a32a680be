"""What a user could take instead of our index to find the cell of each point, each at its best.

A peer is a context manager that gets everything ready (geometries made, cells indexed where it can keep an
index, tables loaded and analysed) and yields the join; only that is timed. What the join returns hands out
pairs of a point and a cell that covers it; which one counts on a shared edge is settled afterwards, untimed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import geopandas
import numpy as np
import psycopg
import pyarrow
import shapely
from numpy.typing import NDArray

from gis.cluster import PrivateCluster
from gis.errors import Unavailable

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]
Floats = NDArray[np.float64]
Layer = NDArray[np.object_]
Join = Callable[[], Callable[[], Pairs]]


class Absent(Exception):
    """A peer that this machine does not have."""


@contextmanager
def geopandas_sjoin(layer: Layer, x: Floats, y: Floats) -> Iterator[Join]:
    cells = geopandas.GeoDataFrame(geometry=layer)
    points = geopandas.GeoDataFrame(geometry=shapely.points(x, y))
    cells.sindex  # noqa: B018 - built on first use

    def join() -> Callable[[], Pairs]:
        joined = geopandas.sjoin(points, cells, predicate="intersects")
        return lambda: (joined.index.to_numpy(), joined["index_right"].to_numpy())

    yield join


@contextmanager
def strtree_of_cells(layer: Layer, x: Floats, y: Floats) -> Iterator[Join]:
    points, tree = shapely.points(x, y), shapely.STRtree(layer)

    def join() -> Callable[[], Pairs]:
        point, cell = tree.query(points, predicate="intersects")
        return lambda: (point, cell)

    yield join


@contextmanager
def strtree_of_points(layer: Layer, x: Floats, y: Floats) -> Iterator[Join]:
    points = shapely.points(x, y)
    shapely.prepare(layer)

    def join() -> Callable[[], Pairs]:
        cell, point = shapely.STRtree(points).query(layer, predicate="intersects")
        return lambda: (point, cell)

    yield join


@contextmanager
def duckdb_spatial(layer: Layer, x: Floats, y: Floats) -> Iterator[Join]:
    try:
        import duckdb
    except ImportError as missing:
        raise Absent("duckdb is not installed") from missing
    database = duckdb.connect()
    try:
        database.execute("LOAD spatial")
    except duckdb.Error:
        try:
            database.execute("INSTALL spatial; LOAD spatial")
        except duckdb.Error as failure:
            raise Absent("its spatial extension is not here and cannot be fetched") from failure
    database.execute("SET threads = 2")
    shapes = pyarrow.table({"cell": np.arange(len(layer)), "shape": shapely.to_wkb(layer)})
    places = pyarrow.table({"point": np.arange(len(x)), "x": x, "y": y})
    database.register("shapes", shapes)
    database.register("places", places)
    database.execute("CREATE TABLE cells AS SELECT cell, ST_GeomFromWKB(shape) AS geom FROM shapes")
    database.execute("CREATE TABLE points AS SELECT point, ST_Point(x, y) AS geom FROM places")

    def join() -> Callable[[], Pairs]:
        found = database.execute(
            "SELECT point, cell FROM points JOIN cells ON ST_Intersects(cells.geom, points.geom)"
        ).fetchnumpy()
        return lambda: (found["point"], found["cell"])

    yield join


@contextmanager
def sedonadb(layer: Layer, x: Floats, y: Floats) -> Iterator[Join]:
    try:
        import sedonadb
    except ImportError as missing:
        raise Absent("sedonadb is not installed") from missing
    engine = sedonadb.connect()
    for name, shapes in (("cells", layer), ("points", shapely.points(x, y))):
        frame = geopandas.GeoDataFrame({"position": np.arange(len(shapes))}, geometry=shapes)
        engine.create_data_frame(frame).to_memtable().to_view(name)

    def join() -> Callable[[], Pairs]:
        found = pyarrow.table(
            engine.sql(
                "SELECT p.position AS point, c.position AS cell"
                " FROM points AS p JOIN cells AS c ON ST_Intersects(c.geometry, p.geometry)"
            )
        )
        return lambda: (found["point"].to_numpy(), found["cell"].to_numpy())

    yield join


@contextmanager
def polars_st(layer: Layer, x: Floats, y: Floats) -> Iterator[Join]:
    try:
        import polars
        import polars_st  # noqa: F401 - registers the namespace `st`
    except ImportError as missing:
        raise Absent("polars-st is not installed") from missing

    cells = polars.DataFrame({"cell": np.arange(len(layer)), "geometry": list(shapely.to_wkb(layer))})
    wkb = list(shapely.to_wkb(shapely.points(x, y)))
    points = polars.DataFrame({"point": np.arange(len(x)), "geometry": wkb})

    def join() -> Callable[[], Pairs]:
        found = points.st.sjoin(cells, on="geometry", how="inner", predicate="intersects")
        return lambda: (found["point"].to_numpy(), found["cell"].to_numpy())

    yield join


@contextmanager
def postgis_gist(layer: Layer, x: Floats, y: Floats) -> Iterator[Join]:
    with postgis(layer, x, y) as connection:

        def join() -> Callable[[], Pairs]:
            connection.execute("DROP TABLE IF EXISTS joined")
            connection.execute(
                "CREATE UNLOGGED TABLE joined AS"
                " SELECT point, cell FROM points JOIN cells ON ST_Intersects(cells.geom, points.geom)"
            )
            return pairs

        def pairs() -> Pairs:
            rows = np.array(connection.execute("SELECT point, cell FROM joined").fetchall(), np.int64)
            return rows[:, 0], rows[:, 1]

        yield join


@contextmanager
def postgis(layer: Layer, x: Floats, y: Floats) -> Iterator[psycopg.Connection]:
    """A private cluster with the tables cells (GiST) and points, and a connection to it."""
    with tempfile.TemporaryDirectory(prefix="citygrid-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # started as root, the server's own account must be able to walk in
        cluster = PrivateCluster(Path(folder) / "pg")
        try:
            cluster.ensure()
            cluster.ensure_database("routing")
        except Unavailable as failure:
            raise Absent(failure.message_en) from failure
        try:
            url = cluster.url("routing").replace("+psycopg", "")
            with psycopg.connect(url, autocommit=True) as connection:
                _fill(connection, layer, x, y)
                yield connection
        finally:
            cluster.stop()


def _fill(connection: psycopg.Connection, layer: Layer, x: Floats, y: Floats) -> None:
    connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    connection.execute("CREATE UNLOGGED TABLE shapes (cell int, shape bytea)")
    connection.execute("CREATE UNLOGGED TABLE places (point int, x float8, y float8)")
    with connection.cursor() as cursor:
        with cursor.copy("COPY shapes FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int4", "bytea"])
            for row in enumerate(shapely.to_wkb(layer)):
                copy.write_row(row)
        with cursor.copy("COPY places FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int4", "float8", "float8"])
            for row in zip(range(len(x)), x.tolist(), y.tolist(), strict=True):
                copy.write_row(row)
    connection.execute(
        "CREATE UNLOGGED TABLE cells AS SELECT cell, ST_GeomFromWKB(shape) AS geom FROM shapes"
    )
    connection.execute("CREATE UNLOGGED TABLE points AS SELECT point, ST_MakePoint(x, y) AS geom FROM places")
    connection.execute("CREATE INDEX ON cells USING gist (geom)")
    connection.execute("VACUUM ANALYZE cells, points")


PEERS = {
    "geopandas.sjoin": geopandas_sjoin,
    "shapely STRtree(cells)": strtree_of_cells,
    "shapely STRtree(points)": strtree_of_points,
    "DuckDB spatial": duckdb_spatial,
    "SedonaDB": sedonadb,
    "polars-st": polars_st,
    "PostGIS GiST join": postgis_gist,
}
