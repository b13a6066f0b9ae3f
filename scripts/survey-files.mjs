#!/usr/bin/env node
// Reads every file of some folders as the command line would, and says what became of each: how the product does on the
// files of real people. node scripts/survey-files.mjs FOLDER... [--out LINES.jsonl] [--lanes N]
// A line for each file: { file, outcome, ... }, `outcome` being read, refused (by an error of our own), foreign (any other
// error), crashed or stuck. A file that is read has its size, notes and a thumbnail, which test/oracle/compare_reading.py
// compares with what other decoders see. Files are read in processes of their own, so that none takes the survey down.
import { fork } from 'node:child_process';
import { createWriteStream, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadTypeScript } from './lib/load-ts.mjs';

/** Milliseconds that one file may take before its process is ended. */
const PATIENCE = 60_000;
/** Long edge of the thumbnails, in pixels. */
const THUMBNAIL = 48;

if (process.send) serve();
else await survey();

async function survey() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { out: { type: 'string' }, lanes: { type: 'string', default: '2' } },
  });
  const files = positionals.flatMap((folder) => filesBelow(resolve(folder)));
  const lines = values.out ? createWriteStream(values.out) : undefined;
  const counts = {};
  let next = 0;
  const lane = async () => {
    let child;
    while (next < files.length) {
      const file = files[next++];
      child ??= fork(fileURLToPath(import.meta.url), [], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
      const answer = await ask(child, file);
      if (answer.outcome === 'crashed' || answer.outcome === 'stuck') child = undefined;
      const key = answer.code ? `${answer.outcome} ${answer.code}` : answer.outcome;
      counts[key] = (counts[key] ?? 0) + 1;
      lines?.write(`${JSON.stringify({ file, ...answer })}\n`);
    }
    child?.kill();
  };
  await Promise.all(Array.from({ length: Number(values.lanes) }, lane));
  lines?.end();
  console.log(JSON.stringify({ files: files.length, ...counts }, null, 1));
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** What the process says of a file; it is ended where it says nothing. */
function ask(child, file) {
  return new Promise((settle) => {
    const done = (answer) => {
      clearTimeout(timer);
      child.off('message', done);
      child.off('exit', died);
      settle(answer);
    };
    const died = (code, signal) => done({ outcome: 'crashed', message: `exit code ${code}, signal ${signal}` });
    const timer = setTimeout(() => {
      child.off('exit', died);
      child.kill('SIGKILL');
      done({ outcome: 'stuck', message: `nothing within ${PATIENCE / 1000} s` });
    }, PATIENCE);
    child.on('message', done);
    child.on('exit', died);
    child.send(file);
  });
}

/** The other side: reads what it is sent, one after another. */
function serve() {
  const { FilesHost } = loadTypeScript('src/host/files/filesHost.ts');
  const { VeraRetouchError } = loadTypeScript('src/color/errors.ts');
  const host = new FilesHost('.');
  process.on('message', (file) => {
    void read(host, file, VeraRetouchError).then((answer) => process.send(answer));
  });
}

async function read(host, file, OwnError) {
  const started = performance.now();
  const ms = () => Math.round(performance.now() - started);
  try {
    const document = await host.open(file);
    const { name, width, height, bitDepth, hasAlpha, notes } = document;
    const proxy = await document.readProxy(THUMBNAIL);
    const thumbnail = {
      width: proxy.width,
      height: proxy.height,
      rgbBase64: Buffer.from(proxy.data).toString('base64'),
    };
    return { outcome: 'read', name, width, height, bitDepth, hasAlpha, notes, thumbnail, ms: ms() };
  } catch (thrown) {
    if (thrown instanceof OwnError) {
      return { outcome: 'refused', code: thrown.code, message: thrown.message, hint: thrown.hint, ms: ms() };
    }
    return { outcome: 'foreign', message: thrown instanceof Error ? thrown.stack : String(thrown), ms: ms() };
  }
}
