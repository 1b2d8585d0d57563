import "maplibre-gl/dist/maplibre-gl.css";
import "./theme.css";
import { render } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { createActions } from "./actions.ts";
import { AppContext } from "./app.ts";
import type { App } from "./app.ts";
import { directionOf, text } from "./i18n/index.ts";
import type { Lang, MessageKey } from "./i18n/index.ts";
import { formatLink, parseLink } from "./link.ts";
import type { Bounds, MapView } from "./map/view.ts";
import { Card } from "./panels/card.tsx";
import { Header } from "./panels/header.tsx";
import { LayersPanel } from "./panels/layers.tsx";
import { MapPanel, coveredSides } from "./panels/map.tsx";
import { Failure } from "./panels/parts.tsx";
import { PlanPanel } from "./panels/plan.tsx";
import { RegionsPanel } from "./panels/regions.tsx";
import { createStore, dataOf, initialState } from "./store.ts";
import type { State, Tab } from "./store.ts";

declare global {
  interface Window {
    /** For tests and the console: resolves when the map is drawn. */
    __geoplan?: { ready: Promise<void>; map: MapView["map"] };
  }
}

const tabs: readonly [Tab, MessageKey][] = [
  ["plan", "tabPlan"], ["layers", "tabLayers"], ["regions", "tabRegions"],
];
const LANG_KEY = "geoplan.lang";

const link = parseLink(location.hash);
const store = createStore({
  ...initialState,
  lang: link.lang ?? rememberedLang(),
  view: link.view ?? null,
  // On a phone the map needs the room; beside an open card it does on most screens.
  legendOpen: window.innerWidth > 760,
  legendOpenBesideCard: window.innerWidth > 1700,
});
const actions = createActions(store);

function rememberedLang(): Lang {
  const wanted = localStorage.getItem(LANG_KEY) ?? navigator.language;
  return wanted.startsWith("fa") ? "fa" : "en";
}

function Page() {
  const [state, setState] = useState(store.get());
  const view = useRef<MapView | null>(null);
  useEffect(() => store.subscribe(setState), []);
  useEffect(() => void actions.start(link), []);
  const { lang } = state;
  useEffect(() => {
    document.documentElement.lang = lang;
    document.documentElement.dir = directionOf(lang);
    document.title = `${text(lang, "appName")} · ${text(lang, "appSubtitle")}`;
    localStorage.setItem(LANG_KEY, lang);
  }, [lang]);
  useEffect(() => history.replaceState(null, "", linkOf(state)), [
    state.lang, state.runId, state.selection, state.level, state.visible, state.view, state.layers,
  ]);
  const map = useMemo<App["map"]>(() => ({
    fit: (bounds) => view.current?.fit(bounds as Bounds, coveredSides()),
    reveal: (lon, lat) => view.current?.reveal(lon, lat),
  }), []);
  const info = dataOf(state.info, null);
  const run = dataOf(state.run, null);

  return (
    <AppContext.Provider value={{ state, actions, map }}>
      <div class={state.selection ? "page page-card" : "page"}>
        <Header />
        {(info?.synthetic || run?.synthetic) && (
          <p class="banner" role="note">{text(lang, "syntheticBanner")}</p>
        )}
        <main class="main">
          <div class="side">
            <div class="tabs" role="tablist" aria-label={text(lang, "tabs")} onKeyDown={moveTab}>
              {tabs.map(([tab, key]) => (
                <button
                  key={tab}
                  type="button"
                  role="tab"
                  id={`tab-${tab}`}
                  aria-selected={state.tab === tab}
                  aria-controls="tab-panel"
                  tabIndex={state.tab === tab ? 0 : -1}
                  onClick={() => actions.change({ tab })}
                >
                  {text(lang, key)}
                </button>
              ))}
            </div>
            <div class="tab-panel" role="tabpanel" id="tab-panel" aria-labelledby={`tab-${state.tab}`} tabIndex={0}>
              {state.info.state === "error"
                ? <div class="panel-body"><Failure error={state.info.error} retry={() => location.reload()} /></div>
                : panelOf(state)}
            </div>
          </div>
          <MapPanel onView={(made) => {
            view.current = made;
            window.__geoplan = { ready: made.ready, map: made.map };
          }} />
          <Card />
        </main>
      </div>
    </AppContext.Provider>
  );
}

function panelOf(state: State) {
  if (state.tab === "layers") return <LayersPanel />;
  if (state.tab === "regions") return <RegionsPanel />;
  return <PlanPanel />;
}

function moveTab(event: KeyboardEvent): void {
  const forward = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
  const back = document.documentElement.dir === "rtl" ? "ArrowRight" : "ArrowLeft";
  if (event.key !== forward && event.key !== back) return;
  const at = tabs.findIndex(([tab]) => tab === store.get().tab);
  const [tab] = tabs[(at + (event.key === forward ? 1 : tabs.length - 1)) % tabs.length]!;
  actions.change({ tab });
  document.getElementById(`tab-${tab}`)?.focus();
}

function linkOf(state: State): string {
  const { selection, runId, view, lang, level } = state;
  const ready = state.layers.state === "ready";
  return formatLink({
    lang,
    level,
    ...(runId === null ? {} : { run: runId }),
    ...(selection?.kind === "site" ? { site: selection.id } : {}),
    ...(selection?.kind === "place" ? { place: selection } : {}),
    ...(selection?.kind === "region" ? { region: selection } : {}),
    ...(ready ? { layers: [...state.visible] } : link.layers ? { layers: link.layers } : {}),
    ...(view ? { view } : {}),
  });
}

// Our own changes replace the address silently; this is a link pasted into the same tab.
window.addEventListener("hashchange", () => location.reload());

render(<Page />, document.getElementById("app")!);
