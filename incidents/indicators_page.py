"""The indicators as a page for people: `python -m incidents.indicators_page > docs/indicators.md`."""

from __future__ import annotations

from incidents.indicators import FEW, GROUPS, INDICATORS, Indicator
from incidents.scores import CASELOAD, CASELOAD_OF, GRADES, SCORES, Score


def definitions(group: str) -> str:
    """The table of one group: what is divided by what, when a row is judged."""
    lines = [
        "| id | 指标 | numerator 分子 | denominator 分母 | judged 判定 | better |",
        "|---|---|---|---|---|---|",
    ]
    for one in INDICATORS.values():
        if one.group == group:
            numerator, denominator, when = (
                f"{en}<br>{zh}" for zh, en in (one.numerator_words, one.denominator_words, one.basis.when)
            )
            names = f"{one.zh}<br>{one.en}"
            lines.append(f"| `{one.id}` | {names} | {numerator} | {denominator} | {when} | {one.better} |")
    return "\n".join(lines)


def _note(one: Indicator) -> str:
    return f"- **{one.zh} {one.en}.** {one.note[1]} {one.note[0]}"


def _score(score: Score) -> str:
    parts = [
        f"{'(100 − ' if part.lost else ''}{INDICATORS[part.indicator].zh}{')' if part.lost else ''}"
        f" × {part.weight:g}"
        for part in score.parts
    ]
    if score.caseload:
        parts.append(f"立案数分 × {CASELOAD_OF:g}")
    return f"| {score.zh} {score.en} | {' + '.join(parts)} |"


def page() -> str:
    """The whole page."""
    tables = "\n\n".join(f"### {zh} {en}\n\n{definitions(group)}" for group, (zh, en) in GROUPS.items())
    notes = "\n".join(_note(one) for one in INDICATORS.values() if one.note[1])
    scores = "\n".join(_score(score) for score in SCORES.values())
    steps = ", ".join(f"up to {most}: {points:g}" for most, points in CASELOAD)
    letters = ", ".join(f"{letter} from {least:g}" for least, letter in GRADES[:-1])
    return f"""# Indicators 考核指标

Written from `incidents/indicators.py` by `python -m incidents.indicators_page`; do not edit it
by hand. The same definitions count for the page `/evaluation`, `GET /api/v1/indicators`,
`citygrid indicators`, `citygrid.connect().indicators()` and the printed report. They are
modelled on the list of GB/T 30428.4 as it is commonly implemented; check the printed standard
before claiming that they conform.

## How a number is made

A window is half open: from its first moment up to, not including, its last. An indicator counts the rows of a
population, each **judged once**, at the moment named below, by what was known at the end of the window:

    rate = rows that meet the numerator ÷ rows that meet the denominator      (0 ≤ numerator ≤ denominator)

- The numerator is a part of the denominator, row by row, so no rate is below 0 or above 100 %.
- **Over an empty denominator there is no rate**: it reads 无数据 / n/a, `null` in JSON, `NaN` in a
  frame. It is neither 0 nor 100 %, and no score is taken from it.
- A rate is shown to a tenth; 100.0 % and 0.0 % only where they are exact (1,999 of 2,000 reads
  99.9 %). Below {FEW} cases pages show the counts alone.
- An obligation (confirm, register, dispatch, handle, verify) is judged **when it was met, or at
  its limit if it was not**: at `least(due_at, stopped_at)` of its clock. It is in time when met
  at or before its limit. So an overdue case counts once, in the window its limit fell in,
  whether or not it is done later; what is not due yet does not count; weeks add up to their
  month.
- What happens after the window does not change it: a case closed in October and reopened in
  November stays closed in October's figures.
- 环比 compares with the span of the same length before (a month: with the month before), 同比 with
  the same days a year earlier, each over its own denominator. A span that still runs is
  compared with as much of the other.
- Whose case it is: the ground it lies in (an ended case keeps the ground it had), the
  department it is given to, and for a person whoever had it at the moment it was judged.
  Confirming, registering, dispatching and verifying are nobody's who handles, so they are not
  told apart by person.

Decided once for all: **handed back** or escalated before its limit, a handling clock lapses
(after it, it was missed); **parked or paused**, nothing falls due; **void**, a case owes
nothing and counts only against 准确立案率; a report **joined** to another is a valid report and has
no case of its own; **reopened**, a case owes its work again. Imported cases without clocks are
judged by the deadline and the closing their file told.

## Definitions

{tables}

## Traps

{notes}
- **漏报率 without a finding.** The standard asks whether the patrol should have reported it.
  Nobody records that; here the category tells: what has a code of the standard lies on the
  patrol's ground.

## Scores 综合得分

| post | points of 100 |
|---|---|
{scores}

Weights as commonly implemented. A part over an empty denominator falls out and its weight goes to the others.
立案数分 of {CASELOAD_OF:g}: {steps}, above that none. Grades: {letters}, else E. The volume points of the
acceptor and the dispatcher are left out: no source says how they are worked out.

## Asking

    citygrid indicators --by community --window last_month
    citygrid indicators --by department --from 2026-10-01 --to 2026-10-31 --csv october.csv
    GET /api/v1/indicators?by=cell&window=30d&weeks=12
    GET /api/v1/indicators/handled_on_time/cases?part=rest&by=cell&code=990101001001001
    city.indicators(by="cell", window="30d")
"""


if __name__ == "__main__":
    print(page(), end="")
