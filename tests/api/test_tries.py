"""Tries are counted in the database: who may try, how long one waits, and what is given back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from api import tries
from api.account import Account
from api.auth import Visitor, issue_token
from api.tries import TooManyTries, door_of, forget, give_back, network_of, take
from tests.settled import settled
from tests.toy_city import NOW


def taken(session, kind, name, *, now=NOW, most=100):
    """How many tries there are until one is refused, and after how many seconds it may be tried again."""
    for count in range(most):
        try:
            take(session, kind, name, now=now)
        except TooManyTries as refused:
            return count, refused.details["retry_after_s"]
    return most, None


def test_five_tries_then_one_every_three_minutes(session):
    assert taken(session, "account", "zhou") == (5, 180)
    assert taken(session, "account", "zhou", now=NOW + timedelta(seconds=179)) == (0, 1)
    assert taken(session, "account", "zhou", now=NOW + timedelta(seconds=180)) == (1, 180)
    assert taken(session, "account", "zhou", now=NOW + timedelta(hours=1)) == (5, 180)


def test_a_refused_try_does_not_prolong_the_wait(session):
    taken(session, "account", "zhou")
    for second in range(1, 180):
        assert taken(session, "account", "zhou", now=NOW + timedelta(seconds=second)) == (0, 180 - second)


def test_names_and_addresses_have_buckets_of_their_own(session):
    taken(session, "account", "zhou")
    assert taken(session, "account", "wang")[0] == 5
    assert taken(session, "address", "zhou")[0] == 60


def test_strangers_together_are_counted_too(session):
    assert taken(session, "strangers", tries.STRANGERS, most=200) == (120, 1)
    assert taken(session, "strangers", tries.STRANGERS, now=NOW + timedelta(seconds=1))[0] == 5


def test_what_succeeds_does_not_count(session):
    taken(session, "account", "zhou")
    forget(session, "account", "zhou", now=NOW)
    assert taken(session, "account", "zhou")[0] == 5
    taken(session, "address", "198.51.100.7")
    give_back(session, "address", "198.51.100.7")
    assert taken(session, "address", "198.51.100.7")[0] == 1


def test_old_rows_are_swept(session):
    take(session, "account", "somebody", now=NOW - timedelta(days=1))
    forget(session, "account", "zhou", now=NOW)
    assert session.query(tries.SignInTry).count() == 0


def test_a_stranger_does_not_use_up_the_tries_of_an_address_the_account_is_known_from(session):
    account = settled(
        Account(username="zhou", password_hash="-", display_name="z", role="resident", created_at=NOW)
    )
    session.add(account)
    session.flush()
    issue_token(session, account, now=NOW, kind="web", visitor=Visitor("198.51.100.7"))
    home, known = door_of(session, "zhou", "198.51.100.7", now=NOW)
    elsewhere, unknown = door_of(session, "zhou", "203.0.113.9", now=NOW)
    assert (known, unknown) == (True, False)
    taken(session, "account", elsewhere)
    assert taken(session, "account", home)[0] == 5
    month = NOW + timedelta(days=31)
    assert door_of(session, "zhou", "198.51.100.7", now=month) == (elsewhere, False), "known for a month"
    assert door_of(session, "ZHOU", None, now=NOW) == (elsewhere, False), "however the name is written"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("testclient", None),
        (None, None),
    ],
)
def test_an_ipv6_caller_is_its_network(address, network):
    assert network_of(address) == network
