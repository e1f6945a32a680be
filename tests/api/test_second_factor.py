"""The second factor: the RFC's own vectors, each code once, recovery codes, and the way through the API."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from api import second_factor
from api.account import Account, principal_of
from api.second_factor import WrongCode
from api.secret_box import FILE, KeyLost, SecretBox, secret_box
from gis.errors import Unavailable
from tests.served_city import PASSWORD
from tests.toy_city import NOW

ME = "/api/v1/me"
BOX = SecretBox(bytes(32))


@pytest.fixture
def account(session):
    account = Account(username="zhou", password_hash="-", display_name="z", role="admin", created_at=NOW)
    session.add(account)
    session.flush()
    return account


def enrolled(session, account, now=NOW):
    begun = second_factor.begin(session, account, BOX)
    app = pyotp.TOTP(begun.secret)
    codes = second_factor.confirm(session, account, app.at(now), BOX, by=principal_of(account), now=now)
    return app, codes


@pytest.mark.parametrize(
    ("moment", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_rfc_6238(session, account, moment, code):
    """Appendix B gives eight figures for the secret "12345678901234567890"; ours are the last six."""
    account.totp_secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    second_factor.check(session, account, code, BOX, now=datetime.fromtimestamp(moment, UTC))


def test_it_counts_only_once_a_code_has_proved_the_app(session, account):
    begun = second_factor.begin(session, account, BOX)
    with pytest.raises(WrongCode):
        second_factor.confirm(session, account, "000000", BOX, by=principal_of(account), now=NOW)
    assert account.second_factor == "off"
    assert begun.qr_svg.startswith("<svg") and "otpauth://totp/CityGrid:zhou" in begun.uri


def test_a_code_opens_once_and_drifts_half_a_minute(session, account):
    app, _ = enrolled(session, account)
    later = NOW + timedelta(minutes=5)
    with pytest.raises(WrongCode):
        second_factor.check(session, account, app.at(NOW), BOX, now=NOW)
    for minutes, drift in ((0, -30), (10, 30)):
        at = later + timedelta(minutes=minutes)
        second_factor.check(session, account, app.at(at + timedelta(seconds=drift)), BOX, now=at)
    for minutes, drift in ((20, -60), (20, 60)):
        at = later + timedelta(minutes=minutes)
        with pytest.raises(WrongCode):
            second_factor.check(session, account, app.at(at + timedelta(seconds=drift)), BOX, now=at)


def test_a_recovery_code_opens_once(session, account):
    _, codes = enrolled(session, account)
    assert len(set(codes)) == 10
    second_factor.check(session, account, codes[3].upper(), BOX, now=NOW)
    with pytest.raises(WrongCode):
        second_factor.check(session, account, codes[3], BOX, now=NOW)
    for nonsense in ("", "١٢٣٤٥٦", "12345", "x" * 20):
        with pytest.raises(WrongCode):
            second_factor.check(session, account, nonsense, BOX, now=NOW)


def test_the_secret_is_kept_closed_and_opens_for_its_owner_under_its_key_alone(session, account):
    app, codes = enrolled(session, account)
    assert app.secret not in account.totp_secret
    other = Account(username="li", password_hash="-", display_name="l", role="admin", created_at=NOW)
    session.add(other)
    session.flush()
    other.totp_secret = account.totp_secret
    later = NOW + timedelta(minutes=5)
    with pytest.raises(KeyLost):
        second_factor.check(session, other, app.at(later), BOX, now=later)
    lost = SecretBox(bytes(31) + b"x")
    with pytest.raises(KeyLost) as told:
        second_factor.check(session, account, app.at(later), lost, now=later)
    assert "recovery code" in told.value.remedy_en
    second_factor.check(session, account, codes[0], lost, now=later)


def test_a_secret_from_before_is_closed_when_it_is_next_used(session, account):
    account.totp_secret = secret = pyotp.random_base32()
    second_factor.check(session, account, pyotp.TOTP(secret).at(NOW), BOX, now=NOW)
    assert secret not in account.totp_secret
    later = NOW + timedelta(minutes=5)
    second_factor.check(session, account, pyotp.TOTP(secret).at(later), BOX, now=later)


def test_the_key_is_made_once_for_the_servers_account_alone(tmp_path):
    kept = secret_box(tmp_path / "home").close("secret", "zhou")
    assert secret_box(tmp_path / "home").open(kept, "zhou") == "secret"
    key = tmp_path / "home" / FILE
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 and list(key.parent.iterdir()) == [key]
    key.write_bytes(b"short")
    with pytest.raises(Unavailable, match="5 bytes"):
        secret_box(tmp_path / "home")


def sign_in(api, **more):
    body = {"username": "officer", "password": PASSWORD, **more}
    return api.anonymous().post("/api/v1/session", json=body)


@pytest.fixture
def app(api):
    """The officer's app, after the way a person goes."""
    client = api.client("officer")
    secret = client.post(f"{ME}/second-factor").json()["secret"]
    app = pyotp.TOTP(secret)
    answer = client.put(f"{ME}/second-factor", json={"code": app.at(api.now)})
    assert len(answer.json()["recovery_codes"]) == 10
    api.now += timedelta(minutes=2)
    return app


def test_a_password_alone_opens_nothing_but_the_question_for_the_code(api, app):
    signed_in = sign_in(api).json()
    assert signed_in["first"] == ["code"]
    client = api.anonymous(headers={"Authorization": f"Bearer {signed_in['token']}"})
    refusal = client.get(ME)
    assert (refusal.status_code, refusal.json()["first"]) == (403, ["code"])
    assert client.post(f"{ME}/second-factor").status_code == 403, "nor another app"
    assert client.put(f"{ME}/password", json={"present": PASSWORD, "new": "another horse"}).status_code == 403
    assert client.post("/api/v1/session/code", json={"code": "000000"}).status_code == 403
    opened = client.post("/api/v1/session/code", json={"code": app.at(api.now)})
    assert opened.json()["first"] == []
    assert client.get(ME).status_code == 401, "the token before it has ended"
    client.headers["Authorization"] = f"Bearer {opened.json()['token']}"
    client.cookies.clear()
    assert client.get(ME).status_code == 200


def test_a_program_sends_both_at_once(api, app):
    assert sign_in(api, code=app.at(api.now)).json()["first"] == []


def test_codes_are_not_guessed(api, app):
    token = sign_in(api).json()["token"]
    client = api.anonymous(headers={"Authorization": f"Bearer {token}"})
    answers = [client.post("/api/v1/session/code", json={"code": f"{n:06}"}) for n in range(7)]
    assert [answer.status_code for answer in answers] == [403] * 5 + [429] * 2
    assert answers[-1].headers["retry-after"] == "180"
    assert client.post("/api/v1/session/code", json={"code": app.at(api.now)}).status_code == 429


def test_switching_it_off_takes_the_password(api, app):
    token = sign_in(api, code=app.at(api.now)).json()["token"]
    client = api.anonymous(headers={"Authorization": f"Bearer {token}"})
    assert client.post(f"{ME}/second-factor/off", json={"present": "wrong horse"}).status_code == 403
    assert client.post(f"{ME}/second-factor/off", json={"present": PASSWORD}).status_code == 204
    assert sign_in(api).json()["first"] == []
