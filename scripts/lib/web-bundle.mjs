import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './paths.mjs';

const require = createRequire(import.meta.url);

/**
 * One TypeScript file and what it imports as the text of one script for a web page, by the project's own webpack settings.
 *
 * @param {string} entry path relative to the repository root
 * @returns {Promise<string>}
 */
export async function bundleForWeb(entry) {
  const webpack = require('webpack');
  const { common } = require('../../webpack.config.js');
  const folder = mkdtempSync(join(tmpdir(), 'veraretouch-web-'));
  try {
    const compiler = webpack({
      ...common('development'),
      devtool: false,
      target: 'web',
      entry: join(ROOT, entry),
      output: { path: folder, filename: 'page.js' },
    });
    const stats = await new Promise((resolve, reject) => {
      compiler.run((error, result) => (error ? reject(error) : resolve(result)));
    });
    await new Promise((resolve) => compiler.close(resolve));
    if (stats.hasErrors()) throw new Error(stats.toString('errors-only'));
    return readFileSync(join(folder, 'page.js'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
