import { formatNumber, formatQuantity, formatScore } from "../format.ts";
import type { Lang } from "../i18n/index.ts";
import { codeText, pick, text } from "../i18n/index.ts";
import type { MapInputs } from "./style.ts";

/** A feature under the pointer, as far as the tip needs it. */
export interface Hit {
  layer: string;
  properties: Record<string, unknown>;
}

/** What the pointer's tip says: a heading, lines, and marks such as «assumed». */
export interface Tip {
  title: string;
  lines: string[];
  marks: string[];
}

/** What a click on the feature selects. */
export type Target = { kind: "site"; id: string } | { kind: "region"; code: string } | null;

/** Map layers that answer the pointer, the most important first. */
export function hitOrder(layers: readonly string[]): string[] {
  const own = ["change-point", "chosen-point", "candidate-selected", "candidate-point", "link-end",
    "link-assumed", "link-known", "candidate-area"];
  const catalogue = layers.filter((id) => id.startsWith("layer-") && !id.endsWith("-name")).reverse();
  return [...own, ...catalogue, "region-no-data", "region-fill"].filter((id) => layers.includes(id));
}

export function targetOf(hit: Hit): Target {
  const { site_id: site, code } = hit.properties;
  if (typeof site === "string") return { kind: "site", id: site };
  if (hit.layer.startsWith("region-") && code !== undefined) {
    return { kind: "region", code: String(code) };
  }
  return null;
}

export function tipOf(hit: Hit, inputs: MapInputs): Tip | null {
  const { lang } = inputs;
  const { properties } = hit;
  if (hit.layer.startsWith("link-")) return linkTip(properties, inputs);
  if (typeof properties["site_id"] === "string") return siteTip(properties["site_id"], inputs);
  if (hit.layer.startsWith("region-")) return regionTip(String(properties["code"]), inputs);
  const layer = inputs.layers.find((l) =>
    ["fill", "line", "circle"].some((kind) => hit.layer === `layer-${l.id}-${kind}`));
  if (!layer) return null;
  const given = { en: word(properties["name_en"]), local: word(properties["name_local"]) };
  const title = pick(lang, layer.title, layer.id);
  const name = pick(lang, given);
  const headroom = properties["headroom"];
  const lines = name ? [title] : [];
  if (typeof headroom === "number") {
    const unit = word(properties["unit"]) ?? "";
    lines.push(`${text(lang, "headroom")}: ${formatQuantity(lang, headroom, unit)}`);
  }
  const assumed = properties["assumed"] ?? layer.assumed;
  return { title: name || title, lines, marks: marks(lang, assumed === true, layer.synthetic) };
}

const word = (value: unknown): string | null => (typeof value === "string" && value ? value : null);

function marks(lang: Lang, assumed: boolean, synthetic: boolean): string[] {
  return [
    ...(assumed ? [text(lang, "assumed")] : []),
    ...(synthetic ? [text(lang, "synthetic")] : []),
  ];
}

function siteTip(id: string, inputs: MapInputs): Tip | null {
  const { lang } = inputs;
  const site = inputs.candidates.find((candidate) => candidate.site_id === id);
  if (!site) return null;
  const number = inputs.chosen.findIndex((chosen) => chosen.site_id === id) + 1;
  const title = number > 0
    ? `${text(lang, "site")} ${formatNumber(lang, number)}`
    : `${text(lang, "candidate")} ${formatNumber(lang, site.rank)}`;
  const assumed = inputs.supply.some((s) => s.site_id === id && s.basis === "assumed");
  return {
    title,
    lines: [
      site.regions.map((r) => pick(lang, r["name"] as object, String(r["code"] ?? "")))
        .join(lang === "fa" ? "، " : ", "),
      `${text(lang, "score")}: ${formatScore(lang, site.score)}`,
      `${text(lang, "area")}: ${formatQuantity(lang, Math.round(site.area_ha), "ha")}`,
    ],
    marks: assumed ? [`${text(lang, "supply")}: ${text(lang, "assumed")}`] : [],
  };
}

function linkTip(properties: Record<string, unknown>, inputs: MapInputs): Tip | null {
  const { lang } = inputs;
  const line = inputs.supply.find(
    (s) => s.site_id === properties["site_id"] && s.source_id === properties["source_id"]
      && s.resource === properties["resource"],
  );
  if (!line) return null;
  const number = inputs.chosen.findIndex((site) => site.site_id === line.site_id) + 1;
  return {
    title: pick(lang, line.source_name, line.source_id),
    lines: [
      `${codeText(lang, "resource", line.resource)}: ${formatQuantity(lang, line.amount, line.unit)}`,
      ...(line.distance_km === null
        ? []
        : [`${text(lang, "distance")}: ${formatQuantity(lang, line.distance_km, "km")}`]),
      ...(number > 0 ? [`${text(lang, "site")} ${formatNumber(lang, number)}`] : []),
    ],
    marks: [codeText(lang, "basis", line.basis)],
  };
}

function regionTip(code: string, inputs: MapInputs): Tip | null {
  const { lang } = inputs;
  const level = Math.max(inputs.level, 1);
  const region = inputs.regions[level]?.find((r) => r.code === code);
  if (!region) return null;
  const parent = inputs.regions[1]?.find((r) => r.code === region.parent_code);
  const index = region.industrialisation;
  return {
    title: pick(lang, region.name, code),
    lines: [
      ...(parent && level > 1 ? [pick(lang, parent.name)] : []),
      `${text(lang, "industrialisation")}: ${
        index === null ? text(lang, "tooLittleData") : formatScore(lang, index)}`,
    ],
    marks: region.less_industrialised ? [text(lang, "lessIndustrialised")] : [],
  };
}
