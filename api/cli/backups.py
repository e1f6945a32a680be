"""`citygrid db backup` and `citygrid db restore`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from api.cli.files import AS_JSON, Bar, operator
from api.cli.frame import REFUSED_ROWS, Means, emit_json, say, tell


@click.command(
    help=say(
        "把数据库与照片备份到一个文件。含个人信息，请妥善加密保管。",
        "Back up the database and its photographs into one file. It holds personal data: keep it encrypted.",
    )
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@AS_JSON
@click.pass_obj
def backup(means: Means, file: Path, as_json: bool) -> int:
    from api.backups.making import back_up

    with Bar() as bar:
        made = back_up(
            means.database, file, photo_folder=means.settings.home / "photos", by=operator(),
            now=means.now(), progress=bar,
        )  # fmt: skip
    if as_json:
        emit_json(made)
        return REFUSED_ROWS if made.photos_missing else 0
    rows = sum(made.rows.values())
    tell(
        say(
            f"已备份 {rows:,} 行、{made.photos:,} 张照片到 {file}（{_size(file)}）。",
            f"{rows:,} rows and {made.photos:,} photographs are in {file} ({_size(file)}).",
        )
    )
    if made.seal:
        tell(say(f"留痕最后的封存，请另行记下：{made.seal}", f"Last seal, note it elsewhere: {made.seal}"))
    if made.photos_missing:
        tell(
            say(
                f"有 {made.photos_missing:,} 张照片在磁盘上找不到，未能备份。",
                f"{made.photos_missing:,} photographs are not on the disk and so not in it.",
            )
        )
    return REFUSED_ROWS if made.photos_missing else 0


@click.command(
    help=say(
        "从备份恢复：先核对文件，在旁边恢复好，最后才接替。",
        "Restore a backup: the file is checked, restored beside, and takes the place of what runs last.",
    )
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--force", is_flag=True, help=say("替换现有的城市；旧数据改名保留。", "Replace the city that is there.")
)
@click.option(
    "--drop-old",
    is_flag=True,
    help=say("恢复成功后删除旧数据。", "Drop what was there once the restored city stands."),
)
@click.option(
    "--accept-broken-chain",
    is_flag=True,
    help=say("留痕链已断也恢复，并记入留痕。", "Restore a broken trail too; this is written into it."),
)
@AS_JSON
@click.pass_obj
def restore(
    means: Means, file: Path, force: bool, drop_old: bool, accept_broken_chain: bool, as_json: bool
) -> int:
    from api.backups.restoring import restore as restore_backup

    with Bar() as bar:
        restored = restore_backup(
            means.database_url, file, photo_folder=means.settings.home / "photos", by=operator(),
            now=means.now(), progress=bar, force=force, accept_broken_chain=accept_broken_chain,
            keep_old=not drop_old,
        )  # fmt: skip
    if as_json:
        emit_json(restored)
    else:
        _tell_restored(restored, means.settings.zone)
    return REFUSED_ROWS if restored.trail.fault else 0


def _tell_restored(restored: Any, zone: ZoneInfo) -> None:
    from api.audit_words import fault_words

    at = f"{datetime.fromisoformat(restored.made_at).astimezone(zone):%Y-%m-%d %H:%M}"
    rows, photos = f"{restored.rows:,}", f"{restored.photos:,}"
    tell(
        say(
            f"已恢复 {at} 的备份：{rows} 行、{photos} 张照片。请所有人重新登录，程序令牌需重新签发。",
            f"The backup of {at} stands: {rows} rows, {photos} photographs. Everybody signs in again;"
            " programs need new tokens.",
        )
    )
    if restored.trail.fault:
        zh, en = fault_words(restored.trail)
        tell(say(f"留痕链已断：{zh}。", f"The trail is broken: {en}."))
    elif restored.seal:
        seal = restored.seal
        tell(say(f"留痕完好，请与记下的封存比对：{seal}", f"The trail is intact; compare your note: {seal}"))
    if restored.forgotten:
        n = restored.forgotten
        tell(say(f"备份之后被匿名的 {n} 人已再次匿名。", f"Made nameless again, as since the backup: {n}."))
    if restored.old_database:
        old = restored.old_database
        tell(
            say(
                f"旧数据保留为 {old}；不再需要时请用 DROP DATABASE 删除。",
                f"The old data stay as {old}; DROP DATABASE it when it is not needed.",
            )
        )
    if not restored.leakproof:
        tell(say("没有超级用户，地图会慢一些。", "Without a superuser the map is slower (SECURITY.md)."))


def _size(file: Path) -> str:
    return f"{file.stat().st_size / 1e6:,.1f} MB"
