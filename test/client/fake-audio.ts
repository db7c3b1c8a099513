// An audio context whose clock is the test's: what is started when, at which place, and what is silenced. Real sound is
// tried in test/e2e/present.test.ts.
import type { FakeClock } from "@fovea/core/testing";

export interface FakeAudio {
  readonly context: AudioContext;
  /** One line for each thing that was done. */
  readonly log: string[];
}

export function fakeAudio(clock: FakeClock): FakeAudio {
  const log: string[] = [];
  const originMs = clock.monotonicMs();
  const nowS = (): number => (clock.monotonicMs() - originMs) / 1_000;
  const param = (): object => ({
    value: 1,
    cancelScheduledValues() {},
    setValueAtTime() {},
    linearRampToValueAtTime(value: number, atS: number) {
      log.push(`ramp to ${value.toFixed(2)} by ${Math.round(atS * 1_000)}`);
    },
  });
  const node = (more: object = {}): object => ({
    connect: (to: object) => to,
    disconnect() {},
    gain: param(),
    frequency: param(),
    ...more,
  });
  const context = {
    sampleRate: 48_000,
    state: "running",
    outputLatency: 0,
    baseLatency: 0,
    destination: node(),
    listener: { setPosition() {}, setOrientation() {} },
    get currentTime() {
      return nowS();
    },
    createGain: () => node(),
    createBiquadFilter: () => node(),
    createPanner() {
      const at: Record<string, { value: number }> = {
        positionX: { value: 0 },
        positionY: { value: 0 },
        positionZ: { value: 0 },
      };
      log.push("panner");
      return node(at);
    },
    createOscillator: () => node({ start: () => log.push("tone"), stop() {} }),
    createBuffer: (_channels: number, length: number, rate: number) => ({
      duration: length / rate,
      copyToChannel() {},
    }),
    createBufferSource() {
      let cancel = (): void => {};
      const source = node({
        buffer: undefined as { duration: number } | undefined,
        onended: undefined as (() => void) | null | undefined,
        start(atS: number) {
          const endMs = (atS + (self.buffer?.duration ?? 0) - nowS()) * 1_000;
          cancel = clock.schedule(endMs, () => self.onended?.());
        },
        stop() {
          cancel();
          log.push("stop");
        },
      });
      const self = source as { buffer?: { duration: number }; onended?: (() => void) | null };
      return source;
    },
    resume: async () => {},
    close: async () => {},
  };
  return { context: context as unknown as AudioContext, log };
}
