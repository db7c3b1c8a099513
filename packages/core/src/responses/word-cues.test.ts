// Rules WQ1..WQ7 of docs/spec/responses.md.
import assert from "node:assert/strict";
import test from "node:test";
import { WordCues } from "./word-cues.ts";

type Step = { readonly say: string } | { readonly deed: string; readonly names: readonly string[] } | "end";

/** What is done when: "deed@sentence:word", "deed@now" or "deed@end", in order. */
function play(...steps: readonly Step[]): string {
  const cues = new WordCues<string>();
  const sentences: string[] = [];
  const log: string[] = [];
  const note = (deed: string, sentence: number, word: number): void => {
    log.push(`${deed}@${sentence}:${sentences[sentence]?.split(" ")[word] ?? "?"}`);
  };
  for (const step of steps) {
    if (step === "end") log.push(...cues.end().map((deed) => `${deed}@end`));
    else if ("say" in step) {
      sentences.push(step.say);
      for (const cue of cues.say(step.say.split(" "))) note(cue.deed, cue.sentence, cue.word);
    } else {
      const cue = cues.deed(step);
      if (cue === "now") log.push(`${step.deed}@now`);
      else if (cue !== undefined) note(cue.deed, cue.sentence, cue.word);
    }
  }
  return log.join(" ");
}

const lamp = { deed: "lamp", names: ["lamp"] };

test("[WQ1] the pointing word, else the name", () => {
  assert.equal(play(lamp, { say: "You mean this small lamp, I think." }), "lamp@0:this");
  assert.equal(play(lamp, { say: "The lamp is on the table." }), "lamp@0:lamp");
  assert.equal(play(lamp, { say: "I like that, lamp or not." }), "lamp@0:lamp");
});

test("[WQ2] synonyms, plurals and own names", () => {
  assert.equal(play({ deed: "tv", names: ["tv"] }, { say: "The television is off." }), "tv@0:television");
  assert.equal(play({ deed: "bin", names: ["trash can"] }, { say: "Use the bins." }), "bin@0:bins.");
  assert.equal(play({ deed: "v", names: ["Main valve", "valve"] }, { say: "Close the main valve." }), "v@0:main");
  assert.equal(play({ deed: "bed", names: ["bed"] }, { say: "The lamp is bright." }, "end"), "bed@end");
});

test("[WQ3] several things of one name", () => {
  const one = { deed: "one", names: ["chair"] };
  const two = { deed: "two", names: ["chair"] };
  assert.equal(play(one, two, { say: "Take this chair or that chair." }), "one@0:this two@0:that");
  assert.equal(play(one, two, { say: "The chairs are free." }), "one@0:chairs two@0:chairs");
});

test("[WQ4] whichever comes first", () => {
  assert.equal(play({ say: "Look around." }, { say: "The lamp is behind you." }, lamp), "lamp@1:lamp");
  assert.equal(play(lamp, { say: "Look around." }, { say: "The lamp is behind you." }), "lamp@1:lamp");
});

test("[WQ5] a lone pointing word", () => {
  assert.equal(play(lamp, { say: "It is right there." }), "lamp@0:there.");
  assert.equal(play(lamp, { say: "There is nothing else." }, "end"), "lamp@end");
  assert.equal(play(lamp, { say: "This one is brighter." }), "lamp@0:This");
});

test("[WQ6] nobody waits for a word that never comes", () => {
  assert.equal(play(lamp, { say: "One." }, { say: "Two." }, { say: "Three." }), "lamp@2:Three.");
  assert.equal(play(lamp, { say: "One." }, "end"), "lamp@end");
});

test("[WQ7] nothing to wait for, and no room to wait", () => {
  assert.equal(play({ deed: "buzz", names: [] }), "buzz@now");
  const many = Array.from({ length: 33 }, (_, index) => ({ deed: `d${index}`, names: ["lamp"] }));
  assert.equal(play(...many), "d32@now");
});
