"""Routing beyond one machine: the same decisions, made by the workers of a Dask cluster.

The owner map is written once into a folder that all workers see; each opens it and shares the index by its
file. Points go out in parts and come back in their order. No worker reaches the database, and no person is
known to one: who receives on which ground is put to the decisions here.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from etl.routing import Decide, Decided, Places, decided
from gis.errors import Unavailable
from grids.owner_map import OwnerMap

PART = 5_000
"""Points a worker is handed at a time."""
PATIENCE_S = 10

_LOCAL = re.compile(r"local(?::(\d{1,3}))?")


@contextmanager
def cluster(address: str, shared: Path) -> Iterator[Decide]:
    """Workers that decide, while the block lasts.

    `address` is that of a Dask scheduler, or `local:N` for N processes of this machine (`local` alone: 2).
    `shared` is a folder that this process may write to and that every worker sees under the same name.
    Raises Unavailable when Dask is not installed, nobody answers, or a worker does not see the folder.
    """
    shared.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ground-", dir=shared) as folder, _client(address) as client:
        blind = [worker for worker, sees in client.run(lambda: Path(folder).is_dir()).items() if not sees]
        if blind:
            raise Unavailable(
                en=f"{len(blind)} workers do not see the folder {shared}, {blind[0]} for one.",
                zh=f"有 {len(blind)} 个工作进程看不到文件夹 {shared}，例如 {blind[0]}。",
                remedy_en="Name a folder that all of them share: --shared FOLDER",
                remedy_zh="请给出所有工作进程共享的文件夹：--shared 文件夹",
            )
        yield _Workers(client, Path(folder)).decide


class _Workers:
    """The workers of a client, and the folder they find owner maps in."""

    def __init__(self, client: Any, folder: Path) -> None:
        self._client, self._folder = client, folder
        self._written: dict[int, tuple[OwnerMap, Path]] = {}

    def decide(self, city: OwnerMap, places: Places) -> Callable[[], list[Decided]]:
        """Hand out the points in parts; wait for all of them when called."""
        ground = self._ground_of(city)
        parts = [places.part(first, first + PART) for first in range(0, len(places), PART)]
        begun = [self._client.submit(_decided_on, str(ground), part, pure=False) for part in parts]
        return lambda: [one for part in self._client.gather(begun) for one in part]

    def _ground_of(self, city: OwnerMap) -> Path:
        """Where the map lies for the workers; written when it is first asked for."""
        if id(city) not in self._written:
            ground = self._folder / str(len(self._written))
            ground.mkdir()
            city.save(ground)
            self._written[id(city)] = city, ground
        return self._written[id(city)][1]


def _decided_on(ground: str, places: Places) -> list[Decided]:
    """What a worker does."""
    return decided(_opened(ground), places)


@lru_cache(maxsize=2)
def _opened(ground: str) -> OwnerMap:
    return OwnerMap.open(Path(ground))


@contextmanager
def _client(address: str) -> Iterator[Any]:
    try:
        from distributed import Client, LocalCluster
    except ImportError as missing:
        raise Unavailable(
            en="A cluster needs Dask, which is not installed.",
            zh="使用集群需要 Dask，当前未安装。",
            remedy_en="Install it: pip install 'citygrid[cluster]'",
            remedy_zh="请安装：pip install 'citygrid[cluster]'",
        ) from missing
    if local := _LOCAL.fullmatch(address):
        processes = int(local[1] or 2)
        with (
            LocalCluster(n_workers=processes, threads_per_worker=1, dashboard_address=None) as here,
            Client(here) as client,
        ):
            yield client
        return
    try:
        client = Client(address, timeout=PATIENCE_S)
    except (OSError, TimeoutError, ValueError) as error:
        raise Unavailable(
            en=f"No Dask scheduler answers at {address}.",
            zh=f"{address} 没有 Dask 调度器应答。",
            remedy_en="Start one (dask scheduler, dask worker), or use --cluster local:2",
            remedy_zh="请先启动（dask scheduler、dask worker），或用 --cluster local:2",
        ) from error
    with client:
        yield client
