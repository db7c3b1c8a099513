// The invariants AR1..AR12 of ARCHITECTURE.md as functions from files to complaints, so that planted violations can be tried on them.
import { LAYERS, PACKAGES, placeOf } from "./layers.ts";
import type { Edge } from "./sources.ts";
import { stripComments } from "./sources.ts";

export type Sources = ReadonlyMap<string, string>;

export function orphans(files: Iterable<string>): string[] {
  return [...files].filter((path) => placeOf(path)?.layer === -1).map((path) => `[AR1] ${path} belongs to no layer`);
}

export function upwardImports(edges: readonly Edge[]): string[] {
  const complaints: string[] = [];
  for (const { from, to } of edges) {
    const source = placeOf(from);
    const target = placeOf(to);
    if (source === undefined || target === undefined || source.packageName !== target.packageName) continue;
    if (source.folder === target.folder) continue;
    if (target.layer >= source.layer) complaints.push(`[AR2] ${from} imports ${to}, which is not below it`);
  }
  return complaints;
}

export function cycles(edges: readonly Edge[]): string[] {
  const graph = new Map<string, string[]>();
  for (const { from, to } of edges) {
    if (!to.endsWith(".ts")) continue;
    const list = graph.get(from);
    if (list === undefined) graph.set(from, [to]);
    else list.push(to);
  }
  const state = new Map<string, "open" | "done">();
  const found: string[] = [];
  const visit = (node: string, path: readonly string[]): void => {
    if (state.get(node) === "done") return;
    if (state.get(node) === "open") {
      found.push(`[AR3] cycle: ${[...path.slice(path.indexOf(node)), node].join(" -> ")}`);
      return;
    }
    state.set(node, "open");
    for (const next of graph.get(node) ?? []) visit(next, [...path, node]);
    state.set(node, "done");
  };
  for (const node of graph.keys()) visit(node, []);
  return found;
}

export function foreignImports(edges: readonly Edge[]): string[] {
  const complaints: string[] = [];
  for (const { from, to } of edges) {
    const match = /^packages\/(\w+)\/src\//.exec(from);
    if (match === null) continue;
    const packageName = match[1] as string;
    const allowed = PACKAGES[packageName] as readonly string[];
    if (to.startsWith("@fovea/")) {
      // A package's entries (@fovea/protocol/gestures) are open to whoever may import the package.
      const ok = allowed.includes(to.split("/").slice(0, 2).join("/"));
      if (!ok) complaints.push(`[AR10] ${from} imports ${to}`);
    }
    const isBare = !to.startsWith("packages/") && !to.startsWith("@fovea/");
    if ((packageName === "core" || packageName === "protocol") && isBare)
      complaints.push(`[AR4] ${from} imports ${to}: no dependency`);
    if (to.startsWith("packages/") && !to.startsWith(`packages/${packageName}/`))
      complaints.push(`[AR2] ${from} reaches into ${to}`);
  }
  return complaints;
}

export function indexImports(edges: readonly Edge[]): string[] {
  return edges
    .filter(
      ({ from, to }) =>
        /^packages\/\w+\/src\/index\.ts$/.test(to) && /^packages\/\w+\/src\//.test(from) && samePackage(from, to),
    )
    .filter(({ from }) => !/packages\/client\/src\/(three|react|xrblocks|testing)\//.test(from))
    .map(({ from, to }) => `[AR11] ${from} imports ${to}: import the owning file`);
}

export function indexLogic(sources: Sources): string[] {
  const complaints: string[] = [];
  for (const [path, text] of sources) {
    if (!/^packages\/(core|protocol|client)\/src\/index\.ts$/.test(path)) continue;
    const rest = stripComments(text)
      .replace(/export\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s+from\s+"[^"]+";/g, "")
      .trim();
    if (rest !== "") complaints.push(`[AR11] ${path} holds more than re-exports: ${rest.slice(0, 80)}`);
  }
  return complaints;
}

export function awaitingSessions(sources: Sources): string[] {
  return matching(sources, /^packages\/core\/src\/session\//, /\b(?:await|async|Promise)\b/, "[AR7]", "waits");
}

export function transportKnowledge(sources: Sources): string[] {
  const below =
    /^packages\/(?:core\/src\/|gateway\/src\/(?:platform|stores|telemetry|config|audio|cluster|recorder)\/)/;
  return matching(sources, below, /from\s+"(?:fastify|ws)"/, "[AR8]", "knows HTTP or WebSocket");
}

export function clockReaders(sources: Sources): string[] {
  const outside = /^packages\/(?:core|protocol|gateway)\/src\/(?!platform\/)/;
  const reads =
    /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bMath\.random\(|\brandomUUID\(|\brandomBytes\(|\bsetTimeout\(|\bsetInterval\(/;
  return matching(sources, outside, reads, "[AR5]", "reads clock, timer or entropy");
}

function matching(sources: Sources, where: RegExp, what: RegExp, rule: string, verb: string): string[] {
  const complaints: string[] = [];
  for (const [path, text] of sources) {
    if (!where.test(path)) continue;
    const match = what.exec(stripComments(text));
    if (match !== null) complaints.push(`${rule} ${path} ${verb}: ${match[0].trim()}`);
  }
  return complaints;
}

export function organNames(): readonly string[] {
  return LAYERS["core"]?.[4] ?? [];
}

function samePackage(a: string, b: string): boolean {
  return a.split("/")[1] === b.split("/")[1];
}
