"""Names of areas for menus: forebears, sisters, children."""

from __future__ import annotations

import pytest

from layers.areas import family_of
from tests import toy_city
from tests.toy_city import NORTH_WEST, SUBDISTRICT


@pytest.fixture
def city(session):
    return toy_city.build(session)


@pytest.mark.parametrize(
    ("code", "codes"),
    [
        ("", ["9901"]),
        ("9901", ["9901", "990101"]),
        (SUBDISTRICT, ["9901", "990101", SUBDISTRICT, SUBDISTRICT + "001", SUBDISTRICT + "002"]),
        (SUBDISTRICT + "002", ["9901", "990101", SUBDISTRICT, SUBDISTRICT + "001", SUBDISTRICT + "002"]),
        (NORTH_WEST, ["9901", "990101", SUBDISTRICT, SUBDISTRICT + "001", SUBDISTRICT + "002"]),
        ("1234", ["9901"]),
    ],
)
def test_an_area_comes_with_its_line_its_sisters_and_its_children(session, city, code, codes):
    assert [area.code for area in family_of(session, code)] == codes
