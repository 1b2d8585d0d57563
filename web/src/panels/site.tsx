import type { SiteDetail, SupplyLine } from "../api/client.ts";
import { useApp } from "../app.ts";
import { formatMeasure, formatMoney, formatNumber, formatPercent, formatPlace, formatQuantity, formatScore, formatUnit } from "../format.ts";
import { codeText } from "../i18n/index.ts";
import { resourceColor } from "../map/palette.ts";
import { Assumed, Fact, Loaded, Raw } from "./parts.tsx";
import { Firmness } from "./studies.tsx";

/** Why a site stands where it does, and who serves it. */
export function SiteCard() {
  const { state, actions } = useApp();
  return (
    <Loaded load={state.site} retry={() => void actions.retrySelection()}>
      {(site) => <SiteFacts site={site} />}
    </Loaded>
  );
}

function SiteFacts({ site }: { site: SiteDetail }) {
  const { state, t, name, lang, map, currency, comma } = useApp();
  const total = state.candidates.state === "ready" ? state.candidates.data.length : 0;
  return (
    <>
      <p class="chips">
        <span class={site.in_portfolio ? "chip chip-good" : "chip"}>{t(site.in_portfolio ? "inPlan" : "notInPlan")}</span>
        {site.supply.some((line) => line.basis === "assumed") && (
          <span class="chip chip-plain">{t("supply")}: <Assumed /></span>
        )}
        <button type="button" class="chip chip-button" onClick={() => map.fit(site.bounds)}>{t("zoomTo")}</button>
      </p>
      <div class="figures">
        <div class="figure"><b>{formatScore(lang, site.score)}</b><span>{t("score")}</span></div>
        <div class="figure">
          <b>{formatNumber(lang, site.rank)}{total > 0 && <small> {t("of")} {formatNumber(lang, total)}</small>}</b>
          <span>{t("rank")}</span>
        </div>
        <div class="figure">
          <b>{formatNumber(lang, site.area_ha)}</b>
          <span>{t("area")}{comma}{formatUnit(lang, "ha")}</span>
        </div>
      </div>

      <section>
        <h3>{t(site.in_portfolio ? "whyHere" : "whyNot")}</h3>
        {site.reasons.length === 0 && <p class="quiet">{t("noReasons")}</p>}
        <ul class="reasons">
          {site.reasons.map((reason, i) => <li key={i} data-code={reason.code}>{name(reason.text)}</li>)}
        </ul>
      </section>

      <Firmness id={site.site_id} />

      <Contributions site={site} />

      <section>
        <h3>{t("supply")}</h3>
        {site.supply.length === 0
          ? <p class="quiet">{t("notServed")}</p>
          : (
            <>
              <p class="quiet">{t("supplyHint")}</p>
              <ul class="supply">
                {site.supply.map((line, i) => <SupplyRow key={i} line={line} />)}
              </ul>
            </>
          )}
      </section>

      <dl class="facts">
        {site.demand.map((need) => (
          <Fact key={need.resource} term={`${t("demand")}: ${codeText(lang, "resource", need.resource)}`}>
            {formatQuantity(lang, need.amount, need.unit)}
          </Fact>
        ))}
        {site.cost !== null && <Fact term={t("totalCost")}>{formatMoney(lang, site.cost, currency)}</Fact>}
        <Fact term={t("servedAlone")}>{t(site.served_alone ? "yes" : "no")}</Fact>
        <Fact term={t("location")}><bdi>{formatPlace(lang, site.lon, site.lat)}</bdi></Fact>
      </dl>
    </>
  );
}

/** The score, taken apart: each bar is weight × value, the frame is the weight. */
function Contributions({ site }: { site: SiteDetail }) {
  const { t, name, lang } = useApp();
  const most = Math.max(...site.criteria.map((c) => c.weight), 0.01);
  // Methods other than the weighted sum have parts that do not add up to the score.
  const adds = Math.abs(site.criteria.reduce((sum, c) => sum + c.contribution, 0) - site.score) < 0.01;
  const lines = [...site.criteria].sort((a, b) => b.contribution - a.contribution);
  return (
    <section>
      <h3>{t("scoreMadeOf")}</h3>
      <p class="quiet">{t(adds ? "scoreMadeOfHint" : "scoreNoSum")}</p>
      <ul class="bars">
        {lines.map((line) => (
          <li key={line.id}>
            <div class="bar-head">
              <span>{name(line.title, line.id)}</span>
              <b>{formatScore(lang, line.contribution, 3)}</b>
            </div>
            <span class="bar bar-frame" aria-hidden="true">
              {adds && <i style={{ width: `${(line.weight / most) * 100}%` }} />}
              <span style={{ width: `${(line.contribution / most) * 100}%` }} />
            </span>
            <div class="bar-foot quiet">
              <span>
                {t("measured")}{" "}
                <b>{line.measured === null ? t("unknown") : formatQuantity(lang, line.measured, line.unit)}</b>
              </span>
              {line.national_median !== null && (
                <span>{t("median")} {formatMeasure(lang, line.national_median)}</span>
              )}
              <span>{t("value")} {formatScore(lang, line.value)}</span>
              <span>{t("weight")} {formatPercent(lang, line.weight, 1)}</span>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function SupplyRow({ line }: { line: SupplyLine }) {
  const { t, name, lang, currency } = useApp();
  return (
    <li style={{ "--resource": resourceColor[line.resource] }}>
      <div class="bar-head">
        <span class="supply-name">
          <b>{codeText(lang, "resource", line.resource)}</b>{" "}
          {name(line.source_name) || <Raw>{line.source_id}</Raw>}
        </span>
        <b>{formatQuantity(lang, line.amount, line.unit)}</b>
      </div>
      <div class="bar-foot quiet">
        <span>{codeText(lang, "kind", line.kind)}</span>
        <span>
          {line.distance_km === null || (line.distance_km === 0 && line.kind !== "network")
            ? t("onSite")
            : `${t("distance")} ${formatQuantity(lang, line.distance_km, "km")}`}
        </span>
        <span>{t("cost")} {formatMoney(lang, line.cost, currency)}</span>
        {line.basis === "assumed" ? <Assumed /> : <span class="badge">{codeText(lang, "basis", line.basis)}</span>}
      </div>
    </li>
  );
}
