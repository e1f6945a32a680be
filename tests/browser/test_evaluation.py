"""The evaluation page in a real browser: drilling down, a number's cases and back."""

from __future__ import annotations

from tests.toy_city import SUBDISTRICT

SHADED = ".shade-map[data-ready='1']"


def test_an_official_goes_from_a_rate_to_its_cases_and_back(site):
    page = site.open("/evaluation", wait_for=SHADED)
    assert page.locator(".rail [aria-current=page]").inner_text() == "考核"
    assert page.locator(".indicators tbody tr:not(.group-row)").count() == 19
    drawn = "_map.queryRenderedFeatures({layers: ['shade', 'shade-none']}).length"
    assert page.evaluate(f"document.querySelector('.shade-map').{drawn}") > 0
    with page.expect_navigation():
        page.locator(".indicators a", has_text="按期处置率").click()
    with page.expect_navigation():
        page.locator(f".lines [data-code='{SUBDISTRICT}001'] th a").click()
    assert page.locator(".lines tr").count() == 2
    with page.expect_navigation():
        page.locator(".chosen .counts a").first.click()
    assert page.locator(".entries li").count() >= 1
    with page.expect_navigation():
        page.locator("a.link", has_text="返回分组").click()
    assert page.locator(".lines tr").count() == 2
