"""The window: the one map, its panels, the phone pages. It reads and moves, and never writes SQL.

Dash serves the components of this package from the files named here.
"""

from __future__ import annotations

__version__ = "0.1.0"

_js_dist = [
    {"relative_package_path": "frame_parts/frame_parts.js", "namespace": "dash_app"},
    {"relative_package_path": "fragment/fragment.js", "namespace": "dash_app"},
    {"relative_package_path": "map_view/markers.js", "namespace": "dash_app"},
    {"relative_package_path": "map_view/map_view.js", "namespace": "dash_app"},
]
_css_dist: list[dict[str, str]] = []
