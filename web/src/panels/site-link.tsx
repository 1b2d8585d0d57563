import { useApp } from "../app.ts";
import { formatNumber } from "../format.ts";
import type { LabelLike } from "../i18n/index.ts";
import { chosenSites, dataOf } from "../store.ts";
import { Raw } from "./parts.tsx";

/** A site by its number or rank and its region; opens its card. */
export function SiteLink({ id }: { id: string }) {
  const { state, actions, map, t, name, lang } = useApp();
  const site = dataOf(state.candidates, []).find((candidate) => candidate.site_id === id);
  if (!site) return <Raw>{id}</Raw>;
  const number = chosenSites(state).findIndex((chosen) => chosen.site_id === id) + 1;
  const places = site.regions.map((r) => name(r["name"] as LabelLike, String(r["code"] ?? "")));
  const title = number > 0
    ? `${t("site")} ${formatNumber(lang, number)}`
    : `${t("candidate")} ${formatNumber(lang, site.rank)}`;
  return (
    <button
      type="button"
      class="link"
      onClick={() => {
        void actions.select({ kind: "site", id });
        map.reveal(site.lon, site.lat);
      }}
    >
      {[title, places[1] ?? places[0]].filter(Boolean).join(lang === "fa" ? "، " : ", ")}
    </button>
  );
}

/** Several sites, or a word for none. */
export function SiteLinks({ ids }: { ids: readonly string[] }) {
  const { t } = useApp();
  if (ids.length === 0) return <span class="quiet">{t("none")}</span>;
  return (
    <ul class="plain">
      {ids.map((id) => <li key={id}><SiteLink id={id} /></li>)}
    </ul>
  );
}
