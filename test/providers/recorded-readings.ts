// Recorded streams served once more over HTTP, and what our adapters read in them: the half that every differential test has.
import { ProviderError, type ChatResponse, type ProviderConfig, type Usage } from "@fovea/core";
import { FakeClock, MemoryLog } from "@fovea/core/testing";
import { createHttpTransport } from "../../packages/gateway/src/providers/http-transport.ts";
import { createProviderFactory } from "../../packages/gateway/src/providers/provider-factory.ts";
import { startServer, type LoopbackServer } from "./loopback-server.ts";
import { loadChunkRecordings, loadHttpRecordings, type Recording } from "./recordings.ts";

export interface Reading {
  readonly text: string;
  readonly calls: readonly string[];
  readonly finish: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export const FIELDS: readonly (keyof Reading)[] = ["text", "calls", "finish", "inputTokens", "outputTokens"];

/** A difference on purpose: in which recordings, in what, and why. */
export interface Difference {
  readonly where: RegExp;
  readonly fields: readonly (keyof Reading)[];
  readonly why: string;
}

export const RECORDINGS: readonly Recording[] = [...loadHttpRecordings(), ...loadChunkRecordings()].filter(
  (recording) =>
    recording.isStream &&
    recording.status === 200 &&
    !/^\s*[[{]/.test(Buffer.from(recording.bytes.subarray(0, 8)).toString()),
);

/** Answers with the recording whose number the model's name gives, as `rec-12`. */
export function serveRecordings(): Promise<LoopbackServer> {
  return startServer((received, response) => {
    const index = Number(/rec-(\d+)/.exec(received.url + received.body)?.[1] ?? "-1");
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(RECORDINGS[index]?.bytes);
  });
}

export async function ours(
  server: LoopbackServer,
  type: ProviderConfig["type"],
  index: number,
  dialect?: string,
): Promise<Reading> {
  const clock = new FakeClock();
  const http = createHttpTransport(clock);
  const factory = createProviderFactory({ clock, log: new MemoryLog(), http });
  const config = { id: "p", type, apiKey: "k", baseUrl: server.origin, ...(dialect === undefined ? {} : { dialect }) };
  const adapter = factory.createProvider(config, { id: "p", type, displayName: "p", models: [] });
  const request = {
    model: `rec-${index}`,
    messages: [{ role: "user", content: [{ type: "text", text: "x" }] }],
  } as const;
  let text = "";
  let finish = "nothing";
  let usage: Usage | undefined;
  const calls = new Map<number, string>();
  try {
    for await (const batch of adapter.chatStream(request) as AsyncIterable<ChatResponse>) {
      text += batch.text;
      for (const part of batch.parts) {
        if (part.type === "tool-start") calls.set(part.index, part.name);
        if (part.type === "tool-end") calls.set(part.index, `${calls.get(part.index)} ${canonical(part.args)}`);
        if (part.type === "usage" && part.usage.source === "provider") usage = part.usage;
        if (part.type === "finish") finish = part.reason === "tool_calls" ? "tool_calls" : part.raw;
        if (part.type === "error") finish = `error ${part.failure.code}`;
      }
    }
  } catch (error) {
    finish = ProviderError.is(error) ? `thrown ${error.failure.code}` : String(error);
  }
  await http.close();
  return {
    text,
    calls: [...calls.values()],
    finish,
    inputTokens: usage?.input.total ?? 0,
    outputTokens: usage?.output.total ?? 0,
  };
}

export function canonical(args: string): string {
  try {
    return JSON.stringify(JSON.parse(args === "" ? "{}" : args));
  } catch {
    return args;
  }
}
