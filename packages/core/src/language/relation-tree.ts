// Relation trees: how a language model may hand over what a description means, so that geometry stays Fovea's.
//   { "category": "chair", "relations": [{ "relation_name": "beside", "objects": [ …tree… ], "negative"?: true }] }
// The form is that of EaSe (arXiv 2502.01401); relation names beyond the list are left out, not guessed.
import type { EntityAttribute, EntityRelation, EntitySelector, SpatialRelation } from "../model/spatial.ts";

const RELATIONS: Readonly<Record<string, SpatialRelation>> = {
  close: "near",
  closer: "near",
  near: "near",
  closest: "nearest-to",
  far: "far-from",
  farther: "far-from",
  farthest: "farthest-from",
  beside: "next-to",
  "next to": "next-to",
  adjacent: "next-to",
  at: "near",
  by: "near",
  above: "above",
  over: "above",
  on: "on",
  below: "under",
  under: "under",
  beneath: "under",
  left: "left-of",
  right: "right-of",
  front: "in-front-of",
  "in front of": "in-front-of",
  behind: "behind",
  back: "behind",
  between: "between",
  middle: "between",
  center: "between",
  within: "inside",
  in: "inside",
  inside: "inside",
  cross: "across-from",
  across: "across-from",
  opposite: "across-from",
  facing: "facing",
  corner: "corner-of",
  "against wall": "against",
  against: "against",
  attached: "against",
  "on the floor": "floor",
  end: "end-of",
  with: "containing",
  has: "containing",
  of: "near",
  "part of": "near",
};

const PROPERTIES: Readonly<Record<string, EntityAttribute>> = {
  larger: { dimension: "size", direction: 1, isSuperlative: false },
  largest: { dimension: "size", direction: 1, isSuperlative: true },
  smaller: { dimension: "size", direction: -1, isSuperlative: false },
  smallest: { dimension: "size", direction: -1, isSuperlative: true },
  taller: { dimension: "height", direction: 1, isSuperlative: false },
  shorter: { dimension: "height", direction: -1, isSuperlative: false },
  longer: { dimension: "length", direction: 1, isSuperlative: false },
  wider: { dimension: "width", direction: 1, isSuperlative: false },
  narrower: { dimension: "width", direction: -1, isSuperlative: false },
  higher: { dimension: "elevation", direction: 1, isSuperlative: false },
  above: { dimension: "elevation", direction: 1, isSuperlative: false },
  top: { dimension: "elevation", direction: 1, isSuperlative: false },
  lower: { dimension: "elevation", direction: -1, isSuperlative: false },
  below: { dimension: "elevation", direction: -1, isSuperlative: false },
  left: { dimension: "lateral", direction: -1, isSuperlative: true },
  right: { dimension: "lateral", direction: 1, isSuperlative: true },
  front: { dimension: "nearness", direction: 1, isSuperlative: true },
  closest: { dimension: "nearness", direction: 1, isSuperlative: true },
  back: { dimension: "nearness", direction: -1, isSuperlative: true },
  far: { dimension: "nearness", direction: -1, isSuperlative: true },
  farthest: { dimension: "nearness", direction: -1, isSuperlative: true },
  middle: { dimension: "centrality", direction: 1, isSuperlative: true },
  center: { dimension: "centrality", direction: 1, isSuperlative: true },
};

/** Deeper trees are cut; a model that loops must not cost time. */
const DEPTH_MAX = 4;

/** Undefined when the value is no tree. Never throws: trees come from models. */
export function selectorFromTree(value: unknown, depth = 0): EntitySelector | undefined {
  if (!isRecord(value) || typeof value["category"] !== "string") return undefined;
  const label = value["category"].toLowerCase().trim().slice(0, 200);
  const attributes: EntityAttribute[] = [];
  const relations: EntityRelation[] = [];
  const given =
    Array.isArray(value["relations"]) && depth < DEPTH_MAX ? (value["relations"] as readonly unknown[]) : [];
  for (const item of given.slice(0, 16)) {
    if (!isRecord(item) || typeof item["relation_name"] !== "string") continue;
    const name = item["relation_name"].toLowerCase();
    const objects = Array.isArray(item["objects"]) ? (item["objects"] as readonly unknown[]) : [];
    const anchors = objects
      .slice(0, 4)
      .map((object) => selectorFromTree(object, depth + 1))
      .filter((anchor) => anchor !== undefined);
    addRelation({ name, anchors, isNegated: item["negative"] === true }, attributes, relations);
  }
  return {
    ...(label === "" ? {} : { label }),
    ...(attributes.length === 0 ? {} : { attributes }),
    ...(relations.length === 0 ? {} : { relations }),
  };
}

interface NamedRelation {
  readonly name: string;
  readonly anchors: readonly EntitySelector[];
  readonly isNegated: boolean;
}

const WITHOUT_ANCHOR: ReadonlySet<string> = new Set(["corner", "against wall", "on the floor"]);

function addRelation(
  { name, anchors, isNegated }: NamedRelation,
  attributes: EntityAttribute[],
  relations: EntityRelation[],
): void {
  const property = PROPERTIES[name];
  const things = anchors.filter((anchor) => anchor.label !== "room" && anchor.label !== "wall");
  if (property !== undefined && things.length === 0) {
    attributes.push(isNegated ? { ...property, direction: property.direction === 1 ? -1 : 1 } : property);
    return;
  }
  const relation = RELATIONS[name];
  if (relation === undefined) return;
  const isBare = WITHOUT_ANCHOR.has(name);
  if (things.length === 0 && !isBare) return;
  relations.push({ relation, anchors: isBare ? [] : things, ...(isNegated ? { isNegated: true } : {}) });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
