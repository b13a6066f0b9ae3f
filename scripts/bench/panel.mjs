import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FLAGS, ensureChromium } from '../lib/chromium.mjs';
import { ROOT } from '../lib/paths.mjs';
import { buildPlugin, packPlugin } from '../lib/plugin-build.mjs';
import { buildWeb, chooseModel } from '../lib/web-build.mjs';
import { PhotoshopPage } from '../../test/browser/photoshopPage.mjs';
import { waitFromOutside } from '../../test/browser/waiting.mjs';
import { serveFolder } from '../start.mjs';

export const description =
  'The page in Chromium on wasm: open to ready, click to first word and to the last, slider to repaint, click to layered ' +
  'file and to the layer, memory, size of the package; against the command line on the same photo (onnxruntime-node)';

/** A photo of 24 megapixels unless told otherwise. */
const SIZE = { width: 6000, height: 4000 };
/** The stand-in keeps and composes its documents in JavaScript: one as large as the photo would time that, not the plugin. */
const DOCUMENT = { width: 768, height: 512, bits: 8, profile: 'sRGB IEC61966-2.1' };

export async function run({ repeat, photos }) {
  const folder = mkdtempSync(join(tmpdir(), 'veraretouch-bench-'));
  const model = chooseModel();
  try {
    const photo = await photoOf(folder, photos);
    const runs = [];
    await buildWeb(join(folder, 'web'), { chunks: false });
    const { address, close } = await serveFolder(join(folder, 'web'));
    try {
      for (let i = 0; i < repeat; i++) runs.push(await once(address, photo));
    } finally {
      await close();
    }
    await buildPlugin(join(folder, 'plugin'));
    const layers = [];
    for (let i = 0; i < repeat; i++) layers.push(await clickToLayer(join(folder, 'plugin')));
    const peer = commandLine(photo, folder, model);
    const middles = (of) =>
      Object.fromEntries(Object.keys(of[0]).map((key) => [key, middle(of.map((one) => one[key]))]));
    const median = middles(runs.map(({ milliseconds }) => milliseconds));
    return {
      model: readBundleName(model),
      photo: `${SIZE.width} x ${SIZE.height}`,
      milliseconds: { ...median, ...middles(layers) },
      // Of the page's whole process: script, wasm, pictures.
      megabytes: middles(runs.map(({ megabytes }) => megabytes)),
      packageMegabytes: packPlugin(join(folder, 'plugin')).length / 1e6,
      peer: { name: 'command line, onnxruntime-node', milliseconds: peer },
      // From the click to the last word, the photo being read and the model loaded in both.
      ratio: (median.clickToLastWord - median.read) / (peer.vision + peer.prefill + peer.decode),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function photoOf(folder, photos) {
  const sharp = createRequire(import.meta.url)('sharp');
  const given = photos && readdirSync(photos).find((name) => /\.jpe?g$/i.test(name));
  const source = given ? join(photos, given) : join(ROOT, 'samples', 'dandelions.jpg');
  const path = join(folder, 'photo.jpg');
  const bytes = await sharp(source)
    .resize({ ...SIZE, fit: 'fill' })
    .jpeg({ quality: 92 })
    .toBuffer();
  writeFileSync(path, bytes);
  return path;
}

async function once(address, photo) {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({ executablePath: ensureChromium(), args: FLAGS });
  try {
    const page = waitFromOutside(await (await browser.newContext({ viewport: { width: 320, height: 800 } })).newPage());
    page.setDefaultTimeout(300_000);
    const opened = performance.now();
    await page.goto(`${address}?device=wasm&lang=en`);
    await page.waitForFunction('window.veraRetouch?.controller.store.get().model');
    const ready = performance.now() - opened;
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.getByRole('button', { name: 'Open a photo…', exact: true }).click(),
    ]);
    await chooser.setFiles(photo);
    await page.waitForFunction('window.veraRetouch.controller.store.get().proxy');
    const times = await page.evaluate(async () => {
      const { controller } = window.veraRetouch;
      const stages = {};
      let firstWord;
      const started = performance.now();
      const stop = controller.store.listen(({ work, texts }) => {
        stages[work] ??= performance.now() - started;
        if (firstWord === undefined && Object.keys(texts).length > 0) firstWord = performance.now() - started;
      });
      await controller.retouch();
      const lastWord = performance.now() - started;
      stop();
      controller.setSliders({ ...controller.store.get().sliders, Contrast2012: 30 });
      for (let i = 0; controller.store.get().live === undefined; i++) {
        const { notices } = controller.store.get();
        if (i > 4000) throw new Error(`the slider moved nothing: ${notices.map(({ text }) => text).join(' ')}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return { read: stages.thinking ?? 0, firstWord, lastWord, live: controller.store.get().live };
    });
    const before = performance.now();
    await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download PSD', exact: true }).click(),
    ]);
    const file = performance.now() - before;
    const memory = await pageProcess(browser);
    const used = memory.read();
    // What the page does by itself when it has been idle.
    await page.evaluate(() => {
      window.veraRetouch.engine.close();
    });
    await page.waitForTimeout(3000);
    const asleep = memory.read();
    return {
      milliseconds: {
        openToReady: ready,
        read: times.read,
        clickToFirstWord: times.firstWord,
        clickToLastWord: times.lastWord,
        sliderToRepaint: times.live,
        clickToFile: file,
      },
      megabytes: { peak: used.VmHWM, afterFile: used.VmRSS, asleep: asleep.VmRSS },
    };
  } finally {
    await browser.close();
  }
}

/** From the click on Retouch to the layer, by the packed plugin over the stand-in for Photoshop. */
async function clickToLayer(plugin) {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({ executablePath: ensureChromium(), args: FLAGS });
  try {
    const ps = await PhotoshopPage.open(browser, plugin, { locale: 'en_US' });
    await ps.start();
    const document = await ps.readable(DOCUMENT);
    await ps.page.waitForFunction('window.veraRetouch.controller.store.get().model');
    const steps = document.history.length;
    const started = performance.now();
    await ps.page.evaluate(() => window.veraRetouch.controller.retouch());
    const clicked = performance.now();
    await ps.page.evaluate(() => window.veraRetouch.controller.apply());
    const done = performance.now();
    if (document.history.length !== steps + 1) throw new Error('there is no layer');
    await ps.close();
    return { clickToLayer: done - started, applyToLayer: done - clicked };
  } finally {
    await browser.close();
  }
}

/** Memory of the one page's process, in megabytes, as Linux counts it; of another system there are no figures. */
async function pageProcess(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const pids = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
  const figure = (pid, name) => {
    try {
      return Number(new RegExp(`${name}:\\s*(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000;
    } catch {
      return NaN;
    }
  };
  // Chromium keeps a spare process; the page's is the largest.
  const largest = (name) => Math.max(...pids.map((pid) => figure(pid, name)));
  return { read: () => ({ VmHWM: largest('VmHWM'), VmRSS: largest('VmRSS') }) };
}

function commandLine(photo, folder, model) {
  // Built anew: what lies there may be older than what is measured.
  execFileSync('npm', ['run', 'build'], { cwd: ROOT, stdio: 'ignore' });
  const cli = join(ROOT, 'dist', 'cli.cjs');
  const out = join(folder, 'out');
  const args = [cli, 'retouch', photo, '--auto', '--bundle', model, '--out', out, '--json'];
  const text = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const parsed = JSON.parse(text);
  return (Array.isArray(parsed) ? parsed[0] : parsed).timingsMs;
}

const readBundleName = (folder) => JSON.parse(readFileSync(join(folder, 'bundle.json'), 'utf8')).name;

function middle(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
