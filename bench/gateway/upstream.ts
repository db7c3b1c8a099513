// A model server that costs as little as can be: a fixed chat completion of 0.96 KB, for every request. Prints its port.
import { createServer } from "node:http";

const ANSWER = JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion",
  created: 1_750_000_000,
  model: "bench-model",
  choices: [
    {
      index: 0,
      message: {
        role: "assistant",
        content: "The red chair stands two metres to your left, beside the window. ".repeat(9),
      },
      finish_reason: "stop",
    },
  ],
  usage: { prompt_tokens: 112, completion_tokens: 126, total_tokens: 238 },
});
const HEADERS = { "content-type": "application/json", "content-length": Buffer.byteLength(ANSWER) };

const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => response.writeHead(200, HEADERS).end(ANSWER));
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) console.log(`http://127.0.0.1:${address.port}`);
});
