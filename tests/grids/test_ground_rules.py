"""Each rule of ground where it meets the one above and the one below, on the toy city."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import shapely
import sqlalchemy as sa
from geoalchemy2.shape import from_shape

from gis.access import Principal
from gis.errors import Denied, Invalid, NotFound
from gis.geometry import Fix
from grids import exceptions
from grids.cells import Cell
from grids.duties import Duty
from grids.exceptions import GroundException
from grids.generation_check import check_generation
from grids.ground_rules import RULES
from grids.members import Member
from grids.responsibility import responsible_for
from layers.basemap import Water
from layers.buildings import Building
from layers.components import Component
from tests import toy_city
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST, NOW, SOUTH_EAST, SOUTH_WEST, STEP

METRE = STEP / 222.0
"""One metre of latitude in degrees, near enough for placing points."""
OFFICER = Principal(9, "officer", "周明", "subdistrict_officer", territory=toy_city.SUBDISTRICT)


@pytest.fixture
def city(session):
    return toy_city.build(session)


def ask(session, lon, lat, **more):
    accuracy = more.pop("accuracy_m", 10.0)
    return responsible_for(session, Fix(lon, lat, accuracy), at=more.pop("at", NOW), **more)


def box(west_m, south_m, east_m, north_m):
    """A box in metres (of latitude) around the middle of the toy city."""
    return shapely.box(
        *(v * METRE + o for v, o in zip((west_m, south_m, east_m, north_m), (LON, LAT) * 2, strict=True))
    )


def special_cell(session, shape, code="S001"):
    session.add(
        Cell(
            generation="toy",
            kind="special",
            code=code,
            name="石桥小学",
            area_m2=1.0,
            geom=from_shape(shapely.MultiPolygon([shape]), srid=4490),
            territory=SOUTH_WEST,
        )
    )
    session.flush()


def give(session, shape, cell, **more):
    more.setdefault("reason", "道路两侧归一家")
    return exceptions.add(
        session, shape, cell, by=more.pop("by", OFFICER), now=NOW - timedelta(days=1), **more
    )


def water(session, shape):
    session.add(Water(kind="river", geom=from_shape(shapely.MultiPolygon([shape]), srid=4490)))
    session.flush()


def test_the_rules_stand_in_the_decided_order():
    assert [rule.name for rule in RULES] == [
        "component", "building", "special", "exception", "covered", "shared_edge", "near", "orphan",
    ]  # fmt: skip


def test_a_named_component_belongs_to_its_cell_wherever_the_phone_is(session, city):
    lamp = Component(
        kind="lamp",
        cell_code=SOUTH_EAST,
        department_code="city_management",
        territory=SOUTH_EAST,
        geom=from_shape(shapely.Point(LON + 5 * METRE, LAT - 5 * METRE), srid=4490),
    )
    session.add(lamp)
    session.flush()
    answer = ask(session, LON - STEP / 2, LAT + STEP / 2, component_id=lamp.id, category="9901")
    assert (answer.rule, answer.cell_code, answer.confidence) == ("component", SOUTH_EAST, 1.0)
    assert answer.department == "city_management", "the one who keeps the component does the work"


def test_a_special_cell_lies_over_the_social_one_and_a_building_over_both(session, city):
    special_cell(session, box(-100, 60, -20, 160))
    in_school = ask(session, LON - 60 * METRE, LAT + 80 * METRE)
    assert (in_school.rule, in_school.cell_code) == ("special", "S001")
    assert in_school.territory == NORTH_WEST, "ground keeps the social code beneath"
    at_building = ask(session, LON - 0.0003, LAT + 0.00105)
    assert (at_building.rule, at_building.cell_code) == ("building", NORTH_WEST)


def test_a_special_cell_without_a_team_is_answered_for_by_the_cell_beneath(session, city):
    special_cell(session, box(-100, 60, -60, 160))
    assert ask(session, LON - 80 * METRE, LAT + 80 * METRE).member.id == city.members[NORTH_WEST]


def test_an_exception_gives_ground_away_with_its_reason_and_its_mass(session, city):
    given = give(session, box(-12, 0, 0, 222), NORTH_EAST)
    answer = ask(session, LON - 6 * METRE, LAT + 50 * METRE, accuracy_m=5.0)
    assert (answer.rule, answer.cell_code, answer.exception_id) == ("exception", NORTH_EAST, given.id)
    assert answer.member.id == city.members[NORTH_EAST]
    assert answer.confidence > 0.9, "the ground given away counts for its new owner"
    assert any("道路两侧归一家" in step["zh"] for step in answer.trace)
    beyond = ask(session, LON - 18 * METRE, LAT + 50 * METRE, accuracy_m=5.0)
    assert (beyond.rule, beyond.cell_code, beyond.second_cell) == ("covered", NORTH_WEST, NORTH_EAST)
    assert beyond.border_m == pytest.approx(
        5.5, abs=0.5
    )  # 6 m of latitude's degrees are 5.5 m of longitude's


def test_a_border_road_as_a_line_with_a_buffer_gives_both_sides_to_one(session, city):
    give(session, shapely.LineString([(LON, LAT), (LON, LAT + STEP)]), NORTH_EAST, buffer_m=10.0)
    for side in (-8, 8):
        assert ask(session, LON + side * METRE, LAT + STEP / 2).cell_code == NORTH_EAST
    assert ask(session, LON - 14 * METRE, LAT + STEP / 2).cell_code == NORTH_WEST
    assert ask(session, LON - 5 * METRE, LAT - 5 * METRE).cell_code == SOUTH_WEST, (
        "the buffer ends where the line does"
    )


def test_of_two_exceptions_the_higher_priority_wins_then_the_older(session, city):
    first = give(session, box(-40, 20, 0, 60), NORTH_EAST)
    give(session, box(-40, 20, 0, 60), SOUTH_WEST)
    assert ask(session, LON - 20 * METRE, LAT + 40 * METRE).exception_id == first.id
    higher = give(session, box(-40, 20, 0, 60), SOUTH_EAST, priority=1)
    assert ask(session, LON - 20 * METRE, LAT + 40 * METRE).exception_id == higher.id


def test_an_exception_holds_from_its_start_until_its_end(session, city):
    given = give(session, box(-40, 20, 0, 60), NORTH_EAST, ends_at=NOW + timedelta(days=30))
    place = LON - 20 * METRE, LAT + 40 * METRE
    rules = [ask(session, *place, at=NOW + timedelta(days=days)).rule for days in (-2, 0, 30)]
    assert rules == ["covered", "exception", "covered"]
    exceptions.end(session, given.id, by=OFFICER, now=NOW)
    assert ask(session, *place).rule == "covered"


def test_an_exception_for_a_cell_of_another_generation_decides_nothing(session, city):
    session.add(
        GroundException(
            cell_code="990101001009009",
            starts_at=NOW,
            reason="旧",
            created_by="旧",
            territory=NORTH_WEST,
            geom=from_shape(box(-40, 20, 0, 60), srid=4490),
        )
    )
    session.flush()
    assert ask(session, LON - 20 * METRE, LAT + 40 * METRE).rule == "covered"
    assert check_generation(session, "toy", now=NOW).counts["exception"] == 1, "and the gate tells of it"


@pytest.mark.parametrize(
    ("shape", "more", "kind"),
    [
        (box(0, 0, 9, 9), {"by": Principal(1, "w", "王", "member", territory=NORTH_EAST)}, Denied),
        (
            box(0, 0, 9, 9),
            {"by": Principal(1, "o", "外", "subdistrict_officer", territory="990101002")},
            NotFound,
        ),
        (box(0, 0, 9, 9), {"reason": " "}, Invalid),
        (shapely.LineString([(LON, LAT), (LON, LAT + STEP)]), {}, Invalid),
        (shapely.Point(LON, LAT), {}, Invalid),
    ],
    ids=["role", "ground", "no reason", "line without buffer", "a point"],
)
def test_an_exception_that_cannot_be_is_refused(session, city, shape, more, kind):
    with pytest.raises(kind):
        give(session, shape, NORTH_EAST, **more)


def test_a_building_across_the_border_takes_its_ground_along(session, city):
    session.add(
        Building(
            name="跨界楼",
            number="9",
            cell_code=NORTH_WEST,
            territory=NORTH_WEST,
            geom=from_shape(box(-10, 20, 30, 40), srid=4490),
        )
    )
    session.flush()
    inside = ask(session, LON + 15 * METRE, LAT + 30 * METRE, accuracy_m=3.0)
    assert (inside.rule, inside.cell_code) == ("building", NORTH_WEST)
    assert inside.confidence > 0.99, "all of it is the north-west's, though the map says north-east"
    beside = ask(session, LON + 15 * METRE, LAT + 50 * METRE, accuracy_m=3.0)
    assert (beside.cell_code, beside.second_cell) == (NORTH_EAST, NORTH_WEST)
    assert beside.border_m == pytest.approx(10.0, abs=0.2)


def test_of_buildings_only_those_across_a_border_make_a_new_picture(session, city):
    def stamp():
        return session.scalar(sa.text("SELECT stamp FROM owner_map_stamp"))

    def build(shape):
        before = stamp()
        session.add(
            Building(
                number="9", cell_code=NORTH_WEST, territory=NORTH_WEST, geom=from_shape(shape, srid=4490)
            )
        )
        session.flush()
        return stamp() != before

    def change(what):
        before = stamp()
        session.execute(sa.text(f"UPDATE building SET {what} WHERE number = '9'"))
        return stamp() != before

    assert not build(box(-60, 20, -40, 40))
    assert not change("floors = 7")
    assert change(f"cell_code = '{NORTH_EAST}'"), "now its ground is another cell's"
    assert change(f"cell_code = '{NORTH_WEST}'"), "and now no longer"
    assert not change("floors = 8")
    assert build(box(-10, 20, 30, 40))
    before = stamp()
    session.execute(sa.text("DELETE FROM building WHERE number = '9'"))
    assert stamp() != before


def test_within_five_metres_of_a_building_counts_as_being_there_but_only_as_near_as_the_fix_is_good(
    session, city
):
    four_metres_off = LON - 0.0003, LAT + 0.0011 + 4 * METRE
    assert ask(session, *four_metres_off, accuracy_m=10.0).rule == "building"
    assert ask(session, *four_metres_off, accuracy_m=2.0).rule == "covered"


@pytest.mark.parametrize("indoors", [{"floor": 3}, {"unit": "2"}])
def test_a_floor_or_a_unit_names_the_building_head_besides(session, city, indoors):
    head = Member(name="赵和", role="building_head", territory=NORTH_WEST)
    session.add(head)
    session.flush()
    session.add(
        Duty(
            post="building_head",
            member_id=head.id,
            ground=NORTH_WEST,
            building_id=city.building,
            starts_at=NOW - timedelta(days=1),
            territory=NORTH_WEST,
        )
    )
    session.flush()
    place = LON - 0.0003, LAT + 0.00105
    assert ask(session, *place).building_head is None
    answer = ask(session, *place, **indoors)
    assert (answer.member.id, answer.building_head.id) == (city.members[NORTH_WEST], head.id)


def test_each_part_of_a_building_has_its_own_head(session, city):
    """One for the whole building, one for unit 2, one for that one's floors from 9 on."""
    parts = {"whole": (None, None, None), "unit": ("2", None, None), "top": ("2", 9, None)}
    heads = {}
    for name, (unit, low, high) in parts.items():
        head = Member(name="赵和", role="building_head", territory=NORTH_WEST)
        session.add(head)
        session.flush()
        heads[head.id] = name
        session.add(
            Duty(
                post="building_head", member_id=head.id, ground=NORTH_WEST, building_id=city.building,
                unit=unit, floor_from=low, floor_to=high, starts_at=NOW - timedelta(days=1),
                territory=NORTH_WEST,
            )
        )  # fmt: skip
    session.flush()

    def head_of(**door):
        return heads[ask(session, LON - 0.0003, LAT + 0.00105, **door).building_head.id]

    assert head_of(unit="1", floor=12) == "whole"
    assert head_of(unit="2", floor=3) == "unit"
    assert head_of(unit="2", floor=9) == "top"
    assert head_of(unit="2") == "unit", "nobody said on which floor"
    assert head_of(floor=12) == "whole", "nobody said in which unit"


def test_across_a_river_the_nearest_cell_does_not_count(session, city):
    east_bank = LON + STEP + 30 * METRE, LAT + STEP / 2
    assert ask(session, *east_bank).rule == "near"
    water(session, box(232, -300, 242, 600))
    answer = ask(session, *east_bank)
    assert (answer.rule, answer.member.id) == ("orphan", city.duty_officer)
    assert answer.confidence > 0.9


def test_an_orphan_is_sure_of_being_one_far_out_and_less_so_near_a_cell(session, city):
    far = ask(session, LON + STEP + 300 * METRE, LAT + STEP / 2)
    close = ask(session, LON + STEP + 60 * METRE, LAT + STEP / 2, accuracy_m=20.0)
    assert far.confidence > 0.99 and far.second_cell is None
    assert close.rule == "orphan" and 0.5 < close.confidence < 0.9 and close.second_cell == NORTH_EAST


def test_overlapping_cells_go_to_the_lower_code_and_still_add_up(session, city):
    session.execute(
        sa.text("UPDATE cell SET geom = ST_Translate(geom, 0.0005, 0) WHERE code = :code"),
        {"code": NORTH_WEST},
    )
    answer = ask(session, LON + 0.0002, LAT + STEP / 2, accuracy_m=20.0)
    assert answer.cell_code == NORTH_WEST
    assert answer.border_m == pytest.approx(30.7, abs=0.5)  # 0.0003 degrees of longitude at 23 N
    assert answer.confidence + answer.second_confidence <= 1.0001


@pytest.mark.parametrize("accuracy", [0.0, 5000.0])
def test_an_accuracy_of_nothing_or_of_five_kilometres_still_has_an_answer(session, city, accuracy):
    answer = ask(session, LON + STEP / 2, LAT + STEP / 2, accuracy_m=accuracy)
    assert answer.cell_code == NORTH_EAST
    assert answer.confidence == (1.0 if accuracy == 0.0 else pytest.approx(0.0010, abs=0.0001))
    # 5 km at 68 % is a sigma of 3.3 km with a peak density of 1.45e-8 per m2; the cell of 205 x 222 m and the
    # 50 m near it on its two open sides are 0.069 km2.


def test_in_2031_the_posts_without_an_end_are_still_held(session, city):
    answer = ask(session, LON + STEP / 2, LAT + STEP / 2, at=datetime(2031, 5, 1, 2, 0, tzinfo=UTC))
    assert answer.member.id == city.members[NORTH_EAST]
