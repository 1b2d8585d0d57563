import type { AlternativesStudy, MethodsStudy } from "../api/studies.ts";
import { useApp } from "../app.ts";
import { formatMoney, formatNumber, formatPercent, formatScore } from "../format.ts";
import { codeText } from "../i18n/index.ts";
import { dataOf, inclusionOf } from "../store.ts";
import type { OtherPlan } from "../store.ts";
import { Front } from "./front.tsx";
import { PlanDifference } from "./other-plan.tsx";
import { Bar, Failure, Fold, Loaded } from "./parts.tsx";

/** What was asked beside the plan; only what this run has. */
export function Studies() {
  const { state, actions, t, name, lang } = useApp();
  const { pareto, inclusion, alternatives, methods, backtest } = state.studies;
  const retry = () => void (state.runId !== null && actions.chooseRun(state.runId));
  const failed = Object.values(state.studies).find((load) => load?.state === "error");
  if (!Object.keys(state.studies).length) return null;
  return (
    <section class="studies">
      <h3>{t("studies")}</h3>
      {failed?.state === "error" && <Failure error={failed.error} retry={retry} />}
      {pareto && pareto.state !== "error" && (
        <Fold title={t("front")} count={formatNumber(lang, dataOf(pareto, null)?.points.length ?? 0)} open>
          <Loaded load={pareto}>{(study) => <Front study={study} />}</Loaded>
        </Fold>
      )}
      {alternatives && alternatives.state !== "error" && (
        <Fold title={t("alternatives")} count={formatNumber(lang, dataOf(alternatives, null)?.plans.length ?? 0)}>
          <Loaded load={alternatives}>{(study) => <Alternatives study={study} />}</Loaded>
        </Fold>
      )}
      {inclusion?.state === "ready" && (
        <p class="quiet study-note">
          {t("inclusionNote").replace("{plans}", formatNumber(lang, inclusion.data.plans))}
          {inclusion.data.infeasible > 0
            && ` ${t("inclusionLost").replace("{n}", formatNumber(lang, inclusion.data.infeasible))}`}
        </p>
      )}
      {methods?.state === "ready" && (
        <Fold title={t("agreement")} count={formatNumber(lang, methods.data.methods.length)}>
          <Agreement study={methods.data} />
        </Fold>
      )}
      {backtest?.state === "ready" && (
        <Fold title={t("backtest")} open>
          <p>{name(backtest.data.text)}</p>
          <p class="quiet">{t("backtestHint")}</p>
        </Fold>
      )}
    </section>
  );
}

function Alternatives({ study }: { study: AlternativesStudy }) {
  const { state, actions, t, lang, currency } = useApp();
  const { worth } = study.best;
  if (study.plans.length === 0) return <p class="quiet">{t("alternativesNone")}</p>;
  return (
    <>
      <p class="quiet">{t("alternativesHint").replace("{share}", formatPercent(lang, 1 - study.within, 1))}</p>
      <ul class="list">
        {study.plans.map((plan) => {
          const other: OtherPlan = { study: "alternatives", number: plan.number, sites: plan.sites };
          const shown = state.otherPlan?.study === "alternatives" && state.otherPlan.number === plan.number;
          return (
            <li key={plan.number}>
              <button
                type="button"
                class="row"
                aria-pressed={shown}
                onMouseEnter={() => actions.glimpse(other)}
                onMouseLeave={() => actions.glimpse(null)}
                onClick={() => actions.showPlan(other)}
              >
                <span class="row-main">
                  <span>{t("otherPlan")} {formatNumber(lang, plan.number)}</span>
                  <span class="quiet">
                    {formatNumber(lang, plan.enter.length)} {t("enter")} · {formatNumber(lang, plan.leave.length)} {t("leave")}
                    {plan.cost !== null && ` · ${formatMoney(lang, plan.cost, currency)}`}
                  </span>
                </span>
                <span class="row-figure" title={t("lossHint")}>
                  <span class="visually-hidden">{t("lossHint")} </span>
                  {worth ? <bdi>{`−${formatPercent(lang, Math.max(plan.loss, 0) / worth, 2)}`}</bdi> : formatScore(lang, plan.loss, 3)}
                </span>
              </button>
              {shown && <PlanDifference sites={plan.sites} />}
            </li>
          );
        })}
      </ul>
    </>
  );
}

/** How far the methods agree with the score, and with each other. */
function Agreement({ study }: { study: MethodsStudy }) {
  const { t, lang } = useApp();
  const held = new Set(study.agreement.flatMap((pair) => [pair.first, pair.second]));
  const names = ["score", ...study.methods].filter((method) => held.has(method));
  const word = (method: string) => method === "score" ? t("score") : codeText(lang, "ranking", method);
  const between = (a: string, b: string) =>
    study.agreement.find((p) => (p.first === a && p.second === b) || (p.first === b && p.second === a));
  return (
    <>
      <p class="quiet">{t("agreementHint")}</p>
      <div class="scroll">
        <table>
          <thead>
            <tr><th />{names.slice(0, -1).map((n) => <th key={n}>{word(n)}</th>)}</tr>
          </thead>
          <tbody>
            {names.slice(1).map((a, i) => (
              <tr key={a}>
                <th scope="row">{word(a)}</th>
                {names.slice(0, -1).map((b, j) => {
                  const tau = j <= i ? between(a, b)?.kendall_tau_b : null;
                  return <td key={b}>{tau === null || tau === undefined ? "" : formatScore(lang, tau)}</td>;
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** How often a site stays in the plan, with a line of one standard error either way. */
export function InclusionBar({ id }: { id: string }) {
  const { state, t, lang } = useApp();
  const found = inclusionOf(state, id);
  if (!found) return null;
  const { share, error } = found;
  const low = Math.max(share - error, 0) * 100;
  const high = Math.min(share + error, 1) * 100;
  return (
    <span class="inclusion" title={t("inclusion")}>
      <span class="bar" aria-hidden="true">
        <span style={{ width: `${share * 100}%`, background: "#2f6f8f" }} />
        <i style={{ insetInlineStart: `${low}%`, width: `${high - low}%` }} />
      </span>
      <span>
        <span class="visually-hidden">{t("inclusion")} </span>
        {formatPercent(lang, share)} <span class="quiet">± {formatPercent(lang, error)}</span>
      </span>
    </span>
  );
}

/** How firm a site's place is: in plans solved again, in drawn ranks, by other methods. */
export function Firmness({ id }: { id: string }) {
  const { state, t, lang } = useApp();
  const inclusion = inclusionOf(state, id);
  const smaa = dataOf(state.studies.smaa, null);
  const drawn = smaa?.sites.find((site) => site.site_id === id);
  const methods = dataOf(state.studies.methods, null);
  if (!inclusion && !drawn && !methods) return null;
  const rank = (method: string): string => {
    const known = methods?.ranks?.[id]?.[method];
    if (known !== undefined) return formatNumber(lang, known);
    const at = methods?.best[method]?.indexOf(id) ?? -1;
    return at >= 0
      ? formatNumber(lang, at + 1)
      : t("rankBelow").replace("{top}", formatNumber(lang, methods?.top ?? 0));
  };
  return (
    <section>
      <h3>{t("firmness")}</h3>
      {inclusion && (
        <>
          <p class="quiet">{t("inclusionOf").replace("{plans}", formatNumber(lang, inclusion.plans))}</p>
          <InclusionBar id={id} />
        </>
      )}
      {drawn && smaa && (
        <ul class="bars">
          <li>
            <div class="bar-head">
              <span>{t("rankTop").replace("{top}", formatNumber(lang, smaa.top))}</span>
              <b>{formatPercent(lang, drawn.top_acceptability, 1)} <span class="quiet">± {formatPercent(lang, drawn.standard_error, 1)}</span></b>
            </div>
            <Bar share={drawn.top_acceptability} color="#3aa58a" />
          </li>
          <li>
            <div class="bar-head">
              <span>{t("rankFirst")}</span>
              <b>{formatPercent(lang, drawn.first_acceptability, 1)}</b>
            </div>
            <Bar share={drawn.first_acceptability} color="#3aa58a" />
          </li>
        </ul>
      )}
      {methods && (
        <dl class="facts ranks">
          {methods.methods.map((method) => (
            <div class="fact" key={method}>
              <dt>{t("rankBy")} {codeText(lang, "ranking", method)}</dt>
              <dd>{rank(method)}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}
