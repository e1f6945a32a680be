"""The phone on a bad day: a network that goes away, a coarse position, a case that moves on, big files."""

from __future__ import annotations

import io

import pytest
from PIL import ExifTags, Image

from tests.browser.phones import HOME, look_at, open_phone, picture, report_by_program, tap_map
from tests.toy_city import LAT, LON
from tests.toy_desk import PASSWORD

GONE = "ERR_INTERNET_DISCONNECTED"
SHORT_PHONE = {"width": 360, "height": 640}
KEPT_PHOTO = """async () => {
  const wanted = (request) => new Promise((done) => { request.onsuccess = () => done(request.result); });
  const store = (await wanted(indexedDB.open('citygrid-phone'))).transaction('drafts').objectStore('drafts');
  const { photos } = await wanted(store.get('member'));
  return [...new Uint8Array(await photos[0].blob.arrayBuffer())];
}"""
"""The first photograph of the member's draft, as the browser keeps it."""


def text_file(name: str) -> dict:
    return {"name": name, "mimeType": "image/jpeg", "buffer": "这不是照片".encode()}


def upright_photograph_of_twelve_megapixels() -> dict:
    """Held upright: the camera wrote 4000 x 3000 and that it is to be turned (6), and when it was taken."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:05:06 07:08:09"
    file = io.BytesIO()
    Image.effect_noise((4000, 3000), 60).convert("RGB").save(file, "JPEG", exif=exif)
    return {"name": "big.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


def place_at(page, metres: int) -> None:
    page.context.set_geolocation({**HOME, "accuracy": metres})


def write_report(page, words: str) -> None:
    """From the place that is settled to the last step."""
    page.click("[data-do=step][data-to='2']")
    page.click(".kind[data-code='9901']")
    page.fill("[data-field=description]", words)
    page.click("[data-do=step][data-to='3']")


def reports_saying(site, words: str) -> list[dict]:
    with site.api("member") as member:
        mine = member.get("/api/v1/incidents", params={"mine": "reports", "open": True}).json()["incidents"]
        cases = [member.get(f"/api/v1/incidents/{row['id']}").json() for row in mine]
    return [case for case in cases if case["description"] == words]


def test_what_was_read_stays_in_a_cellar_and_catches_up_outside(site):
    read, unread = report_by_program(site, "cellar-1"), report_by_program(site, "cellar-2")
    page = open_phone(site, f"/m#/task/{read}", wait_for=".clock-block")
    page.click("[data-do=back]")
    page.wait_for_selector(f".card[data-id='{read}']")
    page.context.set_offline(True)
    page.locator(f".card[data-id='{read}'] .name").click()
    page.locator("#lost", has_text="起没有网络").wait_for()
    assert "cellar-1" in page.locator(".said").inner_text()
    page.click("[data-do=back]")
    page.locator(f".card[data-id='{unread}'] .name").click()
    page.wait_for_selector(".problem")
    page.click("#top [data-do=back]")
    page.locator(f".card[data-id='{read}'] .name").wait_for()
    page.locator(f".card[data-id='{unread}'] .name").click()
    page.wait_for_selector(".problem")
    page.context.set_offline(False)
    page.locator(".said", has_text="cellar-2").wait_for()
    assert page.locator("#lost").inner_text() == ""
    site.forgive(GONE)


def test_a_report_is_written_without_a_server_and_sent_when_there_is_one(site):
    page = open_phone(site, "/m#/report", wait_for=".sheet .reason", viewport=SHORT_PHONE)
    page.click("#top [data-do=back]")
    page.wait_for_selector(".card.task")
    page.context.set_offline(True)
    page.click("nav a[href='#/report']")
    page.wait_for_selector(".sheet .problem")
    write_report(page, "地下室写的")
    page.click("[data-do=send]")
    refusal = page.locator("#foot .problem")
    refusal.wait_for()
    assert refusal.bounding_box()["y"] > 0, "where the finger is, not below the edge of the screen"
    page.context.set_offline(False)
    page.click("[data-do=send]")
    page.wait_for_selector(".sent")
    (sent,) = reports_saying(site, "地下室写的")
    assert sent["lon"] == pytest.approx(HOME["longitude"], abs=1e-5)
    site.forgive(GONE)


def test_a_report_left_while_it_is_sent_is_told_of_in_passing(site):
    page = open_phone(site, "/m#/report", wait_for=".sheet .reason")
    write_report(page, "发着就走开")
    held = []
    page.route("**/api/v1/incidents", lambda route: held.append(route), times=1)
    page.click("[data-do=send]")
    page.locator("[data-do=send]", has_text="正在上报").wait_for()
    page.evaluate("location.hash = '#/tasks'")
    page.wait_for_selector(".card.task")
    held[0].continue_()
    page.locator(".toast", has_text="已上报").wait_for()
    page.wait_for_timeout(300)
    assert page.locator("a.hint").count() == 0, "no draft is left"
    assert len(reports_saying(site, "发着就走开")) == 1


def test_a_coarse_position_is_not_taken_for_the_place_and_a_better_one_is(site):
    """The toy city is 400 m wide: a circle of 3 km says nothing about its cells."""
    page = open_phone(site, "/m#/report", at={**HOME, "accuracy": 3000}, wait_for=".sheet h2")
    page.locator(".sheet h2", has_text="定位误差 3000 米").wait_for()
    assert page.locator(".candidate").count() == 0
    place_at(page, 9)
    page.wait_for_selector(".sheet .reason")
    assert page.locator(".map-note").inner_text() == "定位误差 9 米"
    look_at(page, LON + 0.001, LAT + 0.001, 17)
    with page.expect_response("**/api/v1/responsible**"):
        tap_map(page, LON + 0.001, LAT + 0.001)
    page.locator(".person", has_text="安澜 002").wait_for()
    place_at(page, 2)
    page.wait_for_timeout(500)
    assert "安澜 002" in page.locator(".person").inner_text(), "a finger outranks the phone"


def test_a_position_of_an_hour_ago_is_asked_for_anew(site):
    """The screen slept: the last fix is where the phone was, not where it is."""
    page = open_phone(site, "/m#/tasks", wait_for=".card.task")
    page.evaluate("() => { const then = Date.now; Date.now = () => then() + 3600000; }")
    page.evaluate(
        """(coords) => { navigator.geolocation.getCurrentPosition = (tell) => tell({ coords }); }""",
        {"longitude": LON + 0.001, "latitude": LAT + 0.001, "accuracy": 7},
    )
    page.click("nav a[href='#/report']")
    page.locator(".person", has_text="安澜 002").wait_for()


def test_finished_work_outlives_a_reload_and_a_case_that_moves_on(site):
    case = report_by_program(site, "moves-on")
    page = open_phone(site, f"/m#/task/{case}", wait_for="[data-do=accept]")
    page.click("[data-do=accept]")
    page.click("[data-do=finish]")
    page.set_input_files("#sheet input[type=file]", [picture((80, 140, 80))])
    page.locator("#sheet figure img").wait_for()
    page.fill("#sheet textarea", "填平了")
    page.wait_for_timeout(300)
    page.reload()
    page.click("[data-do=finish]")
    page.locator("#sheet figure img").wait_for()
    assert page.input_value("#sheet textarea") == "填平了"
    with site.api("officer") as desk:
        version = desk.get(f"/api/v1/incidents/{case}").json()["version"]
        told = {"move": "supervise", "version": version, "note": "尽快"}
        desk.post(f"/api/v1/incidents/{case}/moves", json=told).raise_for_status()
        page.locator(".story li", has_text="督办").wait_for(state="attached")
        page.click("#sheet [data-do=send]")
        page.locator(".story li", has_text="处置完成").wait_for(state="attached")
        found = desk.get(f"/api/v1/incidents/{case}").json()
    assert (found["stage"], len(found["photos"])) == ("handled", 1)


def test_an_answer_lost_on_the_way_is_known_for_done(site):
    """Without the event stream, which would have told it: the move is sent again and found made."""
    case = report_by_program(site, "lost-answer")
    page = open_phone(site, "/m#/tasks", wait_for=f".card[data-id='{case}']")
    page.route("**/api/v1/stream", lambda route: route.abort())
    page.goto(f"{site.url}/m?again#/task/{case}")

    def lose_the_answer(route):
        route.fetch()
        route.abort()

    page.route("**/moves", lose_the_answer, times=1)
    page.click("[data-do=accept]")
    page.wait_for_selector(".toast.bad")
    page.click("[data-do=accept]")
    page.locator(".toast", has_text="已接单").wait_for()
    page.wait_for_selector("[data-do=finish]")
    with site.api("officer") as desk:
        story = desk.get(f"/api/v1/incidents/{case}").json()["story"]
    assert [row["move"] for row in story].count("accept") == 1
    site.forgive(409)
    site.forgive("ERR_FAILED")


def test_the_question_goes_when_the_task_does(site):
    case = report_by_program(site, "taken-meanwhile")
    page = open_phone(site, f"/m#/task/{case}", wait_for="[data-do=hand_back]")
    page.click("[data-do=hand_back]")
    with site.api("officer") as desk:
        undone = {"move": "undo", "version": 1, "note": "换人"}
        desk.post(f"/api/v1/incidents/{case}/moves", json=undone).raise_for_status()
    page.locator("#veil").wait_for(state="hidden")
    assert "任务已转走" in page.locator(".toast").last.inner_text()


def test_a_big_photograph_is_made_small_and_what_is_none_is_named_at_once(site):
    page = open_phone(site, "/m#/report", wait_for=".sheet .reason")
    write_report(page, "大照片")
    page.set_input_files(".photo-grid input", [text_file("notes.jpg")])
    page.locator(".toast.bad", has_text="notes.jpg").wait_for()
    assert page.locator(".photo-grid figure").count() == 0
    page.set_input_files(".photo-grid input", [upright_photograph_of_twelve_megapixels()])
    page.wait_for_selector(".photo-grid figure img")
    page.wait_for_timeout(600)
    kept = Image.open(io.BytesIO(bytes(page.evaluate(KEPT_PHOTO))))
    exif = kept.getexif()
    assert kept.size == (1440, 1920), "it stands upright by itself"
    assert exif[ExifTags.Base.Orientation] == 1, "and is not turned once more"
    assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2026:05:06 07:08:09"
    page.click("[data-do=send]")
    page.wait_for_selector(".sent")
    (sent,) = reports_saying(site, "大照片")
    assert [(photo["width"], photo["height"]) for photo in sent["photos"]] == [(1440, 1920)]


def test_a_sign_in_that_ended_says_so_and_the_report_goes_on(site):
    page = open_phone(site, "/m#/report", wait_for=".sheet .reason")
    write_report(page, "登录过期前写的")
    page.context.clear_cookies()
    page.click("[data-do=send]")
    page.wait_for_selector("form >> text=登录已过期")
    site.forgive(401)
    page.fill("[name=username]", "member")
    page.fill("[name=password]", PASSWORD)
    page.click("[type=submit]")
    page.click("[data-do=send]")
    page.wait_for_selector(".sent")
    assert len(reports_saying(site, "登录过期前写的")) == 1


def test_walking_moves_nothing_for_the_person_who_reads(site):
    case = report_by_program(site, "reads-on")
    page = open_phone(site, f"/m#/task/{case}", wait_for=".clock-block", viewport=SHORT_PHONE)
    sheet = page.locator("[data-sheet]")
    sheet.evaluate("(part) => { part.scrollTop = 200; }")
    page.locator("[data-do=hand_back]").focus()
    away = page.locator(".chip b")
    before = away.inner_text()
    page.context.set_geolocation({**HOME, "longitude": HOME["longitude"] + 0.0005})
    page.wait_for_function("before => document.querySelector('.chip b').innerText !== before", arg=before)
    assert sheet.evaluate("(part) => part.scrollTop") == 200
    assert page.evaluate("document.activeElement.dataset.do") == "hand_back"


def test_a_resident_has_no_work_here_and_begins_with_the_own_reports(site):
    page = open_phone(site, "/m", "resident", wait_for=".tabs")
    assert page.locator(".tabs a").evaluate_all("all => all.map((a) => a.getAttribute('href'))") == [
        "#/report",
        "#/me",
    ]
    assert page.locator("h1").inner_text() == "我的"
