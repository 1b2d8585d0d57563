import type { ComponentChildren } from "preact";
import type { Resource } from "../api/client.ts";
import { useApp } from "../app.ts";
import { formatScore } from "../format.ts";
import { codeText } from "../i18n/index.ts";
import { quantileClasses, rampColor } from "../map/classes.ts";
import { indexRamp, resourceColor, scoreRamp } from "../map/palette.ts";
import { chosenSites, dataOf, planChange, regionLevels } from "../store.ts";
import { Assumed } from "./parts.tsx";
import { Swatch } from "./swatch.tsx";

const resources: readonly Resource[] = ["water", "power", "wastewater"];

/** What the colours and signs on the map mean, and which level is coloured. */
export function Legend() {
  const { state, actions, t, lang } = useApp();
  const flag = state.selection ? "legendOpenBesideCard" : "legendOpen";
  const open = state[flag];
  return (
    <section class="legend" aria-label={t("legend")}>
      <button
        type="button"
        class="legend-head"
        aria-expanded={open}
        onClick={() => actions.change({ [flag]: !open })}
      >
        <span>{t("legend")}</span>
        <span class="chevron" aria-hidden="true" />
      </button>
      {open && (
        <div class="legend-body">
          <LevelSwitch />
          {state.level > 0 && <IndexClasses />}
          {dataOf(state.candidates, []).length > 0 && <PlanSigns />}
          <ShownLayers />
        </div>
      )}
    </section>
  );

  function PlanSigns() {
    const hasLinks = state.overlays.has("links") && dataOf(state.supply, []).length > 0;
    return (
      <>
        {state.overlays.has("candidates") && (
          <div class="ramp-row">
            <span class="legend-title">{t("candidateScore")}</span>
            <span class="ramp" style={{ backgroundImage: `linear-gradient(to ${lang === "fa" ? "left" : "right"}, ${scoreRamp.join(",")})` }} />
            <span class="ramp-ends"><span>{t("low")}</span><span>{t("high")}</span></span>
          </div>
        )}
        {state.overlays.has("portfolio") && chosenSites(state).length > 0 && (
          <Row sign={<span class="pin pin-small">{lang === "fa" ? "۱" : "1"}</span>}>{t("chosenSite")}</Row>
        )}
        {planChange(state) && (
          <div class="legend-lines">
            <Row sign={<span class="pin pin-small pin-enter">+</span>}>{t("legendEnters")}</Row>
            <Row sign={<span class="pin pin-small pin-leave">−</span>}>{t("legendLeaves")}</Row>
          </div>
        )}
        {hasLinks && (
          <>
            <div class="legend-lines">
              {resources.map((resource) => (
                <Row key={resource} sign={<LineSign color={resourceColor[resource]} />}>
                  {codeText(lang, "resource", resource)}
                </Row>
              ))}
            </div>
            <Row sign={<LineSign color="#47535f" dashed />}>{t("lineAssumed")}</Row>
            <Row sign={<LineSign color="#47535f" />}>{t("lineKnown")}</Row>
          </>
        )}
      </>
    );
  }
}

function Row({ sign, children }: { sign: ComponentChildren; children: ComponentChildren }) {
  return <div class="legend-row"><span class="sign" aria-hidden="true">{sign}</span><span>{children}</span></div>;
}

function LineSign({ color, dashed = false }: { color: string; dashed?: boolean }) {
  return (
    <svg width="24" height="10" viewBox="0 0 24 10">
      <line x1="1" y1="5" x2="23" y2="5" stroke={color} stroke-width="3" stroke-dasharray={dashed ? "5 3" : undefined} />
    </svg>
  );
}

/** Which level of regions is coloured. */
export function LevelSwitch() {
  const { state, actions, t, name } = useApp();
  const levels = [
    ...regionLevels(state).map(({ level, title }) => ({ level, label: name(title, String(level)) })),
    { level: 0, label: t("noColour") },
  ];
  return (
    <fieldset class="level-switch">
      <legend class="legend-title">{t("regionsByIndex")}</legend>
      <div class="segments" role="group">
        {levels.map(({ level, label }) => (
          <button
            key={level}
            type="button"
            aria-pressed={state.level === level}
            onClick={() => actions.chooseLevel(level)}
          >
            {label}
          </button>
        ))}
      </div>
    </fieldset>
  );
}

function IndexClasses() {
  const { state, t, lang } = useApp();
  const regions = dataOf(state.regions[state.level], null);
  if (!regions) return null;
  const values = regions.flatMap((r) => (r.industrialisation === null ? [] : [r.industrialisation]));
  const classes = quantileClasses(values, indexRamp.length);
  const dash = lang === "fa" ? " تا " : " – ";
  return (
    <div class="classes">
      {classes.map((c, i) => (
        <Row
          key={c.from}
          sign={<span class="box" style={{ background: rampColor(indexRamp, i, classes.length) }} />}
        >
          <span class="range">{formatScore(lang, c.from) + dash + formatScore(lang, c.to)}</span>
          {i === 0 && <span class="quiet"> {t("leastIndustrialised")}</span>}
          {i > 0 && i === classes.length - 1 && <span class="quiet"> {t("mostIndustrialised")}</span>}
        </Row>
      ))}
      {values.length === 0 && <p>{t("noIndexLevel")}</p>}
      {values.length < regions.length && (
        <Row sign={<span class="box box-hatch" />}>{t("tooLittleData")}</Row>
      )}
    </div>
  );
}

function ShownLayers() {
  const { state, name } = useApp();
  const shown = dataOf(state.layers, []).filter((l) => l.tiles && state.visible.has(l.id));
  return (
    <>
      {shown.map((layer) => (
        <Row key={layer.id} sign={<Swatch layer={layer} />}>
          {name(layer.title, layer.id)} {layer.assumed && <Assumed />}
        </Row>
      ))}
    </>
  );
}
