"""The public page: what was published and nothing else, in both languages, hidden numbers in words."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
import shapely

from dash_app.pages.public_page import _Asked, _Found, _read, public_page
from dash_app.panels.public_map import Line, public_map, shade_of
from dash_app.texts import Words
from incidents.public_bins import GroupName, PublicBin, PublicMonth
from layers.areas import AreaShape

OCTOBER = PublicMonth(month=date(2026, 10, 1), hidden_below=10, rounded_to=5, published_at=datetime.now(UTC))
GROUPS = [GroupName("01", "市容环境", "City appearance"), GroupName("02", "公共设施", "Facilities")]
AREAS = [
    AreaShape(f"99010100100{n}", f"安澜{n}", f"Anlan {n}",
              shapely.box(113 + n / 100, 23, 113 + (n + 1) / 100, 23.01))
    for n in (1, 2, 3)
]  # fmt: skip


def one(community: int, group: str, shown=None, in_time=None, share=None) -> PublicBin:
    return PublicBin(
        month=OCTOBER.month, community_code=f"99010100100{community}", group_code=group, shown=shown,
        in_time=in_time, share=share,
    )  # fmt: skip


BINS = [
    one(1, "01", 45, 35, "told"),
    one(1, "02", 20, None, "most"),
    one(2, "01", 15),
    one(2, "02"),
    one(3, "01"),
    one(3, "02"),
]
FOUND = _Found([OCTOBER], OCTOBER, BINS, GROUPS, AREAS)


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.partition("<main>")[2]))


@pytest.mark.parametrize(
    ("language", "group", "said"),
    [
        ("zh", None, ("安澜1 至少 65 件", "安澜2 至少 15 件，另有 1 类不足 10 件", "安澜3 不足")),
        ("zh", "01", ("安澜1 45 件 约 78%（35 / 45）", "安澜2 15 件 件数少，不显示", "安澜3 不足")),
        ("zh", "02", ("安澜1 20 件 未按时的不足 10 件", "安澜2 不足 10 件不显示 –")),
        ("en", "01", ("Anlan 1 45 cases about 78 % (35 / 45)", "Anlan 3 hidden below 10 –")),
        ("en", "no such class", ("Anlan 1 at least 65 cases",)),
    ],
)  # fmt: skip
def test_each_community_is_told_in_words(language, group, said):
    told = text_of(public_page(Words(language), "light", FOUND, _Asked("2026-10", group)))
    for words in said:
        assert words in told


def test_the_map_hatches_what_is_hidden_and_draws_nothing_but_communities():
    page = public_page(Words("zh"), "light", FOUND, _Asked(None, "01"))
    drawing = page.partition('class="public-map"')[0].rpartition("<svg")[2] + page.partition("<svg")[2]
    paths = re.findall(r'<path class="community (\w+)"[^>]*>', drawing)
    assert paths == ["shade2", "shade0", "none"]
    assert page.count('fill="url(#hidden)"') == 1
    assert "<script" not in page and "/tiles" not in page and "maplibre" not in page


@pytest.mark.parametrize(
    ("number", "shade"),
    [(None, "none"), (10, "shade0"), (19, "shade0"), (20, "shade1"), (159, "shade3"), (160, "shade4")],
)
def test_shades_are_fixed_classes(number, shade):
    assert shade_of(number) == shade


def test_the_drawing_keeps_proportions_and_north_is_up():
    lines = {area.code: Line(10, "x") for area in AREAS}
    drawn = public_map(AREAS, lines, {area.code: "" for area in AREAS}, "x")
    width, height = map(float, re.search(r'viewBox="0 0 (\d+) (\d+)"', drawn).groups())
    # 0.03 by 0.01 degrees with a margin of 0.00045, stretched by 1 / cos 23.005 on the ground.
    assert height / width == pytest.approx(0.0109 / 0.0309 / 0.9205, rel=0.01)
    first = re.search(r'd="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)', drawn)
    xs, ys = (float(first[1]), float(first[3])), (float(first[2]), float(first[4]))
    assert xs[0] == pytest.approx(xs[1], abs=0.2) and ys[0] > ys[1], "from the south-east corner northwards"


def test_before_anything_is_published_the_page_says_so(office):
    found = _read(office.desk, _Asked("2026-10", None))
    assert found.chosen is None and len(found.areas) == 2
    assert "还没有公布的月份" in public_page(Words("zh"), "dark", found, _Asked(None, None))
