"""Codes, names and shapes of the territory, from the city down to its cells of all kinds.

Every shape is a union of the plots' shares in degrees, so borders are equal vertex by vertex on every level,
and each level covers the city exactly once. Special cells lie over the social ones, within the walls of a
school, a park or a business block; what stands in one belongs to it (decision 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import shapely
from numpy.typing import NDArray

from etl.demo_city.names import CITY, DISTRICTS, Name, Names
from etl.demo_city.sheet import to_degrees
from etl.demo_city.sizes import HISTORY_DAYS
from etl.demo_city.town import Town
from etl.demo_city.writing import Rows

CITY_CODE = "9901"
SPECIAL_USES = {"school": "校园网格", "park": "公园网格", "commercial": "商圈网格"}
FIRST_SPECIAL, FIRST_RESPONSIBILITY = 801, 901
"""Numbers from which the codes of these kinds count within a community: never those of social cells."""
SUFFIX_SUBDISTRICT, SUFFIX_COMMUNITY = ("街道", "Subdistrict"), ("社区", "Community")

Ints = NDArray[np.int64]
Objects = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Level:
    """One level of territory: code, name, shape in degrees and size of each unit, by label."""

    code: Objects
    name: list[Name]
    parent: Ints
    """Label of the unit above."""
    shape: Objects


@dataclass(frozen=True, slots=True)
class Ground:
    """The whole territory. `owner_code` is the cell that owns what stands inside each plot; `social_code` the
    social cell of the plot's share of the roads."""

    generation: str
    generation_label: str
    districts: Level
    subdistricts: Level
    communities: Level
    cells: Level
    city_shape: shapely.Geometry
    cell_m2: NDArray[np.float64]
    cell_households: Ints
    special: Level
    special_plot: Ints
    owner_code: Objects
    social_code: Objects
    main_subdistrict: int
    """Label of the subdistrict that everybody sees first."""

    @property
    def beneath(self) -> dict[str, str]:
        """The social cell beneath each special one: it gives the territory of what stands there."""
        return dict(zip(self.special.code, self.social_code[self.special_plot], strict=True))


def survey(town: Town, names: Names, as_of: datetime) -> Ground:
    """Number, name and draw the territory of a town."""
    territory = town.territory
    shares = to_degrees(town.shares(), town.origin)
    main = _main_subdistrict(town)
    of_subdistrict = _first(territory.subdistrict, territory.district)
    of_community = _first(territory.community, territory.subdistrict)
    of_cell = _first(territory.cell, territory.community)
    cell_shape = _unions(shares, territory.cell)
    community_shape = _unions(cell_shape, of_cell)
    subdistrict_shape = _unions(community_shape, of_community)
    district_shape = _unions(subdistrict_shape, of_subdistrict)
    home = of_subdistrict[main]
    district_code = _codes([CITY_CODE], np.zeros(len(district_shape), int), district_shape, 2, first=home)
    subdistrict_code = _codes(district_code, of_subdistrict, subdistrict_shape, 3, first=main)
    community_code = _codes(subdistrict_code, of_community, community_shape, 3)
    cell_code = _codes(community_code, of_cell, cell_shape, 3)
    stems = names.subdistricts(len(subdistrict_shape), main)
    community_stem = _community_stems(names, of_community, community_code, main)
    special_plot = np.array([i for i, p in enumerate(town.plots) if p.parcel.use in SPECIAL_USES], np.int64)
    special = _special_cells(town, special_plot, community_code)
    social_code = cell_code[territory.cell]
    owner_code = social_code.copy()
    owner_code[special_plot] = special.code
    stock_cell = territory.cell[town.stock.plot]
    metres = np.array([plot.share.area for plot in town.plots])
    return Ground(
        generation=f"{_drawn_in(as_of)}-1",
        generation_label=f"{_drawn_in(as_of)} 版",
        districts=Level(
            district_code,
            [DISTRICTS[int(code[-2:]) - 1] for code in district_code],
            np.zeros(len(district_shape), int),
            district_shape,
        ),
        subdistricts=Level(
            subdistrict_code,
            [s.with_suffix(SUFFIX_SUBDISTRICT) for s in stems],
            of_subdistrict,
            subdistrict_shape,
        ),
        communities=Level(
            community_code,
            [s.with_suffix(SUFFIX_COMMUNITY) for s in community_stem],
            of_community,
            community_shape,
        ),
        cells=Level(
            cell_code,
            [
                Name(f"{community_stem[c].zh} {code[-3:]}", f"{community_stem[c].en} {code[-3:]}")
                for c, code in zip(of_cell, cell_code, strict=True)
            ],
            of_cell,
            cell_shape,
        ),
        city_shape=shapely.coverage_union_all(district_shape),
        cell_m2=np.bincount(territory.cell, metres, len(cell_shape)).astype(float),
        cell_households=np.bincount(stock_cell, town.stock.households, len(cell_shape)).astype(np.int64),
        special=special,
        special_plot=special_plot,
        owner_code=owner_code,
        social_code=social_code,
        main_subdistrict=main,
    )


def _drawn_in(as_of: datetime) -> int:
    """The year whose drawing is in force: it must be older than the history of cases."""
    return (as_of - timedelta(days=HISTORY_DAYS)).year


def _main_subdistrict(town: Town) -> int:
    """The subdistrict of the north bank in the middle of the city."""
    middle = town.size.width / 2
    for i, plot in enumerate(town.plots):
        rect = plot.parcel.rect
        if plot.parcel.use == "riverside" and rect.south >= 0 and rect.west <= middle < rect.east:
            return int(town.territory.subdistrict[i])
    raise AssertionError("no riverside in the middle of the city")


def _first(labels: Ints, values: Ints) -> Ints:
    """The value that goes with each label 0..max; all plots of a label agree."""
    result = np.zeros(labels.max() + 1, np.int64)
    result[labels] = values
    return result


def _unions(shapes: Objects, labels: Ints) -> Objects:
    """One union for each label 0..max; the shapes are a coverage, so nothing has to be noded."""
    order = np.argsort(labels, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    return np.array([shapely.coverage_union_all(shapes[group]) for group in groups], object)


def _codes(
    parents: Sequence[str] | Objects, parent: Ints, shapes: Objects, width: int, *, first: int = -1
) -> Objects:
    """Codes by label: within each parent numbered from the north-west, `first` before all others."""
    centre = shapely.get_coordinates(shapely.centroid(shapes))
    rank = centre[:, 0] - centre[:, 1]
    if first >= 0:
        rank[first] = -np.inf
    codes = np.empty(len(shapes), object)
    counted: dict[int, int] = {}
    for label in np.lexsort((rank, parent)):
        above = int(parent[label])
        counted[above] = counted.get(above, 0) + 1
        codes[label] = f"{parents[above]}{counted[above]:0{width}d}"
    return codes


def _community_stems(names: Names, of_community: Ints, code: Objects, main: int) -> list[Name]:
    """A stem for each community, those of the main subdistrict in the order of their codes."""
    counts = np.bincount(of_community)
    stems = names.communities(list(counts), main)
    return [stems[subdistrict][int(c[-3:]) - 1] for subdistrict, c in zip(of_community, code, strict=True)]


def _special_cells(town: Town, plots: Ints, community_code: Objects) -> Level:
    """Special cells within the walls of the given plots, numbered in each community."""
    community = town.territory.community[plots]
    codes = np.empty(len(plots), object)
    names = []
    for i, (plot, c) in enumerate(zip(plots, community, strict=True)):
        number = FIRST_SPECIAL + int((community[:i] == c).sum())
        codes[i] = f"{community_code[c]}{number}"
        names.append(Name(SPECIAL_USES[town.plots[plot].parcel.use], "Special cell"))
    inside = np.array([town.plots[plot].inside for plot in plots], object)
    return Level(codes, names, community, to_degrees(inside, town.origin))


def area_rows(ground: Ground) -> Rows:
    """Rows of `area`, from the city down."""
    codes, levels, names, parents, shapes = [CITY_CODE], ["city"], [CITY], [None], [ground.city_shape]
    above: Sequence[str] = [CITY_CODE]
    for word, level in (
        ("district", ground.districts),
        ("subdistrict", ground.subdistricts),
        ("community", ground.communities),
    ):
        for i in np.argsort(level.code):
            codes.append(level.code[i])
            levels.append(word)
            names.append(level.name[i])
            parents.append(above[level.parent[i]])
            shapes.append(level.shape[i])
        above = list(level.code)
    return Rows(
        "area",
        code=codes,
        level=levels,
        name=[name.zh for name in names],
        name_en=[name.en for name in names],
        parent_code=parents,
        geom=multi(shapes),
        territory=codes,
    )


def multi(shapes: Sequence[shapely.Geometry] | Objects) -> Objects:
    """Polygons and multipolygons -> multipolygons, as the tables want them."""
    parts, index = shapely.get_parts(np.asarray(shapes, object), return_index=True)
    return shapely.multipolygons(parts, indices=index)


def generation_rows(ground: Ground, as_of: datetime) -> Rows:
    """The one generation, active since the first of January of its year."""
    start = as_of.replace(year=_drawn_in(as_of), month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    return Rows(
        "generation",
        name=[ground.generation],
        label=[ground.generation_label],
        status=["active"],
        valid_from=[start],
        loaded_at=[start],
        activated_at=[start],
    )


def cell_rows(town: Town, ground: Ground) -> Rows:
    """Rows of `cell`: social, special, responsibility and unit cells."""
    cells, special = ground.cells, ground.special
    block = np.array([plot.parcel.block for plot in town.plots])
    block_community = _first(block, town.territory.community)
    block_shape = _unions(to_degrees(town.shares(), town.origin), block)
    block_code = [
        f"{ground.communities.code[c]}{FIRST_RESPONSIBILITY + int((block_community[:b] == c).sum())}"
        for b, c in enumerate(block_community)
    ]
    unit_cell = town.territory.cell[town.unit_plot]
    unit_code = _codes(list(cells.code), unit_cell, to_degrees(town.unit_shape, town.origin), 2)
    metres = np.array([plot.share.area for plot in town.plots])
    inside = np.array([town.plots[i].inside.area for i in ground.special_plot])
    homes = np.bincount(town.stock.plot, town.stock.households, len(town.plots))
    social, n_special, n_block, n_unit = len(cells.code), len(special.code), len(block_code), len(unit_code)
    return Rows(
        "cell",
        generation=[ground.generation] * (social + n_special + n_block + n_unit),
        kind=["social"] * social + ["special"] * n_special + ["responsibility"] * n_block + ["unit"] * n_unit,
        code=[*cells.code, *special.code, *block_code, *unit_code],
        name=[name.zh for name in (*cells.name, *special.name)]
        + [f"责任网格 {code[-3:]}" for code in block_code]
        + [f"单元网格 {code[-5:]}" for code in unit_code],
        community_code=[
            *ground.communities.code[cells.parent],
            *ground.communities.code[special.parent],
            *ground.communities.code[block_community],
            *ground.communities.code[cells.parent[unit_cell]],
        ],
        area_m2=np.concatenate(
            [ground.cell_m2, inside, np.bincount(block, metres), shapely.area(town.unit_shape)]
        ).round(1),
        households_count=[
            *ground.cell_households,
            *[0] * n_special,
            *np.bincount(block, homes).astype(int),
            *[0] * n_unit,
        ],
        geom=multi([*cells.shape, *special.shape, *block_shape, *to_degrees(town.unit_shape, town.origin)]),
        territory=[
            *cells.code,
            *ground.social_code[ground.special_plot],
            *ground.communities.code[block_community],
            *cells.code[unit_cell],
        ],
    ).numbered()
