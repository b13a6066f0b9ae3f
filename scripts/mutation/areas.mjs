import { readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/**
 * Parts of src/ and where their tests are, nearest first. `files`: a folder or a file; `but`: what of it belongs elsewhere, or is
 * no code of ours (bytes, texts, lists of exports, types).
 */
const AREAS = [
  { name: 'color', files: ['src/color/'], but: [/kernelBytes/], tests: ['test/color/'] },
  { name: 'files', files: ['src/host/files/'], tests: ['test/host/'], notTests: [/photoshop\//] },
  { name: 'batch', files: ['src/cli/'], tests: ['test/cli/'] },
  {
    name: 'bridge',
    files: ['src/bridge/'],
    tests: ['test/bridge/', 'test/host/photoshop/remote', 'test/host/photoshop/folders'],
  },
  {
    name: 'host',
    files: ['src/host/photoshop/', 'src/host/remote/', 'src/host/remoteHost.ts', 'src/host/cancel.ts'],
    but: [/ports\.ts$/, /start\.ts$/],
    tests: ['test/host/photoshop/', 'test/host/cancel'],
  },
  {
    name: 'decoding',
    files: ['src/inference/'],
    but: [/\/presets\//, /\/grounding\//],
    tests: ['test/inference/'],
    notTests: [/\/presets\//, /\/grounding\//],
  },
  {
    name: 'grounding',
    files: ['src/inference/grounding/'],
    tests: ['test/inference/grounding/', 'test/inference/pictureFirst'],
  },
];
const NO_CODE = [/\/index\.ts$/, /\/strings\.ts$/, /\/errors\.ts$/, /\.d\.ts$/];
/** Tests that need a browser or take minutes, and check what others check too. */
const SLOW = [/Browser\.test/, /webgpu\.test/, /published\.test/, /official\.test/];

/** The areas with the files that are there; only those, or only those files, that `only` names. */
export function areasOf(root, only) {
  const sources = filesIn(root, 'src');
  const tests = filesIn(root, 'test').filter((file) => file.endsWith('.test.ts'));
  return AREAS.map(({ name, files, but = [], tests: near, notTests = [] }) => ({
    name,
    files: sources.filter(
      (file) =>
        files.some((start) => file.startsWith(start)) &&
        ![...but, ...NO_CODE].some((pattern) => pattern.test(file)) &&
        (!only || only.includes(name) || only.some((part) => part.includes('/') && file.startsWith(part))),
    ),
    tests: tests.filter(
      (file) =>
        near.some((start) => file.startsWith(start)) && ![...notTests, ...SLOW].some((pattern) => pattern.test(file)),
    ),
  })).filter(({ files }) => files.length > 0);
}

/** TypeScript files below a folder, in an order that is the same everywhere, with slashes. */
export function filesIn(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) =>
      relative(root, join(entry.parentPath ?? entry.path, entry.name))
        .split(sep)
        .join('/'),
    )
    .sort();
}
