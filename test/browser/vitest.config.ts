import { defineConfig } from "vitest/config";

/** Apart from the other tests: these need a browser. MIXTUNE_BROWSER names another than Debian's chromium. */
export default defineConfig({
  test: { include: ["test/browser/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000 },
});
