"""Disputed ground on the desk: switched on, looked at, made an exception, undone."""

from __future__ import annotations

import pytest

from tests.toy_city import LAT, LON, NORTH_EAST, STEP

METRE = STEP / 222.0


@pytest.fixture
def strip(site):
    """The number of a strip west of the middle line: six cases handed back and done by the north-east."""
    cases = []
    with site.api("officer") as desk, site.api("member") as member:
        for n in range(6):
            place = {"lon": LON - (8 + n) * METRE, "lat": LAT + (20 + 10 * n) * METRE, "crs": "EPSG:4490"}
            body = {
                "report_key": f"d{n}",
                "category": "9901",
                "description": "垃圾",
                "accuracy_m": 3,
                **place,
            }
            case = desk.post("/api/v1/incidents", json=body).raise_for_status().json()
            moves = f"/api/v1/incidents/{case['id']}/moves"
            back = {"move": "hand_back", "version": case["version"], "note": "不归我格"}
            version = member.post(moves, json=back).raise_for_status().json()["version"]
            on = {
                "move": "dispatch",
                "version": version,
                "member_id": site.toy.city.members[NORTH_EAST],
                "note": "东格",
            }
            version = desk.post(moves, json=on).raise_for_status().json()["version"]
            cases.append((case["id"], version))
        yield cases[0][0]
        for number, version in cases:
            body = {"move": "void", "version": version, "note": "试验"}
            desk.post(f"/api/v1/incidents/{number}/moves", json=body)


def drawn(page, layer):
    """How many features of a layer the map shows."""
    script = "layer => window.citygrid.map.map.queryRenderedFeatures({layers: [layer]}).length"
    return page.evaluate(script, layer)


def wait_for_drawn(page, layer):
    page.wait_for_function(
        "layer => window.citygrid.map.map.getLayer(layer)"
        " && window.citygrid.map.map.queryRenderedFeatures({layers: [layer]}).length > 0",
        arg=layer,
    )


def test_a_strip_is_made_an_exception_and_taken_back(site, strip):
    page = site.open(f"/?strip={strip}")
    panel = page.locator("#detail")
    panel.get_by_text("可避免误派").wait_for()
    assert drawn(page, "strip") == 0, "the layer is off at first"
    page.locator("[data-layers=disputes]").click()
    wait_for_drawn(page, "strip")
    panel.locator("[data-make-exception]").click()
    panel.get_by_text("生效中").wait_for()
    assert "exception=" in page.url
    wait_for_drawn(page, "exception")
    assert drawn(page, "strip") == 0, "the dispute is settled"
    panel.locator("[data-end-exception]").click()
    page.wait_for_function("() => !location.search.includes('exception')")
    wait_for_drawn(page, "strip")
