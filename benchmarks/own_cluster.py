"""One private PostgreSQL + PostGIS for everything a benchmark asks of a database."""

from __future__ import annotations

import atexit
import os
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from gis.cluster import TUNING, PrivateCluster


@cache
def own_cluster() -> PrivateCluster:
    """The cluster of this run: started when first asked for, stopped and removed when the program ends.

    Nothing in it is worth keeping, so loading and stopping do not wait for the disk (`fsync` off); queries
    that only read are the same with it. Raises Unavailable where there is no server.
    """
    ends = ExitStack()
    folder = tempfile.TemporaryDirectory(prefix="citygrid-bench-", ignore_cleanup_errors=True)
    root = Path(ends.enter_context(folder))
    os.chmod(root, 0o755)  # started as root, the server's own account must be able to walk in
    cluster = PrivateCluster(root / "pg", tuning=TUNING | {"fsync": "off"})
    ends.callback(cluster.stop)
    atexit.register(ends.close)
    cluster.ensure()
    return cluster
