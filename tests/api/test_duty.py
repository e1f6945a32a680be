"""The person signed in: their ground as a shape, and their switch."""

from __future__ import annotations

import pytest
import shapely

from tests.toy_city import NORTH_WEST, square

ME = "/api/v1/me"


def test_a_member_sees_their_own_cell_drawn(api):
    me = api.get("member", "/me")
    assert me["on_duty"] is True
    (post,) = me["posts"]
    assert (post["post"], post["ground"], post["name"], post["community"]) == (
        "member",
        NORTH_WEST,
        "安澜 001",
        "安澜社区",
    )
    assert shapely.equals(shapely.geometry.shape(post["geometry"]), square(NORTH_WEST))


def test_an_officer_has_no_post_and_no_switch(api):
    me = api.get("officer", "/me")
    assert (me["on_duty"], me["posts"], me["principal"]["role"]) == (None, [], "subdistrict_officer")
    assert api.client("officer").put(f"{ME}/duty", json={"on_duty": False}).status_code == 403


@pytest.mark.parametrize(
    "body", [{}, {"on_duty": None}, {"on_duty": "perhaps"}, {"on_duty": True, "for": "ever"}]
)
def test_a_switch_is_on_or_off(api, body):
    assert api.client("member").put(f"{ME}/duty", json=body).status_code == 422
    assert api.get("member", "/me")["on_duty"] is True


def test_switching_twice_changes_nothing_more(api):
    client = api.client("member")
    for _ in range(2):
        assert client.put(f"{ME}/duty", json={"on_duty": False}).json() == {"on_duty": False}
    with api.database.system_engine.connect() as connection:
        switched = connection.exec_driver_sql("SELECT count(*) FROM audit_entry WHERE action = 'duty.off'")
        assert switched.scalar_one() == 1
