/** @file Turns what zod says about a value into the one error that a person gets: place, expected, got, remedy. */

import { z } from "zod";
import { SpecError } from "../base/errors.ts";
import { foreignKey } from "./import/foreign-key.ts";
import { didYouMean, nearest } from "./nearest.ts";
import { meaningsOf } from "./other-names.ts";
import { formatKeyPath, type KeyPath, valueAt, type YamlFile } from "./yaml-file.ts";

type Issue = z.core.$ZodIssue;

/**
 * The file's value, checked against a schema.
 * @throws {SpecError} the first thing that is wrong; unknown keys come first, since a mistyped key often causes the others
 */
export function validateFile<S extends z.ZodType>(schema: S, file: YamlFile): z.infer<S> {
  const result = schema.safeParse(file.value);
  if (result.success) return result.data;
  const issues = result.error.issues.map(narrow);
  const issue = issues.find((candidate) => candidate.code === "unrecognized_keys") ?? issues[0]!;
  throw specErrorOf(issue, schema, file);
}

function specErrorOf(issue: Issue, schema: z.ZodType, file: YamlFile): SpecError {
  const path = issue.path;
  if (issue.code === "unrecognized_keys") {
    const unknown = issue.keys[0]!;
    const known = knownKeys(schema, path, file.value);
    return new SpecError({
      place: file.place([...path, unknown]),
      expected: "a known key",
      got: unknown,
      remedy: remedyForKey(unknown, known, schema),
    });
  }
  const got = valueAt(file.value, path);
  const expected = expectedOf(issue);
  return new SpecError({
    place: file.place(path),
    expected,
    got: issue.code === "invalid_key" ? String(path.at(-1)) : describeValue(got),
    remedy: remedyOf(issue, got, path),
  });
}

/** A union's issue becomes that of the branch that got furthest, if any got further than the value itself. */
function narrow(issue: Issue): Issue {
  if (issue.code !== "invalid_union") return issue;
  const inner = issue.errors.flat().map(narrow);
  const depth = (candidate: Issue) => candidate.path.length + (candidate.code === "unrecognized_keys" ? 0.5 : 0);
  const deepest = inner.reduce<Issue | undefined>(
    (best, next) => (best && depth(best) >= depth(next) ? best : next),
    undefined,
  );
  if (deepest === undefined || depth(deepest) < 1) return issue;
  return { ...deepest, path: [...issue.path, ...deepest.path] };
}

const TYPE_WORDS: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
};

function expectedOf(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return TYPE_WORDS[issue.expected] ?? issue.expected;
    case "invalid_value":
      return issue.values.length === 1 ? String(issue.values[0]) : `one of ${issue.values.join(", ")}`;
    case "too_small":
    case "too_big": {
      const bound = issue.code === "too_small" ? issue.minimum : issue.maximum;
      const word =
        issue.code === "too_small"
          ? issue.inclusive
            ? "at least"
            : "more than"
          : issue.inclusive
            ? "at most"
            : "less than";
      if (issue.origin === "array") return `${word} ${bound} ${bound === 1 ? "entry" : "entries"}`;
      if (issue.origin === "string") return "some text";
      return `${word} ${bound}`;
    }
    case "invalid_key":
      return issue.issues[0]?.message ?? issue.message;
    case "invalid_union":
      return "discriminator" in issue && issue.discriminator
        ? `${issue.discriminator} to be one of label, text, number, spans, document`
        : issue.message;
    default:
      return issue.message;
  }
}

function remedyOf(issue: Issue, got: unknown, path: KeyPath): string {
  const key = formatKeyPath(path) || "the file";
  if (got === undefined) return `Add ${key}.`;
  if (got === null) return `Write {} if ${key} has nothing to say, or remove it.`;
  if (issue.code === "invalid_type" && issue.expected === "string" && typeof got !== "object")
    return `Put it in quotes: "${got}".`;
  if (issue.code === "invalid_value" && typeof got === "string") return didYouMean(got, issue.values.map(String));
  if (issue.code === "invalid_key") return "Rename it.";
  return `Change ${key}.`;
}

/** A value as it is shown in a message: short JSON. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** By meaning or letters here; else where in the file the key belongs; else what becomes of another tool's key. */
function remedyForKey(key: string, known: readonly string[], schema: z.ZodType): string {
  const meant = meaningsOf(key);
  const isHere = known.some((one) => meant.includes(one));
  const elsewhere = isHere ? undefined : placeOf([key, ...meant], schema);
  if (elsewhere !== undefined) return `Write it as ${elsewhere}.`;
  return (nearest(key, known) === undefined ? foreignKey(key) : undefined) ?? didYouMean(key, known);
}

/** `train.learning_rate` or `tasks.NAME.group`: the first place of the file that has one of the keys, train's first. */
function placeOf(keys: readonly string[], schema: z.ZodType): string | undefined {
  const blocks = blocksOf(schema).sort((a, b) => Number(b.path === "train") - Number(a.path === "train"));
  for (const { path, known } of blocks) {
    const key = keys.find((one) => known.includes(one));
    if (key !== undefined && path !== "") return `${path}.${key}`;
  }
  return undefined;
}

/** Every mapping of fixed keys that a schema has. */
function blocksOf(schema: z.core.$ZodType, path = ""): { path: string; known: string[] }[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return blocksOf(schema.unwrap(), path);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => blocksOf(option, path));
  if (schema instanceof z.ZodRecord) return blocksOf(schema.valueType, `${path}.NAME`);
  if (!(schema instanceof z.ZodObject)) return [];
  const members = Object.entries(schema.shape as Record<string, z.core.$ZodType>);
  const inner = members.flatMap(([key, member]) => blocksOf(member, path === "" ? key : `${path}.${key}`));
  return [{ path, known: members.map(([key]) => key) }, ...inner];
}

/** Keys that the schema knows at a path of the value. */
function knownKeys(schema: z.ZodType, path: KeyPath, value: unknown): string[] {
  const at = schemasAt(schema, path, value);
  return [...new Set(at.flatMap((inner) => (inner instanceof z.ZodObject ? Object.keys(inner.shape) : [])))];
}

function schemasAt(schema: z.core.$ZodType, path: KeyPath, value: unknown): z.core.$ZodType[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable)
    return schemasAt(schema.unwrap(), path, value);
  if (schema instanceof z.ZodUnion) {
    return schema.options
      .filter((option) => fitsKind(option, value))
      .flatMap((option) => schemasAt(option, path, value));
  }
  const [key, ...rest] = path;
  if (key === undefined) return [schema];
  const inner = valueAt(value, [key]);
  if (schema instanceof z.ZodObject) {
    const member = (schema.shape as Record<PropertyKey, z.core.$ZodType>)[key];
    return member ? schemasAt(member, rest, inner) : [];
  }
  if (schema instanceof z.ZodRecord) return schemasAt(schema.valueType, rest, inner);
  if (schema instanceof z.ZodArray) return schemasAt(schema.element, rest, inner);
  return [];
}

/** Of a discriminated union only the branch of the value's own kind. */
function fitsKind(option: z.core.$ZodType, value: unknown): boolean {
  if (!(option instanceof z.ZodObject)) return true;
  const kind = (option.shape as Record<string, z.core.$ZodType>).kind;
  return !(kind instanceof z.ZodLiteral) || kind.value === valueAt(value, ["kind"]);
}
