"""For whoever operates the server: alive, ready, counted, documented; and nothing fetched from elsewhere."""

from __future__ import annotations

import re

from tests.served_city import report_body


def test_alive_and_ready(api):
    anonymous = api.anonymous()
    assert anonymous.get("/healthz").json() == {"status": "ok"}
    ready = anonymous.get("/readyz")
    assert ready.status_code == 200, ready.text


def test_answers_are_counted_by_endpoint_not_by_address(api):
    def counted():
        text = api.anonymous().get("/metrics").text
        return {
            labels: float(value)
            for labels, value in re.findall(r"^citygrid_http_requests_total\{(.*)\} (\S+)$", text, re.M)
        }

    before = counted()
    client = api.client("member")
    case = client.post("/api/v1/incidents", json=report_body()).json()["id"]
    client.get(f"/api/v1/incidents/{case}")
    client.get("/api/v1/incidents/999")
    client.get("/api/secret-address-of-nobody")
    after = counted()
    grown = {labels for labels in after if after[labels] > before.get(labels, 0.0)}
    one = 'endpoint="/api/v1/incidents/{incident_id}",method="GET"'
    assert {f'{one},status="200"', f'{one},status="404"'} <= grown
    assert "secret" not in str(after)


def test_every_endpoint_is_documented_in_both_languages_without_a_script(api):
    document = api.anonymous().get("/openapi.json").json()
    for language in ("zh", "en"):
        page = api.anonymous().get("/docs", headers={"Accept-Language": language}).text
        assert f'lang="{language}"' in page
        assert "<script" not in page and "http://" not in page and "https://" not in page
        for path, methods in document["paths"].items():
            assert path in page
            for operation in methods.values():
                assert operation["description"], path


def test_the_public_names_are_there(api):
    """The HTTP names of the interface description, as far as this product has come."""
    paths = {
        (method.upper(), path)
        for path, methods in api.anonymous().get("/openapi.json").json()["paths"].items()
        for method in methods
    }
    assert {
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("POST", "/api/v1/session"),
        ("DELETE", "/api/v1/session"),
        ("GET", "/api/v1/responsible"),
        ("POST", "/api/v1/incidents"),
        ("GET", "/api/v1/incidents"),
        ("GET", "/api/v1/incidents/{incident_id}"),
        ("GET", "/api/v1/incidents/{incident_id}/moves"),
        ("POST", "/api/v1/incidents/{incident_id}/moves"),
        ("POST", "/api/v1/incidents/{incident_id}/photos"),
        ("GET", "/api/v1/stream"),
        ("GET", "/api/v1/categories"),
        ("GET", "/api/v1/layers"),
        ("GET", "/api/v1/search"),
    } <= paths


def test_there_is_no_authority_to_trust_without_tls(api):
    assert api.anonymous().get("/ca.crt").status_code == 404
    folder = api.home / "tls"
    folder.mkdir()
    (folder / "ca.crt").write_text("a certificate")
    answer = api.anonymous().get("/ca.crt")
    assert (answer.text, answer.headers["content-type"]) == ("a certificate", "application/x-x509-ca-cert")
