import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { initializeCanvas, readPsd } from 'ag-psd';
import { loadTypeScript } from '../../scripts/lib/load-ts.mjs';
import { GPU_MS, PHOTO, cosine, largest, openPanel } from './panelPage.mjs';

/* What comes out of the page, read by others: layered files, pictures, LUTs; on a server and from a file; on both devices. */

const sharp = createRequire(import.meta.url)('sharp');
const { parseCube, Lut3D } = loadTypeScript('src/color/index.ts');
const noCanvas = () => {
  throw new Error('there is no canvas here');
};
initializeCanvas(noCanvas, (width, height) => ({ width, height, data: new Uint8ClampedArray(width * height * 4) }));

async function rgbOf(input) {
  const { data } = await sharp(input).removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  return new Uint8Array(data);
}

/** Three of four channels. */
function opaque({ data }) {
  return Uint8Array.from({ length: (data.length / 4) * 3 }, (_, i) => data[Math.floor(i / 3) * 4 + (i % 3)]);
}

async function retouched(browser, address) {
  const panel = await openPanel(browser, address);
  await panel.openPhoto();
  await panel.retouch();
  return panel;
}

/** The layered file of the try in front, as an independent reader finds it. */
export async function checkPsd(
  panel,
  { name: wantedName = 'dandelions-retouched.psd', photo = PHOTO, width, height } = {},
) {
  const { name, bytes } = await panel.download(() => panel.button('Download PSD').click());
  assert.equal(name, wantedName);
  const psd = readPsd(bytes, { useImageData: true });
  if (width) assert.deepEqual([psd.width, psd.height], [width, height]);
  const [background, group] = psd.children;
  assert.deepEqual(
    [background.name, group.name, ...group.children.map((layer) => layer.name)],
    ['Background', 'VeraRetouch', 'Color Lookup', 'Retouched pixels'],
  );
  assert.equal(group.children[1].hidden, true);
  const original = await rgbOf(photo);
  // The browser's JPEG decoder is not the image library's: off by little where chroma is upsampled.
  const differences = opaque(background.imageData).map((value, i) => Math.abs(value - original[i]));
  assert.ok(differences.reduce((sum, value) => sum + value, 0) / differences.length < 1);
  const { adjustment } = group.children[0];
  assert.equal(adjustment.type, 'color lookup');
  assert.ok(adjustment.profile.length > 200_000, 'the DeviceLink profile that Photoshop renders from is missing');
  const { lut } = parseCube(Buffer.from(adjustment.lut3DFileData).toString());
  const wanted = new Lut3D(lut.size, lut.data).apply(opaque(background.imageData), 3);
  assert.ok(largest(wanted, opaque(group.children[1].imageData)) <= 1);
  assert.equal(largest(opaque(group.children[1].imageData), opaque(psd.imageData)), 0);
  assert.ok(largest(wanted, opaque(background.imageData)) > 10);
  const { elements } = await panel.state((state) => state.tries[0].texts);
  assert.ok(psd.imageResources.xmpMetadata.includes(`In the photo: ${elements}`.slice(0, 18)));
  assert.ok(psd.imageResources.xmpMetadata.includes('veraretouch-panel-1'));
}

/** @type {Record<string, (world: import('./panel.mjs').World) => Promise<unknown>>} */
export const RESULTS = {
  async 'Apply downloads a PSD that others read as it is meant'({ browser, served }) {
    const panel = await retouched(browser, served);
    await checkPsd(panel);
    assert.match(await panel.page.getByRole('status').textContent(), /^Applied: Download PSD/);
    return panel;
  },

  async 'PNG and .cube say the same, at the strengths that were set'({ browser, served }) {
    const panel = await retouched(browser, served);
    await panel.slide('Amount', 50);
    await panel.resting();
    const cube = await panel.download(() => panel.applyAs('Save .cube'));
    await panel.idle();
    const png = await panel.download(() => panel.applyAs('Download PNG'));
    const { lut } = parseCube(cube.bytes.toString());
    const photo = await rgbOf(PHOTO);
    const after = new Lut3D(lut.size, lut.data).apply(photo.slice(), 3);
    const { info } = await sharp(png.bytes).raw().toBuffer({ resolveWithObject: true });
    const { width, height } = await sharp(PHOTO).metadata();
    // The file has the photo's own size, not that of the preview.
    assert.deepEqual([info.width, info.height], [width, height]);
    // The browser and libvips decode a JPEG a few levels apart.
    assert.ok(largest(after, await rgbOf(png.bytes)) <= 6);
    assert.ok(largest(after, photo) > 10);
    assert.ok((await sharp(png.bytes).metadata()).xmp.toString().includes('veraretouch'));
    return panel;
  },

  async 'the page works from a file, where only scripts can be loaded'({ browser, local }) {
    const panel = await retouched(browser, local);
    assert.equal(await panel.page.evaluate(() => location.protocol), 'file:');
    await checkPsd(panel);
    return panel;
  },

  async 'WebGPU and wasm give the same latents, and the page says which it uses'({ browser, served }) {
    const found = {};
    let panel;
    for (const device of ['wasm', 'webgpu']) {
      panel = await openPanel(browser, served, { query: `lang=en&device=${device}` });
      panel.page.setDefaultTimeout(GPU_MS);
      await panel.openPhoto();
      await panel.retouch();
      const { latents, rung } = await panel.state((state) => ({
        latents: Array.from(state.tries[0].latents),
        rung: state.model.device,
      }));
      assert.equal(rung, device);
      found[device] = latents;
      const status = await panel.page.locator('.status-text').textContent();
      assert.ok(status.includes(device === 'webgpu' ? 'WebGPU' : 'processor'), status);
    }
    const agreement = cosine(found.wasm, found.webgpu);
    assert.ok(agreement >= 0.99, `cosine ${agreement}`);
    return panel;
  },

  async 'a graphics card that is only a program is passed over without a word of alarm'({ browser, served }) {
    const panel = await openPanel(browser, served, { query: 'lang=en' });
    await panel.ready();
    const { device, refused } = await panel.state((state) => state.model);
    assert.equal(device, 'wasm');
    assert.deepEqual(
      refused.map(({ why }) => why),
      ['missing'],
    );
    assert.equal(await panel.page.getByRole('alert').count(), 0);
    return panel;
  },
};
