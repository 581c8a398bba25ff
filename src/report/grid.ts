/** @file Rows of cells as CSV, Markdown and LaTeX, for files and for the export buttons of the report's page. Pure; runs in browsers too. */

/** A table to be saved: what numbers there are, unrounded. */
export interface Grid {
  columns: string[];
  rows: (string | number | null)[][];
}

/** Lines end as RFC 4180 wants. A field that a spreadsheet would take for a formula gets a leading apostrophe. */
export function csvLines(rows: readonly (readonly string[])[]): string {
  return `${rows.map((row) => row.map(csvField).join(",")).join("\r\n")}\r\n`;
}

function csvField(text: string): string {
  const guarded = /^[=+@\t\r]|^-(?![\d.]+(e[+-]?\d+)?$)/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

/** The first row is the header; columns after the first are aligned to the right. */
export function markdownTable(cells: readonly (readonly string[])[]): string {
  const escaped = (text: string) => text.replaceAll(/\s*\n\s*/g, " ").replaceAll(/[|<]/g, "\\$&");
  const line = (row: readonly string[]) => `| ${row.map(escaped).join(" | ")} |`;
  const rule = cells[0]!.map((_, column) => (column === 0 ? "---" : "---:"));
  return [line(cells[0]!), `| ${rule.join(" | ")} |`, ...cells.slice(1).map(line)].join("\n");
}

const LATEX: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "±": "$\\pm$",
  "−": "$-$",
  "–": "--",
};

/** The first row is the header; columns after the first are aligned to the right. */
export function latexTable(cells: readonly (readonly string[])[]): string {
  const escaped = (text: string) =>
    text.replaceAll(/\s*\n\s*/g, " ").replaceAll(/[\\&%$#_{}~^<>±−–]/g, (c) => LATEX[c] ?? `\\${c}`);
  const line = (row: readonly string[]) => `${row.map(escaped).join(" & ")} \\\\`;
  const columns = `l${"r".repeat(cells[0]!.length - 1)}`;
  return [
    `\\begin{tabular}{${columns}}`,
    "\\hline",
    line(cells[0]!),
    "\\hline",
    ...cells.slice(1).map(line),
    "\\hline",
    "\\end{tabular}",
    "",
  ].join("\n");
}
