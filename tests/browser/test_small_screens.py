"""The desk on a telephone: every page fits, and the way around it lies at the bottom."""

from __future__ import annotations

PHONE = {"viewport": {"width": 390, "height": 844}}
PAGES = ("/people", "/evaluation", "/account", "/settings", "/privacy", "/exports", "/users")


def test_every_page_of_the_desk_fits_a_telephone(site):
    page = site.open("/", "officer", **PHONE)
    for path in ("/", "/cases", *PAGES):
        if path not in ("/", "/cases"):
            page.goto(site.url + path)
        elif path == "/cases":
            page.locator(".rail [data-page=cases]").click()
            page.wait_for_selector(".cases .ag-row")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, f"{path} is {width} wide"
        bar = page.locator(".rail").bounding_box()
        assert (bar["x"], bar["y"] + bar["height"], bar["width"]) == (0, 844, 390), path


def test_the_menus_of_the_bar_open_within_the_screen(site):
    page = site.open("/people", "officer", wait_for=".people", **PHONE)
    for menu in ("settings", "account"):
        page.locator(f".rail details[data-key={menu}] summary").click()
        box = page.locator(f".rail details[data-key={menu}] .menu-body").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["y"] >= 0, (menu, box)
        page.keyboard.press("Escape")
