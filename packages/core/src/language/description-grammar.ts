// Noun phrases: "the second chair to the left of the table by the window". The result is an EntitySelector, the same tree
// that a language model may supply. Relations attach to the nearest name before them; superlatives ("closest to the
// door"), and everything after a comma or "and", attach to the thing that is described.
import type { EntityAttribute, EntityRelation, EntitySelector, SpatialRelation } from "../model/spatial.ts";
import type { SceneVocabulary } from "./description-items.ts";
import { readItems } from "./description-items.ts";
import type { PhraseItem } from "./phrase-table.ts";
import type { Tokens } from "./tokens.ts";

type Order = NonNullable<EntitySelector["ordinal"]>["order"];

/** A noun phrase while it is read. */
interface Phrase {
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

interface OpenRelation {
  readonly relation: SpatialRelation;
  readonly anchors: Phrase[];
  readonly isNegated: boolean;
}

/** What a description says: the thing, and from where view-dependent words are to be read. */
export interface Description {
  readonly selector: EntitySelector;
  /** False when no name was found and the selector only says "one" or "it". */
  readonly hasName: boolean;
}

const INVERSE: Partial<Record<SpatialRelation, SpatialRelation>> = {
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

const SUPERLATIVES: ReadonlySet<SpatialRelation> = new Set(["nearest-to", "farthest-from"]);

export function parseDescription(tokens: Tokens, vocabulary: SceneVocabulary): Description {
  const reader = new DescriptionReader(readItems(tokens, vocabulary));
  return reader.read();
}

class DescriptionReader {
  readonly #items: readonly PhraseItem[];
  #at = 0;
  #target: Phrase | undefined;
  #current: Phrase | undefined;
  #facing: Phrase | undefined;
  #standingAt: Phrase | undefined;
  /** Properties said before their name. */
  #before: Phrase = newPhrase();
  #open:
    | {
        readonly relation: SpatialRelation;
        readonly holder: Phrase;
        readonly isNegated: boolean;
        readonly early?: OpenRelation;
      }
    | undefined;
  #lastRelation: OpenRelation | undefined;
  #expects: "view" | "stand" | "with" | undefined;
  #with: Phrase | undefined;
  #isNegated = false;
  #afterBreak = false;
  /** A relation said before its thing: "next to the bed is the lamp". */
  readonly #early: OpenRelation[] = [];

  constructor(items: readonly PhraseItem[]) {
    this.#items = items;
  }

  read(): Description {
    for (; this.#at < this.#items.length; this.#at++) this.#take(this.#items[this.#at] as PhraseItem);
    return this.#finish();
  }

  #take(item: PhraseItem): void {
    switch (item.type) {
      case "noun":
        return this.#noun(item.name, item.isPlural);
      case "pronoun":
        return this.#pronoun(item.word);
      case "relation":
        return this.#relation(item.relation, item.isBare === true);
      case "attribute":
        return this.#attribute(item.attribute, item.isPostfix === true);
      case "word":
        return void this.#describedNext().words.push(item.word);
      case "ordinal":
        this.#describedNext().position = item.position;
        return;
      case "order":
        (this.#target ?? this.#before).order = item.order;
        return;
      case "number":
        this.#before.isPlural = true;
        return;
      default:
        return this.#structure(item.type);
    }
  }

  #structure(type: PhraseItem["type"]): void {
    if (type === "view") this.#expects = this.#isViewClause() ? "view" : this.#facingRelation();
    else if (type === "stand") {
      if (this.#target === undefined) this.#expects = "stand";
    } else if (type === "with") {
      if (this.#target !== undefined) this.#expects = "with";
    } else if (type === "not") this.#isNegated = true;
    else if (type === "stop" || type === "comma" || type === "it-is") this.#clauseEnds(type);
    else if (type === "and" || type === "or") this.#afterBreak = true;
  }

  /** "facing the bed, …" sets the view; "the chair facing the bed" is a relation. */
  #isViewClause(): boolean {
    return this.#target === undefined || this.#afterBreak;
  }

  #facingRelation(): undefined {
    this.#open = { relation: "facing", holder: this.#current ?? this.#before, isNegated: this.#isNegated };
    return undefined;
  }

  #clauseEnds(type: PhraseItem["type"]): void {
    this.#expects = undefined;
    this.#open = undefined;
    this.#with = undefined;
    if (type !== "it-is") this.#isNegated = false;
    this.#afterBreak = true;
    this.#before = newPhrase();
    this.#lastRelation = undefined;
  }

  #describedNext(): Phrase {
    return this.#before;
  }

  #noun(name: string, isPlural: boolean): void {
    const phrase = this.#before;
    this.#before = newPhrase();
    phrase.label = name;
    phrase.isPlural ||= isPlural;
    const previous = this.#items[this.#at - 1];
    if (previous?.type === "noun" && this.#current !== undefined && this.#current.label === previous.name) {
      // Compound: "computer desk", "window seat". The last name is the thing, the others tell which.
      this.#current.words.push(previous.name);
      this.#current.label = name;
      this.#current.isPlural = isPlural;
      return;
    }
    this.#place(phrase);
  }

  #pronoun(word: Extract<PhraseItem, { type: "pronoun" }>["word"]): void {
    const phrase = this.#before;
    if (word === "one") {
      if (this.#target !== undefined) return;
      if (this.#open !== undefined) return;
      this.#before = newPhrase();
      return this.#place(phrase);
    }
    if (word === "it" && this.#target !== undefined) return this.#backReference();
    if (word === "that" && this.#expects === undefined && this.#open === undefined && this.#target !== undefined)
      return;
    // "this chair", "that big table": the determiner of a name that follows.
    if (word === "that" && this.#nextNamesSomething()) {
      phrase.reference = "that";
      return;
    }
    this.#before = newPhrase();
    if (word === "room") phrase.isRoom = true;
    else if (word === "each") phrase.isRoom = true;
    else phrase.reference = word;
    this.#place(phrase);
  }

  #nextNamesSomething(): boolean {
    for (let at = this.#at + 1; at < this.#items.length; at++) {
      const type = (this.#items[at] as PhraseItem).type;
      if (type === "noun") return true;
      if (type !== "attribute" && type !== "word" && type !== "ordinal" && type !== "skip" && type !== "number")
        return false;
    }
    return false;
  }

  /** "with a lamp on it", "facing the bed, to the left of it": `it` is the described thing or the one in view. */
  #backReference(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    if (this.#with !== undefined) {
      const inverse = INVERSE[open.relation];
      if (inverse !== undefined) this.#attach(this.#target ?? newPhrase(), inverse, this.#with, open.isNegated);
      this.#with = undefined;
      return;
    }
    const anchor = this.#facing ?? this.#standingAt;
    if (anchor !== undefined) this.#attach(open.holder, open.relation, anchor, open.isNegated);
  }

  #place(phrase: Phrase): void {
    if (this.#expects === "view" || this.#expects === "stand") return this.#placeView(phrase);
    if (this.#expects === "with" && this.#target !== undefined) {
      this.#expects = undefined;
      this.#with = phrase;
      this.#current = phrase;
      return this.#finishWith(phrase);
    }
    if (this.#open !== undefined) {
      const { relation, holder, isNegated, early } = this.#open;
      this.#open = undefined;
      if (early !== undefined) early.anchors.push(phrase);
      else this.#attach(holder, relation, phrase, isNegated);
      this.#current = early === undefined ? phrase : undefined;
      return;
    }
    if (this.#target === undefined) {
      this.#target = phrase;
      this.#current = phrase;
      for (const early of this.#early) phrase.relations.push(early);
      this.#afterBreak = false;
      return;
    }
    const previous = this.#items[this.#at - 1];
    const joins = this.#items
      .slice(Math.max(0, this.#at - 4), this.#at)
      .some((item) => item.type === "and" || item.type === "or");
    if (joins && this.#lastRelation !== undefined && previous?.type !== "comma") {
      this.#lastRelation.anchors.push(phrase);
      this.#current = phrase;
      return;
    }
    // A second naming of the same kind carries on with the thing: "…, it is the chair on the left".
    if (phrase.label === this.#target.label || phrase.label === undefined) this.#merge(phrase);
  }

  #placeView(phrase: Phrase): void {
    if (this.#expects === "view") this.#facing = phrase;
    else this.#standingAt = phrase;
    this.#expects = undefined;
    this.#current = phrase;
  }

  /** "with a lamp on it" inverts when "it" arrives; "with a lamp on top" and a bare "with a lamp" are decided here. */
  #finishWith(phrase: Phrase): void {
    const next = this.#items[this.#at + 1];
    const afterNext = this.#items[this.#at + 2];
    const holder = this.#target ?? newPhrase();
    if (next?.type === "attribute" && next.attribute.dimension === "elevation" && next.attribute.direction === 1) {
      this.#attach(holder, "supporting", phrase, this.#isNegated);
      this.#with = undefined;
      this.#at += 1;
      return;
    }
    if (next?.type === "attribute" && next.attribute.dimension === "lateral" && next.isPostfix === true) {
      this.#attach(holder, next.attribute.direction === 1 ? "left-of" : "right-of", phrase, this.#isNegated);
      this.#with = undefined;
      this.#at += 1;
      return;
    }
    if (next?.type === "relation" && afterNext !== undefined && this.#pointsBack(this.#at + 2)) return;
    if (next?.type === "relation" && next.isBare !== true) {
      this.#attach(holder, "containing", phrase, this.#isNegated);
      return;
    }
    this.#attach(holder, "containing", phrase, this.#isNegated);
    this.#with = undefined;
  }

  #pointsBack(at: number): boolean {
    const item = this.#items[at];
    return item?.type === "pronoun" && (item.word === "it" || item.word === "that");
  }

  #merge(phrase: Phrase): void {
    const target = this.#target as Phrase;
    target.attributes.push(...phrase.attributes);
    target.words.push(...phrase.words);
    if (phrase.position !== undefined) target.position = phrase.position;
    if (phrase.order !== undefined) target.order = phrase.order;
    this.#current = target;
  }

  #relation(relation: SpatialRelation, isBare: boolean): void {
    const isNegated = this.#isNegated;
    this.#isNegated = false;
    const holder = this.#holderOf(relation);
    if (isBare) {
      const open: OpenRelation = { relation, anchors: [], isNegated };
      if (holder === undefined) this.#early.push(open);
      else holder.relations.push(open);
      return;
    }
    if (holder === undefined) {
      this.#openEarly(relation, isNegated);
      return;
    }
    this.#open = { relation, holder, isNegated };
    this.#afterBreak = false;
  }

  #openEarly(relation: SpatialRelation, isNegated: boolean): void {
    // "the closest chair", "the nearest door": no anchor will follow, the name itself does.
    if (SUPERLATIVES.has(relation) || relation === "near") {
      const direction = relation === "farthest-from" ? -1 : 1;
      this.#before.attributes.push({ dimension: "nearness", direction, isSuperlative: relation !== "near" });
      return;
    }
    const early: OpenRelation = { relation, isNegated, anchors: [] };
    this.#early.push(early);
    this.#open = { relation, holder: this.#before, isNegated, early };
  }

  #holderOf(relation: SpatialRelation): Phrase | undefined {
    if (this.#expects === "view" || this.#expects === "stand") return this.#current;
    const target = this.#target;
    if (target === undefined) return this.#facing !== undefined && !this.#afterBreak ? this.#facing : this.#standingAt;
    if (SUPERLATIVES.has(relation) || relation === "farthest-from") return target;
    if (this.#with !== undefined) return target;
    if (this.#afterBreak || this.#current === undefined || this.#current.reference !== undefined) return target;
    return this.#current.isRoom ? target : this.#current;
  }

  #attach(holder: Phrase, relation: SpatialRelation, anchor: Phrase, isNegated: boolean): void {
    if (anchor.isRoom) return this.#attachRoom(holder, relation, isNegated);
    const open: OpenRelation = { relation, anchors: [anchor], isNegated };
    holder.relations.push(open);
    this.#lastRelation = open;
    this.#afterBreak = false;
  }

  /** Relations to the room as a whole are properties: "in the middle of the room", "on the left side of the room". */
  #attachRoom(holder: Phrase, relation: SpatialRelation, isNegated: boolean): void {
    const property = ROOM_PROPERTIES[relation];
    if (property !== undefined) holder.attributes.push(property);
    else if (relation === "corner-of") holder.relations.push({ relation, anchors: [], isNegated });
  }

  #attribute(attribute: EntityAttribute, isPostfix: boolean): void {
    if (isPostfix) {
      const holder = this.#postfixHolder(attribute);
      holder.attributes.push(attribute);
      return;
    }
    const next = this.#items[this.#at + 1];
    // "the picture is the smaller", "the chair is tall": a property said after the name, with no name to follow.
    if (this.#target !== undefined && this.#open === undefined && !this.#nameFollows() && next?.type !== "relation") {
      this.#target.attributes.push(attribute);
      return;
    }
    this.#before.attributes.push(attribute);
  }

  #nameFollows(): boolean {
    for (let at = this.#at + 1; at < this.#items.length; at++) {
      const type = (this.#items[at] as PhraseItem).type;
      if (type === "noun") return true;
      if (type === "pronoun") return false;
      if (type === "relation" || type === "stop" || type === "comma") return false;
    }
    return false;
  }

  #postfixHolder(_attribute: EntityAttribute): Phrase {
    return this.#target ?? this.#before;
  }

  #finish(): Description {
    let target = this.#target;
    const hasOwnName = target?.label !== undefined;
    if (target === undefined) {
      // "facing the windows, the one on the right": the thing is of the kind in view.
      target = this.#before;
      for (const early of this.#early) target.relations.push(early);
    } else {
      target.attributes.push(...this.#before.attributes.filter((attribute) => attribute.isSuperlative));
    }
    const seen = this.#facing ?? this.#standingAt;
    if (target.label === undefined && target.reference === undefined && seen?.label !== undefined) {
      target.label = seen.label;
    }
    const hasName = target.label !== undefined;
    const selector: EntitySelector = {
      ...toSelector(target, 0),
      ...(this.#facing === undefined || this.#facing.isRoom ? {} : { facing: toSelector(this.#facing, 1) }),
      ...(this.#standingAt === undefined || this.#standingAt.isRoom
        ? {}
        : { standingAt: toSelector(this.#standingAt, 1) }),
    };
    return { selector, hasName: hasName || hasOwnName };
  }
}

const ROOM_PROPERTIES: Partial<Record<SpatialRelation, EntityAttribute>> = {
  "left-of": { dimension: "lateral", direction: -1, isSuperlative: true },
  "right-of": { dimension: "lateral", direction: 1, isSuperlative: true },
  between: { dimension: "centrality", direction: 1, isSuperlative: true },
  "middle-of": { dimension: "centrality", direction: 1, isSuperlative: true },
  "in-front-of": { dimension: "nearness", direction: 1, isSuperlative: true },
  behind: { dimension: "nearness", direction: -1, isSuperlative: true },
};

function newPhrase(): Phrase {
  return { isPlural: false, isRoom: false, words: [], attributes: [], relations: [] };
}

/** Deeper nesting than this is not spoken; it is cut so that evaluation stays bounded. */
const DEPTH_MAX = 4;

function toSelector(phrase: Phrase, depth: number): EntitySelector {
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
    ...(phrase.position === undefined && phrase.order === undefined
      ? {}
      : { ordinal: { position: phrase.position ?? 1, order: phrase.order ?? "near-to-far" } }),
  };
}
