import type { Fovea, TurnPart } from "@fovea/client";
import type { PulseRecord } from "@fovea/client/testing";
import type { Emulation } from "./emulation.ts";
import type { LookedAt } from "./looked-at.ts";

const QUESTIONS = [
  "What am I looking at?",
  "What am I pointing at?",
  "Where is the table?",
  "How far is the door?",
  "How many windows are there?",
  "What is next to the screen?",
  "Describe the room",
];

type Preferences = Parameters<Fovea["preferences"]["set"]>[0];
type Consent = Parameters<Fovea["consent"]["set"]>[0];

export interface Page {
  readonly micButton: HTMLButtonElement;
  /** Ticks what a click on the microphone means. */
  allowVoice(): Consent;
  consent(): Consent;
  preferences(): Preferences;
  bind(xr: Fovea, pulses: PulseRecord[]): void;
  onAsk(ask: (text: string) => void): void;
  onEnter(enter: () => void): void;
  showQuestion(text: string): void;
  showPart(part: TurnPart): void;
  showTarget(target: LookedAt | undefined): void;
  showError(message: string): void;
}

function find<T extends HTMLElement>(selector: string): T {
  const found = document.querySelector<T>(selector);
  if (found === null) throw new Error(`the page has no ${selector}`);
  return found;
}

/** The HTML around the view: questions in, captions and measurements out. */
export function connectPage(emulation: Emulation | undefined): Page {
  const status = find("#status");
  const caption = find("#caption");
  const answer = find("#answer");
  const text = find<HTMLInputElement>("#text");
  const send = find<HTMLButtonElement>("#send");
  const consentForm = find<HTMLFormElement>("#consent");
  if (emulation !== undefined) offerRooms(emulation);
  find("#hint").textContent =
    emulation === undefined
      ? "Pinch or pull the trigger to ask about what you look at."
      : "Drag to look, W A S D to walk, the mouse points. The room is a real scan.";

  const setStatus = (state: string, words: string): void => {
    status.dataset["state"] = state;
    status.lastElementChild?.replaceChildren(words);
  };
  const consent = (): Consent => {
    const form = new FormData(consentForm);
    return {
      head: form.get("head") !== null,
      hands: form.get("hands") as NonNullable<Consent["hands"]>,
      room: form.get("room") as NonNullable<Consent["room"]>,
      audio: form.get("audio") !== null,
      camera: form.get("camera") !== null,
    };
  };
  const sensesForm = find<HTMLFormElement>("#senses");
  // Inside a headset no HTML is seen: there the words stand in the room.
  const isHeadset = emulation === undefined;
  const preferences = (): Preferences => {
    const form = new FormData(sensesForm);
    const captions = form.get("captions") as string;
    return {
      sight: form.get("sight") as NonNullable<Preferences["sight"]>,
      hearing: form.get("hearing") as NonNullable<Preferences["hearing"]>,
      ...(captions === "auto" && !isHeadset ? {} : { captions: captions !== "off" }),
    };
  };
  const showError = (message: string): void => {
    caption.hidden = false;
    answer.className = "answer error";
    answer.textContent = message;
  };

  return {
    micButton: find<HTMLButtonElement>("#mic"),
    allowVoice: () => {
      find<HTMLInputElement>("#consent [name=audio]").checked = true;
      return consent();
    },
    consent,
    preferences,
    showError,
    bind: (xr, pulses) => {
      const open = (): void => {
        const { rttMs } = xr.stats();
        setStatus("open", rttMs === undefined ? "connected" : `connected · ${rttMs.toFixed(rttMs < 10 ? 1 : 0)} ms`);
      };
      xr.on("connect", open);
      xr.on("disconnect", ({ detail }) => setStatus("waiting", `back in ${(detail.retryMs / 1_000).toFixed(1)} s`));
      xr.on("close", ({ detail }) => setStatus("lost", detail.error?.message ?? "closed"));
      xr.on("hapticend", ({ detail }) => logTouch(detail.via, detail.delivered, pulses.at(-1)));
      consentForm.addEventListener("change", () => xr.consent.set(consent()));
      sensesForm.addEventListener("change", () => xr.preferences.set(preferences()));
      setInterval(() => {
        if (xr.isConnected) open();
      }, 2_000);
      send.disabled = false;
      open();
    },
    onAsk: (ask) => {
      find("#ask").addEventListener("submit", (event) => {
        event.preventDefault();
        const question = text.value.trim();
        if (question === "") return;
        text.value = "";
        ask(question);
      });
      find("#chips").replaceChildren(
        ...QUESTIONS.map((question) => {
          const chip = document.createElement("button");
          chip.textContent = question;
          chip.addEventListener("click", () => ask(question));
          return chip;
        }),
      );
    },
    onEnter: (enter) => {
      const button = find<HTMLButtonElement>("#enter");
      button.hidden = false;
      button.addEventListener("click", enter);
    },
    showQuestion: (question) => {
      caption.hidden = false;
      find("#question").textContent = question;
      answer.className = "answer";
      answer.textContent = "";
    },
    showPart: (part) => {
      if (part.type === "text") answer.textContent += part.text;
      else if (part.type === "replaced") answer.textContent = part.text;
      else if (part.type === "error") showError(part.message);
      else if (part.type === "start") showProvider(part.provider, part.model, part.reason ?? "");
      else if (part.type === "done") showDone(part);
    },
    showTarget: (target) => {
      const line = find("#target");
      if (target === undefined) line.textContent = "–";
      else {
        const distance = document.createElement("small");
        distance.textContent = `${target.distanceM.toFixed(1)} m`;
        line.replaceChildren(target.label, distance);
      }
    },
  };
}

function offerRooms({ room, rooms }: Emulation): void {
  const select = find<HTMLSelectElement>("#room");
  for (const name of rooms) select.add(new Option(name.replace("_", " "), name, name === room, name === room));
  select.addEventListener("change", () => {
    location.search = `?room=${select.value}`;
  });
  find("#room-choice").hidden = false;
}

function showProvider(provider: string, model: string, reason: string): void {
  find("#provider").textContent = model === "" || model === provider ? provider : `${provider} · ${model}`;
  if (reason !== "") find("#reason").textContent = reason;
}

function showDone(done: Extract<TurnPart, { type: "done" }>): void {
  showProvider(done.provider, done.model, done.reason);
  const figure = (value: string, name: string): HTMLElement => {
    const box = document.createElement("div");
    const number = document.createElement("b");
    number.textContent = value;
    box.append(number, name);
    return box;
  };
  const { first, total } = done.latency;
  const { microUsd, source } = done.cost;
  find("#figures").replaceChildren(
    ...(first === undefined ? [] : [figure(milliseconds(first), "first part")]),
    figure(milliseconds(total), "whole answer"),
    figure(
      microUsd === undefined || source === "free" ? source : `$${(microUsd / 1e6).toFixed(4)}`,
      done.cached ? "from cache" : "cost",
    ),
  );
  const longest = Math.max(0.001, ...done.steps.map(({ ms }) => ms));
  find("#steps").replaceChildren(
    ...done.steps.map(({ name, ms }) => {
      const line = document.createElement("li");
      const bar = document.createElement("span");
      bar.className = "bar";
      bar.style.width = `${(ms / longest) * 100}%`;
      const time = document.createElement("b");
      time.textContent = milliseconds(ms);
      line.append(name, bar, time);
      return line;
    }),
  );
}

function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(2)} ms` : `${Math.round(ms)} ms`;
}

function logTouch(via: string, delivered: boolean, pulse: PulseRecord | undefined): void {
  const list = find("#pulses");
  list.querySelector(".empty")?.remove();
  const words = delivered ? `felt through ${via}` : "not felt: no actuator";
  const newest = list.firstElementChild;
  const times = newest?.firstElementChild?.textContent === words ? Number(newest.getAttribute("data-times")) + 1 : 1;
  if (times > 1) newest?.remove();
  const line = document.createElement("li");
  line.dataset["times"] = String(times);
  const what = document.createElement("b");
  what.textContent = words;
  const how = document.createElement("span");
  const strength = pulse === undefined || !delivered ? "" : `${pulse.value.toFixed(2)} for ${Math.round(pulse.ms)} ms`;
  how.textContent = times > 1 ? `${strength} ×${times}` : strength;
  line.append(what, how);
  list.prepend(line);
  while (list.childElementCount > 4) list.lastElementChild?.remove();
}
