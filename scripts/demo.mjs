#!/usr/bin/env node
// `npm run demo`: from a fresh clone to retouched photos. Installs Node packages if they are missing, builds, and
// retouches a bundled photo in all four modes into out/demo/. Plain Node, no packages, because it installs them first.
// Another model or photo: npm run demo -- --bundle DIR --photo FILE
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureNodePackages } from './lib/node-packages.mjs';
import { ROOT } from './lib/paths.mjs';
import { run, runNode } from './lib/run.mjs';

const { values } = parseArgs({
  options: {
    bundle: { type: 'string', default: join(ROOT, 'models') },
    photo: { type: 'string', default: join(ROOT, 'samples', 'dandelions.jpg') },
  },
});
const OUT = join(ROOT, 'out', 'demo');
const sample = (name) => join(ROOT, 'samples', name);
const MODES = [
  ['auto', 'The model looks at the photo and decides.', ['--auto']],
  ['style', 'A style in words.', ['--style', 'warm golden evening light, gently faded']],
  ['param', 'Sliders from samples/params.json.', ['--params', sample('params.json')]],
  [
    'reference',
    'The look of an edited photo.',
    ['--reference', sample('reference-before.jpg'), sample('reference-after.jpg')],
  ],
];

process.exitCode = demo();

function demo() {
  if (!existsSync(join(values.bundle, 'bundle.json'))) {
    console.error(`There is no model bundle in ${values.bundle}. Give its folder: npm run demo -- --bundle DIR`);
    return 1;
  }
  ensureNodePackages();
  console.log('Building the command line ...');
  const webpack = join(ROOT, 'node_modules', 'webpack', 'bin', 'webpack.js');
  if (runNode(webpack, ['--mode', 'production', '--stats', 'errors-warnings']) !== 0) return 1;
  // Results are numbered rather than overwritten; the demo starts anew.
  rmSync(OUT, { recursive: true, force: true });
  const program = join(ROOT, 'dist', 'cli.cjs');
  for (const [mode, what, options] of MODES) {
    console.log(`\n=== ${mode}: ${what}`);
    const out = join(OUT, mode);
    const common = ['retouch', values.photo, '--bundle', values.bundle, '--out', out];
    // The reasoning appears on stderr while it is written; the list of files is shown below instead.
    const stdio = ['ignore', 'ignore', 'inherit'];
    const status = run(process.execPath, [program, ...common, ...options], { stdio });
    if (status !== 0) return status;
    console.log(
      readdirSync(out)
        .map((file) => `  ${relative(process.cwd(), join(out, file))}`)
        .join('\n'),
    );
  }
  console.log('\nOpen a .psd in an editor: photo below, Color Lookup layer above, retouched pixels hidden on top.');
  return 0;
}
