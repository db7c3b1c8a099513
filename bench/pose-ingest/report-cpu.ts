/** Answers "report" with CPU microseconds since the last report, packets seen, and heap numbers. */
export function reportCpu(packets: () => number): void {
  let before = process.cpuUsage();
  process.on("message", (message) => {
    if (message === "exit") process.exit(0);
    const used = process.cpuUsage(before);
    before = process.cpuUsage();
    const { heapUsed, rss } = process.memoryUsage();
    process.send?.({ cpuMicros: used.user + used.system, packets: packets(), heapUsed, rss });
  });
}
