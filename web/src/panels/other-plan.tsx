import { useApp } from "../app.ts";
import { formatNumber } from "../format.ts";
import { differences, planChange } from "../store.ts";
import { SiteLinks } from "./site-link.tsx";

/** Says on the map whose plan is shown, and takes it off again. */
export function ShownPlan() {
  const { state, actions, t, lang } = useApp();
  const change = planChange(state);
  if (!change) return null;
  const { plan, enter, leave } = change;
  const n = (value: number) => formatNumber(lang, value);
  return (
    <p class="shown-plan">
      <b>{t(plan.study === "pareto" ? "frontPoint" : "otherPlan")} {n(plan.number)}</b>{" "}
      <span class="sign-enter">+</span> {n(enter.length)} {t("enter")}{" "}
      <span class="sign-leave">−</span> {n(leave.length)} {t("leave")}{" "}
      {state.otherPlan && !state.glimpse && (
        <button type="button" class="link" onClick={() => actions.showPlan(null)}>{t("backToPlan")}</button>
      )}
    </p>
  );
}

/** Who comes and who goes when the run's plan is left for these sites. */
export function PlanDifference({ sites }: { sites: readonly string[] }) {
  const { state, t } = useApp();
  const { enter, leave } = differences(state, sites);
  if (enter.length + leave.length === 0) return <p class="quiet">{t("samePlan")}</p>;
  const ids = (list: { site_id: string }[]) => list.map((site) => site.site_id);
  return (
    <div class="difference">
      <div><h4><span class="sign-enter" aria-hidden="true">+</span> {t("entering")}</h4><SiteLinks ids={ids(enter)} /></div>
      <div><h4><span class="sign-leave" aria-hidden="true">−</span> {t("leaving")}</h4><SiteLinks ids={ids(leave)} /></div>
    </div>
  );
}
