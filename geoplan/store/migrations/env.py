"""What Alembic runs: on the connection that it is given, in that connection's transaction."""

from __future__ import annotations

from alembic import context
from geoalchemy2 import alembic_helpers

from geoplan.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # GeoAlchemy2's parts know which indexes and tables PostGIS makes by itself.
    include_object=alembic_helpers.include_object,
    process_revision_directives=alembic_helpers.writer,
    render_item=alembic_helpers.render_item,
    compare_type=True,
)
context.run_migrations()
