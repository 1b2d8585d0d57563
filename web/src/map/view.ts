import { Map as MapLibre, setWorkerUrl } from "maplibre-gl";
import type { View } from "../store.ts";
import { hatchImage } from "./hatch.ts";
import { HATCH, buildStyle } from "./style.ts";
import type { MapInputs } from "./style.ts";
import { hitOrder, targetOf, tipOf } from "./tip.ts";
import type { Hit, Target, Tip } from "./tip.ts";

/** How much of each side of the map other things lie over, px. */
export interface Covered { left: number; right: number; bottom: number }

export type Bounds = [number, number, number, number];

/** What the map tells the page. */
export interface MapEvents {
  /** A click, or Enter at the centre: what is there, and where it is. */
  onSelect(target: Target, at: { lon: number; lat: number }): void;
  onTip(tip: { tip: Tip; x: number; y: number } | null): void;
  onMove(view: View, metresPerPixel: number): void;
  onTilesFailed(): void;
  onTruncated(truncated: boolean): void;
}

/** The map on the page: draws inputs, tells of clicks; holds no state of its own but the camera. */
export class MapView {
  readonly map: MapLibre;
  /** Resolves when everything that was asked for is drawn for the first time. */
  readonly ready: Promise<void>;
  private drawn: MapInputs | null = null;

  /** Throws where the browser has no WebGL. */
  constructor(container: HTMLElement, view: View | null, events: MapEvents) {
    const worker = document.querySelector<HTMLMetaElement>('meta[name="geoplan-worker"]')?.content;
    if (worker) setWorkerUrl(new URL(worker, document.baseURI).href);
    this.map = new MapLibre({
      container,
      style: { version: 8, sources: {}, layers: [] },
      ...(view ? { center: [view.lon, view.lat], zoom: view.zoom } : {}),
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      maxZoom: 16,
      minZoom: 2,
      fadeDuration: 0,
      renderWorldCopies: false,
      transformRequest: (url) => ({ url: new URL(url, location.origin).href }),
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.setMissingStyleImageResolver((id) => {
      if (id === HATCH && !this.map.hasImage(HATCH)) {
        this.map.addImage(HATCH, hatchImage(), { pixelRatio: 2 });
      }
    });
    this.ready = new Promise((resolve) => {
      const settle = () => {
        if (this.drawn === null || !this.map.loaded()) return;
        this.map.off("idle", settle);
        resolve();
      };
      this.map.on("idle", settle);
    });
    this.listen(events);
  }

  private listen(events: MapEvents): void {
    const { map } = this;
    const hitAt = (spot: { x: number; y: number }, reach: number): Hit | null => {
      if (!this.drawn) return null;
      const layers = hitOrder(map.getLayersOrder());
      const { x, y } = spot;
      const found = map.queryRenderedFeatures(
        [[x - reach, y - reach], [x + reach, y + reach]], { layers });
      const rank = (id: string) => layers.indexOf(id);
      // Regions answer for the pointer's own spot; the reach only helps to touch thin things.
      const exact = map.queryRenderedFeatures([x, y], { layers });
      const best = [...found.filter((f) => !f.layer.id.startsWith("region-")), ...exact]
        .sort((a, b) => rank(a.layer.id) - rank(b.layer.id))[0];
      return best ? { layer: best.layer.id, properties: best.properties } : null;
    };
    map.on("mousemove", (event) => {
      const hit = hitAt(event.point, 3);
      map.getCanvas().style.cursor = hit && targetOf(hit) ? "pointer" : "";
      const tip = hit && this.drawn && tipOf(hit, this.drawn);
      events.onTip(tip ? { tip, x: event.point.x, y: event.point.y } : null);
    });
    map.on("mouseout", () => events.onTip(null));
    map.on("movestart", () => events.onTip(null));
    map.on("click", (event) => {
      const hit = hitAt(event.point, 5);
      const { lng, lat } = event.lngLat;
      events.onSelect(hit && targetOf(hit), { lon: lng, lat });
    });
    map.getCanvas().addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      const { lng, lat } = map.getCenter();
      const hit = hitAt(map.project([lng, lat]), 5);
      events.onSelect(hit && targetOf(hit), { lon: lng, lat });
    });
    const moved = () => {
      const { lng, lat } = map.getCenter();
      const view = { zoom: map.getZoom(), lat, lon: lng };
      const metres = (78271.517 * Math.cos((lat * Math.PI) / 180)) / 2 ** view.zoom;
      events.onMove(view, metres);
    };
    map.on("moveend", moved);
    map.on("load", moved);
    map.on("error", (event) => {
      // Only a failed request is the user's business; anything else is a mistake of ours.
      if ("status" in event.error || /fetch/i.test(event.error.message)) events.onTilesFailed();
      else console.error(event.error);
    });
    map.on("idle", () => events.onTruncated(this.truncated()));
  }

  /** Whether a tile in view left features out; the service says so in a layer `meta`. */
  private truncated(): boolean {
    return Object.entries(this.map.getStyle().sources).some(([id, source]) =>
      source.type === "vector"
      && this.map.querySourceFeatures(id, { sourceLayer: "meta" })
        .some((feature) => feature.properties["truncated"] === true));
  }

  draw(inputs: MapInputs): void {
    const before = this.drawn;
    if (before && (Object.keys(inputs) as (keyof MapInputs)[]).every((k) => same(before[k], inputs[k]))) {
      return;
    }
    this.drawn = inputs;
    this.map.setStyle(buildStyle(inputs), { diff: true });
  }

  /** Show the box. `covered` is what lies over the map's sides. */
  fit(bounds: Bounds, covered: Covered, animate = true): void {
    const [west, south, east, north] = bounds;
    const { clientWidth, clientHeight } = this.map.getContainer();
    const edge = Math.min(clientWidth, clientHeight) * 0.05;
    const padding = {
      top: edge, bottom: edge + covered.bottom, left: edge + covered.left, right: edge + covered.right,
    };
    this.map.fitBounds([[west, south], [east, north]], { padding, maxZoom: 12, animate });
  }

  /** Move there only as far as needed: a site in view stays where it is. */
  reveal(lon: number, lat: number): void {
    const { x, y } = this.map.project([lon, lat]);
    const { clientWidth, clientHeight } = this.map.getContainer();
    const margin = 60;
    const inside = x > margin && y > margin && x < clientWidth - margin && y < clientHeight - margin;
    if (!inside) this.map.easeTo({ center: [lon, lat] });
  }

  zoom(by: number): void {
    this.map.zoomTo(this.map.getZoom() + by);
  }

  /** Name the canvas for people who cannot see it. */
  describe(label: string): void {
    this.map.getCanvas().setAttribute("aria-label", label);
  }

  remove(): void {
    this.map.remove();
  }
}

/** Equal enough to draw the same: inputs are rebuilt from unchanged parts. */
function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Set || b instanceof Set) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length
    && keys.every((k) => (a as Record<string, unknown>)[k] === (b as Record<string, unknown>)[k]);
}
