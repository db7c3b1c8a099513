// Rules CU1..CU2 and RS1..RS14 of docs/spec/rescue.md. Two or three providers behind one alias; the first breaks where the
// test says. `play` returns the answer as one line.
import assert from "node:assert/strict";
import test from "node:test";
import type { AnswerPart, ChatRequest, SceneEntity, XRContext, XRRequest } from "@fovea/core";
import type { Script, ScriptLine } from "@fovea/core/testing";
import { answerLine, chatRequest, engineDoubles, ScriptedProvider } from "@fovea/core/testing";
import { createEngine } from "../engine/gateway-engine.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { IDENTITY_POSE } from "../geometry/pose.ts";
import { NO_CONTEXT } from "../model/xr-context.ts";

interface Played {
  readonly line: string;
  readonly parts: readonly AnswerPart[];
  readonly providers: readonly ScriptedProvider[];
  readonly text: string;
}

async function play(
  scripts: readonly Script[],
  rest: Partial<XRRequest> = {},
  options: { readonly embedded?: Script; readonly canRescue?: boolean; readonly abortAtMs?: number } = {},
): Promise<Played> {
  const base = engineDoubles({ assistant: scripts.map((_, index) => `p${index}/m1`) });
  const doubles = { ...base, controls: { hedgeShare: 0, canRescue: options.canRescue ?? true } };
  const providers = scripts.map(
    (script, index) => new ScriptedProvider({ id: `p${index}`, clock: base.clock, script }),
  );
  for (const provider of providers) base.registry.add(provider);
  if (options.embedded !== undefined) {
    base.registry.add(
      new ScriptedProvider({ id: "embedded", type: "embedded", clock: base.clock, script: options.embedded }),
    );
  }
  const parts: AnswerPart[] = [];
  const controller = new AbortController();
  if (options.abortAtMs !== undefined) base.clock.schedule(options.abortAtMs, () => controller.abort());
  let thrown = "";
  const done = (async () => {
    const request = chatRequest("assistant", "Tell me.", rest);
    for await (const part of createEngine(doubles).answer(request, controller.signal)) parts.push(part);
  })().catch((error: unknown) => {
    if (!GatewayError.is(error)) throw error;
    thrown = `thrown ${error.code}`;
  });
  for (let second = 0; second < 65 && parts.at(-1)?.type !== "end"; second++) await base.clock.advanceAsync(1_000);
  await done;
  const text = parts.map((part) => (part.type === "text-delta" ? part.text : "")).join("");
  return { line: `${answerLine(parts)}${thrown}`, parts, providers, text };
}

const STORY =
  "The lamp stands on the table. It is 2.5 m away from you! Do you see the red light? Dr. Smith put it there. " +
  "Turn left and walk on. The chair is behind it. Nothing else has changed. That is all I can say.";
const pieces = (text: string, size: number): string[] => text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
const cutAfter = (chunks: readonly string[], count: number, end: ScriptLine): ScriptLine[] => [
  ...chunks.slice(0, count),
  end,
];
const CUTS: readonly ScriptLine[] = [{ cut: true }, { fail: "server_error" }, { hang: true }];
const received = (request: ChatRequest): string =>
  /<received>([^]*)<\/received>/.exec(
    request.messages
      .map((message) => message.content.map((part) => (part.type === "text" ? part.text : "")).join(""))
      .join(""),
  )?.[1] ?? "";
const lastWords = (text: string): number =>
  Math.max(0, text.search(/(?<![\p{L}\p{N}])(?:\p{L}[\p{L}\p{N}]*|\p{L}[\p{L}\p{N}]*\P{L}*\d+)[^\p{L}\p{N}]*$/u));

/** Ways in which a second model takes an interrupted answer up. */
const MANNERS: Readonly<Record<string, (whole: string, request: ChatRequest) => string>> = {
  "goes on exactly": (whole, request) => whole.slice(received(request).length),
  "repeats its last words": (whole, request) => whole.slice(lastWords(received(request))),
  "starts again": (whole) => whole,
};

test("[RS1] a broken stream is finished by the next cell, and says so", async () => {
  for (const end of CUTS) {
    const { line } = await play([["Hello wor", end], ["ld, my friend."]]);
    assert.equal(line, "[start p0/m1]Hello wor[resumed 0 p1]ld, my friend.[usage 4][end resumed stop]");
  }
});

test("[RS2] [CU1] sentences: cut after each of the first 40 chunks, none is lost and none comes twice", async () => {
  const chunks = pieces(STORY, 5);
  assert.ok(chunks.length >= 40);
  for (const manner of ["goes on exactly", "starts again"]) {
    for (let count = 1; count <= 40; count++) {
      const second: Script = (request) =>
        pieces((MANNERS[manner] as (w: string, r: ChatRequest) => string)(STORY, request), 7);
      const end = CUTS[count % 3] as ScriptLine;
      const { text, line, parts } = await play([cutAfter(chunks, count, end), second], { commit: "sentence" });
      assert.equal(text, STORY, `${manner}, cut after ${count}: ${line}`);
      assert.match(line, /\[end (resumed|complete) stop\]$/);
      for (const part of parts) {
        if (part.type === "text-delta") assert.match(part.text, /[.!?]\s*$/, `half a sentence: ${part.text}`);
      }
    }
  }
});

test("[RS3] tokens: cut after each of the first 40 chunks, the joined text is the whole answer", async () => {
  for (const [manner, take] of Object.entries(MANNERS)) {
    for (let count = 1; count <= 40; count++) {
      for (const size of [3, 5]) {
        const second: Script = (request) => pieces(take(STORY, request), 6);
        const { text, line } = await play([
          cutAfter(pieces(STORY, size), count, CUTS[count % 3] as ScriptLine),
          second,
        ]);
        assert.equal(text, STORY, `${manner}, cut after ${count} chunks of ${size}: ${line}`);
        assert.match(line, /\[end resumed stop\]$/);
      }
    }
  }
});

test("[RS3] negative control: without rescue a cut is never a clean end", async () => {
  const { line } = await play([["Hello wor", { cut: true }], ["ld."]], {}, { canRescue: false });
  assert.equal(line, "[start p0/m1]Hello wor[error answer_broken][end error other]");
});

test("[RS4] an answer begun in other words is not joined", async () => {
  const first = ["The lamp stands on the table and it", { cut: true }] as const;
  const other = ["The lamp stands beside the door."];
  const third: Script = (request) => [" is red.".slice(received(request).endsWith("it") ? 0 : 99)];
  assert.match((await play([first, other, third])).line, /and it\[resumed 0 p2\] is red\..*\[end resumed stop\]$/);
  assert.match((await play([first, other])).line, /and it\[error answer_broken\](\[usage \d+\])?\[end error other\]$/);
});

test("[RS5] the next model is asked in a user message", async () => {
  const { providers } = await play([["Hello wor", { cut: true }], ["ld."]]);
  const asked = providers[1]?.requests[0];
  assert.deepEqual(
    asked?.messages.map((message) => message.role),
    ["user"],
  );
  assert.equal(received(asked as ChatRequest), "Hello wor");
});

test("[RS6] a tool call is restarted whole, and a delivered one is not repeated", async () => {
  const half = [
    { type: "tool-start", index: 0, id: "x", name: "paint" } as const,
    { type: "tool-delta", index: 0, args: '{"a"' } as const,
  ];
  const unfinished = await play([["Wait. ", ...half, { cut: true }], [{ call: "paint", args: { a: 1 }, id: "y" }]]);
  const kinds = unfinished.parts.map((part) => (part.type === "tool-start" ? `tool ${part.id}` : part.type));
  assert.deepEqual(kinds, ["start", "text-delta", "resumed", "tool y", "tool-delta", "tool-end", "usage", "end"]);
  const repeated = await play([
    [{ call: "paint", args: { a: 1 } }, { cut: true }],
    [
      { call: "paint", args: { a: 1 } },
      { call: "paint", args: { a: 2 } },
    ],
  ]);
  const ends = repeated.parts.filter((part) => part.type === "tool-end");
  assert.deepEqual(
    ends.map((part) => [part.index, part.args]),
    [
      [0, '{"a":1}'],
      [2, '{"a":2}'],
    ],
  );
});

test("[CU4] arguments of a call are held until it is whole, with tokens and with sentences", async () => {
  const args = '{"target":"lamp","colour":"red"}';
  const pieces4 = args.match(/.{1,4}/g) ?? [];
  for (const commit of ["token", "sentence"] as const) {
    const script: ScriptLine[] = [
      { type: "tool-start", index: 0, id: "x", name: "paint" },
      ...pieces4.flatMap((piece): ScriptLine[] => [10, { type: "tool-delta", index: 0, args: piece }]),
      { type: "tool-end", index: 0, args },
    ];
    const { parts } = await play([script], { commit });
    const kinds = parts.map((part) => part.type).filter((type) => type.startsWith("tool"));
    assert.deepEqual(kinds, ["tool-start", ...pieces4.map(() => "tool-delta"), "tool-end"]);
    const joined = parts.map((part) => (part.type === "tool-delta" ? part.args : "")).join("");
    assert.equal(joined, args);
    const end = parts.at(-1);
    const first = end?.type === "end" ? end.trace.steps.find(({ name }) => name === "first content")?.ms : undefined;
    assert.ok((first ?? 0) >= 0);
  }
});

test("[RS6] [CU4] two calls, cut after each piece: each is done once and whole", async () => {
  const calls = [
    { id: "x", name: "paint", args: '{"target":"lamp"}' },
    { id: "y", name: "move", args: '{"target":"chair","to":[1,2,3]}' },
  ];
  const lines: ScriptLine[] = calls.flatMap(({ id, name, args }, index): ScriptLine[] => [
    { type: "tool-start", index, id, name },
    ...(args.match(/.{1,3}/g) ?? []).map((piece): ScriptLine => ({ type: "tool-delta", index, args: piece })),
    { type: "tool-end", index, args },
  ]);
  for (const commit of ["token", "sentence"] as const) {
    for (let count = 1; count < lines.length; count++) {
      const first = ["Wait. ", ...lines.slice(0, count), CUTS[count % 3] as ScriptLine];
      // The next model does everything again, or only what is left, as its request says.
      for (const again of [lines, lines.slice(lines.findIndex((line) => isStartOf(line, 1)))]) {
        const isFirstDone = count > lines.findIndex((line) => isStartOf(line, 1)) - 1;
        if (again !== lines && !isFirstDone) continue;
        const { parts, line } = await play([first, again], { commit });
        const done = parts.flatMap((part) => (part.type === "tool-end" ? [part.args] : []));
        assert.deepEqual(
          done,
          calls.map(({ args }) => args),
          `${commit}, cut after ${count}: ${line}`,
        );
        assert.match(line, /\[end resumed/);
        const open = new Set<number>();
        for (const part of parts) {
          if (part.type === "tool-start") open.add(part.index);
          else if (part.type === "tool-end") assert.ok(open.delete(part.index), "an end has its start");
        }
        assert.equal(open.size, 0, "no half call reaches the client");
      }
    }
  }
});

const isStartOf = (line: ScriptLine, index: number): boolean =>
  typeof line === "object" && "type" in line && line.type === "tool-start" && line.index === index;

test("[RS7] [CU2] structured output is made anew", async () => {
  const whole = JSON.stringify({ name: "lamp", size: [1, 2, 3] });
  const chat = {
    messages: [{ role: "user", content: [{ type: "text", text: "json" }] }],
    output: { kind: "json" },
  } as const;
  const chunks = pieces(whole, 4);
  for (let count = 1; count < chunks.length; count++) {
    const token = await play([cutAfter(chunks, count, { cut: true }), pieces(whole, 3)], { chat });
    assert.equal(token.text, whole);
    assert.equal(received(token.providers[1]?.requests[0] as ChatRequest), "");
    const unit = await play([cutAfter(chunks, count, { cut: true }), pieces(whole, 3)], { chat, commit: "sentence" });
    assert.deepEqual(
      unit.parts.filter((part) => part.type === "text-delta").map((part) => part.text),
      [whole],
    );
  }
  const other = await play([cutAfter(chunks, 5, { cut: true }), ['{"name":"table"}']], { chat });
  assert.match(other.line, /\[error answer_broken\].*\[end error other\]$/);
});

const chair: SceneEntity = {
  id: "e1",
  kind: "box",
  semanticLabel: "chair",
  pose: IDENTITY_POSE,
  bounds: { min: [0, 0, 0], max: [1, 1, 1] },
  contentHash: "h",
  firstSeenMs: 0,
  lastSeenMs: 0,
  confidence: 1,
  source: "device",
  affordances: [],
};
const context: XRContext = {
  ...NO_CONTEXT,
  sessionId: "session_1",
  scene: { version: 1, entities: [chair], byId: new Map([["e1", chair]]), changes: [] },
};
const turn = { kind: "turn", context, commit: "sentence", latencyClass: "interactive" } as const;

test("[RS8] a turn in a room ends on the last rung, a chat with an error", async () => {
  const broken: Script = ["One sentence. Two sen", { cut: true }];
  const dark: Script = [{ fail: "unreachable" }];
  const room = await play([broken, dark], turn, { embedded: ["The chair is behind you."] });
  assert.equal(
    room.line,
    "[start p0/m1]One sentence. [degraded p0/m1 to embedded/m1][resumed 1 embedded]The chair is behind you.[usage 6][end degraded stop]",
  );
  const chat = await play([broken, dark], { commit: "sentence" });
  assert.equal(chat.line, "[start p0/m1]One sentence. [error answer_broken][end error other]");
});

test("[RS6] an action that was done is not done again", async () => {
  const highlight: ScriptLine = { call: "highlight", args: { target: "e1" } };
  const again: Script = (request) =>
    request.messages.at(-1)?.role === "tool"
      ? ["Here it is."]
      : [{ call: "highlight", args: { target: "chair" } }, "Here it is."];
  const { line } = await play([[highlight, "Look. He", { cut: true }], again], turn);
  assert.equal(line.match(/highlight/g)?.length, 1, line);
  assert.match(line, /\[end resumed stop\]$/);
});

test("[RS9] lists of words, code and lines are joined like any text", async () => {
  const texts = [
    Array.from({ length: 60 }, (_, index) => `word${index + 1}`).join(" "),
    "```ts\nfunction add(a: number, b: number): number {\n  if (a > b) {\n    return a + b;\n  }\n  return b;\n}\n```\n",
    Array.from({ length: 12 }, (_, index) => `${index + 1}. item number ${index + 1}\n`).join(""),
    "これは机です。ランプは赤いです。椅子は後ろにあります。",
  ];
  for (const text of texts) {
    const chunks = pieces(text, 7);
    for (let count = 1; count < Math.min(40, chunks.length); count++) {
      for (const [manner, take] of Object.entries(MANNERS)) {
        if (manner === "repeats its last words" && !text.includes(" ")) continue;
        const played = await play([
          cutAfter(chunks, count, { cut: true }),
          (request) => pieces(take(text, request), 5),
        ]);
        assert.equal(played.text, text, `${manner}, cut after ${count}: ${played.line}`);
      }
    }
  }
  const lines = await play([[...pieces(texts[2] as string, 5).slice(0, 20), { cut: true }], [texts[2] as string]], {
    commit: "sentence",
  });
  assert.equal(lines.text, texts[2]);
});

test("[RS10] the usage of a broken attempt is in the sum", async () => {
  const usage = {
    input: { total: 100, cacheRead: 0, cacheWrite: 0 },
    output: { total: 50 },
    source: "provider",
  } as const;
  const { parts } = await play([["Hello wor", { type: "usage", usage, isFinal: false }, { cut: true }], ["ld."]]);
  const spent = parts.find((part) => part.type === "usage");
  assert.deepEqual([spent?.usage.input.total, spent?.usage.output.total], [110, 51]);
});

test("[RS11] with one cell only the same cell is asked once more", async () => {
  const script: Script = (request, call) => (call === 0 ? ["Hello wor", { cut: true }] : ["ld."]);
  assert.match((await play([script])).line, /Hello wor\[resumed 0 p0\]ld\..*\[end resumed stop\]$/);
  const always = await play([["Hello wor", { cut: true }]]);
  assert.match(always.line, /\[error answer_broken\].*\[end error other\]$/);
  assert.equal(always.providers[0]?.requests.length, 2);
});

test("[RS12] sound that was heard cannot be told to another model", async () => {
  const sound = { type: "audio-delta", bytes: new Uint8Array(2), mime: "audio/pcm" } as const;
  assert.match(
    (await play([[sound, { cut: true }], ["Hello."]])).line,
    /\[error answer_broken\].*\[end error other\]$/,
  );
});

test("[RS13] the gap is the next cell's time to its first content", async () => {
  const { parts, line } = await play([
    ["One. ", 500, "Two. ", { cut: true }],
    [300, "Three."],
  ]);
  const end = parts.at(-1);
  assert.ok(end?.type === "end", line);
  assert.deepEqual(
    end.trace.steps.filter((step) => step.ms > 0),
    [{ name: "first content", ms: 800 }],
  );
});

test("[RS14] nobody is asked for a caller who left", async () => {
  const { line, providers } = await play([["Hello wor", 1_000, { cut: true }], ["ld."]], {}, { abortAtMs: 500 });
  assert.match(line, /\[end cancelled other\]$/);
  assert.equal(providers[1]?.requests.length, 0);
});

test("[CU3] raw: a tool call leaves piece by piece, a broken one ends in an error, a break elsewhere is rescued", async () => {
  const call: ScriptLine[] = [
    { type: "tool-start", index: 0, id: "c1", name: "write" },
    { type: "tool-delta", index: 0, args: '{"text":' },
    { type: "tool-delta", index: 0, args: '"long"}' },
    { type: "tool-end", index: 0, args: '{"text":"long"}' },
  ];
  const kinds = ({ parts }: Played): string =>
    parts
      .flatMap((part) => (part.type === "end" ? [part.outcome] : part.type === "start" ? [] : [part.type]))
      .join(" ");
  assert.equal(
    kinds(await play([call], { commit: "raw" })),
    "tool-start tool-delta tool-delta tool-end usage complete",
  );
  const broken = await play([[...call.slice(0, 2), { cut: true }], call], { commit: "raw" });
  assert.equal(kinds(broken), "tool-start tool-delta error error");
  const held = await play([[...call.slice(0, 2), { cut: true }], call], { commit: "token" });
  assert.match(kinds(held), /^tool-start tool-delta tool-delta tool-end .*complete|resumed/);
  const afterwards = await play([[...call, "And so", { cut: true }], ["And so it is done."]], { commit: "raw" });
  assert.match(
    kinds(afterwards),
    /^tool-start tool-delta tool-delta tool-end text-delta resumed text-delta .*resumed$/,
  );
});
