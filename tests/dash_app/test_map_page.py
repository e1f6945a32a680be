"""The map page over a real database: figures, queue, panels and drawing, in both languages."""

from __future__ import annotations

import re

import pytest

from dash_app.desk import current_visit
from dash_app.pages.map_page import detail, first_map, situation
from dash_app.texts import LANGUAGES
from gis.errors import NotFound
from incidents.lifecycle import MOVES
from incidents.queries import get_incident
from tests.dash_app.test_markup import Reader
from tests.toy_city import LAT, LON, NORTH_WEST

PARTS = ("rail", "head", "queue", "scope", "layers", "time_bar", "open", "past")


def look(office, query="", username="officer", language="zh"):
    with office.at(username, language):
        return dict(zip(PARTS, situation(office.desk, query, None), strict=True))


def panel(office, search, username="officer", language="zh"):
    with office.at(username, language):
        return detail(office.desk, search, None)


def rows(markup):
    """Ids of the cases in the queue, in order."""
    return [int(id_) for id_ in re.findall(r'class="q-row"[^>]*data-incident="(\d+)"', markup)]


def counter(markup, name):
    """The figure of a counter by what it filters."""
    return int(re.search(rf'data-counter="{name}".*?<div class="n[^"]*">(\d+)</div>', markup, re.S)[1])


def text(markup):
    return Reader(markup).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_map_begins_with_what_the_callbacks_bring_later(office, language):
    with office.at("officer", language):
        begun = first_map(office.desk, current_visit())
    brought = look(office, language=language)
    assert begun["open"]["features"]
    assert (begun["open"], begun["past"]) == (brought["open"], brought["past"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_figures_are_those_of_the_day(office, language):
    head = look(office, language=language)["head"]
    assert counter(head, "today") == 5  # all but the one of four days ago
    assert counter(head, "reported,registered") == 1
    assert counter(head, "overdue") == 1
    assert counter(head, "closed") == 1
    assert ("临江街道" in text(head)) and (("今日态势" in text(head)) == (language == "zh"))


def test_the_queue_opens_with_what_waits_for_me(office):
    """The officer confirms, verifies and supervises; the others wait for somebody else."""
    queue = look(office)["queue"]
    assert set(rows(queue)) == {office.toy.cases[name] for name in ("waiting", "handled", "overdue")}


def test_my_turn_falls_into_work_queues_with_their_counts(office):
    queue = look(office)["queue"]
    works = re.findall(r'data-work="(\w+)"', queue)
    assert works == ["confirm", "supervise", "verify"]
    assert "data-pick=" not in queue


@pytest.mark.parametrize(
    ("work", "name", "together"),
    [("confirm", "waiting", False), ("verify", "handled", True), ("supervise", "overdue", True)],
)
def test_a_work_queue_lists_its_cases_and_offers_to_move_several_where_that_is_safe(
    office, work, name, together
):
    queue = look(office, f"work={work}")["queue"]
    assert rows(queue) == [office.toy.cases[name]]
    assert ("data-pick=" in queue) == together == (f'data-together="{work}"' in queue)


def test_a_queue_of_another_role_is_not_there(office):
    """An inspector closes nothing: the address falls back to all that waits for them."""
    queue = look(office, "work=close", "inspector")["queue"]
    assert "data-together" not in queue and 'data-work="close"' not in queue


def test_an_empty_work_queue_says_so(office):
    assert "没有待结案的事件" in look(office, "work=close")["queue"]


def test_the_most_pressing_case_comes_first(office):
    found = rows(look(office, "tab=all")["queue"])
    assert found[0] == office.toy.cases["overdue"]
    assert office.toy.cases["closed"] not in found and len(found) == 5


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("tab=all&clock=overdue", ["overdue"]),
        ("tab=all&stage=handled", ["handled"]),
        ("tab=all&clock=closed", ["closed"]),
        ("tab=all&category=9903", ["far"]),
        ("tab=all&territory=990101001002", ["far"]),
        ("tab=dispatch", ["waiting"]),
        ("tab=all&stage=parked", []),
    ],
)
def test_map_and_queue_show_the_same_filter(office, query, names):
    parts = look(office, query)
    wanted = {office.toy.cases[name] for name in names}
    assert set(rows(parts["queue"])) == wanted
    drawn = {feature["id"] for feature in parts["open"]["features"]}
    if "dispatch" not in query:  # a tab sorts the list only
        assert drawn == wanted - {office.toy.cases["closed"]}


def test_an_empty_queue_names_the_last_report_and_a_way_out(office):
    queue = look(office, "tab=all&stage=parked")["queue"]
    assert "没有符合筛选的事件" in text(queue) and "看全部 5 件在办" in text(queue)


def test_another_community_sees_its_own_ground_only(office):
    parts = look(office, "tab=all", username="community")
    assert office.toy.cases["far"] not in rows(parts["queue"])
    assert "安澜社区" in text(parts["head"])


def test_a_filter_outside_ones_ground_finds_nothing(office):
    assert rows(look(office, "tab=all&territory=990101001002", username="community")["queue"]) == []


def test_the_breadcrumb_offers_what_lies_below_and_beside(office):
    scope = text(look(office)["scope"])
    assert "全部社区 · 2" in scope and "安澜社区" in scope and "石桥社区" in scope
    scope = text(look(office, "territory=990101001001")["scope"])
    assert "全部网格 · 2" in scope and "石桥社区" in scope


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["overdue", "waiting", "handling", "handled", "closed", "far"])
def test_a_case_tells_its_story_its_person_and_why(office, name, language):
    markup, hidden, focus = panel(office, f"?incident={office.toy.cases[name]}", language=language)
    assert not hidden
    said = text(markup)
    assert f"{name}: 楼下 <b>堆</b>了两天" in said  # a person's text stays text
    assert "王××" in said or "冯×" in said
    assert "10012345678" not in markup
    assert focus["moved"] == f"incident:{office.toy.cases[name]}"


def test_the_buttons_are_the_moves_of_the_table(office):
    handled, _, _ = panel(office, f"?incident={office.toy.cases['handled']}")
    assert re.findall(r'class="btn primary"[^>]*data-move="(\w+)"', handled) == ["verify"]
    closed, _, _ = panel(office, f"?incident={office.toy.cases['closed']}")
    assert re.findall(r'data-move="(\w+)"', closed) == ["reopen"]
    assert 'class="btn primary" type="button"' not in closed and "可重开" in closed, "no next step"


def test_only_the_clock_of_handling_stands_at_handling(office):
    """A case not yet dispatched has a clock of its desk; that one's sum is no limit for the handler."""
    waiting, _, _ = panel(office, f"?incident={office.toy.cases['waiting']}")
    handling, _, _ = panel(office, f"?incident={office.toy.cases['overdue']}")
    steps = [re.search(r'>处置<.*?class="who">(.*?)<', one, re.S)[1] for one in (waiting, handling)]
    assert steps[0] == "派遣后起算时限" and "工作时" in steps[1]


def test_a_case_is_drawn_with_its_cell_and_the_way_to_its_border(office):
    """`overdue` lies 0.0008 degrees (82 m) from its cell's western border and 66 m from the northern."""
    _, _, focus = panel(office, f"?incident={office.toy.cases['overdue']}")
    by_role = {feature["properties"]["role"]: feature for feature in focus["features"]}
    start, end = by_role["dimension"]["geometry"]["coordinates"]
    assert start == pytest.approx((LON - 0.0012, LAT + 0.0014), abs=1e-9)
    assert end == pytest.approx((LON - 0.0012, LAT + 0.002), abs=1e-7)
    labels = {
        f["properties"]["label_kind"]: f["properties"]["label"]
        for f in focus["features"]
        if "label" in f["properties"]
    }
    assert labels["metres"] == "66 米" and labels["cell"] == "安澜 001"
    assert by_role["incident"]["properties"]["incident"] == office.toy.cases["overdue"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_cell_shows_its_team_and_its_open_cases(office, language):
    markup, _, focus = panel(office, f"?cell={NORTH_WEST}", language=language)
    said = text(markup)
    assert "刘×" in said and "王××" in said and ("空缺" in said or "vacant" in said)
    assert set(map(int, re.findall(r'data-incident="(\d+)"', markup))) == {
        office.toy.cases[name] for name in ("overdue", "waiting", "handling", "handled")
    }
    assert focus["moved"] == f"cell:{NORTH_WEST}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_building_shows_floors_and_counts_but_no_names(office, language):
    markup, _, focus = panel(office, f"?building={office.toy.city.building}", language=language)
    assert markup.count("<tr>") == 7  # six floors under a head
    assert "阿芳面馆" in text(markup)
    assert focus["features"][0]["geometry"]["type"] == "Polygon"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_shop_and_a_lamp_say_what_they_are(office, language):
    shop, _, _ = panel(office, f"?shop={office.toy.shop}", language=language)
    assert "阿芳面馆" in text(shop) and "安澜 001" in text(shop)
    lamp, _, _ = panel(office, f"?component={office.toy.component}", language=language)
    assert ("路灯" if language == "zh" else "Street lamp") in text(lamp)
    assert ("破损" if language == "zh" else "damaged") in text(lamp)


@pytest.mark.parametrize(
    "search", ["?incident=999999", "?cell=990101001009009", "?building=7777777", "?shop=0"]
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_there_says_so_with_a_remedy(office, search, language):
    markup, hidden, focus = panel(office, search, language=language)
    assert not hidden and 'role="alert"' in markup
    assert ("没有改动任何内容" if language == "zh" else "Nothing was changed") in text(markup)
    assert focus["features"] == []


def test_a_case_outside_ones_ground_is_not_there(office):
    markup, _, _ = panel(office, f"?incident={office.toy.cases['far']}", username="community")
    assert 'role="alert"' in markup and "占道经营" not in markup


def test_nothing_chosen_is_no_panel(office):
    assert panel(office, "")[:2] == ("", True)


@pytest.mark.parametrize("username", ["officer", "community", "inspector", "admin"])
@pytest.mark.parametrize("name", ["overdue", "waiting", "handling", "handled", "closed", "far"])
def test_every_move_the_table_opens_has_its_button_on_the_panel(office, username, name):
    """Joining is offered beside what may be the same thing, not at the foot."""
    case, by = office.toy.cases[name], office.toy.people[username]
    with office.desk.database.unit_of_work(by) as session:
        try:
            moves = get_incident(session, case, by=by, now=office.now).moves
        except NotFound:
            return
    offered = re.findall(r'data-move="(\w+)"', panel(office, f"incident={case}", username)[0])
    assert offered == [move for move in moves if not MOVES[move].takes_case]
    asked = re.findall(r'data-form="(\w+)"', panel(office, f"incident={case}", username)[0])
    assert {move for move in offered if MOVES[move].needs_note} <= set(asked)
