"""The toy city behind a real server, for the stories."""

from tests.served_city import api, served  # noqa: F401 - fixtures
