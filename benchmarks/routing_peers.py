"""What a user could take instead of our index to find the cell of each point, each at its best.

A peer is a context manager that gets everything ready (geometries made, cells indexed where it can keep an
index, tables loaded and analysed) and yields the join; only that is timed. What the join returns hands out
pairs of a point and a cell that covers it; which one counts on a shared edge is settled afterwards, untimed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import geopandas
import numpy as np
import psycopg
import pyarrow
import shapely
from numpy.typing import NDArray

from benchmarks.own_cluster import own_cluster
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
    """A connection to tables cells (GiST) and points. Cells once loaded stay for who asks next."""
    try:
        cluster, database = own_cluster(), f"routing_{len(layer)}"
        cluster.ensure_database(database)
    except Unavailable as failure:
        raise Absent(failure.message_en) from failure
    with psycopg.connect(cluster.url(database).replace("+psycopg", ""), autocommit=True) as connection:
        if not connection.execute("SELECT to_regclass('cells')").fetchone()[0]:
            _fill_cells(connection, layer)
        _fill_points(connection, x, y)
        yield connection


def _fill_cells(connection: psycopg.Connection, layer: Layer) -> None:
    connection.execute("CREATE EXTENSION postgis")
    _copy(connection, "shapes", {"cell": "int4", "shape": "bytea"}, enumerate(shapely.to_wkb(layer)))
    connection.execute(
        "CREATE UNLOGGED TABLE cells AS SELECT cell, ST_GeomFromWKB(shape) AS geom FROM shapes"
    )
    connection.execute("CREATE INDEX ON cells USING gist (geom)")
    connection.execute("VACUUM ANALYZE cells")


def _fill_points(connection: psycopg.Connection, x: Floats, y: Floats) -> None:
    connection.execute("DROP TABLE IF EXISTS places, points")
    rows = zip(range(len(x)), x.tolist(), y.tolist(), strict=True)
    _copy(connection, "places", {"point": "int4", "x": "float8", "y": "float8"}, rows)
    connection.execute("CREATE UNLOGGED TABLE points AS SELECT point, ST_MakePoint(x, y) AS geom FROM places")
    connection.execute("VACUUM ANALYZE points")


def _copy(
    connection: psycopg.Connection, table: str, columns: dict[str, str], rows: Iterable[tuple[object, ...]]
) -> None:
    """Rows into a new table."""
    connection.execute(
        f"CREATE UNLOGGED TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})"
    )
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)


PEERS = {
    "geopandas.sjoin": geopandas_sjoin,
    "shapely STRtree(cells)": strtree_of_cells,
    "shapely STRtree(points)": strtree_of_points,
    "DuckDB spatial": duckdb_spatial,
    "SedonaDB": sedonadb,
    "polars-st": polars_st,
    "PostGIS GiST join": postgis_gist,
}
