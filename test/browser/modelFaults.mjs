import assert from 'node:assert/strict';
import { openWith } from './modelChecks.mjs';
import { accept, another, damaged, inPhotoshop, offered, pickItem, put, told, used } from './modelPage.mjs';
import { ready } from './photoshopChecks.mjs';

/* What may go wrong with another model. Each time: the model before goes on, a sentence, and a retouch works. */

const without = (files, name) => new Map([...files].filter(([file]) => file !== name));
const BUILT_IN = /^veraretouch-/;

async function goesOn(panel, wanted) {
  await panel.until((state) => state.work === 'idle' && state.model !== undefined);
  if (wanted) assert.match(await told(panel), wanted);
  assert.equal(await panel.state((state) => state.chosen), undefined);
  assert.match(await panel.state((state) => state.model.model), BUILT_IN);
  await panel.retouch(/^(Retouch|Try again)$/);
}

/** Presses Esc when the page comes to this work. */
async function escapeAt(panel, work) {
  await panel.page.evaluate((stage) => {
    const stop = window.veraRetouch.controller.store.listen(({ work: now }) => {
      if (now !== stage) return;
      window.escapedAt = stage;
      setTimeout(() => {
        stop();
        document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
      });
    });
  }, work);
}

/** @type {Record<string, (world: import('./panel.mjs').World) => Promise<unknown>>} */
export const MODELS_FAULTS = {
  async 'a damaged or incomplete model is refused, and the one before goes on'({ browser, served }) {
    const panel = await openWith(browser, served, without(another(), 'vision.onnx'));
    await panel.openPhoto();
    await pickItem(panel, 'Use another model…');
    await panel.until((state) => state.work === 'idle' && state.notices.length > 0);
    await goesOn(panel, /error: There is no file vision\.onnx/);
    await put(panel, new Map([['holiday.jpg', new Uint8Array(9)]]));
    await pickItem(panel, 'Use another model…');
    await panel.until((state) => state.work === 'idle' && state.notices.length > 0);
    await goesOn(panel, /error: The bundle has no file SHA256SUMS/);
    await put(panel, damaged(another(), 'LICENSE-MODEL.txt'));
    await pickItem(panel, 'Use another model…');
    await panel.until((state) => state.work === 'idle' && state.notices.length > 0);
    await goesOn(panel, /error: The file LICENSE-MODEL\.txt .* is not the one/);
    await put(panel, damaged(another(), 'decoder.onnx'));
    await offered(panel);
    await panel.button('Accept and use').click();
    await panel.until((state) => state.work === 'idle' && state.notices.length > 1);
    await goesOn(
      panel,
      /error: The file decoder\.onnx .* is not the one[^]*info: The model that was in use before goes on/,
    );
    return panel;
  },

  async 'a model that is cancelled while it is loaded leaves the one before in use'({ browser, served }) {
    const panel = await openWith(browser, served, another());
    await panel.openPhoto();
    await panel.ready();
    await panel.retouch();
    const tries = await panel.state((state) => state.tries.length);
    await offered(panel);
    await escapeAt(panel, 'loading');
    await panel.button('Accept and use').click();
    await panel.until((state) => state.work === 'idle' && state.said === 'Cancelled. Nothing was changed.');
    assert.equal(await panel.page.evaluate(() => window.escapedAt), 'loading');
    assert.equal(await panel.state((state) => state.tries.length), tries);
    await goesOn(panel);
    // The licence was accepted: it is not asked about again.
    await offered(panel);
    await panel.button('Use').click();
    await used(panel, 'another 2.0.0');
    return panel;
  },

  async 'a folder that the browser asks about again is read after a click, and not when that is refused'({
    browser,
    served,
  }) {
    const panel = await openWith(browser, served, another());
    await offered(panel);
    await accept(panel);
    await panel.page.evaluate(() => window.localStorage.setItem('asks', 'no'));
    await panel.page.reload();
    await panel.ready();
    assert.match(await told(panel), /info: The model in “My model” was used last time/);
    await panel.button('Use the model of last time').click();
    await panel.until((state) => state.notices.some(({ kind }) => kind === 'warning'));
    assert.equal(await panel.state((state) => state.chosen), undefined);
    await panel.page.evaluate(() => window.localStorage.setItem('asks', 'yes'));
    await panel.page.reload();
    await panel.ready();
    await panel.button('Use the model of last time').click();
    await used(panel, 'another 2.0.0');
    return panel;
  },

  async 'in Photoshop a folder that is gone is said at the start, and the built-in model is used'({ browser, plugin }) {
    const ps = await ready(browser, plugin);
    const folder = inPhotoshop(another());
    ps.world.uxp.chosenFolders.push(folder);
    await offered(ps);
    await accept(ps);
    folder.gone = true;
    const again = async () => {
      await ps.kill();
      ps.world.panel.invokeMenu('reload');
      await ps.loadPage();
      await ps.until((state) => state.work === 'idle' && state.model !== undefined);
    };
    await again();
    assert.match(await told(ps), /error: The folder "My model" of the model that was used last cannot be reached/);
    await ps.readable();
    await goesOn(ps);
    // Its disk is there again.
    folder.gone = false;
    await pickItem(ps, 'Use the model of last time');
    await used(ps, 'another 2.0.0');
    folder.gone = true;
    await again();
    await pickItem(ps, 'Use the built-in model');
    await ps.until((state) => state.work === 'idle' && !state.lastTime);
    await again();
    assert.equal(await told(ps), '');
    return ps;
  },

  async 'in Photoshop a model is damaged or cancelled on its way over the bridge, and the one before goes on'({
    browser,
    plugin,
  }) {
    const ps = await ready(browser, plugin);
    await ps.readable();
    const broken = inPhotoshop(another());
    broken.files.get('decoder.onnx').failure = new Error('Input/output error.');
    ps.world.uxp.chosenFolders.push(broken, inPhotoshop(another()));
    await offered(ps);
    await ps.button('Accept and use').click();
    await ps.until((state) => state.work === 'idle' && state.notices.length > 1);
    await goesOn(ps, /error: .*decoder\.onnx.*Input\/output error/);
    await offered(ps);
    await escapeAt(ps, 'loading');
    await ps.button('Use').click();
    await ps.until((state) => state.work === 'idle' && state.said === 'Cancelled. Nothing was changed.');
    await goesOn(ps);
    return ps;
  },
};
