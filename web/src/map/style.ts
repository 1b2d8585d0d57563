import type {
  ExpressionSpecification, GeoJSONSourceSpecification, LayerSpecification, SourceSpecification,
  StyleSpecification,
} from "maplibre-gl";
import type {
  CandidateSummary, LayerInfo, RegionSummary, SupplyLine,
} from "../api/client.ts";
import { formatNumber } from "../format.ts";
import type { Lang } from "../i18n/index.ts";
import { pick } from "../i18n/index.ts";
import type { Overlay, PlanChange, Selection } from "../store.ts";
import { classOf, quantileClasses, rampColor } from "./classes.ts";
import * as palette from "./palette.ts";

/** What the map shows: everything that decides its style, and nothing else. */
export interface MapInputs {
  lang: Lang;
  /** Level that is coloured; 0: none. */
  level: number;
  /** Tile address of each region level that has tiles. */
  regionTiles: Readonly<Record<number, string>>;
  /** Regions per level, as far as loaded. */
  regions: Readonly<Record<number, readonly RegionSummary[]>>;
  layers: readonly LayerInfo[];
  visible: ReadonlySet<string>;
  overlays: ReadonlySet<Overlay>;
  candidateTiles: string | null;
  candidates: readonly CandidateSummary[];
  /** Chosen sites in the order of their numbers. */
  chosen: readonly CandidateSummary[];
  supply: readonly SupplyLine[];
  /** Another plan that is looked at: who comes and who goes. */
  change: PlanChange | null;
  selection: Selection | null;
}

export const HATCH = "no-data-hatch";
/** Above this zoom candidates are drawn as polygons. */
export const POLYGON_ZOOM = 8;

const REGULAR = ["Vazirmatn"];
const BOLD = ["Vazirmatn Bold"];
const code: ExpressionSpecification = ["to-string", ["get", "code"]];
const siteId: ExpressionSpecification = ["to-string", ["get", "site_id"]];

/** The map's style: a function of what is shown, tested without a browser. */
export function buildStyle(inputs: MapInputs): StyleSpecification {
  const sources: Record<string, SourceSpecification> = {};
  const levels = Object.keys(inputs.regionTiles).map(Number).sort();
  for (const level of levels) {
    sources[`regions-${level}`] = vector(inputs.regionTiles[level]!, 12);
  }
  const shown = inputs.layers.filter((layer) => layer.tiles && inputs.visible.has(layer.id));
  for (const layer of shown) sources[`layer-${layer.id}`] = vector(layer.tiles!, 14);
  if (inputs.candidateTiles) sources["candidate-areas"] = vector(inputs.candidateTiles, 14);
  sources["candidates"] = points(inputs.candidates.map(candidatePoint));
  sources["chosen"] = points(inputs.chosen.map((site, i) => chosenPoint(site, i + 1, inputs.lang)));
  const links = inputs.supply.filter((line) => (line.line?.length ?? 0) >= 2);
  sources["links"] = collection(links.map(linkFeature));
  sources["link-ends"] = points(links.map(linkEnd));
  if (inputs.change) sources["plan-change"] = points(changePoints(inputs.change));
  if (inputs.selection?.kind === "place") {
    const { lon, lat } = inputs.selection;
    sources["place"] = points([point(lon, lat, {})]);
  }
  sources["region-names"] = points(regionNames(inputs));

  return {
    version: 8,
    // No `glyphs`: labels are drawn from the page's own Vazirmatn, so nothing is fetched.
    sources,
    layers: [
      { id: "sea", type: "background", paint: { "background-color": palette.sea } },
      ...regionFills(inputs, levels),
      ...shown.flatMap((layer) => catalogueLayers(layer, inputs.lang)).sort(byGeometry),
      ...boundaries(inputs, levels),
      ...candidateLayers(inputs),
      ...linkLayers(inputs),
      ...names(inputs.level),
      ...chosenLayers(inputs),
      ...changeLayers(inputs),
      ...placeLayers(inputs),
    ],
  };
}

const vector = (path: string, maxzoom: number): SourceSpecification => ({
  type: "vector",
  tiles: [path],
  maxzoom,
});

const collection = (features: GeoJSON.Feature[]): GeoJSONSourceSpecification => ({
  type: "geojson",
  data: { type: "FeatureCollection", features },
});
const points = collection;

const point = (
  lon: number,
  lat: number,
  properties: GeoJSON.GeoJsonProperties,
): GeoJSON.Feature => ({
  type: "Feature",
  properties,
  geometry: { type: "Point", coordinates: [lon, lat] },
});

const candidatePoint = (site: CandidateSummary): GeoJSON.Feature =>
  point(site.lon, site.lat, { site_id: site.site_id, score: site.score });

const chosenPoint = (site: CandidateSummary, number: number, lang: Lang): GeoJSON.Feature =>
  point(site.lon, site.lat, { site_id: site.site_id, number: formatNumber(lang, number) });

const changePoints = ({ enter, leave }: PlanChange): GeoJSON.Feature[] => [
  ...enter.map((site) => point(site.lon, site.lat, { site_id: site.site_id, enters: true, sign: "+" })),
  ...leave.map((site) => point(site.lon, site.lat, { site_id: site.site_id, enters: false, sign: "−" })),
];

const linkProperties = (line: SupplyLine): GeoJSON.GeoJsonProperties => ({
  site_id: line.site_id,
  source_id: line.source_id,
  resource: line.resource,
  assumed: line.basis === "assumed",
});

const linkFeature = (line: SupplyLine): GeoJSON.Feature => ({
  type: "Feature",
  properties: linkProperties(line),
  geometry: { type: "LineString", coordinates: line.line! },
});

function linkEnd(line: SupplyLine): GeoJSON.Feature {
  const [lon, lat] = line.line![0]!;
  return point(lon!, lat!, linkProperties(line));
}

/** Names of the coarsest level, and of the coloured one once zoomed in. */
function regionNames(inputs: MapInputs): GeoJSON.Feature[] {
  const levels = new Set([1, Math.max(inputs.level, 1)]);
  return [...levels].flatMap((level) =>
    (inputs.regions[level] ?? []).flatMap((region) => {
      if (!region.bounds || region.bounds.length < 4) return [];
      const [west, south, east, north] = region.bounds as [number, number, number, number];
      return [
        point((west + east) / 2, (south + north) / 2, {
          level,
          name: pick(inputs.lang, region.name, region.code),
          // Big regions keep their name where two collide.
          order: -(east - west) * (north - south),
        }),
      ];
    }),
  );
}

function regionFills(inputs: MapInputs, levels: readonly number[]): LayerSpecification[] {
  const level = levels.includes(inputs.level) ? inputs.level : (levels[0] ?? 0);
  if (level === 0) return [];
  const source = `regions-${level}`;
  const common = { source, "source-layer": "layer", type: "fill" } as const;
  if (inputs.level === 0) {
    return [{ ...common, id: "region-fill", paint: { "fill-color": palette.land } }];
  }
  const regions = inputs.regions[level];
  if (!regions) {
    // Not loaded yet: plain land, because "no data" would be a lie.
    return [{ ...common, id: "region-fill", paint: { "fill-color": palette.land } }];
  }
  // Close up the colour steps back: what lies on the land matters more there.
  const fade: ExpressionSpecification = ["interpolate", ["linear"], ["zoom"], 6.5, 1, 10, 0.45];
  const known = regions.filter((region) => region.industrialisation !== null);
  return [
    { ...common, id: "region-land", paint: { "fill-color": palette.land } },
    {
      ...common,
      id: "region-fill",
      paint: { "fill-color": indexColor(known), "fill-opacity": fade },
    },
    {
      ...common,
      id: "region-no-data",
      filter: ["!", ["in", code, ["literal", known.map((region) => region.code)]]],
      paint: { "fill-pattern": HATCH, "fill-opacity": fade },
    },
  ];
}

/** Colour of a region by the class of its index. */
export function indexColor(known: readonly RegionSummary[]): ExpressionSpecification | string {
  const classes = quantileClasses(known.map((r) => r.industrialisation!), palette.indexRamp.length);
  const members: string[][] = classes.map(() => []);
  for (const region of known) {
    members[classOf(classes, region.industrialisation!)]?.push(region.code);
  }
  const cases = members.flatMap((codes, i) =>
    codes.length > 0 ? [codes, rampColor(palette.indexRamp, i, classes.length)] : [],
  );
  if (cases.length === 0) return palette.noData;
  return ["match", code, ...cases, palette.noData] as unknown as ExpressionSpecification;
}

function boundaries(inputs: MapInputs, levels: readonly number[]): LayerSpecification[] {
  const out: LayerSpecification[] = [];
  const line = (level: number) =>
    ({ type: "line", source: `regions-${level}`, "source-layer": "layer" }) as const;
  if (inputs.level > 1 && levels.includes(inputs.level)) {
    out.push({
      ...line(inputs.level),
      id: "region-line",
      paint: {
        "line-color": palette.boundary,
        "line-width": ["interpolate", ["linear"], ["zoom"], 4, 0.3, 8, 1],
        "line-opacity": 0.8,
      },
    });
  }
  const coarse = levels[0];
  if (coarse !== undefined) {
    out.push({
      ...line(coarse),
      id: "region-line-coarse",
      paint: {
        "line-color": palette.boundaryStrong,
        "line-width": ["interpolate", ["linear"], ["zoom"], 4, 0.7, 9, 1.6],
        "line-opacity": 0.75,
      },
    });
  }
  const chosen = inputs.selection;
  if (chosen?.kind === "region" && levels.includes(chosen.level)) {
    out.push({
      ...line(chosen.level),
      id: "region-selected",
      filter: ["==", code, chosen.code],
      paint: { "line-color": palette.accent, "line-width": 2.5 },
    });
  }
  return out;
}

const geometryOrder = ["fill", "line", "circle", "symbol"];
const byGeometry = (a: LayerSpecification, b: LayerSpecification) =>
  geometryOrder.indexOf(a.type) - geometryOrder.indexOf(b.type);

/** A catalogue layer as its YAML says it is drawn. */
function catalogueLayers(layer: LayerInfo, lang: Lang): LayerSpecification[] {
  const base = {
    source: `layer-${layer.id}`,
    "source-layer": layer.source_layer,
    minzoom: layer.min_zoom,
  };
  const id = `layer-${layer.id}`;
  const { color, width, opacity } = layer;
  const out: LayerSpecification[] = [];
  // Regions are already coloured by their index; a second fill would falsify those colours.
  const filled = layer.theme !== "administration";
  if (filled && (layer.geometry === "polygon" || layer.geometry === "any")) {
    out.push({
      ...base, id: `${id}-fill`, type: "fill",
      filter: ["==", ["geometry-type"], "Polygon"],
      paint: { "fill-color": color, "fill-opacity": opacity * 0.35 },
    });
  }
  if (layer.geometry !== "point") {
    out.push({
      ...base, id: `${id}-line`, type: "line",
      filter: ["!=", ["geometry-type"], "Point"],
      layout: { "line-join": "round", "line-cap": "round" },
      paint: {
        "line-color": color,
        "line-opacity": opacity,
        "line-width": ["interpolate", ["linear"], ["zoom"], 4, width * 0.6, 10, width * 1.6],
        // Assumed geometry or figures are dashed wherever they are lines.
        ...(layer.assumed ? { "line-dasharray": [3, 1.5] } : {}),
      },
    });
  }
  if (layer.geometry === "point" || layer.geometry === "any") {
    out.push({
      ...base, id: `${id}-circle`, type: "circle",
      filter: ["==", ["geometry-type"], "Point"],
      paint: {
        "circle-color": layer.assumed ? "#ffffff" : color,
        "circle-opacity": opacity,
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 4, width * 0.7, 10, width * 1.5],
        "circle-stroke-color": layer.assumed ? color : "#ffffff",
        "circle-stroke-width": layer.assumed ? 1.6 : 0.8,
      },
    });
    const first = lang === "fa" ? "name_local" : "name_en";
    const second = lang === "fa" ? "name_en" : "name_local";
    out.push({
      ...base, id: `${id}-name`, type: "symbol",
      filter: ["==", ["geometry-type"], "Point"],
      minzoom: Math.max(layer.min_zoom + 3, 8),
      layout: {
        "text-field": ["coalesce", ["get", first], ["get", second], ""],
        "text-font": REGULAR,
        "text-size": 11,
        "text-offset": [0, 0.9],
        "text-anchor": "top",
        "text-optional": true,
      },
      paint: { "text-color": "#2c3844", "text-halo-color": "#ffffff", "text-halo-width": 1.2 },
    });
  }
  return out;
}

function candidateLayers(inputs: MapInputs): LayerSpecification[] {
  const out: LayerSpecification[] = [];
  const scores = inputs.candidates.map((site) => site.score);
  const color = scoreColor(scores);
  const chosenIds = inputs.chosen.map((site) => site.site_id);
  const isChosen: ExpressionSpecification = ["in", siteId, ["literal", chosenIds]];
  const showAll = inputs.overlays.has("candidates");
  const showChosen = inputs.overlays.has("portfolio");
  if (inputs.candidateTiles && (showAll || showChosen)) {
    const wanted = showAll && showChosen
      ? {}
      : { filter: showAll ? (["!", isChosen] as ExpressionSpecification) : isChosen };
    const area = {
      source: "candidate-areas", "source-layer": "layer", minzoom: POLYGON_ZOOM, ...wanted,
    };
    out.push(
      {
        ...area, id: "candidate-area", type: "fill",
        paint: {
          "fill-color": ["case", isChosen, palette.ink, palette.scoreRamp[1]],
          "fill-opacity": 0.35,
        },
      },
      {
        ...area, id: "candidate-area-line", type: "line",
        paint: {
          "line-color": ["case", isChosen, palette.ink, palette.scoreRamp[2]],
          "line-width": ["case", isChosen, 2, 1],
        },
      },
    );
  }
  if (showAll) {
    out.push({
      id: "candidate-point", type: "circle", source: "candidates",
      paint: {
        "circle-color": color,
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 4, 2.2, 8, 4.5],
        "circle-stroke-color": "#ffffff",
        "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 4, 0.4, 8, 1],
      },
    });
  }
  return out;
}

/** Colour of a candidate by its score, stretched over the scores at hand. */
export function scoreColor(scores: readonly number[]): ExpressionSpecification | string {
  const low = Math.min(...scores);
  const high = Math.max(...scores);
  if (!(high > low)) return palette.scoreRamp[1];
  return [
    "interpolate", ["linear"], ["get", "score"],
    low, palette.scoreRamp[0], (low + high) / 2, palette.scoreRamp[1], high, palette.scoreRamp[2],
  ];
}

function linkLayers(inputs: MapInputs): LayerSpecification[] {
  if (!inputs.overlays.has("links")) return [];
  const site = inputs.selection?.kind === "site" ? inputs.selection.id : null;
  // With a site selected its own lines stay strong and the others step back.
  const opacity: ExpressionSpecification | number =
    site === null ? 0.95 : ["case", ["==", siteId, site], 1, 0.3];
  const color: ExpressionSpecification = [
    "match", ["get", "resource"],
    "water", palette.resourceColor.water,
    "power", palette.resourceColor.power,
    "wastewater", palette.resourceColor.wastewater,
    palette.ink,
  ];
  const width: ExpressionSpecification = ["interpolate", ["linear"], ["zoom"], 4, 1.8, 9, 3];
  const line = { type: "line", source: "links", layout: { "line-cap": "butt" } } as const;
  return [
    {
      ...line, id: "link-casing",
      paint: { "line-color": "#ffffff", "line-width": ["interpolate", ["linear"], ["zoom"], 4, 3.4, 9, 5.4], "line-opacity": opacity },
    },
    {
      ...line, id: "link-known", filter: ["!", ["to-boolean", ["get", "assumed"]]],
      paint: { "line-color": color, "line-width": width, "line-opacity": opacity },
    },
    {
      ...line, id: "link-assumed", filter: ["to-boolean", ["get", "assumed"]],
      paint: {
        "line-color": color, "line-width": width, "line-opacity": opacity,
        "line-dasharray": [2.2, 1.1],
      },
    },
    {
      id: "link-end", type: "circle", source: "link-ends",
      paint: {
        "circle-color": ["case", ["to-boolean", ["get", "assumed"]], "#ffffff", color],
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 4, 2.6, 9, 5],
        "circle-stroke-color": color,
        "circle-stroke-width": 1.8,
        "circle-opacity": opacity,
        "circle-stroke-opacity": opacity,
      },
    },
  ];
}

function names(level: number): LayerSpecification[] {
  const label = (id: string, of: number, extra: object): LayerSpecification =>
    ({
      id, type: "symbol", source: "region-names",
      filter: ["==", ["get", "level"], of],
      layout: {
        "text-field": ["get", "name"],
        "text-font": REGULAR,
        "text-size": ["interpolate", ["linear"], ["zoom"], 4, 10.5, 8, 14],
        "text-max-width": 7,
        "text-variable-anchor": ["center", "top", "bottom", "left", "right"],
        "text-radial-offset": 1.3,
        "symbol-sort-key": ["get", "order"],
      },
      paint: {
        "text-color": "#2a2438", "text-halo-color": "rgba(255,255,255,0.9)", "text-halo-width": 1.5,
      },
      ...extra,
    }) as LayerSpecification;
  const out = [label("region-name-coarse", 1, level > 1 ? { maxzoom: 7 } : {})];
  if (level > 1) out.push(label("region-name", level, { minzoom: 7 }));
  return out;
}

function chosenLayers(inputs: MapInputs): LayerSpecification[] {
  const out: LayerSpecification[] = [];
  const selected = inputs.selection?.kind === "site" ? inputs.selection.id : "";
  const isSelected: ExpressionSpecification = ["==", siteId, selected];
  if (inputs.overlays.has("portfolio")) {
    out.push(
      {
        id: "chosen-point", type: "circle", source: "chosen",
        paint: {
          "circle-color": ["case", isSelected, palette.accent, palette.ink],
          "circle-radius": ["interpolate", ["linear"], ["zoom"], 4, 10, 8, 13],
          "circle-stroke-color": "#ffffff",
          "circle-stroke-width": 2,
        },
      },
      {
        id: "chosen-number", type: "symbol", source: "chosen",
        layout: {
          "text-field": ["get", "number"],
          "text-font": BOLD,
          "text-size": ["interpolate", ["linear"], ["zoom"], 4, 11.5, 8, 14],
          "text-allow-overlap": true,
          // Names make room for the whole disc, not only for its number.
          "text-padding": 8,
        },
        paint: { "text-color": "#ffffff" },
      },
    );
  }
  const chosenShown = inputs.overlays.has("portfolio")
    && inputs.chosen.some((site) => site.site_id === selected);
  if (selected !== "" && !chosenShown) {
    out.push({
      id: "candidate-selected", type: "circle", source: "candidates",
      filter: isSelected,
      paint: {
        "circle-color": "rgba(0,0,0,0)",
        "circle-radius": 9,
        "circle-stroke-color": palette.accent,
        "circle-stroke-width": 3,
      },
    });
  }
  return out;
}

/** Another plan: green discs with a plus come, red discs with a minus go. */
function changeLayers(inputs: MapInputs): LayerSpecification[] {
  if (!inputs.change) return [];
  const enters: ExpressionSpecification = ["to-boolean", ["get", "enters"]];
  return [
    {
      id: "change-point", type: "circle", source: "plan-change",
      paint: {
        "circle-color": ["case", enters, palette.enters, palette.leaves],
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 4, 10, 8, 13],
        "circle-stroke-color": "#ffffff",
        "circle-stroke-width": 2.5,
      },
    },
    {
      id: "change-sign", type: "symbol", source: "plan-change",
      layout: {
        "text-field": ["get", "sign"],
        "text-font": BOLD,
        "text-size": 17,
        "text-allow-overlap": true,
      },
      paint: { "text-color": "#ffffff" },
    },
  ];
}

/** The place that was asked about. */
function placeLayers(inputs: MapInputs): LayerSpecification[] {
  if (inputs.selection?.kind !== "place") return [];
  const common = { type: "circle", source: "place" } as const;
  return [
    {
      ...common, id: "place-ring",
      paint: {
        "circle-color": "rgba(0,0,0,0)", "circle-radius": 10,
        "circle-stroke-color": palette.accent, "circle-stroke-width": 3,
      },
    },
    { ...common, id: "place-point", paint: { "circle-color": palette.accent, "circle-radius": 3 } },
  ];
}
