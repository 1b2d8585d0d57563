import { useEffect, useRef } from "preact/hooks";
import { useApp } from "../app.ts";
import { formatNumber, formatPlace } from "../format.ts";
import type { LabelLike } from "../i18n/index.ts";
import { chosenSites, dataOf } from "../store.ts";
import type { Selection } from "../store.ts";
import { PlaceCard } from "./place.tsx";
import { RegionCard } from "./regions.tsx";
import { SiteCard } from "./site.tsx";

/** The card of what is selected; Escape closes it, focus goes in and back out. */
export function Card() {
  const { state, actions, t, lang, name, comma } = useApp();
  const { selection } = state;
  const heading = useRef<HTMLHeadingElement>(null);
  const key = selection && keyOf(selection);
  useEffect(() => {
    if (key === null) return;
    const from = document.activeElement as HTMLElement | null;
    heading.current?.focus({ preventScroll: true });
    heading.current?.closest(".card")?.scrollTo(0, 0);
    return () => {
      if (document.activeElement === document.body) from?.focus({ preventScroll: true });
    };
  }, [key]);
  if (!selection) return null;
  const { title, place } = selection.kind === "site"
    ? siteTitle(selection.id)
    : selection.kind === "region"
      ? regionTitle(selection)
      : { title: t("place"), place: formatPlace(lang, selection.lon, selection.lat) };
  return (
    <aside
      class="card"
      aria-labelledby="card-title"
      onKeyDown={(event) => {
        if (event.key === "Escape") void actions.select(null);
      }}
    >
      <div class="card-head">
        <div>
          <p class="eyebrow">{title}</p>
          <h2 id="card-title" tabIndex={-1} ref={heading}>{place}</h2>
        </div>
        <button type="button" class="icon-button" aria-label={t("close")} title={t("close")} onClick={() => void actions.select(null)}>
          <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
            <path d="m5 5 10 10M15 5 5 15" stroke="currentColor" stroke-width="2" stroke-linecap="round" />
          </svg>
        </button>
      </div>
      <div class="card-body">
        {selection.kind === "site" && <SiteCard />}
        {selection.kind === "region" && <RegionCard />}
        {selection.kind === "place" && <PlaceCard region={selection.region} />}
      </div>
    </aside>
  );

  function siteTitle(id: string) {
    const number = chosenSites(state).findIndex((site) => site.site_id === id) + 1;
    const site = dataOf(state.site, null)
      ?? dataOf(state.candidates, []).find((candidate) => candidate.site_id === id);
    const places = (site?.regions ?? []).map((r) => name(r["name"] as LabelLike, String(r["code"] ?? "")));
    const title = number > 0
      ? `${t("site")} ${formatNumber(lang, number)}`
      : `${t("candidate")}${site ? ` ${formatNumber(lang, site.rank)}` : ""}`;
    return { title, place: places.reverse().join(comma) || title };
  }

  function regionTitle(wanted: { level: number; code: string }) {
    const region = dataOf(state.region, null)
      ?? dataOf(state.regions[wanted.level], []).find((r) => r.code === wanted.code);
    const parent = dataOf(state.regions[1], []).find((r) => r.code === region?.parent_code);
    const title = wanted.level > 1 && parent ? name(parent.name) : t("region");
    return { title, place: region ? name(region.name, region.code) : t("region") };
  }
}

function keyOf(selection: Selection): string {
  if (selection.kind === "site") return selection.id;
  if (selection.kind === "region") return `${selection.level}:${selection.code}`;
  return `${selection.lat}/${selection.lon}`;
}
