import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import ts from 'typescript';

const known = new Map();

/**
 * The test files that reach a source file through imports, the one of its name first, then by the number of steps. All of them
 * where none reaches it: it may be loaded by its path.
 */
export function nearest(root, source, tests) {
  const steps = new Map(tests.map((test) => [test, stepsBetween(root, test, source)]));
  const reached = tests.filter((test) => steps.get(test) !== undefined);
  if (reached.length === 0) return tests;
  const named = (test) => (isNamed(test, source) ? 0 : 1);
  return reached.sort((a, b) => named(a) - named(b) || steps.get(a) - steps.get(b) || (a < b ? -1 : 1));
}

function isNamed(test, source) {
  const plain = (file) =>
    basename(file)
      .replace(/(\.test)?\.ts$/, '')
      .replace(/-.*$/, '')
      .toLowerCase();
  return plain(test).startsWith(plain(source)) || plain(source).startsWith(plain(test));
}

function stepsBetween(root, from, to) {
  const seen = new Set([from]);
  let level = [from];
  for (let steps = 0; level.length > 0; steps++) {
    if (level.includes(to)) return steps;
    const next = level.flatMap((file) => importsOf(root, file)).filter((file) => !seen.has(file));
    for (const file of next) seen.add(file);
    level = [...new Set(next)];
  }
  return undefined;
}

function importsOf(root, file) {
  const found = known.get(file);
  if (found) return found;
  const { importedFiles } = ts.preProcessFile(readFileSync(join(root, file), 'utf8'), true, true);
  const imports = importedFiles
    .filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => join(root, dirname(file), fileName))
    .flatMap((path) =>
      [`${path}.ts`, join(path, 'index.ts'), path].filter((one) => one.endsWith('.ts') && existsSync(one)),
    )
    .map((path) => relative(root, path).split(sep).join('/'));
  known.set(file, imports);
  return imports;
}
