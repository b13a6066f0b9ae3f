import { setTimeout as pause } from 'node:timers/promises';

/** Milliseconds for anything that does not say otherwise. */
export const PATIENCE_MS = Number(process.env.VERARETOUCH_WAIT_MS ?? 60_000);
const EVERY_MS = 20;

/**
 * Makes a page wait from outside. Playwright's own `waitForFunction` leaves text in the page, to be evaluated again and
 * again; the page's Content-Security-Policy forbids that. What is evaluated once, by the debugger's own door, it leaves alone.
 *
 * @param {import('playwright-core').Page} page
 */
export function waitFromOutside(page) {
  const setDefaultTimeout = page.setDefaultTimeout.bind(page);
  let patience = PATIENCE_MS;
  page.setDefaultTimeout = (milliseconds) => {
    patience = milliseconds;
    setDefaultTimeout(milliseconds);
  };
  page.setDefaultTimeout(patience);
  page.waitForFunction = async (condition, argument) => {
    const end = performance.now() + patience;
    const called = typeof condition === 'function' ? `(${condition})(${JSON.stringify(argument ?? null)})` : condition;
    for (;;) {
      if (await unlessLeaving(page.evaluate(`Promise.resolve(${called}).then(Boolean)`))) return;
      if (performance.now() > end) throw new Error(`After ${patience} ms still not so: ${condition}`);
      await pause(EVERY_MS);
    }
  };
  return page;
}

/** Undefined where the page went away for another one meanwhile. */
async function unlessLeaving(asked) {
  try {
    return await asked;
  } catch (error) {
    if (/context was destroyed|because of a navigation/.test(error.message)) return undefined;
    throw error;
  }
}
