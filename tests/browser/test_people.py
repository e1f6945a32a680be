"""The people page in a real browser: leave decided, a hole seen and closed, hours given to a post."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.toy_city import NORTH_WEST

ROSTER = ".roster"


def leave_from_the_phone(site):
    """The member asks for two days from tomorrow on."""
    now = datetime.now(UTC).replace(microsecond=0)
    body = {
        "starts_at": (now + timedelta(days=1)).isoformat(),
        "ends_at": (now + timedelta(days=3)).isoformat(),
    }
    with site.api("member") as phone:
        return phone.post("/api/v1/leaves", json=body).raise_for_status().json()["id"]


def week_of(days):
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def line(page, post):
    return page.locator(f"#g-{NORTH_WEST} .roster-line[data-post={post}]").first


def test_leave_becomes_a_hole_and_a_stand_in_closes_it(site):
    leave = leave_from_the_phone(site)
    page = site.open(f"/people?from={week_of(-1)}", wait_for=ROSTER)
    assert page.locator(".rail [aria-current=page]").inner_text() == "人员"
    assert line(page, "member").locator(".bar.hole").count() == 0
    row = page.locator(f"[data-leave='{leave}']")
    with page.expect_navigation():
        row.locator("[data-decide=approve]").click()
    assert line(page, "member").locator(".bar.hole").count() == 1
    assert page.locator("[data-hole=away]", has_text="无人代班").count() == 1
    stand_in = str(site.toy.city.leaders[NORTH_WEST])
    with page.expect_navigation():
        row.locator("[data-stand-in]").select_option(stand_in)
    assert line(page, "member").locator(".bar.hole").count() == 0
    assert "代班" in line(page, "member").locator(".bar.stand-in").inner_text()
    assert page.locator("[data-hole=away]").count() == 0
    with site.api("member") as phone:
        phone.delete(f"/api/v1/leaves/{leave}").raise_for_status()


def test_a_refusal_is_told_and_nothing_changes(site):
    leave = leave_from_the_phone(site)
    page = site.open(f"/people?from={week_of(-1)}", wait_for=ROSTER)
    with site.api("member") as phone:
        phone.delete(f"/api/v1/leaves/{leave}").raise_for_status()
    page.locator(f"[data-leave='{leave}'] [data-decide=approve]").click()
    toast = page.locator(".toast")
    toast.wait_for()
    assert "withdrawn" in toast.inner_text()
    site.forgive(409)


def test_hours_are_given_to_a_post(site):
    page = site.open("/people", wait_for=ROSTER, language="en")
    assert line(page, "leader").locator(".bar.there").count() == 1
    line(page, "leader").hover()
    line(page, "leader").locator("[data-hours]").click()
    page.locator(".dialog input[value=day]").check()
    with page.expect_navigation():
        page.locator(".dialog [type=submit]").click()
    assert line(page, "leader").locator(".bar.there").count() == 7
    line(page, "leader").hover()
    line(page, "leader").locator("[data-hours]").click()
    with page.expect_navigation():
        page.locator(".dialog [type=submit]").click()
    assert line(page, "leader").locator(".bar.there").count() == 1


def test_a_vacancy_is_given_to_somebody_and_the_post_ended(site):
    page = site.open("/people", wait_for=ROSTER)
    vacancy = page.locator(f"[data-give=property_manager][data-ground='{NORTH_WEST}']")
    vacancy.click()
    people = page.locator(".dialog select option")
    assert "在办" in people.first.inner_text(), "the work on their hands is seen while giving"
    page.locator(".dialog select").select_option(str(site.toy.city.leaders[NORTH_WEST]))
    with page.expect_navigation():
        page.locator(".dialog [type=submit]").click()
    held = line(page, "property_manager")
    assert held.locator(".bar.there").count() == 1
    held.hover()
    held.locator("[data-hours]").click()
    page.locator(".dialog [data-end-post]").click()
    asked = page.locator(".dialog").inner_text()
    assert "从现在起" in asked and "不再担任物管员（安澜 001）" in asked and "再指派" in asked
    page.locator(".dialog [data-close-dialog]").click()
    page.reload()
    assert vacancy.count() == 0, "asked and taken back: the post is held as before"
    held.hover()
    held.locator("[data-hours]").click()
    page.locator(".dialog [data-end-post]").click()
    with page.expect_navigation():
        page.locator(".dialog [type=submit]").click()
    assert vacancy.count() == 1


def test_an_inspector_sees_the_roster_and_changes_nothing(site):
    page = site.open("/people", "inspector", wait_for=ROSTER)
    assert page.locator("[data-hours], [data-decide], [data-stand-in]").count() == 0
