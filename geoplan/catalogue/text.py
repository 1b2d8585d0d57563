"""Values shared by every YAML of the catalogue: two-language text and strict models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Basis", "Coefficient", "Identifier", "Status", "Strict", "Text"]

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_\-]{0,62}$")]
"""Lower-case name that is safe in a file name, a URL and a database key."""

Basis = Literal["metered", "licensed", "assumed"]
"""How a headroom figure is known."""

Status = Literal["in force", "superseded", "read", "calculated", "proposed", "unverified"]
"""How certain a rule or coefficient is; anything but ``in force``/``read``/``calculated`` is shown
with its status wherever it is used."""


class Strict(BaseModel):
    """Immutable model that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Text(Strict):
    """A label in English and in the country's own language."""

    en: str = Field(min_length=1, description="English text")
    fa: str | None = Field(None, description="Persian text")
    local: str | None = Field(None, description="Text in another local language")

    def in_language(self, language: str) -> str:
        """Return the text in ``language`` (``en``, ``fa`` or ``local``), else in English."""
        return (
            getattr(self, language, None) or self.local or self.en if language != "en" else self.en
        )


class Coefficient(Strict):
    """One number with its unit, basis and status."""

    value: float = Field(description="The number")
    unit: str = Field(description="Unit, for example m3/day/ha")
    basis: str = Field(description="Where it comes from: source, or how it was reasoned")
    status: Status = Field(description="How certain it is")
    as_of: str | None = Field(None, description="Date or year of the figure")
