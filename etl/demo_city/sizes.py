"""How large a demo city is: extents of its sheet, its territory, and how much happens in it."""

from __future__ import annotations

from dataclasses import dataclass

from gis.errors import Invalid

HISTORY_DAYS = 90
"""How far back the cases reach."""


@dataclass(frozen=True, slots=True)
class Size:
    """One size of the city. Lengths are metres on the sheet (see `sheet`); the river runs along v = 0."""

    name: str
    width: int
    south: int
    """Depth of the south bank, from the river's axis."""
    north: int
    districts: int
    subdistricts: int
    communities: int
    """Communities in each subdistrict."""
    village_share: float
    """Share of the blocks that are urban villages: many small houses."""
    village_plot_m2: float
    """Largest quarter of a village: the households of one cell in small towns, more houses in the city."""
    incidents_a_day: float
    history_days: int
    households_as_rows: bool
    """False: households are only counted on buildings (decision 5)."""
    trees: bool
    heads_a_cell: int
    """N of 1+1+1+N: building heads in each cell."""


SIZES = {
    size.name: size
    for size in (
        Size("sample", 1180, 520, 610, 1, 2, 2, 0.09, 23_000, 75, 8, True, True, 3),
        Size("subdistrict", 2180, 640, 1010, 1, 3, 4, 0.085, 23_000, 75, HISTORY_DAYS, True, True, 6),
        Size("district", 6400, 2200, 3400, 1, 15, 8, 0.08, 23_000, 750, HISTORY_DAYS, True, True, 6),
        Size("city", 20400, 8400, 11000, 10, 120, 12, 0.70, 52_000, 1180, HISTORY_DAYS, False, False, 4),
    )
}
"""`sample` is a neighbourhood for quick tests; the other three are for people."""


def size_named(name: str) -> Size:
    """The size of that name. Raises Invalid for any other."""
    if name in SIZES:
        return SIZES[name]
    known = [size for size in SIZES if size != "sample"]
    raise Invalid(
        en=f"There is no demo city of size {name}.",
        zh=f"没有规模为 {name} 的演示城市。",
        remedy_en="Choose one of " + ", ".join(known) + ".",
        remedy_zh="可选规模：" + "、".join(known) + "。",
    )
