// Rule PV123 of docs/spec/providers.md: the stream of a prediction under every fault of the emulator, at Replicate and in a
// Cog container. `outcome` says how one streamed answer ended, in one line.
import assert from "node:assert/strict";
import test from "node:test";
import { ProviderError, type ProviderConfig } from "@fovea/core";
import type { ProviderName } from "../../packages/gateway/emulator/index.ts";
import { onEmulator } from "./adapter-on-emulator.ts";

const TEXT = "The red cup stands on the table.";
const TIMEOUTS = { connectMs: 1_000, headersMs: 1_000, firstContentMs: 1_200, idleMs: 700, totalMs: 2_500 };

const EXPECTED: Readonly<Record<string, RegExp>> = {
  crlf: /^whole$/,
  comments: /^whole$/,
  dribble: /^whole$/,
  coalesce: /^whole$/,
  "unknown-events": /^whole$/,
  hang: /^thrown timeout_headers$/,
  reset: /^thrown unreachable$/,
  "status@500": /^thrown server_error$/,
  "rate-limit@2": /^thrown rate_limited/,
  "html-200": /^thrown protocol$/,
  "html@502": /^thrown server_error$/,
  "cut@2": /^truncated after output$/,
  "eof@2": /^truncated after output$/,
  "stall@2": /^stalled after output$/,
  "error@2": /^provider_stream_error after output$/,
  endless: /^timeout_total after output$/,
};

interface Place {
  readonly vendor: ProviderName;
  readonly config: (baseUrl: string) => Partial<ProviderConfig>;
  readonly path: string;
  readonly model: string;
}

const PLACES: Readonly<Record<string, Place>> = {
  Replicate: { vendor: "replicate", config: () => ({}), path: "/stream/*", model: "meta/meta-llama-3-8b-instruct" },
  Cog: {
    vendor: "custom",
    config: (baseUrl) => ({ type: "replicate", dialect: "cog", baseUrl: new URL(baseUrl).origin }),
    path: "/predictions",
    model: "model",
  },
};

async function outcome(place: Place, fault: string): Promise<string> {
  const rules = [{ when: { path: place.path }, fault, answer: { text: TEXT } }, { answer: { text: TEXT } }];
  return onEmulator(
    place.vendor,
    { rules },
    async ({ adapter }) => {
      const messages = [{ role: "user", content: [{ type: "text", text: "x" }] }] as const;
      let text = "";
      let said = "nothing";
      try {
        for await (const batch of adapter.chatStream({ model: place.model, messages }, { timeouts: TIMEOUTS })) {
          text += batch.text;
          const last = batch.parts.at(-1);
          if (last?.type === "finish") said = text === TEXT ? "whole" : `another text: ${text}`;
          if (last?.type === "error") said = `${last.failure.code}${last.failure.partialOutput ? " after output" : ""}`;
        }
      } catch (error) {
        if (!ProviderError.is(error)) throw error;
        said = `thrown ${error.failure.code}`;
      }
      return said;
    },
    place.config,
  );
}

let unhandled = 0;
process.on("unhandledRejection", () => unhandled++);

for (const [name, place] of Object.entries(PLACES)) {
  test(`[PV123] ${name}: every fault of a prediction's stream ends as it must`, async () => {
    const wrong: string[] = [];
    for (const [fault, expected] of Object.entries(EXPECTED)) {
      const said = await outcome(place, fault);
      if (!expected.test(said)) wrong.push(`${fault}: ${said}`);
    }
    assert.deepEqual(wrong, []);
    assert.equal(unhandled, 0);
  });
}
