// Rules LW1..LW3, LD1..LD6 of docs/spec/language.md. `read` prints a description as one line: the name, its properties in
// brackets, then each relation with its anchors.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { EntitySelector } from "../model/spatial.ts";
import { NO_VOCABULARY } from "./description-items.ts";
import { parseDescription } from "./description-grammar.ts";
import { labelFit, normalName, plural, singular } from "./nouns.ts";
import { selectorFromTree } from "./relation-tree.ts";
import { tokenize } from "./tokens.ts";

function read(text: string): string {
  return print(parseDescription(tokenize(text), NO_VOCABULARY).selector);
}

function print(selector: EntitySelector): string {
  const properties = (selector.attributes ?? []).map(
    ({ dimension, direction, isSuperlative }) => `${direction > 0 ? "+" : "-"}${dimension}${isSuperlative ? "!" : ""}`,
  );
  if (selector.ordinal !== undefined) properties.push(`#${selector.ordinal.position} ${selector.ordinal.order}`);
  const words = selector.words ?? [];
  const head = `${selector.label ?? selector.reference ?? "?"}${properties.length === 0 ? "" : `[${properties.join(" ")}]`}${words.length === 0 ? "" : `{${words.join(" ")}}`}`;
  const relations = (selector.relations ?? []).map(
    ({ relation, anchors, isNegated }) =>
      `${isNegated === true ? "not " : ""}${relation}(${anchors.map(print).join(", ")})`,
  );
  const facing = selector.facing === undefined ? [] : [`facing ${print(selector.facing)}`];
  const standing = selector.standingAt === undefined ? [] : [`at ${print(selector.standingAt)}`];
  return [head, ...relations, ...facing, ...standing].join(" ");
}

test("[LW1] names fit by words, synonym, head word, kinship, in that order", () => {
  const fits = [
    ["Chairs", "chair", 4],
    ["sofa", "couch", 3],
    ["picture", "wall_art", 3],
    ["bin", "trash can", 3],
    ["chair", "office chair", 2],
    ["cabinet", "shelf", 1],
    ["tv", "screen", 3],
    ["chair", "table lamp", 0],
    ["door", "door frame", 1],
    ["door", "curtain rod", 0],
  ] as const;
  for (const [words, label, fit] of fits)
    assert.equal(labelFit(normalName(words), normalName(label)), fit, `${words} / ${label}`);
});

test("[LW2] plurals both ways", () => {
  const pairs = [
    ["chair", "chairs"],
    ["box", "boxes"],
    ["shelf", "shelves"],
    ["couch", "couches"],
    ["person", "people"],
    ["dish", "dishes"],
    ["battery", "batteries"],
    ["desk lamp", "desk lamps"],
  ] as const;
  for (const [one, many] of pairs) {
    assert.equal(plural(one), many);
    assert.equal(normalName(many), one);
  }
  for (const word of ["glass", "blinds", "bus", "clothes"]) assert.equal(singular(word), word);
});

test("[LW3] contractions, spellings and the length limit", () => {
  assert.deepEqual(tokenize("What's the furthest one?"), ["what", "is", "the", "farthest", "one", "?"]);
  assert.deepEqual(tokenize("It's on the right-hand side, 1.5 m up"), [
    "it",
    "is",
    "on",
    "the",
    "right",
    "side",
    ",",
    "1.5",
    "m",
    "up",
  ]);
  assert.deepEqual(tokenize("How many chair(s)?"), ["how", "many", "chair", "?"]);
  assert.equal(tokenize("a ".repeat(1_000)).length, 160);
});

test("[LD1] relations nest, superlatives and clauses after a comma go to the thing described", () => {
  assert.equal(
    read("the second chair to the left of the table by the window"),
    "chair[#2 near-to-far] left-of(table near(window))",
  );
  assert.equal(read("the lamp on the table, next to the bed"), "lamp on(table) next-to(bed)");
  assert.equal(read("the chair at the table closest to the door"), "chair near(table) nearest-to(door)");
  assert.equal(read("the box between the sink and the oven"), "box between(sink, oven)");
});

test("[LD2] properties, ordinals and orders", () => {
  assert.equal(read("the tall white cabinet"), "cabinet[+height]{white}");
  assert.equal(read("the smallest window"), "window[-size!]");
  assert.equal(read("the third picture from the left"), "picture[#3 left-to-right]");
  assert.equal(read("the shoe that is second to the right"), "shoe[#2 right-to-left]");
  assert.equal(read("the chair in the middle of the room"), "chair[+centrality!]");
  assert.equal(read("the last door from the right"), "door[#-1 right-to-left]");
  assert.equal(read("the computer desk"), "desk{computer}");
});

test("[LD3] with … on it, on top, to its left", () => {
  assert.equal(read("the table with a lamp on it"), "table supporting(lamp)");
  assert.equal(read("the desk with a monitor on top"), "desk supporting(monitor)");
  assert.equal(read("the chair with a box under it"), "chair above(box)");
  assert.equal(read("the shelf with books"), "shelf containing(books)");
});

test("[LD4] facing and standing set the line of sight", () => {
  assert.equal(read("facing the bed, the lamp on the left"), "lamp[-lateral!] facing bed");
  assert.equal(
    read("When standing at the door looking at the window, the right desk"),
    "desk[+lateral] facing window at door",
  );
  assert.equal(read("facing the windows, the one on the right"), "windows[+lateral!] facing windows");
  assert.equal(
    read("looking at the front of the oven, pick the bin that is on the left of it"),
    "bin left-of(oven) facing oven",
  );
});

test("[LD5] a later naming is the thing", () => {
  assert.equal(read("There is a bookshelf between two doors. It is the door on the left"), "door[-lateral!]");
  assert.equal(read("Two chairs are next to each other. Choose the chair by the window."), "chair near(window)");
});

test("[LD6] not negates the relation after it", () => {
  assert.equal(read("the desk that is not next to the bed"), "desk not next-to(bed)");
});

test("[LD8] a relation tree reads as the same selector", () => {
  const bed = { category: "bed", relations: [] };
  const tree = {
    category: "Lamp",
    relations: [
      { relation_name: "beside", objects: [bed] },
      { relation_name: "larger", objects: [] },
      { relation_name: "corner", objects: [] },
      { relation_name: "below", objects: [bed], negative: true },
      { relation_name: "admires", objects: [bed] },
    ],
  };
  assert.equal(print(selectorFromTree(tree) ?? {}), "lamp[+size] next-to(bed) corner-of() not under(bed)");
  for (const broken of [undefined, null, 7, "lamp", [], {}, { category: 1 }])
    assert.equal(selectorFromTree(broken), undefined);
  assert.equal(
    print(selectorFromTree({ category: "x", relations: [{ relation_name: "on", objects: [{}] }, 5] }) ?? {}),
    "x",
  );
  const deep: Record<string, unknown> = { category: "x" };
  deep["relations"] = [{ relation_name: "on", objects: [deep] }];
  assert.ok(print(selectorFromTree(deep) ?? {}).length < 200);
});
