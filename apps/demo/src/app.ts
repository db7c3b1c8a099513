import { Fovea } from "@fovea/client";
import type { TurnPart } from "@fovea/client";
import { replay, tapHaptics } from "@fovea/client/testing";
import type { PulseRecord, SessionPlayer } from "@fovea/client/testing";
import type { ThreeHighlighter } from "@fovea/client/three";
import { ThreeCaptions, threeHighlighter } from "@fovea/client/three";
import type { XRDevice } from "iwer";
import { PerspectiveCamera, Scene, WebGLRenderer } from "three";
import { DesktopControls } from "./desktop-controls.ts";
import type { Emulation } from "./emulation.ts";
import { followCameraConsent } from "./page-camera.ts";
import { connectPage } from "./page.ts";
import type { Page } from "./page.ts";
import { RoomView } from "./room-view.ts";
import { listenForSpeech } from "./speech.ts";
import { lookedAt } from "./looked-at.ts";

/** What the end-to-end test and a curious developer find as `foveaDemo` in the console. */
export interface DemoHandle {
  readonly xr: Fovea;
  readonly highlighter: ThreeHighlighter;
  readonly session: () => XRSession | undefined;
  readonly device: XRDevice | undefined;
  readonly pulses: readonly PulseRecord[];
  ask(text: string): Promise<TurnPart[]>;
  /** Plays a recorded session into the emulated device. */
  replay(capture: unknown): SessionPlayer;
}

const FEATURES: XRSessionInit = {
  requiredFeatures: ["local-floor"],
  optionalFeatures: ["hand-tracking", "plane-detection", "mesh-detection", "anchors", "hit-test", "dom-overlay"],
};

const SPOKEN = ["text", "audio", "action", "haptic"] as const;

/** Starts the page: with a headset it waits for the button, in the emulator the session begins at once. */
export async function run(emulation: Emulation | undefined): Promise<void> {
  // The emulator's camera is the picture itself, which is read after it was shown.
  const renderer = new WebGLRenderer({ antialias: true, alpha: true, preserveDrawingBuffer: emulation !== undefined });
  renderer.setPixelRatio(Math.min(2, devicePixelRatio));
  renderer.setSize(innerWidth, innerHeight);
  renderer.xr.enabled = true;
  renderer.xr.setReferenceSpaceType("local-floor");
  document.querySelector("#view")?.append(renderer.domElement);
  const scene = new Scene();
  const camera = new PerspectiveCamera(60, innerWidth / innerHeight, 0.05, 50);
  const page = connectPage(emulation);

  // `#token=…`: a fragment never reaches a server or its logs. Only gateways with keys need one.
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  const highlight = threeHighlighter({ camera: () => (renderer.xr.isPresenting ? renderer.xr.getCamera() : camera) });
  const xr = await Fovea.connect({
    url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/xr`,
    device: emulation === undefined ? "headset" : `emulated Quest 3 in ${emulation.room}`,
    consent: page.consent(),
    preferences: page.preferences(),
    ...(token === null ? {} : { token: () => token }),
    highlighter: highlight,
  });
  const highlighter = xr.highlighter.default(scene) as ThreeHighlighter;
  const pulses: PulseRecord[] = [];
  page.bind(xr, pulses);
  xr.scene.observe({ planes: true, meshes: "boxes", anchors: false });
  xr.attach(renderer);
  followCameraConsent(xr, renderer, camera, emulation !== undefined, (message) => page.showError(message));

  const captions = new ThreeCaptions(scene, {
    camera: () => (renderer.xr.isPresenting ? renderer.xr.getCamera() : camera),
    scene: xr.scene,
  });
  xr.captions.use(captions);
  const room = emulation === undefined ? undefined : new RoomView(scene);
  const controls = emulation === undefined ? undefined : new DesktopControls(emulation.device);
  let latest: XRFrame | undefined;
  // Before the session starts: set afterwards, three would run the loop of the window beside that of the session.
  renderer.setAnimationLoop((timeMs, frame) => {
    latest = frame ?? latest;
    if (frame !== undefined) {
      const space = renderer.xr.getReferenceSpace();
      if (space !== null) room?.update(frame, space);
      page.showTarget(lookedAt(xr.scene.nodes(), frame, space));
    }
    controls?.update(timeMs);
    highlighter.update();
    captions.update();
    renderer.render(scene, camera);
  });

  const begin = async (): Promise<void> => {
    const system = navigator.xr;
    if (system === undefined) throw new Error("This browser has no WebXR.");
    const session = await system.requestSession("immersive-ar", {
      ...FEATURES,
      ...(emulation === undefined ? { domOverlay: { root: document.body } } : {}),
    });
    await renderer.xr.setSession(session);
    session.addEventListener("inputsourceschange", () => tap(session, pulses));
    tap(session, pulses);
    // In a headset there is no keyboard: a pinch or the trigger asks about what the user looks at.
    if (emulation === undefined) session.addEventListener("select", () => void ask("What am I looking at?"));
  };

  const ask = (text: string): Promise<TurnPart[]> => answer(xr, page, text);
  page.onAsk((text) => void ask(text));
  listenForSpeech(page.micButton, xr, {
    onText: (text) => void ask(text),
    onAllowed: () => page.allowVoice(),
    onTurn: (turn) => void show(turn, page),
    onHeard: (text) => page.showQuestion(text),
    onError: (message) => page.showError(message),
  });
  xr.on("turn", ({ detail }) => void show(detail.turn, page));
  const handle: DemoHandle = {
    xr,
    highlighter,
    device: emulation?.device,
    pulses,
    session: () => renderer.xr.getSession() ?? undefined,
    ask,
    replay: (capture) => {
      const session = renderer.xr.getSession();
      const space = renderer.xr.getReferenceSpace();
      if (emulation === undefined || session === null || space === null) throw new Error("no emulated session runs");
      controls?.release();
      return replay(emulation.device, session, space, capture, () => latest);
    },
  };
  (globalThis as typeof globalThis & { foveaDemo?: DemoHandle }).foveaDemo = handle;

  if (emulation === undefined)
    page.onEnter(() => void begin().catch((error: unknown) => page.showError(String(error))));
  else await begin();
  addEventListener("resize", () => {
    if (renderer.xr.isPresenting) return;
    camera.aspect = innerWidth / innerHeight;
    camera.updateProjectionMatrix();
    renderer.setSize(innerWidth, innerHeight);
  });
}

async function answer(xr: Fovea, page: Page, text: string): Promise<TurnPart[]> {
  const parts: TurnPart[] = [];
  page.showQuestion(text);
  xr.unlockAudio();
  // While the microphone is open the user talks, and is answered aloud.
  const modalities = xr.mic.isOn ? SPOKEN : undefined;
  return show(xr.ask(text, modalities === undefined ? {} : { modalities }), page, parts);
}

async function show(turn: AsyncIterable<TurnPart>, page: Page, parts: TurnPart[] = []): Promise<TurnPart[]> {
  for await (const part of turn) {
    parts.push(part);
    page.showPart(part);
  }
  return parts;
}

/** Pulses of the emulated controllers; each source prototype is tapped once. */
function tap(session: XRSession, into: PulseRecord[]): void {
  if (tapped) return;
  const log = tapHaptics(session, (pulse) => into.push(pulse));
  tapped = log !== undefined;
}
let tapped = false;
