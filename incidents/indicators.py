"""The indicators a city is judged by: each one definition, used by page, API, notebook, command line, report.

An indicator counts the rows of a population (`incidents.populations`), each judged once, at the moment its
population names. The numerator is always a part of the denominator, so no rate lies outside 0 to 100 %, and
over an empty denominator there is no rate: it reads "n/a", never 0 and never 100 %. Modelled on the list of
GB/T 30428.4 as it is commonly implemented; where implementations differ, `note` says what is counted here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gis.errors import NotFound
from incidents.populations import POPULATIONS, Population

Better = Literal["high", "low"]
NOT_AVAILABLE = ("无数据", "n/a")
"""What an empty denominator reads."""
FEW = 10
"""Below so many cases a rate says little: pages show the counts alone."""

GROUPS = {
    "report": ("上报", "Reports"),
    "register": ("立案与派遣", "Registering and dispatching"),
    "handle": ("处置", "Handling"),
    "close": ("核查与结案", "Checking and closing"),
    "public": ("群众", "The public"),
}


@dataclass(frozen=True, slots=True)
class Indicator:
    """One definition. `denominator` and `numerator` are conditions on a row `e` of the population.

    `denominator_words` and `numerator_words` say in Chinese and English what is counted; `better` is "high"
    or "low"; `note` names a trap and how it is decided here. `of_kind` is a condition on the category: a
    single category without it has no such rate. Every rate is a percentage.
    """

    id: str
    zh: str
    en: str
    group: str
    population: str
    numerator_words: tuple[str, str]
    denominator_words: tuple[str, str]
    numerator: str
    denominator: str = "true"
    of_kind: str = "true"
    better: Better = "high"
    note: tuple[str, str] = ("", "")

    unit = "%"

    @property
    def basis(self) -> Population:
        return POPULATIONS[self.population]

    def counted(self, group: str | None) -> str:
        """The condition of its denominator, told apart by `group`."""
        return f"({self.denominator}) AND ({self.of_kind})" if group == "category" else self.denominator


_REGISTERED = ("立案数", "registered cases")
_TO_HANDLE = ("应处置：已处置，或已到期未处置", "to be handled: handled, or past the limit unhandled")
_TO_CLOSE = ("应结案：已处置，或超时未处置", "to be closed: handled, or past the limit unhandled")
"""Denominators that several indicators have in common, in words."""


def _define(*indicators: Indicator) -> dict[str, Indicator]:
    return {indicator.id: indicator for indicator in indicators}


# fmt: off
INDICATORS = _define(
    Indicator(
        "valid_reports", "有效上报率", "Valid reports", "report", "reports",
        ("已立案或并案、未作废的上报", "reports registered or joined, and not void"),
        ("已有结论的上报", "reports that were decided on"),
        "e.valid", "e.decided",
        note=("尚未核实的上报既不算有效也不算无效；并入他案的上报是有效上报。",
              "A report still waiting is neither valid nor invalid; one joined to another case is valid."),
    ),
    Indicator(
        "missed_by_patrol", "漏报率", "Missed by patrol", "report", "registrations",
        ("由群众先反映的部件、街面类立案", "registered cases of the patrol's kinds that the public found"),
        _REGISTERED,
        "e.public AND e.patrolled", of_kind="e.patrolled", better="low",
        note=("巡查范围＝有国标代码的部件、事件；社区类（纠纷、楼道等）不归巡查，不算漏报，按类别看时无此率。",
              "The patrol's kinds are those with a code of the standard; disputes and stairwells are not, and"
              " have no such rate of their own."),
    ),
    Indicator(
        "found_by_public", "监督举报率", "Found by the public", "report", "registrations",
        ("群众反映并核实的立案", "registered cases that the public reported"),
        _REGISTERED,
        "e.public", better="low",
    ),
    Indicator(
        "confirmed_on_time", "按时核实率", "Confirmed on time", "register", "confirming",
        ("时限内作出立案或不予立案结论", "decided within the limit"),
        ("应核实：已作结论，或已到期未作结论", "to be confirmed: decided, or past the limit undecided"),
        "e.in_time",
        note=("不予立案也是结论；一直不核实的到期即计入分母，不会因为没有立案而消失。",
              "A rejection is a decision too; one never decided on counts from its limit on."),
    ),
    Indicator(
        "registered_on_time", "按时立案率", "Registered on time", "register", "registering",
        ("时限内立案", "registered within the limit"),
        ("应立案：已立案，或已到期未立案", "to be registered: registered, or past the limit undecided"),
        "e.in_time",
        note=("上报即立案的按时计；只用“立案数”作分母会漏掉从未立案的超期件。",
              "Registered at once is on time; registered cases alone would hide those never registered."),
    ),
    Indicator(
        "accurate_registration", "准确立案率", "Accurate registration", "register", "registrations",
        ("未作废的立案", "registered cases that were not made void"),
        _REGISTERED,
        "NOT e.void",
    ),
    Indicator(
        "dispatched_on_time", "按时派遣率", "Dispatched on time", "register", "dispatching",
        ("时限内派遣", "dispatched within the limit"),
        ("应派遣：已派遣，或已到期未派遣", "to be dispatched: dispatched, or past the limit"),
        "e.in_time",
    ),
    Indicator(
        "accurate_dispatch", "准确派遣率", "Accurate dispatch", "register", "dispatches",
        ("未被退回的派遣", "dispatches that were not handed back"),
        ("派遣次数，不含一分钟内撤销的", "dispatches, without those undone within a minute"),
        "NOT e.handed_back",
        note=("每次派遣只判一次：一案退回两次也不会使分子为负。返工是活没干好，不算派错。",
              "Each dispatch is judged once, so two hand-backs of a case cannot make it negative; rework is"
              " no wrong dispatch."),
    ),
    Indicator(
        "handled", "处置率", "Handled", "handle", "handling",
        ("期末已处置", "handled by the end of the period"),
        _TO_HANDLE,
        "e.done",
        note=("挂账、暂停期间不到期；到期前退回、上报上级的不算应处置。",
              "Nothing falls due while parked or paused; handed back or escalated in time, it lapses."),
    ),
    Indicator(
        "handled_on_time", "按期处置率", "Handled on time", "handle", "handling",
        ("时限内处置", "handled within the limit"),
        _TO_HANDLE,
        "e.in_time",
        note=("超期的在到期那天判一次，以后补办也不再计。",
              "An overdue case is judged once, at its limit; done later it is not counted again."),
    ),
    Indicator(
        "rework", "返工率", "Rework", "handle", "finishes",
        ("被要求返工的处置", "finished works sent back for rework"),
        ("处置数", "finished works"),
        "e.reworked", better="low",
        note=("以处置数为分母；有的系统用应结案数，二者不可比。",
              "Over finished works; some systems divide by cases to be closed, which cannot be compared."),
    ),
    Indicator(
        "verified_on_time", "按时核查率", "Verified on time", "close", "verifying",
        ("时限内核查，含核查后返工", "checked within the limit, rework included"),
        ("应核查：已核查，或已到期未核查", "to be verified: checked, or past the limit unchecked"),
        "e.in_time",
    ),
    Indicator(
        "closed", "结案率", "Closed", "close", "closing",
        ("期末已结案", "closed by the end of the period"),
        _TO_CLOSE,
        "e.closed",
    ),
    Indicator(
        "closed_on_time", "按期结案率", "Closed on time", "close", "closing",
        ("按期处置并已结案", "handled within the limit and closed"),
        _TO_CLOSE,
        "e.closed AND e.in_time",
    ),
    Indicator(
        "unclosed", "未结案率", "Not closed", "close", "reports",
        ("期末仍未办结，含挂账", "still open at the end of the period, parked ones included"),
        ("上报数", "reports"),
        "NOT e.ended", better="low",
        note=("并入他案的随主案办结。", "A joined report ends with the case it was joined to."),
    ),
    Indicator(
        "reopened", "重开率", "Reopened", "close", "closings",
        ("结案后又重开", "closed and opened again"),
        ("结案次数", "closings"),
        "e.reopened", better="low",
    ),
    Indicator(
        "answered", "响应率", "Answered", "public", "reports",
        ("已作结论的群众上报", "reports of the public that were decided on"),
        ("群众上报数", "reports of the public"),
        "e.decided", "e.public",
    ),
    Indicator(
        "solved", "解决率", "Solved", "public", "reports",
        ("已结案的群众上报", "reports of the public whose case was closed"),
        ("已办结的群众上报：结案、不予立案、作废", "those that ended: closed, rejected, void"),
        "e.closed", "e.public AND e.ended",
    ),
    Indicator(
        "satisfied", "满意率", "Satisfied", "public", "ratings",
        ("评 4、5 分", "ratings of 4 and 5"),
        ("收到的评价", "ratings received"),
        "e.score >= 4",
        note=("没有评价的不算满意也不算不满意。", "A case nobody rated is neither."),
    ),
)
# fmt: on
"""All indicators by their id, in the order of a report."""


def indicator_named(id_: str) -> Indicator:
    """The indicator of that id. Raises NotFound."""
    if id_ not in INDICATORS:
        raise NotFound(
            en=f"There is no indicator {id_[:40]}.",
            zh=f"没有指标 {id_[:40]}。",
            remedy_en="Indicators are " + ", ".join(INDICATORS) + ".",
            remedy_zh="指标有 " + "、".join(INDICATORS) + "。",
        )
    return INDICATORS[id_]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many of how many. `value` is None over an empty denominator."""

    numerator: int = 0
    denominator: int = 0

    def __add__(self, other: Ratio) -> Ratio:
        return Ratio(self.numerator + other.numerator, self.denominator + other.denominator)

    @property
    def value(self) -> float | None:
        """The share, from 0 to 1."""
        return self.numerator / self.denominator if self.denominator else None

    @property
    def percent(self) -> float | None:
        """The rate in per cent, rounded to a tenth; 100.0 and 0.0 only where they are exact."""
        if self.value is None:
            return None
        shown = round(100 * self.value, 1)
        if shown == 100.0 and self.numerator < self.denominator:
            return 99.9
        return 0.1 if shown == 0.0 and self.numerator else shown

    def words(self, language: str) -> str:
        """`96.2 %`, or 无数据 / n/a."""
        if self.percent is None:
            return NOT_AVAILABLE[language == "en"]
        return f"{self.percent:.1f} %"
