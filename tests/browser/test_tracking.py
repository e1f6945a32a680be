"""The reporter's page on a phone: no sign-in, no script, a rating given and changed."""

from __future__ import annotations

from tests.browser.conftest import Site

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def test_a_reporter_looks_and_rates_without_signing_in(site: Site):
    case = site.toy.cases["closed"]
    with site.api("officer") as officer:
        code = officer.get(f"/api/v1/incidents/{case}").json()["tracking_code"]
    page = site.open(f"/r/{code}", None, wait_for=".tracking", java_script_enabled=False, **PHONE)
    assert page.locator("h1").inner_text() == "暴露垃圾"
    assert page.locator(".stages").get_attribute("aria-label") == "已结案"
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, "nothing sticks out of a phone"
    page.get_by_label("2", exact=True).check(force=True)
    page.locator("textarea").fill("又堆起来了")
    page.locator("button[type=submit]").click()
    page.wait_for_selector("text=评价 2 / 5")
    assert "可以重开处理" in page.locator("main").inner_text()
    page.locator("nav a", has_text="EN").click()
    page.wait_for_selector("text=Rated 2 / 5")
