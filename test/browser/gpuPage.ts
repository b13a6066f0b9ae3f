import { type GpuDevice, GpuLut, Lut3D } from '../../src/color';

/** What runs in the browser: LUTs on WebGPU, beside the same on the processor. */

interface Gpu {
  requestAdapter(): Promise<
    | { info: { vendor: string; architecture: string; description: string }; requestDevice(): Promise<GpuDevice> }
    | undefined
  >;
}

async function openGpu(): Promise<{ device: GpuDevice; adapter: string }> {
  const adapter = await (navigator as unknown as { gpu?: Gpu }).gpu?.requestAdapter();
  if (!adapter) throw new Error('this browser has no WebGPU adapter');
  const { vendor, architecture, description } = adapter.info;
  return {
    device: await adapter.requestDevice(),
    adapter: [vendor, architecture, description].filter((text) => text !== '').join(' '),
  };
}

const LOOKS: Record<string, (r: number, g: number, b: number) => [number, number, number]> = {
  identity: (r, g, b) => [r, g, b],
  curved: (r, g, b) => [r ** 0.7, 0.9 * g + 0.1 * b, b ** 1.4],
  // Neighbouring points far apart: where a wrong tetrahedron would show.
  steep: (r, g, b) => [Math.sin(9 * r + 4 * g) / 2 + 0.5, (r * b) ** 0.5, 1 - g],
};

const PIECE = 4 << 20;

export interface Case {
  readonly look: string;
  readonly size: number;
  readonly channels: 3 | 4;
  readonly bits: 8 | 16;
  readonly maximum?: 65535 | 32768;
  readonly count: number;
}

/** The largest difference in levels between device and processor, and whether alpha stayed as it was. */
async function compare(cases: readonly Case[]) {
  const { device, adapter } = await openGpu();
  const results = [];
  for (const { look, size, channels, bits, maximum, count } of cases) {
    const lut = Lut3D.bake(size, LOOKS[look]);
    const top = maximum ?? (bits === 16 ? 65535 : 255);
    const pixels = bits === 16 ? new Uint16Array(count * channels) : new Uint8Array(count * channels);
    let state = 1;
    for (let i = 0; i < pixels.length; i++) {
      // A linear congruential generator; every ninth value is an end of the scale.
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      pixels[i] = i % 9 === 0 ? (state & 65536 ? top : 0) : Math.floor((state / 2 ** 32) * (top + 1));
    }
    const wanted = lut.apply(pixels.slice(), channels, { ...(maximum ? { maximum } : {}) });
    const gpu = new GpuLut(device, lut);
    const found = await gpu.apply(pixels.slice(), channels, { ...(maximum ? { maximum } : {}) });
    gpu.destroy();
    let largest = 0;
    let alphaKept = true;
    for (let i = 0; i < pixels.length; i++) {
      if (channels === 4 && i % 4 === 3) alphaKept &&= found[i] === pixels[i];
      else largest = Math.max(largest, Math.abs(found[i] - wanted[i]));
    }
    results.push({ largest, alphaKept, moved: wanted.some((value, i) => value !== pixels[i]) });
  }
  return { adapter, results };
}

/** A device that is gone before the work: what `apply` throws then, and what it has written. */
async function lose() {
  const { device } = await openGpu();
  const gpu = new GpuLut(device, Lut3D.bake(17, LOOKS['curved']));
  const pixels = new Uint8Array(300).fill(77);
  (device as unknown as { destroy(): void }).destroy();
  const thrown: unknown = await gpu
    .apply(pixels, 3, { destination: new Uint8Array(300) })
    .catch((error: unknown) => error);
  const { code, message } = thrown as { code?: string; message?: string };
  return { code, message, untouched: pixels.every((value) => value === 77) };
}

/** Milliseconds of each round over what /pixels has, with the way to the device and back; the result is posted. */
async function time({
  data,
  size,
  bits,
  repeat,
}: {
  data: readonly number[];
  size: number;
  bits: 8 | 16;
  repeat: number;
}) {
  const { device, adapter } = await openGpu();
  const bytes = await (await fetch('/pixels')).arrayBuffer();
  const pixels = bits === 16 ? new Uint16Array(bytes) : new Uint8Array(bytes);
  const destination = pixels.slice();
  const gpu = new GpuLut(device, new Lut3D(size, Float32Array.from(data)));
  const rounds: number[] = [];
  for (let round = 0; round <= repeat; round++) {
    const start = performance.now();
    await gpu.apply(pixels, 3, { destination });
    rounds.push(performance.now() - start);
  }
  // In pieces: the browser's driver keeps the text of each request whole.
  const result = new Uint8Array(destination.buffer);
  for (let at = 0; at < result.length; at += PIECE) {
    await fetch('/result', { method: 'POST', body: result.slice(at, at + PIECE) });
  }
  return { adapter, times: rounds.slice(1) };
}

Object.assign(globalThis, { gpuPage: { compare, lose, time } });
