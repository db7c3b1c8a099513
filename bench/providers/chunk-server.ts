// The other side of the measurement, in a process of its own: streams of chat chunks, paced or at once, and one whole
// answer. Prints its port.
import { createServer } from "node:http";

const WORDS = ["The", " red", " cup", " stands", " on", " the", " table", " near", " the", " window"];

function chunk(content: string): string {
  const choices = [{ index: 0, delta: { content }, logprobs: null, finish_reason: null }];
  const head = {
    id: "chatcmpl-BENCH0123456789",
    object: "chat.completion.chunk",
    created: 1_770_933_892,
    model: "gpt-4.1-nano",
  };
  return `data: ${JSON.stringify({ ...head, service_tier: "default", system_fingerprint: "fp_de604bd877", choices, usage: null })}\n\n`;
}

const CHUNKS = WORDS.map(chunk);
const END =
  `data: {"id":"chatcmpl-BENCH0123456789","model":"gpt-4.1-nano","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n` +
  `data: {"id":"chatcmpl-BENCH0123456789","model":"gpt-4.1-nano","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":200}}\n\n` +
  `data: [DONE]\n\n`;
const WHOLE = JSON.stringify({
  id: "chatcmpl-BENCH0123456789",
  object: "chat.completion",
  model: "gpt-4.1-nano",
  choices: [{ index: 0, message: { role: "assistant", content: WORDS.join("").repeat(20) }, finish_reason: "stop" }],
  usage: { prompt_tokens: 9, completion_tokens: 200 },
});

/** `?chunks=200&everyMs=10`; 0 ms sends everything at once. */
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (piece: Buffer) => (body += piece.toString()));
  request.on("end", () => {
    const asked = JSON.parse(body === "" ? "{}" : body) as { stream?: boolean; model?: string };
    if (asked.stream !== true) {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(WHOLE);
      return;
    }
    const [count = 200, everyMs = 10] = (asked.model ?? "").split("-").map(Number);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.socket?.setNoDelay(true);
    let sent = 0;
    const next = (): void => {
      response.write(CHUNKS[sent % CHUNKS.length]);
      if (++sent < count) return;
      clearInterval(timer);
      response.end(END);
    };
    const timer = everyMs > 0 ? setInterval(next, everyMs) : undefined;
    if (everyMs === 0) while (sent < count) next();
  });
});

server.keepAliveTimeout = 120_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`${typeof address === "object" && address !== null ? address.port : 0}\n`);
});
process.on("disconnect", () => process.exit(0));
