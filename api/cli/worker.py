"""`citygrid worker`: what happens by itself, until Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

from api.cli.frame import Means, say, tell

CONNECTIONS = 4


@click.command(
    help=say(
        "到期提醒、逐级上报、对外通知，直到 Ctrl-C。可同时运行多个；随时可以终止，重启后自动补上。",
        "Tell of deadlines, let cases climb, send notices, until Ctrl-C. Several may run at once; one that is"
        " killed leaves nothing behind, and the next catches up.",
    )
)
@click.pass_obj
def command(means: Means) -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with working(means):
        tell(say("开始工作。按 Ctrl-C 停止。", "At work. Ctrl-C stops it."))
        stop.wait()
    tell(say("已停止。", "Stopped."))


@contextmanager
def working(means: Means) -> Iterator[None]:
    """A worker in threads of this process, over connections of its own, for as long as the block runs."""
    from api import logs
    from api.senders import senders_of
    from api.worker import Worker
    from gis.database import Database

    logs.configure()
    database = Database(means.database_url, pool_size=CONNECTIONS)
    worker = Worker(database, means.settings, senders_of(means.settings, means.now), means.now)
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,), name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        database.dispose()
