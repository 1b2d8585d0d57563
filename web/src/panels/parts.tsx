import type { ComponentChildren } from "preact";
import type { ApiError } from "../api/client.ts";
import { useApp } from "../app.ts";
import type { Load } from "../store.ts";

/** Small pieces that several panels use. */

/** Text that comes from a source as it is; it may be in another language than the page. */
export function Raw({ children }: { children: ComponentChildren }) {
  return <bdi class="raw" data-raw>{children}</bdi>;
}

/** The mark of a figure that was not measured. */
export function Assumed() {
  const { t } = useApp();
  return <span class="badge badge-assumed" title={t("assumedHint")}>{t("assumed")}</span>;
}

export function Synthetic() {
  const { t } = useApp();
  return <span class="badge badge-synthetic">{t("synthetic")}</span>;
}

/** What went wrong and what to do about it. */
export function Failure({ error, retry }: { error: ApiError; retry?: () => void }) {
  const { t } = useApp();
  const network = error.kind === "network";
  const { problem } = error;
  return (
    <div class="notice notice-error" role="alert">
      <strong>{t("errorTitle")}</strong>
      <p>{problem ? <Raw>{problem.detail}</Raw> : t(network ? "errorNetwork" : "errorAnswer")}</p>
      {problem?.where && <p class="quiet"><Raw>{problem.where}</Raw></p>}
      {(problem?.remedy || network) && (
        <p>
          <b>{t("whatToDo")}: </b>
          {problem ? <Raw>{problem.remedy}</Raw> : <Ticks text={t("errorNetworkRemedy")} />}
        </p>
      )}
      {retry && <button type="button" class="button" onClick={retry}>{t("retry")}</button>}
    </div>
  );
}

/** A sentence whose `ticked` parts are typed by the reader: they stay left to right. */
export function Ticks({ text }: { text: string }) {
  return (
    <>
      {text.split("`").map((part, i) =>
        i % 2 ? <code key={i} dir="ltr" data-raw>{part}</code> : part)}
    </>
  );
}

/** The content of a load, or its loading or error state. */
export function Loaded<T>(props: {
  load: Load<T> | undefined;
  retry?: () => void;
  children: (data: T) => ComponentChildren;
}) {
  const { t } = useApp();
  const { load } = props;
  if (load?.state === "ready") return <>{props.children(load.data)}</>;
  if (load?.state === "error") {
    return <Failure error={load.error} {...(props.retry ? { retry: props.retry } : {})} />;
  }
  if (load?.state === "loading") {
    return (
      <div class="skeleton" role="status">
        <span class="visually-hidden">{t("loading")}</span>
        <i /><i /><i />
      </div>
    );
  }
  return null;
}

/** A share 0–1 as a bar; said in words beside it, so hidden from readers. */
export function Bar({ share, color }: { share: number; color?: string }) {
  const width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return (
    <span class="bar" aria-hidden="true">
      <span style={{ width, ...(color ? { background: color } : {}) }} />
    </span>
  );
}

/** A term and its value. */
export function Fact({ term, children }: { term: string; children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function Fold(props: {
  title: string;
  count?: string;
  open?: boolean;
  children: ComponentChildren;
}) {
  return (
    <details class="fold" open={props.open ?? false}>
      <summary>
        <span>{props.title}</span>
        {props.count !== undefined && <span class="count">{props.count}</span>}
      </summary>
      <div class="fold-body">{props.children}</div>
    </details>
  );
}
