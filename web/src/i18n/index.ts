import { en } from "./en.ts";
import { fa } from "./fa.ts";

export type Lang = "en" | "fa";
export type MessageKey = keyof typeof en;
export type Messages = Record<MessageKey, string>;

/** A text from the server: English and the country's own language. */
export interface LabelLike {
  en?: string | null;
  local?: string | null;
}

const texts: Record<Lang, Messages> = { en, fa };

export const directionOf = (lang: Lang): "ltr" | "rtl" => (lang === "fa" ? "rtl" : "ltr");

/** The text of a key in a language. */
export const text = (lang: Lang, key: MessageKey): string => texts[lang][key];

/** The text of a key made from a prefix and a code of the server, or the code where there is none. */
export function codeText(lang: Lang, prefix: string, code: string): string {
  const key = `${prefix}_${code}`;
  return key in texts[lang] ? texts[lang][key as MessageKey] : code;
}

/** The label in the page's language; the other one where it is missing. */
export function pick(lang: Lang, label: LabelLike | null | undefined, fallback = ""): string {
  if (!label) return fallback;
  const [first, second] = lang === "fa" ? [label.local, label.en] : [label.en, label.local];
  return first || second || fallback;
}
