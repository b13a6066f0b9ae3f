import { existsSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '../..');

/** The Python that `npm run setup` prepares; without it the tests that ask it fail rather than passing unseen. */
export function python(): string {
  const named = process.env['VERARETOUCH_PYTHON'];
  const own = ['bin/python', 'Scripts/python.exe'].map((file) => path.join(ROOT, '.venv', file)).find(existsSync);
  const found = named ?? own;
  if (found === undefined) throw new Error('No Python: run `npm run setup`, or set VERARETOUCH_PYTHON.');
  return found;
}
