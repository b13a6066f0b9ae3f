#!/usr/bin/env node
// `npm run build:web`: the browser edition in dist/web, to be served, or opened as it lies there. `-- --model DIR` takes
// another model bundle.
import { relative, resolve } from 'node:path';
import { ROOT } from './lib/paths.mjs';
import { buildWeb } from './lib/web-build.mjs';

const at = process.argv.indexOf('--model');
const model = at > 0 ? resolve(process.argv[at + 1] ?? '') : undefined;
const { folder, tiny } = await buildWeb(resolve(ROOT, 'dist', 'web'), model ? { model } : {});
if (tiny)
  console.log('There is no models/ here: the tiny bundle of random weights was taken, whose retouches mean nothing.');
console.log(`Open ${relative(process.cwd(), folder)}/index.html, or run npm start.`);
