// Rules KV1..KV3 of docs/spec/client.md: a question spoken into the (fake) microphone of a real browser, understood,
// answered and spoken by the real gateway, played by the page. flite speaks for the user.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { chromium } from "playwright-core";
import { build } from "vite";
import { buildWav } from "../../packages/gateway/src/audio/wav.ts";
import type { RunningFovea } from "../gateway/run-fovea.ts";
import { ROOT, startFovea } from "../gateway/run-fovea.ts";
import { joined, noSpeech, RATE, silence, spoken } from "../voice/spoken.ts";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const skip = CHROMIUM === undefined ? "no Chromium on this machine" : noSpeech;

interface Noted {
  readonly name: string;
  readonly detail: { readonly [key: string]: unknown };
}

let fovea: RunningFovea;
let browser: Browser;
let page: Page;
let folder: string;
const pageErrors: string[] = [];

before(async () => {
  if (skip !== false) return;
  folder = mkdtempSync(join(tmpdir(), "fovea-mic-"));
  const file = join(folder, "question.wav");
  // The browser plays the file over and over: a long silence keeps the questions apart.
  writeFileSync(
    file,
    buildWav(joined(silence(3_000), await spoken("how many tables are there"), silence(12_000)), RATE),
  );
  await build({ root: join(ROOT, "apps/demo"), logLevel: "silent" });
  fovea = await startFovea([], { FOVEA_STORE: "memory" });
  browser = await chromium.launch({
    ...(CHROMIUM === undefined ? {} : { executablePath: CHROMIUM }),
    headless: true,
    args: [
      "--headless=new",
      "--no-sandbox",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--use-gl=angle",
      "--use-angle=swiftshader",
      "--enable-unsafe-swiftshader",
      "--use-fake-ui-for-media-stream",
      "--use-fake-device-for-media-stream",
      `--use-file-for-fake-audio-capture=${file}`,
      "--autoplay-policy=no-user-gesture-required",
    ],
  });
  page = await browser.newPage({ viewport: { width: 960, height: 600 } });
  page.on("pageerror", (error) => pageErrors.push(error.message));
  await page.goto(`${fovea.url}/?room=office_small`);
  await page.waitForFunction(() => "foveaDemo" in globalThis, undefined, { timeout: 60_000 });
});

after(async () => {
  await browser?.close();
  await fovea?.stop();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

const noted = (): Promise<Noted[]> =>
  page.evaluate(() => (globalThis as unknown as { noted?: Noted[] }).noted ?? []) as Promise<Noted[]>;

test(
  "[KV1] a click on the microphone is enough: the spoken question is answered in words and in sound",
  { skip, timeout: 120_000 },
  async () => {
    await page.evaluate(() => {
      const { xr } = (globalThis as unknown as { foveaDemo: { xr: EventTarget } }).foveaDemo;
      const list: { name: string; detail: unknown }[] = [];
      Object.assign(globalThis, { noted: list });
      for (const name of ["transcript", "turn", "audio", "turnstate", "miclevel", "error", "caption"])
        xr.addEventListener(name, (event) => {
          const { detail } = event as CustomEvent<{ payload?: Uint8Array; turn?: { id: string } }>;
          const shown =
            name === "audio" ? { bytes: detail.payload?.length } : name === "turn" ? { id: detail.turn?.id } : detail;
          list.push({ name, detail: shown });
        });
    });
    await page.click("#mic");
    await page.waitForFunction(
      () =>
        ((globalThis as unknown as { noted: { name: string; detail: { state?: string } }[] }).noted ?? []).some(
          ({ name, detail }) => name === "turnstate" && detail.state === "idle",
        ),
      undefined,
      { timeout: 60_000 },
    );
    const events = await noted();
    const transcript = events.findLast(({ name, detail }) => name === "transcript" && detail["isFinal"] === true);
    assert.match(String(transcript?.detail["text"]), /how many tables are there/);
    assert.ok(events.some(({ name }) => name === "turn"));
    const soundBytes = events.reduce(
      (sum, { name, detail }) => sum + (name === "audio" ? Number(detail["bytes"]) : 0),
      0,
    );
    assert.ok(soundBytes > 24_000, `${soundBytes} bytes of speech`);
    assert.match((await page.textContent("#answer")) ?? "", /table/i);
    assert.deepEqual(
      events.filter(({ name }) => name === "error"),
      [],
    );
    assert.deepEqual(pageErrors, []);
  },
);

test(
  "[KV2] the level of the microphone is told, and what was played is reported",
  { skip, timeout: 60_000 },
  async () => {
    const levels = (await noted())
      .filter(({ name }) => name === "miclevel")
      .map(({ detail }) => Number(detail["levelDb"]));
    assert.ok(
      Math.max(...levels) > -40 && Math.min(...levels) < -45,
      `${Math.min(...levels)} to ${Math.max(...levels)}`,
    );
  },
);

test("[KV3] without permission the failure has a name", { skip, timeout: 60_000 }, async () => {
  const code = await page.evaluate(async () => {
    const { xr } = (
      globalThis as unknown as {
        foveaDemo: { xr: { mic: { stop(): void; start(): Promise<void> }; consent: { set(consent: object): void } } };
      }
    ).foveaDemo;
    xr.mic.stop();
    const devices = navigator.mediaDevices;
    const codeOf = (): Promise<string> =>
      xr.mic.start().then(
        () => "started",
        (error: { code: string }) => error.code,
      );
    const real = devices.getUserMedia.bind(devices);
    const codes: string[] = [];
    for (const name of ["NotAllowedError", "NotFoundError", "NotReadableError"]) {
      devices.getUserMedia = () => Promise.reject(new DOMException("no", name));
      codes.push(await codeOf());
    }
    devices.getUserMedia = real;
    xr.consent.set({ audio: false });
    codes.push(await codeOf());
    return codes;
  });
  assert.deepEqual(code, ["microphone_denied", "microphone_missing", "microphone_busy", "consent_missing"]);
});
