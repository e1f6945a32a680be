"""What our own Dash components have in common: a Python class that lists its properties, no build step."""

from __future__ import annotations

from typing import Any, ClassVar

from dash.development.base_component import Component


class OwnComponent(Component):
    """A component drawn by `window.citygrid[_type]` in a script of this package (see `dash_app.__init__`)."""

    _namespace = "citygrid"
    _children_props: list[str] = []  # noqa: RUF012 - read by Dash on the class
    _base_nodes: list[str] = []  # noqa: RUF012
    PROPS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, **props: Any) -> None:
        self._prop_names = self.available_properties = list(self.PROPS)
        self._valid_wildcard_attributes = self.available_wildcard_properties = []
        super().__init__(**props)
