"""The words of the household list and of who looked, in Chinese and English."""

from __future__ import annotations

HOUSEHOLD_TEXTS: dict[str, tuple[str, str]] = {
    "households.open": ("查看住户名单…", "Household list…"),
    "households.open_note": ("姓名电话已脱敏；查看会留下记录。", "Masked; looking is recorded."),
    "households.title": ("住户名单", "Households"),
    "households.recorded": ("本次查看已记录。", "This look was recorded."),
    "households.loading": ("正在读取", "Reading"),
    "households.none": ("没有登记的住户", "No household on record"),
    "households.at": ("{door} 室", "Door {door}"),
    "households.nobody": ("没有登记的居民", "Nobody on record"),
    "households.head": ("户主", "Head"),
    "households.no_phone": ("无电话", "no number"),
    "households.unmask": ("打开…", "Open…"),
    "households.purpose": ("用途", "Purpose"),
    "households.choose": ("选择用途", "Choose a purpose"),
    "households.field": ("更正", "Correct"),
    "households.name": ("姓名", "Name"),
    "households.phone": ("电话", "Telephone"),
    "households.correct": ("更正…", "Correct…"),
    "households.confirm": ("打开并记录", "Open and record"),
    "households.looks": ("谁看过", "Who looked"),
    "households.no_looks": ("没有人看过", "Nobody has looked"),
    "households.did.read_households": ("看名单", "saw the list"),
    "households.did.unmask_resident": ("打开一人", "opened one person"),
    "households.did.report_subject": ("查询一人全部信息", "made a report on one person"),
    "households.did.read_refused": ("被拒绝", "was refused"),
    "households.tag.独居老人": ("独居老人", "Elderly, alone"),
    "households.tag.高龄老人": ("高龄老人", "Over 80"),
    "households.tag.残疾": ("残疾", "Disability"),
    "households.tag.低保": ("低保", "Minimum allowance"),
    "households.tag.困境儿童": ("困境儿童", "Child in need"),
}

HOUSEHOLD_JS_KEYS = tuple(HOUSEHOLD_TEXTS)
