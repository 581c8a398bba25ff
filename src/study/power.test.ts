import { expect, test } from "vitest";
import { detectableWith } from "./power.ts";
import { tellsApart } from "./words.ts";

// statsmodels.stats.power.NormalIndPower().solve_power(nobs1=n, alpha=0.05, power=0.8, ratio=0) * sqrt(0.2)
test.each([
  [59, 0.1631],
  [300, 0.0723],
  [1000, 0.0396],
])("%i rows find a difference of %f in four of five studies", (numItems, difference) => {
  expect(detectableWith(numItems)).toBeCloseTo(difference, 4);
});

test("what rows can decide is rounded up", () => {
  expect(tellsApart(59, detectableWith(59))).toBe("17 points or more (59 rows)");
});
