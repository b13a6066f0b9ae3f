import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { python } from '../../support/python';

const ROOT = path.resolve(__dirname, '../../..');

/** What a script of test/oracle prints as JSON. */
export function ask(script: string, ...args: string[]): Record<string, unknown> {
  const run = spawnSync(python(), [path.join(ROOT, 'test/oracle', script), ...args], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as Record<string, unknown>;
}
