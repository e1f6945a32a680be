"""`citygrid db`: the private cluster up and down, the schema of whatever database is configured, backups."""

from __future__ import annotations

import click

from api.cli.backups import backup, restore
from api.cli.frame import FAILED, Means, emit_json, say, tell


@click.group(
    help=say("私有数据库的启停、结构升级、备份与恢复。", "The private cluster, the schema, backups.")
)
def command() -> None:
    pass


command.add_command(backup)
command.add_command(restore)


@command.command(
    help=say(
        "启动私有数据库（如无则新建），并把结构升级到最新。",
        "Start the private cluster, making it when there is none, and bring the schema up to date.",
    )
)
@click.pass_obj
def up(means: Means) -> None:
    from api import migrations

    migrations.upgrade(means.database_url)
    tell(
        say(
            f"数据库已就绪：{_shown(means.database_url)}", f"The database is up: {_shown(means.database_url)}"
        )
    )


@command.command(help=say("停止私有数据库。", "Stop the private cluster."))
@click.pass_obj
def down(means: Means) -> int:
    from gis.cluster import private_cluster

    if means.settings.database_url:
        tell(say("用的是外部数据库，未做任何事。", "An external database is configured; nothing was done."))
        return FAILED
    stopped = private_cluster(means.settings).stop()
    tell(
        say("数据库已停止。", "The database is stopped.")
        if stopped
        else say("数据库本来就没有运行。", "It was not running.")
    )
    return 0


@command.command(
    help=say("数据库是否运行、结构是否最新。", "Whether it runs, and whether the schema is the newest.")
)
@click.option("--json", "as_json", is_flag=True, help=say("以 JSON 输出。", "Print JSON."))
@click.pass_obj
def status(means: Means, as_json: bool) -> int:
    from api.migrations import revision
    from gis.cluster import private_cluster

    private = means.settings.database_url is None
    running = not private or private_cluster(means.settings).running()
    current, head = revision(means.database_url) if running else (None, None)
    if as_json:
        emit_json({"private": private, "running": running, "revision": current, "newest": head})
    elif not running:
        tell(
            say(
                "私有数据库没有运行。启动：citygrid db up",
                "The private cluster is down. Start it: citygrid db up",
            )
        )
    else:
        tell(
            say(
                f"运行中；结构版本 {current or '无'}，最新 {head}。",
                f"Running; schema {current or 'none'}, newest {head}.",
            )
        )
    return 0 if running and current == head else 1


@command.command(help=say("把结构升级到最新。", "Bring the schema to the newest revision."))
@click.pass_obj
def upgrade(means: Means) -> None:
    from api import migrations

    migrations.upgrade(means.database_url)
    tell(say("结构已是最新。", "The schema is the newest."))


def _shown(url: str) -> str:
    """A database's address without its password."""
    import sqlalchemy as sa

    return sa.make_url(url).render_as_string(hide_password=True)
