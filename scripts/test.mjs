#!/usr/bin/env node
// `npm test`: from a fresh clone to a verdict. Installs what is missing, runs every static check, then the
// TypeScript tests with the Python tests beside them (jest keeps one processor of two busy). The last line is "N passed, N failed"; the exit status is 0 only if nothing
// failed and both test suites ran something. Plain Node, no packages, because it installs them first.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureChromium } from './lib/chromium.mjs';
import { ensureNodePackages } from './lib/node-packages.mjs';
import { ROOT } from './lib/paths.mjs';
import { ensurePython } from './lib/python.mjs';
import { run, runAside, runNode } from './lib/run.mjs';
import { ensureStrace } from './lib/strace.mjs';

const bin = (path) => join(ROOT, 'node_modules', path);
const results = [];
const temporary = mkdtempSync(join(tmpdir(), 'veraretouch-test-'));

try {
  let python;
  attempt('setup', () => {
    ensureNodePackages();
    python = ensurePython();
    ensureChromium();
    // Only Linux lets the test of privacy watch.
    if (process.platform === 'linux') ensureStrace();
  });
  if (results.length === 0) {
    check('lint', () => runNode(bin('eslint/bin/eslint.js'), ['.']));
    check('types', () => runNode(bin('typescript/bin/tsc'), ['--noEmit']));
    check('types without Node', () => runNode(bin('typescript/bin/tsc'), ['--noEmit', '-p', 'tsconfig.portable.json']));
    check('types of the page', () => runNode(bin('typescript/bin/tsc'), ['--noEmit', '-p', 'tsconfig.panel.json']));
    check('imports', () => runNode('scripts/check-imports.mjs', []));
    check('format', () => runNode(bin('prettier/bin/prettier.cjs'), ['--check', '--log-level', 'warn', '.']));
    check('Python lint', () => run(python, ['-m', 'ruff', 'check', 'training']));
    // The command line's tests run the bundle a user runs.
    check('build', () =>
      runNode(bin('webpack/bin/webpack.js'), ['--mode', 'production', '--stats', 'errors-warnings']),
    );
    const pytest = startPytest(python);
    await suite('jest', jest);
    await suite('pytest', pytest);
    await suite('the panel in Chromium', browser);
  }
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

console.log('');
for (const { name, passed, failed, seconds } of results) {
  console.log(`${failed ? 'FAIL' : 'ok  '} ${name}: ${passed} passed, ${failed} failed, ${seconds.toFixed(1)} s`);
}
const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
console.log(`${passed} passed, ${failed} failed`);

/** One static check, which counts as one test. */
function check(name, runCheck) {
  console.log(`\n== ${name}`);
  const start = performance.now();
  const ok = runCheck() === 0;
  results.push({ name, passed: ok ? 1 : 0, failed: ok ? 0 : 1, seconds: (performance.now() - start) / 1000 });
}

/** Recorded only if it fails. */
function attempt(name, action) {
  const start = performance.now();
  try {
    action();
  } catch (error) {
    console.error(error.message);
    results.push({ name, passed: 0, failed: 1, seconds: (performance.now() - start) / 1000 });
  }
}

/** A test runner's own counts. A run that fails without a failed test, or runs none, counts as one failure. */
async function suite(name, runSuite) {
  console.log(`\n== ${name}`);
  const start = performance.now();
  const { status, passed, failed, own } = await runSuite();
  const silent = failed === 0 && (status !== 0 || passed === 0);
  if (silent) console.error(`${name} ended with status ${status} and ran ${passed} tests; that counts as a failure.`);
  results.push({ name, passed, failed: silent ? 1 : failed, seconds: own ?? (performance.now() - start) / 1000 });
}

function jest() {
  const report = join(temporary, 'jest.json');
  const status = runNode(bin('jest/bin/jest.js'), ['--json', `--outputFile=${report}`], {
    // The same report also goes to stdout, which nobody wants to read; progress is on stderr.
    stdio: ['inherit', 'ignore', 'inherit'],
  });
  if (!existsSync(report)) return { status, passed: 0, failed: 0 };
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(report, 'utf8'));
  return { status, passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites };
}

/** The page and the packed plugin in Chromium: one JSON object with the outcome of each check. */
function browser() {
  const report = join(temporary, 'browser.json');
  const status = runNode('test/browser/panel.mjs', ['--report', report], { stdio: ['inherit', 'ignore', 'inherit'] });
  if (!existsSync(report)) return { status, passed: 0, failed: 0 };
  const outcomes = Object.values(JSON.parse(readFileSync(report, 'utf8')));
  const passed = outcomes.filter(({ ok }) => ok).length;
  return { status, passed, failed: outcomes.length - passed };
}

/** Starts the Python tests; the function it returns waits for them and shows what they printed. */
function startPytest(python) {
  const report = join(temporary, 'pytest.xml');
  const wait = runAside(
    python,
    ['-m', 'pytest', '-q', 'tests', `--junitxml=${report}`],
    join(temporary, 'pytest.log'),
    {
      cwd: join(ROOT, 'training'),
      env: { ...process.env, OMP_NUM_THREADS: process.env.OMP_NUM_THREADS ?? '1' },
    },
  );
  return async () => {
    const { status, output, seconds } = await wait();
    process.stdout.write(output);
    const counts = { tests: 0, failures: 0, errors: 0, skipped: 0 };
    const head = existsSync(report) ? /<testsuite\s[^>]*>/.exec(readFileSync(report, 'utf8'))?.[0] : undefined;
    for (const key of Object.keys(counts)) {
      counts[key] = Number(new RegExp(`\\s${key}="(\\d+)"`).exec(head ?? '')?.[1] ?? 0);
    }
    const failed = counts.failures + counts.errors;
    return { status, passed: counts.tests - failed - counts.skipped, failed, own: seconds };
  };
}
