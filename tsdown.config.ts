import { defineConfig } from "tsdown";

export default defineConfig({
  entry: { mixtune: "src/cli/main.ts", index: "src/index.ts", "local-thread": "src/workers/local-thread.ts" },
  format: "esm",
  platform: "node",
  target: "node20",
  dts: { entry: ["src/index.ts"] },
  outExtensions: () => ({ js: ".js", dts: ".d.ts" }),
  clean: true,
});
