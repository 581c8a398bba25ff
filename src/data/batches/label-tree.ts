/**
 * @file What may follow a prompt, as a tree of tokens: what several labels begin with alike is there once. Branches in the order of a walk through
 * the tree say it all, each with the number of its first tokens that it has in common with the branch before.
 *
 * ```
 *   card lost | end         common 0, feeds 2 tokens
 *   card stolen | end       common 1, feeds 1
 *   loan | end              common 0, feeds 1
 * ```
 */

/** One answer or label. */
export interface Branch {
  /** At least one token; the last is predicted, never fed. */
  ids: Int32Array;
  /** Which label it is; -1 in training. */
  label: number;
  /** Tokens that need no loss row of their own: those of the branch before, less than all. */
  common: number;
}

/** The branches of a tree of labels, each label once. */
export function branchesOf(labels: readonly Int32Array[]): Branch[] {
  const order = Array.from(labels.keys()).sort((a, b) => compareIds(labels[a]!, labels[b]!) || a - b);
  return order.map((label, k): Branch => {
    const ids = labels[label]!;
    return { ids, label, common: k === 0 ? 0 : commonLength(labels[order[k - 1]!]!, ids, ids.length - 1) };
  });
}

/** Tokens that a branch feeds behind the one before it. */
function fedBy(branch: Branch, before: Branch | undefined): number {
  const fed = branch.ids.length - 1;
  return before === undefined ? fed : fed - Math.min(branch.common, before.ids.length - 1);
}

/** Tokens of a tree that go through the net. */
export function numFedOf(branches: readonly Branch[]): number {
  return branches.reduce((sum, branch, k) => sum + fedBy(branch, branches[k - 1]), 0);
}

/**
 * A tree cut into as few as feed at most about `maxTokens` each, and about equally many. Where it is cut, what labels begin with alike is in both.
 */
export function cutTree(branches: readonly Branch[], maxTokens: number): Branch[][] {
  const total = numFedOf(branches);
  if (total <= maxTokens) return [[...branches]];
  const most = Math.ceil(total / Math.ceil(total / maxTokens));
  const parts: Branch[][] = [];
  let numFed = Number.POSITIVE_INFINITY;
  for (const [k, branch] of branches.entries()) {
    const more = fedBy(branch, branches[k - 1]);
    if (numFed + more <= most) {
      parts.at(-1)!.push(branch);
      numFed += more;
    } else {
      parts.push([{ ...branch, common: 0 }]);
      numFed = branch.ids.length - 1;
    }
  }
  return parts;
}

/** Lexicographic; a beginning stands before what it begins. */
export function compareIds(a: Int32Array, b: Int32Array): number {
  const n = commonLength(a, b, Math.min(a.length, b.length));
  return n < a.length && n < b.length ? a[n]! - b[n]! : a.length - b.length;
}

/** Number of equal first ids, at most `limit`. */
export function commonLength(a: Int32Array, b: Int32Array, limit: number): number {
  const most = Math.min(limit, a.length);
  let n = 0;
  while (n < most && a[n] === b[n]) n++;
  return n;
}
