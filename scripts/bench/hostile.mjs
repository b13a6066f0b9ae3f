import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const description =
  'hostile presets, LUTs and profiles: each refused by an error of our own, in which time and memory';

const LIMIT_MS = 1000;
const LIMIT_MB = 256;
const READER = fileURLToPath(new URL('../lib/read-hostile.mjs', import.meta.url));

const laughs = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
const settings = 'xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"';
const rdf = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"';
const MB = 2 ** 20;

/** Name -> which reader, and the file. */
const CASES = {
  'preset: entity bomb': ['preset', `<!DOCTYPE lolz [<!ENTITY l0 "lol">${laughs}]><a>&l9;</a>`],
  'preset: 100 MB of text': ['preset', `<a>${'x'.repeat(100 * MB)}</a>`],
  'preset: 4 MB of nesting': ['preset', '<a>'.repeat((4 * MB) / 3 - 1)],
  'preset: 4 MB of attributes': [
    'preset',
    `<a ${Array.from({ length: 300_000 }, (_, i) => `b${i}="1"`).join(' ')}/>`.slice(0, 4 * MB),
  ],
  'preset: NaN': ['preset', `<rdf:RDF ${rdf} ${settings}><rdf:Description crs:Exposure2012="NaN"/></rdf:RDF>`],
  'template: 4 MB of tables': ['preset', `s = ${'{'.repeat(4 * MB - 8)}`],
  'template: one string of 4 MB': ['preset', `s = { a = "${'\\'.repeat(4 * MB - 20)}`],
  'cube: claims 10^9 points': ['cube', 'LUT_3D_SIZE 1000000000\n0 0 0\n'],
  'cube: claims 129 points, has none': ['cube', 'LUT_3D_SIZE 129\n'],
  'cube: NaN': ['cube', `LUT_3D_SIZE 2\n${'NaN 0 0\n'.repeat(8)}`],
  'cube: 101 MB of comments': ['cube', '# x\n'.repeat((101 * MB) / 4)],
  'cube: one line of 90 MB': ['cube', '9'.repeat(90 * MB)],
  'icc: claims 4 GB': ['icc', iccOf(0xffffffff)],
  'icc: 4 billion tags': ['icc', iccOf(132, 0xffffffff)],
};

/** A profile's header that claims a length and a number of tags. */
function iccOf(length, tags = 1) {
  const bytes = Buffer.alloc(132);
  bytes.writeUInt32BE(length, 0);
  bytes.write('\x02\x40\0\0mntrRGB XYZ ', 8, 'latin1');
  bytes.write('acsp', 36, 'latin1');
  bytes.writeUInt32BE(tags, 128);
  return bytes;
}

/** Milliseconds and the growth of the process in MB per case; throws when one is accepted or costs too much. */
export async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'veraretouch-hostile-'));
  const results = {};
  try {
    for (const [name, [kind, content]] of Object.entries(CASES)) {
      const file = join(folder, 'hostile');
      writeFileSync(file, content);
      const child = spawnSync(process.execPath, [READER, kind, file], { encoding: 'utf8' });
      if (child.status !== 0)
        throw new Error(`${name}: the reader ended with ${child.status}: ${child.stderr.slice(-500)}`);
      results[name] = JSON.parse(child.stdout);
      const { error, ms, mb } = results[name];
      if (!error || ms > LIMIT_MS || mb > LIMIT_MB) throw new Error(`${name}: ${child.stdout}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const all = Object.values(results);
  return {
    limits: { ms: LIMIT_MS, mb: LIMIT_MB },
    slowestMs: Math.max(...all.map(({ ms }) => ms)),
    largestMb: Math.max(...all.map(({ mb }) => mb)),
    results,
  };
}
