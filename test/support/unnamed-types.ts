/**
 * @file Types that the signatures of an entry point show and that a program cannot name: declared in our sources, and not exported by that entry.
 * A `typeof` of a value is no name that is missing: its type is spelled out.
 */

import { relative } from "node:path";
import ts from "typescript";

/** @returns `Name (src/file.ts) in where`, sorted; empty where every type has a name */
export function unnamedTypes(program: ts.Program, entry: string, root: string): string[] {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(entry);
  if (source === undefined) throw new Error(`${entry} is not in the program`);
  const resolved = (symbol: ts.Symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(source)!).map(resolved);
  const named = new Set(exported);
  const missing = new Map<string, string>();
  for (const symbol of exported) {
    for (const declaration of symbol.declarations ?? []) visitPublic(declaration, symbol.name);
  }
  return [...missing].map(([what, where]) => `${what} in ${where}`).sort();

  /** The parts of a declaration that a program sees: no bodies, no initial values, no private members. */
  function visitPublic(node: ts.Node, where: string): void {
    if (ts.isBlock(node) || isHidden(node)) return;
    if (ts.isVariableDeclaration(node)) {
      if (node.type === undefined) visitInferred(node, where);
      else visitPublic(node.type, where);
      return;
    }
    if (ts.isFunctionLike(node) && node.type === undefined && !ts.isConstructorDeclaration(node))
      visitInferred(node, where);
    if (ts.isPropertyDeclaration(node) || ts.isParameter(node)) {
      if (node.type === undefined) visitInferred(node, where);
      else visitPublic(node.type, where);
      return;
    }
    if (ts.isTypeReferenceNode(node)) check(node.typeName, where);
    if (ts.isExpressionWithTypeArguments(node)) check(node.expression, where);
    ts.forEachChild(node, (child) => visitPublic(child, where));
  }

  function visitInferred(node: ts.Node, where: string): void {
    const type = checker.getTypeAtLocation(node);
    const text = checker.typeToTypeNode(type, node, ts.NodeBuilderFlags.NoTruncation);
    const visit = (part: ts.Node): void => {
      if (ts.isTypeReferenceNode(part)) {
        const symbol = (part.typeName as ts.Identifier & { symbol?: ts.Symbol }).symbol;
        if (symbol !== undefined) demand(resolved(symbol), where);
      }
      ts.forEachChild(part, visit);
    };
    if (text !== undefined) visit(text);
  }

  function check(name: ts.Node, where: string): void {
    const symbol = checker.getSymbolAtLocation(name);
    if (symbol !== undefined) demand(resolved(symbol), where);
  }

  function demand(symbol: ts.Symbol, where: string): void {
    if (named.has(symbol) || symbol.flags & ts.SymbolFlags.TypeParameter) return;
    const file = symbol.declarations?.[0]?.getSourceFile().fileName;
    if (file === undefined) return;
    const path = relative(root, file);
    if (!path.startsWith("src/")) return;
    missing.set(`${symbol.name} (${path})`, where);
  }
}

function isHidden(node: ts.Node): boolean {
  return (
    ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)
  );
}
