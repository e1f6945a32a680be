"""Imports every module that declares tables, so that `Base.metadata` is complete."""

# ruff: noqa: F401 - imported for the tables they declare
import api.account
import api.auth
import api.second_factor
import api.tries
import api.undertaking
import etl.export_gate
import gis.audit
import gis.audit_chain
import gis.forgetting
import grids.cells
import grids.duties
import grids.exceptions
import grids.leaves
import grids.members
import incidents.calendar
import incidents.categories
import incidents.clocks
import incidents.contacts
import incidents.deliveries
import incidents.incident
import incidents.notice_wording
import incidents.notices
import incidents.overrides
import incidents.public_bins
import incidents.reminders
import incidents.rules
import incidents.setting_changes
import incidents.staged_limits
import incidents.subtasks
import incidents.tracking
import layers.areas
import layers.basemap
import layers.buildings
import layers.components
import layers.households
import layers.shops
from gis.database import Base

metadata = Base.metadata
