"""`citygrid contact`: addresses added, listed and forgotten; what is none is refused with its remedy."""

from __future__ import annotations

import pytest

from tests.api.test_cli import citygrid  # noqa: F401 - a fixture


def test_contacts_are_added_listed_and_forgotten(citygrid):  # noqa: F811
    assert citygrid("contact", "add", "webhook", "https://desk.example/hook", "--territory", "990101")[0] == 0
    assert (
        citygrid("contact", "add", "email", "wang@example.org", "--member", "3", "--language", "en")[0] == 0
    )
    lines = [line.split("\t") for line in citygrid("contact", "list")[1].splitlines()]
    assert lines == [
        ["1", "webhook", "https://desk.example/hook", "zh", "desk 990101"],
        ["2", "email", "wang@example.org", "en", "member 3"],
    ]
    assert citygrid("contact", "remove", "1")[0] == 0
    status, _, told = citygrid("contact", "remove", "1")
    assert status == 2 and "There is no contact 1" in told


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ("email", "nobody"),
        ("email", "a@b.example\nBcc: c@d.example"),
        ("sms", "call me"),
        ("webhook", "ftp://files.example"),
        ("webhook", "https://user:word@desk.example"),
    ],
)
def test_what_is_no_address_is_refused(citygrid, sender, address):  # noqa: F811
    status, _, told = citygrid("contact", "add", sender, address)
    assert status == 2 and "name@example.org" in told
