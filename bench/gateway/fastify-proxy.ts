// Floor: what anybody would write first. Fastify parses the body, undici sends it on, the answer goes back as it came.
import Fastify from "fastify";
import { Pool } from "undici";

const pool = new Pool(process.argv[2] ?? "", { connections: 128 });
const app = Fastify({ logger: false });
app.post("/v1/chat/completions", async (request, reply) => {
  const answer = await pool.request({
    method: "POST",
    path: "/v1/chat/completions",
    headers: { "content-type": "application/json", authorization: "Bearer bench-upstream" },
    body: JSON.stringify(request.body),
  });
  reply.code(answer.statusCode).header("content-type", "application/json");
  return reply.send(answer.body);
});
console.log(await app.listen({ port: 0, host: "127.0.0.1" }));
