import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTypeScript } from '../../scripts/lib/load-ts.mjs';
import { buildWeb } from '../../scripts/lib/web-build.mjs';
import { serveFolder } from '../../scripts/start.mjs';
import { PHOTO, largest, openPanel } from './panelPage.mjs';
import { checkPsd } from './panelResults.mjs';

/* The way of a person from a large photo to a layered file. `--model DIR` takes it with a trained model. */

const sharp = createRequire(import.meta.url)('sharp');
const { PARAMETER_NAMES } = loadTypeScript('src/inference/params.ts');
const [WIDTH, HEIGHT] = [6000, 4000];

/** @type {Record<string, (world: import('./panel.mjs').World) => Promise<unknown>>} */
export const WHOLE = {
  async 'a photo of 24 megapixels is retouched and saved whole, its reasoning streamed'({ browser, served }) {
    const panel = await openPanel(browser, served);
    panel.page.setDefaultTimeout(240_000);
    const photo = await sharp(PHOTO).resize(WIDTH, HEIGHT, { fit: 'fill' }).jpeg({ quality: 90 }).toBuffer();
    await panel.openPhoto({ name: 'large.jpg', mimeType: 'image/jpeg', buffer: photo });
    await panel.ready();
    // How much stood there at each moment that something was added.
    await panel.page.evaluate(() => {
      window.streamed = [];
      window.veraRetouch.controller.store.listen(({ texts }) => {
        window.streamed.push(Object.values(texts).join('').length);
      });
    });
    await panel.retouch();
    const lengths = await panel.page.evaluate(() => [...new Set(window.streamed)]);
    assert.ok(lengths.length > 5, `the words came in ${lengths.length} steps`);
    await checkPsd(panel, { name: 'large-retouched.psd', width: WIDTH, height: HEIGHT, photo });
    return panel;
  },

  async 'the model that is shipped runs in every mode'({ browser }) {
    const folder = mkdtempSync(join(tmpdir(), 'veraretouch-shipped-'));
    await buildWeb(folder, { mode: 'development', chunks: false });
    const { address, close } = await serveFolder(folder);
    try {
      const panel = await openPanel(browser, address);
      panel.page.setDefaultTimeout(120_000);
      await panel.openPhoto();
      await panel.retouch();
      await panel.wordsSlidersAndMatch();
      assert.deepEqual(await panel.state((state) => state.notices.filter(({ kind }) => kind === 'error')), []);
      const made = await panel.state((state) =>
        state.tries.map(({ mode, texts }) => [mode, Object.keys(texts).length > 0]),
      );
      assert.deepEqual(made, [
        ['auto', true],
        ['style', true],
        ['adjust', false],
        ['adjust', true],
        ['match', false],
      ]);
      return panel;
    } finally {
      await close();
      rmSync(folder, { recursive: true, force: true });
    }
  },

  async 'the preview moves with each of the 38 sliders'({ browser, served }) {
    const panel = await openPanel(browser, served);
    await panel.openPhoto();
    await panel.ready();
    await panel.mode('Adjust');
    const still = [];
    for (const name of PARAMETER_NAMES) {
      await panel.page.evaluate((slider) => window.veraRetouch.controller.setSliders({ [slider]: 80 }), name);
      await panel.resting();
      if (largest(await panel.pixels('before'), await panel.pixels('after')) === 0) still.push(name);
    }
    assert.deepEqual(still, []);
    return panel;
  },
};
