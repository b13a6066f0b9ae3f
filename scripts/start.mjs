#!/usr/bin/env node
// `npm start`: builds the browser edition and serves it on this computer only. `-- --port N` (8420 unless told).
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { ROOT } from './lib/paths.mjs';
import { TINY_NOTE, buildWeb } from './lib/web-build.mjs';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** Serves the files of one folder on localhost. */
export async function serveFolder(folder, port = 0) {
  const root = resolve(folder);
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = join(root, decodeURIComponent(pathname === '/' ? '/index.html' : pathname));
    const size = file.startsWith(root + sep) ? sizeOf(file) : undefined;
    if (size === undefined) {
      response.writeHead(404).end();
      return;
    }
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'content-length': size, 'cache-control': 'no-cache' });
    createReadStream(file).pipe(response);
  });
  await new Promise((done, failed) => server.once('error', failed).listen(port, '127.0.0.1', done));
  const address = `http://localhost:${server.address().port}/`;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  };
  return { address, close };
}

function sizeOf(file) {
  const found = statSync(file, { throwIfNoEntry: false });
  return found?.isFile() ? found.size : undefined;
}

if (process.argv[1] && resolve(process.argv[1]) === import.meta.filename) {
  const at = process.argv.indexOf('--port');
  const { folder, tiny } = await buildWeb(join(ROOT, 'dist', 'web'), { chunks: false });
  if (tiny) console.log(TINY_NOTE);
  const { address } = await serveFolder(folder, at > 0 ? Number(process.argv[at + 1]) : 8420);
  console.log(`VeraRetouch: ${address}  (Ctrl+C ends it)`);
}
