/** Classes of a choropleth. */

/** A class: values from `from` (included) to `to` (the last class includes it). */
export interface ValueClass {
  from: number;
  to: number;
}

/**
 * Split values into at most `count` classes of about equal membership.
 *
 * The index is skewed (a few regions hold most industry); equal widths would paint nearly all of
 * the country in one colour. Values that are equal stay in one class, so there may be fewer.
 */
export function quantileClasses(values: readonly number[], count: number): ValueClass[] {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const last = sorted.at(-1);
  if (last === undefined) return [];
  const starts: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = sorted[Math.floor((i * sorted.length) / count)]!;
    if (starts.at(-1) !== start) starts.push(start);
  }
  return starts.map((from, i) => ({ from, to: starts[i + 1] ?? last }));
}

/** The class of a value, or −1 below the first. */
export function classOf(classes: readonly ValueClass[], value: number): number {
  return classes.findLastIndex((c) => value >= c.from);
}

/** Spread `count` classes over a ramp so that the first and the last colour are always used. */
export function rampColor(ramp: readonly string[], index: number, count: number): string {
  const at = count <= 1 ? 0 : Math.round((index * (ramp.length - 1)) / (count - 1));
  return ramp[at]!;
}
