// Rules VCA7 and VCA11 of docs/spec/vision.md: the page's camera in a real browser (Chromium's fake device), to a
// vendor's wire.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import type { Fovea as FoveaType } from "@fovea/client";
import { chromium } from "playwright-core";
import { build } from "vite";
import { imageSizeOf } from "../../packages/gateway/src/providers/image-size.ts";
import { ROOT } from "../gateway/run-fovea.ts";
import { openGateway } from "../doors/gateway-with-vendors.ts";
import type * as FoveaClient from "@fovea/client";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const skip = CHROMIUM === undefined ? "no Chromium on this machine" : false;

/** What of the demo's handle this test uses. */
interface Demo {
  readonly foveaDemo: {
    readonly xr: FoveaType;
    readonly device: { readonly position: Numbers; readonly quaternion: Numbers };
    ask(text: string): Promise<unknown>;
  };
}

interface Numbers {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly w: number;
}

const RENDERING = [
  "--headless=new",
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--use-gl=angle",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
];

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
        const { Fovea } = (await import(`${location.origin}/client.js`)) as typeof FoveaClient;
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

test(
  "[VCA11] in the demo the camera follows its switch, and what a model marks is shown where it was seen",
  { skip, timeout: 120_000 },
  async (t) => {
    await build({ root: join(ROOT, "apps/demo"), logLevel: "silent" });
    await using house = await openGateway({ openai: ["gpt-4o"] });
    const mark = { name: "mark_in_image", arguments: { label: "gadget", box_2d: [470, 470, 530, 530] } };
    house.emulators["openai"]?.setScenario({ rules: [{ answer: { text: "A gadget.", toolCalls: [mark] } }] });
    const browser = await chromium.launch({ executablePath: CHROMIUM ?? "", headless: true, args: RENDERING });
    t.after(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 800, height: 600 } });
    await page.goto(`${house.url}/?room=office_small`);
    await page.waitForFunction(() => "foveaDemo" in globalThis, undefined, { timeout: 60_000 });
    await page.evaluate(() => {
      const box = document.querySelector<HTMLInputElement>("#consent [name=camera]");
      if (box !== null) box.checked = true;
      box?.dispatchEvent(new Event("change", { bubbles: true }));
    });
    await page.waitForFunction(() => (globalThis as unknown as Demo).foveaDemo.xr.camera.isRunning, undefined, {
      timeout: 20_000,
    });
    await page.waitForTimeout(3_000);
    const shown = await page.evaluate(async () => {
      const { xr, device, ask } = (globalThis as unknown as Demo).foveaDemo;
      let position: readonly number[] | undefined;
      const off = xr.on("action", ({ detail }) => {
        if (detail.action.kind === "highlight") ({ position } = detail.action);
      });
      const eye = [device.position.x, device.position.y, device.position.z];
      const turn = [device.quaternion.x, device.quaternion.y, device.quaternion.z, device.quaternion.w];
      await ask("what do you see?");
      off();
      return { position, eye, turn };
    });
    const body = JSON.stringify(house.emulators["openai"]?.requests[0]?.json);
    assert.match(body, /data:image\/jpeg;base64/);
    assert.ok(shown.position !== undefined, "nothing was marked");
    // In the middle of the picture: straight ahead of the eye that took it.
    const [x, y, z, w] = shown.turn as [number, number, number, number];
    const ahead = [-2 * (x * z + w * y), -2 * (y * z - w * x), -(1 - 2 * (x * x + y * y))];
    const to = shown.position.map((value, axis) => value - (shown.eye[axis] as number));
    const cosine = to.reduce((sum, value, axis) => sum + value * (ahead[axis] as number), 0) / Math.hypot(...to);
    assert.ok(
      cosine > Math.cos(0.06),
      `${shown.position.join(" ")} from ${shown.eye.join(" ")}: ${Math.acos(cosine)} rad`,
    );
  },
);
