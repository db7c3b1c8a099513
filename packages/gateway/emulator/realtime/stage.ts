// What a realtime surface of the emulator may use: a socket that says JSON, a clock, the scenario's words for each answer.
import type { Clock } from "@fovea/core";
import type { Script } from "../answer-script.ts";
import type { Prompt } from "../answer-script.ts";
import type { Rule } from "../scenario.ts";

/** One connected session, as its surface sees the world. */
export interface RealtimeStage {
  readonly clock: Clock;
  /** The rule of the connection. */
  readonly rule: Rule;
  readonly model: string;
  /** Query of the upgrade request. */
  readonly query: URLSearchParams;
  /** Shared by the sessions of one emulator: resumption handles live here. */
  readonly memory: Map<string, unknown>;
  nextId(prefix: string): string;
  send(message: object): void;
  close(code: number, reason: string): void;
  /** The connection breaks without a close frame. */
  cut(): void;
  /** The script of the next answer and the rule that says what goes wrong in it. */
  script(prompt: Prompt): { readonly script: Script; readonly rule: Rule };
}

export interface RealtimeSurface {
  /** Called once, when the socket is open. */
  open(): void;
  receive(text: string): void;
  /** The socket is gone: timers are cancelled. */
  closed(): void;
}

export type SurfaceMaker = (stage: RealtimeStage) => RealtimeSurface;

/** Plays steps one after another with a pause before each; `cancel` leaves the rest unplayed. */
export class Performance {
  readonly #clock: Clock;
  #cancel: (() => void) | undefined;
  #isOver = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  play(steps: readonly { readonly delayMs: number; readonly run: () => void }[], onEnd: () => void): void {
    let index = 0;
    const next = (): void => {
      while (!this.#isOver) {
        const step = steps[index];
        if (step === undefined) {
          this.#isOver = true;
          onEnd();
          return;
        }
        index++;
        if (step.delayMs > 0) {
          this.#cancel = this.#clock.schedule(step.delayMs, () => {
            step.run();
            next();
          });
          return;
        }
        step.run();
      }
    };
    next();
  }

  cancel(): void {
    this.#isOver = true;
    this.#cancel?.();
  }
}
