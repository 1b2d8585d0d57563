import type {
  ApiError, AppInfo, CandidateSummary, Label, LayerInfo, RegionDetail, RegionSummary, RunDetail,
  RunSummary, SiteDetail, SourceInfo, SupplyLine,
} from "./api/client.ts";
import type { Lang } from "./i18n/index.ts";

/** Something that is fetched. */
export type Load<T> =
  | { state: "idle" }
  | { state: "loading" }
  | { state: "ready"; data: T }
  | { state: "error"; error: ApiError };

export type Tab = "plan" | "layers" | "regions";
export type Selection =
  | { kind: "site"; id: string }
  | { kind: "region"; level: number; code: string };
export type Overlay = "portfolio" | "candidates" | "links";

export interface View {
  zoom: number;
  lat: number;
  lon: number;
}

/** Everything the page shows; replaced, never changed in place. */
export interface State {
  lang: Lang;
  info: Load<AppInfo>;
  layers: Load<LayerInfo[]>;
  runs: Load<RunSummary[]>;
  regions: Readonly<Record<number, Load<RegionSummary[]>>>;
  runId: string | null;
  run: Load<RunDetail>;
  candidates: Load<CandidateSummary[]>;
  supply: Load<SupplyLine[]>;
  sources: Load<SourceInfo[]>;
  selection: Selection | null;
  site: Load<SiteDetail>;
  region: Load<RegionDetail>;
  /** Region level that is coloured; 0 is none. */
  level: number;
  visible: ReadonlySet<string>;
  overlays: ReadonlySet<Overlay>;
  tab: Tab;
  legendOpen: boolean;
  legendOpenBesideCard: boolean;
  view: View | null;
  mapError: "webgl" | "tiles" | null;
}

export const idle = { state: "idle" } as const;
export const loading = { state: "loading" } as const;

export const initialState: State = {
  lang: "en",
  info: idle,
  layers: idle,
  runs: idle,
  regions: {},
  runId: null,
  run: idle,
  candidates: idle,
  supply: idle,
  sources: idle,
  selection: null,
  site: idle,
  region: idle,
  level: 1,
  visible: new Set(),
  overlays: new Set(["portfolio", "candidates", "links"]),
  tab: "plan",
  legendOpen: true,
  legendOpenBesideCard: false,
  view: null,
  mapError: null,
};

/** The data of a load, or the fallback. */
export const dataOf = <T, F>(load: Load<T> | undefined, fallback: F): T | F =>
  load?.state === "ready" ? load.data : fallback;

export interface Store {
  get(): State;
  set(change: Partial<State>): void;
  subscribe(listener: (state: State) => void): () => void;
}

/** A value that tells its listeners when it is replaced. */
export function createStore(first: State): Store {
  let state = first;
  const listeners = new Set<(state: State) => void>();
  return {
    get: () => state,
    set(change) {
      state = { ...state, ...change };
      for (const listener of [...listeners]) listener(state);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** The chosen sites by rank: their place in this list is the number people read. */
export function chosenSites(state: State): CandidateSummary[] {
  return dataOf(state.candidates, [])
    .filter((site) => site.in_portfolio)
    .sort((a, b) => a.rank - b.rank);
}

/** The region levels of the country, coarse first. */
export function regionLevels(state: State): { level: number; title: Label }[] {
  const levels = dataOf(state.info, null)?.region_levels ?? [];
  return levels.flatMap(({ level, title }) =>
    typeof level === "number" ? [{ level, title: (title ?? {}) as Label }] : [],
  );
}
