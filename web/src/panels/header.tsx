import { useApp } from "../app.ts";
import { formatDate } from "../format.ts";
import type { Lang } from "../i18n/index.ts";
import { dataOf } from "../store.ts";

const languages: readonly [Lang, string][] = [["fa", "فارسی"], ["en", "English"]];

/** Name, run chooser and language. */
export function Header() {
  const { state, actions, t, name, lang, jalali } = useApp();
  const info = dataOf(state.info, null);
  const runs = dataOf(state.runs, []);
  return (
    <header class="header">
      <a class="skip" href="#map" onClick={(event) => {
        event.preventDefault();
        document.querySelector<HTMLElement>(".maplibregl-canvas")?.focus();
      }}>{t("skipToMap")}</a>
      <div class="brand">
        <svg viewBox="0 0 32 32" width="30" height="30" aria-hidden="true">
          <rect width="32" height="32" rx="7" fill="#fff" opacity=".14" />
          <path d="M7 23V13l6 4v-4l6 4V9h6v14z" fill="#fff" />
        </svg>
        <div>
          <h1>{t("appName")}</h1>
          <p>{info ? name(info.title, t("appSubtitle")) : t("appSubtitle")}</p>
        </div>
      </div>
      <div class="header-tools">
        {runs.length > 0 && (
          <label class="chooser">
            <span>{t("run")}</span>
            <select
              value={state.runId ?? ""}
              onChange={(event) => void actions.chooseRun(event.currentTarget.value)}
            >
              {runs.map((run) => (
                <option key={run.id} value={run.id}>
                  {`${name(run.title, run.scenario_id)} · ${formatDate(lang, run.created_at, jalali)}`}
                </option>
              ))}
            </select>
          </label>
        )}
        <div class="segments segments-dark" role="group" aria-label={t("language")}>
          {languages.map(([code, label]) => (
            <button
              key={code}
              type="button"
              lang={code}
              data-raw
              aria-pressed={lang === code}
              onClick={() => actions.setLang(code)}
            >
              {label}
            </button>
          ))}
        </div>
      </div>
    </header>
  );
}
