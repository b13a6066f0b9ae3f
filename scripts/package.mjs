#!/usr/bin/env node
// `npm run package`: the plugin as dist/veraretouch-VERSION.ccx, to be opened by Creative Cloud. The same sources and model
// give the same bytes. `-- --model DIR` takes another model bundle.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { ROOT } from './lib/paths.mjs';
import { buildPlugin, checkPackage, packPlugin, writePackage } from './lib/plugin-build.mjs';

const at = process.argv.indexOf('--model');
const model = at > 0 ? resolve(process.argv[at + 1] ?? '') : undefined;
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const { folder, tiny } = await buildPlugin(join(ROOT, 'dist', 'plugin'), model ? { model } : {});
const bytes = packPlugin(folder);
const problems = checkPackage(bytes);
if (problems.length > 0) {
  console.error(`No package was written, for it would not work:\n${problems.join('\n')}`);
  process.exit(1);
}
const file = join(ROOT, 'dist', `veraretouch-${version}.ccx`);
writePackage(file, bytes);
if (tiny)
  console.log('There is no models/ here: the tiny bundle of random weights was packed, whose retouches mean nothing.');
console.log(`${relative(process.cwd(), file)}  ${(bytes.length / 1e6).toFixed(1)} MB`);
console.log(`sha256 ${createHash('sha256').update(bytes).digest('hex')}`);
