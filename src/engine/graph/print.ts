/** @file A graph as text, one value a line: for reading, and for showing that a refactor changed no graph. */

import type { Graph } from "./graph.ts";
import { formatType } from "./values.ts";

/** Inputs, constants, nodes in order and outputs, one a line. */
export function formatGraph(graph: Graph): string {
  const lines = [
    ...graph.inputs.map((value) => `input ${value.name}: ${formatType(value)}`),
    ...[...graph.constants.values()].map(({ value }) => `constant ${value.name}: ${formatType(value)}`),
    ...graph.nodes.map(({ op, inputs, outputs, attributes }) => {
      const results = outputs.map((value) => `${value.name}: ${formatType(value)}`).join(", ");
      const details = Object.keys(attributes).length > 0 ? ` ${JSON.stringify(attributes)}` : "";
      return `${results} = ${op}(${inputs.map(({ name }) => name).join(", ")})${details}`;
    }),
    ...[...graph.outputs].map(([name, value]) => `output ${name} = ${value.name}`),
  ];
  return `${lines.join("\n")}\n`;
}
