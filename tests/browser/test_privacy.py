"""A person's rights on the desk: found, shown with classes and looks, corrected, made nameless."""

from __future__ import annotations

import json
from pathlib import Path


def test_somebody_is_found_corrected_and_taken_back(site, tmp_path):
    page = site.open("/privacy", "officer", wait_for="[data-find]")
    assert "张" not in page.locator("main").inner_text(), "nobody is named before somebody asks"
    page.fill("[name=name]", "李四")
    page.fill("[name=phone]", "10012345678")
    page.click("[data-find] [type=submit]")
    card = page.locator("[data-reports] .card")
    card.get_by_text("李四").wait_for()
    assert "敏感" in card.inner_text() and "在住期间保留" in card.inner_text()
    phone = card.locator("dt", has_text="电话").first
    phone.locator("xpath=following-sibling::button[1]").click()
    page.fill(".dialog [name=value]", "10055556666")
    page.fill(".dialog [name=reason]", "本人到场说明")
    page.click(".dialog [type=submit]")
    card.get_by_text("本人到场说明").wait_for()
    assert "10012345678" in card.inner_text(), "what it said before is kept"
    with page.expect_download() as download:
        card.get_by_role("button", name="下载报告").click()
    file = Path(tmp_path / "report.json")
    download.value.save_as(file)
    assert json.loads(file.read_text())["citygrid_export"]["编号 number"].startswith("CG-")
    card.get_by_role("button", name="撤销…").click()
    page.fill(".dialog [name=reason]", "看错了")
    page.click(".dialog [type=submit]")
    card.get_by_text("看错了").wait_for()


def test_making_nameless_says_what_it_does_and_asks_for_the_ground(site):
    with site.api("officer") as client:
        found = client.post(
            "/api/v1/privacy/report", json={"name": "张明明", "phone": "10012345678", "purpose": "request"}
        ).json()["reports"][0]
    page = site.open("/privacy", "officer", language="en", wait_for="[data-find]")
    page.fill("[name=resident]", str(found["resident_id"]))
    page.click("[data-find] [type=submit]")
    card = page.locator("[data-reports] .card")
    card.get_by_role("button", name="Make nameless…").click()
    assert "cannot be taken back" in page.locator(".dialog").inner_text()
    assert page.locator(".dialog [name=ground] option").count() == 5
    page.keyboard.press("Escape")
    page.locator(".dialog").wait_for(state="detached")
    assert "张明明" in card.inner_text(), "nothing was done"


def test_the_administrator_changes_how_long_something_is_kept(site):
    page = site.open("/settings?section=retention", "admin", wait_for="[data-kind=photos]")
    page.locator("[data-kind=photos] [data-open]").click()
    page.fill(".dialog [name=days]", "400")
    page.click(".dialog [type=submit]")
    page.locator("[data-kind=photos]", has_text="400 天").wait_for()
    page.locator(".set-aside [data-undo]").first.click()
    page.locator("[data-kind=photos]", has_text="730 天").wait_for()
