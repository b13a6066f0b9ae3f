import assert from 'node:assert/strict';
import { LICENCE, accept, another, converted, inPhotoshop, modelButton, offered } from './modelPage.mjs';
import { onDisk, pickItem, plain } from './modelPage.mjs';
import { put, told, used, withLicence, withPicker } from './modelPage.mjs';
import { THEMES, axe, look, overflowing } from './panelLooks.mjs';
import { SAMPLES, openPanel } from './panelPage.mjs';
import { ready } from './photoshopChecks.mjs';
import { join } from 'node:path';

/* Another model: chosen, shown, accepted, used, still in use the next time, and given back. */

export async function openWith(browser, served, files, options = {}) {
  const panel = await openPanel(browser, served, { ...options, before: withPicker });
  await put(panel, files);
  return panel;
}

const research = (panel) => panel.page.locator('.research');

/** @type {Record<string, (world: import('./panel.mjs').World) => Promise<unknown>>} */
export const MODELS = {
  async 'another model is used from a folder, also after a reload, until the built-in one is wanted'({
    browser,
    served,
  }) {
    const panel = await openWith(browser, served, another());
    await offered(panel);
    const sheet = panel.page.getByRole('dialog', { name: 'Use this model?' });
    for (const text of ['another', 'Version 2.0.0', 'For research only', 'Apache-2.0', 'The model does not say'])
      await sheet.getByText(text, { exact: true }).first().waitFor();
    assert.equal(await sheet.getByRole('region', { name: 'Licence text' }).textContent(), LICENCE);
    assert.equal(await panel.state((state) => state.chosen), undefined);
    await accept(panel);
    assert.equal(await panel.page.getByRole('status').textContent(), 'another is in use.');
    assert.equal(await research(panel).textContent(), 'For research only · another 2.0.0');
    await panel.openPhoto();
    await panel.retouch();
    assert.notEqual(await panel.state((state) => state.tries[0].texts.elements), '');
    await panel.page.reload();
    await used(panel, 'another 2.0.0');
    assert.ok(await research(panel).isVisible());
    await panel.openPhoto();
    await panel.retouch();
    await pickItem(panel, 'Use the built-in model');
    await used(panel);
    assert.equal(await panel.state((state) => state.tries.length), 0);
    assert.ok(await research(panel).isHidden());
    await panel.page.reload();
    await used(panel);
    await panel.ready();
    assert.equal(await panel.state((state) => state.lastTime), false);
    return panel;
  },

  async 'a checkpoint of the published kind, converted, computes in the page what PyTorch does'({ browser, served }) {
    const files = converted();
    for (const device of ['wasm', 'webgpu']) {
      const panel = await openWith(browser, served, files, { query: `lang=en&device=${device}` });
      await offered(panel);
      await accept(panel, 'veraretouch-published 1.0.0');
      const { check, ...model } = await panel.state(({ model: opened }) => opened);
      assert.equal(model.device, device);
      assert.deepEqual(model.capabilities, { sliders: false, reference: true, pictureFirst: false });
      assert.equal(check.kind, 'compared');
      assert.ok(check.cosine >= 0.99, `${device}: cosine ${check.cosine}`);
      await panel.openPhoto();
      await panel.retouch();
      assert.equal((await panel.state((state) => state.tries[0].latents)).length, 18);
      if (device === 'wasm') await panel.page.close();
      else return panel;
    }
  },

  async 'a licence that is not accepted leaves all as it was, and one of other words is asked about again'({
    browser,
    served,
  }) {
    const panel = await openWith(browser, served, another());
    const before = await panel.state((state) => state.model?.model ?? '');
    await offered(panel);
    await panel.button('Cancel').click();
    await offered(panel);
    await panel.page.keyboard.press('Escape');
    await panel.until((state) => !state.offer);
    assert.deepEqual(await panel.state((state) => [state.chosen ?? null, state.accepted]), [null, []]);
    await offered(panel);
    await accept(panel);
    await put(panel, withLicence(another(), 'Other words.'));
    await panel.page.reload();
    await panel.until((state) => state.offer !== undefined && state.model !== undefined);
    assert.equal(await panel.page.getByRole('region', { name: 'Licence text' }).textContent(), 'Other words.');
    assert.match(await panel.state((state) => state.model.model), /^veraretouch-/);
    await panel.button('Cancel').click();
    await put(panel, another());
    await pickItem(panel, 'Use the model of last time');
    await used(panel, 'another 2.0.0');
    assert.notEqual(before, 'another 2.0.0');
    return panel;
  },

  async 'a model without an encoder and a head for sliders says so and does the rest'({ browser, served }) {
    const panel = await openWith(browser, served, plain());
    await panel.openPhoto();
    await panel.ready();
    await panel.retouch();
    await offered(panel);
    for (const text of ['not at once', 'cannot borrow looks', 'are let go'])
      await panel.page.getByRole('dialog').getByText(text).waitFor();
    await accept(panel, 'veraretouch-tiny 0.1.0');
    assert.equal(await panel.state((state) => state.tries.length), 0);
    await panel.retouch();
    await panel.mode('Adjust');
    await panel.page.getByText('With this model sliders do not show at once').waitFor();
    await panel.slide('Light: Exposure', 40);
    await panel.page.waitForTimeout(500);
    assert.equal(await panel.state((state) => state.tries.length), 1);
    await panel.retouch('Write the plan');
    assert.equal(await panel.state((state) => state.tries.at(-1).sliders.Exposure2012), 40);
    await panel.mode('Match');
    await panel.page.getByText('This model cannot borrow looks.').waitFor();
    await panel.pick(panel.page.locator('.well').nth(0), join(SAMPLES, 'reference-before.jpg'));
    await panel.pick(panel.page.locator('.well').nth(1), join(SAMPLES, 'reference-after.jpg'));
    await panel.until((state) => state.pairBefore && state.pairAfter);
    assert.ok(await panel.button('Borrow this look').isDisabled());
    assert.deepEqual(await panel.state((state) => state.notices.filter(({ kind }) => kind === 'error')), []);
    return panel;
  },

  async 'another model by keyboard alone'({ browser, served }) {
    const panel = await openWith(browser, served, another());
    await panel.ready();
    const { keyboard } = panel.page;
    const focused = () => panel.page.evaluate(() => document.activeElement.textContent);
    // From the help button, which is the last stop of the page, one back.
    await panel.button('Help').focus();
    await keyboard.press('Shift+Tab');
    assert.match(await panel.page.evaluate(() => document.activeElement.getAttribute('aria-label')), /^Model: /);
    await keyboard.press('Enter');
    assert.equal(await focused(), 'Use another model…');
    await keyboard.press('Escape');
    assert.ok(await panel.page.getByRole('menu', { name: 'Model' }).isHidden());
    await keyboard.press('Enter');
    await keyboard.press('Enter');
    await panel.until((state) => state.offer !== undefined);
    assert.equal(await focused(), LICENCE);
    // On a busy machine the browser may not know yet that there is something to scroll.
    const scrolled = () => panel.page.evaluate(() => document.querySelector('.licence').scrollTop > 0);
    for (let tries = 0; tries < 50 && !(await scrolled()); tries++) {
      await keyboard.press('End');
      await panel.page.waitForTimeout(100);
    }
    assert.ok(await scrolled());
    for (const name of ['Cancel', 'Accept and use', LICENCE, 'Cancel', 'Accept and use']) {
      await keyboard.press('Tab');
      assert.equal(await focused(), name);
    }
    await keyboard.press('Shift+Tab');
    await keyboard.press('Tab');
    await keyboard.press('Enter');
    await used(panel, 'another 2.0.0');
    assert.match(await panel.page.evaluate(() => document.activeElement.getAttribute('aria-label')), /^Model: another/);
    return panel;
  },

  async 'a browser without a picker for folders takes one by its input, also from a file, and says that it is not kept'({
    browser,
    served,
    local,
  }) {
    const folder = onDisk(another());
    for (const address of [served, local]) {
      const panel = await openPanel(browser, address, {
        before: (page) => page.addInitScript(() => delete window.showDirectoryPicker),
      });
      await panel.ready();
      await modelButton(panel).click();
      await panel.pick(panel.page.getByRole('menuitem', { name: 'Use another model…' }), folder);
      await panel.until((state) => state.offer !== undefined);
      await accept(panel);
      assert.match(await told(panel), /info: The folder cannot be remembered here/);
      await panel.openPhoto();
      await panel.retouch();
      await panel.page.reload();
      await panel.ready();
      assert.match(await panel.state((state) => state.model.model), /^veraretouch-/);
      if (address === local) return panel;
      await panel.close();
    }
  },

  async 'in Photoshop another model is used from its folder, also after a reload, until the built-in one is wanted'({
    browser,
    plugin,
  }) {
    for (const paths of ['open', 'refused']) {
      const ps = await ready(browser, plugin);
      ps.world.uxp.paths = paths;
      ps.world.uxp.chosenFolders.push(null, inPhotoshop(another()));
      await pickItem(ps, 'Use another model…');
      await offered(ps);
      await accept(ps);
      const document = await ps.readable();
      const { print } = document;
      await ps.retouch();
      await ps.apply();
      assert.notEqual(document.print, print);
      await ps.kill();
      ps.world.panel.invokeMenu('reload');
      await ps.loadPage();
      await used(ps, 'another 2.0.0');
      await ps.until((state) => state.proxy !== undefined);
      // Its layer is taken up again by it, and by no other.
      await ps.page.evaluate(() => void window.veraRetouch.controller.editLayer());
      await ps.until((state) => state.work === 'idle' && state.tries.length === 1);
      await pickItem(ps, 'Use the built-in model');
      await used(ps);
      await ps.page.evaluate(() => void window.veraRetouch.controller.editLayer());
      await ps.until((state) => state.work === 'idle' && state.notices.some(({ kind }) => kind === 'error'));
      assert.match(await told(ps), /error: This retouch was made with the model “another 2\.0\.0”/);
      assert.equal(await ps.state((state) => state.tries.length), 0);
      assert.equal(ps.world.uxp.openFiles.size, 0);
      if (paths === 'refused') return ps;
      await ps.close();
    }
  },

  async 'axe finds nothing in the menu and the sheet of models in any theme, and both fit at 230 px'({
    browser,
    served,
  }) {
    const panel = await openWith(browser, served, plain(), { viewport: { width: 230, height: 700 } });
    const found = [];
    const inEveryTheme = async (state) => {
      for (const theme of THEMES) {
        await look(panel, theme);
        for (const problem of [...(await axe(panel.page)), ...(await overflowing(panel.page))])
          found.push(`${state}, ${theme}: ${problem}`);
      }
    };
    await panel.ready();
    await modelButton(panel).click();
    await inEveryTheme('menu');
    await panel.page.keyboard.press('Escape');
    await offered(panel);
    await inEveryTheme('sheet');
    await accept(panel, 'veraretouch-tiny 0.1.0');
    for (const mode of ['Adjust', 'Match']) {
      await panel.mode(mode);
      await inEveryTheme(`${mode} with the research mark`);
    }
    await modelButton(panel).click();
    await inEveryTheme('menu with a model of one’s own');
    assert.deepEqual(found, []);
    return panel;
  },
};
