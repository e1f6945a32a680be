"""The command line. One file a group; add a line to `PLACES` and the command exists.

A group's module holds its click command or group as `command`, takes its means with `@click.pass_obj`
(`api.cli.frame.Means`), writes help as `say("中文", "English")`, and leaves with the status it returns.
"""

from __future__ import annotations

from typing import NoReturn

from api.cli.frame import LazyGroup, run, say

PLACES = {
    "serve": ("api.cli.serve", "启动网页与接口", "Serve the pages and the API"),
    "worker": (
        "api.cli.worker",
        "到期提醒、逐级上报、对外通知",
        "Deadlines told and climbed, notices sent outside",
    ),
    "contact": ("api.cli.contact", "对外通知的联系地址", "Addresses that are told outside"),
    "demo": ("api.cli.demo", "演示城市", "The demo city"),
    "load": (
        "api.cli.load",
        "导入文件：区划、网格、楼栋、事件……",
        "Load files: areas, cells, buildings, cases ...",
    ),
    "cells": ("api.cli.cells", "检查与启用网格版本", "Check and activate generations of cells"),
    "indicators": ("api.cli.indicators", "考核指标，带分子分母", "The indicators of the evaluation"),
    "duties": ("api.cli.duties", "值班表与缺口", "The duty roster and its holes"),
    "check": ("api.cli.check", "检查文件：坐标系是否属实", "Check a file: is its coordinate system true"),
    "route": ("api.cli.route", "给一批点找责任人", "Who answers for each of many points"),
    "export": ("api.cli.export", "导出图层", "A layer as a file"),
    "audit": ("api.cli.audit", "审计留痕：谁看过、是否被改", "The trail: who looked, and is it intact"),
    "privacy": ("api.cli.privacy", "个人信息：留存与查询", "Personal data: retention and reports"),
    "db": ("api.cli.db", "数据库的启停、升级、备份与恢复", "Private cluster, migrations, backups"),
    "user": ("api.cli.user", "账户与令牌", "Accounts and tokens"),
}
"""Command -> (module, help in Chinese, help in English)."""

citygrid = LazyGroup(
    name="citygrid",
    places=PLACES,
    help=say("一图治城：以地图管理城市。", "CityGrid: one map manages a city."),
)


def main() -> NoReturn:
    """Entry point of the `citygrid` command."""
    run(citygrid)
