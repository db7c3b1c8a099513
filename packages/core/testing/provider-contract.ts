import assert from "node:assert/strict";
import { ProviderError } from "../src/errors/provider-failure.ts";
import type { ChatRequest, ChatResponse, StreamPart } from "../src/model/chat.ts";
import type { IdentifiedAdapter } from "../src/providers/provider-adapter.ts";
import type { ContractCase } from "./contract-case.ts";

/** An adapter with something behind it that answers in words, calls the tool `paint`, waits, and fails, as it is asked to. */
export interface ProviderSubject {
  readonly adapter: IdentifiedAdapter;
  /** Requests that make what stands behind the adapter do each of these. */
  readonly requests: {
    readonly words: ChatRequest;
    readonly toolCall: ChatRequest;
    /** Begins to answer and then never goes on. */
    readonly endless: ChatRequest;
    /** Fails before the first part. */
    readonly failing: ChatRequest;
  };
}

async function read(stream: AsyncIterable<ChatResponse>): Promise<readonly StreamPart[]> {
  const parts: StreamPart[] = [];
  for await (const batch of stream) parts.push(...batch.parts);
  return parts;
}

const textOf = (parts: readonly StreamPart[]): string =>
  parts.map((part) => (part.type === "text-delta" ? part.text : "")).join("");

/** What the engine relies on in every `IdentifiedAdapter`. docs/spec/engine.md */
export const PROVIDER_CONTRACT: readonly ContractCase<ProviderSubject>[] = [
  {
    title: "[EN70] a stream has exactly one terminal part, and it is last",
    run: async ({ adapter, requests }) => {
      for (const request of [requests.words, requests.toolCall]) {
        const parts = await read(adapter.chatStream(request));
        const ends = parts.flatMap((part, index) => (part.type === "finish" || part.type === "error" ? [index] : []));
        assert.deepEqual(ends, [parts.length - 1]);
      }
    },
  },
  {
    title: "[EN71] a tool call is whole, between its start and its end",
    run: async ({ adapter, requests }) => {
      const parts = await read(adapter.chatStream(requests.toolCall));
      const start = parts.findIndex((part) => part.type === "tool-start");
      const end = parts.findIndex((part) => part.type === "tool-end");
      assert.ok(start >= 0 && end > start, "the provider was asked for a tool call");
      const pieces = parts.map((part) => (part.type === "tool-delta" ? part.args : ""));
      const last = parts[end];
      assert.ok(last?.type === "tool-end");
      assert.equal(pieces.join(""), last.args);
      assert.equal(pieces.slice(start, end).join(""), last.args);
      JSON.parse(last.args);
    },
  },
  {
    title: "[EN72] chat gives what the stream gives",
    run: async ({ adapter, requests }) => {
      const whole = await adapter.chat(requests.words);
      const parts = await read(adapter.chatStream(requests.words));
      const finish = parts.at(-1);
      assert.equal(whole.text, textOf(parts));
      assert.equal(whole.finishReason, finish?.type === "finish" ? finish.reason : undefined);
      const calls = await adapter.chat(requests.toolCall);
      assert.deepEqual(
        calls.toolCalls.map((call) => call.name),
        ["paint"],
      );
    },
  },
  {
    title: "[EN73] aborting ends the call",
    run: async ({ adapter, requests }) => {
      const controller = new AbortController();
      const endings: string[] = [];
      try {
        for await (const batch of adapter.chatStream(requests.endless, { signal: controller.signal })) {
          for (const part of batch.parts) if (part.type === "error") endings.push(part.failure.code);
          controller.abort();
        }
      } catch (error) {
        endings.push(ProviderError.is(error) ? error.failure.code : "aborted");
      }
      assert.ok(
        endings.every((ending) => ending === "aborted"),
        endings.join(),
      );
    },
  },
  {
    title: "[EN74] the models are known without a call",
    run: async ({ adapter, requests }) => {
      const ids = adapter.models().map((model) => model.id);
      assert.equal(new Set(ids).size, ids.length);
      assert.ok(ids.includes(requests.words.model), `${requests.words.model} is not among ${ids.join()}`);
    },
  },
  {
    title: "[EN75] a failure before the first part is a ProviderError",
    run: async ({ adapter, requests }) => {
      await assert.rejects(read(adapter.chatStream(requests.failing)), (error) => {
        assert.ok(ProviderError.is(error));
        assert.equal(error.failure.providerId, adapter.id);
        assert.equal(error.failure.partialOutput, false);
        return true;
      });
    },
  },
];
