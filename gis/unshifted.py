"""Hong Kong, Macau and Taiwan: ground that the published GCJ-02 formula shifts and many map services do not.

The formula moves whatever lies in its rough box around China, these three included; so do the libraries that
copied it. Services differ: several draw all or part of the three in plain WGS 84. Which one a file follows is
the file's own affair, so it is declared with the file: `GCJ-02` and `BD-09` are the formula as published,
`GCJ-02-MAINLAND` and `BD-09-MAINLAND` leave the three unshifted.

The outlines are coarse (a few hundred metres along the Shenzhen River and the Zhuhai border, kilometres at
sea) and serve this purpose only; they are no statement about any boundary. The land points of Hong Kong's
follow the text of State Council Order 221 of 1997.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

_HONG_KONG = shapely.Polygon(
    [
        (113.870, 22.433), (113.901, 22.465), (113.940, 22.485), (114.000, 22.505), (114.030, 22.507),
        (114.065, 22.515), (114.090, 22.519), (114.113, 22.532), (114.129, 22.536), (114.148, 22.543),
        (114.156, 22.555), (114.169, 22.560), (114.195, 22.556), (114.227, 22.548), (114.226, 22.543),
        (114.250, 22.547), (114.310, 22.562), (114.410, 22.555), (114.460, 22.555), (114.503, 22.450),
        (114.503, 22.140), (113.840, 22.140), (113.840, 22.300),
    ]
)  # fmt: skip
_MACAU = shapely.Polygon(
    [
        (113.535, 22.211), (113.549, 22.216), (113.556, 22.214), (113.602, 22.214), (113.602, 22.105),
        (113.549, 22.105), (113.552, 22.135), (113.546, 22.150), (113.535, 22.185),
    ]
)  # fmt: skip
_TAIWAN = shapely.Polygon(
    [(119.2, 23.0), (119.3, 24.0), (120.2, 25.0), (121.0, 25.7), (122.3, 25.7), (122.3, 21.5), (120.0, 21.5)]
)

_OUTLINES = shapely.MultiPolygon([_HONG_KONG, _MACAU, _TAIWAN])
shapely.prepare(_OUTLINES)


def unshifted(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """Where true positions (WGS 84 degrees) lie in Hong Kong, Macau or Taiwan, by the coarse outlines."""
    return shapely.contains_xy(_OUTLINES, np.asarray(lon, float), np.asarray(lat, float))
