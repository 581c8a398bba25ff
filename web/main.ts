/** @file The report's page: shows the data that the file carries; from a server, also how the study goes on. */

import type { ReportData } from "../src/study/report-data.ts";
import { follow } from "./live.ts";
import { showPage } from "./page.ts";

const data = JSON.parse(document.getElementById("data")!.textContent) as ReportData;
const version = document.querySelector<HTMLMetaElement>("meta[name=mixtune-live]")?.content;
if (version === undefined) showPage(data);
else {
  const update = showPage(
    data,
    follow(version, (newer) => update(newer)),
  );
}
