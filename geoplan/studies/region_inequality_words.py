"""What a reader of inequality between regions must be told."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from geoplan.catalogue.text import Text
from geoplan.siting.sentences import Amount, Named, both, joined
from geoplan.studies.region_fact import FactColumn
from geoplan.studies.region_plan import PlanJobs

__all__ = ["assumptions_of", "notices_of"]


def notices_of(
    frame: pd.DataFrame, columns: Mapping[str, FactColumn], level: int
) -> tuple[Text, ...]:
    """Return which regions are left out, and which figures are sums."""
    out = []
    lost = frame[~frame["counted"]]
    if len(lost):
        names = [
            Named.of(r.name_en, r.name_local, str(r.Index)) for r in lost.head(12).itertuples()
        ]
        out.append(
            both(
                "{count} of {all} regions are left out, a figure is not known or nobody lives "
                "there: {names}{more}",
                "{count} منطقه از {all} کنار گذاشته شد، زیرا رقمی نامعلوم است یا جمعیتی ندارد: "
                "{names}{more}",
                count=len(lost), all=len(frame), names=joined(names),
                more=" …" if len(lost) > 12 else "",
            )
        )  # fmt: skip
    orphans = frame[frame["counted"] & frame["group"].isna()]
    if level > 1 and len(orphans):
        out.append(
            both(
                "{count} regions belong to no loaded province: they count, but in no part of the "
                "decomposition",
                "{count} منطقه به هیچ استان بارشده‌ای تعلق ندارد: شمرده می‌شود، ولی در تجزیه نیست",
                count=len(orphans),
            )
        )
    for column in columns.values():
        if column.how == "summed":
            out.append(
                both(
                    "'{name}' is the sum over finer regions; a region with an unknown part is left "
                    "out",
                    "«{name}» جمع منطقه‌های ریزتر است؛ منطقهٔ دارای بخش نامعلوم کنار می‌ماند",
                    name=column.variable,
                )
            )
    return tuple(out)


def assumptions_of(
    plan: PlanJobs, frame: pd.DataFrame, columns: Mapping[str, FactColumn], level: int
) -> tuple[Text, ...]:
    """Return what exactly a plan adds, and what that assumes."""
    base, per = columns["fact"], columns["per"]
    out = [
        both(
            "To '{fact}' ({as_of}) of each region are added the jobs of the chosen sites that lie "
            "in it: {jobs} at {sites} sites of run {run}, by the jobs per hectare of the profile's "
            "demand classes.",
            "به «{fact}» ({as_of}) هر منطقه شغل‌های سایت‌های منتخب درون آن افزوده شده است: {jobs} در "
            "{sites} سایت از اجرای {run}، بر پایهٔ شغل در هکتار رده‌های تقاضای کشور.",
            fact=base.variable, as_of=base.as_of or "–", run=plan.run_id, sites=plan.sites,
            jobs=Amount(float(plan.by_region(level).sum()), "persons"),
        ),
        both(
            "Assumed: every job is new, is filled in the region of its site and takes none away "
            "elsewhere; '{per}' stays as it was; the sites are complete.",
            "فرض: هر شغل تازه است، در منطقهٔ سایت پر می‌شود و از جای دیگر نمی‌کاهد؛ «{per}» همان "
            "می‌ماند؛ سایت‌ها کامل شده‌اند.",
            per=per.variable,
        ),
    ]  # fmt: skip
    left = frame[~frame["counted"] & (frame["added"] > 0)]
    if len(left):
        out.append(
            both(
                "{jobs} lie in regions that are left out and count nowhere.",
                "{jobs} در منطقه‌های کنارگذاشته است و شمرده نشده است.",
                jobs=Amount(float(left["added"].sum()), "persons"),
            )
        )
    return (*out, *plan.notices(level))
