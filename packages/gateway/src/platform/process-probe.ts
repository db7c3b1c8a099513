import { monitorEventLoopDelay } from "node:perf_hooks";

/** What the process costs and how late its event loop runs. Delays are milliseconds since the last read. */
export interface ProcessReading {
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

const RESOLUTION_MS = 20;

/** Reads the process. The event-loop monitor samples every 20 ms; `close` stops it. */
export class ProcessProbe {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#delay.enable();
  }

  read(): ProcessReading {
    const cpu = process.cpuUsage();
    const memory = process.memoryUsage();
    const delayMs = (nanoseconds: number): number =>
      // The monitor counts its own sampling period; an empty histogram reads as NaN.
      Number.isFinite(nanoseconds) && nanoseconds > 0 ? Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS) : 0;
    const isEmpty = this.#delay.count === 0;
    const reading: ProcessReading = {
      cpuUserSeconds: cpu.user / 1e6,
      cpuSystemSeconds: cpu.system / 1e6,
      residentBytes: memory.rss,
      heapUsedBytes: memory.heapUsed,
      heapTotalBytes: memory.heapTotal,
      externalBytes: memory.external,
      loopDelayP50Ms: isEmpty ? 0 : delayMs(this.#delay.percentile(50)),
      loopDelayP99Ms: isEmpty ? 0 : delayMs(this.#delay.percentile(99)),
      loopDelayMaxMs: isEmpty ? 0 : delayMs(this.#delay.max),
      uptimeSeconds: process.uptime(),
    };
    this.#delay.reset();
    return reading;
  }

  close(): void {
    this.#delay.disable();
  }
}
