// The microphone button: a click opens the microphone and the user simply speaks; a press that is held is push-to-talk. The
// sound goes to the gateway, which understands it and answers aloud. Where the gateway hears nothing, the browser's own
// recogniser is used if there is one (its words leave for the browser's vendor), and else there is the keyboard.
import type { Fovea } from "@fovea/client";

interface Recognition extends EventTarget {
  lang: string;
  interimResults: boolean;
  start(): void;
  stop(): void;
}

export interface SpeechHooks {
  /** For questions that the browser recognised. */
  readonly onText: (text: string) => void;
  /** The user agreed, by pressing the button. */
  readonly onAllowed: () => Parameters<Fovea["consent"]["set"]>[0];
  readonly onTurn: (turn: ReturnType<Fovea["talk"]>) => void;
  readonly onHeard: (text: string) => void;
  readonly onError: (message: string) => void;
}

/** A press shorter than this is a click. */
const HOLD_MS = 350;

export function listenForSpeech(button: HTMLButtonElement, xr: Fovea, hooks: SpeechHooks): void {
  button.hidden = false;
  let pressedMs = 0;
  let held: ReturnType<Fovea["talk"]> | undefined;
  let isDeaf = false;
  const show = (): void => {
    button.classList.toggle("live", xr.mic.isOn && !xr.mic.isMuted);
    button.title = xr.mic.isOn ? "Stop listening" : "Speak: click to talk freely, hold to ask one question";
  };
  show();
  xr.on("micend", show);
  xr.on("miclevel", ({ detail }) =>
    button.style.setProperty("--level", String(Math.max(0, (detail.levelDb + 60) / 60))),
  );
  xr.on("transcript", ({ detail }) => hooks.onHeard(detail.text));
  xr.on("error", ({ detail }) => {
    // This gateway understands no speech.
    if (detail.code !== "request_unsupported" || detail.field !== "audio") return;
    isDeaf = true;
    xr.mic.stop();
    if (recognizer() === undefined) hooks.onError("Nothing here understands speech. Type instead.");
  });
  button.addEventListener("pointerdown", () => {
    pressedMs = performance.now();
    if (isDeaf || !xr.mic.isOn) return;
    held = xr.talk();
    hooks.onTurn(held);
  });
  button.addEventListener("click", () => {
    const question = held;
    held = undefined;
    question?.release();
    if (isDeaf) return listenInBrowser(button, hooks);
    if (question !== undefined && performance.now() - pressedMs >= HOLD_MS) return;
    question?.cancel();
    if (xr.mic.isOn) xr.mic.stop();
    else void open(xr, hooks).then(show);
    show();
  });
}

async function open(xr: Fovea, hooks: SpeechHooks): Promise<void> {
  xr.unlockAudio();
  xr.consent.set(hooks.onAllowed());
  try {
    await xr.mic.start();
  } catch (error) {
    hooks.onError(error instanceof Error ? error.message : String(error));
  }
}

function recognizer(): (new () => Recognition) | undefined {
  const known = globalThis as {
    SpeechRecognition?: new () => Recognition;
    webkitSpeechRecognition?: new () => Recognition;
  };
  return known.SpeechRecognition ?? known.webkitSpeechRecognition;
}

function listenInBrowser(button: HTMLButtonElement, { onText, onError }: SpeechHooks): void {
  const Recogniser = recognizer();
  if (Recogniser === undefined) return onError("Nothing here understands speech. Type instead.");
  const recognition = new Recogniser();
  recognition.lang = navigator.language;
  recognition.interimResults = false;
  recognition.addEventListener("result", (event) => {
    const { results } = event as Event & { results: ArrayLike<ArrayLike<{ transcript: string }>> };
    const text = results[0]?.[0]?.transcript.trim() ?? "";
    if (text !== "") onText(text);
  });
  const over = (): void => button.classList.remove("live");
  recognition.addEventListener("end", over);
  recognition.addEventListener("error", over);
  button.classList.add("live");
  recognition.start();
}
