"""Which cell does each point lie in? Our partition index beside everything a user could take instead.

A generated city with wiggly borders (`bench_city`): 10,000 and 100,000 cells, 1 and 10 million points, of
which 0.2 % lie exactly on vertices and edges and 0.5 % outside. Everybody answers on the same two cores in
the same run, and our answers are compared with each peer's, the lowest cell counting where several cover a
point. Our index is asked again around every peer, so that whatever else the machine does hits both alike.

A part of it can be run by itself: `--cells 100000 --points 1000000 --peer SedonaDB`. Generated cities are
kept in the temporary folder.

Last line: one JSON object; ratios are the worst over the layers of 1 million points.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numba
import numpy as np
import shapely
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import bench_city
from benchmarks.routing_peers import PEERS, Absent, Floats, Layer, postgis
from benchmarks.routing_request import geometric_share
from gis.partition_index import PartitionIndex

THREADS = 2
SINGLE = 2_000
"""Points asked one by one."""
HOPELESS = 5.0
"""A peer that takes so many times as long as the fastest is not given a second try: it will not be it."""


@dataclass
class Run:
    """One layer with its points: best seconds of everybody, and how many answers of each differ from ours."""

    cells: int
    points: int
    build_s: float
    index_mb: float
    peak_mb: float
    stream_s: float
    ours: float = float("inf")
    peers: dict[str, float] = field(default_factory=dict)
    differences: dict[str, int] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def ratio(self, peer: str) -> float:
        return self.peers[peer] / self.ours

    @property
    def fastest(self) -> str:
        return min(self.peers, key=self.peers.__getitem__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="10,000 cells, 100,000 points, under a minute")
    parser.add_argument("--cells", type=int, nargs="*", default=[10_000, 100_000], metavar="N")
    parser.add_argument("--points", type=int, nargs="*", default=[1_000_000, 10_000_000], metavar="N")
    parser.add_argument("--peer", action="append", choices=PEERS, help="only this one; may be repeated")
    asked = parser.parse_args()
    if asked.quick:
        asked.cells, asked.points = [10_000], [100_000]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    compile_kernels()
    runs: list[Run] = []
    single = {}
    for cells in asked.cells:
        layer = bench_city.kept_cells(cells)
        index, build_s, peak_mb = built(layer)
        for points in asked.points:
            x, y = bench_city.points(points, layer)
            run = Run(cells, points, build_s, index.nbytes / 1e6, peak_mb, streaming(x, y))
            many = points > 1_000_000
            peers = asked.peer or (["SedonaDB", *usual_fastest(runs, cells)] if many else list(PEERS))
            compare(run, index, layer, x, y, dict.fromkeys(peers), rounds=1 if many else 2)
            report(run)
            runs.append(run)
        if cells == asked.cells[0] and not asked.peer:
            single = one_by_one(index, layer, x, y) | geometric_share(layer, x, y)
    print(json.dumps(summary(runs, single)))


def usual_fastest(runs: list[Run], cells: int) -> list[str]:
    """The fastest peer of the same layer's run with fewer points, if there was one."""
    return [run.fastest for run in runs if run.cells == cells and run.peers]


def compile_kernels() -> None:
    """Neither building nor asking is to pay for the compiler."""
    index = PartitionIndex.build([shapely.box(0, 0, 1, 1)])
    index.locate([0.5], [0.5]), index.locate_one(0.5, 0.5)
    streaming(np.zeros(2), np.zeros(2))


def built(layer: Layer) -> tuple[PartitionIndex, float, float]:
    """The index, the seconds it took, and by how many MB the process grew at most meanwhile."""
    started_mb = memory_mb(reset=True)
    start = time.perf_counter()
    index = PartitionIndex.build(layer, threads=THREADS)
    seconds = time.perf_counter() - start
    return index, seconds, memory_mb() - started_mb


def memory_mb(*, reset: bool = False) -> float:
    """The largest resident size so far (Linux), or since the last reset; NaN elsewhere."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmHWM"))
    except OSError:
        return float("nan")


@numba.njit(nogil=True)
def _stream(x, y, out):
    for i in range(len(x)):
        out[i] = int(x[i]) + int(y[i])


def streaming(x: Floats, y: Floats) -> float:
    """The physical limit: reading the same coordinates and writing as many answers, in as many threads."""
    out = np.empty(len(x), np.int32)
    halves = [slice(0, len(x) // 2), slice(len(x) // 2, len(x))]

    def run() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda half: _stream(x[half], y[half], out[half]), halves))

    return best(run, 5)


def best(function: Callable[[], object], rounds: int) -> float:
    """The shortest of some runs, in seconds."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def compare(
    run: Run, index: PartitionIndex, layer: Layer, x: Floats, y: Floats, peers: Iterable[str], *, rounds: int
) -> None:
    """Time every peer and, before and after each, ourselves; count the answers that differ."""
    answers = index.locate(x, y, threads=THREADS)

    def ours() -> None:
        index.locate(x, y, threads=THREADS)

    for name in peers:
        run.ours = min(run.ours, best(ours, 5))
        try:
            with PEERS[name](layer, x, y) as join:
                for _ in range(rounds):
                    start = time.perf_counter()
                    pairs = join()
                    seconds = time.perf_counter() - start
                    run.peers[name] = min(seconds, run.peers.get(name, float("inf")))
                    run.ours = min(run.ours, best(ours, 5))
                    if run.ratio(name) > HOPELESS * run.ratio(run.fastest):
                        break
                run.differences[name] = int(np.count_nonzero(lowest(len(x), *pairs()) != answers))
        except Absent as reason:
            run.absent[name] = str(reason)


def lowest(points: int, point: NDArray[np.int64], cell: NDArray[np.int64]) -> NDArray[np.int32]:
    """The lowest cell of each point, -1 for none."""
    found = np.full(points, np.iinfo(np.int32).max, np.int32)
    np.minimum.at(found, point, cell.astype(np.int32))
    return np.where(found == np.iinfo(np.int32).max, -1, found)


def one_by_one(index: PartitionIndex, layer: Layer, x: Floats, y: Floats) -> dict[str, float]:
    """Median microseconds of one look-up: ours, STRtree.query with the point made, a prepared statement."""
    places = list(zip(x[:SINGLE].tolist(), y[:SINGLE].tolist(), strict=True))
    tree, shapes = shapely.STRtree(layer), shapely.points(x[:SINGLE], y[:SINGLE])
    median = {
        "ours": median_us([lambda p=p: index.locate_one(*p) for p in places]),
        "strtree": median_us([lambda s=s: tree.query(s, predicate="intersects") for s in shapes]),
    }
    sql = "SELECT min(cell) FROM cells WHERE ST_Intersects(geom, ST_MakePoint(%s, %s))"
    try:
        with postgis(layer, x[:1], y[:1]) as connection:
            ask = [lambda p=p: connection.execute(sql, p, prepare=True).fetchone() for p in places]
            median["postgis"] = median_us(ask)
    except Absent:
        median["postgis"] = float("nan")
    return median


def median_us(questions: list[Callable[[], Any]]) -> float:
    times = []
    for _ in range(3):
        for question in questions:
            start = time.perf_counter_ns()
            question()
            times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1e3


def report(run: Run) -> None:
    """The run as a table."""
    rate = run.points / run.ours / 1e6
    print(f"\n{run.cells:,} cells, {run.points:,} points, {THREADS} threads")
    print(
        f"  index: {run.index_mb:,.0f} MB in {run.build_s:.1f} s; the process grew by {run.peak_mb:,.0f} MB"
    )
    print(f"  {'':26}{'seconds':>10}{'times ours':>12}{'differences':>13}")
    print(f"  {'streaming (the limit)':26}{run.stream_s:>10.4f}{run.stream_s / run.ours:>12.2f}")
    print(f"  {'partition index':26}{run.ours:>10.4f}{1:>12.1f}{'':>13}  {rate:.0f} million points a second")
    for name in sorted(run.peers, key=run.peers.__getitem__):
        print(f"  {name:26}{run.peers[name]:>10.3f}{run.ratio(name):>12.1f}{run.differences[name]:>13,}")
    for name, reason in run.absent.items():
        print(f"  {name:26}    absent: {reason}")
    sys.stdout.flush()


def summary(runs: list[Run], single: dict[str, float]) -> dict[str, Any]:
    """The figures of the last line; what was not asked for is left out."""
    usual = [run for run in runs if run.points <= 1_000_000 and run.peers]
    many = [run for run in runs if run.points > 1_000_000]
    figures: dict[str, Any] = {}
    if usual:
        closest = min(usual, key=lambda run: run.ratio(run.fastest))
        figures |= worst("vs_geopandas_sjoin", usual, "geopandas.sjoin")
        figures |= {"vs_fastest": round(closest.ratio(closest.fastest), 1), "fastest": closest.fastest}
    figures |= worst("vs_sedonadb_10m", many, "SedonaDB")
    figures["differences"] = sum(sum(run.differences.values()) for run in runs)
    if single:
        print(
            f"\none point: {single['ours']:.2f} us, STRtree.query {single['strtree']:.1f} us,"
            f" a prepared PostGIS query {single['postgis']:.0f} us\n"
            f"GET /api/v1/responsible: {single['request']:,.0f} us, of which geometry {single['step']:.0f} us"
        )
        figures["single_vs_strtree"] = round(single["strtree"] / single["ours"], 1)
        figures["single_vs_postgis"] = round(single["postgis"] / single["ours"], 1)
        figures["geometric_share"] = round(single["step"] / single["request"], 3)
    return figures | {
        "build_s": {str(run.cells): round(run.build_s, 2) for run in runs},
        "build_peak_mb": {str(run.cells): round(run.peak_mb) for run in runs},
        "ms": {f"{run.cells}x{run.points}": round(run.ours * 1e3, 1) for run in runs},
        "streaming_ms": {f"{run.cells}x{run.points}": round(run.stream_s * 1e3, 1) for run in runs},
        "absent": sorted({name for run in runs for name in run.absent}),
    }


def worst(figure: str, runs: list[Run], peer: str) -> dict[str, float]:
    """How many times as long a peer took at least, where it ran at all."""
    ratios = [run.ratio(peer) for run in runs if peer in run.peers]
    return {figure: round(min(ratios), 1)} if ratios else {}


if __name__ == "__main__":
    main()
