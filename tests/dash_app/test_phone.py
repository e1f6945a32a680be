"""The phone's page and files as they are served: nothing from elsewhere, nothing inline, every word there."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor

import anyio
import httpx
import pytest
from starlette.applications import Starlette

from dash_app import phone
from dash_app.phone import FILES, files_state, phone_page
from gis.errors import NotFound
from tests.toy_city import LAT, LON

SCRIPTS = sorted(FILES.glob("*.js"))


@pytest.fixture
def served(office):
    """Ask one of the phone's addresses."""
    app = Starlette(routes=phone.routes(office.desk))

    def ask(path: str, **cookies: str) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://phone", cookies=cookies
            ) as one:
                return await one.get(path)

        # In a thread of its own: a browser test of the same process may keep a loop running in this one.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(anyio.run, asked).result()

    return ask


@pytest.fixture(params=["zh", "en"])
def page(request, office) -> str:
    return phone_page(office.desk, request.param, "light", has_token=False)


def test_the_page_asks_only_this_server_and_runs_nothing_inline(page):
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)
    inline = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", page)
    assert inline == [' id="phone-page" type="application/json"'], "data, not a script"
    assert not re.search(r"<[^>]+\son\w+=", page)


def test_the_map_begins_in_the_middle_of_the_city_that_is_loaded(served):
    data = json.loads(re.search(r'id="phone-page"[^>]*>(.*?)</script>', served("/m").text)[1])
    assert (data["middle"]["lon"], data["middle"]["lat"]) == pytest.approx((LON, LAT)), "of its four cells"


def test_the_page_holds_nobodys_data(office, page):
    for username, principal in office.toy.people.items():
        assert principal.display_name not in page and f'"{username}"' not in page


def test_the_page_counts_by_the_clock_of_the_server(office, page):
    data = json.loads(re.search(r'id="phone-page"[^>]*>(.*?)</script>', page)[1])
    assert data["now"] == office.now.isoformat() and data["timezone"] == "Asia/Shanghai"


def test_a_file_is_kept_for_good_under_the_address_of_its_state_only(served):
    answer = served(f"/m/{files_state()}/app.js")
    assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.content == (FILES / "app.js").read_bytes()
    assert served("/m/older/app.js").headers["cache-control"] == "no-store"


def test_scripts_learn_whether_a_token_is_there_but_never_see_it(served):
    answer = served("/m", cg_session="secret-token")
    assert '"has_token": true' in answer.text and "secret-token" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert '"has_token": false' in served("/m").text


@pytest.mark.parametrize("name", ["nothing.js", "__init__.py", "%2e%2e"])
def test_what_is_no_file_of_the_page_is_not_served(served, name):
    with pytest.raises(NotFound):
        served(f"/m/{files_state()}/{name}")


def words() -> dict[str, tuple[str, str]]:
    text = (FILES / "words.js").read_text("utf-8")
    found = re.findall(r"""^  (?:'([\w.]+)'|(\w+)): \[(['"])(.*?)\3, (['"])(.*?)\5\],$""", text, re.M)
    return {quoted or plain: (zh, en) for quoted, plain, _, zh, _, en in found}


def test_every_word_exists_in_both_languages_with_the_same_places():
    known = words()
    assert len(known) > 200
    for key, (zh, en) in known.items():
        assert zh and (en or key.startswith("unit.")), key
        if en:
            assert set(re.findall(r"\{\w+\}", zh)) == set(re.findall(r"\{\w+\}", en)), key
        assert not re.search("!|！|(?<!申)请|成功", zh + en), key


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_word_a_script_says_is_known(script):
    """Keys written out exist; of keys put together from data at least one begins so."""
    known = words()
    text = script.read_text("utf-8")
    for key in re.findall(r"say\('([\w.]+?)'[,)]", text):
        assert key in known, key
    for beginning in re.findall(r"say\('([\w.]+)' \+", text):
        assert any(key.startswith(beginning) for key in known), beginning


def test_stages_moves_and_roles_all_have_their_words():
    from api.auth import ROLES
    from grids.duties import POSTS
    from incidents.incident import CHANNELS, STAGES
    from incidents.lifecycle import MOVES

    known = words()
    wanted = {f"stage.{s}" for s in STAGES} | {f"step.{s}" for s in STAGES} | {f"move.{m}" for m in MOVES}
    wanted |= {f"role.{r}" for r in (*ROLES, *POSTS)} | {f"channel.{c}" for c in CHANNELS}
    assert wanted <= set(known)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_import_only_files_that_exist_and_nothing_from_elsewhere(script):
    text = script.read_text("utf-8")
    for name in re.findall(r"""from ['"](.+?)['"]""", text):
        assert name.startswith("./") and (FILES / name).is_file(), name
    assert "http://" not in text and "https://" not in text and "eval(" not in text


def test_markup_goes_through_the_escaping_template_only():
    """Only `html.js` may write HTML; everywhere else a value is escaped by the template."""
    for script in SCRIPTS:
        if script.name != "html.js":
            assert "innerHTML" not in script.read_text("utf-8"), script.name
