// A node:test reporter: prints failures in full and one dot line a file, and writes the counts where FOVEA_TALLY says.
import { writeFileSync } from "node:fs";
import type { TestEvent } from "node:test/reporters";

export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  slowest: [title: string, ms: number][];
  skips: string[];
}

// oxlint-disable-next-line import/no-default-export -- node:test loads a reporter by its default export.
export default async function* tally(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const result: Tally = { passed: 0, failed: 0, skipped: 0, slowest: [], skips: [] };
  for await (const event of source) {
    if (event.type === "test:stdout") yield event.data.message;
    if (event.type === "test:stderr") yield event.data.message;
    if (event.type === "test:diagnostic" && /seed|randomized/i.test(event.data.message))
      yield `${event.data.message}\n`;
    if (event.type !== "test:pass" && event.type !== "test:fail") continue;
    const { data } = event;
    if (data.details.type === "suite") continue;
    const title = `${data.name} (${shorten(data.file)})`;
    if (data.skip !== undefined && data.skip !== false) {
      result.skipped++;
      result.skips.push(`${title}${typeof data.skip === "string" && data.skip !== "" ? `: ${data.skip}` : ""}`);
    } else if (event.type === "test:pass") {
      result.passed++;
      result.slowest.push([title, data.details.duration_ms]);
    } else {
      result.failed++;
      const error = event.data.details.error;
      const cause: unknown = (error as { cause?: unknown }).cause ?? error;
      yield `\nFAILED ${title}\n${cause instanceof Error ? (cause.stack ?? cause.message) : JSON.stringify(cause)}\n`;
    }
  }
  result.slowest = result.slowest.sort((a, b) => b[1] - a[1]).slice(0, 10);
  const out = process.env["FOVEA_TALLY"];
  if (out !== undefined) writeFileSync(out, JSON.stringify(result));
  else yield `${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped\n`;
}

function shorten(file: string | undefined): string {
  return (file ?? "").replace(`${process.cwd()}/`, "");
}
