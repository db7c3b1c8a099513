// The faults of a provider, one row each: what happens on the wire, and what the client of the chat door has to see. The
// words of an expectation: `whole` (all of the story, said once, ended well), `cut CODE` (a beginning of it, then an error
// in the stream), `refused STATUS CODE` (an error instead of an answer; `A or B`: whichever of two timers is first); then the calls that each provider got, and what
// the faulty cell's health made of it (`charged`, `resting`, `isolated`, `none`).
import type { Misbehaviour, Phase } from "./fault-server.ts";
import { gzipped, STORY } from "./fault-server.ts";

export interface FaultRow {
  readonly kind: string;
  readonly act: Misbehaviour;
  /** By phase: with a healthy second provider, and where both do the same. */
  readonly expect: Readonly<Partial<Record<Phase, readonly [one: string, all: string]>>>;
  /** Where the provider is to be found instead of at the fault server. */
  readonly baseUrl?: (closedPort: number) => string;
}

const NEXT = "whole, calls 1+1, charged";
const FAILED = (code: string): string => `refused ${code}, calls 1+1, charged`;
const RESCUED: readonly [string, string] = [NEXT, "cut answer_broken, calls 1+1, charged"];
/** Silence before the first content: a hedge answers long before the deadline, so that the cell is not charged yet. */
const OVERTAKEN = "whole, calls 1+1, none";

/** Strikes in an open stream: the same rescue at every place. */
function inStream(kind: string, act: Misbehaviour, before: string, code = "answer_broken"): FaultRow {
  const rescued = [NEXT, `cut ${code}, calls 1+1, charged`] as const;
  return { kind, act, expect: { before: [NEXT, before], first: rescued, last: rescued } };
}

/** An answer that is refused with a status. */
function status(line: string, error: object, expect: readonly [string, string], headers = {}): FaultRow {
  return { kind: `status ${line}`, act: (wire) => wire.error(line, error, headers), expect: { before: expect } };
}

const openAndThen =
  (act: Misbehaviour): Misbehaviour =>
  async (wire, phase) => {
    wire.begin(phase);
    // What was said is read before the fault comes, so that every run of the test is the same.
    await new Promise((resolve) => setTimeout(resolve, 20));
    return act(wire, phase);
  };

const FAILED_502 = FAILED("502 provider_failed");
const BROKEN_502 = FAILED("502 answer_broken");
/** The door has begun its stream by then, so that proxies in between do not give up. */
const LATE = "cut provider_timeout or deadline_exceeded, calls 1+1, charged";
const TIMEOUT_504 = FAILED("504 provider_timeout");

const CONNECTION: readonly FaultRow[] = [
  {
    kind: "connection refused",
    act: () => undefined,
    baseUrl: (port) => `http://127.0.0.1:${port}/v1`,
    expect: { before: ["whole, calls 0+1, charged", "refused 502 provider_failed, calls 0+0, charged"] },
  },
  {
    kind: "name that does not resolve",
    act: () => undefined,
    baseUrl: () => "http://no-such-provider.invalid/v1",
    expect: { before: ["whole, calls 0+1, charged", "refused 502 provider_failed, calls 0+0, charged"] },
  },
  { kind: "reset before headers", act: (wire) => wire.reset(), expect: { before: [NEXT, FAILED_502] } },
  { kind: "closed before headers", act: (wire) => wire.end(), expect: { before: [NEXT, FAILED_502] } },
  {
    kind: "bytes of another protocol",
    act: (wire) => {
      wire.raw(Uint8Array.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46));
      wire.end();
    },
    expect: { before: [NEXT, FAILED_502] },
  },
  {
    kind: "broken status line",
    act: (wire) => {
      wire.raw("HTTQ/9.9 what\r\n\r\n");
      wire.end();
    },
    expect: { before: [NEXT, FAILED_502] },
  },
  { kind: "headers never come", act: (wire) => wire.silence(), expect: { before: [OVERTAKEN, LATE] } },
  {
    kind: "half of the headers",
    act: (wire) => {
      wire.raw("HTTP/1.1 200 OK\r\ncontent-ty");
      return wire.silence();
    },
    expect: { before: [OVERTAKEN, LATE] },
  },
  {
    kind: "pings only",
    act: async (wire) => {
      wire.begin("before");
      const timer = setInterval(() => wire.chunk(": ping\n\n"), 5);
      await wire.silence();
      clearInterval(timer);
    },
    expect: { before: [OVERTAKEN, LATE] },
  },
];

const STREAM: readonly FaultRow[] = [
  inStream(
    "reset",
    openAndThen((wire) => wire.reset()),
    BROKEN_502,
  ),
  inStream(
    "end without a terminal",
    openAndThen((wire) => wire.endChunks()),
    BROKEN_502,
  ),
  inStream(
    "connection closed",
    openAndThen((wire) => wire.end()),
    BROKEN_502,
  ),
  {
    kind: "silence",
    act: openAndThen((wire) => wire.silence()),
    expect: { before: [OVERTAKEN, LATE], first: RESCUED, last: RESCUED },
  },
  inStream(
    "error event",
    openAndThen((wire) => {
      wire.event({ error: { message: "The server had an error", type: "server_error", code: null } });
      wire.endChunks();
    }),
    FAILED_502,
    "server_error",
  ),
  inStream(
    "overloaded event",
    openAndThen((wire) => {
      wire.event({ error: { message: "Overloaded", type: "overloaded_error", code: 529 } });
      wire.endChunks();
    }),
    FAILED("503 overloaded"),
    "server_is_overloaded",
  ),
  inStream(
    "broken JSON",
    openAndThen((wire) => {
      wire.chunk('data: {"id":"chatcmpl-1","choices":[{"index":0,"del\n\n');
      return wire.silence();
    }),
    FAILED_502,
    "provider_failed",
  ),
  inStream(
    "not UTF-8",
    openAndThen((wire) => {
      wire.chunk(Uint8Array.of(...Buffer.from('data: {"choices":[{"index":0,"delta":{"content":"'), 0xff, 0xfe, 0xc3));
      wire.chunk('"}}]}\n\n');
      return wire.silence();
    }),
    FAILED_502,
    "provider_failed",
  ),
  inStream(
    "broken chunk size",
    openAndThen((wire) => {
      wire.raw("zz\r\nnonsense\r\n");
      return wire.silence();
    }),
    BROKEN_502,
  ),
  inStream(
    "HTML in the stream",
    openAndThen((wire) => {
      wire.chunk("<html><body>502 Bad Gateway</body></html>\n\n");
      wire.endChunks();
    }),
    BROKEN_502,
  ),
];

const RESTING: readonly [string, string] = [
  "whole, calls 1+1, resting",
  "refused 429 rate_limited, calls 1+1, resting",
];
const NO_LARGER: readonly [string, string] = [
  "refused 413 request_too_large, calls 1+0, none",
  "refused 413 request_too_large, calls 1+0, none",
];

const STATUSES: readonly FaultRow[] = [
  status("400 Bad Request", { message: "bad", type: "invalid_request_error" }, refusal("400 provider_rejected")),
  status("401 Unauthorized", { message: "bad key", code: "invalid_api_key" }, deadKey("502 provider_failed")),
  status("402 Payment Required", { message: "no credit" }, deadKey("502 provider_failed")),
  status("403 Forbidden", { message: "not allowed" }, deadKey("502 provider_failed")),
  status("404 Not Found", { message: "no model", code: "model_not_found" }, deadKey("404 model_unknown")),
  status("408 Request Timeout", { message: "slow" }, [NEXT, TIMEOUT_504]),
  status("413 Payload Too Large", { message: "too large" }, NO_LARGER),
  status("422 Unprocessable Entity", { message: "bad" }, refusal("400 provider_rejected")),
  status("429 Too Many Requests", { message: "slow down" }, RESTING, { "retry-after": "30" }),
  status("429 Too Many Requests (no hint)", { message: "slow down" }, RESTING),
  status("429 quota", { message: "quota", code: "insufficient_quota" }, deadKey("502 provider_failed")),
  status("500 Internal Server Error", { message: "oops" }, [NEXT, FAILED_502]),
  status("502 Bad Gateway", { message: "oops" }, [NEXT, FAILED_502]),
  status("503 Service Unavailable", { message: "oops" }, [NEXT, FAILED("503 overloaded")]),
  status("504 Gateway Timeout", { message: "oops" }, [NEXT, FAILED_502]),
  status("529 Overloaded", { message: "oops" }, [NEXT, FAILED("503 overloaded")]),
  {
    kind: "502 with a page",
    act: (wire) => wire.whole("502 Bad Gateway", "<html>Bad gateway</html>", { "content-type": "text/html" }),
    expect: { before: [NEXT, FAILED_502] },
  },
  status(
    "400 context length",
    { message: "maximum context length is 10 tokens", type: "invalid_request_error", code: "context_length_exceeded" },
    NO_LARGER,
  ),
  status(
    "400 content policy",
    { message: "rejected", type: "invalid_request_error", code: "content_policy_violation" },
    refusal("400 content_filtered"),
  ),
  status(
    "400 expired file",
    { message: "No such File object: file-1", type: "invalid_request_error", param: "file" },
    refusal("400 provider_rejected"),
  ),
];

const BODIES: readonly FaultRow[] = [
  {
    kind: "200 with a page",
    act: (wire) => wire.whole("200 OK", "<html>Sign in</html>", { "content-type": "text/html" }),
    expect: { before: [NEXT, FAILED_502] },
  },
  {
    kind: "200 with plain text",
    act: (wire) => wire.whole("200 OK", "all is well", { "content-type": "text/plain" }),
    expect: { before: [NEXT, BROKEN_502] },
  },
  { kind: "200 without a body", act: (wire) => wire.whole("200 OK", ""), expect: { before: [NEXT, FAILED_502] } },
  {
    kind: "204",
    act: (wire) => {
      wire.head("204 No Content", {});
      wire.end();
    },
    expect: { before: [NEXT, BROKEN_502] },
  },
  {
    kind: "redirect",
    act: (wire) => wire.whole("302 Found", "", { location: "http://127.0.0.1:1/elsewhere" }),
    expect: { before: [NEXT, FAILED_502] },
  },
  {
    kind: "damaged gzip",
    act: (wire, phase) => {
      const zipped = gzipped(eventsUpTo(phase));
      const damaged = zipped.fill(0x5a, zipped.length >> 1);
      wire.whole("200 OK", damaged, { "content-type": "text/event-stream", "content-encoding": "gzip" });
    },
    expect: { before: [NEXT, FAILED_502] },
  },
  {
    kind: "less than the length says",
    act: (wire, phase) => {
      const body = eventsUpTo(phase);
      wire.head("200 OK", { "content-type": "text/event-stream", "content-length": String(body.length + 500) });
      wire.raw(body);
      wire.end();
    },
    expect: { before: [NEXT, BROKEN_502], first: RESCUED, last: RESCUED },
  },
];

const WHOLE_ALONE = "whole, calls 1+0, none";
/** Oddities that are no faults: the answer is whole, and nobody else is asked. */
const HARMLESS: readonly FaultRow[] = [
  harmless("finish without [DONE]", (wire) => {
    wire.begin("last");
    wire.finish();
    wire.endChunks();
  }),
  harmless("no usage", (wire) => {
    wire.begin("last");
    wire.finish();
    wire.chunk("data: [DONE]\n\n");
    wire.endChunks();
  }),
  harmless("terminal twice", (wire) => {
    wire.begin("last");
    wire.finish();
    wire.finish();
    wire.chunk("data: [DONE]\n\n");
    wire.done();
  }),
  harmless("error after the terminal", (wire) => {
    wire.begin("last");
    wire.finish();
    wire.chunk("data: [DONE]\n\n");
    wire.event({ error: { message: "too late", type: "server_error" } });
    wire.endChunks();
  }),
  harmless("silence after the terminal", (wire) => {
    wire.begin("last");
    wire.finish();
    wire.chunk("data: [DONE]\n\n");
    return wire.silence();
  }),
  harmless("reset after the terminal", (wire) => {
    wire.begin("last");
    wire.finish();
    wire.chunk("data: [DONE]\n\n");
    setTimeout(() => wire.reset(), 10);
  }),
  harmless("comments and unknown events", (wire) => {
    wire.begin("before");
    for (const piece of wire.rest.match(/[^]{1,8}/g) ?? []) {
      wire.chunk(': keep-alive\n\nevent: news\ndata: {"kind":"unknown"}\n\n');
      wire.delta(piece);
    }
    wire.finish();
    wire.done();
  }),
  harmless("one byte at a time", (wire) => {
    wire.begin("before");
    for (const byte of Buffer.from(eventsUpTo("last"))) wire.chunk(Uint8Array.of(byte));
    wire.finish();
    wire.done();
  }),
];

function harmless(kind: string, act: Misbehaviour): FaultRow {
  return { kind, act, expect: { last: [WHOLE_ALONE, WHOLE_ALONE] } };
}

export const FAULTS: readonly FaultRow[] = [...CONNECTION, ...STREAM, ...STATUSES, ...BODIES, ...HARMLESS];

function deadKey(code: string): readonly [string, string] {
  return ["whole, calls 1+1, isolated", `refused ${code}, calls 1+1, isolated`];
}

function refusal(code: string): readonly [string, string] {
  return [`refused ${code}, calls 1+0, none`, `refused ${code}, calls 1+0, none`];
}

function eventsUpTo(phase: Phase): string {
  const length = { before: 0, first: 40, last: STORY.length }[phase];
  const pieces = STORY.slice(0, length).match(/[^]{1,8}/g) ?? [];
  return pieces
    .map(
      (content) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`,
    )
    .join("");
}
