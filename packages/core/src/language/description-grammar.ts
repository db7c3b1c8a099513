// Noun phrases: "the second chair to the left of the table by the window". The result is an EntitySelector, the same tree
// that a language model may supply. Relations attach to the nearest name before them; superlatives ("closest to the
// door"), and everything after a comma or "and", attach to the thing that is described.
import type { EntityAttribute, EntitySelector, SpatialRelation } from "../model/spatial.ts";
import type { OpenRelation, Phrase } from "./description-phrase.ts";
import { INVERSE, newPhrase, ROOM_PROPERTIES, SUPERLATIVES, toSelector } from "./description-phrase.ts";
import type { SceneVocabulary } from "./description-items.ts";
import { readWords } from "./description-items.ts";
import type { PhraseItem } from "./phrase-table.ts";
import type { Tokens } from "./tokens.ts";

/** What a description says: the thing, and from where view-dependent words are to be read. */
export interface Description {
  readonly selector: EntitySelector;
  /** False when no name was found and the selector only says "one" or "it". */
  readonly hasName: boolean;
  /** Words that geometry can make nothing of: colours, materials, verbs, unknown names. */
  readonly unreadWords: number;
}

export function parseDescription(tokens: Tokens, vocabulary: SceneVocabulary): Description {
  const { items, unread } = readWords(tokens, vocabulary);
  const reader = new DescriptionReader(items);
  const colours = items.filter((item) => item.type === "word").length;
  return { ...reader.read(), unreadWords: unread + colours };
}

type PronounWord = Extract<PhraseItem, { type: "pronoun" }>["word"];

interface Opening {
  readonly relation: SpatialRelation;
  readonly holder: Phrase;
  readonly isNegated: boolean;
  /** Set when the relation was said before its thing. */
  readonly early?: OpenRelation;
}

class DescriptionReader {
  readonly #items: readonly PhraseItem[];
  #at = 0;
  /** What is described. */
  #target: Phrase | undefined;
  /** The name that was said last and can take a relation. */
  #current: Phrase | undefined;
  #facing: Phrase | undefined;
  #standingAt: Phrase | undefined;
  /** Properties said before their name. */
  #before: Phrase = newPhrase();
  #open: Opening | undefined;
  #lastRelation: OpenRelation | undefined;
  #expects: "view" | "stand" | undefined;
  /** "with a …": the thing that has it, until it is known how. */
  #withHolder: Phrase | undefined;
  #with: Phrase | undefined;
  #isNegated = false;
  #afterBreak = false;
  /** Inside "when facing the wall with many pictures": names here describe the view. */
  #isInView = false;
  #viewName: Phrase | undefined;
  #early: OpenRelation[] = [];

  constructor(items: readonly PhraseItem[]) {
    this.#items = items;
  }

  read(): Omit<Description, "unreadWords"> {
    for (; this.#at < this.#items.length; this.#at++) this.#take(this.#items[this.#at] as PhraseItem);
    this.#clauseEnds();
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
        return void this.#before.words.push(item.word);
      case "ordinal":
        this.#before.position = item.position;
        return;
      case "order":
        return this.#order(item.order);
      case "number":
        this.#before.isPlural = true;
        return;
      default:
        return this.#structure(item.type);
    }
  }

  #structure(type: PhraseItem["type"]): void {
    if (type === "view") this.#view();
    else if (type === "stand") {
      if (this.#target === undefined) this.#expects = "stand";
    } else if (type === "with") this.#withHolder = this.#current;
    else if (type === "not") this.#isNegated = true;
    else if (type === "stop" || type === "comma") this.#clauseEnds();
    else if (type === "it-is") this.#introduces();
    else if (type === "and" || type === "or") this.#afterBreak = true;
  }

  /** "facing the bed, …" sets the view; "the chair facing the bed" is a relation. */
  #view(): void {
    if (this.#target === undefined || this.#afterBreak) this.#expects = "view";
    else this.#open = { relation: "facing", holder: this.#current ?? this.#target, isNegated: this.#isNegated };
  }

  #clauseEnds(): void {
    const open = this.#open;
    if (open?.relation === "between" && open.early === undefined) {
      // "in the middle of the three": of its own kind.
      open.holder.attributes.push({ dimension: "centrality", direction: 1, isSuperlative: true });
    }
    this.#expects = undefined;
    this.#open = undefined;
    this.#with = undefined;
    this.#withHolder = undefined;
    this.#isNegated = false;
    this.#isInView = false;
    this.#afterBreak = true;
    if (this.#target !== undefined) this.#carryOver(this.#target, this.#before);
    if (this.#target !== undefined) this.#before = newPhrase();
    this.#lastRelation = undefined;
  }

  /** "… it is the door on the left", "choose the chair": the thing comes now, whatever was named before. */
  #introduces(): void {
    this.#clauseEnds();
    const next = this.#nameAhead();
    if (next !== undefined && this.#target !== undefined && this.#target.label !== undefined) {
      if (next !== this.#target.label) {
        this.#target = undefined;
        this.#current = undefined;
        this.#early = [];
      }
      return;
    }
    if (next === undefined && this.#target === undefined) {
      this.#target = newPhrase();
      this.#current = this.#target;
    }
  }

  /** The name that follows directly, with only its own properties before it. */
  #nameAhead(): string | undefined {
    for (let at = this.#at + 1; at < this.#items.length; at++) {
      const item = this.#items[at] as PhraseItem;
      if (item.type === "noun") return item.name;
      if (!/^(?:skip|attribute|word|ordinal|number|is)$/.test(item.type)) return undefined;
    }
    return undefined;
  }

  /** Superlatives and places in an order that were said without a name of their own belong to the thing. */
  #carryOver(target: Phrase, from: Phrase): void {
    target.attributes.push(...from.attributes);
    target.words.push(...from.words);
    if (from.position !== undefined && target.position === undefined) target.position = from.position;
    if (from.order !== undefined && target.order === undefined) target.order = from.order;
  }

  #noun(name: string, isPlural: boolean): void {
    const previous = this.#items[this.#at - 1];
    const current = this.#current;
    if (previous?.type === "noun" && current !== undefined && current.label === previous.name) {
      // Compound: "computer desk", "window seat". The last name is the thing, the others tell which.
      current.words.push(previous.name);
      current.label = name;
      current.isPlural = isPlural;
      return;
    }
    const phrase = this.#before;
    this.#before = newPhrase();
    phrase.label = name;
    phrase.isPlural ||= isPlural;
    this.#place(phrase);
  }

  #pronoun(word: PronounWord): void {
    if (word === "room" && this.#items[this.#at + 1]?.type === "noun") return;
    if (word === "it" && (this.#target !== undefined || this.#facing !== undefined)) return this.#backReference();
    if (word === "one") return this.#one();
    // "this chair", "that big table": the determiner of a name that follows.
    if (word === "that" && this.#nameAhead() !== undefined) {
      this.#before.reference = "that";
      return;
    }
    if (word === "each") return this.#sameKind();
    const isAnchor = this.#open !== undefined || this.#expects !== undefined;
    if (!isAnchor && (this.#target !== undefined || (word !== "it" && word !== "that") || this.#namesLater())) return;
    const phrase = this.#before;
    this.#before = newPhrase();
    if (word === "room") phrase.isRoom = true;
    else phrase.reference = word;
    this.#place(phrase);
  }

  #namesLater(): boolean {
    return this.#items.slice(this.#at + 1).some((item) => item.type === "noun");
  }

  /** "the left one": of the kind spoken of. */
  #one(): void {
    if (this.#open !== undefined || this.#isInView) return;
    if (this.#target !== undefined) {
      this.#carryOver(this.#target, this.#before);
      this.#before = newPhrase();
      this.#current = this.#target;
      return;
    }
    const phrase = this.#before;
    this.#before = newPhrase();
    this.#place(phrase);
  }

  /** "next to another", "by the others": things of its own kind. */
  #sameKind(): void {
    const open = this.#open;
    const label = this.#target?.label;
    if (open === undefined || label === undefined) return;
    this.#open = undefined;
    if (open.relation === "between")
      open.holder.attributes.push({ dimension: "centrality", direction: 1, isSuperlative: true });
    else this.#attach(open.holder, open.relation, { ...newPhrase(), label, isPlural: true }, open.isNegated);
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
    if (this.#expects !== undefined) return this.#placeView(phrase, this.#expects);
    if (this.#withHolder !== undefined) return this.#placeWith(phrase, this.#withHolder);
    if (this.#open !== undefined) return this.#placeAnchor(phrase, this.#open);
    const joins = this.#items
      .slice(Math.max(0, this.#at - 4), this.#at)
      .some((item) => item.type === "and" || item.type === "or");
    if (joins && this.#lastRelation !== undefined && this.#items[this.#at - 1]?.type !== "comma") {
      this.#lastRelation.anchors.push(phrase);
      this.#current = phrase;
      return;
    }
    if (this.#isInView) {
      this.#viewName = phrase;
      return;
    }
    if (this.#target === undefined) return this.#placeTarget(phrase);
    // A second naming of the same kind carries on with the thing: "…, it is the chair on the left".
    if (this.#target.label === undefined || phrase.label === this.#target.label || phrase.label === undefined) {
      if (phrase.label !== undefined) this.#target.label ??= phrase.label;
      this.#carryOver(this.#target, phrase);
      this.#current = this.#target;
    }
  }

  #placeTarget(phrase: Phrase): void {
    this.#target = phrase;
    this.#current = phrase;
    phrase.relations.push(...this.#early);
    this.#early = [];
    this.#afterBreak = false;
  }

  #placeAnchor(phrase: Phrase, open: Opening): void {
    this.#open = undefined;
    if (open.early === undefined) {
      this.#attach(open.holder, open.relation, phrase, open.isNegated);
      this.#current = phrase;
      return;
    }
    if (!phrase.isRoom) open.early.anchors.push(phrase);
    this.#current = undefined;
  }

  #placeView(phrase: Phrase, as: "view" | "stand"): void {
    if (as === "view") this.#facing = phrase;
    else this.#standingAt = phrase;
    this.#expects = undefined;
    this.#isInView = true;
    this.#current = phrase;
  }

  /** "with a lamp on it" inverts when "it" arrives; "with a lamp on top" and a bare "with a lamp" are decided here. */
  #placeWith(phrase: Phrase, holder: Phrase): void {
    this.#withHolder = undefined;
    const next = this.#items[this.#at + 1];
    const isNegated = this.#isNegated;
    this.#isNegated = false;
    if (next?.type === "relation" && this.#pointsBack(this.#at + 2)) {
      this.#with = phrase;
      return;
    }
    if (next?.type === "attribute" && next.isPostfix === true) {
      const { dimension, direction } = next.attribute;
      if (dimension === "elevation" || dimension === "lateral") {
        const side = direction === 1 ? "left-of" : "right-of";
        const stacked = direction === 1 ? "supporting" : "above";
        this.#attach(holder, dimension === "lateral" ? side : stacked, phrase, isNegated);
        this.#at += 1;
        return;
      }
    }
    this.#attach(holder, "containing", phrase, isNegated);
    this.#current = phrase;
  }

  #pointsBack(at: number): boolean {
    const item = this.#items[at];
    return item?.type === "pronoun" && (item.word === "it" || item.word === "that");
  }

  #relation(relation: SpatialRelation, isBare: boolean): void {
    const isNegated = this.#isNegated;
    this.#isNegated = false;
    this.#withHolder = undefined;
    const holder = this.#holderOf(relation);
    if (isBare) {
      const open: OpenRelation = { relation, anchors: [], isNegated };
      if (holder === undefined) this.#early.push(open);
      else holder.relations.push(open);
      return;
    }
    if (holder === undefined) return this.#openEarly(relation, isNegated);
    this.#open = { relation, holder, isNegated };
    this.#afterBreak = false;
  }

  /** A relation before its thing: "next to the bed is the lamp"; and "the closest chair", where the name follows. */
  #openEarly(relation: SpatialRelation, isNegated: boolean): void {
    const isNumber = this.#items.slice(this.#at + 1, this.#at + 3).some((item) => item.type === "number");
    if (SUPERLATIVES.has(relation) || relation === "near") {
      const direction = relation === "farthest-from" ? -1 : 1;
      this.#before.attributes.push({ dimension: "nearness", direction, isSuperlative: relation !== "near" });
    } else if (isNumber && ROOM_PROPERTIES[relation] !== undefined) {
      // "the right of the two doors"
      this.#before.attributes.push(ROOM_PROPERTIES[relation]);
    } else {
      const early: OpenRelation = { relation, isNegated, anchors: [] };
      this.#early.push(early);
      this.#open = { relation, holder: this.#before, isNegated, early };
    }
  }

  #holderOf(relation: SpatialRelation): Phrase | undefined {
    if (this.#isInView) return this.#current;
    const target = this.#target;
    if (target === undefined) return undefined;
    if (SUPERLATIVES.has(relation) || this.#with !== undefined) return target;
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
    if (relation === "corner-of") holder.relations.push({ relation, anchors: [], isNegated });
    else if (property !== undefined && !isNegated) holder.attributes.push(property);
    else if (property !== undefined)
      holder.attributes.push({ ...property, direction: property.direction === 1 ? -1 : 1 });
  }

  #order(order: NonNullable<EntitySelector["ordinal"]>["order"]): void {
    const holder = this.#target ?? this.#before;
    holder.order = order;
    if (this.#before.position !== undefined) holder.position = this.#before.position;
    if (holder !== this.#before) delete this.#before.position;
  }

  #attribute(attribute: EntityAttribute, isPostfix: boolean): void {
    const target = this.#target;
    if (isPostfix) {
      if (this.#isInView && target === undefined) return;
      // "second to the left": a place in an order.
      const position = this.#before.position ?? (target?.order === undefined ? target?.position : undefined);
      if (attribute.dimension === "lateral" && position !== undefined && position > 0) {
        this.#before.position = position;
        return this.#order(attribute.direction === 1 ? "right-to-left" : "left-to-right");
      }
      (target ?? this.#before).attributes.push(attribute);
      return;
    }
    // "the picture is the smaller", "the chair is tall": a property said after the name, with no name to follow.
    if (
      target !== undefined &&
      this.#open === undefined &&
      this.#withHolder === undefined &&
      !this.#propertyHasName()
    ) {
      target.attributes.push(attribute);
      return;
    }
    this.#before.attributes.push(attribute);
  }

  #propertyHasName(): boolean {
    for (let at = this.#at + 1; at < this.#items.length; at++) {
      const type = (this.#items[at] as PhraseItem).type;
      if (type === "noun" || type === "relation") return type === "noun";
      if (type === "pronoun" || type === "stop" || type === "comma") return false;
    }
    return false;
  }

  #finish(): Omit<Description, "unreadWords"> {
    let target = this.#target;
    if (target === undefined) {
      target = this.#viewName ?? this.#before;
      target.relations.push(...this.#early);
      if (target !== this.#before) this.#carryOver(target, this.#before);
    }
    // "facing the windows, the one on the right": the thing is of the kind in view.
    const seen = this.#facing ?? this.#standingAt;
    if (target.label === undefined && target.reference === undefined && seen?.label !== undefined)
      target.label = seen.label;
    return {
      hasName: target.label !== undefined,
      selector: {
        ...toSelector(target, 0),
        ...(this.#facing === undefined || this.#facing.isRoom ? {} : { facing: toSelector(this.#facing, 1) }),
        ...(this.#standingAt === undefined || this.#standingAt.isRoom
          ? {}
          : { standingAt: toSelector(this.#standingAt, 1) }),
      },
    };
  }
}
