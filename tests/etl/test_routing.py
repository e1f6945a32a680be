"""Many points at once answer what each answers alone, whatever lies over the ground."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely
from geoalchemy2.shape import from_shape

from etl.routing import REFUSED, route
from gis.access import Principal
from gis.errors import Invalid
from gis.geometry import Fix
from grids import exceptions
from grids.cells import Cell
from grids.responsibility import responsible_for
from tests import toy_city
from tests.toy_city import LAT, LON, NOW, SOUTH_EAST, SOUTH_WEST, STEP

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICER = Principal(9, "officer", "周明", "subdistrict_officer", territory=toy_city.SUBDISTRICT)


@pytest.fixture
def overlaid(session):
    """The toy city with a school over the west and the middle road's south given to the south-east."""
    toy_city.build(session)
    school = shapely.box(LON - 0.0015, LAT - 0.0005, LON - 0.0008, LAT + 0.0005)
    session.add(
        Cell(
            generation="toy",
            kind="special",
            code="S001",
            name="石桥小学",
            area_m2=1.0,
            geom=from_shape(shapely.MultiPolygon([school]), srid=4490),
            territory=SOUTH_WEST,
        )
    )
    session.flush()
    road = shapely.box(LON - 0.0002, LAT - STEP, LON + 0.0002, LAT)
    exceptions.add(
        session, road, SOUTH_EAST, by=OFFICER, now=NOW - timedelta(days=1), reason="道路两侧归一家"
    )


def places(count):
    """Points over the city and beyond it, some exactly on borders and corners, with their accuracies."""
    rng = np.random.default_rng(21)
    lon, lat = (at + rng.uniform(-1.6, 1.6, count) * STEP for at in (LON, LAT))
    lon[::9], lat[::11] = LON, LAT
    lon[::50], lat[::70] = LON + STEP, LAT - STEP
    lon[::97] += 0.5
    accuracy = rng.choice([None, 1.0, 8.0, 30.0, 250.0], count).tolist()
    return lon, lat, accuracy


def alone(session, lon, lat, accuracy):
    try:
        one = responsible_for(session, Fix(lon, lat, accuracy), at=NOW)
    except Invalid as error:
        return (REFUSED, error.message_zh)
    return (
        one.rule, one.cell_code, one.territory, one.confidence, one.border_m, one.second_cell,
        one.member.id if one.member else None, one.second_member.id if one.second_member else None,
        one.reason_zh, one.reason_en,
    )  # fmt: skip


def told(routed):
    if routed.rule == REFUSED:
        return (REFUSED, routed.reason_zh)
    return (
        routed.rule, routed.cell, routed.territory, routed.confidence, routed.border_m, routed.second_cell,
        routed.member_id, routed.second_member_id, routed.reason_zh, routed.reason_en,
    )  # fmt: skip


def test_a_thousand_points_answer_what_each_answers_alone(session, overlaid):
    lon, lat, accuracy = places(1_000)
    together = route(session, lon, lat, accuracy, at=NOW, zone=SHANGHAI)
    rules = {answer.rule for answer in together}
    assert rules == {"building", "special", "exception", "covered", "shared_edge", "near", "orphan", REFUSED}
    for k, answer in enumerate(together):
        assert told(answer) == alone(session, lon[k], lat[k], accuracy[k]), (lon[k], lat[k], accuracy[k])
