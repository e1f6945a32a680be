"""Forgetting: what each retention rule removes, in small transactions that may be broken off at any moment.

A rule looks only at what is due and has not been done, so a run that was killed is simply continued by the
next. The worker runs all rules once a day, the operator by `citygrid privacy retention --run`; each run of a
rule that removed something is told by one entry of the trail, with counts and no names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gis import audit, audit_cut, forgetting
from gis.access import Principal
from gis.database import Database, rows_changed
from gis.forgetting import KINDS, MARK, RetentionRule
from incidents import anonymising, photos

AT_ONCE = 500
"""Rows in one transaction: what a kill takes back."""
EVERY = timedelta(days=1)
ACTION = "retention.run"


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step is told: forget up to `limit` of what is older than `before`."""

    before: datetime
    now: datetime
    limit: int
    photo_folder: Path

    @property
    def params(self) -> dict[str, object]:
        return {"before": self.before, "now": self.now, "limit": self.limit, "mark": MARK}


@dataclass(frozen=True, slots=True)
class Step:
    """How many rows of a kind are due, and how some of them are forgotten (returns how many)."""

    count: Callable[[Session, datetime], int]
    forget: Callable[[Session, Batch], int]


@dataclass(frozen=True, slots=True)
class Due:
    """A rule as it stands: its days, how many rows are due now, and its last run."""

    kind: str
    days: int
    due: int
    last_run_at: datetime | None
    last_rows: int | None


@dataclass(frozen=True, slots=True)
class Done:
    """What a run of one rule removed."""

    kind: str
    rows: int


def _delete(table: str, key: str, due: str) -> Step:
    """A step that deletes rows of a table by the condition `due` on its alias `t`."""

    def forget(session: Session, batch: Batch) -> int:
        statement = sa.text(
            f"DELETE FROM {table} WHERE {key} IN (SELECT t.{key} FROM {table} AS t WHERE {due}"
            " LIMIT :limit FOR UPDATE SKIP LOCKED)"
        )
        return rows_changed(session, statement, batch.params)

    return Step(_counted(f"{table} AS t WHERE {due}"), forget)


def _counted(source: str) -> Callable[[Session, datetime], int]:
    statement = sa.text(f"SELECT count(*) FROM {source}")
    return lambda session, before: session.execute(statement, {"before": before}).scalar_one()


_OLD_PHOTOS = """incident_photo AS p JOIN incident AS i ON i.id = p.incident_id
    WHERE i.anonymised_at IS NOT NULL OR i.closed_at < :before AND i.appealed_at IS NULL"""
_TAKE_PHOTOS = sa.text(
    f"SELECT p.id FROM {_OLD_PHOTOS} ORDER BY p.id LIMIT :limit FOR UPDATE OF p SKIP LOCKED"
)


def _forget_photos(session: Session, batch: Batch) -> int:
    ids = list(session.execute(_TAKE_PHOTOS, batch.params).scalars())
    return photos.remove(session, batch.photo_folder, ids)


_DEPARTED = """member AS t WHERE t.anonymised_at IS NULL
    AND EXISTS (SELECT FROM duty AS d WHERE d.member_id = t.id)
    AND NOT EXISTS (SELECT FROM duty AS d WHERE d.member_id = t.id
                    AND (d.ends_at IS NULL OR d.ends_at >= :before))
    AND NOT EXISTS (SELECT FROM account AS a WHERE a.member_id = t.id AND a.active)
    AND NOT EXISTS (SELECT FROM incident AS i WHERE i.handler_id = t.id AND i.closed_at IS NULL)"""
_TAKE_MEMBERS = sa.text(
    f"SELECT t.id FROM {_DEPARTED} ORDER BY t.id LIMIT :limit FOR UPDATE OF t SKIP LOCKED"
)
_THEIR_ACCOUNTS = "(SELECT a.id FROM account AS a WHERE a.member_id = ANY(:ids))"
_LEAVE_NO_NAME = tuple(
    sa.text(statement)
    for statement in (
        "UPDATE incident_move SET actor_name = :mark WHERE member_id = ANY(:ids) AND account_id IN"
        f" {_THEIR_ACCOUNTS} OR account_id IN {_THEIR_ACCOUNTS}",
        f"UPDATE dispatch_override SET decided_by = :mark WHERE account_id IN {_THEIR_ACCOUNTS}",
        "UPDATE undertaking_signature SET name = :mark, address = NULL"
        f" WHERE account_id IN {_THEIR_ACCOUNTS}",
        f"DELETE FROM contact WHERE member_id = ANY(:ids) OR account_id IN {_THEIR_ACCOUNTS}",
        "UPDATE account SET display_name = :mark, username = 'left-' || id, oidc_subject = NULL,"
        " lock_reason = NULL, totp_secret = NULL WHERE member_id = ANY(:ids)",
        "UPDATE member SET name = :mark, phone = NULL, anonymised_at = :now WHERE id = ANY(:ids)",
    )
)


def _forget_departed(session: Session, batch: Batch) -> int:
    ids = list(session.execute(_TAKE_MEMBERS, batch.params).scalars())
    for statement in _LEAVE_NO_NAME if ids else ():
        session.execute(statement, {"ids": ids, "mark": MARK, "now": batch.now})
    return len(ids)


_FILES_OF_OLD_REQUESTS = sa.text(
    "DELETE FROM export_file WHERE request_id IN (SELECT id FROM export_request AS t"
    " WHERE t.asked_at < :before ORDER BY id LIMIT :limit)"
)
_OLD_REQUESTS = sa.text(
    "DELETE FROM export_request WHERE id IN (SELECT id FROM export_request AS t"
    " WHERE t.asked_at < :before ORDER BY id LIMIT :limit)"
)


def _forget_exports(session: Session, batch: Batch) -> int:
    session.execute(_FILES_OF_OLD_REQUESTS, batch.params)
    return rows_changed(session, _OLD_REQUESTS, batch.params)


STEPS: Mapping[str, Step] = {
    "cases": Step(
        anonymising.count_due,
        lambda session, batch: anonymising.anonymise_some(
            session, batch.before, batch.now, limit=batch.limit
        ),
    ),
    "photos": Step(_counted(_OLD_PHOTOS), _forget_photos),
    "notices": _delete(
        "notice",
        "id",
        "t.created_at < :before AND t.planned_at IS NOT NULL AND NOT EXISTS"
        " (SELECT FROM delivery AS d WHERE d.notice_id = t.id AND d.next_at IS NOT NULL)",
    ),
    "contacts": _delete(
        "contact",
        "id",
        "t.account_id IN (SELECT a.id FROM account AS a WHERE a.role = 'resident' AND a.created_at < :before)"
        " AND NOT EXISTS (SELECT FROM incident AS i WHERE i.reported_by = t.account_id"
        " AND (i.closed_at IS NULL OR i.closed_at >= :before))",
    ),
    "departed": Step(_counted(_DEPARTED), _forget_departed),
    "corrections": _delete("resident_correction", "id", "t.at < :before"),
    "tries": _delete("sign_in_try", "key", "t.free_at < :before"),
    "sessions": _delete(
        "access_token", "id", "least(t.expires_at, coalesce(t.revoked_at, 'infinity')) < :before"
    ),
    "exports": Step(_counted("export_request AS t WHERE t.asked_at < :before"), _forget_exports),
    "trail": Step(
        audit_cut.count_due,
        lambda session, batch: audit_cut.cut(session, batch.before, batch.now, limit=batch.limit),
    ),
}


def overview(session: Session, now: datetime) -> list[Due]:
    """Every rule with how much is due: what a run now would remove."""
    found = []
    for kind, rule in forgetting.rules(session).items():
        due = STEPS[kind].count(session, now - timedelta(days=rule.days))
        found.append(Due(kind, rule.days, due, rule.last_run_at, rule.last_rows))
    return found


def run(
    database: Database,
    kind: str,
    now: datetime,
    photo_folder: Path,
    *,
    by: Principal | None = None,
    at_once: int = AT_ONCE,
    stopped: Callable[[], bool] = lambda: False,
) -> Done:
    """Forget everything of a kind that is due, in batches, until `stopped` says so.

    What was removed is told by one entry of the trail and stands with the rule.
    """
    rows, full = 0, True
    while full and not stopped():
        with database.system_work() as session:
            days = session.get_one(RetentionRule, kind).days
            batch = Batch(now - timedelta(days=days), now, at_once, photo_folder)
            done = STEPS[kind].forget(session, batch)
        rows, full = rows + done, done >= at_once
    with database.system_work() as session:
        session.execute(
            sa.update(RetentionRule)
            .where(RetentionRule.kind == kind)
            .values(last_rows=rows, **({} if full else {"last_run_at": now}))
        )
        if rows:
            audit.record(
                session, ACTION, "retention_rule", kind, by=by, now=now, rows=rows, days=days,
                act=KINDS[kind].act, tables=list(KINDS[kind].tables), finished=not full,
            )  # fmt: skip
    return Done(kind, rows)


def waiting(session: Session, now: datetime) -> list[str]:
    """The rules that were not run to their end during the last day."""
    due = now - EVERY
    return [
        kind
        for kind, rule in forgetting.rules(session).items()
        if rule.last_run_at is None or rule.last_run_at <= due
    ]
