"""How a notice leaves the house: e-mail, a signed webhook, a text message.

A sender sends one message or raises `NotDelivered`; it keeps nothing and tries nothing twice, that is
`incidents.deliveries`' subject. Every attempt carries the delivery's key, by which the other side knows that
it has had the message before. Addresses are personal and stand in no reason and no log.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Protocol

import httpx

from gis.settings import Settings

TIMEOUT_S = 10.0
SIGNATURE = "X-CityGrid-Signature"
KEY = "Idempotency-Key"


class NotDelivered(Exception):
    """The message did not go out; the text tells why, without an address."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message in its words. `facts` are for programs."""

    key: str
    address: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    facts: Mapping[str, Any] = field(repr=False)


class Sender(Protocol):
    """One way out of the house."""

    def send(self, message: Message) -> None:
        """Send it. Raises NotDelivered when it may not have arrived."""


class EmailSender:
    """Plain text by SMTP; STARTTLS and a login where the settings name them."""

    def __init__(
        self, host: str, port: int, sent_from: str, *, starttls: bool, user: str | None, password: str | None
    ) -> None:
        self._host, self._port, self._from = host, port, sent_from
        self._starttls, self._user, self._password = starttls, user, password

    def send(self, message: Message) -> None:
        letter = EmailMessage()
        letter["From"], letter["To"] = self._from, message.address
        letter["Subject"] = " ".join(message.subject.split())
        letter["Message-ID"] = f"<{message.key}@{self._from.rpartition('@')[2]}>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(message.text)
        try:
            with smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_S) as server:
                if self._starttls:
                    server.starttls()
                if self._user:
                    server.login(self._user, self._password or "")
                server.send_message(letter)
        except smtplib.SMTPResponseException as error:
            raise NotDelivered(f"SMTP {error.smtp_code}") from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotDelivered(type(error).__name__) from error


class WebhookSender:
    """JSON by POST, signed: `t=<seconds>,v1=<hex>`, HMAC-SHA256 of `<seconds>.<body>` under the secret.

    The moment is signed too, so that a receiver can refuse what somebody replays. Redirects are not followed.
    """

    def __init__(self, secret: str, clock: Callable[[], datetime]) -> None:
        self._secret, self._clock = secret.encode(), clock
        self._client = httpx.Client(timeout=TIMEOUT_S)

    def send(self, message: Message) -> None:
        body = json.dumps(
            {"key": message.key, "subject": message.subject, "text": message.text, **message.facts},
            ensure_ascii=False,
        ).encode()
        headers = {
            "Content-Type": "application/json",
            KEY: message.key,
            SIGNATURE: signature(self._secret, int(self._clock().timestamp()), body),
        }
        try:
            answer = self._client.post(message.address, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotDelivered(type(error).__name__) from error
        if not answer.is_success:
            raise NotDelivered(f"HTTP {answer.status_code}")


def signature(secret: bytes, seconds: int, body: bytes) -> str:
    """The value of the signature's header for a body sent at a moment."""
    digest = hmac.new(secret, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


class SmsGateway(Protocol):
    """A provider of text messages. `key` lets it recognise what it has had before."""

    def submit(self, key: str, number: str, text: str) -> None:
        """Hand over one message. Raises OSError when the provider cannot be reached or refuses."""


class SmsRecorder:
    """A gateway that sends nothing and writes each message as a line of JSON, for trying things out."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._one_at_a_time = threading.Lock()

    def submit(self, key: str, number: str, text: str) -> None:
        line = json.dumps({"key": key, "number": number, "text": text}, ensure_ascii=False)
        with self._one_at_a_time:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.touch(mode=0o600)
            with self._file.open("a", encoding="utf-8") as lines:
                lines.write(line + "\n")


class SmsSender:
    """Subject and text as one short message through a gateway."""

    def __init__(self, gateway: SmsGateway) -> None:
        self._gateway = gateway

    def send(self, message: Message) -> None:
        try:
            self._gateway.submit(message.key, message.address, f"{message.subject} {message.text}")
        except OSError as error:
            raise NotDelivered(type(error).__name__) from error


def senders_of(settings: Settings, clock: Callable[[], datetime]) -> dict[str, Sender]:
    """The ways out that the settings name; what is not set up is not used."""
    senders: dict[str, Sender] = {}
    if settings.smtp_host and settings.smtp_from:
        senders["email"] = EmailSender(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_from,
            starttls=settings.smtp_starttls,
            user=settings.smtp_user,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        )
    if settings.webhook_secret:
        senders["webhook"] = WebhookSender(settings.webhook_secret.get_secret_value(), clock)
    if settings.sms == "recorded":
        senders["sms"] = SmsSender(SmsRecorder(settings.home / "sms.jsonl"))
    return senders
