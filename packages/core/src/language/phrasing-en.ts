// Answers in English: short sentences that can be spoken.
import type { EntitySelector, SceneChange, SpatialQuery, SpatialQueryResult } from "../model/spatial.ts";
import { describeInEnglish } from "./describing-en.ts";
import {
  clockText,
  countOf,
  countWord,
  isOrAre,
  isManyByName,
  lengthText,
  listOf,
  placeText,
  sentence,
  sideText,
  valuesOf,
  withArticle,
} from "./english-words.ts";
import type { Manner } from "./interpretation.ts";
import { plural, singular } from "./nouns.ts";
import { quadrantOf } from "./quadrant.ts";
import { OTHER_PHRASES } from "./phrases-en.ts";
import type { Phrasebook } from "./phrasebook-type.ts";
import type { ThingNames } from "./thing-names.ts";

type How = Manner;

interface Saying<K extends SpatialQuery["kind"] = SpatialQuery["kind"]> {
  readonly query: Extract<SpatialQuery, { kind: K }>;
  readonly result: SpatialQueryResult;
  readonly names: ThingNames;
  readonly how: How;
}

export const ENGLISH: Phrasebook = {
  ...OTHER_PHRASES,
  say: (query, result, names, how, changes) =>
    say({ query, result, names, how }, changes)
      .filter((text) => text !== "")
      .map(sentence),
};

function say(saying: Saying, changes: readonly SceneChange[]): readonly string[] {
  const { query, result } = saying;
  if (query.kind === "changed-since") return sayChanges(changes, result);
  if (query.kind === "count") return sayCount(saying);
  if (result.problem !== undefined) return sayProblem(saying);
  if (result.isAmbiguous && query.kind !== "find" && result.entityIds.length > 1) return askBack(saying);
  switch (query.kind) {
    case "attended":
      return [`You are looking at ${oneOf(saying)}${suffix(saying)}`];
    case "pointed-at":
      return [`You are pointing at ${oneOf(saying)}${suffix(saying)}`];
    case "find":
      return sayFind(saying);
    case "nearest":
    case "farthest":
      return sayExtreme(saying, query);
    case "distance":
      return sayDistance(saying, query);
    case "direction":
      return sayDirection(saying);
    case "relation":
      return sayRelation(saying, query);
    case "visible":
      return describeInEnglish.visible(result, saying.names);
    case "describe":
      return describeInEnglish.room(result, saying.names, query.about !== undefined, saying.how.unit);
    case "line-of-sight":
      return saySight(saying);
    case "size":
      return saySize(saying);
    case "room-size":
      return sayRoomSize(saying);
    case "fits":
      return sayFits(saying);
    case "free-space":
      return sayFreeSpace(saying);
    case "path":
      return sayPath(saying);
    case "region-contents":
      return [`There ${isOrAre("")} ${listOf(grouped(result.entityIds, saying.names))} there`];
    case "text":
      return [];
  }
}

/** The verb agrees with the first of the list: "there is a lamp and two chairs". */
function thereAre(things: readonly string[]): string {
  return `there ${/^an? /.test(things[0] ?? "") ? "is" : "are"} ${listOf(things)}`;
}

function the(id: string, names: ThingNames): string {
  return id === "viewer" ? "you" : `the ${names.noun(id)}`;
}

function oneOf({ result, names }: Saying): string {
  return the(result.entityIds[0] ?? "", names);
}

function suffix(saying: Saying): string {
  const { distance } = valuesOf(saying.result.values, saying.result.entityIds[0]);
  return distance === undefined || distance < 0.05 ? "" : `, ${lengthText(distance, saying.how.unit)} away`;
}

function placeOf(saying: Saying, id: string): string {
  return placeText(valuesOf(saying.result.values, id), saying.how.unit);
}

function is(id: string, names: ThingNames): string {
  return id === "viewer" || isManyByName(names.noun(id)) ? "are" : "is";
}

/** "a table, two chairs and a lamp". */
function grouped(ids: readonly string[], names: ThingNames): string[] {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(names.noun(id), (counts.get(names.noun(id)) ?? 0) + 1);
  return [...counts].map(([noun, count]) => (count === 1 ? withArticle(noun) : countOf(count, noun)));
}

function sayFind(saying: Saying): readonly string[] {
  const { result, names, query, how } = saying;
  const [id] = result.entityIds;
  if (id === undefined) return [];
  if (how.isPolar === true && query.kind === "find" && query.target.anyOf !== undefined) return sayCompared(saying, id);
  const target = query.kind === "find" ? query.target : undefined;
  if (how.comparative !== undefined) {
    const place = placeOf(saying, id);
    if (target?.anyOf !== undefined) return [`${the(id, names)} ${is(id, names)} ${how.comparative}`];
    const what =
      target?.label === undefined
        ? `the ${how.comparative} thing is ${the(id, names)}`
        : `the ${how.comparative} one is`;
    return [
      target?.label === undefined
        ? `${what}${place === "" ? "" : `, ${place}`}`
        : `${what} ${place === "" ? "there" : place}`,
    ];
  }
  if (target?.reference === "that" || target?.reference === "it") return [`That is ${the(id, names)}${suffix(saying)}`];
  if (result.entityIds.length === 1) {
    const place = placeOf(saying, id);
    return [
      place === ""
        ? `There is ${withArticle(names.noun(id))}, but I cannot say where from here because I do not know where you stand`
        : `${the(id, names)} ${is(id, names)} ${place}`,
    ];
  }
  // Of several kinds none gives its name to all.
  const isMixed = result.entityIds.some((each) => names.noun(each) !== names.noun(id));
  const noun = isMixed ? "thing" : names.noun(id);
  const all = result.entityIds
    .slice(0, 4)
    .map((each) => placeOf(saying, each))
    .filter((place) => place !== "");
  const more = result.entityIds.length > 4 ? ` The others are farther away` : "";
  if (all.length === 0) return [`There are ${countOf(result.entityIds.length, noun)}`];
  return [`There are ${countOf(result.entityIds.length, noun)}: ${listOf(all.map((place) => `one ${place}`))}`, more];
}

/** "is the sofa bigger than the lamp": yes when the first one named came out. */
function sayCompared(saying: Saying, id: string): readonly string[] {
  const { query, names, how } = saying;
  const first = query.kind === "find" ? query.target.anyOf?.[0] : undefined;
  const isFirst = first?.ids?.includes(id) ?? (first !== undefined && saying.result.firstNamed === id);
  const word = how.comparative === undefined ? "" : ` ${how.comparative}`;
  return [`${isFirst ? "Yes" : "No"}, ${the(id, names)} ${is(id, names)}${word}`];
}

/** Names the candidates and asks which is meant. */
function askBack(saying: Saying): readonly string[] {
  const { result, names } = saying;
  const nouns = new Set(result.entityIds.map((id) => names.noun(id)));
  const [noun] = nouns;
  const places = result.entityIds.map((id) => {
    const place = placeOf(saying, id);
    const start = nouns.size === 1 ? "one" : `the ${names.noun(id)}`;
    return place === "" ? start : `${start} ${place}`;
  });
  const count =
    nouns.size === 1 && noun !== undefined
      ? `${countOf(result.entityIds.length, noun)}`
      : "several things that could be meant";
  const isPlaced = places.some((place) => place !== "one");
  return [isPlaced ? `I see ${count}: ${listOf(places)}` : `I see ${count}`, "Which one do you mean?"];
}

function sayProblem(saying: Saying): readonly string[] {
  const { result, query } = saying;
  const words = result.problemWords ?? "";
  switch (result.problem) {
    case "no-viewer":
      return ["I do not know where you are yet, because no head pose has arrived"];
    case "no-target":
      if (query.kind === "attended") return ["You are not looking at anything I know"];
      if (query.kind === "pointed-at") return ["You are not pointing at anything I know"];
      return words === "it"
        ? ['I am not sure what "it" is', "Please name the thing or look at it"]
        : ["I cannot tell what you mean by that", "Please look at it, point at it or name it"];
    case "class-unknown":
    case "anchor-unknown":
      if (saying.how.isPolar === true && result.problem === "class-unknown" && words !== "")
        return [`No, I see no ${plural(words)} here`];
      return words === ""
        ? ["I do not see anything like that here"]
        : [`I do not see ${/^(?:it|that)$/.test(words) ? "that" : withArticle(words)} here`];
    case "relation-empty":
      return sayEmpty(saying);
    case "needs-floor":
      return ["I do not know this room yet"];
    default:
      return query.kind === "visible" || query.kind === "describe"
        ? ["I see nothing I know from here"]
        : ["I find nothing like that here"];
  }
}

function sayEmpty({ query, result, how }: Saying): readonly string[] {
  if (how.isPolar === true) return ["No"];
  const words = result.problemWords ?? "";
  const what = words === "" ? "nothing" : `no ${words}`;
  if (query.kind !== "relation") return [`I see no ${words === "" ? "thing" : words} for which that is true`];
  return [`I see ${what} ${whereText(query)}`];
}

function sayCount(saying: Saying): readonly string[] {
  const { result, names, query, how } = saying;
  const count = valuesOf(result.values)["count"] ?? result.entityIds.length;
  const target = query.kind === "count" ? query.target : {};
  const versus = valuesOf(result.values)["versus"];
  if (query.kind === "count" && query.versus !== undefined && versus !== undefined) {
    const holds =
      how.comparative === "fewer" ? count < versus : how.comparative === "more" ? count > versus : count === versus;
    const name = (selector: EntitySelector, many: number): string => countOf(many, singular(selector.label ?? "thing"));
    return [`${holds ? "Yes" : "No"}, there are ${name(target, count)} and ${name(query.versus, versus)}`];
  }
  const [id] = result.entityIds;
  const asked = target.label ?? "thing";
  if (count === 0) {
    const related =
      id === undefined || target.relations !== undefined ? [] : [`The closest match is ${withArticle(names.noun(id))}`];
    const no = how.isPolar === true ? "No, " : "";
    return [`${no}I see no ${target.relations === undefined ? plural(asked) : `${plural(asked)} there`}`, ...related];
  }
  if (target.anyOf !== undefined)
    return [`${how.isPolar === true ? "Yes, there" : "there"} are ${listOf(grouped(result.entityIds, names))}`];
  const noun = target.label === undefined ? "thing" : allSame(result.entityIds, names) ? names.noun(id ?? "") : asked;
  const yes = how.isPolar === true ? "Yes, " : "";
  const there = count === 1 ? "there is" : "there are";
  const first = `${yes}${there} ${count === 1 && yes !== "" ? withArticle(noun) : countOf(count, noun)}`;
  const place = count === 1 && id !== undefined ? placeOf(saying, id) : "";
  return [place === "" ? first : `${first}, ${place}`];
}

function allSame(ids: readonly string[], names: ThingNames): boolean {
  return new Set(ids.map((id) => names.noun(id))).size === 1;
}

function sayExtreme(saying: Saying, query: Extract<SpatialQuery, { kind: "nearest" | "farthest" }>): readonly string[] {
  const { result, names, how } = saying;
  const [id] = result.entityIds;
  if (id === undefined) return [];
  const { gap } = valuesOf(result.values, id);
  const place = placeOf(saying, id);
  const noun = names.noun(id);
  const hasClass = query.target.label !== undefined && query.target.anyOf === undefined;
  const what = hasClass ? `the ${query.kind} ${noun}` : `the ${noun}`;
  if (gap !== undefined) {
    const anchor = query.to?.label === undefined ? "it" : `the ${query.to.label}`;
    const apart = gap < 0.005 ? `touches ${anchor}` : `is ${lengthText(gap, how.unit)} from ${anchor}`;
    const seen = place === "" ? "" : `; from you it is ${place}`;
    return [hasClass ? `${what} ${apart}${seen}` : `${what} is ${query.kind}: it ${apart}${seen}`];
  }
  if (hasClass) return [`${what} ${is(id, names)}${place === "" ? " known, but not where you stand" : ` ${place}`}`];
  return [
    query.target.anyOf === undefined
      ? `The ${query.kind} thing is ${what}${place === "" ? "" : `, ${place}`}`
      : `${what} is ${query.kind === "nearest" ? "nearer" : "farther"}${place === "" ? "" : `, ${place}`}`,
  ];
}

function sayDistance(saying: Saying, query: Extract<SpatialQuery, { kind: "distance" }>): readonly string[] {
  const { result, names, how } = saying;
  const [id, from] = result.entityIds;
  const metres = valuesOf(result.values)["distance"];
  if (id === undefined || metres === undefined) return [];
  if (query.from !== undefined && from !== undefined) {
    if (metres < 0.005) return [`${the(id, names)} and ${the(from, names)} touch`];
    return [`${the(id, names)} and ${the(from, names)} are ${lengthText(metres, how.unit)} apart`];
  }
  if (metres < 0.05) return [`${the(id, names)} is right where you are`];
  const clock = valuesOf(result.values, id)["clock"];
  return [
    `${the(id, names)} ${is(id, names)} ${lengthText(metres, how.unit)} away${clock === undefined ? "" : `, ${clockText(clock)}`}`,
  ];
}

function sayDirection(saying: Saying): readonly string[] {
  const { result, names } = saying;
  const [id] = result.entityIds;
  if (id === undefined) return [];
  const values = valuesOf(result.values, id);
  const stood = values["standpoint-bearing"];
  if (stood !== undefined) return [`${the(id, names)} would be to your ${quadrantOf(stood)}`];
  const bearing = values["bearing"];
  const clock = values["clock"];
  if (bearing === undefined || clock === undefined) return [`I cannot say where ${the(id, names)} is from here`];
  const side = sideText(bearing);
  const hour = clockText(clock);
  return [`${the(id, names)} ${is(id, names)} ${side}${hour === side ? "" : `, ${hour}`}`];
}

const RELATION_WORDS: Readonly<Record<string, string>> = {
  on: "on",
  under: "under",
  above: "above",
  below: "below",
  inside: "in",
  "next-to": "next to",
  near: "near",
  between: "between",
  "left-of": "to the left of",
  "right-of": "to the right of",
  "in-front-of": "in front of",
  behind: "behind",
  against: "against",
  facing: "facing",
  around: "around",
  supporting: "under",
  containing: "around",
  "across-from": "across from",
  "far-from": "far from",
  "middle-of": "in the middle of",
  "corner-of": "in the corner",
  "end-of": "at the end of",
  floor: "on the floor",
};

const BARE_PLACES: Readonly<Record<string, string>> = {
  against: "against the wall",
  "corner-of": "in the corner",
  floor: "on the floor",
};

const OWN_SIDES: Readonly<Record<string, string>> = {
  "left-of": "to your left",
  "right-of": "to your right",
  "in-front-of": "in front of you",
  behind: "behind you",
};

/** "on the table", "between the door and you". */
function whereText(query: Extract<SpatialQuery, { kind: "relation" }>): string {
  const where = RELATION_WORDS[query.relation] ?? query.relation;
  const isPair = query.relation === "between" && query.anchors.length === 1;
  const [only] = query.anchors;
  const own = OWN_SIDES[query.relation];
  if (query.anchors.length === 1 && only?.reference === "viewer" && own !== undefined) return own;
  const anchors = query.anchors.map((anchor) => {
    if (anchor.reference === "viewer") return "you";
    if (anchor.label === undefined) return "it";
    return `the ${anchor.isPlural === true || isPair ? plural(anchor.label) : anchor.label}`;
  });
  if (anchors.length === 0) return BARE_PLACES[query.relation] ?? where;
  return `${where} ${listOf(anchors)}`;
}

function sayRelation(saying: Saying, query: Extract<SpatialQuery, { kind: "relation" }>): readonly string[] {
  const { result, names, how } = saying;
  const ids = result.entityIds;
  const [id] = ids;
  if (id === undefined) return [];
  const isOne = ids.length === 1;
  if (how.isPolar === true) {
    const whom = isOne ? `${the(id, names)} ${is(id, names)}` : thereAre(grouped(ids.slice(0, 8), names));
    return [`Yes, ${whom} ${whereText(query)}`];
  }
  const things = grouped(ids.slice(0, 8), names);
  const more = ids.length > 8 ? [`${countWord(ids.length - 8)} more`] : [];
  const listed = listOf([...things, ...more]);
  return [`${listed} ${isOne ? is(id, names) : "are"} ${whereText(query)}`];
}

function saySight({ result, names, query }: Saying): readonly string[] {
  const [id] = result.entityIds;
  if (id === undefined) return [];
  const { visible, clear } = valuesOf(result.values);
  const place = placeText(valuesOf(result.values, id));
  if (visible === 1)
    return [
      `Yes, ${the(id, names)} is ${query.kind === "line-of-sight" && query.from !== undefined ? "visible from there" : "in view"}${place === "" ? "" : `, ${place}`}`,
    ];
  if (clear === 1) return [`No, ${the(id, names)} is outside your view${place === "" ? "" : `: it is ${place}`}`];
  return [`No, something is in the way of ${the(id, names)}${place === "" ? "" : `, which is ${place}`}`];
}

function saySize({ result, names, how }: Saying): readonly string[] {
  const [id] = result.entityIds;
  const values = valuesOf(result.values);
  const { width, height, depth, longest, elevation } = values;
  if (id === undefined || width === undefined || height === undefined || depth === undefined) return [];
  const text = (metres: number): string => lengthText(metres, how.unit);
  if (how.dimension === "longest") return [`The longest side of ${the(id, names)} is ${text(longest ?? width)}`];
  if (how.dimension === "height" && names.noun(id) === "ceiling" && elevation !== undefined) {
    return [`the ceiling is ${text(elevation)} above the floor`];
  }
  if (how.dimension === "height") return [`${the(id, names)} is ${text(height)} tall`];
  if (how.dimension === "width" || how.dimension === "length")
    return [`${the(id, names)} is ${text(width)} ${how.dimension === "width" ? "wide" : "long"}`];
  if (how.dimension === "depth") return [`${the(id, names)} is ${text(depth)} deep`];
  return [`${the(id, names)} is ${text(width)} wide, ${text(depth)} deep and ${text(height)} tall`];
}

function sayRoomSize({ result, how }: Saying): readonly string[] {
  const { length, width, area, height } = valuesOf(result.values);
  if (length === undefined || width === undefined || area === undefined) return [];
  const guess = result.basis === "rule" ? "judging by the things in it, " : "";
  const high = height === undefined ? "" : ` and ${lengthText(height, how.unit)} high`;
  return [
    `${guess}the room is ${lengthText(length, how.unit)} by ${lengthText(width, how.unit)}${high}, about ${area.toFixed(1).replace(/\.0$/, "")} square metres`,
  ];
}

function sayFits(saying: Saying): readonly string[] {
  const { result, names } = saying;
  const values = valuesOf(result.values);
  const [near] = result.entityIds;
  const beside = near === undefined ? "" : ` by ${the(near, names)}`;
  if (values["fits"] !== 1) return [`No, I find no clear place of that size${beside}`];
  const place = placeText(values);
  return [`Yes, it would fit${beside}${place === "" ? "" : `, ${place}`}`];
}

function sayFreeSpace(saying: Saying): readonly string[] {
  const values = valuesOf(saying.result.values);
  const { radius, area } = values;
  if (radius === undefined || area === undefined) return [];
  const place = placeText(values);
  return [
    `The largest free place is about ${lengthText(2 * radius)} across${place === "" ? "" : `, ${place}`}`,
    `In all there are ${area.toFixed(1)} square metres of free floor`,
  ];
}

function sayPath(saying: Saying): readonly string[] {
  const { result, names } = saying;
  const [id] = result.entityIds;
  const values = valuesOf(result.values);
  if (id === undefined) return [];
  if (values["reachable"] !== 1) return [`I see no way to ${the(id, names)} that is wide enough to walk`];
  const start = values["start-clock"];
  const length = values["length"] ?? 0;
  if (length < 0.3) return [`${the(id, names)} is within reach`];
  const turns = Math.max(0, (result.points?.length ?? 2) - 2);
  const bends = turns === 0 ? "straight on" : `with ${countOf(turns, "turn")}`;
  return [
    `${start === undefined ? "Walk" : `Start ${clockText(start)} and walk`} ${lengthText(length, saying.how.unit)} ${bends} to ${the(id, names)}`,
  ];
}

function sayChanges(changes: readonly SceneChange[], result: SpatialQueryResult): readonly string[] {
  if (changes.length === 0 || result.entityIds.length === 0) return ["Nothing has changed that I noticed"];
  const last = changes.slice(-5);
  return last.map((change) => {
    if (change.change === "moved" && change.from !== undefined && change.to !== undefined) {
      const moved = Math.hypot(
        change.to[0] - change.from[0],
        change.to[1] - change.from[1],
        change.to[2] - change.from[2],
      );
      return `The ${change.label} moved by ${lengthText(moved)}`;
    }
    const verbs = { added: "was added", removed: "was removed", updated: "changed", moved: "moved" } as const;
    return `The ${change.label} ${verbs[change.change]}`;
  });
}
