"""The few parts a page is framed with: the address bar, a value that is kept, a box with children.

Dash has all of them, in two libraries of 700 kB that the desk needs for nothing else. A browser without a
fast machine spends a quarter of a second on reading those, so these are ours: a page of script.
"""

from __future__ import annotations

from typing import Any

from dash_app.own_component import OwnComponent


class Address(OwnComponent):
    """The browser's address. `pathname` and `search` follow links of ours, back and forward."""

    _type = "Address"
    PROPS = ("id", "pathname", "search")


class Kept(OwnComponent):
    """A value between callbacks; nothing of it is shown."""

    _type = "Kept"
    PROPS = ("id", "data")


class Box(OwnComponent):
    """An element with other components in it; `tag` names the element."""

    _type = "Box"
    _base_nodes: list[str] = ["children"]  # noqa: RUF012 - read by Dash on the class
    PROPS = ("children", "id", "tag", "className")

    def __init__(self, children: Any = None, **props: Any) -> None:
        super().__init__(children=children, **props)
