import type {
  ApiError, AppInfo, CandidateSummary, Label, LayerInfo, PlaceDetail, RegionDetail, RegionSummary,
  RunDetail, RunSummary, SiteDetail, SourceInfo, SupplyLine,
} from "./api/client.ts";
import type { Studies } from "./api/studies.ts";
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
  | { kind: "region"; level: number; code: string }
  | { kind: "place"; lon: number; lat: number; region: { level: number; code: string } | null };
export type Overlay = "portfolio" | "candidates" | "links";

/** Another plan beside the run's own, to look at on the map. */
export interface OtherPlan {
  study: "pareto" | "alternatives";
  number: number;
  sites: readonly string[];
}

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
  place: Load<PlaceDetail>;
  studies: Readonly<{ [K in keyof Studies]?: Load<Studies[K]> }>;
  /** The plan that stays on the map, and the one under the pointer, which goes before it. */
  otherPlan: OtherPlan | null;
  glimpse: OtherPlan | null;
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
  place: idle,
  studies: {},
  otherPlan: null,
  glimpse: null,
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

/** How another plan differs from the run's own. */
export interface PlanChange {
  plan: OtherPlan;
  enter: CandidateSummary[];
  leave: CandidateSummary[];
}

let lastChange: { of: State["candidates"]; change: PlanChange } | null = null;

/** The other plan on the map, if any, against the run's own; the same object while nothing moves. */
export function planChange(state: State): PlanChange | null {
  const plan = state.glimpse ?? state.otherPlan;
  if (!plan) return null;
  if (lastChange?.change.plan !== plan || lastChange.of !== state.candidates) {
    lastChange = { of: state.candidates, change: { plan, ...differences(state, plan.sites) } };
  }
  return lastChange.change;
}

/** The sites that come and go when the run's plan is left for these. */
export function differences(
  state: State, sites: readonly string[],
): { enter: CandidateSummary[]; leave: CandidateSummary[] } {
  const wanted = new Set(sites);
  const byRank = [...dataOf(state.candidates, [])].sort((a, b) => a.rank - b.rank);
  return {
    enter: byRank.filter((site) => wanted.has(site.site_id) && !site.in_portfolio),
    leave: byRank.filter((site) => !wanted.has(site.site_id) && site.in_portfolio),
  };
}

/** How often a site stands in the plans that were solved again; null where that was not asked. */
export function inclusionOf(
  state: State, id: string,
): { share: number; error: number; plans: number } | null {
  const study = dataOf(state.studies.inclusion, null);
  if (!study || study.plans === 0) return null;
  const found = study.sites.find((site) => site.site_id === id);
  return { share: found?.inclusion ?? 0, error: found?.standard_error ?? 0, plans: study.plans };
}
