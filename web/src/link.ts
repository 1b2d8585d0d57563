import type { Lang } from "./i18n/index.ts";

/** What the address after `#` says; anything absent is left to the page. */
export interface Link {
  lang?: Lang;
  run?: string;
  site?: string;
  place?: { lon: number; lat: number };
  region?: { level: number; code: string };
  level?: number;
  layers?: string[];
  view?: { zoom: number; lat: number; lon: number };
}

/** Read a hash such as `#lang=fa&run=r1&site=s3&view=5.2/32.1/54.3`; what does not parse is left out. */
export function parseLink(hash: string): Link {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const link: Link = {};
  const lang = given.get("lang");
  if (lang === "en" || lang === "fa") link.lang = lang;
  const run = given.get("run");
  if (run) link.run = run;
  const site = given.get("site");
  if (site) link.site = site;
  const [placeLat, placeLon] = (given.get("place") ?? "").split("/").map(Number);
  if (Number.isFinite(placeLat) && Number.isFinite(placeLon) && Math.abs(placeLat!) <= 90) {
    link.place = { lat: placeLat!, lon: placeLon! };
  }
  const region = /^(\d):(.+)$/.exec(given.get("region") ?? "");
  if (region) link.region = { level: Number(region[1]), code: region[2]! };
  const level = given.get("level");
  if (level !== null && /^\d$/.test(level)) link.level = Number(level);
  const layers = given.get("layers");
  if (layers !== null) link.layers = layers.split(",").filter(Boolean);
  const view = (given.get("view") ?? "").split("/").map(Number);
  const [zoom, lat, lon] = view;
  if (view.length === 3 && view.every(Number.isFinite) && Math.abs(lat!) <= 90) {
    link.view = { zoom: zoom!, lat: lat!, lon: lon! };
  }
  return link;
}

/** Write a link; `parseLink` reads it back. */
export function formatLink(link: Link): string {
  const out = new URLSearchParams();
  if (link.lang) out.set("lang", link.lang);
  if (link.run) out.set("run", link.run);
  if (link.site) out.set("site", link.site);
  if (link.place) out.set("place", `${link.place.lat.toFixed(5)}/${link.place.lon.toFixed(5)}`);
  if (link.region) out.set("region", `${link.region.level}:${link.region.code}`);
  if (link.level !== undefined) out.set("level", String(link.level));
  if (link.layers) out.set("layers", link.layers.join(","));
  if (link.view) {
    const { zoom, lat, lon } = link.view;
    out.set("view", `${zoom.toFixed(2)}/${lat.toFixed(4)}/${lon.toFixed(4)}`);
  }
  // Slashes, colons and commas are legal in a fragment and read better unescaped.
  return `#${out.toString().replaceAll("%2F", "/").replaceAll("%2C", ",").replaceAll("%3A", ":")}`;
}
