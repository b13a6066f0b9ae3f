// Answers prompts with a bundle in Chromium: node test/browser/answerPrompts.mjs BUNDLE wasm|webgpu PROMPTS OUT
// PROMPTS and OUT as for scripts/answer-prompts.mjs, which does the same in Node. WebGPU may be Chromium's SwiftShader: right, and slow.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openPage } from '../../scripts/lib/chromium.mjs';
import { ROOT } from '../../scripts/lib/paths.mjs';
import { bundleForWeb } from '../../scripts/lib/web-bundle.mjs';

const RUNTIME = 'node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.wasm';

const [bundle, device, prompts, out] = process.argv.slice(2);
if (out === undefined || !['wasm', 'webgpu'].includes(device)) {
  console.error('Usage: node test/browser/answerPrompts.mjs BUNDLE wasm|webgpu PROMPTS OUT. Nothing was run.');
  process.exit(2);
}
const served = { '/runtime.wasm': readFileSync(join(ROOT, RUNTIME)), '/prompts.json': readFileSync(prompts) };
for (const name of readdirSync(bundle)) served[`/bundle/${name}`] = readFileSync(join(bundle, name));
const { page, close } = await openPage(await bundleForWeb('test/browser/promptPage.ts'), served);
page.setDefaultTimeout(0);
try {
  const result = await page.evaluate((own) => globalThis.answerPrompts(own), device);
  writeFileSync(out, JSON.stringify(result));
} finally {
  await close();
}
