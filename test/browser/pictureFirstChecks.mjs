import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPsd } from 'ag-psd';
import { ROOT } from '../../scripts/lib/paths.mjs';
import { offered, put, used, withPicker } from './modelPage.mjs';
import { axe, overflowing } from './panelLooks.mjs';
import { largest, openPanel } from './panelPage.mjs';

/* A model that gives the picture before its words, chosen from a folder. */

const FOLDER = join(ROOT, 'test', 'fixtures', 'tiny-first');
const NAME = 'veraretouch-tiny 0.1.0';

/** The small model writes as slowly as a large one: each run of a graph waits for its turn. */
const SLOWLY = `
const post = MessagePort.prototype.postMessage;
MessagePort.prototype.postMessage = function (...message) {
  setTimeout(() => post.apply(this, message), 60);
};`;

async function slow(page) {
  await withPicker(page);
  await page.route('**/worker.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${SLOWLY}\n${await response.text()}` });
  });
}

async function opened(browser, served) {
  const panel = await openPanel(browser, served, { before: slow });
  await put(panel, new Map(readdirSync(FOLDER).map((name) => [name, readFileSync(join(FOLDER, name))])));
  await offered(panel);
  await panel.button('Use').click();
  await used(panel, NAME);
  await panel.openPhoto();
  return panel;
}

/** Presses Retouch; returns when the picture has been painted and a word is there, and more are to come. */
async function untilWords(panel, button) {
  const painted = await panel.painted();
  await panel.button(button).click();
  await panel.page.waitForFunction((before) => {
    const { tries, wording, work } = window.veraRetouch.controller.store.get();
    const now = document.querySelector('.preview').dataset.painted ?? '0';
    const made = tries.find(({ id }) => id === wording);
    return work === 'wording' && now !== before && made && Object.values(made.texts).join('') !== '';
  }, painted);
}

async function picture(name, panel) {
  const folder = process.env.VERARETOUCH_SHOTS;
  if (folder) await panel.page.screenshot({ path: join(folder, `${name}.png`) });
}

const current = (panel) => panel.state((state) => state.tries.find(({ id }) => id === state.current));
const length = ({ texts }) => Object.values(texts).join('').length;

/** @type {Record<string, (world: import('./panel.mjs').World) => Promise<unknown>>} */
export const PICTURE_FIRST = {
  async 'the picture comes before its words: it is seen and can be applied while they are written'({
    browser,
    served,
  }) {
    const panel = await opened(browser, served);
    await untilWords(panel, 'Retouch');
    assert.ok(largest(await panel.pixels('before'), await panel.pixels('after')) > 5);
    assert.equal(await panel.page.getByRole('status').textContent(), 'Writing the reasoning…');
    for (const name of ['Stop writing', 'Download PSD']) assert.ok(await panel.button(name).isVisible(), name);
    await picture('wording', panel);
    assert.deepEqual(await overflowing(panel.page), []);
    assert.deepEqual(await axe(panel.page), []);
    assert.equal(
      await panel.state((state) => state.work),
      'wording',
      'the words were written too fast to be looked at',
    );
    const { bytes } = await panel.download(() => panel.button('Download PSD').click());
    await panel.idle();
    const made = await current(panel);
    assert.equal(made.cut, true);
    const { xmpMetadata } = readPsd(bytes, { skipLayerImageData: true, skipCompositeImageData: true }).imageResources;
    assert.ok(xmpMetadata.includes('The reasoning was not written to its end.'));
    await picture('applied', panel);
    return panel;
  },

  async 'Esc while words are written keeps the picture and the words so far; the next try is whole'({
    browser,
    served,
  }) {
    const panel = await opened(browser, served);
    await untilWords(panel, 'Retouch');
    await panel.page.keyboard.press('Escape');
    await panel.idle();
    const cut = await current(panel);
    assert.equal(cut.cut, true);
    const note = panel.page.getByText('The writing was stopped here: the reasoning is not complete.', { exact: true });
    assert.ok(await note.isVisible());
    assert.match(await panel.page.getByRole('status').textContent(), /^Stopped; the picture stays\.$/);
    assert.ok(largest(await panel.pixels('before'), await panel.pixels('after')) > 5);
    await picture('cut', panel);
    await untilWords(panel, 'Try again');
    await panel.idle();
    const whole = await current(panel);
    assert.equal(whole.cut, undefined);
    assert.ok(length(whole) > length(cut));
    assert.ok(await note.isHidden());
    assert.equal(await panel.state((state) => state.tries.length), 2);
    await picture('whole', panel);
    return panel;
  },
};
