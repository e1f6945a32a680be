"""The phone pages in a real browser of a phone's size: a grid member's day, and what a retry must not do."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dash_app.clock_words import span_words
from tests.browser.phones import (
    HOME,
    MAP,
    MAP_READY,
    ON_THE_BORDER,
    look_at,
    open_phone,
    picture,
    report_by_program,
    tap_map,
)
from tests.toy_city import LAT, LON, NORTH_EAST, NORTH_WEST
from tests.toy_desk import PASSWORD

METRES_UNDER = """
heads => heads.map((head) => {
  const metres = [];
  for (let card = head.nextElementSibling; card && card.matches('.card'); card = card.nextElementSibling)
    metres.push(parseFloat(card.querySelector('.away').textContent));
  return metres;
})
"""
"""The distances on the cards of each list of the page."""


def test_signing_in_shows_my_tasks_nearest_first_on_my_ground(site):
    page = open_phone(site, username=None, wait_for="form")
    page.fill("[name=username]", "member")
    page.fill("[name=password]", "not this")
    page.click("[type=submit]")
    page.wait_for_selector(".problem")
    site.forgive(401)
    page.fill("[name=password]", PASSWORD)
    page.click("[type=submit]")
    page.wait_for_selector(MAP_READY)
    overdue, handling = site.toy.cases["overdue"], site.toy.cases["handling"]
    card = page.locator(f".card[data-id='{overdue}']")
    assert "超" in card.locator(".pill").inner_text() and card.locator(".shape.c-overdue").count() == 1
    lists = page.locator(".list-head").evaluate_all(METRES_UNDER)
    assert sum(len(metres) >= 2 for metres in lists) >= 1
    assert all(metres == sorted(metres) for metres in lists)
    page.click("[data-do=order]")
    ids = page.locator(".card.task").evaluate_all("cards => cards.map((card) => card.dataset.id)")
    assert ids.index(str(overdue)) < ids.index(str(handling))
    drawn = page.evaluate(f"{MAP}.queryRenderedFeatures(undefined, {{ layers: ['focus-line'] }}).length")
    assert drawn > 0, "my own cell is outlined"


def test_the_words_being_typed_outlive_the_answer_that_comes_meanwhile(site):
    """The question whether it was reported already is answered in the middle of a sentence."""
    page = open_phone(site, "/m#/report", at=None)
    look_at(page, LON - 0.001, LAT + 0.001, 17)
    tap_map(page, LON - 0.001, LAT + 0.001)
    page.wait_for_selector(".sheet .reason")
    page.click("[data-do=step][data-to='2']")
    held = []
    page.route("**/incidents/alike**", lambda route: held.append(route), times=1)
    page.click(".kind[data-code='9901']")
    box = page.locator("[data-field=description]")
    box.press_sequentially("门口")
    with page.expect_response("**/incidents/alike**"):
        held[0].continue_()
    page.wait_for_timeout(300)
    page.keyboard.type("有垃圾")
    assert box.input_value() == "门口有垃圾"


def test_a_draft_outlives_a_reload_and_a_lost_answer_never_doubles_it(site):
    """Tapped on the map without GPS, with a photograph; the server's first answer is lost on the way."""
    page = open_phone(site, "/m#/report", at=None)
    look_at(page, LON - 0.001, LAT + 0.001, 17)
    tap_map(page, LON - 0.001, LAT + 0.001)
    page.wait_for_selector(".sheet .reason")
    assert "王××" in page.locator(".sheet .person").inner_text()
    page.click("[data-do=step][data-to='2']")
    page.click(".kind[data-code='9901']")
    page.fill("[data-field=description]", "草稿不丢：门口的垃圾")
    page.fill("[data-field=floor]", "3")
    page.click("[data-do=behalf]")
    page.click("[data-do=step][data-to='3']")
    page.set_input_files(".photo-grid input", [picture((150, 110, 80))])
    page.wait_for_selector(".photo-grid figure")
    page.wait_for_timeout(600)
    page.reload()
    page.wait_for_selector(".photo-grid figure img")
    page.click("[data-do=step][data-to='2']")
    assert page.input_value("[data-field=description]") == "草稿不丢：门口的垃圾"
    assert page.input_value("[data-field=floor]") == "3"
    page.click("[data-do=step][data-to='3']")

    def lose_the_answer(route):
        route.fetch()
        route.abort()

    page.route("**/api/v1/incidents", lose_the_answer, times=1)
    page.click("[data-do=send]")
    page.wait_for_selector(".problem")
    assert "再发一次" in page.locator("[data-do=send]").inner_text()
    site.forgive("ERR_FAILED")
    page.click("[data-do=send]")
    page.wait_for_selector(".sent")
    assert "没有重复登记" in page.locator("main").inner_text()
    with site.api("member") as member:
        mine = member.get("/api/v1/incidents", params={"mine": "reports", "open": True}).json()["incidents"]
        details = [member.get(f"/api/v1/incidents/{row['id']}").json() for row in mine]
    sent = [case for case in details if case["description"].startswith("草稿不丢")]
    assert len(sent) == 1 and len(sent[0]["photos"]) == 1
    assert (sent[0]["floor"], sent[0]["on_behalf"]) == (3, "居民")
    page.click("nav a[href='#/report']")
    page.wait_for_selector(".steps")
    assert page.locator(".steps [aria-current]").inner_text().startswith("1"), "a new draft begins"


def test_between_two_cells_one_question_decides_and_both_are_drawn(site):
    page = open_phone(site, "/m#/report", at=ON_THE_BORDER)
    page.wait_for_selector(".candidate")
    assert page.locator(".sheet h2").inner_text() == "是路西还是路东？"
    cells = page.locator(".candidate").evaluate_all("buttons => buttons.map((b) => b.dataset.cell)")
    assert cells == [NORTH_WEST, NORTH_EAST], "west stands left, as on the map"
    page.wait_for_selector(".letter.on-map >> nth=1")
    assert sorted(page.locator(".letter.on-map").all_inner_texts()) == ["东", "西"]
    page.click(f".candidate[data-cell='{NORTH_EAST}']")
    page.wait_for_selector(".sheet .reason")
    assert "安澜 002" in page.locator(".sheet .person").inner_text()
    page.click("[data-do=step][data-to='2']")
    page.click(".kind[data-code='9901']")
    page.click("[data-do=step][data-to='3']")
    page.click("[data-do=send]")
    page.wait_for_selector(".sent")
    assert "安澜 002" in page.locator(".card .person").inner_text()


def test_a_task_arrives_live_is_accepted_and_finished_with_a_photo(site):
    page = open_phone(site)
    page.wait_for_selector(".card.task")
    case = report_by_program(site, "live-1")
    card = page.locator(f".card[data-id='{case}']")
    card.wait_for()
    assert "暴露垃圾" in page.locator(".toast").first.inner_text()
    card.locator("[data-do=accept]").click()
    card.locator("[data-do=open]").wait_for()
    card.locator(".name").click()
    page.click("[data-do=finish]")
    assert page.locator("#sheet [data-do=send]").is_disabled(), "no photograph yet"
    page.set_input_files("#sheet input[type=file]", [picture((90, 150, 90))])
    page.fill("#sheet textarea", "已清走")
    page.click("#sheet [data-do=send]")
    page.wait_for_selector(".story >> text=处置完成")
    assert page.locator("[data-do=finish]").count() == 0
    with site.api("officer") as desk:
        found = desk.get(f"/api/v1/incidents/{case}").json()
    assert found["stage"] == "handled" and [photo["kind"] for photo in found["photos"]] == ["after"]
    assert (found["story"][-1]["move"], found["story"][-1]["note"]) == ("finish", "已清走")
    assert found["story"][-1]["lon"] == pytest.approx(HOME["longitude"]), "where the member stood"


def test_a_task_is_handed_back_with_a_reason_and_another_taken_away(site):
    back, away = report_by_program(site, "back-1"), report_by_program(site, "away-1")
    page = open_phone(site, f"/m#/task/{back}")
    page.click("[data-do=hand_back]")
    send = page.locator("#sheet [data-do=send]")
    assert send.is_disabled(), "a reason is needed"
    page.click("#sheet .choice >> text=不在我的网格")
    send.click()
    page.wait_for_selector(f".card[data-id='{away}']")
    assert page.locator(f".card[data-id='{back}']").count() == 0
    with site.api("officer") as desk:
        found = desk.get(f"/api/v1/incidents/{back}").json()
        assert (found["stage"], found["story"][-1]["note"]) == ("registered", "不在我的网格")
        taken = {
            "move": "reassign",
            "version": 1,
            "note": "换人",
            "member_id": site.toy.city.members[NORTH_EAST],
        }
        desk.post(f"/api/v1/incidents/{away}/moves", json=taken).raise_for_status()
    page.locator(f".card[data-id='{away}']").wait_for(state="detached")
    assert "任务已转走" in page.locator(".toast").last.inner_text()


def test_the_switch_takes_me_off_duty_and_back(site):
    page = open_phone(site, wait_for=".duty")
    with site.api("member") as member:
        for state in (False, True):
            page.click(".duty")
            page.locator(f".duty[aria-checked={str(state).lower()}]").wait_for()
            assert member.get("/api/v1/me").json()["on_duty"] is state


@pytest.mark.parametrize("width", [360, 412])
def test_every_view_fits_and_every_target_can_be_hit(site, width):
    """48 px by the design; a link inside a line of text is no target of its own."""
    page = open_phone(
        site, "/m#/tasks", wait_for=".card.task", viewport={"width": width, "height": 740}, language="en"
    )
    small = """() => [...document.querySelectorAll('#phone button, #phone nav a, #phone .card.report')]
        .filter((e) => e.offsetParent && !e.matches('.act'))
        .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
        .filter(([, box]) => box.height < 47.5 && box.width > 0).map(([html, box]) => html + box.height)"""
    for view, shown in (
        ("tasks", ".card.task"),
        ("report", ".sheet"),
        ("cells", ".figures"),
        ("me", ".card.report"),
    ):
        page.goto(f"{site.url}/m#/{view}")
        page.wait_for_selector(shown)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate("document.querySelector('main').scrollWidth") <= width
        assert page.evaluate(small) == []


def test_my_report_with_somebody_else_names_them_and_endless_words_fit(site):
    with site.api("member") as member:
        body = {
            "report_key": "elsewhere", "lon": LON + 0.0011, "lat": LAT + 0.0009, "crs": "EPSG:4490",
            "category": "9901", "description": "W" * 400, "unit": "W" * 40, "on_behalf": "W" * 80,
        }  # fmt: skip
        case = member.post("/api/v1/incidents", json=body).raise_for_status().json()["id"]
        handler = member.get(f"/api/v1/incidents/{case}").json()["handler"]["name"]
    page = open_phone(site, f"/m#/task/{case}", wait_for=".story")
    lines = page.locator(".lines").inner_text()
    assert handler in lines and "[object" not in page.locator("#phone").inner_text()
    width = page.viewport_size["width"]
    assert page.evaluate("document.querySelector('[data-sheet]').scrollWidth") <= width


def test_the_words_of_time_are_those_of_the_desk(site):
    page = open_phone(site, wait_for=".tabs", at=None)
    minutes = [0, 1, 38, 59, 60, 61, 136, 719, 1439, 1440, 2879, 2880, 10_000]
    module = page.evaluate("document.querySelector('script[type=module]').src.replace('app.js', 'times.js')")
    said = page.evaluate(
        "([module, all]) => import(module).then((times) => all.map((n) => times.spanWords(n * 60000)))",
        [module, minutes],
    )
    assert said == [span_words(timedelta(minutes=n), "zh") for n in minutes]


def test_leave_is_asked_for_and_taken_back(site):
    page = open_phone(site, "/m#/me", wait_for="[data-do=ask_leave]")
    page.click("[data-do=ask_leave]")
    page.locator("#sheet [name=kind][value=training]").check()
    page.click("#sheet [data-do=send]")
    line = page.locator("[data-leave]")
    line.wait_for()
    assert "培训" in line.inner_text() and "待批" in line.inner_text() and "明日" in line.inner_text()
    with site.api("officer") as office:
        span = {"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
        (asked,) = office.get("/api/v1/leaves", params=span).raise_for_status().json()["leaves"]
    assert (asked["kind"], asked["status"]) == ("training", "asked")
    starts, ends = (datetime.fromisoformat(asked[edge]) for edge in ("starts_at", "ends_at"))
    assert starts.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%H:%M") == "00:00"
    assert ends - starts == timedelta(days=1)
    page.click("[data-do=take_back]")
    line.wait_for(state="detached")
