"""Who looked, as a supervisor goes through it: from the menu, by a search, to the check of the trail."""

from __future__ import annotations


def test_a_look_is_found_and_the_trail_is_checked(site):
    building = site.toy.city.building
    with site.api("member") as client:
        shown = client.get(f"/api/v1/buildings/{building}/households").json()["households"]
        resident = next(one["id"] for home in shown for one in home["residents"])
        client.post(f"/api/v1/residents/{resident}/unmask", json={"purpose": "care"})
    with site.api("community") as client:
        for _ in range(40):
            client.get(f"/api/v1/buildings/{building}/households")
    page = site.open("/users", "officer", wait_for=".acc-table")
    page.locator("details[data-key=account] summary").click()
    page.get_by_role("link", name="查看记录").click()
    page.wait_for_selector(".audit-search")
    assert page.locator(".audit-top").get_by_text("大量查看").count() == 1
    page.fill("[name=who]", "王小明")
    page.select_option("[name=action]", "unmask_resident")
    page.locator(".audit-search [type=submit]").click()
    page.wait_for_url("**/audit?*who=*")
    assert page.locator(".acc-table tbody tr").count() == 1
    assert "关怀服务" in page.locator(".acc-table tbody").inner_text()
    assert "张" not in page.locator("main").inner_text()
    checker = site.open("/audit", "admin", language="en", wait_for=".audit-search")
    checker.get_by_role("button", name="Check", exact=True).click()
    checker.get_by_text("intact,").wait_for()
    narrow = site.open("/audit", "officer", wait_for=".audit-search", viewport={"width": 390, "height": 844})
    width = narrow.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
