#!/usr/bin/env node
// `npm run build:web`: the browser edition in dist/web, to be served, or opened as it lies there. `-- --model DIR` takes
// another model bundle.
import { join, relative } from 'node:path';
import { ROOT } from './lib/paths.mjs';
import { TINY_NOTE, buildWeb, modelOption } from './lib/web-build.mjs';

const { folder, tiny } = await buildWeb(join(ROOT, 'dist', 'web'), { model: modelOption() });
if (tiny) console.log(TINY_NOTE);
console.log(`Open ${relative(process.cwd(), folder)}/index.html, or run npm start.`);
