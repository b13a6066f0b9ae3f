import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ffmpeg, openColorIO, webgpu } from '../lib/lut-peers.mjs';
import { loadTypeScript } from '../lib/load-ts.mjs';

export const description =
  'a 33^3 LUT applied to 24 megapixels: ours on one thread, on all, on a GPU; FFmpeg, OpenColorIO, a plain copy';

const WIDTH = 6000;
const HEIGHT = 4000;
const MEGAPIXELS = (WIDTH * HEIGHT) / 1e6;

const { Lut3D, formatCubeBytes } = loadTypeScript('src/color/index.ts');
const { LutTables } = loadTypeScript('src/color/tables.ts');
const { byteLoop, wordLoop } = loadTypeScript('src/color/loops.ts');
const { LutWorkers } = loadTypeScript('src/host/files/lutWorkers.ts');

/**
 * Milliseconds are medians. `timesCopy` is how many times longer than a copy of the same bytes, `oursIsFaster` how many
 * times longer a peer takes than ours on one thread. FFmpeg's times are processor time of one thread. `largestDifference`
 * is in levels, between a peer's result and ours; FFmpeg does not round, so 1 is what it has.
 */
export async function run({ repeat }) {
  const lut = Lut3D.bake(33, (r, g, b) => [r ** 0.8, 0.9 * g + 0.1 * b, b ** 1.2]);
  const pixels8 = photoLikePixels();
  const folder = mkdtempSync(join(tmpdir(), 'veraretouch-lut-'));
  const workers = new LutWorkers(undefined, fileURLToPath(new URL('../lib/lut-worker.cjs', import.meta.url)));
  try {
    const cube = join(folder, 'lut.cube');
    writeFileSync(cube, formatCubeBytes(lut));
    const context = { lut, workers, repeat, job: { folder, cube, width: WIDTH, height: HEIGHT } };
    return {
      megapixels: MEGAPIXELS,
      lutSize: lut.size,
      loadAverage: loadavg()[0],
      rgb8: await measure(pixels8, context),
      rgb16: await measure(widened(pixels8), context),
      cubeText: { ms: median(times(repeat, () => formatCubeBytes(lut))) },
    };
  } finally {
    await workers.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(pixels, { lut, workers, repeat, job }) {
  const tables = new LutTables(lut.data, lut.size);
  const [destination, copy] = [new pixels.constructor(pixels.length), new pixels.constructor(pixels.length)];
  const threaded = pixels.slice();
  const photo = { data: threaded, channels: 3, width: WIDTH, height: HEIGHT };
  const rounds = [];
  // The first round compiles the loops, starts the threads and touches the pages; it is not counted.
  for (let round = 0; round <= repeat; round++) {
    console.error(`  ${pixels.BYTES_PER_ELEMENT * 8} bits: round ${round} of ${repeat}`);
    const copyMs = time(() => copy.set(pixels));
    const ours = timeBoth(() => lut.apply(pixels, 3, { destination }));
    const plainMs = time(() => plainLoop(tables, pixels, copy));
    threaded.set(pixels);
    const start = performance.now();
    await workers.apply(photo, lut);
    rounds.push({ copyMs, ...ours, plainMs, threadsMs: performance.now() - start });
  }
  rounds.shift();
  const oneThread = median(rounds.map((round) => round.applyMs));
  const own = (name) => ({
    ...perMegapixel(median(rounds.map((round) => round[name]))),
    timesCopy: median(rounds.map((round) => round[name] / round.copyMs)),
  });
  const peer = ({ skipped, times, result, ...about }) => {
    if (skipped) return { skipped };
    const ms = median(times);
    return {
      ...about,
      ...perMegapixel(ms),
      oursIsFaster: ms / oneThread,
      ...differences(result, destination),
    };
  };
  console.error('  peers');
  return {
    bytes: pixels.byteLength,
    copyMs: median(rounds.map((round) => round.copyMs)),
    oneThread: { ...own('applyMs'), cpuMsPerMegapixel: median(rounds.map((round) => round.applyCpuMs)) / MEGAPIXELS },
    plainLoop: { ...own('plainMs'), sameResult: differences(copy, destination).largestDifference === 0 },
    allThreads: {
      threads: availableParallelism(),
      ...own('threadsMs'),
      sameResult: differences(threaded, destination).largestDifference === 0,
    },
    webgpu: peer(await webgpu(lut, pixels, repeat)),
    ffmpegPacked: peer(ffmpeg(job, 'packed', pixels, repeat)),
    ffmpegPlanar: peer(ffmpeg(job, 'planar', pixels, repeat)),
    openColorIO: peer(openColorIO(job, pixels, repeat)),
  };
}

function plainLoop(tables, pixels, target) {
  if (pixels instanceof Uint16Array) wordLoop(tables.wide(), tables.size, pixels, target, 3, 65535);
  else byteLoop(tables.bytes(), tables.size, pixels, target, 3);
}

function perMegapixel(ms) {
  return { ms, msPerMegapixel: ms / MEGAPIXELS };
}

function differences(found, expected) {
  let largest = 0;
  let sum = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(found[i] - expected[i]);
    sum += difference;
    if (difference > largest) largest = difference;
  }
  return { largestDifference: largest, meanDifference: sum / expected.length };
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
  const clamped = new Uint8ClampedArray(WIDTH * HEIGHT * 3);
  let seed = 1;
  const noise = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed / 2 ** 32 - 0.5) * 8;
  };
  let i = 0;
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const light = 0.5 + 0.4 * Math.sin(x / 700) * Math.cos(y / 500);
      clamped[i++] = 255 * light + noise();
      clamped[i++] = 235 * light + 10 + noise();
      clamped[i++] = 200 * light + (40 * y) / HEIGHT + noise();
    }
  }
  return new Uint8Array(clamped.buffer);
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
