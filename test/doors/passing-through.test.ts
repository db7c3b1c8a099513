// Rules DW67, DW68 of docs/spec/doors.md: what a client of Anthropic says of caching and thinking reaches Anthropic as it
// was said, through the canonical form. `sent` is the body that arrived at the vendor.
import assert from "node:assert/strict";
import test from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { openGateway, type VendorGateway } from "./gateway-with-vendors.ts";

type Json = Record<string, unknown>;
const MODEL = "anthropic/claude-sonnet-4-6";
const MARK = { type: "ephemeral" as const };

async function sent(house: VendorGateway, body: Partial<Anthropic.MessageCreateParamsNonStreaming>): Promise<Json> {
  const sdk = new Anthropic({ apiKey: "k", baseURL: house.url, maxRetries: 0 });
  const messages = [{ role: "user" as const, content: "hi" }];
  await sdk.messages.create({ model: MODEL, max_tokens: 2_000, messages, ...body });
  return (house.emulators["anthropic"]?.requests.at(-1)?.json ?? {}) as Json;
}

test("[DW67] cache marks on tools, system text and messages arrive where they were", async () => {
  await using house = await openGateway({ anthropic: ["claude-sonnet-4-6"], openai: ["gpt-5.1"] });
  const schema = { type: "object" as const };
  const body: Partial<Anthropic.MessageCreateParamsNonStreaming> = {
    system: [
      { type: "text", text: "Be brief." },
      { type: "text", text: "A long manual.", cache_control: MARK },
    ],
    tools: [
      { name: "look", input_schema: schema },
      { name: "move", input_schema: schema, cache_control: MARK },
    ],
    messages: [
      { role: "user", content: [{ type: "text", text: "first", cache_control: MARK }] },
      { role: "assistant", content: "answer" },
      { role: "user", content: [{ type: "text", text: "second", cache_control: MARK }] },
    ],
  };
  const arrived = await sent(house, body);
  const marks = (list: unknown): unknown[] => (list as Json[]).map((block) => block["cache_control"]);
  assert.deepEqual(marks(arrived["system"]), [undefined, MARK]);
  assert.deepEqual(marks(arrived["tools"]), [undefined, MARK]);
  const turns = arrived["messages"] as { content: Json[] }[];
  assert.deepEqual(
    turns.map(({ content }) => marks(content)),
    [[MARK], [undefined], [MARK]],
  );
  const hour = { ...MARK, ttl: "1h" as const };
  const long = await sent(house, {
    messages: [{ role: "user", content: [{ type: "text", text: "x", cache_control: hour }] }],
  });
  assert.deepEqual(marks((long["messages"] as { content: Json[] }[])[0]?.content), [hour]);
  const plain = await sent(house, {});
  assert.ok(!JSON.stringify(plain).includes("cache_control"));
  const other = await fetch(`${house.url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...body, model: "openai/gpt-5.1", max_tokens: 9 }),
  });
  assert.match(other.headers.get("x-fovea-dropped") ?? "", /cacheHints/, "a vendor that takes no marks is named");
});

test("[DW68] open thinking stays open, and a history from before Fovea keeps its signatures", async () => {
  await using house = await openGateway({ anthropic: ["claude-sonnet-4-6"] });
  const adaptive = await sent(house, { thinking: { type: "adaptive" } });
  assert.deepEqual(adaptive["thinking"], { type: "adaptive" });
  const history: Anthropic.MessageParam[] = [
    { role: "user", content: "look" },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "a cup", signature: "EqQBCgIYAhIM" },
        { type: "redacted_thinking", data: "EmwKAhgBEgy3va3p" },
        { type: "tool_use", id: "toolu_1", name: "look", input: {} },
      ],
    },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "red" }] },
  ];
  const arrived = await sent(house, { messages: history, thinking: { type: "enabled", budget_tokens: 1_024 } });
  const turn = (arrived["messages"] as { content: Json[] }[])[1]?.content;
  assert.deepEqual(turn?.slice(0, 2), [
    { type: "thinking", thinking: "a cup", signature: "EqQBCgIYAhIM" },
    { type: "redacted_thinking", data: "EmwKAhgBEgy3va3p" },
  ]);
});
