import assert from "node:assert/strict";
import { test } from "node:test";
import { validateStyleMin } from "@maplibre/maplibre-gl-style-spec";
import type { CandidateSummary, LayerInfo, RegionSummary, SupplyLine } from "../src/api/client.ts";
import { indexRamp } from "../src/map/palette.ts";
import { buildStyle } from "../src/map/style.ts";
import type { MapInputs } from "../src/map/style.ts";
import { hitOrder, targetOf, tipOf } from "../src/map/tip.ts";

const region = (code: string, index: number | null): RegionSummary => ({
  code, level: 1, parent_code: null, name: { en: `Region ${code}`, local: `منطقهٔ ${code}` },
  population: null, area_km2: null, industrialisation: index, coverage: null, rank: null,
  less_industrialised: index === null ? null : index < 0.3, bounds: [50, 30, 52, 31],
});

const site = (id: string, rank: number, chosen: boolean): CandidateSummary => ({
  site_id: id, rank, score: 1 - rank / 10, area_ha: 900, lon: 51, lat: 30.5, regions: [],
  in_portfolio: chosen, served_alone: true, demand: [],
});

const line = (basis: SupplyLine["basis"]): SupplyLine => ({
  site_id: "a", resource: "water", source_id: `dam-${basis}`,
  source_name: { en: "Dam", local: "سد" }, kind: "network", amount: 100, unit: "m3/day",
  distance_km: 12, cost: 1, basis, line: [[50, 30], [51, 30.5]],
});

const layer: LayerInfo = {
  id: "roads", title: { en: "Roads", local: "راه‌ها" }, theme: "transport", kind: "vector",
  geometry: "line", rows: 1, version: 1, as_of: null, source: "", licence: "", assumed: false,
  method: null, synthetic: false, color: "#8a5a2b", width: 1.2, opacity: 0.8, min_zoom: 4,
  show: false, tiles: "/tiles/layers/roads/{z}/{x}/{y}.mvt", source_layer: "layer", bounds: null,
};

const inputs: MapInputs = {
  lang: "en", level: 1, regionTiles: { 1: "/tiles/regions/1/{z}/{x}/{y}.mvt" },
  regions: { 1: [region("01", 0.1), region("02", 0.9), region("03", null)] },
  layers: [layer, { ...layer, id: "nodes", geometry: "point", assumed: true }],
  visible: new Set(["roads", "nodes"]), overlays: new Set(["portfolio", "candidates", "links"]),
  candidateTiles: "/tiles/runs/r/candidates/{z}/{x}/{y}.mvt",
  candidates: [site("a", 1, true), site("b", 2, false)], chosen: [site("a", 1, true)],
  supply: [line("assumed"), line("metered")], change: null, selection: null,
};

const ids = (change: Partial<MapInputs> = {}): string[] =>
  buildStyle({ ...inputs, ...change }).layers.map((l) => l.id);

test("the style is valid by the style specification, whatever is shown", () => {
  const variants: Partial<MapInputs>[] = [
    {}, { level: 0 }, { level: 2, regionTiles: { 1: "/a", 2: "/b" } }, { regions: {} },
    { regionTiles: {} }, { visible: new Set() }, { overlays: new Set() }, { lang: "fa" },
    { candidates: [], chosen: [], supply: [], candidateTiles: null },
    { selection: { kind: "site", id: "a" } }, { selection: { kind: "site", id: "b" } },
    { selection: { kind: "region", level: 1, code: "01" } },
    { selection: { kind: "place", lon: 51, lat: 30, region: null } },
    { change: { plan: { study: "pareto", number: 1, sites: ["b"] }, enter: [site("b", 2, false)], leave: [site("a", 1, true)] } },
    { regions: { 1: [region("03", null)] } }, { overlays: new Set(["candidates"]) },
  ];
  for (const change of variants) {
    const errors = validateStyleMin(buildStyle({ ...inputs, ...change }));
    assert.deepEqual(errors.map((e) => e.message), [], JSON.stringify(change));
  }
});

test("nothing is asked for outside the service: no glyphs, no sprite, only own paths", () => {
  const style = buildStyle(inputs);
  assert.equal(style.glyphs, undefined);
  assert.equal(style.sprite, undefined);
  assert.doesNotMatch(JSON.stringify(style.sources), /https?:/);
});

test("regions are coloured by class; without data they are hatched, not coloured", () => {
  const style = buildStyle(inputs);
  const fill = style.layers.find((l) => l.id === "region-fill");
  const color = JSON.stringify(fill?.paint);
  assert.ok(color.includes(`["01"],"${indexRamp[0]}"`));
  assert.ok(color.includes(`["02"],"${indexRamp.at(-1)}"`));
  const hatch = style.layers.find((l) => l.id === "region-no-data");
  assert.ok(hatch && "filter" in hatch);
  assert.ok(!JSON.stringify(hatch.filter).includes('"03"'));
});

test("before the index is loaded nothing is called 'no data'", () => {
  assert.ok(!ids({ regions: {} }).includes("region-no-data"));
});

test("only layers that are switched on are drawn, polygons below lines below points", () => {
  assert.ok(!ids({ visible: new Set() }).some((id) => id.startsWith("layer-")));
  const shown = ids();
  assert.ok(shown.indexOf("layer-roads-line") < shown.indexOf("layer-nodes-circle"));
});

test("assumed sources are dashed and hollow, known ones solid", () => {
  const style = buildStyle(inputs);
  const paint = (id: string) => style.layers.find((l) => l.id === id)?.paint ?? {};
  assert.ok("line-dasharray" in paint("link-assumed"));
  assert.ok(!("line-dasharray" in paint("link-known")));
  assert.equal((paint("layer-nodes-circle") as Record<string, unknown>)["circle-color"], "#ffffff");
});

test("chosen sites are numbered in the page's digits", () => {
  const data = JSON.stringify(buildStyle({ ...inputs, lang: "fa" }).sources["chosen"]);
  assert.ok(data.includes('"number":"۱"'));
});

test("the pointer meets sites before lines before regions", () => {
  const order = hitOrder(ids());
  assert.equal(order[0], "chosen-point");
  assert.ok(order.indexOf("link-assumed") < order.indexOf("layer-roads-line"));
  assert.equal(order.at(-1), "region-fill");
});

test("the tip of an assumed source says so in the page's language", () => {
  const hit = (basis: string) => ({
    layer: "link-assumed",
    properties: { site_id: "a", source_id: `dam-${basis}`, resource: "water" },
  });
  assert.deepEqual(tipOf(hit("assumed"), { ...inputs, lang: "fa" })?.marks, ["فرضی"]);
  assert.deepEqual(tipOf(hit("metered"), inputs)?.marks, ["metered"]);
  const node = { layer: "layer-nodes-circle", properties: { name_en: "Node 1" } };
  assert.deepEqual(tipOf(node, inputs)?.marks, ["assumed"]);
});

test("a click selects a site or a region, and nothing else", () => {
  assert.deepEqual(targetOf({ layer: "chosen-point", properties: { site_id: "a" } }),
    { kind: "site", id: "a" });
  assert.deepEqual(targetOf({ layer: "region-fill", properties: { code: "01" } }),
    { kind: "region", code: "01" });
  assert.equal(targetOf({ layer: "layer-roads-line", properties: { code: "x" } }), null);
});
