#!/usr/bin/env node
// Answers prompts with a bundle and tells how long each part took: what training's `export.quantise` judges.
// node scripts/answer-prompts.mjs BUNDLE node|wasm THREADS PROMPTS OUT
// PROMPTS is {"cases": [{mode, image?, instruction?, params?}]} in the form of a bundle's parity.json; OUT gets
// {"loadMs", "answers": [{tokens, reasoning, latents, timingsMs}]}. Before timing, the first prompt of each mode is answered once.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { loadTypeScript } from './lib/load-ts.mjs';

const [bundle, device, threads, prompts, out] = process.argv.slice(2);
if (out === undefined || !['node', 'wasm'].includes(device) || !(Number(threads) >= 1)) {
  console.error('Usage: node scripts/answer-prompts.mjs BUNDLE node|wasm THREADS PROMPTS OUT. Nothing was run.');
  process.exit(2);
}
const { createOrtBackend, Retoucher, parametersFromValues } = loadTypeScript('src/inference/index.ts');
const { loadNodeRuntime } = loadTypeScript('src/cli/nodeRuntime.ts');
const ort = device === 'node' ? await loadNodeRuntime() : createRequire(import.meta.url)('onnxruntime-web');
const source = { read: async (name) => new Uint8Array(readFileSync(join(bundle, name))) };
const retoucher = await Retoucher.load(source, createOrtBackend(ort, { device, threads: Number(threads) }), {
  verify: 'used',
});
const { cases } = JSON.parse(readFileSync(prompts, 'utf8'));

function answerTo({ mode, image, instruction, params }, change = 0) {
  if (mode === 'param') return retoucher.param(parametersFromValues(params));
  const data = new Uint8Array(Buffer.from(image.rgbBase64, 'base64'));
  // A photo that was just seen is known and not looked at again.
  data[0] ^= change;
  const photo = { width: image.width, height: image.height, data };
  return mode === 'style' ? retoucher.style(photo, instruction) : retoucher.auto(photo);
}

for (const mode of ['auto', 'style', 'param']) {
  const first = cases.find((item) => item.mode === mode);
  if (first) await answerTo(first, 1);
}
const answers = [];
for (const item of cases) {
  const { tokens, reasoning, latents, timingsMs } = await answerTo(item);
  answers.push({ tokens, reasoning, latents: Array.from(latents), timingsMs });
}
writeFileSync(out, JSON.stringify({ loadMs: retoucher.loadMs, answers }));
// onnxruntime's web build keeps workers alive.
process.exit(0);
