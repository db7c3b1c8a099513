// Rooms and views in English, for someone who does not see them: the important things first, then round by the clock.
import type { SpatialQueryResult } from "../model/spatial.ts";
import {
  clockText,
  countOf,
  isManyByName,
  isOrAre,
  lengthText,
  listOf,
  placeText,
  valuesOf,
  withArticle,
} from "./english-words.ts";
import type { LengthUnit } from "./interpretation.ts";
import type { ThingNames } from "./thing-names.ts";

function grouped(ids: readonly string[], names: ThingNames): string[] {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(names.noun(id), (counts.get(names.noun(id)) ?? 0) + 1);
  return [...counts].map(([noun, count]) => (count === 1 ? withArticle(noun) : countOf(count, noun)));
}

const LISTED_MAX = 10;

export const describeInEnglish = {
  visible(result: SpatialQueryResult, names: ThingNames): readonly string[] {
    const things = grouped(result.entityIds, names);
    if (things.length === 0) return ["I see nothing I know from here"];
    const more =
      things.length > LISTED_MAX ? [`and ${countOf(things.length - LISTED_MAX, "other kind")} of things`] : [];
    const [nearest] = result.entityIds;
    const values = nearest === undefined ? {} : valuesOf(result.values, nearest);
    const place = placeText(values);
    const listed = more.length === 0 ? listOf(things) : `${things.slice(0, LISTED_MAX).join(", ")} ${more[0]}`;
    return [
      `I see ${listed}`,
      place === "" || nearest === undefined || result.entityIds.length === 1
        ? ""
        : `The nearest is the ${names.noun(nearest)}, ${place}`,
    ];
  },

  room(
    result: SpatialQueryResult,
    names: ThingNames,
    isOneThing: boolean,
    unit: LengthUnit | undefined,
  ): readonly string[] {
    if (isOneThing) return describeThing(result, names, unit);
    const count = valuesOf(result.values)["count"] ?? result.entityIds.length;
    const [main] = result.entityIds;
    if (main === undefined) return ["I see nothing I know here"];
    const sentences = [`I know ${countOf(count, "thing")} in this room`];
    const placed = result.entityIds.map((id) => ({ id, values: valuesOf(result.values, id) }));
    if (placed.every(({ values }) => values["clock"] === undefined)) {
      return [
        ...sentences,
        `There ${result.entityIds.length === 1 && !isManyByName(names.noun(main)) ? "is" : "are"} ${listOf(grouped(result.entityIds, names))}`,
      ];
    }
    const main3 = placed.slice(0, 3);
    for (const { id, values } of main3) {
      const noun = names.noun(id);
      sentences.push(
        `${names.isOnlyOne(id) ? `the ${noun}` : withArticle(noun)} ${isOrAre(noun)} ${placeText(values, unit)}`,
      );
    }
    return [...sentences, ...byClock(placed.slice(3), names)];
  },
};

function describeThing(result: SpatialQueryResult, names: ThingNames, unit: LengthUnit | undefined): readonly string[] {
  const [id] = result.entityIds;
  if (id === undefined) return [];
  const values = valuesOf(result.values, id);
  const { width, height, depth } = values;
  const place = placeText(values, unit);
  const noun = names.noun(id);
  const sentences = place === "" ? [] : [`The ${noun} is ${place}`];
  if (width !== undefined && height !== undefined && depth !== undefined) {
    const start = sentences.length === 0 ? `The ${noun}` : "It";
    sentences.push(
      `${start} is ${lengthText(width, unit)} wide, ${lengthText(depth, unit)} deep and ${lengthText(height, unit)} tall`,
    );
  }
  return sentences;
}

/** The rest, clockwise from straight ahead, one sentence for each hour. */
function byClock(
  placed: readonly { readonly id: string; readonly values: Readonly<Record<string, number>> }[],
  names: ThingNames,
): readonly string[] {
  const hours = new Map<number, string[]>();
  for (const { id, values } of placed) {
    const hour = values["clock"];
    if (hour === undefined) continue;
    const list = hours.get(hour) ?? [];
    list.push(id);
    hours.set(hour, list);
  }
  const order = [...hours].sort(([a], [b]) => (a % 12) - (b % 12));
  return order.map(([hour, ids]) => `${clockText(hour)}: ${listOf(grouped(ids, names))}`);
}
