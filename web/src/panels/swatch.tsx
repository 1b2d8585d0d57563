import type { LayerInfo } from "../api/client.ts";

/** A layer's sign as the map draws it: hollow or dashed where its figures are assumed. */
export function Swatch({ layer }: { layer: LayerInfo }) {
  const { color, assumed, geometry } = layer;
  const outline = layer.theme === "administration";
  return (
    <svg class="swatch" width="22" height="14" viewBox="0 0 22 14" aria-hidden="true">
      {geometry === "point" && (
        <circle cx="11" cy="7" r="4.5" fill={assumed ? "#fff" : color} stroke={color} stroke-width="2" />
      )}
      {geometry === "line" && (
        <line x1="1" y1="7" x2="21" y2="7" stroke={color} stroke-width="3" stroke-dasharray={assumed ? "5 2.5" : undefined} />
      )}
      {geometry !== "point" && geometry !== "line" && (
        <rect x="2" y="1.5" width="18" height="11" rx="2" fill={outline ? "none" : color} fill-opacity=".35" stroke={color} stroke-width="1.5" />
      )}
    </svg>
  );
}
