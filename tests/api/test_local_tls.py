"""The certificate for phones: trusted through our authority under every name, kept, renewed when needed."""

from __future__ import annotations

import shutil
import socket
import ssl
import threading

import pytest

from api.local_tls import certificate_for, local_addresses, local_names
from gis.errors import Unavailable

NAMES = ["localhost", "127.0.0.1", "city.example", "192.0.2.7"]

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl program")


def greets(certificate, name):
    """Whether a client that trusts only the authority accepts the server under this name."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate.chain, certificate.key)
    client = ssl.create_default_context(cafile=certificate.authority)
    ours, theirs = socket.socketpair()

    def answer():
        try:
            server.wrap_socket(ours, server_side=True).close()
        except ssl.SSLError:
            ours.close()

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        client.wrap_socket(theirs, server_hostname=name).close()
        return True
    except ssl.SSLCertVerificationError:
        return False
    finally:
        theirs.close()
        thread.join()


def test_a_phone_that_trusts_the_authority_trusts_every_name_and_no_other(tmp_path):
    certificate = certificate_for(NAMES, tmp_path / "tls")
    assert all(greets(certificate, name) for name in NAMES)
    assert not greets(certificate, "elsewhere.example")


def test_keys_are_for_their_owner_alone(tmp_path):
    certificate_for(NAMES, tmp_path / "tls")
    for key in (tmp_path / "tls").glob("*.key"):
        assert key.stat().st_mode & 0o077 == 0, key.name
    assert (tmp_path / "tls").stat().st_mode & 0o077 == 0


def test_a_good_certificate_is_kept_and_a_phone_need_not_trust_anew(tmp_path):
    first = certificate_for(NAMES, tmp_path / "tls")
    before = (first.chain.read_bytes(), first.authority.read_bytes())
    certificate_for(NAMES, tmp_path / "tls")
    assert (first.chain.read_bytes(), first.authority.read_bytes()) == before
    moved = certificate_for([*NAMES, "192.0.2.8"], tmp_path / "tls")
    assert moved.chain.read_bytes() != before[0] and greets(moved, "192.0.2.8")
    assert moved.authority.read_bytes() == before[1], "the address changed, the authority did not"


def test_without_openssl_the_remedy_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="apt-get install openssl"):
        certificate_for(NAMES, tmp_path / "tls")


def test_this_machine_knows_its_names():
    names = local_names()
    assert names[0] == "localhost" and "127.0.0.1" in names and socket.gethostname() in names
    assert len(names) == len(set(names))
    assert "127.0.0.1" not in local_addresses()
