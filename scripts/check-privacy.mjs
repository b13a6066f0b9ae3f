#!/usr/bin/env node
// `npm run check:privacy`: retouches photos in every way under strace and proves that nothing leaves the machine: not one
// socket, not one file outside the output folder. Linux only. `-- --cli FILE` checks another build, `--model DIR` takes
// another model bundle, `--linger SECONDS` is how long one run is held open afterwards, `--only NAME` does one run of
// them. The exit status: 0 proved, 1 something was found, 2 it could not be checked.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureNodePackages } from './lib/node-packages.mjs';
import { ROOT } from './lib/paths.mjs';
import { layInputs, runsOver } from './lib/privacy-runs.mjs';
import { runNode } from './lib/run.mjs';
import { ensureStrace, judge, traced } from './lib/strace.mjs';

/** Where programs keep what they keep: each gets an empty folder, which has to be empty at the end. */
const KEEPERS = {
  HOME: 'home',
  XDG_CACHE_HOME: 'cache',
  XDG_CONFIG_HOME: 'config',
  XDG_DATA_HOME: 'data',
  XDG_STATE_HOME: 'state',
  XDG_RUNTIME_DIR: 'runtime',
  TMPDIR: 'tmp',
};
/** Holds a program open after its work is done: telemetry is uploaded a while later (here, ten seconds). */
const LINGER = `process.once('beforeExit', () => setTimeout(() => {}, Number(process.env.PRIVACY_LINGER_MS)));\n`;
/** What the check has to catch, lest it be blind. */
const CULPRIT = `const { writeFileSync } = require('node:fs');
require('node:dgram').createSocket('udp4').bind(0, '127.0.0.1', function () { this.close(); });
writeFileSync(require('node:path').join(process.env.HOME, 'deviceid'), 'x');
`;

process.exitCode = await main();

async function main() {
  const { values } = parseArgs({
    options: {
      ...{ cli: { type: 'string' }, model: { type: 'string' }, only: { type: 'string' } },
      linger: { type: 'string', default: '15' },
    },
  });
  let work;
  try {
    ensureStrace();
    const cli = values.cli === undefined ? build() : resolve(values.cli);
    if (!existsSync(cli)) throw new Error(`There is no program ${cli}.`);
    work = realpathSync(mkdtempSync(join(tmpdir(), 'veraretouch-privacy-')));
    const model = resolve(values.model ?? join(ROOT, 'models'));
    if (!existsSync(join(model, 'bundle.json'))) throw new Error(`There is no model bundle in ${model}.`);
    return (await check({ cli, model, work, only: values.only, linger: Number(values.linger) })) ? 0 : 1;
  } catch (error) {
    console.error(`Not checked: ${error.message}`);
    return 2;
  } finally {
    if (work) rmSync(work, { recursive: true, force: true });
  }
}

/** The command line as it is in the tree. */
function build() {
  ensureNodePackages();
  const webpack = join(ROOT, 'node_modules', 'webpack', 'bin', 'webpack.js');
  if (runNode(webpack, ['--mode', 'production', '--stats', 'errors-warnings']) !== 0)
    throw new Error('the command line could not be built (see above).');
  return join(ROOT, 'dist', 'cli.cjs');
}

/** Runs all and prints a line for each. Tells whether all is well. */
async function check({ cli, model, work, only, linger }) {
  const place = prepare(work, linger);
  const chosen = runsOver(place.photos).filter(({ name }) => only === undefined || name === only);
  if (chosen.length === 0) throw new Error(`There is no run "${only}".`);
  const before = digests(place.photos, model);
  let sound = await catchesCulprit(place);
  let [runs, written] = [0, 0];
  for (const run of chosen) {
    const { problems, files } = await watch(run, { cli, model, place });
    sound = say(run.name + (run.linger ? `, held open for ${linger} s more` : ''), problems, files) && sound;
    [runs, written] = [runs + 1, written + files];
  }
  const after = digests(place.photos, model);
  const touched = [...new Set([...before.keys(), ...after.keys()])].filter((f) => before.get(f) !== after.get(f));
  sound = say('photos and model are as they were', touched) && sound;
  console.log(
    sound
      ? `Nothing leaves this machine: ${runs} runs, no socket, ${written} files written, all of them in the output folder.`
      : 'NOT private: see the lines marked FAIL.',
  );
  return sound;
}

function prepare(work, linger) {
  const place = { work, photos: join(work, 'photos'), traces: join(work, 'traces'), linger: join(work, 'linger.cjs') };
  for (const folder of [place.photos, place.traces, join(work, 'out')]) mkdirSync(folder);
  layInputs(place.photos);
  writeFileSync(place.linger, LINGER);
  writeFileSync(join(work, 'culprit.cjs'), CULPRIT);
  const keepers = Object.entries(KEEPERS).map(([name, folder]) => [name, join(work, folder)]);
  for (const [, folder] of keepers) mkdirSync(folder, { mode: 0o700 });
  // Nothing else of the caller's: a variable that switches telemetry off would hide that we did not.
  place.env = {
    ...Object.fromEntries(keepers),
    PATH: process.env.PATH ?? '',
    LANG: 'C.UTF-8',
    // Reading and writing through io_uring would be out of strace's sight.
    UV_USE_IO_URING: '0',
    PRIVACY_LINGER_MS: String(linger * 1000),
  };
  return place;
}

/** One run of the command line: what it did that it must not do, and how many files it opened for writing. */
async function watch(run, { cli, model, place }) {
  const out = join(place.work, 'out', run.out ?? run.name.replaceAll(/\W+/g, '-'));
  const node = [process.execPath, ...(run.linger ? ['--require', place.linger] : [])];
  const command = [...node, cli, 'retouch', ...run.args, '--bundle', model, '--out', out];
  const { status, output, calls } = await traced(command, { cwd: place.work, env: place.env, folder: place.traces });
  const { problems, written } = judge(calls, { inside: out, cwd: place.work });
  const wanted = run.status ?? 0;
  if (status !== wanted) problems.push(`ended with ${status}, not ${wanted}:\n${output.slice(-1000)}`);
  // Results that the trace does not show were written out of its sight.
  if (written < (run.files ?? 0)) problems.push(`only ${written} files were seen being written, not ${run.files}`);
  return { problems: [...problems, ...leftBehind(place)], files: written };
}

/** A program that does both forbidden things, to see that both are seen. */
async function catchesCulprit(place) {
  const command = [process.execPath, join(place.work, 'culprit.cjs')];
  const { calls } = await traced(command, { cwd: place.work, env: place.env, folder: place.traces });
  const found = [...judge(calls, { inside: join(place.work, 'out'), cwd: place.work }).problems, ...leftBehind(place)];
  const needed = {
    socket: /^socket\(AF_INET/,
    file: /outside the output folder: .*deviceid$/,
    leftover: /^left in HOME/,
  };
  const missed = Object.entries(needed).filter(([, pattern]) => !found.some((problem) => pattern.test(problem)));
  return say(
    'a program that opens a socket and writes elsewhere is caught',
    missed.map(([name]) => `the ${name} was not seen: this check is blind here`),
  );
}

/** What lies in the folders that have to stay empty. It is taken away, so that each run answers for its own. */
function leftBehind({ work }) {
  return Object.entries(KEEPERS).flatMap(([name, folder]) => {
    const found = readdirSync(join(work, folder), { recursive: true, withFileTypes: true })
      .map((entry) => ({ path: join(entry.parentPath, entry.name), isFolder: entry.isDirectory() }))
      .filter(({ path, isFolder }) => !isFolder || readdirSync(path).length === 0)
      .map(({ path }) => `left in ${name}: ${path.slice(work.length + 1)}`);
    for (const entry of readdirSync(join(work, folder))) rmSync(join(work, folder, entry), { recursive: true });
    return found;
  });
}

/** SHA-256 of every file in some folders, by path. */
function digests(...folders) {
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  return new Map(files.map((file) => [file, createHash('sha256').update(readFileSync(file)).digest('hex')]));
}

function say(name, problems, files) {
  console.log(
    `${problems.length > 0 ? 'FAIL' : 'ok  '} ${name}${files === undefined ? '' : `, files written: ${files}`}`,
  );
  for (const problem of problems) console.log(`       ${problem}`);
  return problems.length === 0;
}
