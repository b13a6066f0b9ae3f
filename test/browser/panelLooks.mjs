import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { SAMPLES, openPanel } from './panelPage.mjs';

/* Every mode in every theme and width: what axe finds, what does not fit. */

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
export const THEMES = ['lightest', 'light', 'dark', 'darkest'];
export const WIDTHS = [240, 320, 480];

/** What the page looks like in the hands of a person, state after state; each leaves the page ready for the next. */
export const STATES = {
  fresh: async () => undefined,
  auto: async (panel) => {
    await panel.openPhoto();
    await panel.mode('Auto');
    await panel.retouch(/^(Retouch|Try again)$/);
  },
  menu: async (panel) => {
    await panel.button('Other ways to apply').click();
  },
  style: async (panel) => {
    await panel.page.keyboard.press('Escape');
    await panel.style('Warm evening light, soft contrast');
  },
  adjust: (panel) => panel.adjust('Light: Exposure', 30),
  match: async (panel) => {
    await panel.mode('Match');
    await panel.pick(panel.page.locator('.well').nth(0), join(SAMPLES, 'reference-before.jpg'));
    await panel.until((state) => state.pairBefore !== undefined);
  },
  help: async (panel) => {
    await panel.button('Help').click();
    await panel.until((state) => state.help);
  },
};

/** @returns {Promise<string[]>} a line for each thing that axe finds wrong */
export async function axe(page) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(readFileSync(AXE, 'utf8'));
  return page.evaluate(async () => {
    const { violations } = await window.axe.run(document);
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
  });
}

/** Elements whose content is wider than they are, or that reach out of the page. */
export function overflowing(page) {
  return page.evaluate(() => {
    const wide = document.documentElement.scrollWidth > innerWidth ? ['the page scrolls sideways'] : [];
    const out = [...document.querySelectorAll('button, input, textarea, p, h2, span, [role]')].filter((element) => {
      const { left, right, width } = element.getBoundingClientRect();
      return (
        width > 1 &&
        element.checkVisibility() &&
        (left < -1 || right > innerWidth + 1) &&
        !element.closest('.preview, .strip')
      );
    });
    return [...wide, ...out.map((element) => `${element.tagName}.${element.className} reaches out of the page`)];
  });
}

export async function look(panel, theme) {
  // By the host's own way to tell it.
  await panel.page.evaluate((name) => window.veraRetouch.controller.store.set({ theme: name }), theme);
  await panel.page.waitForFunction((name) => document.querySelector('#panel').dataset.theme === name, theme);
}

/** @type {Record<string, (world: import('./panel.mjs').World) => Promise<unknown>>} */
export const LOOKS = {
  async 'axe finds nothing in any mode and theme, and everything fits at 230 px'({ browser, served }) {
    const panel = await openPanel(browser, served, { viewport: { width: 230, height: 700 } });
    const found = [];
    for (const [state, reach] of Object.entries(STATES)) {
      await reach(panel);
      for (const theme of THEMES) {
        await look(panel, theme);
        for (const problem of [...(await axe(panel.page)), ...(await overflowing(panel.page))])
          found.push(`${state}, ${theme}: ${problem}`);
      }
    }
    assert.deepEqual(found, []);
    return panel;
  },
};
