"""The desk in a real browser: what an officer does with the one map, from the first look to the file."""

from __future__ import annotations

import csv

import pytest

from tests.browser.conftest import MAP_READY
from tests.toy_city import LAT, LON, NORTH_WEST, STEP
from tests.toy_desk import PASSWORD

MAP = "window.citygrid.map.map"


@pytest.fixture(scope="module")
def opened(shared_site):
    """The desk, opened once for the tests below: every state of it is an address, so one page serves all."""
    return shared_site.open("/")


@pytest.fixture
def desk(opened, shared_site):
    """The opened desk as it is at first: nothing chosen, nothing filtered."""
    opened.evaluate("window.citygrid.go('/')")
    opened.locator("#detail").wait_for(state="hidden")
    opened.locator("#queue .chips").wait_for(state="detached")
    yield opened
    problems, shared_site.problems[:] = list(shared_site.problems), []
    assert problems == []


def go(page, address):
    """Another address of the desk, as a link leads to it."""
    page.evaluate("address => window.citygrid.go(address)", address)


def click_on_map(page, lon, lat):
    """A click where a place is drawn."""
    point = page.evaluate(f"at => {{ const p = {MAP}.project(at); return [p.x, p.y]; }}", [lon, lat])
    box = page.locator(".map-canvas").bounding_box()
    page.mouse.click(box["x"] + point[0], box["y"] + point[1])


def look_at(page, lon, lat, zoom):
    """Move the map and wait until everything there is drawn."""
    page.evaluate(
        f"""([lon, lat, zoom]) => new Promise((done) => {{
            const map = {MAP};
            map.once('idle', done);
            map.jumpTo({{ center: [lon, lat], zoom }});
            map.triggerRepaint();
        }})""",
        [lon, lat, zoom],
    )


def detail(page, title):
    """The side panel, once it shows what its heading says."""
    panel = page.locator("#detail")
    panel.locator("h1", has_text=title).wait_for()
    return panel


def shown(page):
    """Ids of the cases in the queue, in order."""
    return [row.get_attribute("data-incident") for row in page.locator("#queue .q-row").all()]


def wait_for_rows(page, count):
    page.wait_for_function("n => document.querySelectorAll('#queue .q-row').length === n", arg=count)


def test_the_first_page_shows_the_day(desk):
    assert desk.locator("#head h1").inner_text() == "临江街道 · 今日态势"
    assert desk.locator("#head .counter").count() == 6
    assert desk.locator("#queue .tab[aria-selected=true]").inner_text().startswith("该我办")
    drawn = f"{MAP}.queryRenderedFeatures({{ layers: ['open', 'open-cluster'] }}).length"
    desk.wait_for_function(f"() => {drawn} > 0")
    assert desk.evaluate("document.documentElement.lang") == "zh-CN"


def test_closed_cases_are_asked_for_once_it_is_known_which(site):
    """Their tiles keep the filter they began to load with: asked for before, all that ever closed shows."""
    page = site.open("/people", wait_for=".roster")
    order = []
    page.on("request", lambda one: order.append("tile") if "/tiles/incidents/" in one.url else None)
    page.on(
        "response",
        lambda one: order.append("known") if '"past"' in (one.request.post_data or "") else None,
    )
    page.goto(site.url + "/?tab=all")
    page.wait_for_function(
        f"() => window.citygrid.map && {MAP}.queryRenderedFeatures({{ layers: ['closed'] }}).length === 1"
    )
    assert order[0] == "known" and "tile" in order


def test_a_passing_minute_lays_out_no_marker_anew(desk):
    told = desk.evaluate(
        """() => {
            const view = window.citygrid.map, source = view.map.getSource('open'), real = source.updateData;
            const later = (left) => ({ ...view.props.open, features: view.props.open.features.map(
                (one) => ({ ...one, properties: { ...one.properties, left } })) });
            let laidOut = 0;
            source.updateData = () => { laidOut += 1; };
            view.setOpen(later('余 1 分钟'));
            const passed = laidOut, words = [...view.left.values()];
            view.setOpen({ ...view.props.open, features: view.props.open.features.slice(1) });
            source.updateData = real;
            view.known.clear();
            view.setOpen(view.props.open);
            return { passed, words, gone: laidOut - passed };
        }"""
    )
    assert told["passed"] == 0 and told["gone"] == 1
    assert told["words"] and set(told["words"]) == {"余 1 分钟"}


def test_a_click_on_a_building_opens_it(desk, shared_site):
    look_at(desk, LON - 0.0003, LAT + 0.00105, 18)
    click_on_map(desk, LON - 0.00025, LAT + 0.00108)
    panel = detail(desk, "银杏苑 3 栋")
    assert panel.locator("table.stack tbody tr").count() == 6
    assert f"building={shared_site.toy.city.building}" in desk.url


def test_a_click_on_the_ground_opens_its_cell(desk):
    look_at(desk, LON - STEP / 2, LAT + 0.0003, 17)
    click_on_map(desk, LON - STEP * 0.8, LAT + 0.00025)
    panel = detail(desk, "安澜 001 网格")
    assert panel.locator("[data-post=leader]").inner_text().startswith("刘")
    assert f"cell={NORTH_WEST}" in desk.url
    desk.wait_for_function(f"() => {MAP}.queryRenderedFeatures({{ layers: ['focus-line'] }}).length > 0")


def test_a_click_on_a_case_opens_its_story(desk):
    look_at(desk, LON - 0.0012, LAT + 0.0014, 17.5)
    click_on_map(desk, LON - 0.0012, LAT + 0.0014)
    panel = detail(desk, "暴露垃圾")
    assert "超" in panel.locator(".clock-big").inner_text()
    assert "王××" in panel.locator(".reason").inner_text()
    panel.locator("details.trace summary").click()
    assert panel.locator("details.trace ol li").count() >= 2


def test_a_report_of_a_resident_is_confirmed_and_sent(desk, shared_site):
    waiting = shared_site.toy.cases["waiting"]
    go(desk, f"/?incident={waiting}")
    panel = detail(desk, "楼道堆物")
    panel.locator("[data-move=confirm]").first.click()
    panel.locator("[data-move=dispatch]").first.click()
    dialog = desk.locator(".dialog")
    assert "本网格责任人" in dialog.locator("select[name=member_id]").inner_text()
    dialog.locator("button[type=submit]").click()
    dialog.wait_for(state="detached")
    panel.locator(".timeline li.now", has_text="处置").wait_for()
    with shared_site.api("officer") as api:
        case = api.get(f"/api/v1/incidents/{waiting}").json()
    assert (case["stage"], case["handler"]["name"]) == ("dispatched", "王××")


def test_what_the_server_refuses_is_said_in_the_dialog(desk, shared_site):
    overdue = shared_site.toy.cases["overdue"]
    go(desk, f"/?incident={overdue}")
    panel = detail(desk, "暴露垃圾")
    panel.locator("footer [data-move]", has_text="改派").first.click()
    dialog = desk.locator(".dialog")
    with shared_site.api("member") as api:  # meanwhile somebody else moves the case on
        version = api.get(f"/api/v1/incidents/{overdue}").json()["version"]
        move = {"move": "accept", "version": version}
        api.post(f"/api/v1/incidents/{overdue}/moves", json=move).raise_for_status()
    dialog.locator("textarea").fill("已拖了四天")
    dialog.locator("button[type=submit]").click()
    problem = dialog.locator("[data-problem]")
    problem.wait_for(state="visible")
    assert "已有变化" in problem.inner_text()
    desk.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    shared_site.forgive(409)


def test_a_new_report_arrives_without_reload(desk, shared_site):
    go(desk, "/?tab=all")
    desk.evaluate("window.stillHere = true")
    report = {
        "report_key": "from-the-street",
        "lon": LON - 0.0005,
        "lat": LAT + 0.0016,
        "crs": "EPSG:4490",
        "category": "9902",
        "description": "楼上楼下吵起来了",
    }
    with shared_site.api("member") as api:
        new = api.post("/api/v1/incidents", json=report).raise_for_status().json()["id"]
    row = desk.locator(f"#queue .q-row[data-incident='{new}']")
    row.locator(".new").wait_for()
    assert desk.evaluate("window.stillHere")
    assert "邻里纠纷" in desk.locator("#cg-status").inner_text()
    arrived = f"{MAP}.querySourceFeatures('open').some((feature) => feature.id === id)"
    look_at(desk, report["lon"], report["lat"], 17)
    desk.wait_for_function(f"id => {arrived}", arg=new)


def test_the_sound_is_off_until_somebody_wants_it(desk):
    desk.locator(".rail summary.rail-item").click()
    switch = desk.locator("[data-sound]")
    assert switch.get_attribute("aria-checked") == "false"
    switch.click()
    assert switch.get_attribute("aria-checked") == "true"
    assert desk.evaluate("localStorage.getItem('cg_sound')") == "on"
    switch.click()
    desk.keyboard.press("Escape")


def test_a_counter_filters_and_lets_go(desk, shared_site):
    go(desk, "/?tab=all")
    desk.locator("#queue .tab[aria-selected=true]", has_text="全部在办").wait_for()
    everything = len(shown(desk))
    desk.locator("[data-counter=closed]").click()
    wait_for_rows(desk, 1)
    assert shown(desk) == [str(shared_site.toy.cases["closed"])]
    assert desk.url.endswith("/?clock=closed&tab=all")
    desk.locator("#queue .chips .chip").click()
    wait_for_rows(desk, everything)
    desk.go_back()
    wait_for_rows(desk, 1)


def test_a_territory_is_chosen_from_the_breadcrumb(desk, shared_site):
    go(desk, "/?tab=all")
    desk.locator(".scope summary", has_text="全部社区").click()
    desk.locator(".scope .menu-item", has_text="石桥社区").click()
    wait_for_rows(desk, 1)
    assert shown(desk) == [str(shared_site.toy.cases["far"])]
    assert desk.locator("#head h1").inner_text() == "石桥社区 · 今日态势"


def test_search_finds_a_cell_and_opens_it(desk):
    desk.keyboard.press("/")
    desk.keyboard.type("安澜 001")
    desk.locator("#suggestions [role=option]").first.wait_for()
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("Enter")
    detail(desk, "安澜 001 网格")


def test_the_queue_is_walked_by_keys(desk):
    go(desk, "/?tab=all")
    desk.locator("#queue .tab[aria-selected=true]", has_text="全部在办").wait_for()
    first = shown(desk)[0]
    for key in "jjk":
        desk.keyboard.press(key)
    assert desk.evaluate("document.activeElement.dataset.incident") == first
    desk.keyboard.press("Enter")
    desk.locator("#detail .timeline").wait_for()
    assert f"incident={first}" in desk.url
    desk.keyboard.press("Escape")
    desk.locator("#detail").wait_for(state="hidden")
    desk.wait_for_function("id => document.activeElement.dataset.incident === id", arg=first)


def test_an_unknown_case_says_so_and_leads_back(desk):
    go(desk, "/?incident=999999")
    panel = detail(desk, "没有您可查看的事件")
    panel.locator(".radio-card.advised").click()
    desk.locator("#detail").wait_for(state="hidden")


def test_the_case_page_sorts_filters_and_gives_a_file(desk):
    desk.locator(".rail [data-page=cases]").click()
    number = ".ag-row[row-index='0'] [col-id=number]"
    desk.locator(number).wait_for()
    closed = desk.locator(".ag-header-cell[col-id=closed]")
    closed.wait_for(state="detached")
    seen, whole = desk.locator(".ag-center-cols-viewport").evaluate("v => [v.clientWidth, v.scrollWidth]")
    assert whole <= seen, "at 1280 nothing of an open case lies out of sight"
    go(desk, "/cases?scope=ended")
    closed.wait_for()
    go(desk, "/cases")
    closed.wait_for(state="detached")
    heading, ends = ".ag-header-cell[col-id=number]", []
    for direction in ("ascending", "descending"):
        desk.locator(heading).click()
        desk.locator(f"{heading}[aria-sort={direction}]").wait_for()
        ends.append(desk.locator(number).inner_text())
    assert ends[0] < ends[1]
    desk.locator("select[name=stage]").select_option("handled")
    rows = "() => document.querySelectorAll('.ag-center-cols-container .ag-row').length"
    desk.wait_for_function(f"() => {rows} === 1")
    desk.locator(".cases-head a.primary").click()
    desk.locator("[data-url='/exports/cases'] [name=reason]").fill("晨会通报")
    desk.keyboard.press("Enter")
    with desk.expect_download() as download:
        desk.locator("a[download]").first.click()
    with open(download.value.path(), encoding="utf-8-sig", newline="") as file:
        heading, line, mark = csv.reader(file)
    assert line[heading.index("阶段")] == "待核查" and "周岩" in mark[0] and "晨会通报" in mark[0]
    desk.go_back()
    desk.locator(".case-link").first.click()
    detail(desk, "暴露垃圾")


@pytest.mark.parametrize("width", [1440, 1280, 1024])
def test_nothing_lies_over_anything_else(desk, width):
    """What floats on the map keeps clear of the other floats, of the rail and of the panel."""
    desk.set_viewport_size({"width": width, "height": 800})
    drawn_anew = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    desk.evaluate(drawn_anew)
    boxes = desk.evaluate(
        """() => ['.search', '.scope', '.layers', '.controls', '.time-bar', '#panel', '.rail']
            .map((name) => [name, document.querySelector(name).getBoundingClientRect()])
            .filter(([, box]) => box.width && box.height)
            .map(([name, box]) => [name, box.left, box.top, box.right, box.bottom])"""
    )
    for i, (one, left, top, right, bottom) in enumerate(boxes):
        for other, left2, top2, right2, bottom2 in boxes[i + 1 :]:
            apart = right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top
            assert apart, f"{one} and {other} overlap at {width}"


def test_the_end_of_the_filter_menu_is_on_a_low_screen(desk):
    desk.set_viewport_size({"width": 1280, "height": 720})
    desk.locator("[data-key=filter] summary").click()
    box = desk.locator("[data-key=filter] .menu-body").bounding_box()
    desk.keyboard.press("Escape")
    desk.set_viewport_size({"width": 1280, "height": 800})
    assert box["y"] + box["height"] <= 720


def test_open_cases_have_no_column_for_their_end_however_one_comes_to_them(site):
    page = site.open("/cases", wait_for=".cases .ag-row")
    page.locator(".ag-header-cell[col-id=closed]").wait_for(state="detached")


def test_a_switched_layer_and_a_language_are_kept(site):
    page = site.open("/")
    page.locator("[data-layers=buildings]").click()
    hidden = f"{MAP}.getLayoutProperty('building', 'visibility') === 'none'"
    assert page.evaluate(hidden)
    page.locator("#head [data-language=en]").click()
    page.locator("#head h1", has_text="today").wait_for()
    page.wait_for_selector(MAP_READY)
    page.wait_for_function(f"() => {hidden}")
    page.locator(".rail summary.rail-item").click()
    page.locator("[data-theme-choice=dark]").click()
    page.wait_for_function(f"() => {MAP}.getStyle()?.name === 'CityGrid dark'")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_signing_in_and_out(site):
    page = site.open("/cases?clock=overdue", None, wait_for="[data-sign-in]")
    page.fill("[name=username]", "officer")
    page.fill("[name=password]", "wrong horse")
    page.click("[type=submit]")
    page.locator("[data-problem]").wait_for(state="visible")
    site.forgive(401)
    page.fill("[name=password]", PASSWORD)
    page.click("[type=submit]")
    page.wait_for_url("**/cases?clock=overdue")
    page.locator(".rail summary:has(.me)").click()
    page.locator("[data-sign-out]").click()
    page.wait_for_url("**/sign-in")
    page.goto(site.url + "/")
    assert page.url.endswith("/sign-in")
