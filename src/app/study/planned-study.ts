/** @file A study that is ready to run, as every part of this folder knows it. */

import type { PreparedTask } from "../../data/tokens/prepare.ts";
import type { LoadedTask } from "../../data/types.ts";
import type { Caps, RunSpec, TaskSpec } from "../../specs/types.ts";
import type { StudyLock } from "../../study/lock-file.ts";
import type { Job, PlannedRun, TimeParts } from "../../study/types.ts";
import type { HostedChoice } from "../hosted/choice.ts";
import type { BaseModel } from "../models/base-model.ts";
import type { HubData } from "../tasks/hub-data.ts";
import type { StudyInput } from "./read-study.ts";
import type { WorkerOptions } from "./worker-kind.ts";

/** A study with its data loaded and its runs planned; nothing is written yet. */
export interface PlannedStudy {
  input: StudyInput;
  dir: string;
  specs: Record<string, TaskSpec>;
  tasks: Record<string, LoadedTask>;
  /** By name; weights of the hub need not be there yet. */
  models: Record<string, BaseModel>;
  plan: PlannedRun[];
  lock: StudyLock;
  data: HubData;
  /** The hosted models among models and baselines, by name. */
  hosted: Record<string, HostedChoice>;
  /** Who trains, and with what. */
  workerOptions: WorkerOptions;
  /** What a run trains on. */
  dataOf(spec: RunSpec, caps: Caps): Record<string, PreparedTask>;
  /** What an untuned model's scoring should take, before anything was measured. @param shots  training examples before each question */
  untunedTime(model: string, shots: number): TimeParts;
}

/** Where data is, as jobs have it. */
export function dataOfJobs({ dataRoot, hubFiles }: HubData): Pick<Job, "data_root" | "hub_files"> {
  const hasFiles = Object.keys(hubFiles).length > 0;
  return { ...(dataRoot !== undefined && { data_root: dataRoot }), ...(hasFiles && { hub_files: hubFiles }) };
}
