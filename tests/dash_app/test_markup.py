"""The markup builder: no text of a person ever becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from dash_app.markup import avatar, counted_people, div, icon, join, pill, tag

NASTY = st.text("<>&\"'/=abc 中!-", max_size=30)


class Reader(HTMLParser):
    """Collects the elements and the text of markup."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(str(markup))
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@given(NASTY, NASTY)
def test_text_and_attributes_come_back_as_they_went_in(text, attribute):
    read = Reader(div(text, cls="x", title=attribute))
    assert read.elements == [("div", {"class": "x", "title": attribute})]
    assert read.text == text


@given(NASTY)
def test_a_name_cannot_break_out_of_its_parts(name):
    for part in (pill("overdue", name, title=name), avatar(name), icon(name, name)):
        names = [element for element, _ in Reader(part).elements]
        assert set(names) <= {"span", "svg", "g", "path", "circle", "use"}


def test_none_and_false_are_left_out_and_true_is_bare():
    assert tag("input", hidden=True, disabled=False, value=None) == "<input hidden>"
    assert join(["a", None, [False, Markup("<b></b>")]]) == "a<b></b>"


def test_an_underscore_is_a_hyphen_and_a_last_one_is_dropped():
    assert tag("a", data_key="k", class_="c") == '<a data-key="k" class="c"></a>'


def test_people_whom_nobody_counted_are_not_told_to_be_none():
    """A city whose households are only counted on buildings has no rows of residents."""
    assert [counted_people(*one) for one in ((1200, 400), (0, 307), (0, 0))] == ["1,200", "–", "0"]
