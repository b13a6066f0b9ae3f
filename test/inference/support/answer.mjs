#!/usr/bin/env node
// Answers the inputs of a parity.json with a bundle, in a process of its own, for onnxruntime's web build cannot be loaded
// into a test runner's sandbox: node answer.mjs BUNDLE node|wasm INPUTS OUT
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { loadTypeScript } from '../../../scripts/lib/load-ts.mjs';

const [bundle, device, inputs, out] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const { createOrtBackend, Retoucher } = loadTypeScript('src/inference/index.ts');
const { loadNodeRuntime } = loadTypeScript('src/cli/nodeRuntime.ts');
const { answerTo } = loadTypeScript('test/inference/support/parity.ts');

const ort = device === 'node' ? await loadNodeRuntime() : require('onnxruntime-web');
const source = { read: async (name) => new Uint8Array(readFileSync(join(bundle, name))) };
const retoucher = await Retoucher.load(source, createOrtBackend(ort, { device, threads: 1 }));
const cases = [];
for (const item of JSON.parse(readFileSync(inputs, 'utf8')).cases) {
  const { tokenIds, latents } = await answerTo(retoucher, item);
  const colours = await retoucher.renderColours(Float32Array.from(item.render.flatMap(({ rgb }) => rgb)), latents);
  const render = item.render.map(({ rgb }, i) => ({ rgb, out: Array.from(colours.subarray(3 * i, 3 * i + 3)) }));
  cases.push({ ...item, tokens: [...tokenIds], latents: Array.from(latents), render });
}
await retoucher.dispose();
writeFileSync(out, JSON.stringify({ cases }));
// onnxruntime's web build keeps workers alive.
process.exit(0);
