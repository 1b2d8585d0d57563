import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app.ts";
import { formatQuantity } from "../format.ts";
import { mapInputs } from "../map/inputs.ts";
import type { Tip } from "../map/tip.ts";
import { MapView } from "../map/view.ts";
import type { Bounds, Covered } from "../map/view.ts";
import { dataOf } from "../store.ts";
import { ShownPlan } from "./other-plan.tsx";
import { Legend } from "./legend.tsx";

/** The map with its buttons, scale, tip and legend. */
export function MapPanel({ onView }: { onView: (view: MapView) => void }) {
  const { state, actions, t, lang } = useApp();
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<MapView | null>(null);
  const latest = useRef(state);
  latest.current = state;
  const [tip, setTip] = useState<{ tip: Tip; x: number; y: number } | null>(null);
  const [metres, setMetres] = useState(0);
  const [truncated, setTruncated] = useState(false);
  const info = dataOf(state.info, null);

  useEffect(() => {
    if (!box.current) return;
    try {
      view.current = new MapView(box.current, latest.current.view, {
        onTip: setTip,
        onTruncated: setTruncated,
        onTilesFailed: () => actions.change({ mapError: "tiles" }),
        onMove: (moved, perPixel) => {
          setMetres(perPixel);
          actions.change({ view: moved });
        },
        onSelect: (target, at) => {
          const now = latest.current;
          const region = target?.kind === "region"
            ? { level: Math.max(now.level, 1), code: target.code }
            : null;
          if (target?.kind === "site") return void actions.select(target);
          // Without a run nobody can say why a place is no candidate: the region answers.
          if (now.runId === null) return void actions.select(region && { kind: "region", ...region });
          void actions.select(region && { kind: "place", ...at, region });
        },
      });
    } catch {
      actions.change({ mapError: "webgl" });
      return;
    }
    onView(view.current);
    return () => view.current?.remove();
  }, []);

  // The country is known only once the service answered; a link may have set the view already.
  const placed = useRef(state.view !== null);
  useEffect(() => {
    if (!info || placed.current || !view.current) return;
    placed.current = true;
    view.current.fit(info.bounds as Bounds, coveredSides(), false);
  }, [info]);
  useEffect(() => {
    if (info) view.current?.draw(mapInputs(state));
  });
  useEffect(() => view.current?.describe(t("mapLabel")), [lang]);

  const scale = scaleBar(metres);
  return (
    <div class="map" id="map">
      <div class="map-canvas" dir="ltr" ref={box} />
      {state.mapError !== "webgl" && (
        <div class="map-tools" role="group">
          <button type="button" aria-label={t("zoomIn")} title={t("zoomIn")} onClick={() => view.current?.zoom(1)}>+</button>
          <button type="button" aria-label={t("zoomOut")} title={t("zoomOut")} onClick={() => view.current?.zoom(-1)}>−</button>
          <button
            type="button"
            aria-label={t("wholeCountry")}
            title={t("wholeCountry")}
            onClick={() => info && view.current?.fit(info.bounds as Bounds, coveredSides())}
          >
            <svg viewBox="0 0 20 20" width="17" height="17" aria-hidden="true">
              <path d="M3 8V3h5M17 8V3h-5M3 12v5h5M17 12v5h-5" fill="none" stroke="currentColor" stroke-width="2" />
            </svg>
          </button>
        </div>
      )}
      {scale && (
        <div class="scale" style={{ width: `${scale.pixels}px` }}>
          {formatQuantity(lang, scale.metres >= 1000 ? scale.metres / 1000 : scale.metres, scale.metres >= 1000 ? "km" : "m")}
        </div>
      )}
      <Legend />
      <div class="map-notices" aria-live="polite">
        <ShownPlan />
        {truncated && <p>{t("truncated")}</p>}
        {state.mapError === "tiles" && (
          <p>
            {t("errorTiles")}{" "}
            <button type="button" class="link" onClick={() => actions.change({ mapError: null })}>{t("close")}</button>
          </p>
        )}
        {state.mapError === "webgl" && <p><b>{t("errorWebgl")}</b> {t("errorWebglRemedy")}</p>}
      </div>
      {tip && <MapTip {...tip} />}
    </div>
  );
}

function MapTip({ tip, x, y }: { tip: Tip; x: number; y: number }) {
  // Near the edge the tip turns to the pointer's other side.
  const box = document.querySelector(".map")?.getBoundingClientRect();
  const across = box && x > box.width - 280 ? "calc(-100% - 14px)" : "14px";
  const down = box && y > box.height - 150 ? "calc(-100% - 14px)" : "14px";
  const translate = `${across} ${down}`;
  return (
    <div class="tip" role="status" style={{ left: `${x}px`, top: `${y}px`, translate }}>
      <b>{tip.title}</b>
      {tip.lines.map((line, i) => line && <span key={i}>{line}</span>)}
      {tip.marks.length > 0 && (
        <span>{tip.marks.map((mark) => <span class="badge badge-assumed" key={mark}>{mark}</span>)}</span>
      )}
    </div>
  );
}

/** What the legend and the buttons cover; on a narrow map the open legend may cover what it must. */
export function coveredSides(): Covered {
  const map = document.querySelector(".map")?.getBoundingClientRect();
  const legend = document.querySelector(".legend")?.getBoundingClientRect();
  const none = { left: 0, right: 0, bottom: 0 };
  if (!map || !legend) return none;
  const rtl = document.documentElement.dir === "rtl";
  if (legend.height < 60) {
    const tools = map.width < 600 ? 30 : 0;
    return { ...none, bottom: 30, [rtl ? "left" : "right"]: tools };
  }
  return legend.width > map.width / 3 ? none : { ...none, [rtl ? "right" : "left"]: legend.width };
}

/** The longest round length that fits 110 px. */
function scaleBar(metresPerPixel: number): { metres: number; pixels: number } | null {
  if (!(metresPerPixel > 0)) return null;
  const most = metresPerPixel * 110;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = [5, 2, 1].map((step) => step * power).find((length) => length <= most)!;
  return { metres, pixels: Math.round(metres / metresPerPixel) };
}
