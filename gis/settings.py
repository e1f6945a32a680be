"""One frozen settings object, read once at the door from `CITYGRID_*` and an optional `citygrid.toml`."""

from __future__ import annotations

import os
import stat
from datetime import time
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

PROJECT = Path(__file__).resolve().parent.parent

ROOTS_HOME = Path("/var/lib/citygrid")


def _is_private(folder: Path) -> bool:
    """Whether some folder above lets nobody but its owner through."""
    return any(above.exists() and not above.stat().st_mode & stat.S_IXOTH for above in folder.parents)


CITY_ZONE = ZoneInfo("Asia/Shanghai")
"""The zone of a city that names none. Doors pass `Settings.zone`; this is for callers without a door."""


class Settings(BaseSettings):
    """What an operator may set. Environment variables win over `citygrid.toml`."""

    model_config = SettingsConfigDict(
        env_prefix="CITYGRID_", toml_file="citygrid.toml", frozen=True, extra="ignore"
    )

    database_url: str | None = None
    """An external PostgreSQL with PostGIS; absent: the private cluster under `home`."""
    home: Path = Path("var")
    """Private cluster, photographs, certificates; in a private folder of root's, `ROOTS_HOME` (`load`)."""
    port: int = 8050
    timezone: str = CITY_ZONE.key
    real_data: Path | None = None
    ask_below: float = 0.8
    """A confidence under this makes the phone ask which side of the border the reporter is on."""

    public_map: bool = False
    """Whether the worker publishes each month's numbers by itself (`incidents.public_bins`)."""
    public_hide_below: int = Field(default=10, ge=5, le=19)
    """Numbers under this are hidden from the public; the map's second shade begins at 20."""
    public_url: str | None = None
    """Where reporters reach this server, for links in messages: https://city.example"""
    quiet_from: time = time(22)
    quiet_until: time = time(7)
    """The hours in which nobody is told outside what can wait; equal: none."""
    oidc_issuer: str | None = None
    """The city's own account service (OpenID Connect); absent: names and passwords only."""
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_claim: str = "preferred_username"
    """Which claim holds the user name by which an account is found the first time."""
    smtp_host: str | None = None
    smtp_port: int = 25
    smtp_from: str | None = None
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_starttls: bool = False
    webhook_secret: SecretStr | None = None
    """What webhooks are signed with; without it none is called."""
    sms: Literal["none", "recorded"] = "none"
    """`recorded` writes text messages into a file under `home` and sends none."""

    @classmethod
    def load(cls) -> Settings:
        """Read the environment; `real_data` falls back to the shared folder beside the checkout.

        PostgreSQL never runs as root: its account could not walk to a cluster below /root, where root's
        checkouts mostly lie. Unless the operator has chosen a home, the cluster is then made in `ROOTS_HOME`.
        """
        settings = cls()
        home = settings.home.absolute()
        chosen = settings.database_url is not None or "home" in settings.model_fields_set
        if not chosen and os.geteuid() == 0 and _is_private(home):
            home = ROOTS_HOME
        updates: dict[str, object] = {"home": home}
        shared = PROJECT.parent / "shared" / "data"
        if settings.real_data is None and shared.is_dir():
            updates["real_data"] = shared
        return settings.model_copy(update=updates)

    @property
    def zone(self) -> ZoneInfo:
        """The city's time zone: office hours and case numbers follow it."""
        return ZoneInfo(self.timezone)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
