// Rules PV108, PV109 and JB12 of docs/spec: predictions by the model's own schema, and whose key goes where.
import assert from "node:assert/strict";
import test from "node:test";
import { FakeClock, MemoryLog } from "@fovea/core/testing";
import { createHttpTransport } from "../../packages/gateway/src/providers/http-transport.ts";
import type { OperationAdapter } from "../../packages/gateway/src/providers/operation-adapter.ts";
import { createProviderFactory } from "../../packages/gateway/src/providers/provider-factory.ts";
import { startServer, type Handle, type LoopbackServer } from "./loopback-server.ts";

const MODEL = "someone/a-model";
const VERSION = "b".repeat(64);

async function play(
  handle: Handle,
  use: (adapter: OperationAdapter, server: LoopbackServer) => Promise<void>,
): Promise<void> {
  await using server = await startServer(handle);
  const clock = new FakeClock();
  const http = createHttpTransport(clock);
  const factory = createProviderFactory({ clock, log: new MemoryLog(), http });
  const config = { id: "p", type: "replicate", apiKey: "r8_key", baseUrl: server.origin } as const;
  const adapter = factory.createProvider(config, { id: "p", type: "replicate", displayName: "p", models: [] });
  try {
    await use(adapter as OperationAdapter, server);
  } finally {
    await http.close();
  }
}

function reply(response: Parameters<Handle>[1], value: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

function card(properties: object, more: object = {}): object {
  const openapi_schema = { components: { schemas: { Input: { type: "object", properties }, ...more } } };
  return { owner: "someone", name: "a-model", latest_version: { id: VERSION, openapi_schema } };
}

const DONE = { id: "p1", status: "succeeded", output: ["A red", " cup"] };
const TALK = {
  model: MODEL,
  system: ["Be brief."],
  maxOutputTokens: 9,
  sampling: { topK: 3, seed: 1 },
  messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
} as const;

test("[PV108] a refusal for the inputs' names asks the model for its schema, and the call goes out once more in its words", async () => {
  const handle: Handle = (received, response) => {
    if (received.method === "GET") {
      reply(
        response,
        card({ text: { type: "string" }, max_new_tokens: { type: "integer" }, seed: { type: "integer" } }),
      );
      return;
    }
    const { input } = JSON.parse(received.body) as { input: Record<string, unknown> };
    if (input["text"] !== undefined) return reply(response, DONE, 201);
    reply(response, { title: "Input validation failed", detail: "- input: text is required\n", status: 422 }, 422);
  };
  await play(handle, async (adapter, server) => {
    const answer = await adapter.chat(TALK);
    assert.equal(answer.text, "A red cup");
    const start = answer.parts.find((part) => part.type === "start");
    const dropped = start?.type === "start" ? (start.warnings ?? []).map(({ field }) => field) : [];
    assert.deepEqual(dropped, ["system", "sampling.topK"]);
    const { input } = JSON.parse(server.requests[2]?.body ?? "") as { input: unknown };
    assert.deepEqual(input, { text: "hi", max_new_tokens: 9, seed: 1 });
    await adapter.chat(TALK);
    assert.equal(server.requests.length, 4, "what was learned is kept");
  });
});

test("[PV108] a model that does not run by name runs by its latest version", async () => {
  const handle: Handle = (received, response) => {
    if (received.method === "GET") return reply(response, card({ prompt: { type: "string" } }));
    if (received.url === "/v1/predictions") return reply(response, DONE, 201);
    reply(response, { title: "Not found", detail: "The requested resource could not be found.", status: 404 }, 404);
  };
  await play(handle, async (adapter, server) => {
    const plain = { model: MODEL, messages: TALK.messages };
    assert.equal((await adapter.chat(plain)).text, "A red cup");
    assert.equal((JSON.parse(server.requests[2]?.body ?? "") as { version: string }).version, VERSION);
    await adapter.startJob({ model: MODEL, kind: "other", input: { a: 1 } });
    assert.equal(server.requests[3]?.url, "/v1/predictions");
  });
});

test("[PV108] a refusal that no schema explains stays what it is", async () => {
  const handle: Handle = (received, response) => {
    if (received.method === "GET") return reply(response, card({ prompt: { type: "string" } }));
    reply(response, { title: "Input validation failed", detail: "- input.prompt: too long", status: 422 }, 422);
  };
  await play(handle, async (adapter, server) => {
    await assert.rejects(adapter.chat({ model: MODEL, messages: TALK.messages }), /too long/);
    assert.ok(server.requests.length <= 3);
  });
});

test("[PV109] pictures go in as the model takes them, sizes as pixels or as the nearest shape", async () => {
  const properties = {
    prompt: { type: "string" },
    input_images: { type: "array", items: { type: "string", format: "uri" } },
    aspect_ratio: { allOf: [{ $ref: "#/components/schemas/aspect_ratio" }] },
    output_format: { allOf: [{ $ref: "#/components/schemas/output_format" }] },
  };
  const more = {
    aspect_ratio: { type: "string", enum: ["1:1", "16:9", "9:16", "custom"] },
    output_format: { type: "string", enum: ["webp", "jpg", "png"] },
  };
  const handle: Handle = (received, response) => {
    if (received.method === "GET") return reply(response, card(properties, more));
    reply(response, { ...DONE, output: ["https://replicate.delivery/x/out.webp"] }, 201);
  };
  await play(handle, async (adapter, server) => {
    const picture = { mime: "image/png", data: { url: "https://x.example/a.png" } } as const;
    const made = await adapter.image({
      model: MODEL,
      prompt: "a cup",
      size: "1792x1024",
      format: "jpeg",
      count: 2,
      source: [picture, picture],
    });
    assert.deepEqual(made.warnings, [{ field: "count", message: "this model has no such input" }]);
    const { input } = JSON.parse(server.requests[1]?.body ?? "") as { input: unknown };
    const url = "https://x.example/a.png";
    assert.deepEqual(input, { prompt: "a cup", output_format: "jpg", aspect_ratio: "16:9", input_images: [url, url] });
    const media = { type: "media", kind: "image", mime: "image/png", data: { url } } as const;
    await adapter.chat({ model: MODEL, messages: [{ role: "user", content: [media, media] }] });
    const asked = JSON.parse(server.requests[2]?.body ?? "") as { input: { input_images: unknown } };
    assert.deepEqual(asked.input.input_images, [url, url]);
  });
});

test("[JB12] the key stays with its maker, at every redirect, and foreign addresses must be public", async () => {
  const seen: (string | undefined)[] = [];
  await using foreign = await startServer((received, response) => {
    seen.push(received.headers.authorization);
    response.end("bytes");
  });
  const handle: Handle = (received, response) => {
    seen.push(received.headers.authorization);
    if (received.url === "/moved") response.writeHead(302, { location: "/file" }).end();
    else if (received.url === "/away") response.writeHead(302, { location: `${foreign.origin}/x` }).end();
    else if (received.url === "/gone") response.writeHead(404).end();
    else if (received.url === "/round") response.writeHead(302, { location: "/round" }).end();
    else response.writeHead(200, { "content-type": "model/gltf-binary", "content-length": "4" }).end("glTF");
  };
  await play(handle, async (adapter, server) => {
    const read = async (url: string): Promise<string> => {
      try {
        const file = await adapter.readJobFile(url);
        const pieces: Uint8Array[] = [];
        for await (const piece of file.stream) pieces.push(piece);
        return `${file.mime} ${file.sizeBytes} ${Buffer.concat(pieces).toString()}`;
      } catch (error) {
        return String(error);
      }
    };
    assert.equal(await read(`${server.origin}/moved`), "model/gltf-binary 4 glTF");
    assert.deepEqual(seen.splice(0), ["Bearer r8_key", "Bearer r8_key"]);
    assert.match(await read(`${server.origin}/away`), /unreachable: address not allowed/);
    assert.match(await read("http://169.254.169.254/latest/meta-data"), /unreachable: address not allowed/);
    assert.match(await read(`${foreign.origin}/x`), /unreachable: address not allowed/);
    assert.equal(foreign.requests.length, 0);
    assert.match(await read(`${server.origin}/gone`), /not_found: the file is gone/);
    assert.match(await read(`${server.origin}/round`), /302/);
    assert.match(await read("file:///etc/passwd"), /protocol/);
    assert.equal(await read("data:text/plain;base64,aGk="), "text/plain 2 hi");
  });
});
