import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SAMPLES, cosine, largest, openPanel } from './panelPage.mjs';

/* What a person does with the page, one thing at a time. Each check has a page, and a profile, of its own. */

/** @type {Record<string, (world: import('./panel.mjs').World) => Promise<unknown>>} */
export const CHECKS = {
  async 'Auto streams its reasoning and paints the result'({ browser, served, model }) {
    const panel = await openPanel(browser, served);
    await panel.openPhoto();
    await panel.ready();
    await panel.page.evaluate(() => {
      window.lengths = [];
      window.veraRetouch.controller.store.listen(({ work, texts }) => {
        if (work === 'writing') window.lengths.push(Object.values(texts).join('').length);
      });
    });
    await panel.retouch();
    const lengths = await panel.page.evaluate(() => window.lengths);
    assert.ok(new Set(lengths).size > 5, `the text grew in ${new Set(lengths).size} steps`);
    assert.deepEqual(
      [...lengths].sort((a, b) => a - b),
      lengths,
    );
    const shown = await panel.page.locator('.elements').textContent();
    assert.equal(shown, await panel.state((state) => state.tries[0].texts.elements));
    assert.notEqual(shown, '');
    for (const factor of ['light', 'globalColor', 'specificColor']) {
      const plan = await panel.page.locator(`[data-factor=${factor}] .plan`).textContent();
      assert.equal(
        plan,
        await panel.page.evaluate(
          (name) => window.veraRetouch.controller.store.get().tries[0].texts[`plan.${name}`],
          factor,
        ),
      );
    }
    assert.ok(largest(await panel.pixels('before'), await panel.pixels('after')) > 10);
    assert.match(await panel.page.locator('.status-text').textContent(), /^On your processor · \d+\.\d s$/);
    const { name, version } = JSON.parse(readFileSync(join(model, 'bundle.json'), 'utf8'));
    assert.equal(await panel.page.locator('.status-model').textContent(), `${name} ${version}`);
    assert.match(await panel.page.getByRole('status').textContent(), /^Done in/);
    return panel;
  },

  async 'every strength, switch and the amount repaint the preview'({ browser, served }) {
    const panel = await openPanel(browser, served);
    await panel.openPhoto();
    await panel.ready();
    // A trained model may leave a factor of a photo as it is; sliders of all three have each do something.
    await panel.mode('Adjust');
    await panel.page.evaluate(() => {
      window.veraRetouch.controller.setSliders({ Exposure2012: 40, Saturation: -60, SaturationAdjustmentGreen: -100 });
    });
    await panel.resting();
    await panel.retouch('Write the plan');
    const full = await panel.pixels('after');
    for (const factor of ['Light', 'Global colour', 'Specific colours']) {
      await panel.slide(`Strength of ${factor}`, 30);
      await panel.resting();
      assert.ok(largest(full, await panel.pixels('after')) > 0, `${factor} moved nothing`);
      await panel.slide(`Strength of ${factor}`, 100);
      await panel.resting();
      assert.equal(largest(full, await panel.pixels('after')), 0, `${factor} at 100 % is not what it was`);
    }
    const use = panel.page.getByRole('switch', { name: 'Use Light' });
    await use.click();
    await panel.resting();
    assert.equal(await use.getAttribute('aria-checked'), 'false');
    assert.ok(largest(full, await panel.pixels('after')) > 0);
    await panel.slide('Amount', 0);
    await panel.resting();
    assert.equal(largest(await panel.pixels('before'), await panel.pixels('after')), 0);
    return panel;
  },

  async 'Adjust paints at once, reads and writes presets, and has its plan written'({ browser, served, presets }) {
    const panel = await openPanel(browser, served);
    await panel.openPhoto();
    await panel.ready();
    await panel.mode('Adjust');
    const range = panel.page.getByRole('slider', { name: 'Light: Exposure' });
    await range.focus();
    await range.press('ArrowRight');
    await panel.until((state) => state.tries.length === 1 && state.live !== undefined);
    const live = await panel.state((state) => state.live);
    for (let i = 0; i < 20; i++) await range.press('ArrowRight');
    await panel.resting();
    assert.equal(await panel.state((state) => state.sliders.Exposure2012), 21);
    assert.equal(await panel.state((state) => state.tries.length), 1);
    assert.ok(largest(await panel.pixels('before'), await panel.pixels('after')) > 0);
    const { name, bytes } = await panel.download(() => panel.button('Export preset').click());
    assert.equal(name, 'VeraRetouch dandelions.jpg.xmp');
    assert.match(bytes.toString(), /crs:Exposure2012="\+1\.05"/);
    await panel.pick(panel.button('Import preset…'), presets.warm);
    await panel.until((state) => state.sliders.Vibrance === 20);
    assert.equal(await panel.state((state) => state.sliders.IncrementalTemperature), 15);
    await panel.retouch('Write the plan');
    assert.notEqual(await panel.state((state) => state.tries.at(-1).texts['plan.light'] ?? ''), '');
    await panel.button('Reset all').click();
    await panel.resting();
    assert.ok(largest(await panel.pixels('before'), await panel.pixels('after')) <= 1);
    return Object.assign(panel, { live });
  },

  async 'Style needs words, and remembers them'({ browser, served }) {
    const panel = await openPanel(browser, served);
    await panel.openPhoto();
    await panel.mode('Style');
    assert.ok(await panel.button('Retouch').isDisabled());
    await panel.button('Golden hour, warm and soft').click();
    await panel.retouch();
    await panel.page.getByRole('textbox', { name: 'How should it look?' }).fill('cool and crisp');
    await panel.retouch('Try again');
    assert.deepEqual(await panel.state((state) => state.history), ['cool and crisp', 'Golden hour, warm and soft']);
    await panel.page.reload();
    await panel.until((state) => state.history.length === 2);
    assert.equal(await panel.state((state) => state.help), false);
    return panel;
  },

  async 'Match borrows from a pair, from one picture, and from another photo'({ browser, served }) {
    const panel = await openPanel(browser, served);
    await panel.openPhoto();
    await panel.mode('Match');
    const borrow = panel.button('Borrow this look');
    assert.ok(await borrow.isDisabled());
    await panel.pick(panel.page.locator('.well').nth(0), join(SAMPLES, 'reference-before.jpg'));
    await panel.pick(panel.page.locator('.well').nth(1), join(SAMPLES, 'reference-after.jpg'));
    await panel.until((state) => state.pairBefore && state.pairAfter);
    await panel.retouch('Borrow this look');
    await panel.page.getByRole('radio', { name: 'One picture' }).click();
    await panel.pick(panel.page.locator('.well').nth(2), join(SAMPLES, 'mountain.jpg'));
    await panel.until((state) => state.target);
    await panel.retouch('Borrow this look');
    const [pair, target] = await panel.state((state) => state.tries.map(({ latents }) => Array.from(latents)));
    assert.ok(cosine(pair, target) < 0.9999);
    await panel.button('Other ways to apply').click();
    await panel.pick(panel.page.getByRole('menuitem', { name: 'Open another photo…' }), join(SAMPLES, 'mountain.jpg'));
    await panel.until((state) => state.others.length === 1);
    await panel.page.getByRole('radio', { name: 'Open photo' }).click();
    await panel.button('dandelions.jpg').click();
    await panel.retouch('Borrow this look');
    return panel;
  },

  async 'tries are kept and gone back to'({ browser, served }) {
    const panel = await openPanel(browser, served);
    await panel.openPhoto();
    await panel.retouch();
    const first = await panel.pixels('after');
    await panel.mode('Style');
    await panel.button('Moody forest, deep greens').click();
    await panel.retouch('Retouch');
    const second = await panel.pixels('after');
    assert.ok(largest(first, second) > 0);
    await panel.button('Try 1, Auto').click();
    await panel.resting();
    assert.equal(largest(first, await panel.pixels('after')), 0);
    assert.equal(await panel.state((state) => state.mode), 'auto');
    return panel;
  },

  async 'before and after are compared by drag, by keys and by holding'({ browser, served }) {
    const panel = await openPanel(browser, served);
    await panel.openPhoto();
    await panel.retouch();
    const handle = panel.page.getByRole('slider', { name: 'Where before ends and after begins' });
    const box = await panel.page.locator('.sheet').boundingBox();
    await panel.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await panel.page.mouse.down();
    await panel.page.mouse.move(box.x + box.width / 4, box.y + box.height / 2, { steps: 4 });
    await panel.page.mouse.up();
    assert.ok(Math.abs((await panel.state((state) => state.split)) - 0.25) < 0.02);
    await handle.press('End');
    assert.equal(await handle.getAttribute('aria-valuenow'), '100');
    const hold = panel.button('Hold to see before');
    await hold.focus();
    await panel.page.keyboard.down(' ');
    assert.equal(await panel.state((state) => state.holding), true);
    await panel.page.keyboard.up(' ');
    assert.equal(await panel.state((state) => state.holding), false);
    await panel.button('Zoom in').click();
    const zoomed = await panel.page.locator('.sheet').boundingBox();
    assert.equal(Math.round(zoomed.width), await panel.state((state) => state.proxy.width));
    return panel;
  },

  async 'the whole way by keyboard'({ browser, served }) {
    const panel = await openPanel(browser, served);
    await panel.openPhoto();
    const { keyboard } = panel.page;
    await panel.page.getByRole('tab', { name: 'Auto' }).focus();
    await keyboard.press('ArrowRight');
    assert.equal(await panel.state((state) => state.mode), 'style');
    await panel.page.getByRole('textbox', { name: 'How should it look?' }).focus();
    await keyboard.type('softer light');
    await keyboard.press('Control+Enter');
    await panel.until((state) => state.tries.length === 1 && state.work === 'idle');
    const more = panel.button('Other ways to apply');
    await more.focus();
    await keyboard.press('Enter');
    assert.equal(await panel.page.evaluate(() => document.activeElement.textContent), 'Download PNG');
    await keyboard.press('ArrowDown');
    assert.equal(await panel.page.evaluate(() => document.activeElement.textContent), 'Save .cube');
    const { name } = await panel.download(() => keyboard.press('Enter'));
    assert.equal(name, 'dandelions-retouched.cube');
    return panel;
  },
};
