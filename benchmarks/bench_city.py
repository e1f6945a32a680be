"""A generated city to measure on: cells with wiggly shared borders, and points as reports would come in.

The cells are a Voronoi partition of scattered and crowded sites. Each border is bent towards one or the other
of its two sites, never past a fifth of the way: a cell stays a star around its site, so borders cannot
cross, and neighbours share them vertex by vertex. All coordinates are multiples of 2^-24 degrees (6 mm), so
that the middle of an edge is a float as well and lies on it exactly.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import Voronoi

Floats = NDArray[np.float64]

LON, LAT = 113.1, 23.0
SIDE_M = 60_000.0
WIDE, HIGH = SIDE_M / 102_470.0, SIDE_M / 110_760.0
"""The city's 60 km in degrees of longitude and latitude at 23 N."""
STEP = 2.0**-24
CENTRES = 12


def cells(count: int, seed: int = 1) -> NDArray[np.object_]:
    """`count` polygons (lon/lat) that cover a ragged square once, of some 120 vertices each."""
    rng = np.random.default_rng(seed)
    crowded = int(count * 0.3)
    sites = np.vstack([rng.uniform(0.0, 1.0, (count - crowded, 2)), _around_centres(rng, crowded)])
    everybody = _with_mirror_images(sites)
    diagram = Voronoi(everybody)
    pairs, ends = diagram.ridge_points, np.array(diagram.ridge_vertices)
    ours = (pairs < count).any(axis=1)
    pairs, ends = pairs[ours], ends[ours]
    lines = _bent_borders(rng, diagram.vertices, everybody, pairs, ends)
    return _polygons(count, sites, diagram.vertices, pairs, ends, *lines)


def kept_cells(count: int) -> NDArray[np.object_]:
    """`cells(count)`, from the temporary folder where an earlier run has left them."""
    file = Path(tempfile.gettempdir()) / f"citygrid-bench-city-{count}.npz"
    if not file.is_file():
        _, xy, (rings, polygons) = shapely.to_ragged_array(cells(count))
        part = file.with_suffix(".part.npz")
        np.savez(part, xy=xy, rings=rings, polygons=polygons)
        part.replace(file)
    kept = np.load(file)
    offsets = kept["rings"], kept["polygons"]
    return shapely.from_ragged_array(shapely.GeometryType.POLYGON, kept["xy"], offsets)


def points(count: int, layer: NDArray[np.object_], seed: int = 2) -> tuple[Floats, Floats]:
    """Longitudes and latitudes: mostly in the city, 40 % of them crowded, in no order.

    0.1 % lie on vertices and 0.1 % on the middles of edges, exactly; 0.5 % lie outside.
    """
    rng = np.random.default_rng(seed)
    outside, on_border = count // 200, count // 1000
    crowded = int(count * 0.4)
    inside = count - outside - 2 * on_border - crowded
    ring = rng.uniform(-0.05, 1.05, (outside, 2))
    side = rng.integers(0, 2, outside)
    ring[np.arange(outside), side] = rng.choice([-1.0, 1.0], outside) * rng.uniform(0.52, 0.55, outside) + 0.5
    free = np.vstack([rng.uniform(0.0, 1.0, (inside, 2)), _around_centres(rng, crowded), ring])
    xy, owner = shapely.get_coordinates(layer, return_index=True)
    first = np.flatnonzero(owner[:-1] == owner[1:])
    a, b = rng.choice(first, on_border), rng.choice(first, on_border)
    together = np.vstack([_to_degrees(free), xy[a], (xy[b] + xy[b + 1]) / 2])
    rng.shuffle(together)
    return np.ascontiguousarray(together[:, 0]), np.ascontiguousarray(together[:, 1])


def _around_centres(rng: np.random.Generator, count: int) -> Floats:
    """Places in the unit square crowded around the same few centres, whatever is asked for."""
    fixed = np.random.default_rng(5)
    centres, spread = fixed.uniform(0.2, 0.8, (CENTRES, 2)), fixed.uniform(0.02, 0.09, CENTRES)
    chosen = rng.choice(CENTRES, count, p=fixed.dirichlet(np.ones(CENTRES)))
    return np.clip(centres[chosen] + rng.normal(size=(count, 2)) * spread[chosen, None], 0.001, 0.999)


def _with_mirror_images(sites: Floats) -> Floats:
    """The sites, and those near a side mirrored in it: every cell of a site is bounded then."""
    images = [sites]
    for axis in (0, 1):
        for side in (0.0, 1.0):
            image = sites[np.abs(sites[:, axis] - side) < 0.12].copy()
            image[:, axis] = 2 * side - image[:, axis]
            images.append(image)
    return np.vstack(images)


def _bent_borders(
    rng: np.random.Generator,
    corners: Floats,
    sites: Floats,
    pairs: NDArray[np.int32],
    ends: NDArray[np.int64],
) -> tuple[Floats, NDArray[np.int64]]:
    """The vertices between the two corners of each border, border after border, and where each starts."""
    start, end = corners[ends[:, 0]], corners[ends[:, 1]]
    length_m = np.hypot(*(end - start).T) * SIDE_M
    pieces = np.clip(np.minimum(rng.integers(10, 33, len(pairs)), length_m / 0.6), 1, None).astype(int)
    starts = np.concatenate([[0], np.cumsum(pieces - 1)])
    border = np.repeat(np.arange(len(pairs)), pieces - 1)
    step = np.arange(len(border)) - starts[border] + 1
    along = (step + rng.uniform(-0.3, 0.3, len(step))) / pieces[border]
    phase, size = rng.uniform(0, 2 * np.pi, (len(pairs), 3)), rng.uniform(0, 0.06, (len(pairs), 3))
    bend = sum(size[border, k] * np.sin(2 * np.pi * (k + 1) * along + phase[border, k]) for k in range(3))
    bend = np.clip(bend + rng.normal(0, 0.008, len(along)), -0.2, 0.2) * np.minimum(
        1, 4 * np.minimum(along, 1 - along)
    )
    crossing = np.flatnonzero((border[1:] == border[:-1]) & (bend[1:] * bend[:-1] < 0)) + 1
    bend[crossing] = 0.0
    straight = start[border] + along[:, None] * (end - start)[border]
    towards = np.where((bend > 0)[:, None], sites[pairs[border, 0]], sites[pairs[border, 1]])
    return straight + np.abs(bend)[:, None] * (towards - straight), starts


def _polygons(
    count: int,
    sites: Floats,
    corners: Floats,
    pairs: NDArray[np.int32],
    ends: NDArray[np.int64],
    between: Floats,
    starts: NDArray[np.int64],
) -> NDArray[np.object_]:
    """Each cell's borders put together in the order in which they go round its site."""
    cell = pairs.T.ravel()
    border = np.tile(np.arange(len(pairs)), 2)
    cell, border = cell[cell < count], border[cell < count]
    first, second = (corners[ends[border, k]] - sites[cell] for k in (0, 1))
    forward = first[:, 0] * second[:, 1] > first[:, 1] * second[:, 0]
    begin = np.where(forward[:, None], first, second)
    order = np.lexsort((np.arctan2(begin[:, 1], begin[:, 0]), cell))
    cell, border, forward = cell[order], border[order], forward[order]
    size = np.diff(starts)[border] + 1
    offset = np.concatenate([[0], np.cumsum(size)])
    piece = np.repeat(np.arange(len(border)), size)
    step = np.arange(offset[-1]) - offset[piece]
    low, high = starts[border[piece]], starts[border[piece] + 1]
    within = np.clip(np.where(forward[piece], low + step - 1, high - step), 0, max(len(between) - 1, 0))
    corner = np.where(forward, ends[border, 0], ends[border, 1])[piece]
    xy = _to_degrees(np.where((step == 0)[:, None], corners[corner], between[within]))
    return shapely.polygons(shapely.linearrings(xy, indices=cell[piece]))


def _to_degrees(unit: Floats) -> Floats:
    """The unit square -> lon/lat on the lattice of `STEP`."""
    west, south = LON - WIDE / 2, LAT - HIGH / 2
    return np.round((unit * (WIDE, HIGH) + (west, south)) / STEP) * STEP
