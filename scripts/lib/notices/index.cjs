'use strict';
const { bundledIn, packagesOf } = require('./modules.cjs');
const { describe, neededAtRunTime } = require('./packages.cjs');

const FILE = 'THIRD_PARTY_NOTICES.txt';
const RULE = '='.repeat(80);

/**
 * The text of THIRD_PARTY_NOTICES.txt for one product.
 *
 * @param {string} root folder of package-lock.json
 * @param {{folders: Iterable<string>, externals?: string[]}} bundled see `bundledIn`; of several bundles the union
 * @returns {string} the same for the same packages
 * @throws {Error} where a package has no license text, or is not what the lockfile says
 */
function noticesFor(root, { folders, externals = [] }) {
  const packages = describe(root, folders);
  const needed = neededAtRunTime(root, externals);
  const parts = [
    'THIRD-PARTY NOTICES\n\nVeraRetouch is licensed under the Apache License 2.0. The model and data are listed in NOTICE.\n' +
      'The files beside this one hold code of these packages, each under its own license:\n\n' +
      packages.map(line).join('\n'),
  ];
  if (needed.length > 0)
    parts.push(
      'Not in these files, but needed from node_modules at run time, where npm installs each with its own license.\n' +
        'Of the optional ones it installs those for the machine. sharp loads libvips (LGPL) as a library of its own; libheif\n' +
        '(LGPL) and LibRaw (LGPL or CDDL) are files of their own, unmodified, which may be replaced by other builds.\n\n' +
        needed.map((one) => line(one) + (one.optional ? ', optional' : '')).join('\n'),
    );
  for (const one of packages) {
    const texts = one.texts.map(({ file, text }) => `--- ${file}\n\n${text}`);
    parts.push(`${one.name} ${one.version}\nLicense: ${one.license}\n\n${texts.join('\n\n')}`);
  }
  return `${parts.join(`\n\n${RULE}\n`)}\n`;
}

function line({ name, version, license }) {
  return `  ${name}@${version} (${license})`;
}

/**
 * A webpack plugin that writes the notices of a bundle beside it. `found`: packages that the program looks up among the
 * installed ones by itself, which webpack cannot know.
 */
class ThirdPartyNotices {
  constructor(root, found = []) {
    this.root = root;
    this.found = found;
  }

  apply(compiler) {
    const { Compilation, sources } = compiler.webpack;
    compiler.hooks.thisCompilation.tap('ThirdPartyNotices', (compilation) => {
      const stage = Compilation.PROCESS_ASSETS_STAGE_ADDITIONS + 1;
      compilation.hooks.processAssets.tap({ name: 'ThirdPartyNotices', stage }, () => {
        try {
          const { folders, externals } = bundledIn(compilation, this.root);
          const text = noticesFor(this.root, { folders, externals: [...externals, ...this.found] });
          compilation.emitAsset(FILE, new sources.RawSource(text));
        } catch (error) {
          compilation.errors.push(new compiler.webpack.WebpackError(error.message));
        }
      });
    });
  }
}

module.exports = { FILE, ThirdPartyNotices, bundledIn, noticesFor, packagesOf };
