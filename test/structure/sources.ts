// What the structural tests look at: source files and the import edges between them, read as text.
// No TypeScript API is needed: with comments stripped, one expression finds import and export edges.
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

export interface Edge {
  readonly from: string;
  /** Repository path for relative imports, otherwise the bare name. */
  readonly to: string;
  readonly isTypeOnly: boolean;
}

export const ROOT = join(import.meta.dirname, "../..");

export function sourceFiles(): string[] {
  return globSync(["packages/*/src/**/*.ts", "apps/*/src/**/*.{ts,tsx}"], { cwd: ROOT })
    .filter((path) => !path.endsWith(".test.ts") && !path.endsWith(".d.ts"))
    .sort();
}

export function testFiles(): string[] {
  return globSync(
    [
      "packages/*/src/**/*.test.ts",
      "packages/core/testing/**/*.ts",
      "packages/gateway/emulator/**/*.test.ts",
      "test/**/*.ts",
    ],
    { cwd: ROOT },
  ).sort();
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

export function exists(path: string): boolean {
  return existsSync(join(ROOT, path));
}

const IMPORT = /^\s*(?:import|export)\s+(type\s+)?(?:[^"'`;]*?\sfrom\s+)?["']([^"']+)["']/gm;
const DYNAMIC = /\bimport\(\s*["']([^"']+)["']\s*\)/g;

export function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'`])\/\/.*$/gm, "$1");
}

export function edgesOf(path: string, text: string): Edge[] {
  const clean = stripComments(text);
  const edges: Edge[] = [];
  for (const match of clean.matchAll(IMPORT)) {
    edges.push({ from: path, to: resolve(path, match[2] as string), isTypeOnly: match[1] !== undefined });
  }
  for (const match of clean.matchAll(DYNAMIC)) {
    edges.push({ from: path, to: resolve(path, match[1] as string), isTypeOnly: false });
  }
  return edges;
}

function resolve(from: string, specifier: string): string {
  return specifier.startsWith(".") ? normalize(join(dirname(from), specifier)) : specifier;
}
