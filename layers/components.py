"""City components (部件): lamps, manhole covers, hydrants, bins ... each with the body that keeps it."""

from __future__ import annotations

from geoalchemy2 import Geometry
from sqlalchemy import CheckConstraint, Identity
from sqlalchemy.orm import Mapped, mapped_column

from gis.database import Base, Code, territory_column

STATES = ("good", "damaged", "missing", "occupied")


class Component(Base):
    """One component. `state` follows GB/T 30428's 完好 / 破损 / 丢失 / 占用."""

    __tablename__ = "component"
    __table_args__ = (CheckConstraint(f"state IN {STATES}", name="state_known"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(index=True)
    code: Mapped[str | None] = mapped_column(Code, index=True)
    name: Mapped[str | None]
    department_code: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="good", server_default="good")
    cell_code: Mapped[str | None] = mapped_column(Code, index=True)
    source_code: Mapped[str | None] = mapped_column(index=True)
    geom: Mapped[object] = mapped_column(Geometry("POINT", srid=4490), nullable=False)
    territory: Mapped[str] = territory_column()
