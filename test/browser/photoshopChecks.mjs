import assert from 'node:assert/strict';
import { FakeFile, PhotoshopPage } from './photoshopPage.mjs';

/* The packed plugin end to end: host script over the stand-in, bridge, packed page in Chromium, the model in its worker. */

export async function ready(browser, plugin, options) {
  const ps = await PhotoshopPage.open(browser, plugin, options);
  await ps.start();
  return ps;
}

/** Applies the try in front, and undoes: the layers come in one step of history, the bits come back. */
async function applyAndUndo(ps, document, wanted) {
  const [print, steps] = [document.print, document.history.length];
  await wanted.apply();
  assert.match(await ps.page.getByRole('status').textContent(), /^Applied: /);
  assert.equal(document.history.length, steps + 1);
  const group = document.state.layers.find(({ name }) => name.startsWith('VeraRetouch'));
  assert.ok(group, 'there is no group of ours');
  assert.notEqual(document.print, print);
  document.undo();
  assert.ok(document.print === print, 'the document is not as it was');
  document.history.splice(document.at + 1);
}

const MODES = {
  Auto: (ps) => ps.retouch(/^(Retouch|Try again)$/),
  Style: (ps) => ps.style('Warm evening light'),
  Adjust: (ps) => ps.adjust('Light: Contrast', 40),
};

/** @type {Record<string, (world: import('./panel.mjs').World) => Promise<unknown>>} */
export const PHOTOSHOP = {
  async 'in Photoshop every mode ends as a layer at 8 and 16 bits, and undo restores the bits'({ browser, plugin }) {
    const ps = await ready(browser, plugin);
    for (const bits of [8, 16]) {
      const document = await ps.readable({ bits, profile: bits === 8 ? 'sRGB IEC61966-2.1' : 'Adobe RGB (1998)' });
      for (const make of Object.values(MODES)) {
        await make(ps);
        await applyAndUndo(ps, document, { apply: () => ps.apply() });
        await applyAndUndo(ps, document, {
          apply: async () => {
            await ps.applyAs('Apply as pixel layer');
            await ps.page.waitForTimeout(50);
            await ps.idle();
          },
        });
      }
      await ps.mode('Auto');
    }
    assert.equal(ps.world.ps.imaging.alive.size, 0);
    return ps;
  },

  async 'in Photoshop a look is borrowed from another document'({ browser, plugin }) {
    const ps = await ready(browser, plugin);
    const other = await ps.readable({ name: 'Look.psd' });
    other.edit('Warm', (state) => {
      const { pixels } = state.layers[0];
      for (let i = 0; i < pixels.length; i += 4) pixels[i + 2] *= 0.4;
    });
    const document = await ps.readable({ name: 'Mine.psd' });
    await ps.mode('Match');
    await ps.page.getByRole('radio', { name: 'Open photo' }).click();
    await ps.button('Look.psd').click();
    await ps.retouch('Borrow this look');
    await applyAndUndo(ps, document, { apply: () => ps.apply() });
    return ps;
  },

  async 'in Photoshop a LUT is saved where the dialog says, and nothing when it is called off'({ browser, plugin }) {
    const ps = await ready(browser, plugin);
    const document = await ps.readable();
    await ps.retouch();
    const { print } = document;
    const file = new FakeFile('look.cube');
    ps.world.uxp.chosen.push(null, file);
    await ps.applyAs('Save .cube');
    await ps.until((state) => state.work === 'idle' && state.said !== '');
    assert.equal(file.content, '');
    await ps.applyAs('Save .cube');
    await ps.until((state) => state.said.startsWith('Applied'));
    assert.match(Buffer.from(file.content).toString(), /^LUT_3D_SIZE \d+$/m);
    assert.ok(document.print === print, 'the document is not as it was');
    return ps;
  },

  async 'in Photoshop documents of other modes are refused with a sentence that helps'({ browser, plugin }) {
    const ps = await ready(browser, plugin);
    const refused = [
      ['GRAYSCALE', 8],
      ['GRAYSCALE', 16],
      ['CMYK', 8],
      ['LAB', 16],
      ['INDEXEDCOLOR', 8],
      ['BITMAP', 1],
      ['RGB', 32],
    ];
    for (const [mode, bits] of refused) {
      const document = await ps.document({ mode, bits });
      const { print } = document;
      await ps.page.getByText('Image > Mode >').first().waitFor();
      assert.ok(await ps.button('Retouch').isDisabled(), `${mode} ${bits}`);
      assert.ok(document.print === print, 'the document is not as it was');
      assert.equal(document.history.length, 1);
    }
    await ps.readable();
    await ps.retouch();
    return ps;
  },

  async 'in Photoshop the page takes over theme and language'({ browser, plugin }) {
    const ps = await ready(browser, plugin, { locale: 'zh_CN' });
    await ps.page.getByRole('tab', { name: '自动', exact: true }).waitFor();
    for (const theme of ['lightest', 'light', 'darkest', 'dark']) {
      ps.world.document.setTheme(theme);
      await ps.page.waitForFunction((name) => document.querySelector('#panel').dataset.theme === name, theme);
    }
    return ps;
  },

  async 'in Photoshop a retouch is taken up again next week, and replaces its layer'({ browser, plugin }) {
    const ps = await ready(browser, plugin);
    const document = await ps.readable();
    await ps.retouch();
    await ps.slide('Amount', 60);
    await ps.resting();
    await ps.apply();
    const latents = await ps.state((state) => Array.from(state.tries[0].latents));
    const layers = document.state.layers.length;
    const applied = document.print;
    // Another day: the page knows nothing any more, the document does.
    await ps.kill();
    ps.world.panel.invokeMenu('reload');
    await ps.loadPage();
    await ps.until((state) => state.proxy !== undefined);
    if (await ps.state((state) => state.help)) await ps.start();
    assert.equal(await ps.state((state) => state.tries.length), 0);
    await ps.page.evaluate(() => void window.veraRetouch.controller.editLayer());
    await ps.until((state) => state.work === 'idle' && state.tries.length === 1);
    const taken = await ps.state((state) => ({
      latents: Array.from(state.tries[0].latents),
      overall: state.tries[0].overall,
    }));
    assert.equal(taken.overall, 0.6);
    taken.latents.forEach((value, i) => assert.ok(Math.abs(value - latents[i]) < 1e-6));
    await ps.slide('Amount', 20);
    await ps.resting();
    await ps.apply();
    assert.equal(document.state.layers.length, layers);
    assert.notEqual(document.print, applied);
    document.undo();
    assert.ok(document.print === applied, 'undo does not lead back to the first retouch');
    return ps;
  },

  async 'in Photoshop the menu commands retouch, and repeat on another document'({ browser, plugin }) {
    const ps = await ready(browser, plugin);
    await ps.readable();
    await ps.ready();
    await ps.world.entries.commands.autoRetouch.run();
    await ps.until((state) => state.work === 'idle' && state.tries.length === 1);
    const document = await ps.readable({ name: 'Second.psd' });
    const { print } = document;
    await ps.world.entries.commands.repeatRetouch.run();
    await ps.until((state) => state.work === 'idle' && state.said.startsWith('Applied'));
    assert.notEqual(document.print, print);
    document.undo();
    assert.ok(document.print === print, 'the document is not as it was');
    assert.deepEqual(ps.world.ps.alerts, []);
    return ps;
  },
};
