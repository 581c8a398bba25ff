/**
 * @file Marked pieces of a text (entities, or relations written as one piece) scored as sets: F1 of the pieces, exactly and by overlap, and of
 * their types alone. Items hand in spans already read; an output that could not be read is null: it found nothing, and is never dropped.
 */

import type { Span } from "../base/span-text.ts";
import { composed } from "../base/unicode.ts";

/** The gold spans of an item and the predicted ones; null where the output has no such form. */
export interface SpanItem {
  gold: readonly Span[];
  pred: readonly Span[] | null;
}

/** How two spans are found to be the same; each is used once. */
export type SpanMatch = "exact" | "overlap" | "label";

/** Counts and their shares over all items (micro). A share with nothing below the line is NaN: F1 of items without any span. */
export interface SpanScore {
  matched: number;
  gold: number;
  predicted: number;
  precision: number;
  recall: number;
  f1: number;
}

/**
 * Scores items by one way of matching, with more than one blank read as one:
 * exact, same type and same text; overlap, same type and at least one word in common, as many pairs as can be had; label, same type.
 *
 * Golden test/golden/metrics/spans (exact: seqeval; label: scikit-learn's micro F1 over sets of labels)
 */
export function scoreSpans(items: readonly SpanItem[], match: SpanMatch): SpanScore {
  let [matched, gold, predicted] = [0, 0, 0];
  for (const item of items) {
    const pred = item.pred ?? [];
    matched += numPairs(item.gold, pred, SAME[match]);
    gold += item.gold.length;
    predicted += pred.length;
  }
  return spanScore(matched, gold, predicted);
}

function spanScore(matched: number, gold: number, predicted: number): SpanScore {
  const f1 = (2 * matched) / (gold + predicted);
  return { matched, gold, predicted, precision: matched / predicted, recall: matched / gold, f1 };
}

const SAME: Readonly<Record<SpanMatch, (a: Span, b: Span) => boolean>> = {
  exact: (a, b) => isSameType(a, b) && words(a.text).join(" ") === words(b.text).join(" "),
  overlap: (a, b) => isSameType(a, b) && words(a.text).some((word) => words(b.text).includes(word)),
  label: isSameType,
};

function isSameType(a: Span, b: Span): boolean {
  return composed(a.type) === composed(b.type);
}

function words(text: string): string[] {
  return composed(text)
    .split(/\s+/u)
    .filter((word) => word !== "");
}

/** The most pairs that can be made, each span in one pair at most: augmenting paths, so that no order of the spans loses a pair. */
function numPairs(gold: readonly Span[], pred: readonly Span[], isSame: (a: Span, b: Span) => boolean): number {
  const partners = gold.map((a) => pred.flatMap((b, j) => (isSame(a, b) ? [j] : [])));
  const takenBy = new Map<number, number>();
  const place = (i: number, seen: Set<number>): boolean => {
    for (const j of partners[i]!) {
      if (seen.has(j)) continue;
      seen.add(j);
      const holder = takenBy.get(j);
      if (holder !== undefined && !place(holder, seen)) continue;
      takenBy.set(j, i);
      return true;
    }
    return false;
  };
  return gold.filter((_, i) => place(i, new Set())).length;
}
