import type { FrontPoint, FrontStudy } from "../api/studies.ts";
import { useApp } from "../app.ts";
import { formatMeasure, formatMoney, formatNumber, formatPercent, formatQuantity, formatScore } from "../format.ts";
import { codeText } from "../i18n/index.ts";
import type { OtherPlan } from "../store.ts";
import { PlanDifference } from "./other-plan.tsx";
import { Fact } from "./parts.tsx";

const WIDTH = 312;
const HEIGHT = 218;
const SIDE = 46;
const EDGE = 16;
const TOP = 14;
const BOTTOM = 42;

const planOf = (point: FrontPoint): OtherPlan =>
  ({ study: "pareto", number: point.point, sites: point.sites });

/** Efficiency against equity: each point is a plan; pointing at it shows its sites on the map. */
export function Front({ study }: { study: FrontStudy }) {
  const { state, actions, t, lang } = useApp();
  const { points, plan } = study;
  if (points.length === 0) return <p class="quiet">{t("frontNone")}</p>;
  const near = state.glimpse ?? state.otherPlan;
  const shown = near?.study === "pareto" ? points.find((p) => p.point === near.number) : undefined;
  const pinned = state.otherPlan?.study === "pareto" ? state.otherPlan.number : null;
  const all = plan ? [...points, plan] : points;
  const rtl = lang === "fa";
  const across = scale(all.map((p) => p.equity), study.more_is_better);
  const up = scale(all.map((p) => p.efficiency), true);
  // To the reading end is fairer, whether more or less of the number is.
  const x = (value: number) => {
    const at = SIDE + (WIDTH - SIDE - EDGE) * across(value);
    return rtl ? WIDTH - at : at;
  };
  const y = (value: number) => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * up(value);
  const ends = (values: number[]) => [Math.min(...values), Math.max(...values)] as const;
  const figure = (value: number) =>
    study.equity_unit === "" ? formatScore(lang, value, 3) : formatMeasure(lang, Math.round(value));
  const steps = points.map((p, i) =>
    i === 0 ? `M${x(p.equity)} ${y(p.efficiency)}` : `V${y(p.efficiency)}H${x(p.equity)}`).join("");
  const [left, right] = rtl ? [EDGE, WIDTH - SIDE] : [SIDE, WIDTH - EDGE];
  const side = rtl ? WIDTH - SIDE + 6 : SIDE - 6;
  return (
    <>
      <p class="quiet">{t("frontHint")}</p>
      <svg class="front" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="group" aria-label={t("front")} direction={rtl ? "rtl" : "ltr"}>
        <path d={`M${left} ${TOP}V${HEIGHT - BOTTOM}M${right} ${TOP}V${HEIGHT - BOTTOM}M${left} ${TOP}H${right}M${left} ${HEIGHT - BOTTOM}H${right}`} class="front-frame" />
        {[...new Set(ends(points.map((p) => p.efficiency)))].map((value) => (
          <text key={value} x={side} y={y(value) + 4} text-anchor="end">{formatScore(lang, value)}</text>
        ))}
        {[...new Set(ends(points.map((p) => p.equity)))].map((value) => (
          <text key={value} x={x(value)} y={HEIGHT - BOTTOM + 15} text-anchor="middle">{figure(value)}</text>
        ))}
        <text x={(left + right) / 2} y={HEIGHT - 8} text-anchor="middle" class="front-axis">{t("equity")} {rtl ? "←" : "→"}</text>
        <text transform={`translate(${rtl ? WIDTH - 10 : 12} ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)`} text-anchor="middle" class="front-axis">{t("efficiency")} {rtl ? "←" : "→"}</text>
        <path d={steps} class="front-steps" />
        {plan && (
          <path class="front-plan" d={`M${x(plan.equity)} ${y(plan.efficiency) - 11}l11 11l-11 11l-11 -11z`}>
            <title>{t("frontPlan")}</title>
          </path>
        )}
        {points.map((point) => (
          <g
            key={point.point}
            class="front-point"
            role="button"
            tabIndex={0}
            aria-pressed={pinned === point.point}
            aria-label={`${t("frontPoint")} ${formatNumber(lang, point.point)}: ${t("efficiency")} ${formatScore(lang, point.efficiency)}، ${t("equity")} ${figure(point.equity)}`.replace("،", rtl ? "،" : ",")}
            data-open={point.proven ? undefined : ""}
            data-shown={shown === point ? "" : undefined}
            onMouseEnter={() => actions.glimpse(planOf(point))}
            onMouseLeave={() => actions.glimpse(null)}
            onFocus={() => actions.glimpse(planOf(point))}
            onBlur={() => actions.glimpse(null)}
            onClick={() => actions.showPlan(planOf(point))}
            onKeyDown={(event: KeyboardEvent) => {
              if (event.key !== "Enter" && event.key !== " ") return;
              event.preventDefault();
              actions.showPlan(planOf(point));
            }}
          >
            <circle class="front-reach" cx={x(point.equity)} cy={y(point.efficiency)} r="13" />
            <circle class="front-dot" cx={x(point.equity)} cy={y(point.efficiency)} r="6" />
          </g>
        ))}
      </svg>
      {!study.complete && <p class="quiet">{t("frontIncomplete")}</p>}
      <div class="front-told" aria-live="polite">
        {shown ? <PointFacts point={shown} study={study} /> : <p class="quiet">{t("frontChoose")}</p>}
      </div>
    </>
  );
}

function PointFacts({ point, study }: { point: FrontPoint; study: FrontStudy }) {
  const { t, lang, currency } = useApp();
  const change = (before: number | null, after: number | null) =>
    before === null || after === null
      ? null
      : `${formatScore(lang, before, 3)} ${lang === "fa" ? "←" : "→"} ${formatScore(lang, after, 3)}`;
  const gini = change(point.gini_before, point.gini_after);
  const theil = change(point.theil_t_before, point.theil_t_after);
  return (
    <>
      <h4>
        {t("frontPoint")} {formatNumber(lang, point.point)}
        {point.is_plan && <span class="chip chip-good">{t("frontPlan")}</span>}
        {!point.proven && <span class="chip chip-warn">{t("frontOpen")}</span>}
      </h4>
      <dl class="facts">
        <Fact term={t("efficiency")}>{formatScore(lang, point.efficiency, 3)}</Fact>
        <Fact term={`${t("equity")}: ${codeText(lang, "equity", study.objective)}`}>
          {study.equity_unit === ""
            ? formatScore(lang, point.equity, 4)
            : formatQuantity(lang, Math.round(point.equity), study.equity_unit)}
        </Fact>
        {point.share_less_industrialised !== null && (
          <Fact term={t("inLessIndustrialised")}>{formatPercent(lang, point.share_less_industrialised)}</Fact>
        )}
        {gini && <Fact term={t("gini")}>{gini}</Fact>}
        {theil && <Fact term={t("theil")}>{theil}</Fact>}
        {point.cost !== null && <Fact term={t("totalCost")}>{formatMoney(lang, point.cost, currency)}</Fact>}
      </dl>
      <PlanDifference sites={point.sites} />
    </>
  );
}

/** A number as its share of the way from the worst to the best, with some room at both ends. */
function scale(values: readonly number[], moreIsBetter: boolean): (value: number) => number {
  const low = Math.min(...values);
  const span = Math.max(...values) - low;
  const share = (value: number) => (span > 0 ? 0.08 + (0.84 * (value - low)) / span : 0.5);
  return moreIsBetter ? share : (value) => 1 - share(value);
}
