"""Where the private cluster is made."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from gis.settings import ROOTS_HOME, Settings


@pytest.fixture
def checkout(monkeypatch):
    """A checkout that everybody may walk to; pytest's own folders are private."""
    with tempfile.TemporaryDirectory() as above:
        Path(above).chmod(0o755)
        folder = Path(above).resolve() / "home" / "citygrid"
        folder.mkdir(parents=True)
        monkeypatch.chdir(folder)
        monkeypatch.delenv("CITYGRID_HOME", raising=False)
        monkeypatch.delenv("CITYGRID_DATABASE_URL", raising=False)
        yield folder


def test_the_home_lies_in_the_checkout(checkout, monkeypatch):
    for account in (0, 1000):
        monkeypatch.setattr(os, "geteuid", lambda account=account: account)
        assert Settings.load().home == checkout / "var"


def test_below_a_private_folder_root_keeps_it_where_the_servers_account_can_go(checkout, monkeypatch):
    checkout.parent.chmod(0o700)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert Settings.load().home == checkout / "var", "one's own private folder is no hindrance to oneself"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert Settings.load().home == ROOTS_HOME


@pytest.mark.parametrize(
    ("name", "value"), [("CITYGRID_HOME", "kept"), ("CITYGRID_DATABASE_URL", "postgresql+psycopg:///x")]
)
def test_what_the_operator_chose_stays(checkout, monkeypatch, name, value):
    checkout.parent.chmod(0o700)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv(name, value)
    assert Settings.load().home == checkout / ("kept" if name == "CITYGRID_HOME" else "var")
