import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nearest } from './nearest.mjs';

/** Tests that pass without a change may take this much longer with one, and seconds more. */
const SLOWER = 4;
const MORE_S = 30;
/** What a test file may take of which nothing is known yet. */
const UNKNOWN_S = 25;
/** Test files that take less than this together are run at once. */
const TOGETHER_S = 12;

/** Runs the tests that are near a mutant, in a copy of the tree, one mutant after the other. */
export class Tester {
  /** Test file -> seconds that it takes. */
  #seconds = new Map();
  /** Test files that fail without a change, and count for nothing. */
  #bad = new Set();
  #child;

  constructor(folder) {
    this.folder = folder;
  }

  get leftOut() {
    return [...this.#bad];
  }

  /** @returns {Promise<{ verdict: 'killed' | 'timeout' | 'survived', by: string }>} `by`: the test, or how many files passed */
  async test({ file, tests, source, start, end, to }) {
    const path = join(this.folder, file);
    const changed = source.slice(0, start) + to + source.slice(end);
    let passed = 0;
    for (let rest = nearest(this.folder, file, tests); rest.length > 0;) {
      rest = rest.filter((test) => !this.#bad.has(test));
      const now = this.#next(rest);
      rest = rest.slice(now.length);
      if (now.length === 0) break;
      writeFileSync(path, changed);
      const result = await this.#jest(now, this.#limit(now));
      writeFileSync(path, source);
      if (result.status === 0) {
        // What passes with a change would pass without: that is how long it takes.
        if (now.length === 1) this.#seconds.set(now[0], Math.max(result.seconds, this.#seconds.get(now[0]) ?? 0));
        passed += now.length;
      } else if (await this.#isSound(now)) {
        const by = result.failure ?? `among ${now.join(', ')}`;
        return { verdict: result.status === 'timeout' ? 'timeout' : 'killed', by };
      }
    }
    return { verdict: 'survived', by: `${passed} test files pass` };
  }

  stop() {
    if (this.#child) kill(this.#child);
  }

  /** The next test files to run together: those whose time is known, up to a few seconds, or one that is not. */
  #next(rest) {
    const now = [];
    let sum = 0;
    for (const test of rest) {
      const seconds = this.#seconds.get(test);
      sum += seconds ?? Infinity;
      if (now.length > 0 && sum > TOGETHER_S) break;
      now.push(test);
    }
    return now;
  }

  #limit(tests) {
    const usual = tests.reduce((sum, test) => sum + (this.#seconds.get(test) ?? UNKNOWN_S), 0);
    return SLOWER * usual + MORE_S;
  }

  /** Do test files pass without a change? Asked once of each whose time is not known. */
  async #isSound(tests) {
    for (const test of tests.filter((one) => !this.#seconds.has(one))) {
      const { status, seconds } = await this.#jest([test], 300);
      if (status === 0) this.#seconds.set(test, seconds);
      else this.#bad.add(test);
    }
    return !tests.every((test) => this.#bad.has(test));
  }

  #jest(tests, limit) {
    const report = join(this.folder, 'mutation-report.json');
    writeFileSync(report, '');
    const bin = join(this.folder, 'node_modules/jest/bin/jest.js');
    const cache = join(this.folder, '.jest');
    const own = ['-i', '--silent', '--json', `--outputFile=${report}`, `--cacheDirectory=${cache}`, '--watchman=false'];
    return new Promise((resolve) => {
      const child = spawn(
        process.execPath,
        ['--max-old-space-size=3072', bin, ...own, '--bail', '--runTestsByPath', ...tests],
        {
          cwd: this.folder,
          stdio: 'ignore',
          // A group of its own, so that what the tests have started ends with them.
          detached: true,
          env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' },
        },
      );
      this.#child = child;
      const started = Date.now();
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        kill(child);
      }, 1000 * limit);
      child.on('exit', (code) => {
        clearTimeout(timer);
        this.#child = undefined;
        const seconds = (Date.now() - started) / 1000;
        resolve({ status: late ? 'timeout' : (code ?? 1), seconds, failure: firstFailure(report) });
      });
    });
  }
}

function kill(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}

function firstFailure(report) {
  const text = existsSync(report) ? readFileSync(report, 'utf8') : '';
  // Jest has nothing more to say where it stops early.
  if (text === '') return undefined;
  const failed = resultsIn(text).find(({ status }) => status === 'failed');
  const test = failed?.assertionResults.find(({ status }) => status === 'failed');
  return test?.title ?? failed?.name;
}

/** Of a report that may have been cut off. */
function resultsIn(text) {
  try {
    return JSON.parse(text).testResults;
  } catch {
    return [];
  }
}
