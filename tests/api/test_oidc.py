"""Signing in by the city's own account service: there and back over real HTTP, and every lie it may tell."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from api.app import create_app
from api.oidc_endpoints import ERRAND_COOKIE
from gis.settings import Settings
from tests.api.oidc_provider import CLIENT, SECRET, OidcProvider
from tests.served_city import Api, serving

START = "/api/v1/session/oidc"


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    made = OidcProvider()
    with serving(made.app()) as url:
        made.url = url
        yield made


@pytest.fixture
def browser(api: Api, provider: OidcProvider) -> Iterator[httpx.Client]:
    """A browser in front of a server of the toy city that knows the provider."""
    provider.now, provider.lie = api.now.timestamp(), None
    provider.person = {"sub": "p-1", "preferred_username": "officer"}
    settings = Settings(
        home=api.home, oidc_issuer=provider.url, oidc_client_id=CLIENT, oidc_client_secret=SecretStr(SECRET)
    )
    app = create_app(api.database, settings, clock=lambda: api.now)
    with serving(app) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


def there_and_back(browser: httpx.Client, next_: str = "/cases?q=a") -> httpx.Response:
    sent = browser.get(START, params={"next": next_})
    assert sent.status_code == 303
    back = httpx.get(sent.headers["location"], timeout=30)
    return browser.get(back.headers["location"])


def who(browser: httpx.Client) -> str | None:
    answer = browser.get("/api/v1/me")
    return answer.json()["principal"]["username"] if answer.status_code == 200 else None


def test_there_and_back_and_in(browser):
    answer = there_and_back(browser)
    assert answer.headers["location"] == "/welcome?next=/cases%3Fq%3Da"
    assert who(browser) == "officer"
    assert "HttpOnly" in answer.headers["set-cookie"]


def test_the_errand_is_kept_from_scripts_and_used_once(browser):
    sent = browser.get(START)
    assert "HttpOnly" in sent.headers["set-cookie"] and "SameSite=lax" in sent.headers["set-cookie"]
    asked = parse_qs(urlsplit(sent.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"] and asked["scope"] == ["openid profile"]
    back = httpx.get(sent.headers["location"], timeout=30).headers["location"]
    assert browser.get(back).headers["location"].startswith("/welcome")
    assert ERRAND_COOKIE not in browser.cookies
    assert browser.get(back).headers["location"] == "/sign-in?failed=forged"


def test_a_person_is_known_by_the_subject_whatever_the_name_becomes(browser, provider, api):
    there_and_back(browser)
    provider.person = {"sub": "p-1", "preferred_username": "admin"}
    there_and_back(browser)
    assert who(browser) == "officer"
    provider.person = {"sub": "p-2", "preferred_username": "officer"}
    browser.cookies.clear()
    assert there_and_back(browser).headers["location"] == "/sign-in?failed=unknown"


@pytest.mark.parametrize("person", [{"sub": "p-9", "preferred_username": "nobody"}, {"sub": "p-9"}])
def test_nobody_is_let_in_unasked(browser, provider, person):
    provider.person = person
    assert there_and_back(browser).headers["location"] == "/sign-in?failed=unknown"
    assert who(browser) is None


def test_a_locked_account_stays_out(browser, api):
    with api.database.system_engine.begin() as connection:
        connection.exec_driver_sql("UPDATE account SET active = false WHERE username = 'officer'")
    assert there_and_back(browser).headers["location"] == "/sign-in?failed=unknown"


@pytest.mark.parametrize(
    "lie", ["nonce", "audience", "issuer", "over", "unsigned", "shared secret", "signer"]
)
def test_a_token_that_lies_opens_nothing(browser, provider, lie):
    provider.lie = lie
    assert there_and_back(browser).headers["location"] == "/sign-in?failed=forged"
    assert who(browser) is None


def test_an_answer_meant_for_another_browser_opens_nothing(browser):
    """Login CSRF: the attacker's own code and state in the victim's browser."""
    sent = browser.get(START)
    back = httpx.get(sent.headers["location"], timeout=30).headers["location"]
    browser.cookies.clear()
    assert browser.get(back).headers["location"] == "/sign-in?failed=forged"
    browser.get(START)
    assert browser.get(back).headers["location"] == "/sign-in?failed=forged"


def test_a_second_factor_here_is_asked_for_unless_it_was_shown_there(browser, provider, api):
    with api.database.system_engine.begin() as connection:
        connection.exec_driver_sql("UPDATE account SET second_factor = 'on' WHERE username = 'officer'")
    there_and_back(browser)
    assert browser.get("/api/v1/me").json()["first"] == ["code"]
    provider.person = {"sub": "p-1", "amr": ["pwd", "otp"]}
    there_and_back(browser)
    assert who(browser) == "officer"


def test_a_city_without_a_provider_says_so(api):
    answer = api.anonymous().get(START, headers={"Accept-Language": "en"})
    assert answer.status_code == 404
    assert "name and password" in answer.json()["remedy"]
