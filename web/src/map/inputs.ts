import { tiles } from "../api/client.ts";
import { chosenSites, dataOf, planChange, regionLevels } from "../store.ts";
import type { State } from "../store.ts";
import type { MapInputs } from "./style.ts";

/** What the map shows of the page's state. */
export function mapInputs(state: State): MapInputs {
  const regions: Record<number, MapInputs["regions"][number]> = {};
  for (const [level, load] of Object.entries(state.regions)) {
    if (load.state === "ready") regions[Number(level)] = load.data;
  }
  const regionTiles: Record<number, string> = {};
  for (const { level } of regionLevels(state)) {
    if (level === 1 || level === state.level) regionTiles[level] = tiles.regions(level);
  }
  return {
    lang: state.lang,
    level: state.level,
    regionTiles,
    regions,
    layers: dataOf(state.layers, []),
    visible: state.visible,
    overlays: state.overlays,
    candidateTiles: state.runId === null ? null : tiles.candidates(state.runId),
    candidates: dataOf(state.candidates, []),
    chosen: chosenSites(state),
    supply: dataOf(state.supply, []),
    change: planChange(state),
    selection: state.selection,
  };
}
