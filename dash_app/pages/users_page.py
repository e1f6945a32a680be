"""The accounts page: whom one keeps, what each may do, and the acts of keeping them.

A plain page, drawn on the server: the list in the middle, the chosen account at the right.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from api import account_keeping as keeping
from api.account import AccountGrant
from api.account_list import STATES, AccountRow, get_account, list_accounts, successors
from api.account_rights import KEEPS
from dash_app.desk import Desk
from dash_app.markup import tag
from dash_app.panels.account_detail import add_dialog, detail, nobody_chosen
from dash_app.panels.account_list import PATH, Look, account_list
from dash_app.plain_frame import plain_page
from incidents import queries
from incidents.queries import Filter

__all__ = ["PATH", "users_page"]

TEXTS = (
    "users.saved",
    "users.once",
    "users.once_note",
    "users.copy",
    "users.copied",
    "users.done",
    "users.handed",
    "users.left",
)


def users_page(desk: Desk, query: str) -> str:
    """The page for an address: `?q=NAME&role=R&state=S&after=NAME&id=ACCOUNT`, each may be left out.

    Raises Denied for a role that keeps no accounts, NotFound for an account that is not theirs to keep.
    """
    asked = {key: values[-1].strip() for key, values in parse_qs(query).items()}
    with desk.reading() as (session, visit, now):
        wanted = Filter(overdue=True, open_only=True)
        overdue = queries.count_incidents(session, wanted, by=visit.principal, now=now)
    by = visit.principal
    role = asked.get("role") if asked.get("role") in KEEPS.get(by.role, ()) else None
    state = asked.get("state") if asked.get("state") in STATES else None
    with desk.database.system_work() as session:
        page = list_accounts(
            session, by=by, now=now, q=asked.get("q"), role=role, state=state, after=asked.get("after")
        )
        chosen: AccountRow | None = None
        grants: list[AccountGrant] = []
        takers: list[tuple[int, str, str]] = []
        if asked.get("id", "").isdecimal():
            chosen = get_account(session, int(asked["id"][:9]), by=by, now=now)
            grants = list(keeping.list_grants(session, chosen.id, by=by))
            takers = successors(session, chosen, by=by)
    kept = {name: value for name, value in asked.items() if name in ("q", "role", "state")}
    look = Look(visit, now, desk.zone, kept, chosen.id if chosen else None)
    side = detail(look, chosen, grants, takers) if chosen else nobody_chosen(look)
    body = [account_list(look, page), tag("aside", side, cls="acc-side"), add_dialog(look)]
    words = visit.words
    data = {
        "page": "users",
        "offset": now.astimezone(desk.zone).isoformat()[-6:],
        "texts": {key: words(key) for key in TEXTS},
    }
    return plain_page(visit, words("users.title"), body, name="accounts", overdue=overdue, data=data)
