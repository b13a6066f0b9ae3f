// Pictures of every mode at three widths in four themes, to be looked at: node test/browser/screenshots.mjs FOLDER [MODEL]
// One sheet for each width and state, the four themes beside each other.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { serveFolder } from '../../scripts/start.mjs';
import { buildWeb } from '../../scripts/lib/web-build.mjs';
import { MODEL_STATES, withPicker } from './modelPage.mjs';
import { STATES, THEMES, WIDTHS, look } from './panelLooks.mjs';
import { launch, openPanel } from './panelPage.mjs';

const sharp = createRequire(import.meta.url)('sharp');
const out = resolve(process.argv[2] ?? 'dist/screenshots');
const model = process.argv[3] ? { model: resolve(process.argv[3]) } : {};
const HEIGHT = 820;

mkdirSync(out, { recursive: true });
const folder = mkdtempSync(join(tmpdir(), 'veraretouch-looks-'));
const web = process.env.VERARETOUCH_WEB ?? join(folder, 'web');
if (!process.env.VERARETOUCH_WEB) await buildWeb(web, { ...model, chunks: false });
const { address, close } = await serveFolder(web);
const browser = await launch();
try {
  const panel = await openPanel(browser, address, {
    viewport: { width: WIDTHS[0], height: HEIGHT },
    before: withPicker,
  });
  panel.page.setDefaultTimeout(180_000);
  const only = process.env.VERARETOUCH_ONLY ?? '';
  for (const [state, reach] of Object.entries({ ...STATES, ...MODEL_STATES })) {
    if (!state.startsWith(only)) continue;
    await reach(panel);
    for (const width of WIDTHS) {
      await panel.page.setViewportSize({ width, height: HEIGHT });
      const shots = [];
      for (const theme of THEMES) {
        await look(panel, theme);
        await panel.page.waitForTimeout(150);
        shots.push(await panel.page.screenshot());
      }
      const strip = { width: width * 4 + 24, height: HEIGHT, channels: 3, background: '#808080' };
      await sharp({ create: strip })
        .composite(shots.map((input, i) => ({ input, left: i * (width + 8), top: 0 })))
        .png()
        .toFile(join(out, `${state}-${width}.png`));
    }
  }
} finally {
  await browser.close();
  await close();
  rmSync(folder, { recursive: true, force: true });
}
console.log(out);
