"""`citygrid serve`: the database up and migrated, then pages and API on one port until Ctrl-C."""

from __future__ import annotations

import errno
import http.client
import os
import shutil
import signal
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Any

import click

from api.cli.frame import Means, say, tell
from api.cli.worker import working
from gis.errors import Unavailable

APPLICATION = "dash_app.app:create"
"""The composition root, by name: the one thing of the floor above that the door knows (decision 24)."""
STOP_SECONDS = 3


@click.command(help=say("启动网页与接口。", "Serve the pages and the API."))
@click.option("--host", help=say("监听地址。", "Address to listen on; 127.0.0.1, with --tls all of them."))
@click.option("--port", type=click.IntRange(1, 65535), help=say("端口。", "Port; CITYGRID_PORT or 8050."))
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help=say("进程数。", "Processes.")
)
@click.option(
    "--tls",
    is_flag=True,
    help=say("用本地证书提供 HTTPS，供手机定位。", "HTTPS by a local certificate, for phones."),
)
@click.option(
    "--demo",
    is_flag=True,
    help=say("数据库为空时先装入演示城市。", "Load the demo city first when the database is empty."),
)
@click.option(
    "--no-worker",
    is_flag=True,
    help=say(
        "提醒与通知由另行启动的 citygrid worker 负责。", "A citygrid worker elsewhere does the telling."
    ),
)
@click.pass_obj
def command(
    means: Means, host: str | None, port: int | None, workers: int, tls: bool, demo: bool, no_worker: bool
) -> None:
    host = host or ("0.0.0.0" if tls else "127.0.0.1")
    port = port or means.settings.port
    _check_free(host, port)
    with _cluster_for(means), _counted_together(workers):
        _prepare_database(means, demo)
        options = _tls_options(means.settings.home) if tls else {}
        _announce_when_up(means, port, tls, shown_host=host)
        with nullcontext() if no_worker else working(means):
            _serve(host, port, workers, options)
    tell(say("已停止。", "Stopped."))


def _serve(host: str, port: int, workers: int, options: dict[str, Any]) -> None:
    import uvicorn

    # After a clean stop uvicorn sends itself the signal again; as an exit it lets our own clean-up happen.
    signal.signal(signal.SIGTERM, _leave)
    uvicorn.run(
        APPLICATION,
        factory=True,
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        **options,
    )


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _check_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = "端口已被占用" if error.errno == errno.EADDRINUSE else ""
            raise Unavailable(
                en=f"Cannot listen on {host}:{port}: {error.strerror}.",
                zh=f"无法监听 {host}:{port}：{taken or error.strerror}。",
                remedy_en="Stop what uses the port, or choose another: --port 8051, or CITYGRID_PORT=8051"
                " before make run.",
                remedy_zh="请停止占用该端口的程序，或换一个端口：--port 8051，"
                "或在 make run 前加 CITYGRID_PORT=8051。",
            ) from error


@contextmanager
def _cluster_for(means: Means) -> Iterator[None]:
    """The private cluster runs while we serve, and is stopped afterwards if it was us who started it."""
    from gis.cluster import private_cluster

    cluster = None if means.settings.database_url else private_cluster(means.settings)
    ours = cluster is not None and not cluster.running()
    try:
        yield
    finally:
        if ours and cluster is not None:
            means.database.dispose()
            cluster.stop()


@contextmanager
def _counted_together(workers: int) -> Iterator[None]:
    """With several processes their counters meet in a folder, so that /metrics tells of all of them."""
    if workers == 1:
        yield
        return
    folder = tempfile.mkdtemp(prefix="citygrid-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _prepare_database(means: Means, demo: bool) -> None:
    from api import migrations
    from api.cli.demo import is_empty, load_demo_city

    migrations.upgrade(means.database_url)
    if not migrations.is_leakproof(means.database.system_engine):
        tell(
            say(
                "注意：数据库账户不是超级用户，地图查询在行级策略下用不上空间索引，会变慢；数据仍受保护。"
                "请管理员执行：ALTER FUNCTION geometry_overlaps(geometry, geometry) LEAKPROOF",
                "Note: without a superuser the map cannot use its spatial index under row policies: slower,"
                " and just as closed. Ask the database's administrator for:"
                " ALTER FUNCTION geometry_overlaps(geometry, geometry) LEAKPROOF",
            )
        )
    if not is_empty(means):
        return
    if demo:
        load_demo_city(means)
    else:
        tell(
            say(
                "数据库是空的。装入演示城市：citygrid demo load；装入真实数据：citygrid load --help",
                "The database is empty. The demo city: citygrid demo load; real data: citygrid load --help",
            )
        )


def _tls_options(home: Path) -> dict[str, Any]:
    from api.local_tls import certificate_for, local_names

    certificate = certificate_for(local_names(), home / "tls")
    return {"ssl_certfile": str(certificate.chain), "ssl_keyfile": str(certificate.key)}


def _announce_when_up(means: Means, port: int, tls: bool, *, shown_host: str) -> None:
    """Print the address as soon as it answers, and not before."""
    from api.demo_accounts import demo_accounts

    with means.database.system_work() as session:
        accounts = demo_accounts(session)
    lines = _address_lines(port, tls, shown_host)
    if accounts:
        lines += [say("演示账户（用户名 / 密码）：", "Demo accounts (username / password):")]
        lines += [f"{account.username} / {account.password}" for account in accounts]
    lines.append(say("按 Ctrl-C 停止。", "Ctrl-C stops it."))

    def wait() -> None:
        while not _answers(shown_host, port, tls):
            time.sleep(0.1)
        click.echo("\n".join(lines))

    threading.Thread(target=wait, daemon=True).start()


def _address_lines(port: int, tls: bool, host: str) -> list[str]:
    from api.local_tls import local_addresses

    scheme = "https" if tls else "http"
    everywhere = host in ("0.0.0.0", "::")
    own = "127.0.0.1" if everywhere else host
    lines = [f"一图治城 · CityGrid  {scheme}://{own}:{port}"]
    if everywhere:
        lines += [f"  {scheme}://{address}:{port}" for address in local_addresses()]
    if tls:
        lines += [
            say("手机信任本机证书（一次即可）：", "Phones trust this machine once:"),
            say(
                f"  1. 手机打开 https://<局域网地址>:{port}/ca.crt，忽略一次警告，保存证书；",
                f"  1. On the phone open https://<address>:{port}/ca.crt, pass the warning, save it;",
            ),
            say(
                "  2. 安卓：设置 → 安全 → 安装 CA 证书。苹果：安装描述文件，再到"
                "“设置 → 通用 → 关于本机 → 证书信任设置”打开信任。",
                "  2. Android: Settings, Security, install a CA certificate. iPhone: install the profile,"
                " then Settings, General, About, Certificate Trust Settings.",
            ),
        ]
    return lines


def _answers(host: str, port: int, tls: bool) -> bool:
    own = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    connection: http.client.HTTPConnection
    if tls:
        # Our own process answers here, whatever its certificate is called.
        connection = http.client.HTTPSConnection(
            own, port, timeout=2, context=ssl._create_unverified_context()
        )
    else:
        connection = http.client.HTTPConnection(own, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
