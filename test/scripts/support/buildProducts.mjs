// Builds every product with the tiny model into the folder given: what the notices' test looks at.
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { ROOT } from '../../../scripts/lib/paths.mjs';
import { buildPlugin } from '../../../scripts/lib/plugin-build.mjs';
import { buildWeb, bundle } from '../../../scripts/lib/web-build.mjs';

const require = createRequire(import.meta.url);
const out = resolve(process.argv[2]);
// Development mode names each module in the bundle's text, by which the test finds them on its own.
const options = { model: join(ROOT, 'test', 'fixtures', 'tiny-bundle'), mode: 'development' };
await buildWeb(join(out, 'web'), { ...options, chunks: false });
// The page's scripts are those of the package, before they are cut into chunks.
await buildPlugin(join(out, 'plugin'), options);
await bundle(
  join(out, 'cli'),
  require('../../../webpack.config.js')({}, { mode: 'development' }).map((config) => ({ ...config, devtool: false })),
);
