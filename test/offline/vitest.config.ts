import { defineConfig } from "vitest/config";

/** Apart from the other tests: scripts/ci/offline runs these in a network without a way out. They need strace. */
export default defineConfig({ test: { include: ["test/offline/**/*.test.ts"], testTimeout: 300_000 } });
