/** Where the sound of answers goes when it is not part of the events: a WebRTC track. */
export interface MediaOutput {
  audio(
    sound: {
      readonly itemId: string;
      readonly epoch: number;
      readonly pcm: Int16Array;
      readonly sampleRateHz: number;
      readonly startMs: number;
    },
    responseId: string,
  ): void;
  /** All sound of the answer was given. */
  finish(): void;
  /** Drops what was not played; true where something was. */
  clear(): boolean;
}
