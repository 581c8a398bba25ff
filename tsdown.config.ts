import { existsSync } from "node:fs";
import { defineConfig } from "tsdown";

const entry = { mixtune: "src/cli/main.ts", index: "src/index.ts", "local-thread": "src/workers/local-thread.ts" };

export default defineConfig([
  {
    entry: Object.fromEntries(Object.entries(entry).filter(([, path]) => existsSync(path))),
    format: "esm",
    platform: "node",
    target: "node20.19",
    dts: { entry: ["src/index.ts"] },
    outExtensions: () => ({ js: ".js", dts: ".d.ts" }),
    clean: true,
  },
  {
    // The page of report.html, which src/report/html.ts puts into the file.
    entry: { report: "web/main.ts" },
    outDir: "dist/page",
    format: "esm",
    platform: "browser",
    target: "es2023",
    tsconfig: "web/tsconfig.json",
    dts: false,
    minify: true,
    copy: "web/report.css",
    outExtensions: () => ({ js: ".js" }),
  },
]);
