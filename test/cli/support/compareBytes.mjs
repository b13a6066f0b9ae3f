#!/usr/bin/env node
// Runs two builds of the command line over the same single photos in all four modes and compares what they write:
// `node test/cli/support/compareBytes.mjs OLD/dist/cli.cjs NEW/dist/cli.cjs [BUNDLE]`. PNG, .cube and PSD have to be
// equal to the byte; NAME.json but for the times and for what the newer build adds. Exit code 1 where they are not.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');
const [before, after, bundle = join(ROOT, 'models')] = process.argv.slice(2);
if (!before || !after || ![before, after].every(existsSync)) {
  console.error('Usage: compareBytes.mjs OLD/dist/cli.cjs NEW/dist/cli.cjs [BUNDLE]');
  process.exit(2);
}
const sample = (name) => join(ROOT, 'samples', name);
const PHOTOS = ['dandelions.jpg', 'mountain.jpg', 'reference-before.jpg'].map(sample);
const MODES = {
  auto: ['--auto'],
  style: ['--style', 'warm, faded film'],
  param: ['--params', sample('params.json')],
  reference: ['--reference', sample('reference-before.jpg'), sample('reference-after.jpg')],
};
const folder = mkdtempSync(join(tmpdir(), 'veraretouch-bytes-'));
const counts = { equal: 0, different: 0 };
try {
  for (const [mode, args] of Object.entries(MODES)) {
    for (const photo of PHOTOS) {
      const [old, now] = [before, after].map((program, i) => retouch(program, photo, args, join(folder, String(i))));
      for (const name of new Set([...Object.keys(old), ...Object.keys(now)])) {
        const same = old[name] === now[name];
        counts[same ? 'equal' : 'different']++;
        if (!same) console.log(`DIFFERENT ${mode} ${name}: ${old[name]} ${now[name]}`);
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(JSON.stringify(counts));
process.exitCode = counts.different > 0 || counts.equal === 0 ? 1 : 0;

/** Name of each file written, with its hash. */
function retouch(program, photo, args, out) {
  rmSync(out, { recursive: true, force: true });
  const given = [program, 'retouch', photo, ...args, '--bundle', bundle, '--out', out];
  const { status, stderr } = spawnSync(process.execPath, given, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr.slice(-500)}`);
  return Object.fromEntries(readdirSync(out).map((name) => [name, hash(name, readFileSync(join(out, name)))]));
}

function hash(name, bytes) {
  const content = name.endsWith('.json') ? JSON.stringify(lasting(JSON.parse(bytes.toString()))) : bytes;
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}

function lasting({ mode, reasoning, tokens, device, bundle }) {
  return { mode, reasoning, tokens, device, bundle };
}
