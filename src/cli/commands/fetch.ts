/** @file mixtune fetch STUDY: models and data of the hub into the cache, so that the rest can run offline. */

import type { Command } from "commander";
import { type Fetched, fetchStudy } from "../../app/study/fetch-study.ts";
import { counted } from "../../base/human-numbers.ts";
import { aligned } from "../../report/tables.ts";
import type { Act } from "../act.ts";
import { EXIT_DONE } from "../exit.ts";
import { studyOf } from "../options/assignments.ts";

export function addFetch(command: Command, act: Act): void {
  command
    .addHelpText("after", "\nExample: mixtune fetch study.yaml")
    .action((path: string | undefined, words: string[]) =>
      act(async (context) => {
        const { study } = studyOf(path, words);
        const fetched = await fetchStudy(study, context);
        const cache = context.settings.hub.cacheDir;
        context.result({ cache, fetched }, fetchedText(fetched, cache));
        return EXIT_DONE;
      }),
    );
}

function fetchedText(fetched: readonly Fetched[], cacheDir: string): string {
  const rows = fetched.map(({ name, kind, hub }) =>
    hub === undefined
      ? [kind, name, "here already, nothing of the hub", ""]
      : [kind, name, `${hub.repo} at ${hub.revision.slice(0, 12)}`, counted(Object.keys(hub.files).length, "file")],
  );
  return `${aligned([["what", "name", "from", "files"], ...rows], "left")}\n\nAll is in ${cacheDir}; with HF_HUB_OFFLINE=1 nothing is asked of the network.`;
}
