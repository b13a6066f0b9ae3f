import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/*
 * Every place in the tree that loads a runtime, found in its text: the native ones keep an id of the machine and upload
 * events unless they are told not to before they are loaded.
 */
const ROOT = path.resolve(__dirname, '../..');
const LOADER = 'src/cli/nodeRuntime.ts';
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
// Also what is not committed yet, but not what git ignores.
const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  ...{ cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 26 },
});
const FILES = listed.split('\n').filter((file) => file !== '' && existsSync(path.join(ROOT, file)));
const SCRIPTS = FILES.filter((file) => /\.[cm]?[jt]sx?$/.test(file));
const PYTHON = FILES.filter((file) => /\.(py|ipynb)$/.test(file));

/** Names the package in quotes, alone, with a path in it, or at the end of a path to it. */
const namesRuntime = (text: string): boolean => /["'`/]onnxruntime-node["'`/]/.test(text);
/** Under jest's environment (`outer-realm-environment.cjs`) the variable is set before anything is loaded. */
const underJest = (file: string): boolean => /^test\/.*\.test\.ts$/.test(file);
/** Name the package and load nothing: webpack leaves it outside of the bundle, the check of imports lists it. */
const NAMED_ONLY = ['webpack.config.js', 'scripts/check-imports.mjs', 'test/scripts/runtimes.test.ts'];

/** Files of the project that a file imports, requires or loads by `loadTypeScript`. */
function importsOf(file: string): string[] {
  const found = read(file).matchAll(
    /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\(\s*|\brequire\.resolve\(\s*)["'`](\.[^"'`]*)["'`]|loadTypeScript\(\s*["'`]([^"'`]+)["'`]/g,
  );
  return [...found].flatMap(([, relative, named]: (string | undefined)[]) => {
    const target = named ?? path.posix.join(path.posix.dirname(file), relative ?? '');
    const candidates = [target, `${target}.ts`, `${target}.mjs`, `${target}.js`, `${target}/index.ts`];
    return candidates.filter((candidate) => SCRIPTS.includes(candidate)).slice(0, 1);
  });
}

/** What a file reaches, itself included; the loader's own package is not a file of the project. */
function reachedBy(...roots: string[]): Set<string> {
  const reached = new Set<string>();
  for (const waiting = [...roots]; waiting.length > 0;) {
    const file = waiting.pop()!;
    if (reached.has(file)) continue;
    reached.add(file);
    waiting.push(...importsOf(file));
  }
  return reached;
}

test('the native runtime is loaded in one place, and by tests under jest', () => {
  const naming = SCRIPTS.filter((file) => namesRuntime(read(file)) && !NAMED_ONLY.includes(file));
  expect(naming).toContain(LOADER);
  // What helps tests may load it as long as only tests reach it: see below.
  expect(naming.filter((file) => !underJest(file) && !/^test\/.*\/support\/.*\.ts$/.test(file))).toEqual([LOADER]);
});

test('no program reaches another place that loads it', () => {
  const programs = SCRIPTS.filter((file) => !underJest(file) && (/\.[cm]?js$/.test(file) || file.startsWith('src/')));
  const reached = [...reachedBy(...programs)].filter((file) => namesRuntime(read(file)));
  expect(reached.filter((file) => !NAMED_ONLY.includes(file))).toEqual([LOADER]);
});

test('the loader sets the variable before it loads', () => {
  const [, body] = /function loadNodeRuntime\(\)[^{]*\{(.*)\n\}/s.exec(read(LOADER))!;
  const code = body
    .replaceAll(/\s*\/\/.*$/gm, '')
    .trim()
    .split(/\s*;\s*/);
  expect(code).toEqual(["process.env['ORT_DISABLE_TELEMETRY'] = '1'", "return import('onnxruntime-node')", '']);
});

test('no worker thread loads it: its environment is a copy that native code never sees', () => {
  const workers = SCRIPTS.filter(
    (file) => /\bparentPort\b/.test(read(file)) && file !== 'test/scripts/runtimes.test.ts',
  );
  expect(workers).toEqual(
    expect.arrayContaining([
      'src/cli/pipeline/photoWorker.ts',
      'src/host/files/formats/decodeWorker.cjs',
      'src/host/files/lutWorker.ts',
    ]),
  );
  expect([...reachedBy(...workers)]).not.toContain(LOADER);
  const built = path.join(ROOT, 'dist/photoWorker.cjs');
  if (!existsSync(built)) throw new Error('The program is not built: run `npm run build` first.');
  expect(namesRuntime(readFileSync(built, 'utf8'))).toBe(false);
});

test('the native runtime of Python is loaded inside of the package, which tells it first, or by its tests', () => {
  const loads =
    /^\s*(?:import\s+(?:.*,\s*)?onnxruntime|from\s+onnxruntime)\b|["']onnxruntime["']|["']import onnxruntime/m;
  const loading = PYTHON.filter((file) => loads.test(read(file)));
  expect(loading).toContain('training/veraretouch/export/runner.py');
  expect(loading.filter((file) => !/^training\/(veraretouch|tests)\//.test(file))).toEqual([]);
  expect(read('training/tests/conftest.py')).toMatch(/^import veraretouch\b/m);
});
