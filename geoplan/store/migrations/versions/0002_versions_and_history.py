"""Tables of large versions, search text, the record of loads, plot lineage, refused rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SEARCHED = ("feature", "estate", "phase", "block", "plot")

_DROP_RELATION = """
create function drop_version_relation() returns trigger language plpgsql as $$
begin
    execute format('drop table if exists %I', old.relation);
    return null;
end $$
"""
_TRIGGER = """
create trigger drop_version_relation after delete on layer_version for each row
when (old.relation is not null) execute function drop_version_relation()
"""
# Every version so far was made current by its load, in the order of the numbers.
_LOADS_SO_FAR = """
insert into layer_event (layer_id, at, who, action, from_number, to_number, note)
select layer_id, loaded_at, loaded_by, 'load',
       lag(number) over (partition by layer_id order by number), number, ''
from layer_version order by loaded_at, id
"""
# Into the shared tables go the rows of versions that have their own, whatever their layer's table.
_GATHER = """
do $$
declare
    child record;
    names text;
begin
    for child in
        select c.oid::regclass as source, p.oid::regclass as target, p.oid as parent
        from pg_inherits i
        join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
        where c.relname in (select relation from layer_version)
    loop
        select string_agg(quote_ident(attname), ', ') into names from pg_attribute
        where attrelid = child.parent and attnum > 0 and not attisdropped;
        execute format(
            'insert into %s (%s) select %s from %s', child.target, names, names, child.source
        );
        execute format('drop table %s', child.source);
    end loop;
end $$
"""


def upgrade() -> None:
    """Add what histories and large versions need; nothing that is stored is touched."""
    op.add_column("layer_version", _text("mode"))
    op.add_column("layer_version", _text("relation"))
    for table in _SEARCHED:
        op.add_column(table, _text("search"))
    op.execute(_DROP_RELATION)
    op.execute(_TRIGGER)
    _events()
    _lineage()
    _quarantine()
    op.execute(_LOADS_SO_FAR)


def downgrade() -> None:
    """Back to shared tables; history, lineage and refused rows are lost."""
    op.execute(_GATHER)
    for table in ("quarantine_row", "quarantine_load", "plot_lineage", "layer_event"):
        op.drop_table(table)
    op.execute("drop trigger drop_version_relation on layer_version")
    op.execute("drop function drop_version_relation()")
    for table in _SEARCHED:
        op.drop_column(table, "search")
    op.drop_column("layer_version", "relation")
    op.drop_column("layer_version", "mode")


def _events() -> None:
    op.create_table(
        "layer_event",
        _id(),
        _text("layer_id", False),
        _now("at"),
        _text("who", False),
        _text("action", False),
        sa.Column("from_number", sa.Integer()),
        sa.Column("to_number", sa.Integer()),
        _text("note", False),
        sa.PrimaryKeyConstraint("id", name="pk_layer_event"),
        sa.CheckConstraint(
            "action in ('load', 'rollback', 'delete')", name=op.f("ck_layer_event_action")
        ),
    )
    op.create_index("ix_layer_event_layer_id", "layer_event", ["layer_id"])


def _lineage() -> None:
    op.create_table(
        "plot_lineage",
        _id(),
        _text("layer_id", False),
        sa.Column("from_number", sa.Integer(), nullable=False),
        sa.Column("to_number", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        _text("kind", False),
        _text("old_key", False),
        _text("new_key", False),
        sa.Column("old_m2", sa.Float(53), nullable=False),
        sa.Column("new_m2", sa.Float(53), nullable=False),
        sa.Column("shared_m2", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plot_lineage"),
        sa.ForeignKeyConstraint(
            ["layer_id"], ["layer.id"], name="fk_plot_lineage_layer_id_layer", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "kind in ('split', 'merge', 'redivision', 'renumbering')",
            name=op.f("ck_plot_lineage_kind"),
        ),
    )
    op.create_index("ix_plot_lineage_old", "plot_lineage", ["layer_id", "old_key"])
    op.create_index("ix_plot_lineage_new", "plot_lineage", ["layer_id", "new_key"])


def _quarantine() -> None:
    op.create_table(
        "quarantine_load",
        _text("id", False),
        _text("layer_id", False),
        _now("at"),
        _text("who", False),
        _text("source_file", False),
        _text("source_format", False),
        _text("source_crs"),
        sa.Column("source_schema", sa.LargeBinary(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine_load"),
    )
    op.create_index("ix_quarantine_load_layer_id", "quarantine_load", ["layer_id"])
    op.create_table(
        "quarantine_row",
        _text("load_id", False),
        sa.Column("row_number", sa.BigInteger(), nullable=False),
        _text("key"),
        sa.Column("reasons", JSONB(), nullable=False),
        sa.Column("attrs", JSONB(), nullable=False),
        sa.Column("source_geom", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("load_id", "row_number", name="pk_quarantine_row"),
        sa.ForeignKeyConstraint(
            ["load_id"],
            ["quarantine_load.id"],
            name="fk_quarantine_row_load_id_quarantine_load",
            ondelete="CASCADE",
        ),
    )


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False)


def _text(name: str, nullable: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _now(name: str) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )
