import { defineConfig } from "vitest/config";

/** They kill at chosen moments, fill disks, or make dist/ anew: after all others, one at a time. */
const ALONE = ["chaos", "disk-full", "resume", "tarball"].map((name) => `test/e2e/${name}.test.ts`);

/** Projects: `unit` runs from sources, `e2e` and `alone` run the built command in dist/. */
export default defineConfig({
  test: {
    maxWorkers: "100%", // a core is kept free otherwise: half of a small machine
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "web/**/*.test.ts", "test/*.test.ts", "test/conformance/**/*.test.ts"],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          exclude: ALONE,
          testTimeout: 600_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "alone",
          include: ALONE,
          testTimeout: 600_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
