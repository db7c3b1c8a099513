// Rules LQ1..LQ4, LF1..LF6, LD7 of docs/spec/language.md. `talk` says the utterances one after the other in one room and prints
// the last answer; deeds follow in brackets.
//      lamp1 on table1 -1.5,-2        sofa 1.5,-2 (facing the viewer)     window behind it
//      table2 with lamp2 at 2,1       viewer at the origin, looking along -Z
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlainThing, PlainView } from "../../testing/plain-room.ts";
import { plainContext } from "../../testing/plain-room.ts";
import { resolveDescription } from "./referring.ts";
import { answerUtterance } from "./room-dialogue.ts";

const ROOM: readonly PlainThing[] = [
  { id: "floor", at: [0, -0.005, 0], size: [6, 0.01, 6], kind: "plane" },
  { id: "table1", at: [-1.5, 0.375, -2], size: [1, 0.75, 0.8] },
  { id: "lamp1", at: [-1.5, 0.95, -2], size: [0.2, 0.4, 0.2] },
  { id: "sofa", at: [1.5, 0.4, -2], size: [2, 0.8, 0.9], facing: [0, 0, 1] },
  { id: "window", at: [1.5, 1.8, -2.95], size: [1.2, 1, 0.02] },
  { id: "table2", at: [2, 0.375, 1], size: [1, 0.75, 0.8] },
  { id: "lamp2", at: [2, 0.95, 1], size: [0.2, 0.4, 0.2] },
  { id: "door", at: [0, 1, 3], size: [0.9, 2, 0.05] },
];

function talk(utterances: readonly string[], view: PlainView = {}): string {
  const { sentences, deeds } = answerUtterance(plainContext(ROOM, view), utterances);
  const done = deeds.map(({ name, args }) => ("target" in args ? `${name} ${args.target}` : name));
  return `${sentences.join(" ")}${done.length === 0 ? "" : ` [${done.join(", ")}]`}`;
}

function say(text: string, view: PlainView = {}): string {
  return talk([text], view).replace(/ \[.*\]$/, "");
}

test("[LQ1] each kind of question in its common forms", () => {
  const table: readonly (readonly [answer: string, ...questions: string[]])[] = [
    [
      "The sofa is 1.8 m away, at your one o'clock.",
      "where is the sofa?",
      "Where's the couch",
      "find the settee",
      "can you tell me where the sofa is?",
      "where can I sit?",
      "sofa",
    ],
    [
      "The sofa is 1.8 m away, at your one o'clock.",
      "how far is the sofa?",
      "how far away is the sofa",
      "what is the distance to the sofa?",
      "how far am I from the sofa?",
    ],
    [
      "There are two lamps.",
      "how many lamps are there?",
      "count the lamps",
      "how many lamps do you see?",
      "what is the number of lamps in this room?",
    ],
    [
      "The nearest lamp is 2.1 m away, at your four o'clock.",
      "what is the nearest lamp?",
      "which lamp is closest to me?",
      "which lamp is the closest?",
    ],
    ["A lamp is on the table.", "what is on the table on the left?", "what's on top of the left table?"],
    ["A door is behind you.", "what is behind me?", "what's behind me?", "tell me what is behind me"],
    [
      "The sofa and the door are 4.5 m apart.",
      "how far is the sofa from the door?",
      "what's the distance between the door and the sofa?",
      "how far apart are the door and the sofa?",
    ],
    [
      "The sofa is 2 m wide, 90 cm deep and 80 cm tall.",
      "how big is the sofa?",
      "what size is the couch?",
      "what are the dimensions of the sofa?",
    ],
    ["The sofa is 80 cm tall.", "how tall is the sofa?", "what is the height of the couch"],
    ["Yes, there are two lamps.", "is there a lamp?", "are there any lamps here?", "do you see a lamp?"],
    ["No, I see no plants.", "is there a plant?", "are there any plants in this room?"],
    ["The sofa is bigger.", "which is bigger, the sofa or the door?"],
    ["Yes, the sofa is wider.", "is the sofa wider than the door?"],
    ["A window is behind the sofa.", "what is behind the sofa?"],
    ["The sofa is nearer, 1.8 m away, at your one o'clock.", "am I closer to the door or the sofa?"],
  ];
  for (const [answer, ...questions] of table)
    for (const question of questions)
      assert.equal(
        say(question).replace(/^A lamp is on (?:it|the left table)/, "A lamp is on the table"),
        answer,
        question,
      );
});

test("[LQ2] lengths follow the unit asked for", () => {
  assert.equal(say("how far is the sofa in feet?"), "The sofa is 6 feet away, at your one o'clock.");
  assert.equal(say("how tall is the sofa in cm?"), "The sofa is 80 cm tall.");
  assert.equal(say("how wide is the door in inches?"), "The door is 35 inches wide.");
});

test("[LQ3] what geometry cannot know is refused with the reason", () => {
  assert.match(say("what colour is the sofa?"), /cannot see colours/);
  assert.match(say("turn on the lamp"), /cannot operate things/);
  assert.match(say("who won the world cup in 1998?"), /without a language model/);
  assert.match(say("what is written on the door?"), /cannot read or recognise/);
  assert.match(say("what can you do?"), /^I answer questions about the room/);
});

test("[LQ4] an unknown name is repeated", () => {
  assert.equal(say("where is the unicorn?"), "I do not see a unicorn here.");
  assert.equal(say("how far is the octopus?"), "I do not see an octopus here.");
});

test("[LF1] it is what was spoken of, that is what is looked at", () => {
  assert.equal(
    talk(["where is the sofa?", "how big is it?"]),
    "The sofa is 2 m wide, 90 cm deep and 80 cm tall. [highlight sofa]",
  );
  assert.equal(
    say("how big is that?", { attention: [{ entityId: "door" }] }),
    "The door is 90 cm wide, 5 cm deep and 2 m tall.",
  );
  assert.equal(say("what is this?", { attention: [{ entityId: "window" }] }), "That is the window, 3.1 m away.");
  const known = answerUtterance(plainContext(ROOM), ["what am I looking at?", "how tall is it?"], { ids: ["door"] });
  assert.deepEqual(known.sentences, ["The door is 2 m tall."]);
});

test("[LF2] follow-ups ask the same of another thing or place", () => {
  assert.equal(
    talk(["how far is the sofa?", "and the door?"]),
    "The door is 3 m away, behind you. [highlight door, point door]",
  );
  assert.equal(say2("where is the sofa?", "and behind it?"), "A window is behind it.");
  assert.equal(
    say2("what is behind the sofa?", "what is to the left of it?"),
    "A lamp and a table are to the left of the sofa.",
  );
});

function say2(first: string, second: string): string {
  return talk([first, second]).replace(/ \[.*\]$/, "");
}

test("[LF3] a reply to 'which one' answers the question before", () => {
  assert.equal(say2("how far is the lamp?", "the left one"), "The lamp is 2.4 m away, at your eleven o'clock.");
  assert.equal(
    say2("how far is the lamp?", "the one closest to the door"),
    "The lamp is 2.1 m away, at your four o'clock.",
  );
});

test("[LF4] commands become deeds, or ask back", () => {
  assert.equal(talk(["highlight the sofa"]), "Here is the sofa. [highlight sofa]");
  assert.equal(talk(["highlight the lamps"]), "There are two lamps. [highlight lamp1, highlight lamp2]");
  assert.equal(talk(["label the sofa as my seat"]), "I labelled the sofa. [label sofa]");
  assert.equal(talk(["point to the door"]), "I am pointing at the door. [point door]");
  assert.match(talk(["take me to the door"]), /to the door\. \[navigate door\]$/);
  assert.equal(talk(["put a vase on the sofa"]), "I placed the vase. [place]");
  assert.match(
    talk(["highlight the lamp"]),
    /^I see two lamps: .* Which one do you mean\? \[highlight lamp2, label lamp2/,
  );
  assert.equal(talk(["where is the sofa?", "highlight it"]), "Here is the sofa. [highlight sofa]");
});

/** The deeds alone, with every argument. */
function deedsOf(...utterances: readonly string[]): readonly string[] {
  return answerUtterance(plainContext(ROOM), utterances).deeds.map((deed) =>
    [deed.name, ...Object.values(deed.args)].join(" "),
  );
}

test("[LF5] things that could be meant are outlined and numbered as they are named", () => {
  const numbered = ["highlight lamp2 outline 6", "label lamp2 1", "highlight lamp1 outline 6", "label lamp1 2"];
  for (const question of ["where is the lamp?", "how far is the lamp?", "highlight the lamp", "take me to the lamp"])
    assert.deepEqual(deedsOf(question), numbered, question);
  assert.match(say("how far is the lamp?"), /one 2\.1 m away.* and one 2\.4 m away/);
  assert.deepEqual(deedsOf("how far is the sofa?"), ["highlight sofa outline 6"]);
  for (const question of ["where are the lamps?", "is there a lamp?"])
    assert.equal(
      deedsOf(question).some((deed) => deed.startsWith("label")),
      false,
      question,
    );
});

test("[LF6] a number or a place settles what was asked, in the part that was open", () => {
  for (const reply of [
    "two",
    "number 2",
    "the second one",
    "lamp 2",
    "the left one",
    "the one near the table on the left",
  ])
    assert.equal(say2("how far is the lamp?", reply), "The lamp is 2.4 m away, at your eleven o'clock.", reply);
  assert.match(say2("how far is the lamp?", "number seven"), /did not understand/);
  assert.equal(talk(["highlight the lamp", "the left one"]), "Here is the lamp. [highlight lamp1]");
  assert.match(talk(["take me to the lamp", "number one"]), /to the lamp\. \[navigate lamp2\]$/);
  assert.equal(say2("how far is the door from the lamp?", "the right one"), "The door and the lamp are 2.4 m apart.");
  assert.deepEqual(
    answerUtterance(plainContext(ROOM), ["put a vase on the table", "the left one"]).deeds.map(({ args }) => args),
    [{ asset: "vase", position: [-1.5, 0.75, -2] }],
  );
  // Once another thing was asked, a bare number means nothing any more.
  assert.match(talk(["highlight the lamp", "where is the sofa?", "two"]), /did not understand/);
});

test("[LF7] a reply that names another kind is a new question; one of those spoken of is meant by which one", () => {
  assert.match(talk(["how do I walk to the lamp", "the second table from the left"]), /^The table is 1\.8 m away/);
  assert.match(talk(["how many tables are there", "which one is the closest to the door?"]), /highlight table2/);
  const tall = talk(["how many lamps are there", "which one is the largest?"]);
  assert.doesNotMatch(tall, /sofa|window|door/);
});

test("[LQ5] questions as people put them", () => {
  assert.match(say("would a 1.8 m sofa fit anywhere?"), /^Yes/);
  assert.match(say("is there enough space to do yoga?"), /free place/);
  assert.match(say("is there any free space near the sofa?"), /free place/);
  assert.match(say("what can I see from here?"), /^I see/);
  assert.match(say("can I squeeze between the sofa and the door?"), /apart/);
  assert.match(say("how far apart are the two lamps?"), /m apart/);
  assert.match(say("can a wheelchair get to the door?"), /to the door/);
  assert.match(say("can a wheelchair get to the piano?"), /do not see a piano/);
  assert.match(say("how do I get from the sofa to the door?"), /to the door/);
  assert.match(say("what is the biggest thing here?"), /sofa/);
  assert.match(say("is the room bigger than 20 square metres?"), /^The room is/);
  assert.match(
    talk(["highlight everything on that table"], { attention: [{ entityId: "table1" }] }),
    /highlight lamp1/,
  );
  assert.match(say("is the door closer to the sofa or the lamp?"), /^The lamp is nearest/);
  assert.match(say("is the sofa clean?"), /cannot/);
  assert.match(say("which of these is closest to the door: sofa, window?"), /sofa|window/);
  assert.match(say("where is everything?"), /^There are (?:seven|eight) things/);
});

test("[LQ6] a thing is not put where it is: where it shall go is asked back", () => {
  const looked = { attention: [{ entityId: "table1" }] };
  assert.match(talk(["put that there"], looked), /^I cannot tell where you want it\.[^[]*$/);
  const bound = {
    attention: [
      { entityId: "lamp1", source: "pointing", saidAs: "thing" },
      { entityId: "table2", source: "pointing", saidAs: "place" },
    ],
  } as const;
  const { deeds } = answerUtterance(plainContext(ROOM, bound), ["put that there"]);
  assert.deepEqual(deeds[0]?.name === "move" ? deeds[0].args.target : undefined, "lamp1");
});

test("[LD7] equals resolve to none, unless the words say more than geometry reads", () => {
  const context = plainContext(ROOM, { isTracked: false });
  assert.equal(resolveDescription(context, "the lamp").id, undefined);
  assert.equal(resolveDescription(context, "the lamp").isAmbiguous, true);
  assert.equal(resolveDescription(context, "the lamp closest to the sofa").id, "lamp1");
  const guess = resolveDescription(context, "the shiny lamp");
  const clear = resolveDescription(context, "the lamp closest to the sofa");
  assert.ok(guess.id !== undefined && guess.confidence < 0.5 && clear.confidence > guess.confidence);
});
