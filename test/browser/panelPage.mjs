import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FLAGS, ensureChromium } from '../../scripts/lib/chromium.mjs';
import { ROOT } from '../../scripts/lib/paths.mjs';
import { waitFromOutside } from './waiting.mjs';

export const SAMPLES = join(ROOT, 'samples');
export const PHOTO = join(SAMPLES, 'dandelions.jpg');

/** Milliseconds that WebGPU gets where a program plays the graphics card: a trained model takes minutes there. */
export const GPU_MS = Number(process.env.VERARETOUCH_GPU_MS ?? 180_000);

export async function launch() {
  const { chromium } = await import('playwright-core');
  return chromium.launch({ executablePath: ensureChromium(), args: FLAGS });
}

/** The panel in a fresh profile; errors of the page are kept in `problems`. */
export async function openPanel(browser, address, { query = 'device=wasm&lang=en', before, viewport } = {}) {
  const context = await browser.newContext({ viewport: viewport ?? { width: 320, height: 800 } });
  const page = waitFromOutside(await context.newPage());
  const problems = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await before?.(page);
  await page.goto(`${address}?${query}`);
  const panel = new PanelPage(page, problems);
  await panel.button('Start').click();
  return panel;
}

/** The page as a person uses it. */
export class PanelPage {
  constructor(page, problems) {
    this.page = page;
    this.problems = problems;
  }

  button(name) {
    return this.page.getByRole('button', { name, exact: true });
  }

  async mode(name) {
    await this.page.getByRole('tab', { name, exact: true }).click();
  }

  async pick(button, file) {
    const [chooser] = await Promise.all([this.page.waitForEvent('filechooser'), button.click()]);
    await chooser.setFiles(file);
  }

  async openPhoto(file = PHOTO) {
    await this.pick(this.button('Open a photo…'), file);
    await this.until((state) => state.proxy !== undefined);
  }

  /** Waits for the page's state to fulfil a condition, which runs in the page. */
  until(condition, argument) {
    return this.page.waitForFunction(
      `(${condition.toString()})(window.veraRetouch.controller.store.get(), ${JSON.stringify(argument ?? null)})`,
    );
  }

  state(pick) {
    return this.page.evaluate(`(${pick.toString()})(window.veraRetouch.controller.store.get())`);
  }

  async idle() {
    await this.until((state) => state.work === 'idle');
  }

  async ready() {
    await this.until((state) => state.model !== undefined);
  }

  /** Presses the mode's button and waits for a new try. */
  async retouch(name = 'Retouch') {
    const had = await this.state((state) => state.tries.length);
    await this.button(name).click();
    await this.until((state, count) => state.work === 'idle' && state.tries.length > count, had);
    await this.resting();
  }

  /** Until nothing has been painted for a while: the fine LUT comes when the sliders rest. */
  async resting() {
    let seen = '';
    for (;;) {
      await this.page.waitForTimeout(600);
      const now = await this.painted();
      if (now === seen) return;
      seen = now;
    }
  }

  /** Style mode, these words, a retouch. */
  async style(words) {
    await this.mode('Style');
    await this.page.getByRole('textbox', { name: 'How should it look?' }).fill(words);
    await this.retouch(/^(Retouch|Try again)$/);
  }

  /** Adjust mode, one slider, until its picture is there: a new try, or the one that no plan was written for yet. */
  async adjust(slider, value) {
    await this.mode('Adjust');
    await this.slide(slider, value);
    await this.until(({ tries, current, sliders }) => {
      const made = tries.find(({ id }) => id === current);
      return made?.mode === 'adjust' && JSON.stringify(made.sliders) === JSON.stringify(sliders);
    });
    await this.resting();
  }

  /** The modes beside Auto, one after the other: words, a slider with its plan, the look of a pair. */
  async wordsSlidersAndMatch() {
    await this.style('Warm evening light');
    await this.adjust('Light: Contrast', 40);
    await this.retouch('Write the plan');
    await this.mode('Match');
    for (const [i, name] of ['before', 'after'].entries())
      await this.pick(this.page.locator('.well').nth(i), join(SAMPLES, `reference-${name}.jpg`));
    await this.until((state) => state.pairBefore !== undefined && state.pairAfter !== undefined);
    await this.retouch('Borrow this look');
  }

  async painted() {
    return (await this.page.locator('.preview').getAttribute('data-painted')) ?? '0';
  }

  /** Moves a slider to a value, as a person who types does. */
  async slide(name, value) {
    const number = this.page.getByRole('textbox', { name, exact: true });
    await number.fill(String(value));
    await number.press('Enter');
  }

  /** Pixels of the picture that is shown: `before` or `after`. */
  async pixels(which) {
    // As text: millions of numbers take their time to cross.
    const text = await this.page.evaluate(
      (index) => {
        const canvas = document.querySelectorAll('.picture')[index];
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let binary = '';
        for (let i = 0; i < data.length; i += 8192) binary += String.fromCharCode(...data.subarray(i, i + 8192));
        return btoa(binary);
      },
      which === 'before' ? 0 : 1,
    );
    return new Uint8Array(Buffer.from(text, 'base64'));
  }

  /** The file that comes of a click. */
  async download(click) {
    const [download] = await Promise.all([this.page.waitForEvent('download'), click()]);
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  }

  /** A way to apply from the menu. */
  async applyAs(name) {
    await this.button('Other ways to apply').click();
    await this.page.getByRole('menuitem', { name, exact: true }).click();
  }

  async close() {
    await this.page.context().close();
  }
}

/** The largest difference of two pictures, in levels. */
export function largest(a, b) {
  if (a.length !== b.length) return Infinity;
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
  return most;
}

export function cosine(a, b) {
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, i) => {
    ab += value * b[i];
    aa += value ** 2;
    bb += b[i] ** 2;
  });
  return ab / Math.sqrt(aa * bb);
}
