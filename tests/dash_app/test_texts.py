"""Every word exists in both languages, and every word the code asks for exists."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import dash_app
from dash_app.desk import chosen_language, chosen_theme
from dash_app.texts import JS_KEYS, TEXTS, Words
from gis.access import DESK_ROLES
from grids.cells import KINDS
from grids.duties import POSTS
from incidents.incident import CHANNELS, STAGES
from incidents.queries import CLOCKS
from layers.components import STATES

ROOM = Path(dash_app.__file__).parent
ASKED = re.compile(r'words\(\s*"([a-z_.0-9]+)"\s*[,)]')
ASKED_IN_SCRIPTS = re.compile(r"cg\.say\('([a-z_.]+)'[,)]")


def placeholders(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", TEXTS)
def test_both_languages_say_something_with_the_same_blanks(key):
    zh, en = TEXTS[key]
    assert zh.strip() or key.startswith("unit.")
    assert placeholders(zh) == placeholders(en)


def test_the_texts_keep_the_houses_style():
    """No exclamation marks, no 请, no claims of success (design, section 8)."""
    for key, (zh, en) in TEXTS.items():
        assert not set("!！") & set(zh + en), key
        assert not re.search("(?<!申)请|成功", zh), key


def test_every_key_the_code_asks_for_exists():
    asked = {key: path.name for path in ROOM.rglob("*.py") for key in ASKED.findall(path.read_text("utf-8"))}
    assert len(asked) > 100
    assert {key: where for key, where in asked.items() if key not in TEXTS} == {}


def test_every_key_the_scripts_ask_for_is_handed_to_them():
    asked = {key for path in ROOM.rglob("*.js") for key in ASKED_IN_SCRIPTS.findall(path.read_text("utf-8"))}
    assert len(asked) > 8
    assert asked - set(JS_KEYS) == set()
    assert set(JS_KEYS) <= set(TEXTS)


@pytest.mark.parametrize(
    ("prefix", "values"),
    [
        ("stage", STAGES),
        ("clock", CLOCKS),
        ("channel", CHANNELS),
        ("role", {*POSTS, *DESK_ROLES}),
        ("cell.kind", KINDS),
        ("state", STATES),
    ],
)
def test_every_value_of_the_data_has_its_words(prefix, values):
    assert [value for value in values if f"{prefix}.{value}" not in TEXTS] == []


def test_words_fill_their_blanks():
    assert Words("zh")("count.closed_basis", k=29, n=31) == "按时 29 / 31"
    assert Words("en")("count.closed_basis", k=29, n=31) == "on time 29 / 31"
    assert Words("en").either("甲", None) == "甲"


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        ("en", "zh-CN,zh;q=0.9", "en"),
        (None, "en-GB,en;q=0.9,zh;q=0.8", "en"),
        (None, "fr,de;q=0.9", "zh"),
        ("xx", None, "zh"),
    ],
)
def test_the_cookie_decides_then_the_browser_then_chinese(cookie, accepted, language):
    assert chosen_language(cookie, accepted) == language


def test_an_unknown_theme_is_light():
    assert [chosen_theme(value) for value in ("dark", "neon", None)] == ["dark", "light", "light"]


def test_no_text_waits_for_somebody_to_ask():
    """A key is asked for as it stands, or by its beginning before a value: words(f"stage.{row.stage}")."""
    found = [path for suffix in ("*.py", "*.js") for path in ROOM.rglob(suffix)]
    sources = [path for path in found if not path.name.startswith("texts")]
    code = "\n".join(path.read_text("utf-8") for path in sources)
    quoted = set(re.findall(r"""["']([a-z_.0-9]+)["']""", code))
    beginnings = tuple(re.findall(r"""["'`]([a-z_.]+[._])(?:\$?\{|["'])""", code))
    assert [key for key in TEXTS if key not in quoted and not key.startswith(beginnings)] == []
