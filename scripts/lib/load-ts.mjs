import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/**
 * Loads a TypeScript module of this repository into a plain Node script, without a build.
 * Types are stripped, not checked: `npm run typecheck` does that.
 *
 * @param {string} path path of the .ts file relative to the repository root
 * @returns {any} its exports
 */
export function loadTypeScript(path) {
  const require = createRequire(new URL('../../package.json', import.meta.url));
  if (!require.extensions['.ts']) {
    const ts = require('typescript');
    require.extensions['.ts'] = (module, filename) => {
      const { outputText } = ts.transpileModule(readFileSync(filename, 'utf8'), {
        fileName: filename,
        compilerOptions: { target: 'ES2022', module: 'CommonJS', esModuleInterop: true },
      });
      module._compile(outputText, filename);
    };
  }
  return require(new URL(`../../${path}`, import.meta.url).pathname);
}
