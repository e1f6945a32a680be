"""Hand-backs as evidence: read from the stories of cases, gathered into a strip."""

from datetime import timedelta

from gis.access import Principal
from incidents.incident import Incident
from incidents.misroutes import disputed_strips, misroutes
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST, NOW, STEP

METRE = STEP / 222.0
DAY = timedelta(days=1)


def handed_on(town, key, west_m, north_m, to):
    """A report just west of the middle line, handed back by the north-west and given to somebody else."""
    case = town.report(
        town.operator,
        key,
        lon=LON - west_m * METRE,
        lat=LAT + north_m * METRE,
        accuracy_m=3.0,
        channel="desk",
    )
    north_west = Principal(11, "nw", "王小明", "member", NORTH_WEST, town.city.members[NORTH_WEST])
    town.move(case, "hand_back", north_west, note="不归我格")
    town.move(case, "dispatch", town.operator, note="归东格", member_id=to)
    return case


def test_a_hand_back_that_goes_to_another_cell_is_evidence(town):
    case = handed_on(town, "k1", 10, 40, town.city.members[NORTH_EAST])
    (found,) = misroutes(town.session, NOW - DAY)
    assert (found.incident_id, found.from_cell, found.to_cell) == (case.id, NORTH_WEST, NORTH_EAST)
    assert misroutes(town.session, NOW + DAY) == []
    assert misroutes(town.session, NOW - DAY, NORTH_EAST) == [], (
        "it is evidence on the ground that lost the case"
    )


def test_a_hand_back_within_the_same_cell_is_none(town):
    handed_on(town, "k1", 10, 40, town.city.leaders[NORTH_WEST])
    assert misroutes(town.session, NOW - DAY) == []


def test_what_a_building_decided_is_no_evidence_about_the_border(town):
    """Building 3 stands 20 m from the middle line, on the ledger of the north-west."""
    case = handed_on(town, "k1", 30, 117, town.city.members[NORTH_EAST])
    assert town.session.get(Incident, case.id).rule == "building"
    assert misroutes(town.session, NOW - DAY) == []


def test_evidence_along_a_border_becomes_a_strip_with_its_effect(town):
    for n in range(6):
        handed_on(town, f"k{n}", 5 + n, 30 + 10 * n, town.city.members[NORTH_EAST])
    (strip,) = disputed_strips(town.session, NOW - DAY, now=NOW)
    assert (strip.from_cell, strip.to_cell, strip.prevented, strip.moved) == (NORTH_WEST, NORTH_EAST, 6, 0)
    assert disputed_strips(town.session, NOW + DAY, now=NOW) == []
