import type { RunDetail } from "../api/client.ts";
import { runFile } from "../api/client.ts";
import { useApp } from "../app.ts";
import { formatDate, formatMeasure, formatMoney, formatNumber, formatPercent, formatQuantity } from "../format.ts";
import { codeText } from "../i18n/index.ts";
import type { LabelLike } from "../i18n/index.ts";
import { resourceColor } from "../map/palette.ts";
import { chosenSites, dataOf } from "../store.ts";
import { Assumed, Bar, Fact, Fold, Raw, Synthetic } from "./parts.tsx";

/** What a run is: how it ended, what it rests on, what it may be held to. */
export function RunHead({ run }: { run: RunDetail }) {
  const { state, t, name, lang, jalali, currency, priceYear } = useApp();
  const chosen = chosenSites(state);
  const area = chosen.reduce((sum, site) => sum + site.area_ha, 0);
  const supply = dataOf(state.supply, []);
  const cost = supply.reduce((sum, line) => sum + line.cost, 0);
  const good = run.status === "optimal" || run.status === "within-gap";
  return (
    <section class="run-head">
      <h2>{name(run.title, run.scenario_id)}</h2>
      <p class="chips">
        <span class={good ? "chip chip-good" : "chip chip-warn"}>{codeText(lang, "status", run.status)}</span>
        {run.assumed && <Assumed />}
        {run.synthetic && <Synthetic />}
      </p>
      <div class="figures">
        <div class="figure"><b>{formatNumber(lang, run.sites)}</b><span>{t("sites")}</span></div>
        <div class="figure"><b>{formatNumber(lang, run.candidates)}</b><span>{t("candidates")}</span></div>
        {area > 0 && (
          <div class="figure">
            <b>{formatNumber(lang, area)}</b>
            <span>{t("hectares")}</span>
          </div>
        )}
      </div>
      <dl class="facts">
        {cost > 0 && (
          <Fact term={t("totalCost")}>
            {formatMoney(lang, cost, currency)}
            {priceYear && <span class="quiet"> ({t("pricesOf")} {formatDate(lang, priceYear, jalali)})</span>}
          </Fact>
        )}
        {run.gap !== null && <Fact term={t("gap")}>{formatPercent(lang, run.gap, 3)}</Fact>}
        <Fact term={t("madeOn")}>{formatDate(lang, run.created_at, jalali)}</Fact>
      </dl>
    </section>
  );
}

const relaxKinds = ["headroom", "supply", "region-cap", "spacing", "quota", "count", "budget"];

/** Where no plan exists: which limits would have to move, and by how much. */
export function Relaxations({ run }: { run: RunDetail }) {
  const { t } = useApp();
  return (
    <section class="notice notice-warn">
      <strong>{t("status_infeasible")}</strong>
      {run.relaxations.length === 0 ? <p>{t("infeasibleNothing")}</p> : (
        <>
          <p>{t("infeasibleText")}</p>
          <ul class="moves">
            {run.relaxations.map((move) => <Move key={String(move["limit"])} move={move} />)}
          </ul>
        </>
      )}
    </section>
  );
}

function Move({ move }: { move: Record<string, unknown> }) {
  const { state, t, name, lang, currency } = useApp();
  const limit = String(move["limit"] ?? "");
  const label = String(move["label"] ?? limit);
  const [kind = "", first = "", ...rest] = limit.split(":");
  const unit = String(move["unit"] ?? "");
  const { value, needed } = move;
  const figure = (amount: unknown) => {
    if (typeof amount !== "number") return t("unknown");
    return unit === "currency" ? formatMoney(lang, amount, currency) : formatQuantity(lang, amount, unit);
  };
  const by = typeof value === "number" && typeof needed === "number" ? needed - value : 0;
  return (
    <li>
      <b>{relaxKinds.includes(kind) ? codeText(lang, "relax", kind) : <Raw>{label}</Raw>}</b>{" "}
      <span class="quiet">{about()}</span>
      <div class="bar-foot">
        <span>{t("now")} <b>{figure(value)}</b></span>
        <span>{t("needed")} <b>{figure(needed)}</b></span>
        {by !== 0 && (
          <span class="badge">
            {t("change")} <bdi dir="ltr">{(by > 0 ? "+" : "−") + formatMeasure(lang, Math.abs(by))}</bdi>
          </span>
        )}
      </div>
    </li>
  );

  /** What the limit is about: a resource and its source, a region, or the other way out. */
  function about() {
    if (limit === "count:all-limits-kept") return t("relaxInstead");
    if (kind === "headroom" || kind === "supply") {
      const id = rest.join(":");
      const source = dataOf(state.sources, []).find((s) => s.source_id === id);
      return (
        <>
          {codeText(lang, "resource", first)}
          {id !== "" && <>{" · "}{source ? name(source.name, id) : <Raw>{id}</Raw>}</>}
        </>
      );
    }
    if (kind !== "region-cap") return null;
    const regions = Object.values(state.regions).flatMap((load) => dataOf(load, []));
    const region = regions.find((r) => r.code === first);
    return region ? name(region.name, first) : <Raw>{first}</Raw>;
  }
}

/** The run's small print, folded. */
export function RunFolds({ run }: { run: RunDetail }) {
  const { t, name, lang } = useApp();
  const limits = Object.entries(run.limits).filter(([key, value]) => told(key, value));
  const count = (n: number) => formatNumber(lang, n);
  return (
    <>
      <SourcesUsed />
      {run.assumptions.length > 0 && (
        <Fold title={t("assumptions")} count={count(run.assumptions.length)}>
          <ul>{run.assumptions.map((a, i) => <li key={i}>{name(a)} <Assumed /></li>)}</ul>
        </Fold>
      )}
      {run.warnings.length > 0 && (
        <Fold title={t("warnings")} count={count(run.warnings.length)}>
          <ul>{run.warnings.map((warning, i) => <li key={i}>{name(warning)}</li>)}</ul>
        </Fold>
      )}
      {run.criteria.length > 0 && (
        <Fold title={t("criteriaWeights")} count={count(run.criteria.length)}>
          <ul class="bars">
            {run.criteria.map((c) => {
              const weight = Number(c["weight"] ?? 0);
              return (
                <li key={String(c["id"])}>
                  <div class="bar-head">
                    <span>{name(c["title"] as LabelLike, String(c["id"]))}</span>
                    <b>{formatPercent(lang, weight, 1)}</b>
                  </div>
                  <Bar share={weight} color="#3aa58a" />
                </li>
              );
            })}
          </ul>
        </Fold>
      )}
      {limits.length > 0 && (
        <Fold title={t("limits")}>
          <dl class="facts">
            {limits.map(([key, value]) => (
              <Fact key={key} term={codeText(lang, "limit", key)}><LimitValue name={key} value={value} /></Fact>
            ))}
          </dl>
        </Fold>
      )}
      {run.timings.length > 0 && (
        <Fold title={t("timings")}>
          <div class="scroll">
            <table>
              <thead><tr><th>{t("step")}</th><th>{t("seconds")}</th><th>{t("peakMemory")}</th></tr></thead>
              <tbody>
                {run.timings.map((line, i) => (
                  <tr key={i}>
                    <th scope="row"><Step id={String(line["step"])} /></th>
                    <td>{formatMeasure(lang, Number(line["seconds"]))}</td>
                    <td>{formatQuantity(lang, Math.round(Number(line["peak_mb"])), "MB")}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Fold>
      )}
      {run.files.length > 0 && (
        <Fold title={t("files")} count={count(run.files.length)}>
          <ul class="plain">
            {run.files.map((file) => (
              <li key={file}><a href={runFile(run.id, file)} dir="ltr" data-raw>{file}</a></li>
            ))}
          </ul>
        </Fold>
      )}
    </>
  );
}

function Step({ id }: { id: string }) {
  const { lang } = useApp();
  const words = codeText(lang, "step", id);
  return words === id ? <Raw>{id}</Raw> : <>{words}</>;
}

/** Whether a limit says anything: empty lists and sites built whole go without saying. */
function told(name: string, value: unknown): boolean {
  if (name === "level_benefit") return false;
  if (name === "levels") return Array.isArray(value) && value.length > 1;
  if (name === "area_ha_min") return value !== null && value !== undefined;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== "object" || value === null || Object.keys(value).length > 0;
}

function LimitValue({ name, value }: { name: string; value: unknown }) {
  const { t, lang, currency, comma } = useApp();
  if (value === null || value === undefined) return <>{t("notLimited")}</>;
  if (name === "levels" && Array.isArray(value)) {
    return <>{value.map((share) => formatPercent(lang, Number(share))).join(comma)}</>;
  }
  if (name === "shortfall" && typeof value === "object") {
    return <>{Object.keys(value).map((resource) => codeText(lang, "resource", resource)).join(comma)}</>;
  }
  if (Array.isArray(value)) return <>{formatNumber(lang, value.length)}</>;
  if (typeof value !== "number") return <Raw>{String(value)}</Raw>;
  if (name === "budget" || name === "cost_per_score_point") return <>{formatMoney(lang, value, currency)}</>;
  if (name.endsWith("_share_min")) return <>{formatPercent(lang, value)}</>;
  if (name === "gap") return <>{formatPercent(lang, value, 3)}</>;
  if (name === "area_ha_min") return <>{formatQuantity(lang, value, "ha")}</>;
  const unit = name.endsWith("_km") ? "km" : name.endsWith("_s") ? "s" : "";
  return <>{formatQuantity(lang, value, unit)}</>;
}

function SourcesUsed() {
  const { state, t, name, lang } = useApp();
  const used = dataOf(state.sources, [])
    .filter((source) => source.used > 0)
    .map((source) => ({ source, share: source.headroom > 0 ? source.used / source.headroom : 1 }))
    .sort((a, b) => b.share - a.share);
  if (used.length === 0) return null;
  return (
    <Fold title={t("sourcesUsed")} count={formatNumber(lang, used.length)}>
      <p class="quiet">{t("sourcesUsedHint")}</p>
      <ul class="bars">
        {used.map(({ source, share }) => (
          <li key={`${source.source_id}-${source.resource}`}>
            <div class="bar-head">
              <span>
                {name(source.name) || <Raw>{source.source_id}</Raw>}{" "}
                {source.basis === "assumed" && <Assumed />}
              </span>
              <b>{formatPercent(lang, share)}</b>
            </div>
            <Bar share={share} color={resourceColor[source.resource]} />
            <div class="bar-foot quiet">
              <span>{codeText(lang, "resource", source.resource)}</span>
              <span>
                {formatMeasure(lang, source.used)} {t("of")} {formatQuantity(lang, source.headroom, source.unit)}
              </span>
            </div>
          </li>
        ))}
      </ul>
    </Fold>
  );
}
