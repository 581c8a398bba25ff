/** @file Names that people give, turned into names that files and keys may have. Folders on disk follow from these: they may not change. */

/** Longest name of a study or task. */
const LONGEST = 64;

/** A name as a key of a study file: lower-case letters, digits, - and _, at most 64 of them. Empty where the text has none. */
export function keySlug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "-")
    .replace(/^[-_]+|[-_]+$/g, "")
    .slice(0, LONGEST);
}

/** A name as a folder: each run of characters but letters, digits, _, . and - becomes `mark`, so that org/name stays readable. */
export function folderSlug(text: string, mark = "--"): string {
  return text.replace(/[^\w.-]+/g, mark);
}
