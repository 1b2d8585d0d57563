import assert from "node:assert/strict";
import { test } from "node:test";
import { classOf, quantileClasses, rampColor } from "../src/map/classes.ts";

test("classes hold about equal numbers", () => {
  const classes = quantileClasses([1, 2, 3, 4, 5, 6, 7, 8, 9, 100], 5);
  assert.deepEqual(classes.map((c) => c.from), [1, 3, 5, 7, 9]);
  assert.equal(classes.at(-1)?.to, 100);
});

test("equal values stay in one class", () => {
  assert.deepEqual(quantileClasses([0, 0, 0, 0, 1], 5), [{ from: 0, to: 1 }, { from: 1, to: 1 }]);
});

test("no values, no classes; NaN is no value", () => {
  assert.deepEqual(quantileClasses([], 5), []);
  assert.deepEqual(quantileClasses([Number.NaN], 5), []);
});

test("every value is in exactly the class that says so", () => {
  const values = [0.01, 0.2, 0.21, 0.5, 0.9];
  const classes = quantileClasses(values, 3);
  for (const value of values) {
    const found = classes[classOf(classes, value)]!;
    assert.ok(value >= found.from && value <= found.to);
  }
});

test("the ramp's ends are used whatever the number of classes", () => {
  assert.deepEqual([0, 1].map((i) => rampColor(["a", "b", "c"], i, 2)), ["a", "c"]);
  assert.equal(rampColor(["a", "b", "c"], 0, 1), "a");
});
