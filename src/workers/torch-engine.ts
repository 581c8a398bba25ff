/** @file PyTorch in a process of its own: gets a prepared run, leaves a run directory and recorded answers. */

import { removeQuietly } from "../formats/files.ts";
import type { Engine } from "./engine.ts";
import { environmentOfSlot } from "./gpus.ts";
import { answeredModel, type Computer, preparedFolder, prepareJob } from "./prepare-job.ts";
import type { SharedParts } from "./shared-parts.ts";
import { TorchProcess, type TorchProcessSettings } from "./torch-process.ts";

export interface TorchSettings extends TorchProcessSettings, Computer {
  /** Of each of the runs that go on side by side, its GPUs, as CUDA_VISIBLE_DEVICES names them; none on a processor. */
  gpus: string[][];
}

/** @param slot  which of the threads that compute side by side this is, from 0 */
export function torchEngine(shared: SharedParts, settings: TorchSettings, slot: number): Engine {
  const { python, environment, gpus } = settings;
  const process = new TorchProcess({ python, environment: environmentOfSlot(environment, gpus, slot) });
  return {
    work: async (context, questions) => {
      const { job } = context;
      const folder = preparedFolder(job);
      if (await prepareJob(shared, job, questions, settings, job.model_dir)) {
        await process.run(folder, context);
        removeQuietly(folder);
      }
      return answeredModel(shared, job);
    },
    release: async () => {
      await process.end();
      await shared.release();
    },
  };
}
