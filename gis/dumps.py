"""A database as a stream and back: PostgreSQL's own pg_dump and pg_restore, told by URL.

What is written is pg_dump's custom format without owners and grants, so that it can be read into a server
that knows none of our roles. Row policies are left out when it is read: whoever restores has them written
anew for the roles that are there. A password is never on a command line.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any, Protocol

import sqlalchemy as sa
from psycopg.conninfo import make_conninfo

from gis.cluster import binary_folders, cluster_error, major_version

CHUNK = 1 << 20
_LEFT_OUT = re.compile(
    r"\d+; \d+ \d+ (POLICY|ROW SECURITY|ACL|DEFAULT ACL|COMMENT - EXTENSION|TABLE DATA public spatial_ref)"
)
"""Lines of a dump's contents: what names roles, and what only the owner of an extension may write."""
_TABLE = re.compile(r'dumping contents of table "?public\.(\w+)')


class Sink(Protocol):
    def write(self, data: bytes, /) -> object: ...


def program(name: str, *, at_least: int) -> str:
    """The client program of the lowest major version that is not below `at_least`. Raises Unavailable."""
    on_path = shutil.which(name)
    folders = [*binary_folders(), *([os.path.dirname(on_path)] if on_path else [])]
    found = {f: major_version(f, name) for f in folders if os.access(f"{f}/{name}", os.X_OK)}
    fitting = sorted((major, folder) for folder, major in found.items() if major >= at_least)
    if fitting:
        return f"{fitting[0][1]}/{name}"
    there = ", ".join(f"{folder} ({major})" for folder, major in found.items())
    raise cluster_error(
        f"No {name} of version {at_least} or newer was found; there is: {there or 'none'}.",
        f"没有找到 {at_least} 或更新版本的 {name}；现有：{there or '无'}。",
        f"Install it: sudo apt-get install postgresql-client-{at_least}, or name its folder in"
        " CITYGRID_PG_BINDIR.",
        f"请安装：sudo apt-get install postgresql-client-{at_least}，或用 CITYGRID_PG_BINDIR 指出其目录。",
    )


def connection_words(url: str | sa.URL) -> dict[str, Any]:
    """A URL as the driver's own connection parameters, password included."""
    parsed = sa.make_url(url)
    return dict(parsed.get_dialect()().create_connect_args(parsed)[1])


def dump(
    url: str,
    out: Sink,
    *,
    server: int,
    snapshot: str,
    under_policies: bool,
    without_data: Sequence[str] = (),
    heard: Callable[[str], None] = lambda table: None,
) -> None:
    """Write the database as of `snapshot` (an exported one, whose transaction is still open) into `out`.

    `server` is its major version. `under_policies`: the login is not spared by row policies, and the caller
    has made sure that they let it see every row. Of tables in `without_data`, and of unlogged ones, only the
    definition is written. `heard` is told the name of each table as it begins. Raises Unavailable.
    """
    words = ["--format=custom", "--compress=3", "--no-owner", "--no-privileges", "--verbose"]
    words += ["--no-unlogged-table-data", f"--snapshot={snapshot}"]
    words += [f"--exclude-table-data=public.{table}" for table in without_data]
    words += ["--enable-row-security"] if under_policies else []

    def listen(line: str) -> None:
        if table := _TABLE.search(line):
            heard(table[1])

    with _running(program("pg_dump", at_least=server), words, url, listen, stdout=subprocess.PIPE) as child:
        while chunk := _pipe(child.stdout).read(CHUNK):
            out.write(chunk)


def restore(
    url: str, chunks: Callable[[], Iterator[bytes]], *, version: int, whole: bool, fed: Callable[[int], None]
) -> None:
    """Read a dump into a database. `chunks` gives its bytes from the start each time it is called.

    `version` is the major version of the server it came from. `whole`: in one transaction, so that a failure
    leaves nothing; else the caller throws the database away. `fed` is told how many bytes went in. Raises
    Unavailable.
    """
    reader = program("pg_restore", at_least=version)
    beginning = b"".join(itertools.islice(chunks(), 16))  # the contents stand before the data
    listed = subprocess.run([reader, "--list"], input=beginning, capture_output=True)
    lines = [line for line in listed.stdout.decode().splitlines() if not _LEFT_OUT.match(line)]
    words = ["--no-owner", "--no-privileges", "--exit-on-error", *(["--single-transaction"] if whole else [])]
    with tempfile.NamedTemporaryFile("w", suffix=".list") as wanted:
        wanted.write("\n".join(lines))
        wanted.flush()
        words.append(f"--use-list={wanted.name}")
        with _running(reader, words, url, lambda line: None, stdin=subprocess.PIPE) as child:
            _feed(_pipe(child.stdin), chunks(), fed)


def _feed(pipe: IO[bytes], chunks: Iterable[bytes], fed: Callable[[int], None]) -> None:
    """All of it; a child that has gone says itself why (`_running`)."""
    with contextlib.suppress(BrokenPipeError):
        for chunk in chunks:
            pipe.write(chunk)
            fed(len(chunk))
    with contextlib.suppress(BrokenPipeError):
        pipe.close()


@contextlib.contextmanager
def _running(
    command: str, words: Sequence[str], url: str, listen: Callable[[str], None], **pipes: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """A program at work on a database. Raises Unavailable with its last words when it ends badly; it never
    outlives the block."""
    parameters = connection_words(url)
    environment = {**os.environ, "LC_ALL": "C"}
    if password := parameters.pop("password", None):
        environment["PGPASSWORD"] = password
    last: deque[str] = deque(maxlen=6)
    child = subprocess.Popen(
        [command, *words, f"--dbname={make_conninfo(**parameters)}"],
        env=environment, stderr=subprocess.PIPE, **{"stdin": subprocess.DEVNULL, **pipes},
    )  # fmt: skip

    def follow() -> None:
        for line in _pipe(child.stderr):
            last.append(line.decode(errors="replace").strip())
            listen(last[-1])

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield child
        status = child.wait()
    except BaseException:
        child.kill()
        child.wait()
        raise
    finally:
        follower.join()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
    if status:
        name, said = os.path.basename(command), "; ".join(last)
        raise cluster_error(f"{name} failed: {said}", f"{name} 失败：{said}")


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe
