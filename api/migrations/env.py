"""Alembic's entry: online only, one upgrade at a time by an advisory lock."""

import sqlalchemy as sa
from alembic import context
from geoalchemy2 import alembic_helpers

from api.migrations.tables import metadata

LOCK = 0x63697479  # "city": any number nobody else locks

engine = sa.create_engine(context.config.attributes["url"], poolclass=sa.NullPool)
with engine.connect() as connection:
    connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=alembic_helpers.include_object,
        process_revision_directives=alembic_helpers.writer,
        render_item=alembic_helpers.render_item,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})
    connection.commit()
engine.dispose()
