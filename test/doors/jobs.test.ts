// Rules JB1..JB12 of docs/spec/jobs.md: work that outlives its request, through a whole gateway with the emulator behind it.
// `ask` calls the door and gives status and body; `ended` waits for a job by the door's own waiting.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import test from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startServer } from "../providers/loopback-server.ts";
import { openGateway, type VendorGateway } from "./gateway-with-vendors.ts";

interface JobBody {
  readonly id: string;
  readonly status: string;
  readonly model: string;
  readonly progress: number | null;
  readonly error: { message: string } | null;
  readonly output: readonly {
    file: string;
    url?: string;
    role: string;
    mime: string | null;
    expires_at: number | null;
  }[];
  readonly facts?: Record<string, unknown>;
  readonly result?: unknown;
  readonly cost_usd: number | "unpriced" | null;
}

async function ask(
  house: Pick<VendorGateway, "url">,
  path: string,
  body?: object,
  key?: string,
): Promise<{ status: number; body: JobBody & { error: { message: string; param: string } }; headers: Headers }> {
  const response = await fetch(house.url + path, {
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
  });
  return { status: response.status, body: (await response.json()) as never, headers: response.headers };
}

async function ended(house: VendorGateway, id: string): Promise<JobBody> {
  const { body } = await ask(house, `/v1/jobs/${id}?wait=10`);
  return body;
}

function jobsOf(house: VendorGateway, vendor: string, answer: object): void {
  house.emulators[vendor]?.setScenario({ rules: [{ answer }] });
}

/** Vendor, model, input, what it ends in. */
const MAKERS = [
  [
    "replicate",
    "replicate/firtoz/trellis",
    { images: ["https://x.example/a.png"] },
    "model_file gaussian_ply color_video",
  ],
  ["replicate", "replicate/black-forest-labs/flux-schnell", { prompt: "a cup" }, "image"],
  ["together", "together/kwaivgI/kling-video", { prompt: "a cup" }, "video"],
  ["google", "google/veo-3.1-generate-preview", { prompt: "a cup", aspectRatio: "16:9" }, "video"],
  [
    "worldlabs",
    "worldlabs/marble-1.1",
    { prompt: "a small room" },
    "thumbnail panorama splat:100k splat:150k splat:500k splat:full_res mesh:collider mesh:hq mesh:full_res",
  ],
] as const;

test("[JB1] [JB2] every maker's job runs, ends, and gives its files in one shape", async () => {
  await using house = await openGateway({ replicate: [], together: [], google: [], worldlabs: [] });
  for (const [vendor, model, input, roles] of MAKERS) {
    jobsOf(house, vendor, { jobMs: 60 });
    const started = await ask(house, "/v1/jobs", { model, kind: "other", input });
    assert.equal(started.status, 202, JSON.stringify(started.body));
    assert.equal(started.headers.get("location"), `/v1/jobs/${started.body.id}`);
    assert.equal(started.headers.get("x-fovea-provider"), vendor);
    assert.match(started.body.status, /queued|running/);
    const job = await ended(house, started.body.id);
    assert.equal(job.status, "succeeded", `${model}: ${JSON.stringify(job)}`);
    assert.deepEqual([job.model, job.progress], [model, 1]);
    assert.equal(job.output.map(({ role }) => role).join(" "), roles);
    for (const { file, mime } of job.output) {
      const response = await fetch(house.url + file);
      assert.equal(response.status, 200, `${model} ${file}: ${await response.clone().text()}`);
      assert.ok((await response.arrayBuffer()).byteLength > 0);
      assert.equal(response.headers.get("content-type"), mime);
      assert.match(response.headers.get("content-disposition") ?? "", /^attachment/);
    }
  }
});

test("[JB3] a world comes with its measures, its levels and its price", async () => {
  await using house = await openGateway({ worldlabs: [] });
  const started = await ask(house, "/v1/jobs", { model: "marble-1.1", kind: "splat", input: { prompt: "a room" } });
  const job = await ended(house, started.body.id);
  assert.deepEqual(job.facts, {
    metricScaleFactor: 1.25,
    groundPlaneOffset: -1.6,
    caption: "A small room with a red cup on a table.",
  });
  assert.equal(job.cost_usd, (1600 * 800) / 1e6);
  const splat = job.output.find(({ role }) => role === "splat:100k");
  const bytes = new Uint8Array(await (await fetch(house.url + (splat?.file ?? ""))).arrayBuffer());
  assert.deepEqual([...bytes.subarray(0, 2)], [0x1f, 0x8b], "an SPZ file is gzip");
});

test("[JB4] costs: the vendor's own figure, the operator's price a second, or none", async () => {
  const extras = { replicate: ["price: { perComputeSecond: 0.5 }"] };
  await using house = await openGateway({ replicate: [], together: [], google: [] }, "", extras);
  const cost = async (vendor: string, model: string): Promise<unknown> => {
    jobsOf(house, vendor, { jobMs: 100 });
    const started = await ask(house, "/v1/jobs", { model, input: { prompt: "x" } });
    assert.equal(started.body.cost_usd, null);
    return (await ended(house, started.body.id)).cost_usd;
  };
  assert.equal(await cost("replicate", "replicate/firtoz/trellis"), 0.05);
  assert.equal(await cost("together", "together/kwaivgI/kling-video"), 0.14);
  assert.equal(await cost("google", "google/veo-3.1"), "unpriced");
});

test("[JB5] what failed says why, what is cancelled stops, and who cannot cancel says so", async () => {
  await using house = await openGateway({ replicate: [], worldlabs: [] });
  jobsOf(house, "worldlabs", { jobMs: 10, jobOutcome: "failed" });
  const failing = await ask(house, "/v1/jobs", { model: "worldlabs/marble-1.1", input: { prompt: "x" } });
  const failed = await ended(house, failing.body.id);
  assert.deepEqual([failed.status, failed.error?.message], ["failed", "The prompt was rejected by the content policy"]);
  jobsOf(house, "replicate", { jobMs: 60_000 });
  const long = await ask(house, "/v1/jobs", { model: "replicate/firtoz/trellis", input: { images: [] } });
  const stopped = await ask(house, `/v1/jobs/${long.body.id}/cancel`, {});
  assert.equal(stopped.body.status, "cancelled");
  jobsOf(house, "worldlabs", { jobMs: 60_000 });
  const world = await ask(house, "/v1/jobs", { model: "worldlabs/marble-1.1", input: { prompt: "x" } });
  const refused = await ask(house, `/v1/jobs/${world.body.id}/cancel`, {});
  assert.equal(refused.status, 422);
  assert.match(refused.body.error.message, /no cancelling of jobs/);
});

test("[JB6] bad requests name their field, and start nothing", async () => {
  await using house = await openGateway({ worldlabs: [], openai: ["gpt-5.1"] });
  const refusal = async (body: object): Promise<string> => {
    const answer = await ask(house, "/v1/jobs", body);
    return `${answer.status} ${answer.body.error.param}`;
  };
  assert.equal(await refusal({ model: "worldlabs/marble-1.1" }), "400 input");
  assert.equal(await refusal({ model: "worldlabs/marble-1.1", input: "x" }), "400 input");
  assert.equal(await refusal({ input: {} }), "400 model");
  assert.equal(await refusal({ model: "worldlabs/marble-1.1", kind: "sound", input: {} }), "400 kind");
  assert.equal(await refusal({ model: "openai/gpt-5.1", input: {} }), "422 model");
  assert.match(await refusal({ model: "worldlabs/marble-1.1", input: {} }), /^400/);
  assert.equal(house.emulators["worldlabs"]?.requests.length, 0);
  const named = await ask(house, "/v1/jobs", { model: "marble-1.1", input: { prompt: "x" }, colour: "red" });
  assert.equal(named.headers.get("x-fovea-dropped"), "colour");
  for (const path of ["/v1/jobs/job_nothing", "/v1/jobs/job_nothing/files/0", `/v1/jobs/${named.body.id}/files/99`])
    assert.equal((await ask(house, path)).status, 404);
  assert.equal((await ask(house, `/v1/jobs/${named.body.id}?wait=x`)).status, 400);
});

test("[JB7] a job is its tenant's", async () => {
  const auth = `auth: { keys: [
    { id: a, key: the-key-of-a-0, tenant: a }, { id: b, key: the-key-of-b-0, tenant: b } ] }`;
  await using house = await openGateway({ worldlabs: [] }, auth);
  const body = { model: "worldlabs/marble-1.1", input: { prompt: "x" } };
  const started = await ask(house, "/v1/jobs", body, "the-key-of-a-0");
  const path = `/v1/jobs/${started.body.id}`;
  assert.equal((await ask(house, path, undefined, "the-key-of-a-0")).status, 200);
  for (const [foreign, post] of [
    [path, undefined],
    [`${path}/files/0`, undefined],
    [`${path}/cancel`, {}],
  ] as const)
    assert.equal((await ask(house, foreign, post, "the-key-of-b-0")).status, 404);
  assert.equal((await ask(house, path)).status, 401);
  const listed = async (key: string): Promise<number> =>
    ((await ask(house, "/v1/jobs", undefined, key)).body as unknown as { data: unknown[] }).data.length;
  assert.deepEqual([await listed("the-key-of-a-0"), await listed("the-key-of-b-0")], [1, 0]);
});

const KEY = Buffer.from("0123456789abcdef0123456789abcdef");

function signed(body: string, id: string, atUnixMs = Date.now()): Record<string, string> {
  const timestamp = String(Math.floor(atUnixMs / 1_000));
  const signature = createHmac("sha256", KEY).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}

test("[JB8] a signed callback makes the gateway ask; whatever else comes changes nothing", async () => {
  const extras = { replicate: [`webhookSecret: whsec_${KEY.toString("base64")}`] };
  await using house = await openGateway({ replicate: [] }, "", extras);
  const emulator = house.emulators["replicate"];
  jobsOf(house, "replicate", { jobMs: 200 });
  const started = await ask(house, "/v1/jobs", { model: "replicate/firtoz/trellis", input: { images: [] } });
  const made = emulator?.requests[0];
  const vendorId = (JSON.parse(JSON.stringify(await vendorJob(emulator?.baseUrl ?? ""))) as { id: string }).id;
  assert.ok(made !== undefined);
  const call = async (body: string, headers: Record<string, string>): Promise<string> => {
    const response = await fetch(`${house.url}/v1/webhooks/replicate`, { method: "POST", body, headers });
    return `${response.status} ${await response.text()}`;
  };
  const body = JSON.stringify({ id: vendorId, status: "succeeded", output: "https://evil.example/x.glb" });
  await wait(250);
  const asked = (): number => emulator?.requests.filter(({ path }) => path.endsWith(vendorId)).length ?? 0;
  const before = asked();
  assert.match(await call(body, {}), /^401 .*incomplete/);
  assert.match(await call(body, { ...signed(body, "m1"), "webhook-signature": "v1,AAAA" }), /^401 .*forged/);
  assert.match(await call(body, signed(body, "m1", Date.now() - 400_000)), /^401 .*too-old/);
  assert.equal(asked(), before, "a callback that is not genuine asks nothing");
  assert.equal(await call(body, signed(body, "m1")), '200 {"received":true}');
  assert.equal(asked(), before + 1);
  assert.equal(await call(body, signed(body, "m1")), '200 {"received":true}');
  assert.equal(asked(), before + 1, "a repeated one is answered and asks nothing");
  const { body: job } = await ask(house, `/v1/jobs/${started.body.id}`);
  assert.equal(job.status, "succeeded");
  assert.ok(!JSON.stringify(job.output).includes("evil"), "the body of a callback is not believed");
  const foreign = JSON.stringify({ id: "somebody-elses" });
  assert.equal(await call(foreign, signed(foreign, "m2")), '200 {"received":false}');
  assert.match(await call("nonsense", signed("nonsense", "m3")), /^400 /);
  assert.match(await (await fetch(`${house.url}/v1/webhooks/nobody`, { method: "POST" })).text(), /no provider/);
});

async function vendorJob(baseUrl: string): Promise<unknown> {
  const response = await fetch(`${baseUrl}/predictions`, { headers: { authorization: "Bearer test-key" } });
  return ((await response.json()) as { results: unknown[] }).results[0];
}

test("[JB9] with `webhookUrl` the vendor calls back by itself, signed with a secret that the gateway asked for", async () => {
  let forward = "";
  await using relay = await startServer(async (received, response) => {
    const headers = Object.fromEntries(
      Object.entries(received.headers).filter(([name]) => name.startsWith("webhook-")),
    );
    const answer = await fetch(forward, {
      method: "POST",
      body: received.body,
      headers: headers as Record<string, string>,
    });
    response.writeHead(answer.status).end();
  });
  const extras = { replicate: [`webhookUrl: ${relay.origin}/hook`] };
  await using house = await openGateway({ replicate: [] }, "", extras);
  forward = `${house.url}/v1/webhooks/replicate`;
  house.emulators["replicate"]?.setScenario({ realDates: true, rules: [{ answer: { jobMs: 150 } }] });
  const started = await ask(house, "/v1/jobs", { model: "replicate/firtoz/trellis", input: { images: [] } });
  const job = await ended(house, started.body.id);
  assert.equal(job.status, "succeeded");
  const endMs = Date.now() + 2_000;
  while (relay.requests.length === 0 && Date.now() < endMs) await wait(5);
  assert.equal(relay.requests.length, 1);
  assert.ok(house.emulators["replicate"]?.requests.some(({ path }) => path.endsWith("/webhooks/default/secret")));
});

test("[JB10] a Cog container answers, streams and runs jobs through the same codec", async () => {
  await using house = await openGateway({ custom: ["unused"] });
  const cog = house.emulators["custom"];
  const origin = new URL(cog?.baseUrl ?? "").origin;
  const entry = `  - { id: cog, type: replicate, dialect: cog, baseUrl: "${origin}", models: [my-model] }`;
  await using own = await openGateway({}, entry);
  const chat = async (stream: boolean): Promise<string> => {
    const response = await fetch(`${own.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model: "cog/my-model",
        stream,
        max_tokens: 9,
        messages: [{ role: "user", content: "hi" }],
      }),
    });
    const text = await response.text();
    if (!stream)
      return (JSON.parse(text) as { choices: { message: { content: string } }[] }).choices[0]?.message.content ?? "";
    assert.match(text, /data: \[DONE\]/);
    return [...text.matchAll(/"content":"([^"]*)"/g)].map((match) => match[1]).join("");
  };
  cog?.setScenario({ rules: [{ answer: { text: "The cup is red.", jobMs: 20 } }] });
  assert.equal(await chat(false), "The cup is red.");
  assert.equal(await chat(true), "The cup is red.");
  const sent = cog?.requests.find(({ path }) => path === "/predictions")?.json as { input: Record<string, unknown> };
  assert.deepEqual(sent.input, { prompt: "hi", max_new_tokens: 9 }, "fields go by the names the container has");
  cog?.setScenario({ rules: [{ answer: { text: "done", jobMs: 100 } }] });
  const started = await ask(own, "/v1/jobs", { model: "cog/my-model", input: { prompt: "x" } });
  assert.equal(started.body.status, "running");
  const job = await ended(own, started.body.id);
  assert.deepEqual([job.status, job.result], ["succeeded", ["done"]]);
  cog?.setScenario({ rules: [{ answer: { jobMs: 60_000 } }] });
  const long = await ask(own, "/v1/jobs", { model: "cog/my-model", input: { prompt: "x" } });
  assert.equal((await ask(own, `/v1/jobs/${long.body.id}/cancel`, {})).body.status, "cancelled");
});
