import type { PlaceDetail } from "../api/client.ts";
import { useApp } from "../app.ts";
import { formatPercent, formatScore } from "../format.ts";
import { dataOf } from "../store.ts";
import { Loaded } from "./parts.tsx";
import { SiteLink } from "./site-link.tsx";

/** Why a place is, or is not, part of a candidate: the rules and the score of that spot. */
export function PlaceCard({ region }: { region: { level: number; code: string } | null }) {
  const { state, actions, t, name } = useApp();
  const found = region
    && dataOf(state.regions[region.level], []).find((r) => r.code === region.code);
  return (
    <>
      <Loaded load={state.place} retry={() => void actions.retrySelection()}>
        {(place) => <PlaceFacts place={place} />}
      </Loaded>
      {region && (
        <p>
          <span class="quiet">{t("region")}: </span>
          <button type="button" class="link" onClick={() => void actions.select({ kind: "region", ...region })}>
            {found ? name(found.name, region.code) : region.code}
          </button>
        </p>
      )}
    </>
  );
}

function PlaceFacts({ place }: { place: PlaceDetail }) {
  const { t, name, lang } = useApp();
  return (
    <>
      {place.score !== null && (
        <div class="figures">
          <div class="figure"><b>{formatScore(lang, place.score)}</b><span>{t("score")}</span></div>
          {place.percentile !== null && (
            <div class="figure">
              <b>{formatPercent(lang, place.percentile / 100, 1)}</b>
              <span>{t("placePercentile")}</span>
            </div>
          )}
        </div>
      )}
      <section>
        <h3>{t("placeWhy")}</h3>
        {place.reasons.length === 0 && <p class="quiet">{t("noReasons")}</p>}
        <ul class="reasons">
          {place.reasons.map((reason, i) => <li key={i} data-code={reason.code}>{name(reason.text)}</li>)}
        </ul>
      </section>
      {place.site_id !== null && <p>{t("placeOfSite")} <SiteLink id={place.site_id} /></p>}
    </>
  );
}
