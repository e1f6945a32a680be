"""The words of a deadline: 剩 38 分, 超 47 分, 14:32, 今日 16:48 到期. Pure; `now` is an argument."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS_ZH = "一二三四五六日"
WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def span_words(span: timedelta, language: str) -> str:
    """A length of time in the largest two fitting units: 38 分, 2 时 05 分, 3 天."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} 分" if language == "zh" else f"{minutes} min"
    if minutes < 24 * 60:
        hours, rest = divmod(minutes, 60)
        return f"{hours} 时 {rest:02d} 分" if language == "zh" else f"{hours} h {rest:02d} min"
    days = minutes // (24 * 60)
    if language == "zh":
        return f"{days} 天"
    return f"{days} day" if days == 1 else f"{days} days"


def left_words(clock: str, due_at: datetime | None, now: datetime, language: str) -> str:
    """What a pill says for a clock state."""
    zh = language == "zh"
    if clock == "closed":
        return "已结案" if zh else "closed"
    if clock == "paused":
        return "已暂停" if zh else "paused"
    if due_at is None:
        return "无时限" if zh else "no limit"
    if clock == "overdue":
        if now - due_at < timedelta(minutes=1):
            return "刚超期" if zh else "just over"
        words = span_words(now - due_at, language)
        return f"超 {words}" if zh else f"{words} over"
    if due_at - now < timedelta(minutes=1):
        return "剩不到 1 分" if zh else "under 1 min"
    words = span_words(due_at - now, language)
    return f"剩 {words}" if zh else words


def clock_time(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%H:%M")


def day_words(day: date, language: str, *, weekday: bool = False) -> str:
    """11月23日 周一, or Mon 23 Nov."""
    if language == "zh":
        words = f"{day.month}月{day.day}日"
        return f"{words} 周{WEEKDAYS_ZH[day.weekday()]}" if weekday else words
    words = f"{day.day} {MONTHS_EN[day.month - 1]}"
    return f"{WEEKDAYS_EN[day.weekday()]} {words}" if weekday else words


def moment_words(at: datetime, now: datetime, zone: ZoneInfo, language: str) -> str:
    """The time alone today, with the day otherwise."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    time = local.strftime("%H:%M")
    if local.date() == today:
        return time
    if local.date() == today - timedelta(days=1):
        return f"昨日 {time}" if language == "zh" else f"yest. {time}"
    return f"{day_words(local.date(), language)} {time}"


def due_words(due_at: datetime, now: datetime, zone: ZoneInfo, language: str) -> str:
    """今日 16:48 到期 / due today 16:48, and in the past tense once it is over."""
    local, today = due_at.astimezone(zone), now.astimezone(zone).date()
    time = local.strftime("%H:%M")
    past = due_at < now
    if language == "zh":
        day = {0: "今日", 1: "明日", -1: "昨日"}.get((local.date() - today).days)
        return f"{day or day_words(local.date(), 'zh')} {time} {'已到期' if past else '到期'}"
    day = {0: "today", 1: "tomorrow", -1: "yesterday"}.get((local.date() - today).days)
    return f"{'was due' if past else 'due'} {day or day_words(local.date(), 'en')} {time}"
