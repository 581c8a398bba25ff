/** @file Where the name of a base model leads. */

import { isAbsolute } from "node:path";

/** `hub`: others find it under its name; `shipped`: it is in mixtune's package; `gguf`, `folder`: a path of this machine. */
export type BaseKind = "hub" | "shipped" | "gguf" | "folder";

export function baseKind(name: string): BaseKind {
  if (/\.gguf$/i.test(name)) return "gguf";
  if (name.startsWith("mixtune/")) return "shipped";
  return /^\.{0,2}\//.test(name) || isAbsolute(name) || !name.includes("/") ? "folder" : "hub";
}
