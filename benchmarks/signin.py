"""Signing in under a flood, and what a request pays for proving who it is.

    python benchmarks/signin.py [--quick]

A server process of our own over a private cluster: 10,000 log-ins a minute with wrong passwords come from one
address and from many (as behind a proxy that is believed), while somebody else works. Counted are the
passwords that were hashed, the processor time the server spent, the answers, and how long the other person's
requests took; then how fast tokens are looked up and tries are counted, in process.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import httpx

from api import tries, undertaking
from api.account import write_account
from api.auth import issue_token, principal_for_token
from api.migrations import upgrade
from api.passwords import hash_password, verify_password
from gis.cluster import PrivateCluster
from gis.database import Database

PASSWORD = "correct horse"
PER_MINUTE = 10_000
ME = "/api/v1/me"


def percentile(times: list[float], share: float) -> float:
    return round(1000 * sorted(times)[min(len(times) - 1, int(share * len(times)))], 2)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Server:
    """The product's own server process, with a database that has one account."""

    def __init__(self, folder: Path) -> None:
        self.cluster = PrivateCluster(folder / "pg")
        self.cluster.ensure()
        self.cluster.ensure_database("signin")
        url = self.cluster.url("signin")
        upgrade(url)
        self.database = Database(url)
        with self.database.system_work() as session:
            account = write_account(
                session, "worker", hash_password(PASSWORD), role="analyst", now=datetime.now(UTC),
                undertaking_version=undertaking.version(),
            )  # fmt: skip
            self.token = issue_token(session, account, now=datetime.now(UTC), kind="program").token
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "uvicorn", "dash_app.app:create", "--factory", f"--port={port}"]
        self.process = subprocess.Popen(
            [*command, "--no-access-log", "--log-level=warning", "--forwarded-allow-ips=*"],
            env={**os.environ, "CITYGRID_DATABASE_URL": url, "CITYGRID_HOME": str(folder)},
        )
        while True:
            try:
                if httpx.get(self.url + "/readyz", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.2)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.database.dispose()
        self.cluster.stop()


def flood(server: Server, seconds: float, *, many_addresses: bool) -> dict[str, object]:
    """So many log-ins a minute for some seconds, with somebody at work beside them."""
    answers: dict[int, int] = {}
    lock = threading.Lock()
    clients = [httpx.Client(base_url=server.url, timeout=30) for _ in range(8)]
    others: list[float] = []
    stop = threading.Event()

    def try_once(n: int) -> None:
        headers = (
            {"X-Forwarded-For": f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"} if many_addresses else {}
        )
        body = {"username": f"name{n}", "password": "wrong horse"}
        status = clients[n % 8].post("/api/v1/session", json=body, headers=headers).status_code
        with lock:
            answers[status] = answers.get(status, 0) + 1

    def work() -> None:
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.token}"}) as client:
            while not stop.is_set():
                before = time.perf_counter()
                client.get(ME).raise_for_status()
                others.append(time.perf_counter() - before)
                time.sleep(0.02)

    count = int(PER_MINUTE * seconds / 60)
    beside = threading.Thread(target=work)
    beside.start()
    spent, started = cpu_seconds(server.process.pid), time.perf_counter()
    with ThreadPoolExecutor(64) as pool:
        for n in range(count):
            ahead = started + n * 60 / PER_MINUTE - time.perf_counter()
            if ahead > 0:
                time.sleep(ahead)
            pool.submit(try_once, n)
    took = time.perf_counter() - started
    spent = cpu_seconds(server.process.pid) - spent
    stop.set()
    beside.join()
    for client in clients:
        client.close()
    return {
        "tries": count,
        "seconds": round(took, 1),
        "hashed": answers.get(401, 0),
        "refused": answers.get(429, 0),
        "cpu_share": round(spent / took, 2),
        "other_p50_ms": percentile(others, 0.5),
        "other_p95_ms": percentile(others, 0.95),
    }


def looked_up(server: Server, rounds: int) -> dict[str, float]:
    """Milliseconds for one look-up of a token, one counted try and one password, in process."""
    now = datetime.now(UTC)
    lookups, counted, hashed = [], [], []
    with server.database.unbound_work() as session:
        for _ in range(rounds):
            before = time.perf_counter()
            principal_for_token(session, server.token, now=now)
            lookups.append(time.perf_counter() - before)
    for n in range(rounds // 4):
        before = time.perf_counter()
        with server.database.system_work() as session:
            tries.take(session, "account", f"bench{n}", now=now)
        counted.append(time.perf_counter() - before)
    kept = hash_password(PASSWORD)
    for _ in range(20):
        before = time.perf_counter()
        verify_password("wrong horse", kept)
        hashed.append(time.perf_counter() - before)
    return {
        "token_lookup_ms": round(1000 * statistics.median(lookups), 3),
        "try_ms": round(1000 * statistics.median(counted), 3),
        "hash_ms": round(1000 * statistics.median(hashed), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="10 s instead of a minute")
    seconds = 10.0 if parser.parse_args().quick else 60.0
    with tempfile.TemporaryDirectory(prefix="citygrid-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # started as root, the server's own account must be able to walk in
        server = Server(Path(folder))
        try:
            small = looked_up(server, 2000)
            one = flood(server, seconds, many_addresses=False)
            many = flood(server, seconds, many_addresses=True)
        finally:
            server.close()
    print(f"{'':22}{'one address':>14}{'many addresses':>16}")
    for name in one:
        print(f"{name:22}{one[name]!s:>14}{many[name]!s:>16}")
    for name, value in small.items():
        print(f"{name:22}{value:>14}")
    print(
        json.dumps(
            small
            | {f"one_{name}": one[name] for name in ("hashed", "refused", "cpu_share", "other_p95_ms")}
            | {f"many_{name}": many[name] for name in ("hashed", "refused", "cpu_share", "other_p95_ms")}
        )
    )


if __name__ == "__main__":
    main()
