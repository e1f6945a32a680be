"""What of a text is words: what shows stays as it is, what only disturbs its surroundings goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.text import can_be_kept, line_of, words_of

WORDS = {
    "as it is": ("路灯不亮 3 盏", "路灯不亮 3 盏"),
    "turned around": ("\u202e好\u202e路灯\u2066坏\u200f", "好路灯坏"),
    "a file name turned around": ("\u202egnp.exe", "gnp.exe"),
    "lines of every kind": ("一\r\n二\r三\u2028四\u0085五", "一\n二\n三\n四\n五"),
    "signs of a terminal": ("\x1b[31m红\x07", "[31m红"),
    "a mark of byte order": ("\ufeff开头", "开头"),
    "emoji with joiners": ("👨‍👩‍👧‍👦 🏳️‍🌈 ❤️", "👨‍👩‍👧‍👦 🏳️‍🌈 ❤️"),
    "Uyghur": ("چىراغ ئۆچۈك", "چىراغ ئۆچۈك"),
    "nothing": ("", ""),
    "blank": (" \u3000\t\n ", ""),
    "joiners alone": ("\u200d\u200b\n\u200d", ""),
    "accents without a letter": ("\u0351\u036b", ""),
}


@pytest.mark.parametrize("name", WORDS)
def test_what_shows_stays_and_what_does_not_goes(name):
    text, words = WORDS[name]
    assert words_of(text) == words


def test_one_line_is_one_line():
    assert line_of("  解放\n大道\t 3 号 ") == "解放 大道 3 号"


@given(st.text())
def test_said_again_it_is_the_same_and_what_must_be_refused_still_is(text):
    words = words_of(text)
    assert words_of(words) == words and line_of(line_of(text)) == line_of(text)
    assert can_be_kept(words) == can_be_kept(text)
