import createModule from "@jitsi/rnnoise-wasm/dist/rnnoise-sync.js";

/** 10 ms at 48 kHz. */
export const RNNOISE_FRAME = 480;

export interface RnnoiseState {
  /** Cleans a frame of 480 samples in place; returns how likely it holds speech. */
  process(frame: Int16Array): number;
  close(): void;
}

export async function loadRnnoise(): Promise<{ create(): RnnoiseState }> {
  const module = createModule();
  await module.ready;
  return {
    create: () => {
      const state = module._rnnoise_create(0);
      const address = module._malloc(RNNOISE_FRAME * 4);
      return {
        process: (frame) => {
          // Read anew each time: the memory of the module may have grown and moved.
          const before = module.HEAPF32;
          for (let i = 0; i < RNNOISE_FRAME; i++) before[address / 4 + i] = frame[i] as number;
          const voice = module._rnnoise_process_frame(state, address, address);
          const after = module.HEAPF32;
          for (let i = 0; i < RNNOISE_FRAME; i++) {
            frame[i] = Math.max(-32_768, Math.min(32_767, Math.round(after[address / 4 + i] as number)));
          }
          return voice;
        },
        close: () => {
          module._free(address);
          module._rnnoise_destroy(state);
        },
      };
    },
  };
}
