"""The demo city: a synthetic Chinese town with its people, its cells, its cases, and the truth beside them.

`load_demo` builds one from a size and a seed and writes it in the caller's transaction. From the ground up:
`sheet`, `parcels`, `road_plan` and `blocks` lay out the town; `plots` and the modules beside it build on it;
`territory` and `ground` divide it into cells and areas; `basemap`, `housing`, `components`, `people` and
`force` turn it into rows; `scenes`, `spots`, `stories`, `history` and `today` let things happen in it.
"""

from __future__ import annotations

from etl.demo_city.loading import DemoSummary, is_empty, load_demo

__all__ = ["DemoSummary", "is_empty", "load_demo"]
