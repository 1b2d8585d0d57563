import type { Studies } from "./studies.ts";
import type { components } from "./types.ts";

/** The service's answers, by the names of the API's schemas. */
type Schemas = components["schemas"];
export type AppInfo = Schemas["AppInfo"];
export type CandidatePage = Schemas["CandidatePage"];
export type CandidateSummary = Schemas["CandidateSummary"];
export type Label = Schemas["Label"];
export type LayerInfo = Schemas["LayerInfo"];
export type PlaceDetail = Schemas["PlaceDetail"];
export type ProblemBody = Schemas["ProblemBody"];
export type RegionDetail = Schemas["RegionDetail"];
export type RegionSummary = Schemas["RegionSummary"];
export type RunDetail = Schemas["RunDetail"];
export type RunSummary = Schemas["RunSummary"];
export type SiteDetail = Schemas["SiteDetail"];
export type SourceInfo = Schemas["SourceInfo"];
export type SupplyLine = Schemas["SupplyLine"];
export type Resource = SupplyLine["resource"];

/** What went wrong, in the service's own words where it had any. */
export class ApiError extends Error {
  constructor(
    readonly kind: "network" | "answer" | "problem",
    readonly problem: ProblemBody | null,
  ) {
    super(problem?.detail ?? kind);
  }
}

const PAGE = 1000;
const part = encodeURIComponent;
const ofRun = (run: string | null): string => (run === null ? "" : `&run=${part(run)}`);

async function get<T>(path: string): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { headers: { Accept: "application/json" } });
  } catch {
    throw new ApiError("network", null);
  }
  let body: unknown;
  try {
    body = await response.json();
  } catch {
    throw new ApiError("answer", null);
  }
  if (!response.ok) throw new ApiError("problem", asProblem(body, response.status));
  return body as T;
}

function asProblem(body: unknown, status: number): ProblemBody {
  const given = (typeof body === "object" && body !== null ? body : {}) as Partial<ProblemBody>;
  return {
    type: given.type ?? "about:blank",
    title: given.title ?? `HTTP ${status}`,
    status,
    detail: given.detail ?? given.title ?? `HTTP ${status}`,
    where: given.where ?? "",
    remedy: given.remedy ?? "",
    problems: given.problems ?? [],
  };
}

export const api = {
  info: () => get<AppInfo>("/api/info"),
  layers: () => get<LayerInfo[]>("/api/layers"),
  regions: (level: number, run: string | null) =>
    get<RegionSummary[]>(`/api/regions?level=${level}${ofRun(run)}`),
  region: (code: string, level: number, run: string | null) =>
    get<RegionDetail>(`/api/regions/${part(code)}?level=${level}${ofRun(run)}`),
  runs: () => get<RunSummary[]>("/api/runs"),
  run: (run: string) => get<RunDetail>(`/api/runs/${part(run)}`),
  site: (run: string, site: string) =>
    get<SiteDetail>(`/api/runs/${part(run)}/sites/${part(site)}`),
  study: <K extends keyof Studies>(run: string, name: K) =>
    get<Studies[K]>(`/api/runs/${part(run)}/studies/${part(name)}`),
  place: (run: string, lon: number, lat: number) =>
    get<PlaceDetail>(`/api/runs/${part(run)}/place?lon=${lon.toFixed(5)}&lat=${lat.toFixed(5)}`),
  supply: (run: string) => get<SupplyLine[]>(`/api/runs/${part(run)}/supply`),
  sources: (run: string) => get<SourceInfo[]>(`/api/runs/${part(run)}/sources`),

  /** All candidates: page after page until the stated total is reached. */
  async candidates(run: string): Promise<CandidateSummary[]> {
    const all: CandidateSummary[] = [];
    for (;;) {
      const page = await get<CandidatePage>(
        `/api/runs/${part(run)}/candidates?offset=${all.length}&limit=${PAGE}`,
      );
      all.push(...page.items);
      if (page.items.length === 0 || all.length >= page.total) return all;
    }
  },
};

/** Vector tiles beside the catalogue's own layers. */
export const tiles = {
  regions: (level: number) => `/tiles/regions/${level}/{z}/{x}/{y}.mvt`,
  candidates: (run: string) => `/tiles/runs/${part(run)}/candidates/{z}/{x}/{y}.mvt`,
};

/** A file of a run's folder. */
export const runFile = (run: string, name: string): string =>
  `/api/runs/${part(run)}/files/${part(name)}`;
