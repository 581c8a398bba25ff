import { defineConfig } from "vitest/config";

/** Apart from the other tests: these need a Python with PyTorch, named by MIXTUNE_PYTHON. */
export default defineConfig({
  test: { include: ["test/torch/**/*.test.ts"], testTimeout: 600_000, hookTimeout: 600_000, fileParallelism: false },
});
