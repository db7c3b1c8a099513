/** W3C Trace Context, version 00. */
export interface TraceContext {
  readonly traceId: string;
  /** The caller's span, which ours becomes a child of. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/** Undefined where it is absent or not valid: then a trace of our own begins. */
export function parseTraceparent(text: string | undefined): TraceContext | undefined {
  const match = TRACEPARENT.exec(text ?? "");
  if (match === null) return undefined;
  const [whole = "", version = "", traceId = "", spanId = "", flags = ""] = match;
  if (version === "ff" || (version === "00" && whole.length !== 55)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function writeTraceparent({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}

/** The same verdict for a trace in every process that sees it: by its own digits. */
export function isInSample(traceId: string, ratio: number): boolean {
  return Number.parseInt(traceId.slice(-8), 16) / 0x1_0000_0000 < ratio;
}
