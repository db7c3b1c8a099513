// Rules OL1..OL4 of docs/spec/routing.md.
import assert from "node:assert/strict";
import test from "node:test";
import { chatRequest, engineDoubles, LOCAL_PRINCIPAL, ScriptedProvider, SeededRandom } from "@fovea/core/testing";
import { createEngine } from "./gateway-engine.ts";

const WEAK = "tiny-mini";
const STRONG = "large-pro";

function stage(script: (model: string) => string = () => "Fine."): ReturnType<typeof createEngine> {
  const base = engineDoubles({ weak: [`a/${WEAK}`], strong: [`a/${STRONG}`] });
  const provider = new ScriptedProvider({
    id: "a",
    clock: base.clock,
    models: [WEAK, STRONG],
    script: (request) => [script(request.model)],
  });
  base.registry.add(provider);
  return createEngine(base);
}

let requests = 0;
async function ask(
  engine: ReturnType<typeof createEngine>,
  model: string,
  text: string,
  json = false,
): Promise<string> {
  const requestId = `r${++requests}`;
  const messages = [{ role: "user", content: [{ type: "text", text }] }] as const;
  const chat = { messages, ...(json ? { output: { kind: "json" } as const } : {}) };
  for await (const _ of engine.answer(chatRequest(model, text, { requestId, chat }), new AbortController().signal));
  return requestId;
}

const qualityTerm = (engine: ReturnType<typeof createEngine>, model: string): number => {
  const { plan } = engine.router.decide(chatRequest("auto", "hello"));
  const note = plan.cells.find(({ cell }) => cell.model === model)?.terms.find(({ name }) => name === "quality")?.note;
  return Number(/[\d.]+/.exec(note ?? "")?.[0]);
};

test("[OL1] an answer is rated once, and only by its own tenant", async () => {
  const engine = stage();
  const id = await ask(engine, "weak", "hello");
  assert.equal(engine.feedback({ ...LOCAL_PRINCIPAL, tenantId: "another" }, id, 1), false);
  assert.equal(engine.feedback(LOCAL_PRINCIPAL, id, 1), true);
  assert.equal(engine.feedback(LOCAL_PRINCIPAL, id, 0), false);
  assert.equal(engine.feedback(LOCAL_PRINCIPAL, "unknown", 0), false);
});

test("[OL2] ratings, and output that cannot be read, move the quality of a model", async () => {
  const engine = stage((model) => (model === WEAK ? "{broken" : '{"fine": true}'));
  const before = qualityTerm(engine, WEAK);
  for (let call = 0; call < 20; call++) await ask(engine, "weak", "as JSON", true);
  assert.equal(qualityTerm(engine, WEAK), Number((before / 2).toFixed(2)));
  const strong = qualityTerm(engine, STRONG);
  for (let call = 0; call < 20; call++) await ask(engine, "strong", "as JSON", true);
  assert.ok(qualityTerm(engine, STRONG) > strong);
  const id = await ask(engine, "weak", "as JSON", true);
  assert.equal(engine.feedback(LOCAL_PRINCIPAL, id, 1), true, "its form leaves the caller their word");
});

test("[OL3] [OL4] what weak models got wrong is taken to be harder, once there are ratings", async () => {
  const engine = stage();
  const random = new SeededRandom(5);
  const harmless = (): string => `greet ${["anna", "ben", "carl"][Math.floor(random.next() * 3)]} kindly today`;
  const tricky = (): string => `derivative integral theorem ${Math.floor(random.next() * 1_000)} modulo`;
  const complexity = (text: string): number =>
    engine.router.decide(chatRequest("auto", text)).characteristics.complexity;
  const easyBefore = complexity(harmless());
  assert.equal(easyBefore, complexity(harmless()));
  // The first rating wakes the learner; from the next request on prompts are held as hashes.
  engine.feedback(LOCAL_PRINCIPAL, await ask(engine, "weak", harmless()), 1);
  for (let call = 0; call < 1_000; call++) {
    const isTricky = call % 2 === 0;
    const model = call % 4 < 2 ? "weak" : "strong";
    const text = isTricky ? tricky() : harmless();
    const id = await ask(engine, model, text);
    engine.router.decide(chatRequest("auto", text, { requestId: id })).characteristics.complexity satisfies number;
    engine.feedback(LOCAL_PRINCIPAL, id, isTricky && model === "weak" ? 0 : 1);
  }
  const [hard, easy] = [complexity(tricky()), complexity(harmless())];
  assert.ok(hard - easy > 0.1, `${hard} for the tricky ones, ${easy} for the others`);
});
