"""Imports every module that declares tables, so that `Base.metadata` is complete."""

import api.auth  # noqa: F401
import layers.areas
import layers.basemap
import layers.buildings
import layers.components
import layers.households
import layers.shops  # noqa: F401
from gis.database import Base

metadata = Base.metadata
