/**
 * What a run's studies say, as `/api/runs/{run}/studies/{name}` gives it.
 *
 * The service hands on the documents that the studies wrote and has no schema of them, so they
 * are typed here, as far as the page reads them.
 */

export interface FrontPoint {
  point: number;
  efficiency: number;
  equity: number;
  proven: boolean;
  cost: number | null;
  share_less_industrialised: number | null;
  gini_before: number | null;
  gini_after: number | null;
  theil_t_before: number | null;
  theil_t_after: number | null;
  is_plan: boolean;
  sites: string[];
}

export interface FrontStudy {
  objective: "deprivation" | "shortfall" | "gini" | "deviation";
  measure: string;
  equity_unit: string;
  more_is_better: boolean;
  complete: boolean;
  plan: { efficiency: number; equity: number; point: number | null } | null;
  points: FrontPoint[];
}

export interface InclusionStudy {
  plans: number;
  infeasible: number;
  sites: { site_id: string; inclusion: number; standard_error: number }[];
}

export interface RankStudy {
  draws: number;
  top: number;
  sites: {
    site_id: string;
    first_acceptability: number;
    top_acceptability: number;
    standard_error: number;
  }[];
}

export interface MethodsStudy {
  methods: string[];
  top: number;
  candidates: number;
  /** The best of each method, best first. */
  best: Record<string, string[]>;
  /** Rank of every candidate by each method, where the run recorded them. */
  ranks?: Record<string, Record<string, number>>;
  agreement: { first: string; second: string; kendall_tau_b: number | null; top_overlap: number }[];
}

export interface AlternativesStudy {
  best: { sites: string[]; worth: number | null; cost: number | null };
  within: number;
  differ_min: number;
  ended: string;
  plans: {
    number: number;
    sites: string[];
    worth: number;
    loss: number;
    cost: number | null;
    leave: string[];
    enter: string[];
  }[];
}

export interface BacktestStudy {
  text: { en: string; local: string | null };
  estates: number;
  unscored: number;
}

/** The studies that the page shows, by the service's names. */
export interface Studies {
  pareto: FrontStudy;
  inclusion: InclusionStudy;
  smaa: RankStudy;
  methods: MethodsStudy;
  alternatives: AlternativesStudy;
  backtest: BacktestStudy;
}

export const shownStudies: readonly (keyof Studies)[] = [
  "pareto", "inclusion", "smaa", "methods", "alternatives", "backtest",
];
