"""Replay in a real browser: the map as it stood at a past minute, played on, and back to now.

The toy city's oldest case was reported four days ago and the others today, so in between it was alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.browser.test_desk import MAP, look_at
from tests.toy_city import LAT, LON

MINUTE = timedelta(minutes=1)


@pytest.fixture
def reported(site):
    """The minute in which the oldest case was reported."""
    with site.api("officer") as api:
        case = api.get(f"/api/v1/incidents/{site.toy.cases['overdue']}").raise_for_status().json()
    return datetime.fromisoformat(case["reported_at"]).replace(second=0, microsecond=0)


@pytest.fixture
def page(site):
    """A week of the desk, looked at where the oldest case lies, with the replay begun."""
    page = site.open("/?span=7d")
    page.locator("#time-bar .time-chart").wait_for()
    look_at(page, LON - 0.0012, LAT + 0.0014, 17.5)
    page.locator("[data-replay=start]").click()
    page.locator(".past-band b", has_text="您在看过去").wait_for()
    return page


def slide(page, moment):
    """Drag the slider to a moment."""
    start = datetime.fromisoformat(page.locator(".time-chart").get_attribute("data-from"))
    page.locator("[data-moment]").fill(str((moment - start) // MINUTE))


def told(page, text):
    """Wait for the counts of the band."""
    page.locator(".past-band span", has_text=text).wait_for()


def drawn(page, count):
    """Wait for as many markers on the map; their properties."""
    markers = f"{MAP}.queryRenderedFeatures({{ layers: ['open', 'open-cluster', 'open-stack'] }})"
    page.wait_for_function(f"count => {markers}.length === count", arg=count)
    return page.evaluate(f"{markers}.map((marker) => ({{ id: marker.id, ...marker.properties }}))")


def test_the_slider_shows_the_cases_as_they_stood(page, reported, site):
    slide(page, reported - MINUTE)
    told(page, "在办 0 · 超期 0")
    assert drawn(page, 0) == []
    slide(page, reported + MINUTE)
    told(page, "在办 1 · 超期 0")
    [marker] = drawn(page, 1)
    assert (marker["id"], marker["clock"]) == (site.toy.cases["overdue"], "in_time")
    assert page.locator(".replay output").inner_text().endswith(f":{reported + MINUTE:%M}")


def test_playing_goes_on_step_by_step_and_stops_when_told(page, reported):
    slide(page, reported - timedelta(hours=2))
    told(page, "在办 0")
    page.locator("[data-step='60']").click()
    play = page.locator("[data-replay=play]")
    play.click()
    assert play.get_attribute("aria-label") == "暂停"
    told(page, "在办 1")
    play.click()
    assert play.get_attribute("aria-label") == "播放"
    stands = page.locator("[data-moment]").input_value()
    page.locator("[data-replay=earlier]").click()
    page.wait_for_function(
        "was => Number(document.querySelector('[data-moment]').value) === was - 60", arg=int(stands)
    )


def test_leaving_leads_back_to_now(page, reported):
    slide(page, reported - MINUTE)
    drawn(page, 0)
    page.locator(".past-band button").click()
    page.locator(".past-band").wait_for(state="detached")
    page.locator("[data-replay=start]").wait_for(state="visible")
    assert page.locator(".replay").is_hidden()
    page.wait_for_function(
        f"() => {MAP}.queryRenderedFeatures({{ layers: ['open', 'open-cluster', 'open-stack'] }}).length > 0"
    )
