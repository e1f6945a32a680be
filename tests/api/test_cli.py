"""The command line: help in both languages, statuses, remedies, accounts, the demo city."""

from __future__ import annotations

import importlib
import json
import socket
import subprocess
import sys

import click
import psycopg
import pytest
import sqlalchemy as sa

from api import cli
from api.auth import NotSignedIn, sign_in, signed_in_for_token
from api.demo_accounts import PASSWORD, USERNAMES
from grids.duties import Duty
from tests import toy_city
from tests.toy_city import NOW, SUBDISTRICT

SECRET = "correct horse"


@pytest.fixture
def citygrid(monkeypatch, capsys, database, tmp_path):
    """Run a command against a database of the test's own -> (status, standard output, standard error)."""
    monkeypatch.setenv("CITYGRID_DATABASE_URL", database.url)
    monkeypatch.setenv("CITYGRID_HOME", str(tmp_path))
    monkeypatch.setenv("CITYGRID_LANGUAGE", "en")
    monkeypatch.delenv("CITYGRID_DEBUG", raising=False)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["citygrid", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        told = capsys.readouterr()
        return left.value.code, told.out, told.err

    return run


@pytest.mark.parametrize("language", ["zh", "en"])
def test_help_tells_every_command_and_imports_none_of_them(language):
    code = (
        "import sys; sys.argv = ['citygrid', '--help']\n"
        "from api.cli import main\n"
        "try: main()\n"
        "except SystemExit: print('sqlalchemy' in sys.modules, 'numpy' in sys.modules)"
    )
    environment = {"CITYGRID_LANGUAGE": language, "PATH": "", "LANG": "C.UTF-8"}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert told.stdout.endswith("False False\n"), told.stderr
    for name, (_, zh, en) in cli.PLACES.items():
        assert name in told.stdout
        assert (zh if language == "zh" else en)[:12] in told.stdout


@pytest.mark.parametrize("name", cli.PLACES)
def test_every_place_holds_its_command_with_help(name):
    command = importlib.import_module(cli.PLACES[name][0]).command
    assert isinstance(command, click.Command)
    assert command.help
    for part in getattr(command, "commands", {}).values():
        assert part.help, part.name


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"CITYGRID_LANGUAGE": "zh", "LANG": "en_GB.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "", "LANG": "zh_CN.UTF-8"}, "zh"),
        ({}, "en"),
    ],
)
def test_the_language_follows_the_locale_unless_it_is_chosen(monkeypatch, variables, expected):
    from api.cli.frame import language

    for name in ("CITYGRID_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language() == expected


def test_an_account_is_added_and_can_sign_in(citygrid, database):
    words = ("--role", "subdistrict_officer", "--territory", SUBDISTRICT, "--password", SECRET)
    assert citygrid("user", "add", "zhou", *words)[0] == 0
    with database.system_work() as session:
        principal = sign_in(session, "zhou", SECRET, now=NOW).principal
    assert (principal.role, principal.territory) == ("subdistrict_officer", SUBDISTRICT)


def test_a_token_for_a_program_is_printed_alone_and_works(citygrid, database):
    citygrid("user", "add", "qgis", "--role", "analyst", "--password", SECRET)
    status, out, err = citygrid("user", "token", "qgis")
    assert status == 0
    assert "password" in err, "how to use it is told beside, not in, the output"
    with database.system_work() as session:
        principal = signed_in_for_token(session, out.strip(), now=NOW).principal
    assert (principal.username, principal.territory) == ("qgis", ""), "an analyst's ground is the city"
    status, out, _ = citygrid("user", "token", "qgis", "--json")
    assert set(json.loads(out)) == {"token", "expires_at"}


def test_an_account_is_locked_unlocked_and_given_a_one_time_password(citygrid, database):
    words = ("--role", "subdistrict_officer", "--territory", SUBDISTRICT, "--password", SECRET)
    citygrid("user", "add", "zhou", *words)
    assert citygrid("user", "lock", "zhou", "--reason", "调离")[0] == 0
    with database.system_work() as session, pytest.raises(NotSignedIn):
        sign_in(session, "zhou", SECRET, now=NOW)
    assert citygrid("user", "unlock", "zhou")[0] == 0
    status, once, _ = citygrid("user", "reset", "zhou")
    assert status == 0
    with database.system_work() as session:
        assert "password" in sign_in(session, "zhou", once.strip(), now=NOW).first


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("user", "add", "zhou", "--role", "king", "--password", SECRET), "subdistrict_officer"),
        (("user", "add", "z", "--role", "admin", "--password", "short"), "at least 10 characters"),
        (("user", "add", "zhou", "--role", "admin", "--territory", "99", "--password", SECRET), "digits"),
        (("user", "token", "nobody"), "Remedy: Add it"),
        (("demo", "load", "--size", "planet"), "subdistrict, district, city"),
        (("demo", "load", "--as-of", "noon"), "2026-11-23T10:00:00+08:00"),
        (("user", "add"), "Missing argument"),
        (("fly",), "No such command"),
        (("db", "down"), "external database"),
    ],
)
def test_what_cannot_be_done_says_why_and_leaves_with_two(citygrid, words, told):
    status, out, err = citygrid(*words)
    assert status == 2
    assert told in err
    assert out == "" and "Traceback" not in err


def test_errors_are_told_in_the_operators_language(citygrid, monkeypatch):
    monkeypatch.setenv("CITYGRID_LANGUAGE", "zh")
    _, _, err = citygrid("user", "token", "nobody")
    assert err.startswith("错误：没有账户 nobody。\n办法：请先添加")


def test_a_database_that_is_not_there_is_no_traceback(citygrid, monkeypatch):
    monkeypatch.setenv("CITYGRID_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    status, _, err = citygrid("user", "token", "zhou")
    assert status == 2
    assert "Traceback" not in err and "Check CITYGRID_DATABASE_URL" in err


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (psycopg.errors.DiskFull("no space left"), "disk is full"),
        (psycopg.errors.DeadlockDetected("deadlock detected"), "could not finish: deadlock detected"),
        (psycopg.errors.AdminShutdown("terminating"), "cannot be reached: terminating"),
    ],
)
def test_a_database_that_is_there_but_fails_is_not_called_unreachable(citygrid, monkeypatch, failure, words):
    def fail(url):
        raise sa.exc.OperationalError("INSERT", {}, failure)

    monkeypatch.setattr("api.migrations.upgrade", fail)
    status, _, err = citygrid("db", "upgrade")
    assert status == 2 and words in err and "Remedy: " in err


@pytest.mark.parametrize(("language", "words"), [("zh", "端口已被占用"), ("en", "already in use")])
def test_a_port_that_is_taken_is_told_with_how_to_choose_another(citygrid, monkeypatch, language, words):
    monkeypatch.setenv("CITYGRID_LANGUAGE", language)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        status, _, err = citygrid("serve", "--port", str(other.getsockname()[1]))
    assert status == 2 and words in err and "CITYGRID_PORT=8051" in err


def test_a_fault_of_ours_is_told_without_a_traceback_unless_asked_for(citygrid, monkeypatch):
    def stumble(url):
        raise RuntimeError("a wire came loose")

    monkeypatch.setattr("api.migrations.upgrade", stumble)
    status, _, err = citygrid("db", "upgrade")
    assert status == 2
    assert "a wire came loose" in err and "CITYGRID_DEBUG=1" in err and "Traceback" not in err
    monkeypatch.setenv("CITYGRID_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["citygrid", "db", "upgrade"])
    with pytest.raises(RuntimeError, match="a wire came loose"):
        cli.main()


def test_a_place_that_takes_no_file_is_named(citygrid, monkeypatch):
    monkeypatch.delenv("CITYGRID_DATABASE_URL")
    monkeypatch.setenv("CITYGRID_HOME", "/proc/home")  # where nobody, not even root, can make a folder
    status, _, err = citygrid("db", "upgrade")
    assert status == 2 and "/proc/home" in err and "permissions" in err and "unexpected" not in err


@pytest.mark.parametrize("number", ["0", "-1", "2147483648", "9" * 30])
def test_a_number_that_names_nothing_is_told_as_such(citygrid, number):
    status, _, err = citygrid("audit", "who-read", "--", number)
    assert status == 2 and "2147483647" in err


def test_the_state_of_the_database_is_told(citygrid):
    assert citygrid("db", "upgrade")[0] == 0
    status, out, _ = citygrid("db", "status", "--json")
    state = json.loads(out)
    assert status == 0
    assert (state["private"], state["running"], state["revision"]) == (False, True, state["newest"])


def test_the_demo_city_comes_with_people_who_can_sign_in(citygrid, database):
    status, out, _ = citygrid("demo", "load", "--size", "sample", "--as-of", NOW.isoformat())
    assert status == 0
    assert out.splitlines() == [f"{username} / {PASSWORD}" for username in USERNAMES]
    with database.system_work() as session:
        member = sign_in(session, "member", PASSWORD, now=NOW).principal
        tasks, reports = session.execute(
            sa.text(
                "SELECT count(*) FILTER (WHERE handler_id = :member AND closed_at IS NULL),"
                " count(*) FILTER (WHERE reported_by = :account) FROM incident"
            ),
            {"member": member.member_id, "account": member.account_id},
        ).one()
    assert tasks > 0 and reports > 0, "the member's day is not empty"

    again, _, err = citygrid("demo", "load", "--size", "sample")
    assert again == 2 and "CITYGRID_HOME" in err
    assert citygrid("demo", "load", "--if-empty")[0] == 0


def test_duties_check_lists_every_hole_with_its_hours_and_says_so_by_its_status(citygrid, database):
    with database.system_work() as session:
        city = toy_city.build(session)
        session.execute(sa.update(Duty).where(Duty.member_id == city.duty_officer).values(ends_at=NOW))
    days = ("--from", "2026-11-23", "--to", "2026-11-24", "--territory", SUBDISTRICT)
    status, told, _ = citygrid("duties", "check", *days)
    lines = told.splitlines()
    assert status == 1
    assert (
        f"2026-11-23 10:00 – 2026-11-24 00:00  {SUBDISTRICT} 临江街道  subdistrict duty officer: vacant"
        in lines
    )
    assert sum("police officer: vacant" in line for line in lines) == 4
    status, told, _ = citygrid("duties", "check", *days, "--json")
    holes = json.loads(told)
    assert status == 1 and len(holes) == len(lines)
    assert {"kind", "ground", "post", "starts_at", "ends_at"} <= holes[0].keys()


def test_duties_check_without_a_hole_is_status_zero(citygrid):
    assert citygrid("duties", "check")[0] == 0
