"""A desk's day in a real browser: a queue moved together, a case taken down, a rule changed and undone."""

from __future__ import annotations

from tests.browser.test_desk import click_on_map, go, look_at
from tests.toy_city import LAT, LON


def test_a_queue_is_worked_off_together_and_a_dispatch_taken_back(site):
    page = site.open("/?work=verify")
    queue = page.locator("#queue")
    queue.locator("[data-pick]").first.wait_for()
    assert queue.locator("[data-together]").is_disabled()
    queue.locator("[data-pick-all]").check()
    page.locator("[data-together]").click()
    page.locator(".dialog textarea").fill("照片可见已清")
    page.locator(".dialog [type=submit]").click()
    queue.locator(".empty", has_text="没有待核查的事件").wait_for()
    page.locator(".toast", has_text="件已办").wait_for()

    with site.api("member") as phone:
        case = site.toy.cases["handling"]
        version = phone.get(f"/api/v1/incidents/{case}").json()["version"]
        body = {"move": "hand_back", "version": version, "note": "不在本格"}
        phone.post(f"/api/v1/incidents/{case}/moves", json=body).raise_for_status()
    go(page, f"/?work=dispatch&incident={case}")
    page.locator("#detail [data-move=dispatch]").wait_for()
    page.keyboard.press("1")
    page.locator(".dialog [type=submit]").click()
    undo = page.locator(".toast button", has_text="撤销")
    undo.click()
    page.locator(".toast", has_text="派遣已撤销").wait_for()
    page.locator("#detail [data-move=dispatch]").wait_for()


def test_a_call_is_taken_down_with_a_look_at_who_answers(site):
    page = site.open("/")
    look_at(page, LON - 0.0005, LAT + 0.0005, 17)
    page.keyboard.press("n")
    click_on_map(page, LON - 0.0005, LAT + 0.0005)
    dialog = page.locator(".dialog")
    dialog.locator("[name=category]").select_option("9901")
    dialog.locator("[data-who]", has_text="王××正在值班").wait_for()
    dialog.locator("[name=channel]").select_option("hotline")
    dialog.locator("[name=description]").fill("楼下堆了一袋垃圾")
    dialog.locator("[type=submit]").click()
    page.locator("#detail h1", has_text="暴露垃圾").wait_for()
    assert "热线" in page.locator("#detail .timeline li").first.inner_text()


def test_an_address_of_a_department_is_added_and_removed_on_the_settings_page(site):
    page = site.open("/settings?section=contacts", "admin", wait_for=".set-main .card")
    page.locator("[data-open=contact-form]").first.click()
    dialog = page.locator(".dialog")
    dialog.locator("[name=sender]").select_option("webhook")
    dialog.locator("[name=address]").fill("https://squad.example/in")
    dialog.locator("[name=department]").select_option("city_management")
    with page.expect_navigation():
        dialog.locator("[type=submit]").click()
    row = page.locator(".set-row", has_text="https://squad.example/…")
    assert "城管" in row.inner_text()
    page.on("dialog", lambda question: question.accept())
    with page.expect_navigation():
        row.locator("[data-remove-contact]").click()
    assert row.count() == 0


def test_a_rule_is_changed_and_undone_on_the_settings_page(site):
    page = site.open("/settings?section=rules&set=gbt30428", "admin", wait_for=".set-table")
    row = page.locator(".set-table tr", has_text="2 紧急工作时")
    row.locator("[data-open]").click()
    page.locator(".dialog [name=value]").fill("3")
    with page.expect_navigation():
        page.locator(".dialog [type=submit]").click()
    assert page.locator(".set-table tr", has_text="3 紧急工作时").count() == 1
    assert "2 紧急工作时 → 3 紧急工作时" in page.locator(".history li").first.inner_text()
    with page.expect_navigation():
        page.locator(".history [data-undo]").first.click()
    assert page.locator(".set-table tr", has_text="2 紧急工作时").count() == 1


def test_a_year_is_entered_by_clicking_its_days(site):
    page = site.open("/settings?section=calendar&year=2027", "admin", wait_for="[data-day]")
    page.locator("[data-day='2027-01-01']").click()
    saturday = page.locator("[data-day='2027-01-09']")
    saturday.click()
    saturday.click()
    with page.expect_navigation():
        page.locator("[data-year-save]").click()
    assert "放假 1 天，调休上班 1 天" in page.locator("#settings-main").inner_text()


def test_a_wrong_blank_is_refused_with_the_right_ones(site):
    page = site.open("/settings?section=notices&kind=overdue", "admin", wait_for=".notice-form")
    page.locator("textarea[name='text.zh']").fill("{titel} 已超期")
    problem = page.locator(".notice-form [data-problem]")
    problem.wait_for()
    assert "{titel}" in problem.inner_text() and "{title}" in problem.inner_text()
    page.locator("textarea[name='text.zh']").fill("{title} 已超期")
    page.locator("[data-preview=zh]", has_text="暴露垃圾（示例） 已超期").wait_for()
    site.forgive(422)
