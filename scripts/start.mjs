#!/usr/bin/env node
// `npm start`: builds the browser edition and serves it on this computer only. `-- --port N` (8420 unless told).
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './lib/paths.mjs';
import { serveFolder } from './lib/serve-folder.mjs';
import { TINY_NOTE, buildWeb } from './lib/web-build.mjs';

export { serveFolder };

if (process.argv[1] && resolve(process.argv[1]) === import.meta.filename) process.exitCode = await start();

async function start() {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '8420' } } });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    console.error(`"${values.port}" is no port. Give a number from 1 to 65535: npm start -- --port 8421`);
    return 2;
  }
  const { folder, tiny } = await buildWeb(join(ROOT, 'dist', 'web'), { chunks: false });
  if (tiny) console.log(TINY_NOTE);
  try {
    const { address } = await serveFolder(folder, port);
    console.log(`VeraRetouch: ${address}  (Ctrl+C ends it)`);
    return 0;
  } catch (error) {
    console.error(`Port ${port} cannot be used (${error.code}). Try another: npm start -- --port ${port + 1}`);
    return 1;
  }
}
