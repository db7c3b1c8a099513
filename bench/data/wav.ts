/** 16 bit PCM only, channels mixed down. */
export function readWav(bytes: Buffer): { samples: Float32Array; sampleRateHz: number } {
  let channels = 1;
  let sampleRateHz = 44_100;
  for (let at = 12; at + 8 <= bytes.length;) {
    const id = bytes.toString("latin1", at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const start = at + 8;
    if (id === "fmt ") {
      channels = bytes.readUInt16LE(start + 2);
      sampleRateHz = bytes.readUInt32LE(start + 4);
    }
    if (id === "data") {
      const count = Math.floor(Math.min(size, bytes.length - start) / 2 / channels);
      const samples = Float32Array.from({ length: count }, (_, i) => {
        let sum = 0;
        for (let c = 0; c < channels; c++) sum += bytes.readInt16LE(start + (i * channels + c) * 2);
        return sum / channels / 32_768;
      });
      return { samples, sampleRateHz };
    }
    at = start + size + (size % 2);
  }
  throw new Error("no data chunk");
}
