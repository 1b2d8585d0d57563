import { ApiError, api } from "./api/client.ts";
import { shownStudies } from "./api/studies.ts";
import type { Studies } from "./api/studies.ts";
import type { Lang } from "./i18n/index.ts";
import type { Link } from "./link.ts";
import { dataOf, idle, loading, regionLevels } from "./store.ts";
import type { Load, OtherPlan, Overlay, Selection, State, Store } from "./store.ts";

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
  /** Keep another plan on the map; the same one again takes it off. */
  showPlan(plan: OtherPlan | null): void;
  /** Show another plan for as long as the pointer rests on it. */
  glimpse(plan: OtherPlan | null): void;
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
    set({ selection, site: idle, region: idle, place: idle });
    if (selection?.kind === "site") {
      const run = get().runId;
      if (run === null) return;
      set({ site: loading });
      const site = await attempt(api.site(run, selection.id));
      // A slow answer must not overwrite a newer choice.
      if (get().selection === selection) set({ site });
    } else if (selection?.kind === "place") {
      const run = get().runId;
      if (run === null) return;
      set({ place: loading });
      const place = await attempt(api.place(run, selection.lon, selection.lat));
      if (get().selection === selection) set({ place });
    } else if (selection) {
      set({ region: loading });
      const region = await attempt(api.region(selection.code, selection.level, get().runId));
      if (get().selection === selection) set({ region });
    }
  }

  async function loadStudy<K extends keyof Studies>(run: string, name: K): Promise<void> {
    const answer = await attempt(api.study(run, name));
    if (get().runId === run) set({ studies: { ...get().studies, [name]: answer } });
  }

  /** The studies that the run has; each is shown as soon as it is there. */
  async function loadStudies(run: string): Promise<void> {
    const has = dataOf(get().run, null)?.studies ?? [];
    const names = shownStudies.filter((name) => has.includes(name));
    set({ studies: Object.fromEntries(names.map((name) => [name, loading])) });
    await Promise.all(names.map((name) => loadStudy(run, name)));
  }

  async function chooseRun(id: string, stayAtLevel = true): Promise<void> {
    const selection = get().selection;
    const changed = get().runId !== null && get().runId !== id;
    set({
      // The index belongs to a run, so the regions are asked for again.
      regions: {},
      runId: id, run: loading, candidates: loading, supply: loading, sources: loading,
      studies: {}, otherPlan: null, glimpse: null,
      ...(changed && selection && selection.kind !== "region"
        ? { selection: null, site: idle, place: idle }
        : {}),
    });
    const still = () => get().runId === id;
    await Promise.all([
      loadShownRegions(stayAtLevel),
      attempt(api.run(id)).then((run) => {
        if (!still()) return;
        set({ run });
        return loadStudies(id);
      }),
      attempt(api.candidates(id)).then((candidates) => still() && set({ candidates })),
      attempt(api.supply(id)).then((supply) => still() && set({ supply })),
      attempt(api.sources(id)).then((sources) => still() && set({ sources })),
    ]);
  }

  async function start(link: Link): Promise<void> {
    set({ info: loading, layers: loading, runs: loading });
    const level = link.level ?? get().level;
    const selection: Selection | null = link.place
      ? { kind: "place", ...link.place, region: null }
      : link.site
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
    // A place and a site are asked of the run, which is known only now.
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
    showPlan(plan) {
      const held = get().otherPlan;
      const same = plan && held && plan.study === held.study && plan.number === held.number;
      set({ otherPlan: same ? null : plan, glimpse: null });
    },
    glimpse(plan) {
      if (plan !== get().glimpse) set({ glimpse: plan });
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
