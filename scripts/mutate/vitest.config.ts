import { defineConfig } from "vitest/config";

/** The unit tests of what is mutated, but for those that calibrate for many seconds or run a whole model. */
export default defineConfig({
  test: {
    include: [
      "src/{stats,data,study,app}/**/*.test.ts",
      "test/conformance/made-up-rows.test.ts",
      "test/estimates.test.ts",
    ],
    exclude: ["src/stats/calibration.test.ts", "src/app/{models,predict}/**"],
    testTimeout: 60_000,
  },
});
