// A thousand records on a histogram with four labels, as one provider call makes them; `npm run bench -- prometheus-meter`.
import { PrometheusMeter } from "../../../packages/gateway/src/telemetry/prometheus-meter.ts";

const RECORDS = 1_000;
let meter = new PrometheusMeter();
let models: string[] = [];

/** `size` models, each a label set of its own. */
export function setup(size: number): void {
  meter = new PrometheusMeter();
  models = Array.from({ length: size }, (_, index) => `model-${index}`);
}

export function run(): number {
  for (let index = 0; index < RECORDS; index++) {
    const labels = {
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": models[index % models.length] ?? "",
    };
    meter.record("gen_ai.client.operation.duration", labels, index / RECORDS);
  }
  return meter.read("gen_ai.client.operation.duration").series.length;
}
