#!/usr/bin/env node
// node scripts/bench/index.mjs [NAME...] [--json FILE] [--repeat N] [--photos DIR] [--plot FILE]
// Each bench is a file beside this one that exports `description` and `run({ repeat, photos, plot })`; its name is its file
// name. --photos is a folder of photos to measure on (default: the samples), --plot where a bench may draw its curves.
// Results go to stdout (and FILE) as JSON, progress to stderr.
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    repeat: { type: 'string', default: '5' },
    photos: { type: 'string' },
    plot: { type: 'string' },
  },
});
const repeat = Number(values.repeat);
const available = readdirSync(fileURLToPath(new URL('.', import.meta.url)))
  .filter((file) => file.endsWith('.mjs') && file !== 'index.mjs')
  .map((file) => basename(file, '.mjs'));
const unknown = positionals.filter((name) => !available.includes(name));
if (unknown.length > 0 || !Number.isInteger(repeat) || repeat < 1) {
  console.error(
    unknown.length > 0
      ? `Unknown bench: ${unknown.join(', ')}. There are: ${available.join(', ')}.`
      : `--repeat must be a positive integer, got ${values.repeat}.`,
  );
  process.exit(2);
}

const report = {
  date: new Date().toISOString(),
  machine: {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
  },
  repeat,
  benches: {},
};
for (const name of positionals.length > 0 ? positionals : available) {
  const bench = await import(new URL(`${name}.mjs`, import.meta.url));
  console.error(`${name}: ${bench.description}`);
  report.benches[name] = {
    description: bench.description,
    ...(await bench.run({ repeat, photos: values.photos, plot: values.plot })),
  };
}
const text = `${JSON.stringify(report, null, 2)}\n`;
if (values.json) {
  writeFileSync(`${values.json}.part`, text);
  renameSync(`${values.json}.part`, values.json);
}
process.stdout.write(text);
