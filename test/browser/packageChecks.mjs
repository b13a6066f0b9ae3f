import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import { buildPlugin, checkPackage, packPlugin } from '../../scripts/lib/plugin-build.mjs';

/* The .ccx: the same bytes twice, and every fault that is known to break an installation is found. */

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
/** No page is opened by these. */
const NO_PAGE = { problems: [], close: () => Promise.resolve() };

const withManifest = (change) => (files) => {
  const manifest = JSON.parse(strFromU8(files['manifest.json']));
  change(manifest);
  files['manifest.json'] = strToU8(JSON.stringify(manifest));
};

const withPage = (change) => (files) => {
  files['panel/index.html'] = strToU8(change(strFromU8(files['panel/index.html'])));
};

/** A fault, and what is said of it. */
const FAULTS = [
  [(files) => delete files['manifest.json'], /no manifest\.json/],
  [(files) => (files['manifest.json'] = strToU8('{')), /manifest\.json is no JSON/],
  [(files) => (files['panel/'] = new Uint8Array(0)), /an entry for a folder/],
  [(files) => (files['panel\\a.js'] = new Uint8Array(1)), /a backslash/],
  [(files) => (files['__MACOSX/a'] = new Uint8Array(1)), /is hidden/],
  [(files) => (files['.DS_Store'] = new Uint8Array(1)), /is hidden/],
  [(files) => (files['plugin.js.map'] = new Uint8Array(1)), /of no use/],
  [(files) => (files['Plugin.js'] = new Uint8Array(1)), /differ by case/],
  [(files) => (files['panel/ä.js'] = new Uint8Array(1)), /not every system/],
  [(files) => delete files['plugin.js'], /wants "plugin\.js"/],
  [(files) => delete files['panel/panel.js'], /wants "panel\.js"/],
  [(files) => delete files['panel/index.html'], /"panel\/index\.html" is missing/],
  [(files) => delete files['panel/chunks/worker.js.0.js'], /"worker\.js" is missing/],
  [(files) => delete files['icons/panel-dark@2x.png'], /"icons\/panel-dark@2x\.png" is missing/],
  [(files) => (files['icons/panel-dark@2x.png'] = files['icons/panel-dark@1x.png']), /is of 23 x 23/],
  [(files) => delete files['THIRD_PARTY_NOTICES.txt'], /"THIRD_PARTY_NOTICES\.txt" is missing/],
  [withManifest((manifest) => (manifest.version = '0.0.9')), /of version 0\.0\.9/],
  [withManifest((manifest) => (manifest.host = [manifest.host])), /exactly one host/],
  [withManifest((manifest) => (manifest.manifestVersion = 4)), /not of version 5/],
  [withManifest((manifest) => (manifest.requiredPermissions.network = { domains: 'all' })), /asks for the network/],
  [
    withManifest((manifest) => manifest.requiredPermissions.webview.domains.push('https://a.example')),
    /not local only/,
  ],
  [withManifest((manifest) => delete manifest.requiredPermissions.webview.domains), /not local only/],
  [withManifest((manifest) => (manifest.requiredPermissions.webview.domains = 'all')), /not local only/],
  [
    withManifest((manifest) => (manifest.requiredPermissions.webview.enableMessageBridge = 'localAndRemote')),
    /not local only/,
  ],
  [withManifest((manifest) => (manifest.requiredPermissions.localFileSystem = 'fullAccess')), /without a dialog/],
  [withManifest((manifest) => (manifest.requiredPermissions.launchProcess = {})), /asks for "launchProcess"/],
  [withPage((html) => html.replace(/<meta\s+http-equiv[^>]*>/, '')), /lacks the panel's Content-Security-Policy/],
  [
    withPage((html) => html.replace("connect-src 'self'", 'connect-src *')),
    /lacks the panel's Content-Security-Policy/,
  ],
  [withManifest((manifest) => (manifest.entrypoints[1].id = manifest.entrypoints[0].id)), /no ids of their own/],
  [withManifest((manifest) => (manifest.main = 'other.html')), /"other\.html" is missing/],
];

/** @type {Record<string, (world: import('./panel.mjs').World) => Promise<unknown>>} */
export const PACKAGE = {
  async 'the package has the same bytes twice, and nothing that breaks an installation'({ plugin, model }) {
    const bytes = packPlugin(plugin);
    assert.deepEqual(checkPackage(bytes), []);
    const again = mkdtempSync(join(tmpdir(), 'veraretouch-again-'));
    try {
      await buildPlugin(again, { model, mode: 'development' });
      assert.equal(sha256(packPlugin(again)), sha256(bytes));
    } finally {
      rmSync(again, { recursive: true, force: true });
    }
    return NO_PAGE;
  },

  async 'a package with any of the known faults is refused'({ plugin }) {
    const bytes = packPlugin(plugin);
    const files = unzipSync(bytes);
    for (const [spoil, says] of FAULTS) {
      const spoilt = { ...files };
      spoil(spoilt);
      assert.match(checkPackage(zipSync(spoilt, { level: 0 })).join('\n'), says);
    }
    assert.match(checkPackage(bytes.subarray(0, bytes.length - 30)).join('\n'), /no ZIP archive/);
    return NO_PAGE;
  },
};
