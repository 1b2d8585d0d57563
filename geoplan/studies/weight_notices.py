"""What a reader must be told about the weights."""

from __future__ import annotations

from collections.abc import Iterator

from geoplan.catalogue.text import Text
from geoplan.mcda.ahp import CR_LIMIT, AhpResult
from geoplan.mcda.ahp_group import GroupResult
from geoplan.mcda.ahp_hierarchy import HierarchyResult
from geoplan.mcda.bwm import BwmResult
from geoplan.mcda.objective import ObjectiveResult
from geoplan.siting.sentences import Amount, both

__all__ = ["ahp_notices", "bwm_notices", "direct_notices", "objective_notices"]


def direct_notices(total: float) -> tuple[Text, ...]:
    """Say that weights were scaled, where their sum was not 1."""
    if abs(total - 1) <= 1e-6:
        return ()
    return (
        both(
            "The weights as given sum to {total} and were divided by that sum.",
            "جمع وزن‌های داده‌شده {total} است؛ هر وزن بر این جمع تقسیم شد.",
            total=total,
        ),
    )


def _tables(found: AhpResult | HierarchyResult) -> Iterator[AhpResult]:
    if isinstance(found, AhpResult):
        yield found
    else:
        yield found.top
        yield from found.within.values()


def ahp_notices(found: AhpResult | HierarchyResult | GroupResult) -> tuple[Text, ...]:
    """Say which judgments are missing, and which judge's contradict each other."""
    results = [found] if not isinstance(found, GroupResult) else list(found.judges.values())
    notices = []
    tables = [table for result in results for table in _tables(result)]
    missing = sum(table.missing for table in tables)
    asked = sum(len(table.weights) * (len(table.weights) - 1) // 2 for table in tables)
    if missing:
        notices.append(
            both(
                "{missing} of {asked} pairwise judgments are missing; the others imply them.",
                "{missing} مقایسهٔ زوجی از {asked} مقایسه انجام نشده و از بقیه نتیجه گرفته شده است.",
                missing=missing,
                asked=asked,
            )
        )
    if any(table.missing and table.random_index == 0 for table in tables):
        notices.append(
            both(
                "Where so many judgments are missing that none checks another, "
                "the consistency ratio is 0 by definition and says nothing.",
                "در جدولی که هیچ مقایسه‌ای مقایسهٔ دیگر را نمی‌سنجد، "
                "نرخ سازگاری بنا به تعریف صفر است و چیزی را نشان نمی‌دهد.",
            )
        )
    if isinstance(found, GroupResult):
        for judge, own in found.judges.items():
            worst = max(table.cr for table in _tables(own))
            if worst > CR_LIMIT:
                notices.append(
                    both(
                        "The judgments of «{judge}» contradict each other (consistency ratio "
                        "{cr}); only the merged judgments were held to the limit of {limit}.",
                        "مقایسه‌های «{judge}» با هم سازگار نیست (نرخ سازگاری {cr})؛ "
                        "تنها مقایسه‌های تجمیع‌شده با حد {limit} سنجیده شد.",
                        judge=judge,
                        cr=Amount(worst, "", 3),
                        limit=Amount(CR_LIMIT, "", 2),
                    )
                )
    return tuple(notices)


def bwm_notices(found: BwmResult) -> tuple[Text, ...]:
    """Say where no threshold of consistency is published."""
    if found.check.accepted is not None:
        return ()
    return (
        both(
            "The best-worst judgments have an input-based consistency ratio of {ratio}; "
            "no threshold is published for this number of criteria and this scale.",
            "نرخ سازگاری ورودی مقایسه‌های بهترین–بدترین {ratio} است؛ "
            "برای این تعداد معیار و این مقیاس آستانهٔ منتشرشده‌ای وجود ندارد.",
            ratio=Amount(found.check.ratio, "", 3),
        ),
    )


def objective_notices(found: ObjectiveResult) -> tuple[Text, ...]:
    """Say which rows were left out and which values raised."""
    notices = []
    if found.used < found.rows:
        notices.append(
            both(
                "Weights from the data: {left} of {rows} sampled cells lack a value and were "
                "left out.",
                "در وزن‌دهی بر پایهٔ داده، {left} سلول از {rows} سلول نمونه مقدار کامل ندارد "
                "و کنار گذاشته شد.",
                left=found.rows - found.used,
                rows=found.rows,
            )
        )
    raised = sum(found.floored.values())
    if raised:
        notices.append(
            both(
                "Weights from the data: {raised} values were raised to the floor; "
                "the weights depend on it.",
                "در وزن‌دهی بر پایهٔ داده، {raised} مقدار تا کف تعیین‌شده بالا برده شد؛ "
                "وزن‌ها به این کف وابسته است.",
                raised=raised,
            )
        )
    return tuple(notices)
