// The page in WebKit, as a web view on a Mac is: node test/browser/webkit.mjs [FOLDER OF THE PAGE]
// Opens the page from its file in WebKitGTK's MiniBrowser by WebDriver, retouches a photo on wasm, and prints what came of it.
// Debian and Ubuntu: apt install webkit2gtk-driver xvfb. Not a part of `npm test`, for these are not everywhere.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../scripts/lib/paths.mjs';
import { buildWeb } from '../../scripts/lib/web-build.mjs';

const PORT = 4479;
const DISPLAY = ':97';
const PHOTO = join(ROOT, 'samples', 'dandelions.jpg');
const LIBRARIES = '/usr/lib';

function miniBrowser() {
  const folders = readdirSync(LIBRARIES).flatMap((system) => {
    const folder = join(LIBRARIES, system);
    return statSync(folder).isDirectory() ? readdirSync(folder).map((name) => join(folder, name)) : [];
  });
  const found = folders.filter((name) => /webkit2gtk-4[^/]*$/.test(name)).map((name) => join(name, 'MiniBrowser'));
  const binary = found.find((name) => existsSync(name));
  if (!binary) throw new Error('There is no MiniBrowser. Debian and Ubuntu: apt install webkit2gtk-driver xvfb.');
  return binary;
}

/** One call of the W3C WebDriver protocol. */
async function drive(method, path, body) {
  const response = await fetch(`http://127.0.0.1:${PORT}${path}`, {
    method,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${path}: ${value.error}: ${value.message}`);
  return value;
}

async function untilUp() {
  for (let tries = 0; tries < 100; tries++) {
    try {
      return await drive('GET', '/status');
    } catch {
      await pause(100);
    }
  }
  throw new Error('WebKitWebDriver does not answer.');
}

const temporary = mkdtempSync(join(tmpdir(), 'veraretouch-webkit-'));
const folder = process.argv[2] ? resolve(process.argv[2]) : join(temporary, 'web');
const children = [];
const start = (command, args, env = {}) => {
  const child = spawn(command, args, { stdio: 'ignore', env: { ...process.env, ...env } });
  child.on('error', (error) => {
    console.error(`${command}: ${error.message}`);
    process.exitCode = 1;
  });
  children.push(child);
};
let session;
try {
  if (!process.argv[2]) await buildWeb(folder, { mode: 'development' });
  start('Xvfb', [DISPLAY, '-screen', '0', '800x900x24']);
  // Its sandbox needs rights that containers do not have.
  start('WebKitWebDriver', [`--port=${PORT}`], { DISPLAY, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' });
  await untilUp();
  const options = { binary: miniBrowser(), args: ['--automation'] };
  const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': options } };
  const opened = await drive('POST', '/session', { capabilities });
  session = `/session/${opened.sessionId}`;
  await drive('POST', `${session}/timeouts`, { script: 300_000 });
  await drive('POST', `${session}/url`, { url: `${pathToFileURL(join(folder, 'index.html')).href}?lang=en` });
  const script = `
    const [photo, done] = arguments;
    const { controller } = window.veraRetouch;
    const bytes = Uint8Array.from(atob(photo), (sign) => sign.charCodeAt(0));
    (async () => {
      await controller.openPhoto({ name: 'dandelions.jpg', bytes });
      const started = performance.now();
      await controller.retouch();
      const painted = () => document.querySelector('.preview').dataset.painted;
      for (let i = 0; i < 300 && !painted(); i++) await new Promise((resolve) => setTimeout(resolve, 100));
      const { tries, model, notices } = controller.store.get();
      return { protocol: location.protocol, gpu: navigator.gpu !== undefined, device: model?.device, check: model?.check,
        texts: tries[0]?.texts, finite: tries[0]?.latents.every(Number.isFinite), notices,
        seconds: (performance.now() - started) / 1000, painted: painted() };
    })().then(done, (error) => done({ error: String(error) }));`;
  const args = [readFileSync(PHOTO).toString('base64')];
  const result = await drive('POST', `${session}/execute/async`, { script, args });
  console.log(
    JSON.stringify(
      { browser: `${opened.capabilities.browserName} ${opened.capabilities.browserVersion}`, ...result },
      null,
      2,
    ),
  );
  assert.equal(result.error, undefined);
  assert.equal(result.protocol, 'file:');
  assert.equal(result.device, 'wasm');
  assert.equal(result.finite, true);
  assert.ok(Number(result.painted) > 0, 'nothing was painted');
  assert.ok(Object.values(result.texts).join('').length > 0, 'no word was written');
  assert.deepEqual(
    result.notices.filter(({ kind }) => kind === 'error'),
    [],
  );
} finally {
  if (session) await drive('DELETE', session).catch(() => undefined);
  for (const child of children) child.kill();
  rmSync(temporary, { recursive: true, force: true });
}
