"""The households of a building on the desk: masked, one opened for a purpose, and who looked."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_list_opens_masked_and_a_person_for_a_purpose(site, language):
    words = {
        "zh": ("本次查看已记录。", "选择用途", "2 单元 3 层 301 室"),
        "en": ("This look was recorded.", "Choose a purpose", "Unit 2 Floor 3 Door 301"),
    }[language]
    page = site.open(f"/?building={site.toy.city.building}", "officer", language=language)
    assert "张" not in page.locator("body").inner_text(), "nobody is named before somebody asks"
    page.click("[data-households]")
    home = page.locator(".household").filter(has_text=words[2])
    home.wait_for()
    assert page.locator("[data-recorded]").inner_text() == words[0]
    assert "张**" in home.inner_text() and "100****5678" in home.inner_text()
    assert "明明" not in home.inner_text()
    home.locator(".person").first.get_by_role("button").click()
    purpose = home.locator("select")
    assert purpose.locator("option").first.inner_text() == words[1]
    home.locator("[data-confirm]").click()
    assert "明明" not in home.inner_text(), "not without a purpose"
    purpose.select_option("care")
    home.locator("[data-confirm]").click()
    home.get_by_text("张明明").wait_for()
    assert "10012345678" in home.inner_text() and "李四" not in home.inner_text()
    home.locator("header").get_by_role("button").click()
    home.locator(".looks li").first.wait_for()
    looked = home.locator(".looks").inner_text()
    assert "officer" in looked and ("关怀服务" if language == "zh" else "Care") in looked
    page.keyboard.press("Escape")
    page.locator(".dialog").wait_for(state="detached")
    assert "张" not in page.locator("body").inner_text(), "and nobody once it is closed"


def test_a_community_officer_puts_a_number_right(site):
    page = site.open(f"/?building={site.toy.city.building}", "community")
    page.click("[data-households]")
    home = page.locator(".household").filter(has_text="2 单元 3 层 301 室")
    home.wait_for()
    line = home.locator(".person").nth(1)
    assert line.get_by_role("button", name="更正").count() == 0, "not before the person is opened"
    line.get_by_role("button", name="打开").click()
    home.locator("select").select_option("care")
    home.locator("[data-confirm]").click()
    line.get_by_role("button", name="更正").click()
    home.locator("[name=field]").select_option("phone")
    home.locator("[name=value]").fill("10099990000")
    home.locator("[data-confirm]").click()
    assert home.locator("[name=reason]").is_visible(), "not without a reason"
    home.locator("[name=reason]").fill("本人来电")
    home.locator("[data-confirm]").click()
    line.get_by_text("10099990000").wait_for()
    with site.api("community") as client:
        homes = client.get(f"/api/v1/buildings/{site.toy.city.building}/households").json()["households"]
    assert "100****0000" in str(homes)


def test_who_has_no_such_duty_has_no_such_button(site):
    page = site.open(f"/?building={site.toy.city.building}", "inspector")
    page.wait_for_selector(".panel-head h1")
    assert page.locator("[data-households]").count() == 0
