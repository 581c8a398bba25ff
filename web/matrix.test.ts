import { expect, test } from "vitest";
import { scaleEnd, shadeOf } from "./matrix.ts";

test("what is not significant has no color, however large it is", () => {
  expect(shadeOf(-0.5, false, 0.1)).toBe(0);
  expect(shadeOf(-0.05, true, 0.1)).toBe(-0.5);
});

test("a small difference alone does not fill the scale, and a large one ends it", () => {
  expect(scaleEnd([])).toBe(0.1);
  expect(scaleEnd([0.01, -0.02])).toBe(0.1);
  expect(scaleEnd([0.01, -0.698])).toBe(0.698);
});
