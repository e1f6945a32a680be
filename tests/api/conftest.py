"""The toy city behind a real server, for every test of the door."""

from tests.served_city import api, served  # noqa: F401 - fixtures
