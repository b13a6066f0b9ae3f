import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SAMPLES, largest, openPanel } from './panelPage.mjs';
import { ready } from './photoshopChecks.mjs';

/* An answer belongs to the document that it was asked for: another photo comes in the middle of it. */

/** Begins a work, and lets something happen as soon as the page is at this stage of it. */
async function at(panel, stage, method) {
  await panel.page.evaluate(
    ([wanted, name]) => {
      const { controller } = window.veraRetouch;
      window.reached = new Promise((resolve) => {
        controller.store.listen(({ work }) => work === wanted && resolve(work));
      });
      void controller[name]();
    },
    [stage, method],
  );
  await panel.page.evaluate(() => window.reached);
}

async function openAnother(panel, file = 'mountain.jpg') {
  const base64 = readFileSync(join(SAMPLES, file)).toString('base64');
  await panel.page.evaluate(
    ([text, name]) => {
      const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
      void window.veraRetouch.controller.openPhoto({ name, bytes });
    },
    [base64, file],
  );
  await panel.until((state, name) => state.document?.name === name && state.proxy !== undefined, file);
}

async function untouched(panel) {
  await panel.page.waitForTimeout(1500);
  const { tries, current, texts } = await panel.state(({ tries, current, texts }) => ({ tries, current, texts }));
  assert.deepEqual([tries.length, current, texts], [0, undefined, {}]);
  assert.equal(largest(await panel.pixels('before'), await panel.pixels('after')), 0);
}

/** @type {Record<string, (world: import('./panel.mjs').World) => Promise<unknown>>} */
export const BELONGS = {
  async 'a photo opened while the model thinks or writes shows nothing of the one before'({ browser, served }) {
    const panel = await openPanel(browser, served);
    await panel.openPhoto();
    await panel.ready();
    for (const [stage, next] of [
      ['thinking', 'mountain.jpg'],
      ['writing', 'dandelions.jpg'],
    ]) {
      await at(panel, stage, 'retouch');
      await openAnother(panel, next);
      await untouched(panel);
    }
    await panel.retouch();
    const { name } = await panel.download(() => panel.button('Download PSD').click());
    assert.equal(name, 'dandelions-retouched.psd');
    return panel;
  },

  async 'a download goes on under its own name when another photo is opened'({ browser, served }) {
    const panel = await openPanel(browser, served);
    await panel.openPhoto();
    await panel.retouch();
    const download = panel.page.waitForEvent('download');
    await at(panel, 'applying', 'apply');
    await openAnother(panel);
    assert.equal((await download).suggestedFilename(), 'dandelions-retouched.psd');
    await panel.idle();
    await untouched(panel);
    return panel;
  },

  async 'sliders and the picture are those of the photo, and errors come into view and go'({ browser, served }) {
    const panel = await openPanel(browser, served);
    await panel.openPhoto();
    await panel.ready();
    await panel.adjust('Light: Exposure', 60);
    await panel.page.evaluate(() => document.querySelector('.scroll').scrollTo(0, 9999));
    for (let i = 0; i < 3; i++) {
      await panel.page.evaluate(
        (n) => void window.veraRetouch.controller.openPhoto({ name: `${n}.txt`, bytes: new Uint8Array(9) }),
        i,
      );
      await panel.page.getByText(`“${i}.txt”`).waitFor();
    }
    const alerts = panel.page.getByRole('alert');
    assert.equal(await alerts.count(), 1);
    const box = await alerts.first().boundingBox();
    const scroll = await panel.page.locator('.scroll').boundingBox();
    assert.ok(box.y >= scroll.y - 1 && box.y < scroll.y + scroll.height, 'the error is not in view');
    await openAnother(panel);
    assert.equal(await alerts.count(), 0);
    assert.deepEqual(await panel.state((state) => state.sliders), {});
    assert.equal(await panel.page.getByRole('slider', { name: 'Light: Exposure' }).inputValue(), '0');
    await untouched(panel);
    return panel;
  },

  async 'the second click of a double click on Try again does not cancel it'({ browser, served }) {
    const panel = await openPanel(browser, served);
    await panel.openPhoto();
    await panel.retouch();
    await panel.button('Try again').dblclick();
    await panel.until((state) => state.work === 'idle' && state.tries.length === 2);
    return panel;
  },

  async 'in Photoshop a document that is closed or left while the model works gives its answer to no other'({
    browser,
    plugin,
  }) {
    const ps = await ready(browser, plugin);
    const other = await ps.readable({ name: 'Other.psd' });
    await ps.ready();
    for (const leave of ['close', 'switch']) {
      const document = await ps.readable({ name: 'Mine.psd' });
      await at(ps, 'thinking', 'retouch');
      const { print } = other;
      if (leave === 'close') ps.world.ps.close(document);
      ps.world.ps.active = other;
      ps.world.ps.notify(leave === 'close' ? 'close' : 'select');
      await ps.until((state, id) => state.document?.id === id && state.proxy?.document.id === id, String(other.id));
      await untouched(ps);
      assert.ok(await ps.button('Apply as layer').isHidden());
      assert.ok(other.print === print, 'the other document was changed');
    }
    // What was made of a document is there again with it.
    await ps.retouch();
    await ps.readable({ name: 'Third.psd' });
    await untouched(ps);
    ps.world.ps.active = other;
    ps.world.ps.notify('select');
    await ps.until((state) => state.tries.length === 1 && state.proxy?.document.name === 'Other.psd');
    await ps.resting();
    assert.ok(largest(await ps.pixels('before'), await ps.pixels('after')) > 0);
    return ps;
  },
};
