import type { Resource } from "../api/client.ts";

/** Colours of the map. The ramps step evenly in lightness, so they hold without colour vision. */

/** Industrialisation, least → most: five steps of violet, apart from every line colour. */
export const indexRamp = ["#f4f0f8", "#d9cde8", "#b7a1d2", "#8d6fb4", "#5b3b8c"] as const;
export const noData = "#e3e4e2";
export const noDataLine = "#a9aca8";
export const land = "#f6f4ef";
export const sea = "#dde6ec";
export const boundary = "#ffffff";
export const boundaryStrong = "#6f6680";

/** Candidate score, low → high. */
export const scoreRamp = ["#bfe5d6", "#3aa58a", "#00594a"] as const;

export const ink = "#10243e";
export const accent = "#c23a20";

/** Another plan: who comes and who goes; a plus and a minus say so too. */
export const enters = "#0a7a4f";
export const leaves = "#a3173f";

export const resourceColor: Record<Resource, string> = {
  water: "#0b6bbf",
  power: "#d98200",
  wastewater: "#6b6a1f",
};
