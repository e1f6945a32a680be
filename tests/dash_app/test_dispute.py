"""The panels of disputed ground: the expected effect in figures, the button only for those who may."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import shapely

from dash_app.panels.dispute import exception_panel, strip_panel
from dash_app.texts import LANGUAGES, Words
from dash_app.view_state import ViewState
from grids.exceptions import GroundException
from grids.misroutes import Strip
from tests.dash_app.test_markup import Reader
from tests.toy_city import NORTH_EAST, NORTH_WEST, NOW
from tests.toy_desk import ZONE

NAMES = {NORTH_WEST: "西格", NORTH_EAST: "东格"}
SHAPE = shapely.box(113.0999, 23.0, 113.1, 23.001)
STRIP = Strip(NORTH_WEST, NORTH_EAST, SHAPE, (31, 12, 25, 40, 41), 5, 2, 60.0, 18.0)


def exception(**changes):
    values = {
        "id": 9, "cell_code": NORTH_EAST, "priority": 0, "buffer_m": 0.0, "reason": "道路两侧归一家",
        "starts_at": NOW - timedelta(days=1), "ends_at": None, "created_by": "周明",
    }  # fmt: skip
    return GroundException(**{**values, **changes})


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_strip_tells_its_effect_and_sends_itself(language):
    panel = strip_panel(Words(language), STRIP, NAMES, ViewState(), gives=True)
    read = Reader(panel)
    assert "西格" in read.text and "东格" in read.text and "60" in read.text and "18" in read.text
    for number in STRIP.incidents:
        assert f'href="/?incident={number}"' in panel
    (sent,) = [given["data-make-exception"] for _, given in read.elements if "data-make-exception" in given]
    body = json.loads(sent)
    assert (body["cell_code"], body["geometry"]["type"]) == (NORTH_EAST, "Polygon")
    assert body["reason"] == STRIP.reasons[LANGUAGES.index(language)]


def test_whoever_may_not_give_ground_has_no_button():
    panel = strip_panel(Words("zh"), STRIP, NAMES, ViewState(), gives=False)
    assert "data-make-exception" not in panel and "由街道以上办理" in panel


def test_a_strip_is_known_by_the_first_case_of_its_evidence():
    assert STRIP.key == 12
    assert ViewState.parse("?strip=12").selection == ("strip", "12")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_exception_can_be_undone_while_it_holds(language):
    words = Words(language)
    panel = exception_panel(words, exception(), "东格", ViewState(), ends=True, zone=ZONE)
    assert 'data-end-exception="9"' in panel and words("exception.in_force") in panel
    over = exception(ends_at=NOW)
    panel = exception_panel(words, over, "东格", ViewState(), ends=False, zone=ZONE)
    assert "data-end-exception" not in panel and words("exception.ended") in panel
