// Rule DW115 of docs/spec/doors.md: what is wrong with a request is told by every door in its own words, names the field where
// there is one, and reaches no vendor. `refused` sends one body and gives `status field` from the dialect's own error shape.
import assert from "node:assert/strict";
import test from "node:test";
import { openGateway } from "./gateway-with-vendors.ts";

type Json = Record<string, unknown>;
const MODEL = "openai/gpt-5.1";

interface Door {
  readonly path: string;
  /** A valid body with this user content; content of the dialect's own form, or text. */
  readonly body: (content: unknown, role?: string) => Json;
  /** An image part with these bytes. */
  readonly image: (base64: string) => unknown;
  /** The dialect's shape, or an assertion. */
  readonly field: (error: Json) => string;
}

function messageField(message: string): string {
  return /^([\w.[\]-]+): /.exec(message)?.[1] ?? "";
}

const DOORS: Readonly<Record<string, Door>> = {
  chat: {
    path: "/v1/chat/completions",
    body: (content, role = "user") => ({ model: MODEL, messages: [{ role, content }] }),
    image: (base64) => [{ type: "image_url", image_url: { url: `data:image/png;base64,${base64}` } }],
    field: ({ error }) => {
      const { param, type, code } = error as Json;
      assert.ok(typeof type === "string" && code !== undefined);
      return String(param);
    },
  },
  responses: {
    path: "/v1/responses",
    body: (content, role = "user") => ({ model: MODEL, input: [{ role, content }] }),
    image: (base64) => [{ type: "input_image", image_url: `data:image/png;base64,${base64}` }],
    field: ({ error }) => String((error as Json)["param"]),
  },
  messages: {
    path: "/v1/messages",
    body: (content, role = "user") => ({ model: MODEL, max_tokens: 9, messages: [{ role, content }] }),
    image: (data) => [{ type: "image", source: { type: "base64", media_type: "image/png", data } }],
    field: ({ type, error, request_id: id }) => {
      const { type: kind, message } = error as { type: string; message: string };
      assert.equal(type, "error");
      assert.match(kind, /_error$|^request_too_large$/);
      assert.equal(typeof id, "string");
      return messageField(message);
    },
  },
  gemini: {
    path: `/v1beta/models/${MODEL}:generateContent`,
    body: (content, role = "user") => ({
      contents: [{ role, parts: typeof content === "string" ? [{ text: content }] : content }],
    }),
    image: (data) => [{ inlineData: { mimeType: "image/png", data } }],
    field: ({ error }) => {
      const { code, status, message } = error as { code: number; status: string; message: string };
      assert.ok(code >= 400 && /^[A-Z_]+$/.test(status));
      return messageField(message);
    },
  },
  ollama: {
    path: "/api/chat",
    body: (content, role = "user") => ({
      model: MODEL,
      messages: [typeof content === "string" ? { role, content } : { role, content: "x", images: content }],
    }),
    image: (base64) => [base64],
    field: ({ error }) => {
      assert.equal(typeof error, "string");
      return messageField(String(error));
    },
  },
};

const BAD_ROLE: Readonly<Record<string, string>> = {
  chat: "messages[0].role",
  responses: "input[0].role",
  messages: "messages[0].role",
  gemini: "contents[0].role",
  ollama: "messages[0].role",
};

test("[DW115] every door refuses bad input in its own words, names the field, and asks no vendor", async () => {
  await using house = await openGateway({ openai: ["gpt-5.1"] }, "limits: { bodyBytesMax: 100000 }");
  const problems: string[] = [];
  for (const [name, door] of Object.entries(DOORS)) {
    const refused = async (body: string, what: string, expected: RegExp, statuses = [400, 413]): Promise<void> => {
      const response = await fetch(house.url + door.path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      const answer = await response.text();
      const told = `${name}, ${what}: ${response.status} ${answer.slice(0, 200)}`;
      if (!statuses.includes(response.status)) return void problems.push(told);
      if (!expected.test(door.field(JSON.parse(answer) as Json))) problems.push(`${told} (field)`);
      if (response.headers.get("x-should-retry") !== "false") problems.push(`${told} (may be tried again)`);
    };
    const valid = door.body("x");
    await refused("{", "half JSON", /^body$/);
    await refused("[]", "no object", /^body$/);
    await refused('"x"', "a text", /^body$/);
    await refused(JSON.stringify(door.body("x".repeat(200_000))), "oversized", /^body$/, [413]);
    await refused(`{"model":${"[".repeat(20_000)}1${"]".repeat(20_000)}}`, "deep", /./);
    await refused(JSON.stringify({ ...valid, tools: deep(5_000) }), "deep member", /./);
    const planted = JSON.stringify(valid).replace("{", '{"__proto__":{"isAdmin":true},');
    await refused(planted, "prototype", /./);
    await refused(JSON.stringify(valid).replace("{", '{"constructor":{"prototype":{"a":1}},'), "constructor", /./);
    await refused(
      JSON.stringify(door.body("x", "wizard")),
      "unknown role",
      new RegExp(`^${escaped(BAD_ROLE[name] ?? "")}$`),
    );
    await refused(JSON.stringify(door.body(door.image("not base64!"))), "base64", /\[0\]/);
    await refused(JSON.stringify(door.body(door.image(""))), "an empty image", /\[0\]/);
    await refused(JSON.stringify(door.body(5)), "a number for content", /./);
    await refused("{}", "nothing", /./);
  }
  assert.deepEqual(problems, []);
  assert.equal(house.emulators["openai"]?.requests.length, 0);
  assert.equal(({} as Json)["isAdmin"], undefined);
});

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

function escaped(text: string): string {
  return text.replaceAll(/[[\].]/g, "\\$&");
}

test("[DW115] parameters that have no effect are named by every door", async () => {
  await using house = await openGateway({ openai: ["gpt-5.1"] });
  for (const [name, door] of Object.entries(DOORS)) {
    const response = await fetch(house.url + door.path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...door.body("x"), wand: "elder", ...(name === "ollama" ? { stream: false } : {}) }),
    });
    assert.equal(response.status, 200, name);
    assert.match(response.headers.get("x-fovea-dropped") ?? "", /\bwand\b/, name);
    await response.text();
  }
});
