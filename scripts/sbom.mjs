#!/usr/bin/env node
// `npm run sbom`: dist/sbom.cdx.json, every package of the lockfile and every pin of the training code, as CycloneDX. Reads
// nothing but these files, asks no network, and writes the same bytes each time. `-- --out FILE` writes elsewhere.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './lib/paths.mjs';

const PINS = ['requirements.txt', 'requirements-nodeps.txt', 'requirements-dev.txt'];

const { values } = parseArgs({ options: { out: { type: 'string' } } });
const file = values.out === undefined ? join(ROOT, 'dist', 'sbom.cdx.json') : resolve(values.out);
const bom = normalized(npmSbom());
bom.components.push(...PINS.flatMap(pythonComponents));
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(bom, null, 2)}\n`);
console.log(`${relative(process.cwd(), file)}  ${bom.components.length} components`);

/** npm's own list of the lockfile, also of what is not installed here (other systems' binaries). */
function npmSbom() {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', '--offline'];
  const npm = process.env.npm_execpath;
  const options = { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 << 20 };
  const { status, stdout, stderr, error } = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
  if (status === 0) return JSON.parse(stdout);
  console.error(`npm could not list the lockfile; no SBOM was written. It takes npm 10 or newer.\n${error ?? stderr}`);
  process.exit(1);
}

/** Without what differs from run to run: time, serial number, the version of npm, the name of this folder. */
function normalized(bom) {
  const { name } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  delete bom.serialNumber;
  delete bom.metadata.timestamp;
  for (const tool of bom.metadata.tools ?? []) delete tool.version;
  bom.metadata.component.name = name;
  bom.components.sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1));
  bom.dependencies?.sort((a, b) => (a.ref < b.ref ? -1 : 1));
  return bom;
}

/** The pins of one file, in no product: what training and its tests run on. A pin names no license. */
function pythonComponents(list) {
  const lines = readFileSync(join(ROOT, 'training', list), 'utf8').split(/\r?\n/);
  return lines
    .map((line) => /^([\w.-]+)(?:\[[\w,]+\])?==([\w.+!]+)$/.exec(line.trim()))
    .filter((match) => match !== null)
    .map(([, name, version]) => {
      const purl = `pkg:pypi/${name.toLowerCase().replace(/[_.-]+/g, '-')}@${version}`;
      return { 'bom-ref': purl, type: 'library', name, version, scope: 'excluded', purl };
    });
}
