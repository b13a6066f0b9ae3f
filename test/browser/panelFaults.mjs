import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GPU_MS, SAMPLES, openPanel } from './panelPage.mjs';

/* What may go wrong: cancelled work, devices that lie or go away, missing files, no storage. The next run works each time. */

/** Changes the worker's script on its way, for what happens only inside it. */
function patchWorker(code) {
  return (page) =>
    page.route('**/worker.js', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `${code}\n${await response.text()}` });
    });
}

/** The devices that the worker made, where the test can reach them. */
const KEEP_DEVICES = `
globalThis.devices = [];
const request = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function (...rest) {
  const device = await request.apply(this, rest);
  globalThis.devices.push(device);
  return device;
};`;

/** Every number that comes back from the device is off. */
const WRONG_NUMBERS = `
const range = GPUBuffer.prototype.getMappedRange;
GPUBuffer.prototype.getMappedRange = function (...rest) {
  const bytes = range.apply(this, rest);
  if (this.usage & GPUBufferUsage.MAP_READ) new Float32Array(bytes).forEach((v, i, a) => { a[i] = i % 2 ? -v : 2; });
  return bytes;
};`;

async function cancelAt(panel, work, begin) {
  const tries = await panel.state((state) => state.tries.length);
  // In the page: from outside a stage may be over before it is seen.
  await panel.page.evaluate((stage) => {
    const { controller } = window.veraRetouch;
    const stop = controller.store.listen(({ work: now }) => {
      if (now === stage) {
        window.cancelledAt = stage;
        setTimeout(() => document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' })));
      }
    });
    window.stopListening = stop;
  }, work);
  await begin();
  await panel.until((state) => state.work === 'idle' && state.said === 'Cancelled. Nothing was changed.');
  await panel.page.evaluate(() => window.stopListening());
  assert.equal(await panel.page.evaluate(() => window.cancelledAt), work);
  assert.equal(await panel.state((state) => state.tries.length), tries);
  await panel.page.evaluate(() => window.veraRetouch.controller.store.set({ said: '' }));
}

/** @type {Record<string, (world: import('./panel.mjs').World) => Promise<unknown>>} */
export const FAULTS = {
  async 'Esc at each stage changes nothing, and the next run works'({ browser, served }) {
    const panel = await openPanel(browser, served);
    await panel.openPhoto();
    const begin = () => panel.page.evaluate(() => void window.veraRetouch.controller.retouch());
    const apply = () => panel.page.evaluate(() => void window.veraRetouch.controller.apply());
    const stage = await panel.state((state) => (state.model ? 'thinking' : 'starting'));
    await cancelAt(panel, stage, begin);
    await panel.ready();
    for (const work of ['reading', 'thinking', 'writing']) await cancelAt(panel, work, begin);
    await panel.retouch();
    let downloads = 0;
    panel.page.on('download', () => downloads++);
    await cancelAt(panel, 'applying', apply);
    assert.equal(downloads, 0);
    await panel.download(() => panel.button('Download PSD').click());
    return panel;
  },

  async 'the Cancel button is there while the model writes'({ browser, served }) {
    const panel = await openPanel(browser, served);
    await panel.openPhoto();
    // The start takes long enough to be seen.
    await panel.button('Retouch').click();
    await panel.button('Cancel').click();
    await panel.idle();
    assert.equal(await panel.state((state) => state.tries.length), 0);
    await panel.retouch();
    return panel;
  },

  async 'a device that gives wrong numbers is given up loudly'({ browser, served }) {
    const panel = await openPanel(browser, served, {
      query: 'lang=en&device=webgpu',
      before: patchWorker(WRONG_NUMBERS),
    });
    panel.page.setDefaultTimeout(GPU_MS);
    await panel.openPhoto();
    await panel.ready();
    assert.equal(await panel.state((state) => state.model.device), 'wasm');
    assert.deepEqual(await panel.state((state) => state.model.refused.map(({ why }) => why)), ['wrong']);
    assert.match(await panel.page.getByRole('alert').textContent(), /gave wrong numbers .* processor is used/);
    await panel.retouch();
    return panel;
  },

  async 'a device that is lost is given up, and the next run works'({ browser, served }) {
    const panel = await openPanel(browser, served, {
      query: 'lang=en&device=webgpu',
      before: patchWorker(KEEP_DEVICES),
    });
    panel.page.setDefaultTimeout(GPU_MS);
    await panel.openPhoto();
    await panel.ready();
    assert.equal(await panel.state((state) => state.model.device), 'webgpu');
    await panel.page.workers()[0].evaluate(() => globalThis.devices.forEach((device) => device.destroy()));
    await panel.retouch();
    assert.equal(await panel.state((state) => state.model.device), 'wasm');
    return panel;
  },

  async 'a missing file of the model is named, and nothing hangs'({ browser, served }) {
    const panel = await openPanel(browser, served, {
      before: (page) => page.route(/vision\.onnx/, (route) => route.abort()),
    });
    await panel.openPhoto();
    const alert = panel.page.getByRole('alert').first();
    await alert.waitFor();
    assert.match(await alert.textContent(), /vision\.onnx/);
    await panel.page.unroute(/vision\.onnx/);
    await panel.retouch();
    return panel;
  },

  async 'a model whose bytes were changed is refused'({ browser, served }) {
    const panel = await openPanel(browser, served, {
      before: (page) =>
        page.route('**/model/decoder.onnx', async (route) => {
          const response = await route.fetch();
          const body = await response.body();
          body[body.length - 5] ^= 1;
          await route.fulfill({ response, body });
        }),
    });
    const alert = panel.page.getByRole('alert').first();
    await alert.waitFor();
    assert.match(await alert.textContent(), /decoder\.onnx/);
    return panel;
  },

  async 'what is no picture is refused with a sentence that helps'({ browser, served }) {
    const panel = await openPanel(browser, served);
    const [chooser] = await Promise.all([
      panel.page.waitForEvent('filechooser'),
      panel.button('Open a photo…').click(),
    ]);
    await chooser.setFiles(join(SAMPLES, 'params.json'));
    const alert = panel.page.getByRole('alert').first();
    await alert.waitFor();
    assert.match(await alert.textContent(), /no picture that this browser can read.*JPEG/);
    await panel.openPhoto();
    return panel;
  },

  async 'a dropped photo is opened'({ browser, served }) {
    const panel = await openPanel(browser, served);
    const base64 = readFileSync(join(SAMPLES, 'mountain.jpg')).toString('base64');
    await panel.page.evaluate(async (text) => {
      const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([bytes], 'mountain.jpg', { type: 'image/jpeg' }));
      document
        .querySelector('.preview')
        .dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    }, base64);
    await panel.until((state) => state.document?.name === 'mountain.jpg' && state.proxy?.width === 1024);
    return panel;
  },

  async 'without storage the page works all the same'({ browser, served }) {
    const panel = await openPanel(browser, served, {
      before: (page) =>
        page.addInitScript(() => {
          Object.defineProperty(window, 'localStorage', {
            get: () => {
              throw new DOMException('no storage', 'SecurityError');
            },
          });
        }),
    });
    await panel.openPhoto();
    await panel.mode('Style');
    await panel.button('Golden hour, warm and soft').click();
    await panel.retouch();
    return panel;
  },

  async 'nothing that a web view of Photoshop chokes on is in the page'({ browser, served }) {
    const panel = await openPanel(browser, served);
    await panel.openPhoto();
    await panel.retouch();
    for (const mode of ['Auto', 'Style', 'Adjust', 'Match']) {
      await panel.mode(mode);
      const found = await panel.page.evaluate(
        () => document.querySelectorAll('select, input[type=color], [title], iframe, a[target], dialog').length,
      );
      assert.equal(found, 0, mode);
    }
    return panel;
  },

  async 'it fits from 230 pixels on, in both languages'({ browser, served }) {
    let panel;
    for (const lang of ['en', 'zh']) {
      panel = await openPanel(browser, served, { viewport: { width: 230, height: 700 }, query: `device=wasm&lang=en` });
      await panel.openPhoto();
      await panel.retouch();
      if (lang === 'zh') {
        await panel.page.goto(`${served}?device=wasm&lang=zh`);
        assert.equal(await panel.page.getByRole('tab', { name: '自动' }).getAttribute('aria-selected'), 'true');
      }
      for (const tab of await panel.page.getByRole('tab').all()) {
        await tab.click();
        const wide = await panel.page.evaluate(() => {
          const out = [...document.querySelectorAll('main *')].filter((element) => {
            const { right, width } = element.getBoundingClientRect();
            return width > 1 && right > innerWidth + 0.5 && !element.closest('.strip, .stage');
          });
          return out.map((element) => element.className || element.tagName);
        });
        assert.deepEqual(wide, [], `${lang}: ${await tab.textContent()}`);
      }
    }
    return panel;
  },
};
