"""The ground a page is about: its line of areas for the breadcrumb, its cells, its bounds."""

from __future__ import annotations

from collections.abc import Sequence

import shapely

from dash_app.panels.territory import Ground, GroundPath
from gis.access import CODE_WIDTHS, Principal
from gis.database import Session
from gis.errors import CityGridError
from grids import owner_map
from grids.owner_map import OwnerMap
from layers.areas import family_of

Bounds = tuple[float, float, float, float]


def active_map(session: Session) -> OwnerMap | None:
    """The cells now in force, or None before any have been activated: the desk opens all the same."""
    try:
        return owner_map.current(session)
    except CityGridError:
        return None


def ground_path(session: Session, principal: Principal, territory: str) -> GroundPath:
    """The breadcrumb to `territory` ("" is all of the principal's own ground)."""
    home = principal.territory or _city(session)
    here = territory or home
    family = [
        Ground(area.code, area.level, area.name, area.name_en or area.name)
        for area in family_of(session, here)
        if area.code.startswith(home) or home.startswith(area.code)
    ]
    cells = _cells(session, here[: CODE_WIDTHS["community"]])
    known = family + cells
    path = [ground for ground in known if here.startswith(ground.code)]
    siblings: dict[str, Sequence[Ground]] = {
        ground.code: [other for other in known if _sisters(ground, other) and other.code.startswith(home)]
        for ground in path
    }
    lowest = path[-1].code if path else ""
    children = [ground for ground in known if _is_child(ground.code, lowest)]
    return GroundPath(path, siblings, children, home)


def _city(session: Session) -> str:
    """The code of the whole city, as far as it is loaded as an area."""
    return next((area.code for area in family_of(session, "")), "")


def _cells(session: Session, community: str) -> list[Ground]:
    """The cells of a community; none above that level."""
    if len(community) < CODE_WIDTHS["community"] or (picture := active_map(session)) is None:
        return []
    return [
        Ground(code, "cell", name, name)
        for code, name, special in zip(picture.codes, picture.names, picture.special, strict=True)
        if code.startswith(community) and not special
    ]


def _sisters(one: Ground, other: Ground) -> bool:
    return one.level == other.level and _parent(one.code) == _parent(other.code)


def _is_child(code: str, parent: str) -> bool:
    return code != parent and _parent(code) == parent


def _parent(code: str) -> str:
    """A code's own prefix one level up; "" above the top."""
    return max((code[:width] for width in CODE_WIDTHS.values() if width < len(code)), key=len, default="")


def bounds_of(picture: OwnerMap | None, territory: str) -> Bounds | None:
    """West, south, east, north of a territory's cells, of the whole city for ""; None if unknown."""
    if picture is None:
        return None
    if not territory:
        return picture.bounds
    inside = [i for i, code in enumerate(picture.codes) if code.startswith(territory)]
    if not inside:
        return None
    west, south, east, north = shapely.total_bounds(picture.geoms[inside])
    return float(west), float(south), float(east), float(north)
