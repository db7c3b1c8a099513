// Floor: the least work a gateway can do, without a framework. A hashed key look-up, the body parsed and written anew,
// the usage read from the answer, one counter.
import { hash } from "node:crypto";
import { createServer } from "node:http";
import { Pool } from "undici";

const pool = new Pool(process.argv[2] ?? "", { connections: 128 });
const keys = new Map([[hash("sha256", "bench-key-of-the-load"), "bench"]]);
const tokens = new Map<string, number>();

const server = createServer((request, response) => {
  const owner = keys.get(hash("sha256", (request.headers.authorization ?? "").slice(7)));
  if (owner === undefined) {
    response.writeHead(401).end();
    return;
  }
  const pieces: Buffer[] = [];
  request.on("data", (piece: Buffer) => pieces.push(piece));
  request.on("end", () => {
    const body = JSON.parse(Buffer.concat(pieces).toString()) as { model: string };
    void pool
      .request({
        method: "POST",
        path: "/v1/chat/completions",
        headers: { "content-type": "application/json", authorization: "Bearer bench-upstream" },
        body: JSON.stringify({ ...body, model: "bench-model" }),
      })
      .then(async (answer) => {
        const text = await answer.body.text();
        const parsed = JSON.parse(text) as { usage: { total_tokens: number } };
        tokens.set(owner, (tokens.get(owner) ?? 0) + parsed.usage.total_tokens);
        const out = JSON.stringify(parsed);
        response
          .writeHead(answer.statusCode, {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(out),
          })
          .end(out);
      });
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) console.log(`http://127.0.0.1:${address.port}`);
});
