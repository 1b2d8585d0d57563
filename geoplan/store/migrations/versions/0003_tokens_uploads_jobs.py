"""Tokens, uploads, and the jobs that load them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_STATES = (
    "state in ('queued', 'running', 'checked', 'loading', 'done', 'refused', 'failed', 'cancelled')"
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "access_token",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        _text("name", False),
        _text("sha256", False),
        _now("created_at"),
        _moment("revoked_at"),
        _moment("last_used"),
        sa.PrimaryKeyConstraint("id", name="pk_access_token"),
        sa.UniqueConstraint("sha256", name="uq_access_token_sha256"),
    )
    op.create_index(
        "uq_access_token_name_in_use",
        "access_token",
        ["name"],
        unique=True,
        postgresql_where=sa.text("revoked_at is null"),
    )
    op.create_table(
        "upload",
        _text("id", False),
        _text("place", False),
        _text("name", False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        _text("sha256", False),
        _text("sent_by", False),
        _now("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_upload"),
        sa.UniqueConstraint(
            "place", "sha256", "bytes", "name", name="uq_upload_place_sha256_bytes_name"
        ),
    )
    op.create_table(
        "load_job",
        _text("id", False),
        _text("upload_id", False),
        _text("layer_id", False),
        sa.Column("options", JSONB(), nullable=False),
        _text("phase", False),
        _text("state", False),
        _text("asked_by", False),
        _text("confirmed_by"),
        _now("created_at"),
        _moment("started_at"),
        _moment("finished_at"),
        _text("worker"),
        _moment("heartbeat"),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("stop_asked", sa.Boolean(), nullable=False),
        sa.Column("progress", JSONB()),
        sa.Column("checked_against", sa.BigInteger()),
        sa.Column("summary", JSONB()),
        sa.Column("problem", JSONB()),
        sa.Column("version_id", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_load_job"),
        sa.CheckConstraint("phase in ('check', 'load')", name=op.f("ck_load_job_phase")),
        sa.CheckConstraint(_STATES, name=op.f("ck_load_job_state")),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["upload.id"], name="fk_load_job_upload_id_upload", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["layer_version.id"],
            name="fk_load_job_version_id_layer_version",
            ondelete="SET NULL",
        ),
    )
    op.create_index("ix_load_job_upload_id", "load_job", ["upload_id"])
    op.create_index(
        "ix_load_job_waiting",
        "load_job",
        ["created_at"],
        postgresql_where=sa.text("state in ('queued', 'running', 'loading')"),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("load_job", "upload", "access_token"):
        op.drop_table(table)


def _text(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _moment(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True))


def _now(name: str) -> sa.Column[Any]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )
