/** @file SHA-256 of bytes, text and plain values. */

import { createHash } from "node:crypto";
import { canonicalJson } from "./canonical-json.ts";

/** Hexadecimal SHA-256 of bytes or UTF-8 text. */
export function sha256(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Hexadecimal SHA-256 of a plain value; independent of key order. */
export function digestOf(value: unknown): string {
  return sha256(canonicalJson(value));
}
