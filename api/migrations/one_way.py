"""The refusal of a revision that cannot be taken back: what it threw away is in the backup made before it."""

from __future__ import annotations

from gis.errors import Conflict


def one_way(revision: str) -> Conflict:
    """What the downgrade of such a revision raises."""
    return Conflict(
        en=f"Revision {revision} cannot be taken back: what it changed is not kept.",
        zh=f"版本 {revision} 不能回退：改动前的内容没有保留。",
        remedy_en="Restore the backup made before the upgrade: citygrid db restore FILE.",
        remedy_zh="请恢复升级前的备份：citygrid db restore FILE。",
    )


def nothing_before() -> Conflict:
    """What the downgrade of the first revision raises."""
    return Conflict(
        en="There is nothing before the first revision.",
        zh="第一个版本之前没有任何内容。",
        remedy_en="Drop the database instead.",
        remedy_zh="如需清空，请直接删除数据库。",
    )
