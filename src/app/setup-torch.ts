/** @file Makes the Python environment of the PyTorch worker, in the cache. */

import { join } from "node:path";
import { CACHE_SETTING, makeFolder } from "../formats/files.ts";
import { findTorch } from "../workers/python.ts";
import { setUpTorch } from "../workers/torch-setup.ts";
import { packageRoot } from "./package.ts";
import { torchEnvironment, torchFolder } from "./study/start-worker.ts";
import type { Workspace } from "./workspace.ts";

/** PyTorch as the environment has it. */
export type TorchSetup = { interpreter: string } & ReturnType<typeof findTorch>;

/**
 * Installs PyTorch, transformers and PEFT: some gigabytes, some minutes. Lines of the installer are notes of the workspace.
 * @param python  Python 3.10 or newer that the environment is made from
 * @throws {WorkerError} no such interpreter, or an installation that failed
 */
export async function setupTorch(
  { settings, note, signal }: Workspace,
  { python = "python3" }: { python?: string } = {},
): Promise<TorchSetup> {
  makeFolder(settings.cacheDir, CACHE_SETTING);
  const interpreter = await setUpTorch({
    folder: torchFolder(settings),
    python,
    requirements: join(packageRoot(), "python", "requirements.txt"),
    environment: { ...settings.workerEnvironment, ...settings.installerEnvironment },
    onLine: note,
    signal,
  });
  return { interpreter, ...findTorch(interpreter, torchEnvironment(settings)) };
}
