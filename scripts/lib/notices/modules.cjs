'use strict';
const { existsSync, readFileSync, realpathSync } = require('node:fs');
const { join, sep } = require('node:path');

/**
 * What webpack put into its files: the packages whose modules lie in a chunk, and those that stay outside and are
 * asked for at run time.
 *
 * @param {import('webpack').Compilation} compilation after sealing
 * @param {string} root folder of package.json
 * @returns {{folders: string[], externals: string[]}} `folders`: as the lockfile names them ("node_modules/a"); both sorted
 */
function bundledIn(compilation, root) {
  const base = join(root, 'node_modules');
  // Modules have their real place, also where node_modules is a link.
  const real = existsSync(base) ? realpathSync(base) : base;
  const folders = new Set();
  const externals = new Set();
  for (const module of compilation.modules) {
    if (compilation.chunkGraph.getNumberOfModuleChunks(module) === 0) continue;
    for (const part of [module, ...(module.modules ?? [])]) {
      if (part.externalType) externals.add(packageName(String(part.userRequest)));
      const file = part.resource?.split('?')[0];
      if (!file) continue;
      for (const folder of packagesOf(file, real)) folders.add(folder);
    }
  }
  return { folders: [...folders].sort(), externals: [...externals].sort() };
}

/**
 * The packages that one file is made of: its own, and those that its source map says were built into it.
 *
 * @param {string} file
 * @param {string} base the folder node_modules
 * @returns {string[]} none for a file of our own
 */
function packagesOf(file, base) {
  const folder = file.startsWith(base + sep) && packageFolder(file.slice(base.length + 1).replaceAll(sep, '/'));
  if (!folder) return [];
  const sources = existsSync(`${file}.map`) ? (JSON.parse(readFileSync(`${file}.map`, 'utf8')).sources ?? []) : [];
  const within = sources.flatMap((source) => {
    const at = source.lastIndexOf('node_modules/');
    return at < 0 ? [] : [`node_modules/${packageName(source.slice(at + 'node_modules/'.length))}`];
  });
  return [`node_modules/${folder}`, ...within];
}

/** "a/node_modules/@b/c/lib/d.js" -> "a/node_modules/@b/c" */
function packageFolder(path) {
  const at = path.lastIndexOf('node_modules/');
  const start = at < 0 ? 0 : at + 'node_modules/'.length;
  return path.slice(0, start) + packageName(path.slice(start));
}

/** "@a/b/c" -> "@a/b", "a/b" -> "a" */
function packageName(request) {
  return request
    .split('/')
    .slice(0, request.startsWith('@') ? 2 : 1)
    .join('/');
}

module.exports = { bundledIn, packagesOf };
