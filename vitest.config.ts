import { defineConfig } from "vitest/config";

/** Two projects: `unit` runs from sources, `e2e` runs the built command in dist/. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "test/*.test.ts", "test/conformance/**/*.test.ts"],
          testTimeout: 60_000,
        },
      },
      { test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], testTimeout: 600_000, fileParallelism: false } },
    ],
  },
});
