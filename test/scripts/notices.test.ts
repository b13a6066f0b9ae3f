import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/* THIRD_PARTY_NOTICES.txt says what lies in the product, no more and no less. */

const ROOT = join(__dirname, '../..');
// eslint-disable-next-line @typescript-eslint/no-require-imports -- the build's own code, which has no types
const { noticesFor } = require('../../scripts/lib/notices/index.cjs') as {
  noticesFor: (root: string, bundled: { folders: string[] }) => string;
};
const LOCK = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages as Record<
  string,
  { version: string; license: string; dev?: boolean }
>;
let out: string;

beforeAll(() => {
  out = mkdtempSync(join(tmpdir(), 'notices-'));
  const script = join(__dirname, 'support', 'buildProducts.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, out], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  // Three builds of the whole product.
}, 300_000);
afterAll(() => {
  rmSync(out, { recursive: true, force: true });
});

/** The packages that the bundler's own comments name in scripts. */
function namedIn(files: string[]): string[] {
  const found = new Set<string>();
  for (const file of files) {
    const text = readFileSync(join(out, file), 'utf8');
    const names = /^\s*(?:!\*\*\*|;?\/\/) .*?((?:node_modules\/(?:@[^/\s]+\/)?[^/\s]+\/)+)/gm;
    for (const [, folder] of text.matchAll(names)) found.add(folder.slice(0, -1));
  }
  return [...found];
}

const lines = (text: string) => [...text.matchAll(/^ {2}(\S+@\S+ \(.*\))$/gm)].map(([, line]) => line);
const fromLock = (folders: string[]) =>
  folders
    .map((folder) => {
      const { version, license } = LOCK[folder];
      return `${folder.slice(folder.lastIndexOf('node_modules/') + 13)}@${version} (${license})`;
    })
    .sort();

/** The packages listed as bundled, those listed as needed at run time, and the whole text. */
function readNotices(folder: string) {
  const text = readFileSync(join(folder, 'THIRD_PARTY_NOTICES.txt'), 'utf8');
  const [bundled, second] = text.split(`\n${'='.repeat(80)}\n`);
  return { text, bundled: lines(bundled), needed: second.startsWith('Not in these files') ? lines(second) : [] };
}

/** What is prebuilt into onnxruntime-web's one file. */
const RUNTIME = ['node_modules/onnxruntime-web', 'node_modules/onnxruntime-common'];

test.each([
  // The page's worker is the same in both; the plugin holds it in chunks.
  ['web', ['web/panel.js', 'web/worker.js'], RUNTIME, 'node_modules/ag-psd'],
  ['plugin', ['plugin/plugin.js', 'plugin/panel/panel.js', 'web/worker.js'], RUNTIME, 'node_modules/onnxruntime-web'],
  ['cli', ['cli/cli.cjs', 'cli/photoWorker.cjs'], [], 'node_modules/commander'],
])('the notices of %s name the packages in its files, as the lockfile has them', (product, files, prebuilt, one) => {
  const folders = namedIn(files);
  expect(folders).toContain(one);
  expect(readNotices(join(out, product)).bundled).toEqual(fromLock([...new Set([...folders, ...prebuilt])]));
});

test('each package has its license text', () => {
  for (const product of ['web', 'plugin', 'cli']) {
    const { text, bundled } = readNotices(join(out, product));
    for (const line of bundled) {
      const [, name, version, license] = /^(.+)@(\S+) \((.*)\)$/.exec(line)!;
      const section = text.split(`\n${name} ${version}\nLicense: ${license}\n\n--- `)[1].split('='.repeat(80))[0];
      expect(section).toMatch(/copyright/i);
      expect(section).toMatch(/permission is hereby granted|permission to use, copy|apache license/i);
    }
  }
});

test('what lies in the runtime’s WebAssembly file has its notices wherever that file goes', () => {
  for (const product of ['web', 'plugin'])
    for (const work of ['protobuf', 'abseil', 'Eigen', 'flatbuffers', 'Dawn', 'Emscripten', 'nlohmann', 'musl'])
      expect(readNotices(join(out, product)).text).toMatch(new RegExp(work, 'i'));
  expect(readNotices(join(out, 'cli')).text).not.toMatch(/Eigen/);
});

test('the command line says what it needs at run time', () => {
  const { needed, text } = readNotices(join(out, 'cli'));
  for (const name of ['sharp', 'onnxruntime-node', 'onnxruntime-common'])
    expect(needed).toContain(fromLock([`node_modules/${name}`])[0]);
  // What the program looks up by itself is unknown to webpack.
  const scripts = readdirSync(join(out, 'cli')).filter((name) => name.endsWith('.cjs'));
  const code = scripts.map((name) => readFileSync(join(out, 'cli', name), 'utf8')).join('');
  const lookedUp = [...code.matchAll(/\.resolve\(\s*'([a-z@][a-z0-9-]*)\//g)].map(([, name]) => name);
  expect(lookedUp.sort()).toEqual(['libheif-js', 'libraw-wasm']);
  for (const name of lookedUp) expect(needed).toContain(fromLock([`node_modules/${name}`])[0]);
  expect(text).toMatch(/@img\/sharp-libvips-linux-x64@\S+ \(LGPL-3\.0-or-later\), optional/);
});

test('license and notice go with every product that is handed on', () => {
  for (const product of ['web', 'plugin'])
    for (const name of ['LICENSE', 'NOTICE'])
      expect(readFileSync(join(out, product, name), 'utf8')).toBe(readFileSync(join(ROOT, name), 'utf8'));
});

describe('a package that cannot be answered for', () => {
  const PACKAGE = { name: 'a', version: '1.0.0', license: 'MIT' };
  const SUPPLEMENTS = 'licenses/supplements.json';
  const write = (files: Record<string, unknown>) => {
    const root = mkdtempSync(join(tmpdir(), 'notices-'));
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
    }
    return root;
  };
  const notices = (files: Record<string, unknown>, locked: Record<string, unknown> = { 'node_modules/a': PACKAGE }) => {
    const root = write({ 'package-lock.json': { packages: locked }, 'node_modules/a/package.json': PACKAGE, ...files });
    try {
      return noticesFor(root, { folders: ['node_modules/a'] });
    } finally {
      rmSync(root, { recursive: true });
    }
  };

  test('without a license text the build ends', () => {
    expect(() => notices({})).toThrow(/a 1\.0\.0 \(MIT\) holds no license text.*licenses\/supplements\.json/);
    expect(() => notices({ 'node_modules/a/LICENSE': '' })).toThrow(/holds no license text/);
  });

  test('with one, or with one of ours, it is written, and its own notices with it', () => {
    expect(notices({ 'node_modules/a/LICENCE.md': 'Text', 'node_modules/a/NOTICE': 'By B' })).toMatch(
      /a@1\.0\.0 \(MIT\)[^]*--- LICENCE\.md\n\nText\n\n--- NOTICE\n\nBy B/,
    );
    const ours = { [SUPPLEMENTS]: { a: { version: '1.0.0', texts: ['a.txt'] } }, 'licenses/a.txt': 'Ours' };
    expect(notices(ours)).toMatch(/--- a\.txt\n\nOurs/);
  });

  test('a text of ours is for the version that was read', () => {
    const old = { [SUPPLEMENTS]: { a: { version: '0.9.0', texts: ['a.txt'] } }, 'licenses/a.txt': 'Ours' };
    expect(() => notices(old)).toThrow(/about a 0\.9\.0; 1\.0\.0 is installed/);
  });

  test('it must be what the lockfile says', () => {
    const text = { 'node_modules/a/LICENSE': 'Text' };
    expect(() => notices(text, {})).toThrow(/not in package-lock\.json/);
    for (const other of [{ version: '1.0.1' }, { license: 'GPL-3.0-only' }])
      expect(() => notices(text, { 'node_modules/a': { ...PACKAGE, ...other } })).toThrow(/Run npm ci/);
  });

  test('webpack ends with it', () => {
    const root = write({
      'package-lock.json': { packages: { 'node_modules/a': PACKAGE } },
      'node_modules/a/package.json': PACKAGE,
      'node_modules/a/index.js': 'module.exports = 1;',
      'index.js': "console.log(require('a'));",
    });
    const code = `
      const { ThirdPartyNotices } = require(${JSON.stringify(join(ROOT, 'scripts/lib/notices/index.cjs'))});
      const root = ${JSON.stringify(root)};
      const config = { context: root, entry: './index.js', mode: 'development', output: { path: root + '/out' } };
      require('webpack')({ ...config, plugins: [new ThirdPartyNotices(root)] }, (error, stats) => {
        console.log(error ?? stats.toString('errors-only'));
      });`;
    const { stdout } = spawnSync(process.execPath, ['-e', code], { cwd: ROOT, encoding: 'utf8' });
    rmSync(root, { recursive: true });
    expect(stdout).toMatch(/a 1\.0\.0 \(MIT\) holds no license text/);
  });
});
