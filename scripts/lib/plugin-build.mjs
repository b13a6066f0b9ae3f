import { cpSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { strFromU8, unzipSync, zipSync } from 'fflate';
import { panelPolicy, policyOf } from './page-policy.mjs';
import { ROOT } from './paths.mjs';
import { bundle, buildWeb, writeNotices } from './web-build.mjs';

const require = createRequire(import.meta.url);
/** The earliest that a ZIP can say, by the local clock: the same bytes whenever and wherever it is built. */
const TIME = new Date(1980, 0, 1);
export const LARGEST_BYTES = 160 * 1024 * 1024;
/** What no package goes out without. */
const LEGAL = ['LICENSE', 'NOTICE', 'THIRD_PARTY_NOTICES.txt'];
const PNG_SIGNATURE = '89504e470d0a1a0a';

/**
 * Builds the whole plugin into a folder, as Photoshop finds it: manifest and host script at the root, the page in panel/.
 * The model lies there as scripts only: the one way that every web view lets a page load.
 *
 * @param {string} folder is emptied first
 * @param {{model?: string, mode?: 'production' | 'development'}} options
 */
export async function buildPlugin(folder, options = {}) {
  rmSync(folder, { recursive: true, force: true });
  const { model, tiny, folders } = await buildWeb(join(folder, 'panel'), {
    ...options,
    host: 'photoshop',
    plain: false,
  });
  cpSync(join(ROOT, 'plugin'), folder, { recursive: true });
  const script = require('../../webpack.photoshop.js')({}, { mode: options.mode });
  folders.push(...(await bundle(folder, [script])));
  // One set at the root, for the whole package.
  for (const name of LEGAL) rmSync(join(folder, 'panel', name), { force: true });
  writeNotices(folder, folders);
  return { folder, model, tiny };
}

/**
 * A folder as .ccx: a ZIP without entries for folders, forward slashes, names in order; the same bytes for the same files.
 *
 * @returns {Uint8Array}
 */
export function packPlugin(folder) {
  const entries = {};
  for (const name of filesOf(folder)) entries[name] = [readFileSync(join(folder, ...name.split('/'))), { mtime: TIME }];
  return zipSync(entries, { level: 9, mtime: TIME });
}

/** Writes a package, whole or not at all. */
export function writePackage(file, bytes) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.part`, bytes);
  renameSync(`${file}.part`, file);
}

/**
 * What is known to break an installation or to leave a panel blank, looked for in the package itself.
 *
 * @param {Uint8Array} bytes
 * @returns {string[]} one sentence each; none when all is well
 */
export function checkPackage(bytes) {
  let files;
  try {
    files = unzipSync(bytes);
  } catch (error) {
    return [`It is no ZIP archive: ${error.message}.`];
  }
  const names = Object.keys(files);
  const problems = [];
  const need = (holds, problem) => {
    if (!holds) problems.push(problem);
  };
  need(bytes.length <= LARGEST_BYTES, `It has ${bytes.length} bytes, more than ${LARGEST_BYTES}.`);
  for (const name of names) {
    need(!name.endsWith('/'), `"${name}" is an entry for a folder.`);
    need(!name.includes('\\'), `"${name}" has a backslash.`);
    need(!/(^|\/)(\.|__MACOSX)/.test(name), `"${name}" is hidden.`);
    need(!/\.(map|part)$/.test(name), `"${name}" is of no use there.`);
    need(/^[\w./@-]+$/.test(name), `"${name}" has characters that not every system takes.`);
  }
  need(new Set(names.map((name) => name.toLowerCase())).size === names.length, 'Two names differ by case only.');
  if (!files['manifest.json']) return [...problems, 'There is no manifest.json at its root.'];
  let manifest;
  try {
    manifest = JSON.parse(strFromU8(files['manifest.json']));
  } catch (error) {
    return [...problems, `manifest.json is no JSON: ${error.message}.`];
  }
  return [...problems, ...checkManifest(manifest, files)];
}

function checkManifest(manifest, files) {
  const problems = [];
  const need = (holds, problem) => {
    if (!holds) problems.push(problem);
  };
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  need(manifest.manifestVersion === 5, 'The manifest is not of version 5.');
  need(/^[\w.-]+$/.test(manifest.id ?? ''), 'The manifest has no id.');
  need(manifest.version === version, `The manifest is of version ${manifest.version}, the product of ${version}.`);
  need(/^\d+\.\d+\.\d+$/.test(manifest.version ?? ''), 'The version is not x.y.z.');
  need(!Array.isArray(manifest.host) && manifest.host?.app === 'PS', 'A package is for exactly one host, PS.');
  need(/^\d+\.\d+\.\d+$/.test(manifest.host?.minVersion ?? ''), 'The lowest version of the host is not x.y.z.');
  need(files[manifest.main], `The main file "${manifest.main}" is missing.`);
  problems.push(...checkPrivacy(manifest.requiredPermissions ?? {}, files['panel/index.html']));
  const ids = (manifest.entrypoints ?? []).map(({ id }) => id);
  need(ids.length > 0 && new Set(ids).size === ids.length, 'Its entry points have no ids of their own.');
  const icons = [manifest, ...(manifest.entrypoints ?? [])].flatMap(({ icons: own }) => own ?? []);
  for (const icon of icons) problems.push(...checkIcon(icon, files));
  for (const [page, folder] of [
    [manifest.main, ''],
    ['panel/index.html', 'panel/'],
  ]) {
    const html = files[page] && strFromU8(files[page]);
    need(html, `The page "${page}" is missing.`);
    for (const [, source] of (html ?? '').matchAll(/\b(?:src|href)="(?!data:)([^"]*)"/g))
      need(files[folder + source], `${page} wants "${source}", which is not there.`);
  }
  for (const name of LEGAL) need(files[name], `Its "${name}" is missing.`);
  for (const name of ['worker.js', 'ort.wasm', 'model/bundle.json', 'model/SHA256SUMS'])
    need(files[`panel/chunks/${name}.0.js`], `The page's "${name}" is missing.`);
  return problems;
}

/** Files by dialog and a web view of the package's own page: nothing else is asked for, so nothing can be sent. */
function checkPrivacy({ network, localFileSystem, webview, ...others }, page) {
  const problems = [];
  if (network !== undefined) problems.push('It asks for the network.');
  if (localFileSystem !== 'request') problems.push('It asks for files without a dialog.');
  const { domains, allowLocalRendering, enableMessageBridge } = webview ?? {};
  if (domains?.length !== 0 || allowLocalRendering !== 'yes' || enableMessageBridge !== 'localOnly')
    problems.push('Its web view is not local only.');
  for (const name of Object.keys(others)) problems.push(`It asks for "${name}", which it has no use for.`);
  if (page && policyOf(strFromU8(page)) !== panelPolicy())
    problems.push("Its page lacks the panel's Content-Security-Policy.");
  return problems;
}

function checkIcon({ path, scale, width, height }, files) {
  return (scale ?? [1]).flatMap((factor) => {
    const name = path.replace(/(\.\w+)$/, `@${factor}x$1`);
    const bytes = files[name] && Buffer.from(files[name]);
    if (bytes?.subarray(0, 8).toString('hex') !== PNG_SIGNATURE) return [`The icon "${name}" is missing or no PNG.`];
    const [w, h] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
    return w === width * factor && h === height * factor ? [] : [`The icon "${name}" is of ${w} x ${h}.`];
  });
}

function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();
}
