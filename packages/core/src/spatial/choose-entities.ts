// From a selector to candidates: class by label, then relations, properties and order, each as evidence in log space.
import { labelFit, normalName } from "../language/nouns.ts";
import type { EntityRelation, EntitySelector } from "../model/spatial.ts";
import type { Choice } from "./choice.ts";
import { bestLog, NO_CHOICE, topAnchors } from "./choice.ts";
import { propertyEvidence, orderEvidence } from "./property-evidence.ts";
import { relationEvidence } from "./relation-evidence.ts";
import type { Scope } from "./scope.ts";
import { VIEWER_ID } from "./scope.ts";
import type { Solid } from "./solid.ts";
import { pointDistance } from "./solid-distance.ts";
import type { Viewpoint } from "./viewpoint.ts";
import { facingView, viewpoint } from "./viewpoint.ts";

/**
 * Evidence by how a label fits the words: unrelated, related, same head word, synonym, same words but for the plural, as
 * said. Steep: who says "cabinet" in a room with a cabinet does not mean the kitchen cabinet.
 */
const FIT_LOG: readonly number[] = [-Infinity, -12, -6, -5, -3, 0];

export function chooseEntities(selector: EntitySelector, scope: Scope): Choice {
  const start = classCandidates(selector, scope);
  if (start.solids.length === 0) return start;
  const sightline = sightlineOf(selector, scope);
  const log = Float64Array.from(start.log);
  const degree = Float64Array.from(start.degree);
  for (const relation of selector.relations ?? []) {
    const anchors = relation.anchors.map((anchor) => chooseAnchors(anchor, scope, relation));
    if (relation.anchors.length > 0 && anchors.every((choice) => choice.solids.length === 0)) continue;
    const evidence = relationEvidence({ relation, candidates: start.solids, anchors, scope, sightline });
    for (let i = 0; i < log.length; i++) {
      log[i] = (log[i] as number) + (evidence.log[i] as number);
      degree[i] = Math.min(degree[i] as number, evidence.degree[i] as number);
    }
  }
  const choice: Choice = { solids: start.solids, log, degree, fit: start.fit };
  applyProperties(selector, choice, scope, sightline);
  return choice;
}

function applyProperties(
  selector: EntitySelector,
  choice: Choice,
  scope: Scope,
  sightline: Viewpoint | undefined,
): void {
  const { log } = choice;
  for (const attribute of selector.attributes ?? []) {
    const evidence = propertyEvidence(attribute, choice, scope, sightline);
    for (let i = 0; i < log.length; i++) log[i] = (log[i] as number) + (evidence[i] as number);
  }
  if (selector.ordinal !== undefined) {
    const evidence = orderEvidence(selector.ordinal, choice, scope, sightline);
    for (let i = 0; i < log.length; i++) log[i] = (log[i] as number) + (evidence[i] as number);
  }
}

/** Anchors of a relation. A surface to stand on or against may be a wall; other anchors are things. */
function chooseAnchors(anchor: EntitySelector, scope: Scope, _relation: EntityRelation): Choice {
  return chooseEntities(anchor, scope);
}

function classCandidates(selector: EntitySelector, scope: Scope): Choice {
  if (selector.reference === "viewer" || selector.ids?.[0] === VIEWER_ID) return only([scope.viewer]);
  if (selector.ids !== undefined) return byIds(selector.ids, scope);
  if (selector.anyOf !== undefined) return anyOf(selector.anyOf, scope);
  const words = selector.label ?? selector.description;
  const base = words === undefined ? everything(scope) : byWords(words, scope);
  const among = selector.among;
  const asked = among === undefined ? base : filter(base, (solid) => among.includes(solid.entity.id));
  const withWords = selector.words === undefined ? asked : preferWords(asked, selector.words);
  if (selector.region === undefined) return withWords;
  const region = selector.region;
  return filter(withWords, (solid) => {
    const { min, max } = region;
    return solid.center.every((value, axis) => value >= (min[axis] as number) && value <= (max[axis] as number));
  });
}

function only(solids: readonly Solid[]): Choice {
  return { solids, log: new Float64Array(solids.length), degree: new Float64Array(solids.length).fill(1), fit: 4 };
}

function byIds(ids: readonly string[], scope: Scope): Choice {
  const solids: Solid[] = [];
  for (const id of ids) {
    const solid = scope.room.byId.get(scope.room.twinOf.get(id) ?? id);
    if (solid !== undefined && !solids.includes(solid)) solids.push(solid);
  }
  return only(solids);
}

function anyOf(selectors: readonly EntitySelector[], scope: Scope): Choice {
  const choices = selectors
    .map((selector) => chooseEntities(selector, scope))
    .filter((choice) => choice.solids.length > 0);
  if (choices.length === 0) return NO_CHOICE;
  const best = new Map<Solid, number>();
  for (const choice of choices) {
    const top = bestLog(choice);
    for (const [i, solid] of choice.solids.entries()) {
      const log = (choice.log[i] as number) - top;
      if (log > ANY_OF_LOG_MIN) best.set(solid, Math.max(best.get(solid) ?? -Infinity, log));
    }
  }
  const solids = [...best.keys()];
  return {
    solids,
    log: Float64Array.from(best.values()),
    degree: new Float64Array(solids.length).fill(1),
    fit: Math.max(...choices.map((c) => c.fit)),
  };
}

/** Each of the named alternatives gives its own best candidates. */
const ANY_OF_LOG_MIN = -0.5;

function everything(scope: Scope): Choice {
  return only(scope.room.things.filter((thing) => !thing.isStructure));
}

function byWords(words: string, scope: Scope): Choice {
  const wanted = normalName(words);
  const said = words.toLowerCase();
  const solids: Solid[] = [];
  const fits: number[] = [];
  for (const [label, things] of scope.room.byLabel) {
    const labelled = labelFit(wanted, label);
    for (const thing of things) {
      const found = Math.max(labelled, thing.name === "" ? 0 : nameFit(wanted, thing));
      if (found === 0) continue;
      solids.push(thing);
      fits.push(found === 4 && thing.rawLabel === said ? EXACT_FIT : found);
    }
  }
  return scored(solids, fits);
}

/** "books" of a thing labelled "books", before one labelled "book". */
const EXACT_FIT = 5;

function scored(solids: readonly Solid[], fits: readonly number[]): Choice {
  const best = fits.reduce((most, fit) => Math.max(most, fit), 0);
  const top = FIT_LOG[best] ?? 0;
  return {
    solids,
    log: Float64Array.from(fits, (fit) => (FIT_LOG[fit] as number) - top),
    degree: Float64Array.from(fits, (fit) => (fit === best ? 1 : 0)),
    fit: Math.min(4, best),
  };
}

function nameFit(wanted: string, thing: Solid): number {
  if (thing.name === "") return 0;
  if (thing.name === wanted) return 4;
  return thing.name.endsWith(` ${wanted}`) || wanted.endsWith(` ${thing.name}`) ? 3 : 0;
}

/** Colours and materials, where the scene tells them. A scene that tells none is not held against anything. */
function preferWords(choice: Choice, words: readonly string[]): Choice {
  const texts = choice.solids.map(({ entity }) => ` ${entity.name ?? ""} ${entity.description ?? ""} `.toLowerCase());
  const log = Float64Array.from(choice.log);
  const degree = Float64Array.from(choice.degree);
  for (const word of words) {
    const told = texts.map((text) => new RegExp(`\\b${word}\\b`).test(text));
    if (!told.includes(true)) continue;
    for (let i = 0; i < log.length; i++) {
      if (told[i] === true) continue;
      log[i] = (log[i] as number) - 2.5;
      degree[i] = 0;
    }
  }
  return { ...choice, log, degree };
}

function filter(choice: Choice, keep: (solid: Solid) => boolean): Choice {
  const kept = choice.solids.map((solid, i) => ({ solid, i })).filter(({ solid }) => keep(solid));
  return {
    solids: kept.map(({ solid }) => solid),
    log: Float64Array.from(kept, ({ i }) => choice.log[i] as number),
    degree: Float64Array.from(kept, ({ i }) => choice.degree[i] as number),
    fit: choice.fit,
  };
}

/** "facing the bed", "standing at the door looking at the window": the line of sight in which left and right are read. */
export function sightlineOf(selector: EntitySelector, scope: Scope): Viewpoint | undefined {
  const faced = selector.facing === undefined ? undefined : middleOf(chooseEntities(selector.facing, scope));
  const stood = selector.standingAt === undefined ? undefined : middleOf(chooseEntities(selector.standingAt, scope));
  if (faced === undefined && stood === undefined) return undefined;
  if (faced !== undefined && stood !== undefined) {
    return viewpoint(stood.center, [faced.center[0] - stood.center[0], 0, faced.center[2] - stood.center[2]], true);
  }
  if (faced !== undefined) return facingView(faced, scope.room, scope.view);
  const from = (stood as Solid).center;
  const middle = scope.room.center;
  return viewpoint(from, [middle[0] - from[0], 0, middle[2] - from[2]], true);
}

/** The thing to look at: the likeliest one; of several as likely, the one nearest to their common middle. */
function middleOf(choice: Choice): Solid | undefined {
  const anchors = topAnchors(choice).filter((anchor) => anchor.log > -0.3);
  if (anchors.length <= 1) return anchors[0]?.solid;
  let x = 0;
  let y = 0;
  let z = 0;
  for (const { solid } of anchors) {
    x += solid.center[0] / anchors.length;
    y += solid.center[1] / anchors.length;
    z += solid.center[2] / anchors.length;
  }
  let best = anchors[0]?.solid;
  for (const { solid } of anchors) {
    if (best === undefined || pointDistance(solid, [x, y, z]) < pointDistance(best, [x, y, z])) best = solid;
  }
  return best;
}
