import type { PreferencesMessage, WirePreferences } from "@fovea/protocol";

/** Which senses answers may use: what the user set, and whether the page may sound at all. */
export class Preferences {
  readonly #send: (message: Omit<PreferencesMessage, "type">) => void;
  #current: WirePreferences;
  #isMuted = false;
  #isBlocked = false;
  #headphones: boolean | undefined;

  constructor(initial: WirePreferences, send: (message: Omit<PreferencesMessage, "type">) => void) {
    this.#current = initial;
    this.#send = send;
  }

  get current(): WirePreferences {
    return this.#current;
  }

  get isMuted(): boolean {
    return this.#isMuted || this.#isBlocked;
  }

  /** Changes how answers come, from the next one on; members that are not named stay. */
  set(preferences: WirePreferences): void {
    this.#current = { ...this.#current, ...preferences };
    this.#send({ preferences });
  }

  /** What the device can put out: the application's own mute button, headphones plugged in. */
  setOutput(output: { readonly muted?: boolean; readonly headphones?: boolean }): void {
    this.#isMuted = output.muted ?? this.#isMuted;
    this.#headphones = output.headphones ?? this.#headphones;
    this.#tellOutput();
  }

  /** Browsers keep a page silent until the user has touched it. */
  noteBlocked(isBlocked: boolean): void {
    if (this.#isBlocked === isBlocked) return;
    this.#isBlocked = isBlocked;
    this.#tellOutput();
  }

  /** A new session knows nothing of the device. */
  resend(): void {
    if (this.isMuted || this.#headphones !== undefined) this.#tellOutput();
  }

  #tellOutput(): void {
    const headphones = this.#headphones === undefined ? {} : { headphones: this.#headphones };
    this.#send({ output: { muted: this.isMuted, ...headphones } });
  }
}
