import { useState } from "preact/hooks";
import type { RegionDetail, RegionSummary } from "../api/client.ts";
import { useApp } from "../app.ts";
import { formatDate, formatMeasure, formatNumber, formatPercent, formatQuantity, formatScore } from "../format.ts";
import { classOf, quantileClasses, rampColor } from "../map/classes.ts";
import { indexRamp } from "../map/palette.ts";
import { chosenSites, dataOf } from "../store.ts";
import { LevelSwitch } from "./legend.tsx";
import { Bar, Fact, Fold, Loaded, Raw } from "./parts.tsx";

/** The regions of the coloured level, the least industrialised first. */
export function RegionsPanel() {
  const { state, t, name, lang } = useApp();
  const [search, setSearch] = useState("");
  const level = Math.max(state.level, 1);
  return (
    <div class="panel-body">
      <LevelSwitch />
      <label class="search">
        <span class="visually-hidden">{t("regionSearch")}</span>
        <input
          type="search"
          value={search}
          placeholder={t("regionSearch")}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
      </label>
      <Loaded load={state.regions[level]}>
        {(regions) => {
          const wanted = fold(search);
          const found = regions
            .filter((r) => wanted === "" || fold(`${r.name.en} ${r.name.local}`).includes(wanted))
            .sort((a, b) => (a.industrialisation ?? 2) - (b.industrialisation ?? 2)
              || name(a.name, a.code).localeCompare(name(b.name, b.code), lang));
          const color = colorOf(regions);
          if (found.length === 0) return <p class="quiet">{t("regionNone")}</p>;
          return (
            <ol class="list">
              {found.map((region) => <RegionRow key={region.code} region={region} color={color(region)} />)}
            </ol>
          );
        }}
      </Loaded>
    </div>
  );
}

/** Persian is typed with Arabic letters and half-spaces as often as without. */
const fold = (value: string): string =>
  value.toLowerCase().replaceAll("ي", "ی").replaceAll("ك", "ک").replace(/[\u200c\s]+/g, " ").trim();

function colorOf(regions: readonly RegionSummary[]) {
  const values = regions.flatMap((r) => (r.industrialisation === null ? [] : [r.industrialisation]));
  const classes = quantileClasses(values, indexRamp.length);
  return (region: RegionSummary): string | null =>
    region.industrialisation === null
      ? null
      : rampColor(indexRamp, classOf(classes, region.industrialisation), classes.length);
}

function RegionRow({ region, color }: { region: RegionSummary; color: string | null }) {
  const { state, actions, map, t, name, lang } = useApp();
  const { selection } = state;
  const current = selection?.kind === "region" && selection.code === region.code
    && selection.level === region.level;
  const parent = dataOf(state.regions[1], []).find((r) => r.code === region.parent_code);
  return (
    <li>
      <button
        type="button"
        class="row"
        aria-current={current ? "true" : undefined}
        onClick={() => {
          void actions.select({ kind: "region", level: region.level, code: region.code });
          if (region.bounds) map.fit(region.bounds);
        }}
      >
        <span class={color ? "box" : "box box-hatch"} style={color ? { background: color } : {}} aria-hidden="true" />
        <span class="row-main">
          <span>{name(region.name, region.code)}</span>
          {parent && region.level > 1 && <span class="quiet">{name(parent.name)}</span>}
        </span>
        <span class="row-figure">
          {region.industrialisation === null
            ? <span class="quiet">{t("tooLittleData")}</span>
            : formatScore(lang, region.industrialisation)}
        </span>
      </button>
    </li>
  );
}

/** Why a region counts as more or less industrialised. */
export function RegionCard() {
  const { state, actions } = useApp();
  return (
    <Loaded load={state.region} retry={() => void actions.retrySelection()}>
      {(region) => <RegionFacts region={region} />}
    </Loaded>
  );
}

function RegionFacts({ region }: { region: RegionDetail }) {
  const { state, t, name, lang, jalali } = useApp();
  const index = region.industrialisation;
  const ranked = dataOf(state.regions[region.level], []).filter((r) => r.industrialisation !== null).length;
  return (
    <>
      <div class="figures">
        <div class="figure">
          <b>{index === null ? "—" : formatScore(lang, index)}</b>
          <span>{t("industrialisation")}</span>
        </div>
        {region.rank !== null && (
          <div class="figure" title={t("rankHint")}>
            <b>{formatNumber(lang, region.rank)}{ranked > 0 && <small> {t("of")} {formatNumber(lang, ranked)}</small>}</b>
            <span>{t("rankOf")}</span>
          </div>
        )}
      </div>
      {index === null && <p class="notice">{t("tooLittleData")}</p>}
      <p class="chips">
        {region.less_industrialised !== null && (
          <span class={region.less_industrialised ? "chip chip-good" : "chip"}>
            {t(region.less_industrialised ? "lessIndustrialised" : "moreIndustrialised")}
          </span>
        )}
      </p>
      <dl class="facts">
        {region.population !== null && <Fact term={t("population")}>{formatNumber(lang, region.population)}</Fact>}
        {region.area_km2 !== null && <Fact term={t("area")}>{formatQuantity(lang, Math.round(region.area_km2), "km2")}</Fact>}
        {region.coverage !== null && <Fact term={t("coverage")}>{formatPercent(lang, region.coverage)}</Fact>}
      </dl>
      <SitesHere region={region} />
      {region.indicators.length > 0 && (
        <section>
          <h3>{t("indicators")}</h3>
          <ul class="bars">
            {region.indicators.map((line) => (
              <li key={line.id}>
                <div class="bar-head">
                  <span>{name(line.title, line.id)}</span>
                  <b>{line.value === null ? t("unknown") : formatQuantity(lang, line.value, line.unit)}</b>
                </div>
                <Bar share={line.normalised ?? 0} color="#8d6fb4" />
                <div class="bar-foot quiet">
                  <span>{t("normalised")} {line.normalised === null ? "—" : formatScore(lang, line.normalised)}</span>
                  <span>{t("weight")} {formatPercent(lang, line.weight)}</span>
                  {line.as_of && <span>{formatDate(lang, line.as_of, jalali)}</span>}
                  {line.source && <Raw>{line.source}</Raw>}
                </div>
              </li>
            ))}
          </ul>
        </section>
      )}
      {region.formula && (
        <section>
          <h3>{t("formula")}</h3>
          <p class="formula" dir="ltr" data-raw>{region.formula}</p>
        </section>
      )}
      {region.facts.length > 0 && (
        <Fold title={t("facts")} count={formatNumber(lang, region.facts.length)}>
          <ul class="plain">
            {region.facts.map((fact, i) => {
              const value = fact["value"];
              const asOf = fact["as_of"];
              return (
                <li key={i}>
                  <Raw>{String(fact["variable"] ?? "")}</Raw>
                  {": "}
                  <b>
                    {typeof value === "number" ? formatMeasure(lang, value) : String(value ?? t("unknown"))}
                    {" "}
                    <Raw>{String(fact["unit"] ?? "")}</Raw>
                  </b>
                  <span class="quiet">
                    {asOf ? ` ${formatDate(lang, String(asOf), jalali)} ` : " "}
                    <Raw>{String(fact["source"] ?? "")}</Raw>
                  </span>
                </li>
              );
            })}
          </ul>
        </Fold>
      )}
    </>
  );
}

function SitesHere({ region }: { region: RegionDetail }) {
  const { state, actions, t, lang } = useApp();
  const here = chosenSites(state)
    .map((site, i) => ({ site, number: i + 1 }))
    .filter(({ site }) => site.regions.some((r) => r["code"] === region.code && r["level"] === region.level));
  if (here.length === 0) return null;
  return (
    <section>
      <h3>{t("sitesHere")}</h3>
      <p class="chips">
        {here.map(({ site, number }) => (
          <button
            key={site.site_id}
            type="button"
            class="chip chip-button"
            onClick={() => void actions.select({ kind: "site", id: site.site_id })}
          >
            {t("site")} {formatNumber(lang, number)}
          </button>
        ))}
      </p>
    </section>
  );
}
