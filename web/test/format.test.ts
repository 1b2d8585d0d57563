import assert from "node:assert/strict";
import { test } from "node:test";
import * as format from "../src/format.ts";

test("numbers are grouped and written in the page's digits", () => {
  assert.equal(format.formatNumber("en", 12345.6), "12,346");
  assert.equal(format.formatNumber("fa", 12345.6), "۱۲٬۳۴۶");
  assert.equal(format.formatScore("fa", 0.5), "۰٫۵۰");
});

test("a measure keeps the decimals that its size deserves", () => {
  assert.equal(format.formatMeasure("en", 1234.56), "1,235");
  assert.equal(format.formatMeasure("en", 12.345), "12.3");
  assert.equal(format.formatMeasure("en", 0.5), "0.5");
  assert.equal(format.formatMeasure("en", 0.0123), "0.012");
  assert.equal(format.formatMeasure("en", 7), "7");
});

test("a quantity has its unit in the page's language; an unknown unit stays", () => {
  assert.equal(format.formatQuantity("en", 9800, "m3/day"), "9,800\u00a0m³/day");
  assert.equal(format.formatQuantity("fa", 146, "MVA"), "۱۴۶\u00a0مگاولت‌آمپر");
  assert.equal(format.formatQuantity("en", 2.3, "%"), "2.3%");
  assert.equal(format.formatQuantity("en", 3, "furlong"), "3\u00a0furlong");
  assert.equal(format.formatQuantity("en", 0.81, "index"), "0.81");
});

test("Persian builds a unit from its parts", () => {
  assert.equal(format.formatUnit("fa", "m3/day"), "مترمکعب در روز");
  assert.equal(format.formatUnit("fa", "m3/day/ha"), "مترمکعب در روز در هر هکتار");
  assert.equal(format.formatUnit("fa", "MW per 1,000"), "مگاوات در هر ۱٬۰۰۰ نفر");
  assert.equal(format.formatUnit("fa", "per 100,000"), "در هر ۱۰۰٬۰۰۰ نفر");
  assert.equal(format.formatUnit("fa", "USD/person"), "دلار در هر نفر");
  assert.equal(format.formatUnit("fa", "parsecs/day"), "parsecs/day");
});

test("money is compact, and Persian counts in thousand billions", () => {
  assert.equal(format.formatMoney("en", 3.4e12, "IRR"), "3.4 trillion rials");
  assert.equal(format.formatMoney("fa", 66.5e12, "IRR"), "۶۶٫۵ هزار میلیارد ریال");
  assert.equal(format.formatMoney("en", 3.08e7, "USD"), "30.8 million USD");
  assert.match(format.formatMoney("fa", 3.08e7, "USD"), /^۳۰٫۸ میلیون دلار/);
  assert.match(format.formatMoney("fa", 9.3e11, "IRR"), /^۹۳۰ میلیارد ریال$/);
});

test("a day is Jalali on the Persian page of a Jalali country", () => {
  assert.equal(format.formatDate("fa", "2024-03-20", true), "۱ فروردین ۱۴۰۳");
  assert.equal(format.formatDate("en", "2024-03-20", true), "20 March 2024");
});

test("a bare year says its calendar where the page's own differs, and is not converted", () => {
  assert.equal(format.formatDate("fa", "2016", true), "۲۰۱۶ میلادی");
  assert.equal(format.formatDate("fa", "1395", true), "۱۳۹۵");
  assert.equal(format.formatDate("en", "1395", true), "1395 SH");
  assert.equal(format.formatDate("en", "2016", true), "2016");
});

test("a date that cannot be read stays as the source wrote it", () => {
  assert.equal(format.formatDate("en", "about 1390s", true), "about 1390s");
});
