/** @file Which of a machine's GPUs each of several worker processes sees. */

/** CUDA's own name for what a process sees; ROCm reads it too. */
const VISIBLE = "CUDA_VISIBLE_DEVICES";

/**
 * GPUs by the names that CUDA_VISIBLE_DEVICES takes: indices, UUIDs or MIG instances.
 * @param count        how many PyTorch sees
 * @param environment  of the worker; what a person made visible there stays the limit
 */
export function visibleGpus(count: number, environment: Readonly<Record<string, string>>): string[] {
  const names = environment[VISIBLE]?.split(",").map((name) => name.trim());
  if (names === undefined) return Array.from({ length: count }, (_, index) => String(index));
  // Of several MIG instances a process sees the first alone; of other names all up to the first that is none.
  return count > 0 && names.every((name) => name.startsWith("MIG-")) ? names : names.slice(0, count);
}

/** GPUs of runs that go on side by side, `size` for each; what is left over idles. */
export function gpuGroups(gpus: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.floor(gpus.length / size) }, (_, i) => gpus.slice(i * size, (i + 1) * size));
}

/** What the process of a slot sees of the environment: its own GPUs. More slots than groups share them in turn; without groups all is as it was. */
export function environmentOfSlot(
  environment: Readonly<Record<string, string>>,
  groups: readonly (readonly string[])[],
  slot: number,
): Record<string, string> {
  const group = groups[slot % groups.length];
  return { ...environment, ...(group !== undefined && { [VISIBLE]: group.join(",") }) };
}
