// Rule VCA7 of docs/spec/vision.md: the page's camera in a real browser (Chromium's fake device), to a
// vendor's wire.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { Fovea as FoveaType } from "@fovea/client";
import { chromium } from "playwright-core";
import { build } from "vite";
import { imageSizeOf } from "../../packages/gateway/src/providers/image-size.ts";
import { openGateway } from "../doors/gateway-with-vendors.ts";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const skip = CHROMIUM === undefined ? "no Chromium on this machine" : false;

interface PageAnswer {
  readonly kind: string;
  readonly text: string;
  readonly seen: readonly string[];
  readonly images: number;
}

/** The SDK as a page loads it: the entry, and the camera when it is started. */
async function builtClient(): Promise<ReadonlyMap<string, string>> {
  const result = await build({
    configFile: false,
    logLevel: "silent",
    resolve: { conditions: ["@fovea/source"] },
    build: {
      write: false,
      rolldownOptions: {
        input: "packages/client/src/index.ts",
        preserveEntrySignatures: "strict",
        output: { entryFileNames: "client.js", chunkFileNames: "[name].js" },
      },
    },
  });
  const outputs = (Array.isArray(result) ? result : [result]).flatMap((one) => ("output" in one ? one.output : []));
  return new Map(outputs.flatMap((one) => (one.type === "chunk" ? [[`/${one.fileName}`, one.code] as const] : [])));
}

test(
  "[VCA7] a video camera's picture reaches the vendor as a JPEG of the agreed size",
  { skip, timeout: 90_000 },
  async (t) => {
    await using house = await openGateway({ openai: ["gpt-4o"] });
    const mark = { name: "mark_in_image", arguments: { label: "clock", box_2d: [400, 400, 600, 600] } };
    house.emulators["openai"]?.setScenario({ rules: [{ answer: { text: "A green clock.", toolCalls: [mark] } }] });
    const files = await builtClient();
    const server = createServer((request, response) => {
      const code = files.get(new URL(request.url ?? "/", "http://x").pathname);
      if (code === undefined)
        response.setHeader("content-type", "text/html").end("<!doctype html><title>camera</title>");
      else response.setHeader("content-type", "text/javascript").end(code);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const browser = await chromium.launch({
      executablePath: CHROMIUM ?? "",
      headless: true,
      args: [
        "--headless=new",
        "--no-sandbox",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
      ],
    });
    t.after(async () => {
      await browser.close();
      server.closeAllConnections();
      server.close();
    });
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
    const answer = await page.evaluate(
      async (url): Promise<PageAnswer> => {
        const { Fovea } = (await import(`${location.origin}/client.js`)) as { readonly Fovea: typeof FoveaType };
        const xr = await Fovea.connect({ url, consent: { head: true, room: "full", camera: true } });
        const seen: string[] = [];
        xr.on("seen", ({ detail }) => seen.push(...detail.add.map(({ semanticLabel }) => semanticLabel)));
        const kind = await xr.camera.start({ fps: 2 });
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        let text = "";
        for await (const part of xr.ask("what do you see?", { model: "openai/gpt-4o" }))
          if (part.type === "text") text += part.text;
        xr.camera.stop();
        const images = xr.stats().sentSamples;
        xr.close();
        return { kind, text, seen, images };
      },
      `${house.url.replace("http", "ws")}/xr`,
    );
    assert.equal(answer.kind, "video");
    assert.match(answer.text, /green clock/);
    assert.ok(answer.images >= 2, `${answer.images}`);
    const body = JSON.stringify(house.emulators["openai"]?.requests[0]?.json);
    const base64 = /data:image\/jpeg;base64,([A-Za-z0-9+/=]+)/.exec(body)?.[1] ?? "";
    const jpeg = Buffer.from(base64, "base64");
    assert.ok(jpeg.length > 2_000, `${jpeg.length}`);
    const size = imageSizeOf(jpeg);
    assert.ok(
      size !== undefined && Math.max(size.widthPx, size.heightPx) <= 1_024 && size.widthPx >= 320,
      JSON.stringify(size),
    );
    // No session, no pose: it is looked at, and nothing is placed.
    assert.deepEqual(answer.seen, []);
  },
);
