import { createReadStream } from 'node:fs';
import { lstat, realpath } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream';
import { panelPolicy } from './page-policy.mjs';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};
const LOCAL = '127.0.0.1';
const NAMES = ['localhost', LOCAL, '[::1]'];

/**
 * Serves the files of one folder to this computer and nobody else. Any page that is open in the browser can send requests
 * here, under names of its own choosing too; so only the names of this computer are answered, only files inside of the
 * folder are read, wherever links point, and other pages may not read, embed or frame what comes.
 *
 * @param {string} folder
 * @param {number} port 0 takes a free one. Rejects where it is taken (EADDRINUSE)
 * @returns {Promise<{address: string, port: number, close(): Promise<void>}>}
 */
export async function serveFolder(folder, port = 0) {
  const root = await realpath(resolve(folder));
  const policy = `${panelPolicy()}; frame-ancestors 'none'`;
  const server = createServer((request, response) => {
    response.setHeader('content-security-policy', policy);
    answer(request, response, root, server.address()?.port).catch(() => {
      if (response.headersSent) response.destroy();
      else refuse(response, 500, 'This file could not be read.');
    });
  });
  await new Promise((done, failed) => server.once('error', failed).listen(port, LOCAL, done));
  const own = server.address().port;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  };
  return { address: `http://localhost:${own}/`, port: own, close };
}

async function answer(request, response, root, port) {
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('cross-origin-resource-policy', 'same-origin');
  response.setHeader('cross-origin-opener-policy', 'same-origin');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('cache-control', 'no-cache');
  if (!isLocal(request.headers.host, port)) return refuse(response, 403, `Only http://localhost:${port}/ is answered.`);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return refuse(response, 405, 'Files can be read here, nothing else.');
  }
  const path = pathOf(request.url ?? '');
  if (path === undefined) return refuse(response, 400, 'This address is not valid.');
  const found = await fileAt(root, path);
  if (!found) return refuse(response, 404, 'There is no such file.');
  const type = TYPES[extname(found.file)] ?? 'application/octet-stream';
  response.writeHead(200, { 'content-type': type, 'content-length': found.size });
  if (request.method === 'HEAD') return response.end();
  // Ends the connection where the file cannot be read to its end, so that half of it is not taken for the whole.
  pipeline(createReadStream(found.file, { end: Math.max(0, found.size - 1) }), response, () => undefined);
}

function refuse(response, status, sentence) {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${sentence}\n`);
}

/** Does a Host header name this computer and this port? Another name that leads here is a trick (DNS rebinding). */
export function isLocal(host, port) {
  const wanted = NAMES.map((name) => `${name}:${port}`);
  return [...wanted, ...(port === 80 ? NAMES : [])].includes(host?.toLowerCase());
}

/** The decoded path of a request, which starts with a slash; undefined where it is none. */
function pathOf(url) {
  if (!url.startsWith('/')) return undefined;
  try {
    const path = decodeURIComponent(url.replace(/[?#].*$/s, ''));
    // A backslash parts folders on Windows; a NUL ends a name for the system, but not for us.
    return /[\0\\]/.test(path) ? undefined : path;
  } catch {
    return undefined;
  }
}

/** The regular file that a path leads to inside of the folder, all symbolic links followed; undefined where there is none. */
async function fileAt(root, path) {
  try {
    const file = await realpath(resolve(root, `.${path.endsWith('/') ? `${path}index.html` : path}`));
    const state = await lstat(file);
    return file.startsWith(root.endsWith(sep) ? root : root + sep) && state.isFile()
      ? { file, size: state.size }
      : undefined;
  } catch {
    return undefined;
  }
}
