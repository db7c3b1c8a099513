import { request } from "undici";
import type { OtlpSend } from "../telemetry/otlp-exporter.ts";

const SEND_MS = 5_000;

/** To a collector. Its answer is of no interest but for the status. */
export const sendOtlp: OtlpSend = async (url, body, headers) => {
  const signal = AbortSignal.timeout(SEND_MS);
  const answer = await request(url, { method: "POST", body, headers, signal });
  await answer.body.dump();
  return answer.statusCode;
};
