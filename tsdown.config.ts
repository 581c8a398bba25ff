import { defineConfig } from "tsdown";

/** The entry points of the library. */
const library = { index: "src/index.ts", train: "src/train.ts", stats: "src/stats.ts" };
const entry = { mixtune: "src/cli/main.ts", ...library, "local-thread": "src/workers/local-thread.ts" };

export default defineConfig([
  {
    entry,
    format: "esm",
    platform: "node",
    target: "node20.19",
    dts: { entry: Object.values(library) },
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
