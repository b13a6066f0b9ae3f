#!/usr/bin/env node
// `npm run package`: the plugin as dist/veraretouch-VERSION.ccx, to be opened by Creative Cloud. The same sources and model
// give the same bytes. `-- --model DIR` takes another model bundle.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ROOT } from './lib/paths.mjs';
import { buildPlugin, checkPackage, packPlugin, writePackage } from './lib/plugin-build.mjs';
import { TINY_NOTE, modelOption } from './lib/web-build.mjs';

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const { folder, tiny } = await buildPlugin(join(ROOT, 'dist', 'plugin'), { model: modelOption() });
const bytes = packPlugin(folder);
const problems = checkPackage(bytes);
if (problems.length > 0) {
  console.error(`No package was written, for it would not work:\n${problems.join('\n')}`);
  process.exit(1);
}
const file = join(ROOT, 'dist', `veraretouch-${version}.ccx`);
writePackage(file, bytes);
if (tiny) console.log(TINY_NOTE);
console.log(`${relative(process.cwd(), file)}  ${(bytes.length / 1e6).toFixed(1)} MB`);
console.log(`sha256 ${createHash('sha256').update(bytes).digest('hex')}`);
