import type { Usage } from "@fovea/core";
import { arrayOf, countOf, recordOf, stringOf, type JsonRecord } from "../json-body.ts";

/** `message_delta` is cumulative and may correct what `message_start` said; null says nothing. */
export function foldUsage(known: JsonRecord, more: JsonRecord): JsonRecord {
  const said = Object.entries(more).filter(([, value]) => value !== null && value !== undefined);
  return { ...known, ...Object.fromEntries(said) };
}

/** `input_tokens` excludes what was read from or written to the cache: the total is the sum of the three. */
export function usageOf(usage: JsonRecord): Usage {
  const billed = billedIterations(usage);
  const sum = (name: string): number => billed.reduce((total, one) => total + (countOf(one[name]) ?? 0), 0);
  const cacheRead = sum("cache_read_input_tokens");
  const cacheWrite = sum("cache_creation_input_tokens");
  const byTtl = recordOf(usage["cache_creation"]);
  const ttl5m = countOf(byTtl?.["ephemeral_5m_input_tokens"]);
  const ttl1h = countOf(byTtl?.["ephemeral_1h_input_tokens"]);
  const reasoning = countOf(recordOf(usage["output_tokens_details"])?.["thinking_tokens"]);
  const server = recordOf(usage["server_tool_use"]);
  const searches = countOf(server?.["web_search_requests"]) ?? 0;
  return {
    input: {
      total: sum("input_tokens") + cacheRead + cacheWrite,
      cacheRead,
      cacheWrite,
      ...(ttl5m === undefined && ttl1h === undefined
        ? {}
        : {
            cacheWriteByTtl: {
              ...(ttl5m === undefined ? {} : { "5m": ttl5m }),
              ...(ttl1h === undefined ? {} : { "1h": ttl1h }),
            },
          }),
    },
    output: { total: sum("output_tokens"), ...(reasoning === undefined ? {} : { reasoning }) },
    ...(searches > 0 ? { units: { searches } } : {}),
    source: "provider",
  };
}

/**
 * A compacted turn is billed by its iterations, which the top-level figures leave out. After a fallback to another
 * model the top-level figures are the bill.
 */
function billedIterations(usage: JsonRecord): readonly JsonRecord[] {
  const iterations = arrayOf(usage["iterations"])
    .map(recordOf)
    .filter((one) => one !== undefined);
  const typeOf = (one: JsonRecord): string => stringOf(one["type"]) ?? "";
  if (iterations.some((one) => typeOf(one) === "fallback_message")) return [usage];
  const billed = iterations.filter((one) => typeOf(one) === "compaction" || typeOf(one) === "message");
  return billed.length > 0 ? billed : [usage];
}
