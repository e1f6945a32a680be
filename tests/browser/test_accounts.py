"""Accounts in a real browser: the first sign-in step by step, keeping one, what the policy forbids."""

from __future__ import annotations

import pyotp

from tests.toy_city import NORTH_WEST
from tests.toy_desk import PASSWORD


def add(site, username, **more):
    """An account made over the API by the officer; its one-time password."""
    body = {"username": username, "role": "leader", "territory": NORTH_WEST, "display_name": "刘芳"} | more
    with site.api("officer") as client:
        return client.post("/api/v1/accounts", json=body).raise_for_status().json()["one_time_password"]


def test_the_first_sign_in_goes_step_by_step(site):
    once = add(site, "liu.fang")
    page = site.open("/sign-in", None, wait_for="[data-sign-in]")
    page.fill("[name=username]", "liu.fang")
    page.fill("[name=password]", once)
    page.click("[data-sign-in] [type=submit]")
    page.wait_for_url("**/welcome**")
    assert "第 1 步，共 2 步" in page.inner_text("main")
    page.fill("[name=present]", once)
    page.fill("[name=new]", "short")
    page.fill("[name=new]", "liu.fang 2026")
    page.click("main [type=submit]")
    page.wait_for_selector("[data-problem]:not([hidden])")
    assert "不能包含用户名" in page.inner_text("[data-problem]")
    page.fill("[name=new]", "three black cats")
    page.keyboard.press("Enter")
    page.wait_for_selector(".undertaking")
    assert "第 2 步，共 2 步" in page.inner_text("main")
    page.goto(site.url + "/people")
    page.wait_for_url("**/welcome**")
    page.fill("[name=name]", "刘芳")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/welcome" not in address)
    site.forgive(422)


def test_a_second_factor_is_set_up_and_asked_for(site):
    once = add(site, "he.ping", role="inspector", display_name="何平")
    page = site.open("/sign-in", None, wait_for="[data-sign-in]", language="en")
    with site.api("officer") as client:
        client.get("/api/v1/me").raise_for_status()
    context = page.context
    answer = context.request.post(
        site.url + "/api/v1/session", data={"username": "he.ping", "password": once}
    )
    assert answer.ok
    context.request.put(site.url + "/api/v1/me/password", data={"present": once, "new": "three black cats"})
    context.request.post(site.url + "/api/v1/me/undertaking", data={"version": 1, "name": "何平"})
    page.goto(site.url + "/account")
    page.click("[data-enrol]")
    page.wait_for_function("() => document.querySelector('.dialog [data-qr]').naturalWidth > 0")
    app = pyotp.TOTP(page.inner_text(".dialog [data-secret]").replace(" ", ""))
    page.fill(".dialog [name=code]", app.now())
    page.click(".dialog [type=submit]")
    page.wait_for_selector(".once")
    codes = page.inner_text(".once").split()
    assert len(codes) == 10
    page.click(".dialog .primary")
    page.wait_for_selector("[data-open=factor-off]")
    page.click("summary[aria-label]:has(.me)")
    page.click("[data-sign-out]")
    page.wait_for_url("**/sign-in")
    page.fill("[name=username]", "he.ping")
    page.fill("[name=password]", "three black cats")
    page.keyboard.press("Enter")
    page.wait_for_url("**/welcome**")
    page.fill("[name=code]", codes[0])
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/welcome" not in address)


def test_an_account_is_kept_by_keyboard_alone(site):
    add(site, "wang.wu", role="member", display_name="王五")
    page = site.open("/users?q=wang.wu", wait_for="tr[data-account]")
    page.focus("tr[data-account] a")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-open=lock-account]")
    page.focus("[data-open=lock-account]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".dialog [name=reason]")
    page.keyboard.press("Escape")
    page.wait_for_selector(".dialog", state="detached")
    assert page.evaluate("document.activeElement.dataset.open") == "lock-account"
    page.keyboard.press("Enter")
    page.fill(".dialog [name=reason]", "调离")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=解锁")
    assert "调离" in page.inner_text(".acc-locked")
    answer = page.context.request.post(
        site.url + "/api/v1/session", data={"username": "wang.wu", "password": PASSWORD}
    )
    assert answer.status == 401


def test_no_page_breaks_its_own_policy(site):
    """The console would tell of each violation, and `site` fails on it."""
    page = site.open("/account", wait_for="main")
    for path in ("/users", "/exports", "/people", "/settings", "/docs", "/cases"):
        page.goto(site.url + path)
        page.wait_for_selector("main, .panel, h1")
        page.wait_for_timeout(300)
    blocked = page.evaluate(
        """() => new Promise((told) => {
            document.addEventListener('securitypolicyviolation', (event) => told(event.violatedDirective));
            const script = document.createElement('script');
            script.textContent = 'window.injected = true';
            document.body.append(script);
            setTimeout(() => told('nothing'), 3000);
        })"""
    )
    assert blocked.startswith("script-src") and page.evaluate("window.injected") is None
    site.problems[:] = [one for one in site.problems if "script-src" not in one]
