// Rule KB1 of docs/spec/client.md.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const GZIP_BYTES_MAX = 36_000;

test(
  "[KB1] the SDK adds at most 36 kB (gzip) to a page, and neither three nor the emulator",
  { timeout: 60_000 },
  async () => {
    const result = await build({
      configFile: false,
      logLevel: "silent",
      resolve: { conditions: ["@fovea/source"] },
      build: {
        write: false,
        minify: true,
        rolldownOptions: { input: "packages/client/src/index.ts", preserveEntrySignatures: "strict" },
      },
    });
    const outputs = (Array.isArray(result) ? result : [result]).flatMap((one) => ("output" in one ? one.output : []));
    // What is loaded on demand (the camera) is no part of what every page pays for.
    const chunks = outputs.filter((one) => one.type === "chunk");
    const loaded = new Set(chunks.filter((one) => one.isEntry).flatMap((one) => [one.fileName, ...one.imports]));
    const code = chunks.map((one) => (loaded.has(one.fileName) ? one.code : "")).join("\n");
    const bytes = gzipSync(code).length;
    console.log(`client bundle: ${code.length} bytes, ${bytes} gzip`);
    assert.ok(code.includes("hello"), "the bundle is empty");
    assert.ok(bytes <= GZIP_BYTES_MAX, `${bytes} bytes; raise the limit only with a reason`);
    assert.doesNotMatch(code, /BufferGeometry|XRDevice/);
  },
);
