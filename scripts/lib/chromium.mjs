import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './run.mjs';
import { isLocal } from './serve-folder.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/**
 * WebGPU without a graphics card is Chromium's SwiftShader, which wants to be asked for; the rest keeps the browser from
 * calling anybody. `--no-sandbox`: containers run as root.
 */
export const FLAGS = [
  '--enable-unsafe-webgpu',
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Path of Chromium: VERARETOUCH_CHROMIUM, else the first one in PATH; undefined where there is none. */
export function findChromium() {
  const given = process.env.VERARETOUCH_CHROMIUM;
  if (given) return given;
  const folders = (process.env.PATH ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((file) => existsSync(file));
}

/**
 * Path of Chromium, which is installed where apt and the right to use it are there.
 *
 * @returns {string}
 */
export function ensureChromium() {
  const found = findChromium();
  if (found) return found;
  if (process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0) {
    console.log('Installing Chromium by apt (the first time)');
    const quiet = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
    run('apt-get', ['update', '-qq'], quiet);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], quiet);
    const installed = findChromium();
    if (installed) return installed;
  }
  throw new Error(
    'No Chromium was found. Install one (Debian and Ubuntu: apt install chromium), or set VERARETOUCH_CHROMIUM to its path.',
  );
}

/**
 * A page on localhost (a secure context, which WebGPU asks for) that runs one script.
 *
 * @param {string} script text of the page's script
 * @param {Record<string, Uint8Array>} files what the page may fetch, by path
 * @returns {Promise<{page: import('playwright-core').Page, version: string, received(path: string): Buffer, close(): Promise<void>}>}
 *   `received`: all that the page has posted to a path
 */
export async function openPage(script, files = {}) {
  const { chromium } = await import('playwright-core');
  /** @type {Map<string, Buffer[]>} */
  const received = new Map();
  const server = createServer((request, response) => {
    if (!isLocal(request.headers.host, server.address()?.port)) {
      response.writeHead(403).end();
      return;
    }
    if (request.method === 'POST') {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        received.set(request.url, [...(received.get(request.url) ?? []), ...chunks]);
        response.end();
      });
      return;
    }
    const page = '<!doctype html><meta charset="utf-8"><title>test</title><script src="/page.js"></script>';
    const pages = new Map([
      ...Object.entries(files).map(([path, bytes]) => [path, ['application/octet-stream', bytes]]),
      ['/', ['text/html', page]],
      ['/page.js', ['text/javascript', script]],
    ]);
    const [type, body] = pages.get(request.url) ?? ['text/plain', undefined];
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': type }).end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({ executablePath: ensureChromium(), args: FLAGS });
  const close = async () => {
    await browser.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    return { page, version: browser.version(), received: (path) => Buffer.concat(received.get(path) ?? []), close };
  } catch (error) {
    await close();
    throw error;
  }
}
