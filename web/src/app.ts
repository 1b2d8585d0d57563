import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Actions } from "./actions.ts";
import { pick, text } from "./i18n/index.ts";
import type { LabelLike, MessageKey } from "./i18n/index.ts";
import { dataOf } from "./store.ts";
import type { State } from "./store.ts";

/** What every part of the page needs: the state, what can be done, and the language's texts. */
export interface App {
  state: State;
  actions: Actions;
  /** Show a place on the map. */
  map: { fit(bounds: readonly number[]): void; reveal(lon: number, lat: number): void };
}

export const AppContext = createContext<App | null>(null);

export function useApp() {
  const app = useContext(AppContext);
  if (!app) throw new Error("a panel was drawn outside the page");
  const { lang } = app.state;
  const info = dataOf(app.state.info, null);
  return {
    ...app,
    lang,
    t: (key: MessageKey) => text(lang, key),
    name: (label: LabelLike | null | undefined, fallback = "") => pick(lang, label, fallback),
    jalali: info?.calendar === "jalali",
    currency: info?.currency ?? "",
    priceYear: info?.price_year ?? "",
    comma: lang === "fa" ? "، " : ", ",
  };
}
