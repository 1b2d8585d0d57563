import { ApiError, api } from "./api/client.ts";
import type { Lang } from "./i18n/index.ts";
import type { Link } from "./link.ts";
import { dataOf, idle, loading, regionLevels } from "./store.ts";
import type { Load, Overlay, Selection, State, Store } from "./store.ts";

/** What the user can do; each action changes the store and fetches what that needs. */
export interface Actions {
  start(link: Link): Promise<void>;
  setLang(lang: Lang): void;
  chooseRun(id: string): Promise<void>;
  chooseLevel(level: number): void;
  loadRegions(level: number): Promise<void>;
  toggleLayer(id: string): void;
  toggleOverlay(overlay: Overlay): void;
  select(selection: Selection | null): Promise<void>;
  retrySelection(): Promise<void>;
  change(change: Partial<Pick<State, "tab" | "legendOpen" | "legendOpenBesideCard" | "view" | "mapError">>): void;
}

async function attempt<T>(work: Promise<T>): Promise<Load<T>> {
  try {
    return { state: "ready", data: await work };
  } catch (error) {
    if (error instanceof ApiError) return { state: "error", error };
    throw error;
  }
}

export function createActions(store: Store): Actions {
  const { get, set } = store;

  async function loadRegions(level: number): Promise<void> {
    const held = get().regions[level]?.state;
    if (level === 0 || held === "ready" || held === "loading") return;
    const run = get().runId;
    set({ regions: { ...get().regions, [level]: loading } });
    const answer = await attempt(api.regions(level, run));
    if (get().runId === run) set({ regions: { ...get().regions, [level]: answer } });
  }

  /** The coloured level, the coarsest one for its names, and a finer one if only that is indexed. */
  async function loadShownRegions(stay: boolean): Promise<void> {
    await Promise.all([loadRegions(1), loadRegions(get().level)]);
    const indexed = () =>
      dataOf(get().regions[get().level], []).some((region) => region.industrialisation !== null);
    if (stay || get().level === 0 || indexed()) return;
    for (const { level } of regionLevels(get())) {
      await loadRegions(level);
      const regions = dataOf(get().regions[level], []);
      if (regions.some((region) => region.industrialisation !== null)) return set({ level });
    }
  }

  async function select(selection: Selection | null): Promise<void> {
    set({ selection, site: idle, region: idle });
    if (selection?.kind === "site") {
      const run = get().runId;
      if (run === null) return;
      set({ site: loading });
      const site = await attempt(api.site(run, selection.id));
      // A slow answer must not overwrite a newer choice.
      if (get().selection === selection) set({ site });
    } else if (selection) {
      set({ region: loading });
      const region = await attempt(api.region(selection.code, selection.level, get().runId));
      if (get().selection === selection) set({ region });
    }
  }

  async function chooseRun(id: string, stayAtLevel = true): Promise<void> {
    const selection = get().selection;
    const changed = get().runId !== null && get().runId !== id;
    set({
      // The index belongs to a run, so the regions are asked for again.
      regions: {},
      runId: id, run: loading, candidates: loading, supply: loading, sources: loading,
      ...(changed && selection?.kind === "site" ? { selection: null, site: idle } : {}),
    });
    const still = () => get().runId === id;
    await Promise.all([
      loadShownRegions(stayAtLevel),
      attempt(api.run(id)).then((run) => still() && set({ run })),
      attempt(api.candidates(id)).then((candidates) => still() && set({ candidates })),
      attempt(api.supply(id)).then((supply) => still() && set({ supply })),
      attempt(api.sources(id)).then((sources) => still() && set({ sources })),
    ]);
  }

  async function start(link: Link): Promise<void> {
    set({ info: loading, layers: loading, runs: loading });
    const level = link.level ?? get().level;
    const selection: Selection | null = link.site
      ? { kind: "site", id: link.site }
      : link.region
        ? { kind: "region", ...link.region }
        : null;
    set({ level, selection, ...(link.site ? { site: loading } : {}) });
    const [info] = await Promise.all([
      attempt(api.info()).then((answer) => (set({ info: answer }), answer)),
      attempt(api.layers()).then((layers) => {
        const shown = link.layers ?? dataOf(layers, []).filter((l) => l.show).map((l) => l.id);
        set({ layers, visible: new Set(shown) });
      }),
      attempt(api.runs()).then((runs) => set({ runs })),
    ]);
    const runs = dataOf(get().runs, []);
    const wanted = [link.run, dataOf(info, null)?.latest_run, runs[0]?.id];
    const run = wanted.find((id) => id != null && runs.some((known) => known.id === id));
    const shown = run != null
      ? chooseRun(run, link.level !== undefined)
      : loadShownRegions(link.level !== undefined);
    await Promise.all([shown, selection ? select(selection) : null]);
  }

  return {
    start,
    chooseRun: (id) => chooseRun(id),
    loadRegions,
    select,
    retrySelection() {
      const { selection } = get();
      // A copy: the answer to the first try must not count for this one.
      return select(selection && { ...selection });
    },
    setLang: (lang) => set({ lang }),
    chooseLevel(level) {
      set({ level });
      void loadRegions(level);
    },
    toggleLayer(id) {
      const visible = new Set(get().visible);
      if (!visible.delete(id)) visible.add(id);
      set({ visible });
    },
    toggleOverlay(overlay) {
      const overlays = new Set(get().overlays);
      if (!overlays.delete(overlay)) overlays.add(overlay);
      set({ overlays });
    },
    change: (change) => set(change),
  };
}
