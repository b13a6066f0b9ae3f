#!/usr/bin/env node
// Hard trials of a batch as it is built, with the tiny bundle:
//   node test/cli/support/batchTrials.mjs kills --photos 200 --rounds 10      killed (SIGKILL) at random moments, resumed
//   node test/cli/support/batchTrials.mjs two-runs --photos 20 --rounds 10    two runs at once on one folder of results
// Prints the counts as JSON. Exit code 1 when a photo was lost, done twice or left in pieces. `--program FILE` tries
// another build.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';

const ROOT = resolve(import.meta.dirname, '../../..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    photos: { type: 'string', default: '12' },
    rounds: { type: 'string', default: '2' },
    program: { type: 'string', default: join(ROOT, 'dist', 'cli.cjs') },
  },
});
const [photos, rounds] = [Number(values.photos), Number(values.rounds)];
const trial = { kills, 'two-runs': twoRuns }[positionals[0]];
if (!trial || !(photos > 0) || !(rounds > 0)) {
  console.error('Usage: batchTrials.mjs kills|two-runs [--photos N] [--rounds N] [--program FILE]');
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'veraretouch-trial-'));
try {
  await makePhotos(join(folder, 'photos'));
  const found = await trial();
  console.log(JSON.stringify(found));
  process.exitCode = found.wrong === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Small pictures, no two alike. */
async function makePhotos(place) {
  mkdirSync(place);
  for (let i = 1; i <= photos; i++) {
    const background = { r: (i * 37) % 256, g: (i * 91) % 256, b: (i * 53) % 256 };
    const picture = sharp({ create: { width: 48, height: 32, channels: 3, background } });
    await picture.jpeg().toFile(join(place, `photo ${i}.jpg`));
  }
}

/** One batch, killed `rounds` times without notice, each time after some more photos, then run to its end. */
async function kills() {
  const out = join(folder, 'out');
  let killed = 0;
  for (let round = 0; round < rounds; round++) {
    // Anywhere in the photos of this round, and some milliseconds on: between any two steps.
    const after = 1 + Math.floor((Math.random() * photos) / rounds);
    if ((await retouch(out, { after, delay: Math.random() * 60 })).signal === 'SIGKILL') killed++;
  }
  const { code, stderr } = await retouch(out);
  return { trial: 'kills', photos, killed, code, ...check(out), said: code === 0 ? undefined : stderr.slice(-600) };
}

/** Two runs that start together, in a new folder each round; then one more, which has nothing to do. */
async function twoRuns() {
  const sum = { trial: 'two-runs', photos, rounds, turnedAway: 0, wrong: 0, said: [] };
  for (let round = 0; round < rounds; round++) {
    const out = join(folder, `out${round}`);
    const both = await Promise.all([retouch(out), retouch(out)]);
    const away = both.filter(({ stderr }) => /Another run of veraretouch \(process \d+\) is at work/.test(stderr));
    sum.turnedAway += away.length;
    const last = await retouch(out);
    const found = check(out);
    const odd = both.filter((ended) => ended.code !== 0 && !away.includes(ended));
    const sound = odd.length === 0 && away.length < 2 && last.code === 0 && found.wrong === 0;
    if (!sound) {
      sum.wrong++;
      sum.said.push({
        codes: both.map(({ code }) => code),
        ...found,
        odd: odd.map(({ stderr }) => stderr.slice(-300)),
      });
    }
  }
  return sum;
}

/** Every photo once and whole: four files, the record readable, the report saying the same, nothing temporary left. */
function check(out) {
  const files = readdirSync(out);
  const of = (ending) => files.filter((file) => file.endsWith(ending) && file !== 'report.json').length;
  const { counts } = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'));
  const results = { psd: of('.psd'), png: of('.png'), cube: of('.cube'), json: of('.json') };
  const torn = files.filter((file) => file.endsWith('.json')).filter((file) => !readable(join(out, file))).length;
  const twice = files.filter((file) => /-\d+\.psd$/.test(file)).length;
  const temporary = files.filter((file) => /\.(tmp|lock|part)$/.test(file)).length;
  const lost = Math.max(0, photos - Math.min(...Object.values(results)), photos - counts.done);
  const more = Math.max(...Object.values(results)) - photos;
  const wrong = lost + twice + torn + temporary + Math.max(0, more) + counts.failed + counts.open;
  return { results, report: counts, lost, twice, torn, temporary, wrong };
}

function readable(file) {
  try {
    JSON.parse(readFileSync(file, 'utf8'));
    return true;
  } catch {
    return false;
  }
}

/** Runs the program to its end, or kills it `delay` ms after so many photos have ended. */
function retouch(out, { after = Infinity, delay = 0 } = {}) {
  const bundle = join(ROOT, 'test', 'fixtures', 'tiny-bundle');
  const args = ['retouch', join(folder, 'photos'), '--auto', '--bundle', bundle, '--threads', '2', '--out', out];
  const child = spawn(process.execPath, [values.program, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  let timer;
  child.stderr.on('data', (data) => {
    stderr += data;
    if (timer === undefined && (stderr.match(/^ *\[ *\d+\/\d+\] /gm) ?? []).length >= after) {
      timer = setTimeout(() => child.kill('SIGKILL'), delay);
    }
  });
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      done({ code, signal, stderr });
    });
  });
}
