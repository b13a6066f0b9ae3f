// Runs the panel's checks in Chromium: node test/browser/panel.mjs [PART OF A NAME] [--only REGEXP] [--report FILE] [--model DIR]
// Prints what came of each as JSON, or writes it to the file; the exit status is 0 only if all went well.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { serveFolder } from '../../scripts/start.mjs';
import { ROOT } from '../../scripts/lib/paths.mjs';
import { buildPlugin } from '../../scripts/lib/plugin-build.mjs';
import { buildWeb } from '../../scripts/lib/web-build.mjs';
import { BELONGS } from './belongsChecks.mjs';
import { CHECKS } from './panelChecks.mjs';
import { FAULTS } from './panelFaults.mjs';
import { PACKAGE } from './packageChecks.mjs';
import { MODELS } from './modelChecks.mjs';
import { MODELS_FAULTS } from './modelFaults.mjs';
import { LOOKS } from './panelLooks.mjs';
import { RESULTS } from './panelResults.mjs';
import { PHOTOSHOP } from './photoshopChecks.mjs';
import { PICTURE_FIRST } from './pictureFirstChecks.mjs';
import { PHOTOSHOP_FAULTS } from './photoshopFaults.mjs';
import { PRIVACY } from './privacyChecks.mjs';
import { WHOLE } from './panelWhole.mjs';
import { launch } from './panelPage.mjs';

/**
 * @typedef {object} World
 * @property {import('playwright-core').Browser} browser
 * @property {string} served address of the page on a server
 * @property {string} local address of the same page as a file
 * @property {string} plugin folder of the built plugin
 * @property {string} model folder of the tiny bundle
 * @property {Record<string, string>} presets paths of preset files
 */

const WARM = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:PresetType="Normal" crs:ProcessVersion="11.0"
 crs:IncrementalTemperature="15" crs:Vibrance="20" crs:HasSettings="True"/></rdf:RDF></x:xmpmeta>`;

const ALL = {
  ...{ ...CHECKS, ...RESULTS, ...FAULTS, ...PICTURE_FIRST, ...MODELS, ...MODELS_FAULTS },
  ...{ ...BELONGS, ...PHOTOSHOP, ...PHOTOSHOP_FAULTS, ...LOOKS, ...WHOLE, ...PACKAGE, ...PRIVACY },
};
const { values, positionals } = parseArgs({
  options: { report: { type: 'string' }, model: { type: 'string' }, only: { type: 'string' } },
  allowPositionals: true,
});
const [wanted = ''] = positionals;
const folder = mkdtempSync(join(tmpdir(), 'veraretouch-panel-'));
// A folder that was built before saves a minute where checks are written.
const web = process.env.VERARETOUCH_WEB ?? join(folder, 'web');
const model = values.model ? resolve(values.model) : join(ROOT, 'test', 'fixtures', 'tiny-bundle');
const plugin = process.env.VERARETOUCH_PLUGIN ?? join(folder, 'plugin');
if (!process.env.VERARETOUCH_WEB) await buildWeb(web, { model, mode: 'development' });
if (!process.env.VERARETOUCH_PLUGIN) await buildPlugin(plugin, { model, mode: 'development' });
const presets = { warm: join(folder, 'warm.xmp') };
writeFileSync(presets.warm, WARM);
const { address: served, close } = await serveFolder(web);
const browser = await launch();
const outcomes = {};
try {
  const local = pathToFileURL(join(web, 'index.html')).href;
  for (const [name, check] of Object.entries(ALL)) {
    if (!name.includes(wanted) || (values.only && !new RegExp(values.only).test(name))) continue;
    const started = performance.now();
    try {
      const panel = await check({ browser, served, local, plugin, model, presets });
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
const text = JSON.stringify(outcomes);
if (values.report) writeFileSync(values.report, text);
else console.log(text);
process.exitCode = Object.values(outcomes).every(({ ok }) => ok) ? 0 : 1;
