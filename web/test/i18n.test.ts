import assert from "node:assert/strict";
import { test } from "node:test";
import { en } from "../src/i18n/en.ts";
import { fa } from "../src/i18n/fa.ts";
import { codeText, pick } from "../src/i18n/index.ts";

test("both languages hold the same keys, none empty", () => {
  assert.deepEqual(Object.keys(fa).sort(), Object.keys(en).sort());
  for (const [key, value] of [...Object.entries(en), ...Object.entries(fa)]) {
    assert.ok(value.trim(), key);
  }
});

test("Persian texts hold no English words but commands and names of techniques", () => {
  for (const [key, value] of Object.entries(fa)) {
    const words = value.replace(/`[^`]*`|\{[a-z]+\}/g, "").replace("WebGL", "");
    assert.doesNotMatch(words, /[A-Za-z]/, key);
    assert.doesNotMatch(value, /[يك]/, `${key}: Arabic letters where Persian ones belong`);
  }
});

test("a text has the same gaps to fill in both languages", () => {
  const gaps = (value: string) => (value.match(/\{[a-z]+\}/g) ?? []).sort();
  for (const key of Object.keys(en) as (keyof typeof en)[]) {
    assert.deepEqual(gaps(fa[key]), gaps(en[key]), key);
  }
});

test("a label falls back to the other language", () => {
  assert.equal(pick("fa", { en: "Yazd", local: "یزد" }), "یزد");
  assert.equal(pick("fa", { en: "Yazd", local: null }), "Yazd");
  assert.equal(pick("en", { en: "", local: "یزد" }), "یزد");
  assert.equal(pick("en", null, "08"), "08");
});

test("a code without a text stays a code", () => {
  assert.equal(codeText("en", "kind", "network"), "network");
  assert.equal(codeText("fa", "kind", "tanker"), "tanker");
});
