import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { loadTypeScript } from './load-ts.mjs';
import { ROOT } from './paths.mjs';

const TINY = join(ROOT, 'test', 'fixtures', 'tiny-bundle');
const SHIPPED = join(ROOT, 'models');
const { loadNodeRuntime } = loadTypeScript('src/cli/nodeRuntime.ts');
const require = createRequire(import.meta.url);

/** The shipped model where there is one, else the tiny one of random weights; which one is said in what a bench prints. */
export async function openModel() {
  const shipped = existsSync(join(SHIPPED, 'bundle.json'));
  const folder = shipped ? SHIPPED : TINY;
  const { Retoucher, createOrtBackend } = loadTypeScript('src/inference/index.ts');
  const backend = createOrtBackend(await loadNodeRuntime(), { device: 'node' });
  const retoucher = await Retoucher.load({ read: (name) => readFile(join(folder, name)) }, backend);
  return { retoucher, model: shipped ? 'shipped' : 'tiny, random weights' };
}

/** Up to `most` pictures of a folder, evenly chosen by name, long edge at most `edge`: { name, width, height, data (RGB) }. */
export async function readPictures(folder = join(ROOT, 'samples'), most = Infinity, edge = 256) {
  const sharp = require('sharp');
  const files = readdirSync(folder)
    .filter((file) => /\.(jpe?g|png|tiff?|webp)$/i.test(file))
    .sort();
  const step = Math.max(1, files.length / most);
  const chosen = Array.from({ length: Math.min(most, files.length) }, (_, i) => files[Math.floor(i * step)]);
  return Promise.all(
    chosen.map(async (name) => {
      const { data, info } = await sharp(join(folder, name))
        .rotate()
        .resize(edge, edge, { fit: 'inside', withoutEnlargement: true })
        .removeAlpha()
        .toColourspace('srgb')
        .raw()
        .toBuffer({ resolveWithObject: true });
      return { name, width: info.width, height: info.height, data: new Uint8Array(data) };
    }),
  );
}
