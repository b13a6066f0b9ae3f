import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { median, rounded } from '../lib/figures.mjs';
import { loadTypeScript } from '../lib/load-ts.mjs';
import { ROOT } from '../lib/paths.mjs';

export const description =
  'the shipped model on one sample photo: load, look, prefill, decode, time to the picture, render, --fast (Node, CPU)';

const { loadNodeRuntime } = loadTypeScript('src/cli/nodeRuntime.ts');

/** Another bundle than the shipped one: VERARETOUCH_BENCH_MODEL. */
const BUNDLE = process.env.VERARETOUCH_BENCH_MODEL ?? join(ROOT, 'models');
const PHOTO = join(ROOT, 'samples', 'mountain.jpg');

/**
 * Each round starts from nothing: the bundle is read and verified again and every session is made anew. Files are in
 * the system's cache from the second round on. `pictureMs`: until the latents, without loading; `fastTotalMs`: the answer of
 * `--fast` with its LUT. @returns medians in milliseconds, and the rounds
 */
export async function run({ repeat }) {
  for (const needed of [join(BUNDLE, 'bundle.json'), PHOTO]) {
    if (!existsSync(needed)) return { skipped: `${relative(ROOT, needed)} is not there` };
  }
  const require = createRequire(import.meta.url);
  const sharp = require('sharp');
  const { data, info } = await sharp(PHOTO)
    .resize(1024, 1024, { fit: 'inside', withoutEnlargement: true })
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const image = { width: info.width, height: info.height, data: new Uint8Array(data) };
  const inference = loadTypeScript('src/inference/index.ts');
  const backend = inference.createOrtBackend(await loadNodeRuntime(), { device: 'node' });

  const rounds = [];
  for (let i = 0; i < repeat; i++) {
    rounds.push(await round(inference, backend, image));
    console.error(`  round ${i + 1} of ${repeat}: ${JSON.stringify(rounds.at(-1))}`);
  }
  const medians = Object.fromEntries(Object.keys(rounds[0]).map((key) => [key, median(rounds.map((r) => r[key]))]));
  return { photo: `${image.width} x ${image.height}`, ...rounded(medians), rounds };
}

async function round({ Retoucher, parametersFromSliders }, backend, image) {
  const source = { read: (name) => readFile(join(BUNDLE, name)) };
  const started = performance.now();
  const retoucher = await Retoucher.load(source, backend);
  const cold = await retoucher.auto(image);
  const rendering = performance.now();
  await retoucher.bakeLut(cold.latents);
  const coldEnd = performance.now();

  // Not the same photo, which would be known and not looked at.
  const other = { ...image, data: image.data.map((value, i) => (i === 0 ? value ^ 1 : value)) };
  const warmStart = performance.now();
  const warm = await retoucher.auto(other);
  const warmAnswer = performance.now();
  await retoucher.bakeLut(warm.latents);
  const warmEnd = performance.now();

  // Only where the model gives the picture first; a photo that is known would not be looked at.
  let fast;
  if (retoucher.capabilities.pictureFirst) {
    const third = { ...image, data: image.data.map((value, i) => (i === 1 ? value ^ 1 : value)) };
    const fastStart = performance.now();
    const { latents } = await retoucher.auto(third, { wordless: true });
    await retoucher.bakeLut(latents);
    fast = performance.now() - fastStart;
  }

  // What it costs to keep the words to what the picture shows: the same answer, a fourth photo, by the model left to itself.
  const fourth = { ...image, data: image.data.map((value, i) => (i === 2 ? value ^ 1 : value)) };
  const free = await retoucher.auto(fourth, { unchecked: true });

  const parameters = parametersFromSliders({ Exposure2012: 30, Saturation: -20, HueAdjustmentBlue: 40 });
  await retoucher.sliders(parameters);
  const sliderStart = performance.now();
  await retoucher.bakeLut(await retoucher.sliders(parameters));
  const sliderMs = performance.now() - sliderStart;
  await retoucher.dispose();
  return rounded({
    coldTotalMs: coldEnd - started,
    loadMs: retoucher.loadMs + cold.timingsMs.load,
    coldRenderMs: coldEnd - rendering,
    warmTotalMs: warmEnd - warmStart,
    visionMs: warm.timingsMs.vision,
    prefillMs: warm.timingsMs.prefill,
    decodeMs: warm.timingsMs.decode,
    pictureMs: warm.timingsMs.picture,
    ...(fast === undefined ? {} : { fastTotalMs: fast }),
    tokens: warm.tokens,
    uncheckedDecodeMs: free.timingsMs.decode,
    uncheckedTokens: free.tokens,
    tokensPerSecond: (1000 * warm.tokens) / warm.timingsMs.decode,
    renderMs: warmEnd - warmAnswer,
    sliderToLutMs: sliderMs,
  });
}
