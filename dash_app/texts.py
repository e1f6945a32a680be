"""Every word on the desk, in Chinese and English. Short verbs, no exclamation marks (design, section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dash_app.texts_accounts import ACCOUNT_TEXTS
from dash_app.texts_audit import AUDIT_TEXTS
from dash_app.texts_cases import CASE_TEXTS
from dash_app.texts_evaluation import EVALUATION_JS_KEYS, EVALUATION_TEXTS
from dash_app.texts_forces import FORCES_TEXTS
from dash_app.texts_households import HOUSEHOLD_JS_KEYS, HOUSEHOLD_TEXTS
from dash_app.texts_map import MAP_TEXTS
from dash_app.texts_privacy import PRIVACY_TEXTS
from dash_app.texts_settings import SETTINGS_TEXTS

LANGUAGES = ("zh", "en")

TEXTS: dict[str, tuple[str, str]] = (
    SETTINGS_TEXTS
    | ACCOUNT_TEXTS
    | AUDIT_TEXTS
    | FORCES_TEXTS
    | EVALUATION_TEXTS
    | HOUSEHOLD_TEXTS
    | PRIVACY_TEXTS
    | MAP_TEXTS
    | CASE_TEXTS
    | {
        # frame
        "product": ("一图治城", "CityGrid"),
        "product.full": ("一图治城 · CityGrid", "CityGrid · 一图治城"),
        "rail.label": ("主导航", "Main navigation"),
        "rail.map": ("态势", "Map"),
        "rail.cases": ("事件", "Cases"),
        "rail.settings": ("设置", "Setup"),
        "rail.account": ("{name}，{role}", "{name}, {role}"),
        "rail.overdue": ("{n} 件超期", "{n} overdue"),
        "skip": ("跳到队列", "Skip to the queue"),
        "settings.language": ("语言", "Language"),
        "settings.theme": ("外观", "Appearance"),
        "settings.light": ("浅色", "Light"),
        "settings.dark": ("深色", "Dark"),
        "settings.sound": ("新事件提示音", "Sound for new cases"),
        "settings.on": ("开", "On"),
        "settings.off": ("关", "Off"),
        "settings.phone": ("手机页面", "Phone page"),
        "settings.sign_out": ("退出登录", "Sign out"),
        "close": ("关闭", "Close"),
        "back": ("返回队列", "Back to queue"),
        "copy_link": ("复制链接", "Copy link"),
        "copied": ("已复制链接", "Link copied"),
        "open_in_list": ("查看", "Open"),
        "more": ("更多", "More"),
        "cancel": ("取消", "Cancel"),
        # people
        "rail.people": ("人员", "People"),
        "people.title": ("值班表", "Duty roster"),
        "people.calendar": ("{name} 值班表", "Duty roster of {name}"),
        "people.this_week": ("本周", "This week"),
        "people.earlier": ("前一周", "Week before"),
        "people.later": ("后一周", "Week after"),
        "people.there": ("在岗", "there"),
        "people.hole": ("无人", "nobody"),
        "people.stand_in": ("代班", "stand-in"),
        "people.stands_in": ("代班 {name}", "{name} stands in"),
        "people.no_stand_in": ("无人代班", "no stand-in"),
        "people.holes": ("缺口", "Holes"),
        "people.no_holes": ("这几天没有缺口", "No hole in these days"),
        "people.nobody": ("网格员、网格长、街道值班员都不在", "No member, leader or duty officer"),
        "people.nobody_count": ("{n} 段无人", "nobody, {n} times"),
        "people.vacant": ("{role} 空缺", "{role}: vacant"),
        "people.away": ("{role} {name} 休假，无人代班", "{role} {name} away, no stand-in"),
        "people.and": ("、", ", "),
        "people.leaves": ("休假", "Leave"),
        "people.no_leaves": ("这几天没有休假", "No leave in these days"),
        "people.kind.leave": ("事假", "leave"),
        "people.kind.sick": ("病假", "sick"),
        "people.kind.training": ("培训", "training"),
        "people.kind.other": ("其他", "other"),
        "people.status.asked": ("待批", "to decide"),
        "people.status.approved": ("已批准", "approved"),
        "people.approve": ("批准", "Approve"),
        "people.refuse": ("不批准", "Refuse"),
        "people.hours": ("每周班次", "Weekly hours"),
        "people.hours_of": ("{name} 的班次", "Hours of {name}"),
        "people.hours.all": ("全天", "Around the clock"),
        "people.hours.office": ("周一至周五 08:30–17:30", "Monday to Friday 08:30–17:30"),
        "people.hours.day": ("每天 08:00–20:00", "Every day 08:00–20:00"),
        "people.hours.night": ("每天 20:00–次日 08:00", "Every night 20:00–08:00"),
        "people.save": ("保存", "Save"),
        "people.give": ("指派", "Give"),
        "people.give_post": ("指派{ground}的{role}", "Give the post: {role} of {ground}"),
        "people.person": ("人员", "Person"),
        "people.from_now": (
            "从现在起任职；班次可随后设置。",
            "Held from now on; hours can be set afterwards.",
        ),
        "people.posts_held": ("任 {n} 岗", "posts: {n}"),
        "people.end_post": ("结束任职", "End this post"),
        "people.end_ask": ("结束任职…", "End this post…"),
        "people.end_what": (
            "从现在起，{name} 不再担任{role}（{ground}）。",
            "From now on {name} is no longer {role} of {ground}.",
        ),
        "people.end_stays": (
            "此前由谁负责照旧留痕，手上的事件仍归本人。没有别人任此岗时，它会列在“缺口”里，可随时再指派。",
            "Who answered until now stays on record, and open cases stay with this person. If nobody else"
            " holds the post, it is listed under Holes and can be given again at any time.",
        ),
        "people.roster": ("排班", "Roster"),
        "people.open_cases": ("在办 {n}", "{n} open"),
        "people.overdue_cases": ("超期 {n}", "{n} overdue"),
        "people.assists": ("含协办 {n}", "{n} of them for others"),
        # errors
        "error.title": ("没有打开", "Could not open"),
        "error.nothing": ("没有改动任何内容。", "Nothing was changed."),
        "error.retry": ("再试一次", "Try again"),
        "error.back": ("返回队列", "Back to queue"),
        "error.unexpected": ("服务器出了差错", "Something went wrong on the server"),
        "error.unexpected_remedy": (
            "稍后再试；若仍不行，把错误号告诉管理员。",
            "Try again shortly; if it persists, tell the administrator the error number.",
        ),
        "error.number": (
            "错误号 {ref} · {time} · 可凭此号查日志",
            "Error {ref} · {time} · the log has it under this number",
        ),
        "error.number_label": ("错误号", "Error number"),
        "error.what_to_do": ("怎么办", "What to do"),
        # sign-in
        "error.home": ("回到地图", "Back to the map"),
        "sign.title": ("登录", "Sign in"),
        "sign.username": ("用户名", "User name"),
        "sign.password": ("密码", "Password"),
        "sign.show": ("显示密码", "Show password"),
        "sign.submit": ("登录", "Sign in"),
        "sign.headline": ("每一块地，都有人负责。", "Every piece of ground has its person."),
        "sign.subline": (
            "全城 300–500 户一格，一件事从上报到结案，看得见谁在办、还剩多久。",
            "The city in cells of 300–500 households; from report to close"
            " you see who has it and how long is left.",
        ),
        "sign.product": ("CityGrid", "一图治城"),
        "sign.checking": ("正在检查服务", "Checking the service"),
        "sign.healthy": ("服务正常", "Service is up"),
        "sign.unhealthy": ("服务暂时不可用", "Service is not available"),
        "sign.failed": ("没有登录", "Not signed in"),
        "sign.demo": ("演示账号", "Demo accounts"),
        # live region
        "live.new": ("新事件：{title}", "New case: {title}"),
    }
)

JS_KEYS = (
    *EVALUATION_JS_KEYS,
    *HOUSEHOLD_JS_KEYS,
    "building.unit",
    "building.floor",
    "search.none",
    "search.none_hint",
    "search.failed",
    "search.incident",
    "search.cell",
    "search.building",
    "search.estate",
    "search.shop",
    "search.component",
    "search.address",
    "search.area",
    "search.road",
    "queue.new",
    "queue.unassigned",
    "copied",
    "head.live",
    "head.offline",
    "layers.zoom_in",
    "map.metres",
    "map.kilometres",
    "dialog.offline",
    "dialog.failed",
    "dialog.pick",
    "exception.made",
    "exception.undone",
    "live.new",
    "building.number",
    "cell.title",
    "place.shop",
    "place.component",
    "cancel",
    "replay.back",
    "report.pick",
    "report.done",
    "yes",
    "no",
    "work.picked",
    "work.done",
    "work.refused",
    "undo.offer",
    "undo.button",
    "undo.done",
    "keys.title",
    "keys.list",
    "keys.open",
    "keys.pick",
    "keys.move",
    "keys.new",
    "keys.search",
    "keys.back",
    "keys.help",
    "close",
)
"""What the scripts in the browser say; handed to them in the page."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language: `words("count.new")`, `words("used", span="14 分")`."""

    language: str

    def __call__(self, key: str, **values: Any) -> str:
        text = TEXTS[key][LANGUAGES.index(self.language)]
        return text.format(**values) if values else text

    def get(self, key: str, default: str) -> str:
        """The words of a key made from data, or the data itself when we have no words for it."""
        found = TEXTS.get(key)
        return found[LANGUAGES.index(self.language)] if found else default

    def either(self, zh: str | None, en: str | None) -> str:
        """The value in this language where data carries both, else the other one."""
        first, second = (zh, en) if self.language == "zh" else (en, zh)
        return first or second or ""

    @property
    def for_scripts(self) -> dict[str, str]:
        return {key: self(key) for key in JS_KEYS}
