"""A certificate for this machine, so that phones on the local network may be asked for their position.

Browsers give GPS only over HTTPS. A small authority of our own is made once and kept; phones are told to
trust it once. Its server certificate names every address of this machine and is made anew when those change
or when it is about to end. The work is done by the `openssl` program.
"""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import os
import shutil
import socket
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from gis.errors import Unavailable

CA_DAYS = 3650
SERVER_DAYS = 390
"""Phones refuse server certificates of more than 398 days."""
RENEW_SECONDS = 30 * 86_400
_ADDRESS_REQUEST = 0x8915
"""Linux's SIOCGIFADDR: the IPv4 address of a network interface."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Paths of PEM files: what the server presents, its key, and the authority phones must trust."""

    chain: Path
    key: Path
    authority: Path


def certificate_for(names: list[str], folder: Path) -> Certificate:
    """The certificate for these host names and addresses, made where it is missing, ending or another's.

    Raises Unavailable when there is no `openssl` or it fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    found = Certificate(folder / "server.crt", folder / "server.key", folder / "ca.crt")
    ca_key = folder / "ca.key"
    if not (found.authority.exists() and ca_key.exists()):
        _make_authority(found.authority, ca_key)
        found.chain.unlink(missing_ok=True)
    wanted = folder / "names"
    text = "\n".join(names)
    current = found.chain.exists() and wanted.exists() and wanted.read_text() == text
    if not (current and _lasts(found.chain)):
        _make_server(names, found, ca_key)
        wanted.write_text(text)
    return found


def local_names() -> list[str]:
    """Every name and address this machine may be called by from the local network, loopback first."""
    host = socket.gethostname()
    names = ["localhost", "127.0.0.1", "::1", host, f"{host}.local", *local_addresses()]
    return list(dict.fromkeys(names))


def local_addresses() -> list[str]:
    """IPv4 addresses by which other machines reach this one."""
    found: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, interface in socket.if_nameindex():
            with contextlib.suppress(OSError):  # an interface without an address
                request = struct.pack("256s", interface.encode()[:15])
                found.append(socket.inet_ntoa(fcntl.ioctl(probe.fileno(), _ADDRESS_REQUEST, request)[20:24]))
        if not found:
            # Elsewhere than on Linux: the address the default route would use. Nothing is sent.
            with contextlib.suppress(OSError):
                probe.connect(("192.0.2.1", 9))
                found.append(probe.getsockname()[0])
    return [address for address in found if not ipaddress.ip_address(address).is_loopback]


def _make_authority(certificate: Path, key: Path) -> None:
    _openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-days", str(CA_DAYS), "-subj", f"/CN=CityGrid {socket.gethostname()[:40]}", "-keyout", str(key),
        "-out", str(certificate), "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )  # fmt: skip


def _make_server(names: list[str], found: Certificate, ca_key: Path) -> None:
    """A key, a request for it, and the authority's signature under all the names."""
    request, extensions = found.chain.with_suffix(".csr"), found.chain.with_suffix(".ext")
    _openssl(
        "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-subj", "/CN=CityGrid", "-keyout", str(found.key), "-out", str(request),
    )  # fmt: skip
    alternatives = ",".join(f"{'IP' if _is_address(name) else 'DNS'}:{name}" for name in names)
    extensions.write_text(
        f"subjectAltName={alternatives}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n"
    )
    _openssl(
        "x509", "-req", "-in", str(request), "-CA", str(found.authority), "-CAkey", str(ca_key),
        "-set_serial", str(int.from_bytes(os.urandom(8))), "-days", str(SERVER_DAYS), "-sha256",
        "-extfile", str(extensions), "-out", str(found.chain),
    )  # fmt: skip
    request.unlink()
    extensions.unlink()


def _lasts(certificate: Path) -> bool:
    """Whether it is good for some weeks yet."""
    command = ["openssl", "x509", "-in", str(certificate), "-checkend", str(RENEW_SECONDS), "-noout"]
    return subprocess.run(command, capture_output=True).returncode == 0


def _openssl(*arguments: str) -> None:
    if shutil.which("openssl") is None:
        raise Unavailable(
            en="There is no openssl program to make a certificate with.",
            zh="没有可用来制作证书的 openssl 程序。",
            remedy_en="Install it: sudo apt-get install openssl  (macOS has it).",
            remedy_zh="请安装：sudo apt-get install openssl（macOS 自带）。",
        )
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, umask=0o077)
    if done.returncode:
        tail = done.stderr.strip()[-300:]
        raise Unavailable(en=f"openssl failed: {tail}", zh=f"openssl 失败：{tail}")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
