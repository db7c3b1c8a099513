// The layers of ARCHITECTURE.md as data. A folder may import what stands to its left, or inside itself.
// Folders in one inner list share a layer: they may not import one another.

const ORGANS = [
  "context",
  "spatial",
  "routing",
  "resilience",
  "cache",
  "rendering",
  "optimization",
  "streams",
  "audio",
  "responses",
  "monitoring",
  "scaling",
  "security",
  "vision",
];

export const LAYERS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  core: [
    ["geometry", "errors"],
    ["model"],
    ["ports"],
    ["providers", "scene", "language"],
    ORGANS,
    ["mesh", "events", "xr"],
    ["engine", "session"],
    ["index.ts"],
  ],
  gateway: [
    ["platform"],
    ["stores", "telemetry", "config", "audio"],
    ["providers"],
    ["cluster", "recorder", "vision"],
    ["http", "realtime"],
    ["compose"],
    ["cli"],
    ["main.ts", "index.ts"],
  ],
  client: [
    ["platform"],
    ["clock-sync", "outbox", "reconnect"],
    ["gateway-connection"],
    ["capture", "present"],
    ["fovea"],
    ["index.ts"],
    ["three", "react", "xrblocks", "testing", "gestures"],
  ],
};

/** What each package may import from the others. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  core: ["@fovea/protocol"],
  gateway: ["@fovea/protocol", "@fovea/core"],
  client: ["@fovea/protocol"],
};

export interface Place {
  readonly packageName: string;
  readonly folder: string;
  readonly layer: number;
}

/** Undefined for files outside the layered packages; layer -1 for a file that belongs to none. */
export function placeOf(path: string): Place | undefined {
  const match = /^packages\/(core|gateway|client)\/src\/(.+)$/.exec(path);
  if (match === null) return undefined;
  const packageName = match[1] as string;
  const inside = match[2] as string;
  const slash = inside.indexOf("/");
  const head = slash < 0 ? inside : inside.slice(0, slash);
  const layers = LAYERS[packageName] as readonly (readonly string[])[];
  // A file directly in src belongs to a layer only under its own name: an orphan must not slip in by a prefix.
  const layer = layers.findIndex(
    (names) => names.includes(head) || (slash < 0 && names.includes(head.replace(/\.ts$/, ""))),
  );
  return { packageName, folder: slash < 0 ? head.replace(/\.ts$/, "") : head, layer };
}
