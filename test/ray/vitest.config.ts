import { defineConfig } from "vitest/config";

/** Apart from the other tests: these start a Ray cluster, with the Python that MIXTUNE_PYTHON names. */
export default defineConfig({
  test: { include: ["test/ray/**/*.test.ts"], testTimeout: 300_000, hookTimeout: 300_000, fileParallelism: false },
});
