import assert from "node:assert/strict";
import { test } from "node:test";
import { formatLink, parseLink } from "../src/link.ts";
import type { Link } from "../src/link.ts";

test("a link is read back as it was written", () => {
  const link: Link = {
    lang: "fa", run: "r 1&2", site: "S0004", level: 2, layers: ["roads", "dams"],
    view: { zoom: 5.25, lat: 32.5, lon: 54.125 },
  };
  assert.deepEqual(parseLink(formatLink(link)), link);
  const region: Link = { region: { level: 2, code: "08:12" }, layers: [] };
  assert.deepEqual(parseLink(formatLink(region)), region);
});

test("what does not parse is left out", () => {
  assert.deepEqual(parseLink("#lang=de&level=x&view=1/2&region=9&site="), {});
  assert.deepEqual(parseLink("#view=5/99/10"), {});
  assert.deepEqual(parseLink(""), {});
});
