import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FILE as NOTICES, bundledIn, noticesFor, packagesOf } from './notices/index.cjs';
import { ROOT } from './paths.mjs';

const require = createRequire(import.meta.url);
const { web } = require('../../webpack.config.js');

/** The one build of the runtime that runs on WebGPU and on wasm alike. */
const WASM = 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm';
const SHIPPED = join(ROOT, 'models');
const TINY = join(ROOT, 'test', 'fixtures', 'tiny-bundle');
/** Bytes in one chunk script: a multiple of 3, so that only the last one is padded. */
const CHUNK = 3 << 20;

export const TINY_NOTE =
  'There is no models/ here: the tiny bundle of random weights was taken, whose retouches mean nothing.';

/** The shipped model where there is one, else the tiny one of random weights. */
export function chooseModel() {
  return existsSync(join(SHIPPED, 'SHA256SUMS')) ? SHIPPED : TINY;
}

/** The folder of `--model DIR` on the command line, else that of `chooseModel`; ends the script where it is no bundle. */
export function modelOption() {
  const { values } = parseArgs({ options: { model: { type: 'string' } } });
  const model = values.model === undefined ? chooseModel() : resolve(values.model);
  if (existsSync(join(model, 'bundle.json'))) return model;
  console.error(`There is no model bundle in ${model}. Nothing was built. Give its folder: -- --model DIR`);
  process.exit(2);
}

/**
 * Builds the page into a folder, for the browser or for Photoshop's web view: page, worker, runtime and model, each file beside its chunk scripts for pages
 * that may load nothing but scripts.
 *
 * @param {string} folder is emptied first
 * @param {{model?: string, mode?: 'production' | 'development', host?: 'browser' | 'photoshop', plain?: boolean, chunks?: boolean}} options `plain`, `chunks`: false leaves those out
 */
export async function buildWeb(
  folder,
  { model = chooseModel(), mode = 'production', host = 'browser', plain = true, chunks = true } = {},
) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const folders = await bundle(folder, web(mode, host));
  copyFileSync(join(ROOT, 'src', 'panel', 'index.html'), join(folder, 'index.html'));
  const wasm = require.resolve(WASM);
  folders.push(...packagesOf(realpathSync(wasm), realpathSync(join(ROOT, 'node_modules'))));
  const assets = new Map([
    ['worker.js', join(folder, 'worker.js')],
    ['ort.wasm', wasm],
  ]);
  for (const name of readdirSync(model)) {
    if (!/\.(md|py)$/i.test(name)) assets.set(`model/${name}`, join(model, name));
  }
  for (const [name, file] of assets) {
    const bytes = readFileSync(file);
    if (chunks) writeChunks(folder, name, bytes);
    if (plain) put(join(folder, name), bytes);
    else rmSync(join(folder, name), { force: true });
  }
  writeNotices(folder, folders);
  return { folder, model, tiny: model === TINY, folders };
}

/**
 * Our own license, where the model comes from, and the notices of the packages in a product.
 *
 * @param {string} folder
 * @param {string[]} folders of the packages, as the lockfile names them
 */
export function writeNotices(folder, folders) {
  for (const name of ['LICENSE', 'NOTICE']) copyFileSync(join(ROOT, name), join(folder, name));
  writeFileSync(join(folder, NOTICES), noticesFor(ROOT, { folders }));
}

function writeChunks(folder, name, bytes) {
  const total = Math.max(1, Math.ceil(bytes.length / CHUNK));
  for (let index = 0; index < total; index++) {
    const text = bytes.subarray(index * CHUNK, (index + 1) * CHUNK).toString('base64');
    put(
      join(folder, 'chunks', `${name}.${index}.js`),
      `veraAsset(${JSON.stringify(name)},${index},${total},"${text}")`,
    );
  }
}

function put(file, content) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/**
 * Runs webpack on configurations, all into one folder. Throws with webpack's words where they do not compile.
 *
 * @returns {Promise<string[]>} the packages in the bundles, as the lockfile names their folders
 */
export async function bundle(folder, configurations) {
  const webpack = require('webpack');
  const compiler = webpack(configurations.map((config) => ({ ...config, output: { ...config.output, path: folder } })));
  const stats = await new Promise((resolve, reject) => {
    compiler.run((error, result) => (error ? reject(error) : resolve(result)));
  });
  const folders = stats.stats.flatMap(({ compilation }) => bundledIn(compilation, ROOT).folders);
  await new Promise((resolve) => compiler.close(resolve));
  if (stats.hasErrors()) throw new Error(stats.toString('errors-only'));
  return folders;
}
