"""What cannot be right is refused: its status, a message and a remedy in both languages, nothing written.

The list is issue 2's, at its HTTP face.
"""

from __future__ import annotations

import io
import json
import socket
import struct
import zlib
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from api.app import create_app
from api.limits import BodyLimit
from api.schemas import ReportBody
from gis.settings import Settings
from tests.served_city import report_body, serving
from tests.toy_city import NOW

INCIDENTS = "/api/v1/incidents"


def refused(answer, status, *words):
    """The problem document of a refusal, checked for its shape; each of `words` stands in it somewhere."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    for name in ("title", "detail", "title_zh", "title_en", "remedy", "remedy_zh", "remedy_en"):
        assert problem[name], name
    assert "Traceback" not in answer.text
    for word in words:
        assert word in answer.text, word
    return problem


def nothing_written(api):
    tables = ("incident", "incident_move", "incident_photo", "notice")
    return {table: api.count(table) for table in tables} == dict.fromkeys(tables, 0)


BAD_PLACES = {
    "no system declared": ({"crs": None}, "EPSG:4490"),
    "unknown system": ({"crs": "EPSG:27700"}, "GCJ-02"),
    "system of nonsense": ({"crs": "火星"}, "EPSG:4490"),
    "swapped axes": ({"lon": 23.0015, "lat": 113.0985}, "lon first"),
    "swapped axes within range": ({"lon": 23.0015, "lat": 89.0}, "km outside the city"),
    "metres declared as degrees": ({"lon": 510093.0, "lat": 2544600.0}, "projected crs"),
    "a zone with degrees in it": ({"crs": "EPSG:4546"}, "outside the city"),
    "in the sea": ({"lon": 113.9, "lat": 21.5}, "km outside the city"),
    "2.1 km outside": ({"lon": 113.1225, "lat": 23.0}, "km outside the city"),
    "negative accuracy": ({"accuracy_m": -1}, "accuracy"),
    "accuracy level of nobody": ({"accuracy_level": 50}, "68"),
}


@pytest.mark.parametrize("name", BAD_PLACES)
def test_a_place_that_cannot_be_is_refused(api, name):
    changes, word = BAD_PLACES[name]
    answer = api.client("member").post(INCIDENTS, json=report_body(**changes))
    refused(answer, 422, word)
    assert nothing_written(api)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", '"NaN"', "null", '"东经"'])
@pytest.mark.parametrize("axis", ["lon", "lat", "accuracy_m"])
def test_numbers_that_are_none_are_refused(api, axis, number):
    body = json.dumps(report_body(**{axis: "@"})).replace('"@"', number)
    answer = api.client("member").post(INCIDENTS, content=body, headers={"Content-Type": "application/json"})
    if (axis, number) == ("accuracy_m", "null"):
        assert answer.status_code == 201, "an accuracy may be left out"
        return
    refused(answer, 422)
    assert nothing_written(api)


@pytest.mark.parametrize("number", ["NaN", "inf", "1e999", "x", ""])
def test_they_are_refused_in_an_address_too(api, number):
    answer = api.client("member").get(f"/api/v1/responsible?lon={number}&lat=23&crs=EPSG:4490")
    refused(answer, 422)


BAD_BODIES = {
    "no JSON": (b"lon=113&lat=23", "JSON"),
    "half a JSON": (b'{"report_key": "k", "lon": 113.', "JSON"),
    "empty": (b"", "JSON"),
    "a list": (b"[]", "body"),
    "wrong encoding": ('{"report_key":"k","description":"垃圾"}'.encode("gbk"), "JSON"),
    "half a surrogate": (b'{"report_key":"\\ud800"}', ""),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_body_that_is_no_report_is_refused(api, name):
    body, word = BAD_BODIES[name]
    answer = api.client("member").post(INCIDENTS, content=body, headers={"Content-Type": "application/json"})
    refused(answer, 422, word)
    assert nothing_written(api)


def test_every_fault_is_told_at_once(api):
    body = {"lon": "x", "lat": 23.0, "floor": 500, "colour": "red"}
    answer = api.client("member").post(INCIDENTS, json=body)
    faults = {fault["field"] for fault in refused(answer, 422)["faults"]}
    assert faults == {"report_key", "lon", "category", "floor", "colour"}


BAD_WORDS = {
    "unknown category": {"category": "0000"},
    "no key": {"report_key": ""},
    "endless key": {"report_key": "k" * 81},
    "endless description": {"description": "长" * 4001},
    "endless title": {"title": "长" * 61},
    "a NUL": {"description": "a\x00b"},
    "a NUL in the key": {"report_key": "a\x00b"},
    "a component of nobody": {"component_id": 2**31},
    "a floor in the sky": {"floor": 201},
    "photographs in JSON": {"photos": ["iVBORw0KGgo="]},
}


@pytest.mark.parametrize("name", BAD_WORDS)
def test_words_that_cannot_be_are_refused(api, name):
    refused(api.client("member").post(INCIDENTS, json=report_body(**BAD_WORDS[name])), 422)
    assert nothing_written(api)


def test_what_does_not_show_is_not_kept(api):
    """A title of blanks would leave nothing to click, one that turns its direction the whole row around."""
    client = api.client("member")
    sent = {"title": " \u200b ", "unit": "\u3000", "room": " 302\n", "on_behalf": "\u202e某人\x07"}
    case = client.post(INCIDENTS, json=report_body(description="灯\u202e坏了\r\n急 ", **sent)).json()
    shown = client.get(f"{INCIDENTS}/{case['id']}").json()
    assert (shown["title"], shown["description"]) == (shown["category_zh"], "灯坏了\n急")
    assert (shown["unit"], shown["room"], shown["on_behalf"]) == (None, "302", "某人")
    move = {"move": "hand_back", "version": 1, "note": "\u200b\u200f"}
    refused(client.post(f"{INCIDENTS}/{case['id']}/moves", json=move), 422, "reason")


def test_ten_megabytes_of_text_are_refused(api):
    body = report_body(description="文" * 3_500_000)
    problem = refused(api.client("member").post(INCIDENTS, json=body), 413, "4000")
    assert problem["limit_bytes"] == 1_000_000
    assert nothing_written(api)


def test_a_gigabyte_is_refused_before_any_of_it_is_read(api):
    """Only the head is sent: who waited for the body would never answer."""
    address = urlsplit(api.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as line:
        line.sendall(
            f"POST /api/v1/incidents/1/photos HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Authorization: Bearer {api.token('member')}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000000\r\n\r\n".encode()
        )
        assert line.recv(65536).startswith(b"HTTP/1.1 413")


def test_ten_megabytes_without_a_declared_length_are_refused_too(api):
    def dripping():
        yield b'{"description": "'
        for _ in range(160):
            yield b"x" * 65536
        yield b'"}'

    headers = {"Content-Type": "application/json"}
    refused(api.client("member").post(INCIDENTS, content=dripping(), headers=headers), 413, "4000")
    assert nothing_written(api)


def test_ten_megabytes_hidden_in_a_form_are_refused_too(api):
    form = {"report": (None, json.dumps(report_body(description="x" * 10_000_000)))}
    refused(api.client("member").post(INCIDENTS, files=form), 413)
    assert nothing_written(api)


def cut_short(api, address: str) -> socket.socket:
    """A line on which a report with photographs has begun and does not go on."""
    line = socket.create_connection((urlsplit(address).hostname, urlsplit(address).port), timeout=20)
    line.sendall(
        f"POST /api/v1/incidents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token('member')}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5000\r\n\r\n--x\r\n".encode()
    )
    return line


def test_a_sender_that_stops_within_a_body_is_let_go(api):
    app = BodyLimit(create_app(api.database, Settings(home=api.home)), patience_s=0.2)
    with serving(app) as address, cut_short(api, address) as line:
        answer = b"".join(iter(lambda: line.recv(65536), b""))  # to the end: the server hangs up
    assert answer.startswith(b"HTTP/1.1 408") and b"report_key" in answer
    assert nothing_written(api)


def test_a_phone_that_loses_its_line_is_no_fault_of_the_server(api, capsys):
    """Street weather: it leaves no line in the log, and least of all a traceback."""
    with serving(create_app(api.database, Settings(home=api.home))) as address:
        cut_short(api, address).close()
        assert httpx.get(f"{address}/healthz").status_code == 200
    captured = capsys.readouterr()
    assert "Traceback" not in captured.out + captured.err and nothing_written(api)


def test_the_server_goes_on_after_a_flood(api):
    client = api.client("member")
    for _ in range(3):
        client.post(INCIDENTS, json=report_body(description="x" * 2_000_000))
    assert client.post(INCIDENTS, json=report_body()).status_code == 201


def picture(form="PNG", size=(64, 48)):
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, form)
    return buffer.getvalue()


def pixel_bomb(side=20_000):
    """A PNG of a few bytes that claims 400 million pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


BAD_PHOTOS = {
    "a PDF called .jpg": (b"%PDF-1.7 ...", 422, "HEIC"),
    "a text called .jpg": ("照片".encode() * 100, 422, "HEIC"),
    "a script in a picture's clothes": (b"\xff\xd8\xff<script>alert(1)</script>", 422, "HEIC"),
    "nothing": (b"", 422, "HEIC"),
    "half a picture": (picture(size=(600, 600))[:200], 422, "HEIC"),
    "a pixel bomb": (pixel_bomb(), 422, ""),
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', 422, "HEIC"),
}


@pytest.mark.parametrize("name", BAD_PHOTOS)
def test_a_file_that_is_no_photograph_takes_its_report_with_it(api, name):
    data, status, word = BAD_PHOTOS[name]
    form = [
        ("report", (None, json.dumps(report_body()))),
        ("photos", ("good.png", picture())),
        ("photos", ("photo.jpg", data, "image/jpeg")),
    ]
    refused(api.client("member").post(INCIDENTS, files=form), status, word)
    assert nothing_written(api)


def test_it_is_refused_for_a_case_that_stands_too(api):
    client = api.client("member")
    case = client.post(INCIDENTS, json=report_body()).json()["id"]
    files = [("photos", ("good.png", picture())), ("photos", ("bad.jpg", b"no picture"))]
    refused(client.post(f"{INCIDENTS}/{case}/photos", files=files), 422, "HEIC")
    refused(client.post(f"{INCIDENTS}/{case}/photos", data={"kind": "after"}), 422)
    refused(client.post(f"{INCIDENTS}/{case}/photos", json={}), 422, "multipart")
    refused(
        client.post(f"{INCIDENTS}/{case}/photos", data={"kind": "during"}, files={"photo": ("a", picture())}),
        422,
        "before, after",
    )
    assert api.count("incident_photo") == 0


def test_a_form_without_its_report_is_refused(api):
    refused(api.client("member").post(INCIDENTS, files={"photos": ("a.png", picture())}), 422, "report")
    too_many = [("report", (None, json.dumps(report_body())))]
    too_many += [("photos", (f"{n}.png", picture())) for n in range(10)]
    refused(api.client("member").post(INCIDENTS, files=too_many), 422, "9")
    assert nothing_written(api)


@pytest.mark.parametrize("who", ["expired", "revoked", "unknown", "malformed", "nobody"])
def test_a_token_that_stands_for_nobody_is_refused(api, who):
    token = api.token("member", kind="web")
    headers = {"Authorization": f"Bearer {token}"}
    if who == "expired":
        api.now = NOW.replace(hour=23)
    if who == "revoked":
        api.anonymous(headers=headers).delete("/api/v1/session")
    if who == "unknown":
        headers = {"Authorization": "Bearer " + "x" * 43}
    if who == "malformed":
        headers = {"Authorization": "Basic not/base64!"}
    if who == "nobody":
        headers = {}
    refused(api.anonymous(headers=headers).post(INCIDENTS, json=report_body()), 401, "/api/v1/session")
    assert nothing_written(api)


def test_what_is_not_there_is_not_found(api):
    client = api.client("member")
    for address in ("/api/nope", "/api/v1/incidents/999", "/api/v1/photos/7", "/api/v1/incidents/999/moves"):
        refused(client.get(address), 404)
    refused(client.post("/api/v1/incidents/999/moves", json={"move": "accept", "version": 1}), 404)
    refused(client.delete(INCIDENTS), 405)


@pytest.mark.parametrize(
    "query",
    [
        "bbox=1,2,3",
        "bbox=113,23,112,24",
        "bbox=a,b,c,d",
        "bbox=nan,0,1,1",
        "stage=done",
        "territory=99",
        "territory=99010100100100a",
        "overdue=perhaps",
        "from=yesterday",
        "from=2026-11-23",
        "from=2026-11-23T10:00:00",
        "from=2026-11-23T10:00:00Z&to=2026-11-23T09:00:00Z",
        "after=not-a-cursor",
        "after=WyJ4Iiwi",
        "after=WyJhIiwgSW5maW5pdHld",  # ["a", Infinity]
        "after=WyJcdWQ4MDAiLCAxXQ==",  # half a surrogate pair
        "limit=0",
        "limit=1001",
        "order=colour",
        "mine=everything",
        "near=here",
        "near=1,2,3",
    ],
)
def test_a_filter_that_means_nothing_is_refused(api, query):
    refused(api.client("officer").get(f"{INCIDENTS}?{query}"), 422)


@pytest.mark.parametrize("q", ["%", "_", "\\", "'; DROP TABLE incident; --", "\x00", "王×× 💧", " "])
def test_a_search_takes_its_text_literally(api, q):
    answer = api.client("officer").get(INCIDENTS, params={"q": q})
    assert answer.status_code == (422 if q == "\x00" else 200)
    assert api.count("incident") == 0


def test_the_language_asked_for_is_the_language_told(api):
    for language, title in (
        ("en-GB,en;q=0.9", "There is nothing"),
        ("zh-CN", "该地址下"),
        ("fr", "该地址下"),
    ):
        problem = api.anonymous(headers={"Accept-Language": language}).get("/api/nope").json()
        assert problem["title"].startswith(title)
        assert problem["detail"].endswith(problem["remedy"])


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = sorted(ReportBody.model_fields)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=4))
def test_no_body_at_all_makes_the_server_stumble(api, changes):
    """Whatever is sent, the answer is a report taken or a refusal told, never a fault of ours."""
    body = json.dumps(report_body(**changes))
    answer = api.client("member").post(INCIDENTS, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 201, 403, 409, 422), answer.text
