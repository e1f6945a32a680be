"""The partition index on others' hard cases: the predicate tests of JTS, and layers as cities publish them.

The files are not part of the product; without them these tests are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import geopandas
import numpy as np
import pytest
import shapely

from gis.partition_index import PartitionIndex
from gis.partition_index.predicates import in_box, orientation
from gis.settings import Settings
from tests.gis.test_partition_index import assert_agrees

FOLDER = Settings.load().real_data

pytestmark = pytest.mark.skipif(
    FOLDER is None or not FOLDER.is_dir(),
    reason="the real data is not here (CITYGRID_REAL_DATA names its folder)",
)

POINTS, AREAS = ("Point", "MultiPoint"), ("Polygon", "MultiPolygon")


def jts_cases() -> Iterator[tuple[str, dict[str, shapely.Geometry], list[tuple[str, str, str, bool]]]]:
    """(name, geometries A and B, [(predicate, first, second, answer)]) of every case that can be read."""
    assert FOLDER is not None
    for path in sorted((FOLDER / "jts_xml" / "testxml").rglob("*.xml")):
        for number, case in enumerate(ElementTree.parse(path).getroot().iter("case")):
            shapes = {}
            for letter in ("a", "b"):
                text = "".join((case.findtext(letter) or "").split("\n")).strip()
                try:
                    shapes[letter.upper()] = (
                        shapely.from_wkb(text) if text[:2] in ("00", "01") else shapely.from_wkt(text)
                    )
                except shapely.errors.GEOSException:
                    continue
            asked = [
                (
                    op.get("name", ""),
                    (op.get("arg1") or "A").upper(),
                    (op.get("arg2") or "B").upper(),
                    op.text,
                )
                for op in case.iter("op")
            ]
            answers = [
                (*one[:3], one[3].strip() == "true")
                for one in asked
                if (one[3] or "").strip() in ("true", "false")
            ]
            yield f"{path.stem} {number}", {k: v for k, v in shapes.items() if v is not None}, answers


def located(area: shapely.Geometry, points: shapely.Geometry) -> np.ndarray:
    return PartitionIndex.build([area]).locate(*shapely.get_coordinates(points).T) >= 0


def test_jts_cases_of_points_and_areas():
    asked = 0
    for name, shapes, answers in jts_cases():
        for predicate, first, second, expected in answers:
            one, other = shapes.get(first), shapes.get(second)
            if one is None or other is None or one.is_empty or other.is_empty:
                continue
            if one.geom_type in AREAS and other.geom_type in POINTS:
                inside = located(one, other)
                found = {"covers": inside.all()}
            elif one.geom_type in POINTS and other.geom_type in AREAS:
                inside = located(other, one)
                found = {"coveredBy": inside.all()}
            else:
                continue
            found |= {"intersects": inside.any(), "disjoint": not inside.any()}
            if predicate in found:
                assert found[predicate] == expected, (name, predicate)
                asked += 1
    assert asked >= 100


def test_jts_cases_of_a_point_and_a_line_between_two_points():
    asked = 0
    for name, shapes, answers in jts_cases():
        kinds = {shape.geom_type: shape for shape in shapes.values() if not shape.is_empty}
        line, point = kinds.get("LineString"), kinds.get("Point")
        if line is None or point is None or len(line.coords) != 2:
            continue
        (ax, ay), (bx, by), (px, py) = (c[:2] for c in (*line.coords, *point.coords))
        on = orientation(ax, ay, bx, by, px, py) == 0 and in_box(ax, ay, bx, by, px, py)
        for predicate, _, _, expected in answers:
            if predicate == "intersects":
                assert on == expected, name
                asked += 1
    assert asked >= 3


def test_every_valid_area_of_the_jts_suite_at_its_vertices_and_middles():
    areas = {
        shapely.to_wkb(shape): shape
        for _, shapes, _ in jts_cases()
        for shape in shapes.values()
        if shape.geom_type in AREAS and not shape.is_empty and shape.is_valid
    }
    assert len(areas) >= 300
    rng = np.random.default_rng(7)
    for area in areas.values():
        xy = shapely.get_coordinates(area)
        west, south, east, north = area.bounds
        spread = rng.uniform((west, south), (east, north), (40, 2))
        assert_agrees([area], *np.vstack([xy, (xy[1:] + xy[:-1]) / 2, spread]).T)


@pytest.mark.parametrize(
    ("file", "polygons"),
    [
        ("beijing_streets/beijing.shp", 300),
        ("boston311/neighborhoods_cth.geojson", 20),
        ("boston311/ZIP_Codes.geojson", 30),
        ("boston311/police/boston-massachusetts-police-districts.shp", 10),
    ],
)
def test_a_published_layer_agrees_at_its_vertices_middles_and_everywhere(file: str, polygons: int):
    assert FOLDER is not None
    if not (path := Path(FOLDER / file)).exists():
        pytest.skip(f"{file} is not here")
    layer = geopandas.read_file(path).geometry.to_numpy()
    layer = np.array([shape for shape in layer if shape is not None and shape.is_valid], object)
    assert len(layer) >= polygons
    xy = shapely.get_coordinates(layer)
    west, south, east, north = shapely.total_bounds(layer)
    spread = np.random.default_rng(8).uniform((west, south), (east, north), (20_000, 2))
    assert_agrees(layer, *np.vstack([xy, (xy[1:] + xy[:-1]) / 2, np.nextafter(xy, np.inf), spread]).T)
