import type { LayerInfo } from "../api/client.ts";
import { useApp } from "../app.ts";
import { digits, formatDate, formatNumber } from "../format.ts";
import { codeText } from "../i18n/index.ts";
import type { MessageKey } from "../i18n/index.ts";
import type { Overlay } from "../store.ts";
import { LevelSwitch } from "./legend.tsx";
import { Assumed, Fact, Loaded, Raw, Synthetic, Ticks } from "./parts.tsx";
import { Swatch } from "./swatch.tsx";

const overlays: readonly [Overlay, MessageKey][] = [
  ["portfolio", "showPortfolio"],
  ["candidates", "showCandidates"],
  ["links", "showLinks"],
];

/** What can be switched on, by theme, each with where it comes from. */
export function LayersPanel() {
  const { state, actions, t, lang } = useApp();
  return (
    <div class="panel-body">
      {state.runId !== null && (
        <section class="group">
          <h3>{t("layersOfPlan")}</h3>
          {overlays.map(([overlay, key]) => (
            <label class="check" key={overlay}>
              <input
                type="checkbox"
                checked={state.overlays.has(overlay)}
                onChange={() => actions.toggleOverlay(overlay)}
              />
              <span>{t(key)}</span>
            </label>
          ))}
        </section>
      )}
      <section class="group"><LevelSwitch /></section>
      <Loaded load={state.layers}>
        {(layers) =>
          layers.length === 0 ? (
            <div class="notice">
              <strong>{t("noDataTitle")}</strong>
              <p>{t("noDataText")}</p>
              <p><Ticks text="`geoplan pack load …`" /></p>
            </div>
          ) : (
            [...byTheme(layers)].map(([theme, members]) => (
              <section class="group" key={theme}>
                <h3>{codeText(lang, "theme", theme)}</h3>
                {members.map((layer) => <LayerRow key={layer.id} layer={layer} />)}
              </section>
            ))
          )
        }
      </Loaded>
    </div>
  );
}

/** Layers by theme; those that can be drawn come first. */
function byTheme(layers: readonly LayerInfo[]): Map<string, LayerInfo[]> {
  const themes = new Map<string, LayerInfo[]>();
  for (const layer of [...layers].sort((a, b) => Number(!a.tiles) - Number(!b.tiles))) {
    themes.set(layer.theme, [...(themes.get(layer.theme) ?? []), layer]);
  }
  return themes;
}

function LayerRow({ layer }: { layer: LayerInfo }) {
  const { state, actions, t, name, lang, jalali } = useApp();
  const zoomedOut = layer.tiles !== null && state.visible.has(layer.id)
    && (state.view?.zoom ?? 99) < layer.min_zoom;
  const method = name(layer.method);
  return (
    <div class="layer">
      <label class="check">
        <input
          type="checkbox"
          disabled={!layer.tiles}
          checked={layer.tiles !== null && state.visible.has(layer.id)}
          onChange={() => actions.toggleLayer(layer.id)}
        />
        <Swatch layer={layer} />
        <span class="layer-name">
          {name(layer.title, layer.id)} {layer.assumed && <Assumed />} {layer.synthetic && <Synthetic />}
        </span>
      </label>
      {!layer.tiles && <p class="quiet indent">{t("notDrawn")}</p>}
      {zoomedOut && <p class="quiet indent">{t("fromZoom")}</p>}
      <details class="layer-details indent">
        <summary>{t("details")}<span class="visually-hidden">: {name(layer.title, layer.id)}</span></summary>
        <dl>
          <Fact term={t("source")}><Raw>{layer.source || t("unknown")}</Raw></Fact>
          <Fact term={t("asOf")}>
            {layer.as_of ? formatDate(lang, layer.as_of, jalali) : t("unknown")}
          </Fact>
          <Fact term={t("licence")}><Raw>{layer.licence || t("unknown")}</Raw></Fact>
          <Fact term={t("rows")}>{formatNumber(lang, layer.rows)}</Fact>
          <Fact term={t("version")}>{digits(lang, String(layer.version))}</Fact>
          {method && <Fact term={t("method")}>{method}</Fact>}
        </dl>
      </details>
    </div>
  );
}
