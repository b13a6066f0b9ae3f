import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadTypeScript } from '../../scripts/lib/load-ts.mjs';
import { PanelPage } from './panelPage.mjs';
import { waitFromOutside } from './waiting.mjs';

const { FakeWorld } = loadTypeScript('test/host/photoshop/world.ts');
const { runPlugin } = loadTypeScript('test/host/photoshop/runPlugin.ts');
export const { FakeFile } = loadTypeScript('test/fakes/photoshop/index.ts');

/**
 * The whole product without Photoshop: the plugin's script as it is packed, over the stand-in; the page as it is packed,
 * opened from its file in Chromium; and between them the stand-in's web view, whose messages pass here.
 */
export class PhotoshopPage extends PanelPage {
  /**
   * @param {import('playwright-core').Browser} browser
   * @param {string} folder of the built plugin
   * @param {{locale?: string, carry?: (way: 'toHost' | 'toPage', text: string) => string[], viewport?: object}} options
   *   `carry`: what becomes of a message on its way
   */
  static async open(browser, folder, { locale, carry = (_way, text) => [text], viewport, before } = {}) {
    const world = new FakeWorld();
    if (locale) world.uxp.module.host.uiLocale = locale;
    runPlugin(readFileSync(join(folder, 'plugin.js'), 'utf8'), world);
    world.entries.plugin.create();
    const context = await browser.newContext({ viewport: viewport ?? { width: 320, height: 800 } });
    const ps = new PhotoshopPage(undefined, []);
    Object.assign(ps, { world, context, folder, carry, before });
    await ps.showPanel();
    return ps;
  }

  /** Photoshop opens the panel: the host makes a web view, which loads the page. */
  async showPanel() {
    await this.world.openPanel();
    await this.loadPage();
  }

  async loadPage() {
    const page = waitFromOutside(await this.context.newPage());
    this.page = page;
    page.on('pageerror', (error) => this.problems.push(error.message));
    const { webview } = this.world;
    let scope;
    // Each load, also one that the page asks for itself, is a new page to the web view.
    page.on('framenavigated', () => {
      scope = webview.load();
      scope.addEventListener('message', ({ data }) => {
        for (const text of this.carry('toPage', JSON.stringify(data)))
          page
            .evaluate((message) => {
              window.dispatchEvent(new MessageEvent('message', { data: JSON.parse(message) }));
            }, text)
            // A page that is gone hears nothing.
            .catch(() => undefined);
      });
    });
    await page.exposeFunction('veraToHost', (text) => {
      for (const carried of this.carry('toHost', text)) scope?.uxpHost.postMessage(JSON.parse(carried));
    });
    await page.addInitScript(() => {
      window.uxpHost = { postMessage: (message) => void window.veraToHost(JSON.stringify(message)) };
    });
    await this.before?.(page);
    await page.goto(pathToFileURL(join(this.folder, 'panel', 'index.html')).href);
    await page.waitForFunction('window.veraRetouch !== undefined');
  }

  /** The web view's process dies. */
  async kill() {
    this.world.webview.kill();
    await this.page.close();
  }

  async start() {
    await this.button(/^(Start|开始)/).click();
  }

  /** A document in front, of which the page knows. */
  async document(options = {}) {
    const document = this.world.ps.open({ width: 96, height: 64, name: 'Dandelions.psd', ...options });
    this.world.ps.notify('open');
    await this.until((state, id) => state.document?.id === id, String(document.id));
    return document;
  }

  async readable(options) {
    const document = await this.document(options);
    await this.until((state, id) => state.proxy?.document.id === id, String(document.id));
    return document;
  }

  async apply() {
    await this.button('Apply as layer').click();
    await this.page.waitForTimeout(50);
    await this.idle();
  }

  async close() {
    await this.context.close();
    this.world.panel.destroy(this.world.root);
    this.world.entries.plugin.destroy();
  }
}
