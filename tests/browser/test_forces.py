"""In a real browser: the desk asks another force for help, a phone helps, and adds itself to a report."""

from __future__ import annotations

from tests.browser.conftest import Site
from tests.browser.phones import open_phone
from tests.toy_city import LAT, LON, NORTH_WEST


def report(site: Site, username: str, key: str, **changes) -> int:
    body = {
        "report_key": key, "lon": LON - 0.0010, "lat": LAT + 0.0010, "crs": "EPSG:4490", "accuracy_m": 5,
        "category": "9901", "description": key,
    }  # fmt: skip
    with site.api(username) as client:
        return client.post("/api/v1/incidents", json=body | changes).raise_for_status().json()["id"]


def test_the_desk_asks_a_member_for_help_and_their_phone_does_it(site):
    case = report(site, "officer", "help", lon=LON - 0.0004)
    desk = site.open(f"/?incident={case}", wait_for=".panel-foot")
    desk.locator(".panel-foot .menu summary").click()
    desk.locator(".panel-foot [data-move=assist]").click()
    choice = f"member:{site.toy.city.leaders[NORTH_WEST]}"
    desk.locator(".dialog select[name=force]").select_option(choice)
    desk.locator(".dialog textarea").fill("疏导围观")
    desk.locator(".dialog [type=submit]").click()
    work = desk.locator("[data-subtask]")
    work.wait_for()
    assert "疏导围观" in work.inner_text() and "待签收" in work.inner_text()

    work.locator("[data-move=assist_pass]").click()
    desk.locator(".dialog select[name=member_id]").select_option(str(site.toy.people["member"].member_id))
    desk.locator(".dialog textarea").fill("网格长请假")
    desk.locator(".dialog [type=submit]").click()
    work.filter(has_text="网格员").wait_for()

    phone = open_phone(site, "/m#/tasks")
    card = phone.locator("[data-work]").filter(has_text="疏导围观")
    card.locator("[data-move=assist_accept]").click()
    card.locator("[data-do=open].act").click()
    phone.locator("[data-work] [data-move=assist_finish]").click()
    phone.locator("#sheet textarea").fill("人已散去")
    phone.locator("#sheet [data-do=send]").click()
    phone.locator("[data-work]").filter(has_text="人已散去").wait_for()
    desk.locator("[data-subtask]").filter(has_text="人已散去").wait_for()


def test_a_member_is_asked_whether_it_is_the_same_thing_and_adds_themselves(site):
    # 90 m from where other tests of this server report: a phone shows the nearest three.
    corner = {"longitude": LON - 0.0016, "latitude": LAT + 0.0016, "accuracy": 12}
    first = report(site, "resident", "first seen", lon=corner["longitude"] - 2e-5, lat=corner["latitude"])
    phone = open_phone(site, "/m#/report", at=corner)
    phone.locator("[data-do=step][data-to='2']").click()
    phone.locator("[data-do=pick][data-code='9901']").click()
    question = phone.locator(".same")
    question.locator(f"[data-do=same][data-id='{first}']").click()
    phone.locator("[data-do=step][data-to='3']").click()
    phone.locator("[data-do=send]").click()
    phone.locator(".sent").wait_for()
    with site.api("officer") as client:
        lead = client.get(f"/api/v1/incidents/{first}").json()
    assert lead["reports"] == 2 and lead["number"] in phone.locator("#view").inner_text()

    desk = site.open(f"/?incident={first}", wait_for=".panel-foot")
    desk.locator("[data-move=split]").click()
    desk.locator(".dialog textarea").fill("是两处")
    desk.locator(".dialog [type=submit]").click()
    desk.locator("[data-move=join]").first.wait_for()
