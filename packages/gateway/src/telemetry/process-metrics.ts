import type { PrometheusMeter } from "./prometheus-meter.ts";

/** The numbers of `platform/process-probe.ts`, named here so that telemetry does not depend on the platform. */
export interface ProcessNumbers {
  readonly cpuUserSeconds: number;
  readonly cpuSystemSeconds: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly externalBytes: number;
  readonly loopDelayP50Ms: number;
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  readonly uptimeSeconds: number;
}

/** Fills the process metrics at every scrape. */
export function collectProcessMetrics(meter: PrometheusMeter, read: () => ProcessNumbers): void {
  meter.onCollect(() => {
    const now = read();
    meter.setTotal("process.cpu", { mode: "user" }, now.cpuUserSeconds);
    meter.setTotal("process.cpu", { mode: "system" }, now.cpuSystemSeconds);
    meter.gauge("process.resident_memory", {}, now.residentBytes);
    meter.gauge("nodejs.heap", { part: "used" }, now.heapUsedBytes);
    meter.gauge("nodejs.heap", { part: "total" }, now.heapTotalBytes);
    meter.gauge("nodejs.heap", { part: "external" }, now.externalBytes);
    meter.gauge("process.uptime", {}, now.uptimeSeconds);
    meter.gauge("xr.eventloop.lag", { stat: "p50" }, now.loopDelayP50Ms / 1000);
    meter.gauge("xr.eventloop.lag", { stat: "p99" }, now.loopDelayP99Ms / 1000);
    meter.gauge("xr.eventloop.lag", { stat: "max" }, now.loopDelayMaxMs / 1000);
  });
}
