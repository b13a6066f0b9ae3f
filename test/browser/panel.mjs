// Runs the panel's checks in Chromium and prints what came of each as JSON: node test/browser/panel.mjs [PART OF A NAME]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { serveFolder } from '../../scripts/start.mjs';
import { ROOT } from '../../scripts/lib/paths.mjs';
import { buildWeb } from '../../scripts/lib/web-build.mjs';
import { CHECKS } from './panelChecks.mjs';
import { FAULTS } from './panelFaults.mjs';
import { RESULTS } from './panelResults.mjs';
import { launch } from './panelPage.mjs';

/**
 * @typedef {object} World
 * @property {import('playwright-core').Browser} browser
 * @property {string} served address of the page on a server
 * @property {string} local address of the same page as a file
 * @property {Record<string, string>} presets paths of preset files
 */

const WARM = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:PresetType="Normal" crs:ProcessVersion="11.0"
 crs:IncrementalTemperature="15" crs:Vibrance="20" crs:HasSettings="True"/></rdf:RDF></x:xmpmeta>`;

const ALL = { ...CHECKS, ...RESULTS, ...FAULTS };
if (process.argv[2] === '--names') {
  console.log(JSON.stringify(Object.keys(ALL)));
  process.exit();
}
const folder = mkdtempSync(join(tmpdir(), 'veraretouch-panel-'));
// A folder that was built before saves a minute where checks are written.
const web = process.env.VERARETOUCH_WEB ?? join(folder, 'web');
const model = join(ROOT, 'test', 'fixtures', 'tiny-bundle');
if (!process.env.VERARETOUCH_WEB) await buildWeb(web, { model, mode: 'development' });
const presets = { warm: join(folder, 'warm.xmp') };
writeFileSync(presets.warm, WARM);
const { address: served, close } = await serveFolder(web);
const browser = await launch();
const outcomes = {};
try {
  const local = pathToFileURL(join(web, 'index.html')).href;
  for (const [name, check] of Object.entries(ALL)) {
    if (process.argv[2] && !name.includes(process.argv[2])) continue;
    const started = performance.now();
    try {
      const panel = await check({ browser, served, local, presets });
      if (panel.problems.length > 0) throw new Error(`the page threw: ${panel.problems.join('; ')}`);
      await panel.close();
      outcomes[name] = { ok: true, seconds: (performance.now() - started) / 1000 };
    } catch (error) {
      outcomes[name] = { ok: false, why: error.stack };
    }
    for (const context of browser.contexts()) await context.close();
    console.error(`${outcomes[name].ok ? 'ok  ' : 'FAIL'} ${name} ${outcomes[name].why ?? ''}`);
  }
} finally {
  await browser.close();
  await close();
  rmSync(folder, { recursive: true, force: true });
}
console.log(JSON.stringify(outcomes));
