import { loadTypeScript } from '../lib/load-ts.mjs';

export const description = 'a 33^3 LUT applied to 24 megapixels, one thread, against copying the same bytes';

const WIDTH = 6000;
const HEIGHT = 4000;
const MEGAPIXELS = (WIDTH * HEIGHT) / 1e6;

/** @returns medians in milliseconds; `timesCopy` is how many times longer than the copy in the same round */
export async function run({ repeat }) {
  const { Lut3D, formatCubeBytes } = loadTypeScript('src/color/index.ts');
  const lut = Lut3D.bake(33, (r, g, b) => [r ** 0.8, 0.9 * g + 0.1 * b, b ** 1.2]);
  const pixels8 = photoLikePixels();
  const results = { megapixels: MEGAPIXELS, lutSize: lut.size };
  results.rgb8 = measure(lut, pixels8, repeat);
  results.rgb16 = measure(lut, widened(pixels8), repeat);
  results.cubeText = { ms: median(times(repeat, () => formatCubeBytes(lut))) };
  return results;
}

function measure(lut, pixels, repeat) {
  const destination = new pixels.constructor(pixels.length);
  const copy = new pixels.constructor(pixels.length);
  // The first round compiles the loop and touches the pages; it is not counted.
  const rounds = Array.from({ length: repeat + 1 }, () => ({
    copyMs: time(() => copy.set(pixels)),
    ...timeBoth(() => lut.apply(pixels, 3, { destination })),
  })).slice(1);
  const applyMs = median(rounds.map((round) => round.applyMs));
  const applyCpuMs = median(rounds.map((round) => round.applyCpuMs));
  return {
    bytes: pixels.byteLength,
    applyMs,
    copyMs: median(rounds.map((round) => round.copyMs)),
    msPerMegapixel: applyMs / MEGAPIXELS,
    cpuMsPerMegapixel: applyCpuMs / MEGAPIXELS,
    timesCopy: median(rounds.map((round) => round.applyMs / round.copyMs)),
  };
}

/** The same picture at 16 bits with all levels in use. */
function widened(pixels8) {
  const pixels = new Uint16Array(pixels8.length);
  for (let i = 0; i < pixels.length; i++) pixels[i] = Math.min(65535, pixels8[i] * 257 + (i % 257));
  return pixels;
}

/** On a busy machine the processor time says what the work costs, the elapsed time what the wait was. */
function timeBoth(action) {
  const before = process.cpuUsage();
  const applyMs = time(action);
  const { user, system } = process.cpuUsage(before);
  return { applyMs, applyCpuMs: (user + system) / 1000 };
}

/** Smooth gradients with a little sensor-like noise, from a fixed seed: neighbours alike, few exact repeats. */
function photoLikePixels() {
  const pixels = new Uint8ClampedArray(WIDTH * HEIGHT * 3);
  let seed = 1;
  const noise = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed / 2 ** 32 - 0.5) * 8;
  };
  let i = 0;
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const light = 0.5 + 0.4 * Math.sin(x / 700) * Math.cos(y / 500);
      pixels[i++] = 255 * light + noise();
      pixels[i++] = 235 * light + 10 + noise();
      pixels[i++] = 200 * light + (40 * y) / HEIGHT + noise();
    }
  }
  return pixels;
}

function times(count, action) {
  action();
  return Array.from({ length: count }, () => time(action));
}

function time(action) {
  const start = performance.now();
  action();
  return performance.now() - start;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
