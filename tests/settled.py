"""Accounts for which nothing has to be done first: no password to change, no code, the undertaking signed."""

from __future__ import annotations

from api import undertaking
from api.account import Account


def settled(account: Account) -> Account:
    """The account as it is after its first day."""
    account.undertaking_version = undertaking.version()
    account.second_factor = "off"
    return account
