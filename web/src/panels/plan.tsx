import type { CandidateSummary } from "../api/client.ts";
import { useApp } from "../app.ts";
import { formatNumber, formatQuantity, formatScore } from "../format.ts";
import type { LabelLike } from "../i18n/index.ts";
import { chosenSites, dataOf } from "../store.ts";
import { Bar, Failure, Loaded, Ticks } from "./parts.tsx";
import { Relaxations, RunFolds, RunHead } from "./run.tsx";
import { InclusionBar, Studies } from "./studies.tsx";

/** The plan: how it ended and which sites it holds. */
export function PlanPanel() {
  const { state, actions, t } = useApp();
  const { runId } = state;
  if (state.runs.state === "error") {
    return <div class="panel-body"><Failure error={state.runs.error} retry={() => location.reload()} /></div>;
  }
  if (state.runs.state !== "ready") {
    return <div class="panel-body"><Loaded load={state.runs}>{() => null}</Loaded></div>;
  }
  if (runId === null) return <div class="panel-body"><NoRun /></div>;
  const retry = () => void actions.chooseRun(runId);
  return (
    <div class="panel-body">
      <Loaded load={state.run} retry={retry}>
        {(run) => (
          <>
            <RunHead run={run} />
            {run.status === "infeasible" && <Relaxations run={run} />}
            {run.status !== "infeasible" && (
              <section>
                <h3>{t("chosenSites")} <span class="quiet">{t("chosenSitesHint")}</span></h3>
                <Loaded load={state.candidates} retry={retry}>
                  {() => (
                    <ol class="list">
                      {chosenSites(state).map((site, i) => (
                        <SiteRow key={site.site_id} site={site} number={i + 1} />
                      ))}
                    </ol>
                  )}
                </Loaded>
              </section>
            )}
            <Studies />
            <RunFolds run={run} />
          </>
        )}
      </Loaded>
    </div>
  );

  function NoRun() {
    const profile = dataOf(state.info, null)?.profile_id;
    return (
      <div class="empty">
        <svg viewBox="0 0 64 48" width="72" height="54" aria-hidden="true">
          <path d="M4 40 22 30l18 8 20-12" fill="none" stroke="#b9c2cb" stroke-width="2" stroke-dasharray="4 4" />
          <circle cx="22" cy="18" r="9" fill="none" stroke="#8795a3" stroke-width="2" />
          <path d="M22 27v6" stroke="#8795a3" stroke-width="2" />
        </svg>
        <h2>{t("noRunTitle")}</h2>
        <p>{t("noRunText")}</p>
        <pre dir="ltr" data-raw tabIndex={0}>{`geoplan site run ${profile === "iran" ? "iran_large_estates" : "…"}`}</pre>
        <p>{t("noRunAfter")}</p>
        <p class="visually-hidden"><Ticks text="`geoplan site run`" /></p>
      </div>
    );
  }
}

function SiteRow({ site, number }: { site: CandidateSummary; number: number }) {
  const { state, actions, map, name, lang, t, comma } = useApp();
  const current = state.selection?.kind === "site" && state.selection.id === site.site_id;
  const places = site.regions.map((r) => name(r["name"] as LabelLike, String(r["code"] ?? "")));
  return (
    <li>
      <button
        type="button"
        class="row"
        aria-current={current ? "true" : undefined}
        onClick={() => {
          void actions.select({ kind: "site", id: site.site_id });
          map.reveal(site.lon, site.lat);
        }}
      >
        <span class="pin" aria-label={`${t("site")} ${formatNumber(lang, number)}`}>{formatNumber(lang, number)}</span>
        <span class="row-main">
          <span>{places[1] ?? places[0] ?? site.site_id}</span>
          <span class="quiet">
            {[...places.slice(0, places.length > 1 ? 1 : 0), formatQuantity(lang, Math.round(site.area_ha), "ha")].join(comma)}
          </span>
          <InclusionBar id={site.site_id} />
        </span>
        <span class="row-figure" title={t("score")}>
          <span class="visually-hidden">{t("score")} </span>
          {formatScore(lang, site.score)}
          <Bar share={site.score} color="#3aa58a" />
        </span>
      </button>
    </li>
  );
}
