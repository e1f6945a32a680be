"""COPY BINARY and the comparison with the city: what goes in comes out, and nothing is written twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl import merging
from etl.report import LoadReport, Reason
from etl.staging import Stage, ewkb

ALL = {
    "name": "text", "n": "int4", "big": "int8", "metres": "float8", "yes": "bool", "at": "timestamptz",
    "tags": "text[]", "facts": "jsonb", "geom": "geometry",
}  # fmt: skip
MOMENT = datetime(2026, 11, 23, 2, 0, 0, 123456, tzinfo=UTC)
PLACE = ewkb(np.array([shapely.Point(113.1, 23.0)]), multi=False)[0]


def test_every_type_comes_out_as_it_went_in(session):
    stage = Stage(session, "trial", ALL)
    row = {
        "row": 1, "name": "临江 ’\t\n\\N", "n": -7, "big": 2**40, "metres": 0.1, "yes": True, "at": MOMENT,
        "tags": ("低保", ""), "facts": '{"a": [1, "甲"]}', "geom": PLACE,
    }  # fmt: skip
    stage.copy({name: [value] for name, value in row.items()})
    stored = session.execute(sa.text(f"SELECT *, ST_AsEWKT(geom) AS ewkt FROM {stage.name}")).one()._mapping
    assert {name: stored[name] for name in row if name not in ("facts", "geom", "tags")} == {
        name: value for name, value in row.items() if name not in ("facts", "geom", "tags")
    }
    assert stored["facts"] == {"a": [1, "甲"]}
    assert stored["tags"] == ["低保", ""]
    assert stored["ewkt"] == "SRID=4490;POINT(113.1 23)"


SHAPES = [
    shapely.Point(113.1, 23.0),
    shapely.LineString([(113.1, 23.0), (113.2, 23.1)]),
    shapely.box(113.1, 23.0, 113.2, 23.1).difference(shapely.box(113.12, 23.02, 113.14, 23.04)),
    shapely.MultiPolygon([shapely.box(113.1, 23.0, 113.2, 23.1), shapely.box(113.3, 23.0, 113.4, 23.1)]),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.geom_type)
@pytest.mark.parametrize("multi", [False, True])
def test_geometries_are_what_postgis_itself_would_write(session, shape, multi):
    wrap = "ST_Multi" if multi else ""
    expected = session.execute(
        sa.text(f"SELECT ST_AsEWKB({wrap}(ST_GeomFromText(:wkt, 4490)), 'NDR')"), {"wkt": shape.wkt}
    ).scalar_one()
    assert ewkb(np.array([shape]), multi=multi) == [bytes(expected)]


def test_nothing_is_nothing_in_every_type(session):
    stage = Stage(session, "trial", ALL)
    stage.copy({"row": [1, 2], **{name: [None, None] for name in ALL}})
    filled = " OR ".join(f"{name} IS NOT NULL" for name in ALL)
    assert session.execute(sa.text(f"SELECT count(*) FROM {stage.name} WHERE {filled}")).scalar() == 0
    assert stage.count() == 2


def test_an_empty_list_of_tags_is_empty_and_not_absent(session):
    stage = Stage(session, "trial", {"tags": "text[]"})
    stage.copy({"row": [1], "tags": [()]})
    assert session.execute(sa.text(f"SELECT tags FROM {stage.name}")).scalar() == []


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.none(), st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
            ),
            st.one_of(st.none(), st.floats(allow_nan=False)),
            st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)),
            st.one_of(
                st.none(),
                st.datetimes(datetime(1700, 1, 1), datetime(2300, 1, 1)).map(lambda m: m.replace(tzinfo=UTC)),
            ),
        ),
        max_size=10,
    )
)
def test_any_row_survives_the_way_in(session, rows):
    stage = Stage(session, "trial", {"a": "text", "b": "float8", "c": "int4", "d": "timestamptz"})
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    stage.copy({"row": range(len(rows)), **dict(zip("abcd", columns, strict=True))})
    stored = session.execute(sa.text(f"SELECT a, b, c, d FROM {stage.name} ORDER BY row")).all()
    assert [tuple(row) for row in stored] == rows


def roads(session, *rows):
    """A stage of roads (source code, name, class, x of their line)."""
    columns = {"source_code": "text", "name": "text", "class": "text", "geom": "geometry"}
    stage = Stage(session, "roads", columns)
    stage.copy(
        {
            "row": range(1, len(rows) + 1),
            "source_code": [row[0] for row in rows],
            "name": [row[1] for row in rows],
            "class": [row[2] for row in rows],
            "geom": ewkb(
                np.array([shapely.LineString([(row[3], 23), (row[3], 23.1)]) for row in rows]), multi=True
            ),
        }
    )
    return stage


def merge(stage, compared=("name", "class", "geom")):
    result = merging.merge(stage, "road", ("source_code",), ("name", "class", "geom"), compared)
    return result.inserted, result.updated, result.unchanged


def test_new_changed_and_unchanged_rows_are_told_apart(session):
    assert merge(roads(session, ("a", "甲路", "local", 113.0), ("b", None, "lane", 113.1))) == (2, 0, 0)
    assert merge(roads(session, ("a", "甲路", "local", 113.0), ("b", None, "lane", 113.1))) == (0, 0, 2)
    changed = roads(
        session, ("a", "甲路", "local", 113.0001), ("b", "乙路", "lane", 113.1), ("c", "丙", "lane", 113.2)
    )
    assert merge(changed) == (1, 2, 0)
    stored = session.execute(sa.text("SELECT source_code, name, ST_X(ST_StartPoint(ST_GeometryN(geom, 1)))"
                                     " FROM road ORDER BY 1")).all()  # fmt: skip
    assert [tuple(row) for row in stored] == [
        ("a", "甲路", 113.0001),
        ("b", "乙路", 113.1),
        ("c", "丙", 113.2),
    ]


def test_what_is_not_compared_is_left_alone_in_known_rows_and_set_in_new_ones(session):
    merge(roads(session, ("a", "甲路", "arterial", 113.0)))
    again = roads(session, ("a", "甲路", "local", 113.0), ("b", "乙路", "local", 113.1))
    assert merge(again, compared=("name", "geom")) == (1, 0, 1)
    assert session.execute(sa.text("SELECT class FROM road ORDER BY source_code")).scalars().all() == [
        "arterial",
        "local",
    ]


def test_a_load_that_changes_nothing_writes_nothing(session):
    """A statement trigger on the ground gives the owner map a new stamp, even for an update of no rows."""
    merge(roads(session, ("a", "甲路", "local", 113.0)))
    session.execute(
        sa.text(
            "CREATE FUNCTION pg_temp.shout() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'written'; END $$;"
            " CREATE TRIGGER shout BEFORE INSERT OR UPDATE OR DELETE ON road"
            " FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.shout()"
        )
    )
    assert merge(roads(session, ("a", "甲路", "local", 113.0))) == (0, 0, 1)
    with pytest.raises(sa.exc.DatabaseError, match="written"):
        merge(roads(session, ("a", "甲路", "lane", 113.0)))


def test_many_rows_into_an_empty_table_leave_its_indexes_as_they_were(session, monkeypatch):
    monkeypatch.setattr(merging, "MANY_ROWS", 2)
    indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'road' ORDER BY 1"
    before = session.execute(sa.text(indexes)).all()
    assert merge(roads(session, ("a", "甲路", "local", 113.0), ("b", None, "lane", 113.1))) == (2, 0, 0)
    assert session.execute(sa.text(indexes)).all() == before
    assert len(before) >= 4


def test_refused_rows_leave_the_stage_and_are_told(session):
    stage = roads(session, ("a", "甲路", "local", 113.0), ("b", None, "lane", 113.1))
    report = LoadReport("roads", "trial.csv")
    stage.refuse("s.name IS NULL", Reason("nameless", "无名", "no name"), report)
    assert [(note.row, note.key, note.reason.code) for note in report.refused] == [(2, "b", "nameless")]
    assert stage.count() == 1


def test_fill_writes_by_row(session):
    stage = roads(session, ("a", None, "local", 113.0), ("b", None, "lane", 113.1))
    stage.fill("row", {"row": [2, 1], "name": ["乙", "甲"]})
    assert session.execute(sa.text(f"SELECT name FROM {stage.name} ORDER BY row")).scalars().all() == [
        "甲",
        "乙",
    ]


def test_ten_thousand_moments_keep_their_microseconds(session):
    stage = Stage(session, "trial", {"at": "timestamptz"})
    moments = [MOMENT + timedelta(microseconds=i, days=i) for i in range(10_000)]
    stage.copy({"row": range(len(moments)), "at": moments})
    stored = session.execute(sa.text(f"SELECT at FROM {stage.name} ORDER BY row")).scalars().all()
    assert stored == moments
