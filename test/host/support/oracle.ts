import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/*
 * Python is the one that `npm run setup` prepares; without it the tests that ask it fail rather than passing unseen.
 */
const ROOT = path.resolve(__dirname, '../../..');

function python(): string {
  const named = process.env['VERARETOUCH_PYTHON'];
  const own = ['bin/python', 'Scripts/python.exe'].map((file) => path.join(ROOT, '.venv', file)).find(existsSync);
  const found = named ?? own;
  if (found === undefined) throw new Error('No Python: run `npm run setup`, or set VERARETOUCH_PYTHON.');
  return found;
}

/** What a script of test/oracle prints as JSON. */
export function ask(script: string, ...args: string[]): Record<string, unknown> {
  const run = spawnSync(python(), [path.join(ROOT, 'test/oracle', script), ...args], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as Record<string, unknown>;
}
