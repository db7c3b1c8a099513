// Rules PV70..PV77 of docs/spec/providers.md: the abilities beyond chat, each vendor's wire against a loopback server.
// `play` answers one call with the given handler and returns what the use of the adapter returned, with the request.
import assert from "node:assert/strict";
import test from "node:test";
import { hasCapability, ProviderError, type ProviderConfig } from "@fovea/core";
import { FakeClock, MemoryLog } from "@fovea/core/testing";
import { createHttpTransport } from "../../packages/gateway/src/providers/http-transport.ts";
import type { OperationAdapter } from "../../packages/gateway/src/providers/operation-adapter.ts";
import { createProviderFactory } from "../../packages/gateway/src/providers/provider-factory.ts";
import { startServer, until, type Handle, type Received } from "./loopback-server.ts";

type Type = Exclude<ProviderConfig["type"], "embedded">;

async function play<T>(
  type: Type,
  handle: Handle,
  use: (adapter: OperationAdapter, requests: Received[]) => Promise<T>,
): Promise<T> {
  await using server = await startServer(handle);
  const clock = new FakeClock();
  const http = createHttpTransport(clock);
  const factory = createProviderFactory({ clock, log: new MemoryLog(), http });
  const config = { id: "p", type, apiKey: "test-key", baseUrl: server.origin };
  const adapter = factory.createProvider(config, { id: "p", type, displayName: "p", models: [] });
  try {
    return await use(adapter as OperationAdapter, server.requests);
  } finally {
    await http.close();
    clock.advance(1_000);
    assert.equal(clock.pendingTasks, 0, "timers left behind");
  }
}

function json(value: unknown, status = 200): Handle {
  return (_received, response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(value));
  };
}

/** A PNG of which only the header is real: what a size reader looks at. */
function pngOf(width: number, height: number): Uint8Array {
  const bytes = Buffer.alloc(33);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
}

test("[PV70] speech arrives as it is made, not when it is finished", async () => {
  let finish = (): void => undefined;
  const handle: Handle = (_received, response) => {
    response.writeHead(200, { "content-type": "audio/pcm" });
    response.write(Buffer.from([1, 2]));
    finish = () => void response.end(Buffer.from([3, 4]));
  };
  await play("openai", handle, async (adapter, requests) => {
    const speech = await adapter.speak({ model: "gpt-4o-mini-tts", text: "Hello", voice: "alloy", format: "pcm" });
    assert.deepEqual([speech.mime, speech.sampleRateHz], ["audio/pcm;rate=24000;channels=1", 24_000]);
    const stream = speech.stream[Symbol.asyncIterator]();
    // The server has not finished: the first bytes must be here all the same.
    assert.deepEqual([...((await stream.next()).value as Uint8Array)], [1, 2]);
    finish();
    assert.deepEqual([...((await stream.next()).value as Uint8Array)], [3, 4]);
    assert.equal((await stream.next()).done, true);
    assert.equal((await speech.usage)?.units?.characters, 5);
    assert.deepEqual(JSON.parse(requests[0]?.body ?? ""), {
      model: "gpt-4o-mini-tts",
      input: "Hello",
      voice: "alloy",
      response_format: "pcm",
    });
  });
});

test("[PV71] speech that stops in the middle of a sample, or never begins, is truncated; leaving closes", async () => {
  const bytes =
    (content: number[]): Handle =>
    (_received, response) => {
      response.writeHead(200, { "content-type": "audio/pcm" });
      response.end(Buffer.from(content));
    };
  for (const content of [[], [1, 2, 3]]) {
    await play("openai", bytes(content), async (adapter) => {
      const speech = await adapter.speak({ model: "m", text: "x", voice: "v", format: "pcm" });
      const read = async (): Promise<void> => {
        for await (const piece of speech.stream) assert.ok(piece.byteLength > 0);
      };
      await assert.rejects(read(), (error: unknown) => ProviderError.is(error) && error.failure.code === "truncated");
    });
  }
  const endless: Handle = (_received, response) => {
    response.writeHead(200, { "content-type": "audio/pcm" });
    response.write(Buffer.from([1, 2]));
  };
  await play("openai", endless, async (adapter, requests) => {
    const speech = await adapter.speak({ model: "m", text: "x", voice: "v", format: "pcm" });
    for await (const piece of speech.stream) {
      assert.equal(piece.byteLength, 2);
      break;
    }
    assert.equal(await requests[0]?.closed, "left");
  });
});

test("[PV70] Together and Gemini send speech in events: the same bytes come out", async () => {
  const events =
    (lines: readonly string[]): Handle =>
    (_received, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(lines.map((line) => `data: ${line}\n\n`).join(""));
    };
  const piece = (data: string, more = {}): string =>
    JSON.stringify({
      candidates: [{ content: { parts: [{ inlineData: { mimeType: "audio/L16;rate=24000", data } }] }, ...more }],
    });
  const table = [
    ["together", ['{"object":"audio.tts.chunk","b64":"AQI="}', '{"b64":"AwQ="}', "[DONE]"]],
    ["google", [piece("AQI="), piece("AwQ=", { finishReason: "STOP" })]],
  ] as const;
  for (const [type, lines] of table) {
    const read = async (shown: readonly string[]): Promise<number[]> =>
      play(type, events(shown), async (adapter) => {
        const speech = await adapter.speak({ model: "gemini-2.5-flash-tts", text: "Hi", voice: "v", format: "pcm" });
        const all: number[] = [];
        for await (const bytes of speech.stream) all.push(...bytes);
        return all;
      });
    assert.deepEqual(await read(lines), [1, 2, 3, 4], type);
    await assert.rejects(read(lines.slice(0, 1)), /truncated/, type);
  }
});

test("[PV72] transcription: a form with a named file; words and segments in milliseconds", async () => {
  const answer = {
    text: "Place the cup.",
    language: "english",
    duration: 1.5,
    words: [{ word: "Place", start: 0.1, end: 0.4 }],
    segments: [{ id: 0, start: 0, end: 1.5, text: "Place the cup." }],
  };
  await play("openai", json(answer), async (adapter, requests) => {
    const audio = { bytes: Buffer.from("abc"), mime: "audio/ogg;codecs=opus" };
    const heard = await adapter.transcribe({ model: "whisper-1", audio, wantWords: true, language: "en" });
    assert.deepEqual(heard, {
      text: "Place the cup.",
      language: "english",
      durationMs: 1_500,
      words: [{ text: "Place", startMs: 100, endMs: 400 }],
      segments: [{ text: "Place the cup.", startMs: 0, endMs: 1_500 }],
      usage: {
        input: { total: 0, cacheRead: 0, cacheWrite: 0 },
        output: { total: 0 },
        seconds: { audioIn: 1.5 },
        source: "estimated",
      },
      warnings: [],
    });
    const body = requests[0]?.body ?? "";
    assert.match(requests[0]?.headers["content-type"] ?? "", /^multipart\/form-data; boundary=/);
    assert.match(body, /name="file"; filename="audio\.ogg"\r\ncontent-type: audio\/ogg;codecs=opus\r\n\r\nabc\r\n/);
    assert.match(body, /name="timestamp_granularities\[\]"\r\n\r\nword/);
  });
});

test("[PV72] a form's boundary occurs in none of its values", async () => {
  await play("openai", json({ text: "x" }), async (adapter, requests) => {
    const bytes = Buffer.from("--fovea-form-0--\r\nfovea-form-1");
    await adapter.transcribe({ model: "m", audio: { bytes, mime: "audio/wav" } });
    assert.match(requests[0]?.headers["content-type"] ?? "", /boundary=fovea-form-2$/);
  });
});

test("[PV73] images: generated, or edited from a source; bytes and revised prompt", async () => {
  const answer = {
    data: [{ b64_json: "AQID", revised_prompt: "a red cup" }],
    output_format: "webp",
    usage: { input_tokens: 10, output_tokens: 1_000 },
  };
  await play("openai", json(answer), async (adapter, requests) => {
    const made = await adapter.image({ model: "gpt-image-2.5-flare", prompt: "cup", size: "1024x1024" });
    assert.equal(made.images[0]?.mime, "image/webp");
    assert.equal(made.images[0]?.revisedPrompt, "a red cup");
    assert.deepEqual(made.usage?.units, { images: 1 });
    await adapter.image({
      model: "gpt-image-2.5-flare",
      prompt: "cup",
      source: [{ mime: "image/png", data: { bytes: Uint8Array.of(9) } }],
    });
    assert.deepEqual(
      requests.map((request) => request.url),
      ["/images/generations", "/images/edits"],
    );
  });
});

test("[PV74] rerank: one form, two vendors; a result that names no document is refused", async () => {
  for (const [type, url] of [
    ["cohere", "/v2/rerank"],
    ["together", "/rerank"],
  ] as const) {
    const answer = { results: [{ index: 1, relevance_score: 0.9 }], meta: { billed_units: { search_units: 1 } } };
    await play(type, json(answer), async (adapter, requests) => {
      const ranked = await adapter.rerank({ model: "r", query: "q", documents: ["a", "b"], topN: 1 });
      assert.deepEqual(ranked.results, [{ index: 1, score: 0.9 }]);
      assert.equal(requests[0]?.url, url);
      assert.deepEqual(JSON.parse(requests[0]?.body ?? ""), {
        model: "r",
        query: "q",
        documents: ["a", "b"],
        top_n: 1,
      });
      await assert.rejects(adapter.rerank({ model: "r", query: "q", documents: ["a"] }), /names no document/);
    });
  }
});

test("[PV75] detection in pixels becomes shares of the picture, clamped to it", async () => {
  const answer = [
    { label: "cup", score: 0.9, box: { xmin: 50, ymin: 20, xmax: 150, ymax: 120 } },
    { label: "table", score: 0.8, box: { xmin: -4, ymin: 90, xmax: 230, ymax: 100 } },
  ];
  await play("huggingface", json(answer), async (adapter, requests) => {
    const image = { mime: "image/png", bytes: pngOf(200, 100) };
    const { objects } = await adapter.detect({ model: "facebook/detr-resnet-50", image });
    assert.deepEqual(objects, [
      { label: "cup", score: 0.9, box: { x0: 0.25, y0: 0.2, x1: 0.75, y1: 1 } },
      { label: "table", score: 0.8, box: { x0: 0, y0: 0.9, x1: 1, y1: 1 } },
    ]);
    assert.equal(requests[0]?.url, "/hf-inference/models/facebook/detr-resnet-50");
    assert.equal(requests[0]?.headers["content-type"], "image/png");
    await assert.rejects(
      adapter.detect({ model: "m", image: { mime: "image/png", bytes: Uint8Array.of(1) } }),
      /not a PNG/,
    );
  });
});

test("[PV76] detection by a chat model: a schema out, boxes of a thousand back", async () => {
  const text = JSON.stringify({
    objects: [
      { label: "cup", confidence: 0.7, box_2d: [100, 200, 300, 400] },
      { label: "cat", confidence: 1, box_2d: [0, 0, 1, 1] },
    ],
  });
  const answer = {
    candidates: [{ content: { parts: [{ text }] }, finishReason: "STOP" }],
    usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 4 },
  };
  await play("google", json(answer), async (adapter, requests) => {
    const request = { model: "gemini-2.5-flash", image: { mime: "image/png", bytes: pngOf(4, 4) }, labels: ["cup"] };
    const { objects, usage } = await adapter.detect(request);
    assert.deepEqual(objects, [{ label: "cup", score: 0.7, box: { x0: 0.2, y0: 0.1, x1: 0.4, y1: 0.3 } }]);
    assert.equal(usage?.output.total, 4);
    assert.match(requests[0]?.body ?? "", /"responseMimeType":"application\/json"/);
  });
});

test("[PV77] an ability is offered exactly where the adapter lists it; the others are refused by name", async () => {
  await play("anthropic", json({}), async (adapter) => {
    for (const name of ["speak", "transcribe", "image", "rerank", "vision", "job"] as const) {
      assert.equal(hasCapability(adapter, name), false, name);
    }
    await assert.rejects(adapter.embeddings({ model: "m", input: ["a"] }), { code: "request_unsupported" });
  });
  await play("cohere", json({}), async (adapter) => {
    assert.equal(hasCapability(adapter, "rerank"), true);
    assert.equal(hasCapability(adapter, "speak"), false);
    await assert.rejects(adapter.speak({ model: "m", text: "x", voice: "v", format: "mp3" }), {
      code: "request_unsupported",
    });
  });
});

test("[PV70] speech that is refused is a failure of the call, not of the stream", async () => {
  await play("openai", json({ error: { message: "no", code: "rate_limit_exceeded" } }, 429), async (adapter) => {
    await assert.rejects(
      adapter.speak({ model: "m", text: "x", voice: "v", format: "mp3" }),
      (error: unknown) => ProviderError.is(error) && error.failure.code === "rate_limited",
    );
  });
  await until(() => true, "settled");
});
