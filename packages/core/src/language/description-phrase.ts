// A noun phrase while it is read, and how it becomes a selector.
import type { EntityAttribute, EntityRelation, EntitySelector, SpatialRelation } from "../model/spatial.ts";

type Order = NonNullable<EntitySelector["ordinal"]>["order"];

export interface Phrase {
  label?: string;
  isPlural: boolean;
  reference?: NonNullable<EntitySelector["reference"]>;
  isRoom: boolean;
  readonly words: string[];
  readonly attributes: EntityAttribute[];
  readonly relations: OpenRelation[];
  position?: number;
  order?: Order;
}

export interface OpenRelation {
  readonly relation: SpatialRelation;
  readonly anchors: Phrase[];
  readonly isNegated: boolean;
}

export function newPhrase(): Phrase {
  return { isPlural: false, isRoom: false, words: [], attributes: [], relations: [] };
}

/** "a table with a lamp on it" is a table under a lamp: the relation seen from the other side. */
export const INVERSE: Readonly<Partial<Record<SpatialRelation, SpatialRelation>>> = {
  on: "supporting",
  above: "under",
  under: "above",
  "next-to": "next-to",
  near: "near",
  "left-of": "right-of",
  "right-of": "left-of",
  behind: "in-front-of",
  "in-front-of": "behind",
  inside: "containing",
  supporting: "on",
  around: "around",
  against: "against",
};

export const SUPERLATIVES: ReadonlySet<SpatialRelation> = new Set(["nearest-to", "farthest-from"]);

/** What a relation to the whole room says of a thing. */
export const ROOM_PROPERTIES: Readonly<Partial<Record<SpatialRelation, EntityAttribute>>> = {
  "left-of": { dimension: "lateral", direction: -1, isSuperlative: true },
  "right-of": { dimension: "lateral", direction: 1, isSuperlative: true },
  between: { dimension: "centrality", direction: 1, isSuperlative: true },
  "middle-of": { dimension: "centrality", direction: 1, isSuperlative: true },
  "in-front-of": { dimension: "nearness", direction: 1, isSuperlative: true },
  behind: { dimension: "nearness", direction: -1, isSuperlative: true },
};

/** Deeper nesting than this is not spoken; it is cut so that evaluation stays bounded. */
const DEPTH_MAX = 4;

export function toSelector(phrase: Phrase, depth: number): EntitySelector {
  const relations: EntityRelation[] = [];
  if (depth < DEPTH_MAX) {
    for (const open of phrase.relations) {
      relations.push({
        relation: open.relation,
        anchors: open.anchors.map((anchor) => toSelector(anchor, depth + 1)),
        ...(open.isNegated ? { isNegated: true } : {}),
      });
    }
  }
  return {
    ...(phrase.label === undefined ? {} : { label: phrase.label }),
    ...(phrase.reference === undefined ? {} : { reference: phrase.reference }),
    ...(phrase.isPlural ? { isPlural: true } : {}),
    ...(phrase.words.length === 0 ? {} : { words: phrase.words }),
    ...(phrase.attributes.length === 0 ? {} : { attributes: phrase.attributes }),
    ...(relations.length === 0 ? {} : { relations }),
    ...(phrase.position === undefined || (phrase.order === undefined && phrase.position === 1)
      ? {}
      : { ordinal: { position: phrase.position, order: phrase.order ?? "near-to-far" } }),
  };
}
