import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Writes files into a tree of its own and runs the script over it. */
function check(files: Record<string, string>): { status: number | null; problems: string[] } {
  const root = mkdtempSync(join(tmpdir(), 'imports-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const script = join(__dirname, '../../scripts/check-imports.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, '--root', root], { encoding: 'utf8' });
  rmSync(root, { recursive: true });
  return { status, problems: stderr.split('\n').filter((line) => line !== '') };
}

test('a tree that follows the rules passes', () => {
  const { status, problems } = check({
    'src/color/a.ts': "import { b } from './b';\nexport { b };",
    'src/color/b.ts': 'export const b = 1;',
    'src/inference/a.ts': "import { b } from '../color';\nimport * as ort from 'onnxruntime-web/webgpu';",
    'src/host/host.ts': "import type { B } from '../color/b';",
    'src/bridge/channel.ts': 'export class Channel {}',
    'src/host/remoteHost.ts': "import { Channel } from '../bridge/channel';",
    'src/host/files/a.ts': "import { readFile } from 'node:fs/promises';\nimport sharp from 'sharp';",
    'src/panel/a.ts': "import type { Host } from '../host/host';\nimport { x } from '../inference';",
    'src/panel/browser.ts': "import { B } from '../host/browser/host';",
    'src/cli/main.ts': "import '../inference';\nimport '../host/files/a';\nimport path from 'path';",
  });
  expect(problems).toEqual([]);
  expect(status).toBe(0);
});

const VIOLATIONS: [rule: string, folder: string, text: string, line: number][] = [
  ['color may import nothing of the project', 'color', "\nimport { x } from '../inference';", 2],
  ['color does no I/O', 'color', "import fs from 'node:fs';", 1],
  ['nor without the prefix', 'color', "import fs from 'fs/promises';", 1],
  ['color uses no package', 'color', "import sharp from 'sharp';", 1],
  ['types count too', 'color', "import type { H } from '../host/host';", 1],
  ['exports count too', 'color', "\n\nexport * from '../cli/main';", 3],
  ['import types count too', 'color', "export type H = import('../host/host').Host;", 1],
  ['dynamic imports count too', 'inference', "export const f = () => import('../host/host');", 1],
  ['so does require', 'inference', "const fs = require('fs');", 1],
  ['a computed name cannot be checked', 'inference', 'export const f = (x: string) => import(x);', 1],
  ['inference does not know the host', 'inference', "import { h } from '../host/files/a';", 1],
  ['inference reads no files', 'inference', "import { readFileSync } from 'node:fs';", 1],
  ['inference uses only its packages', 'inference', "import sharp from 'sharp';", 1],
  ['the host does not know inference', 'host/files', "import { x } from '../../inference';", 1],
  ['the host does not know the panel', 'host', "import { x } from '../panel';", 1],
  ['the panel sees only the Host interface', 'panel', "import { x } from '../host/files/a';", 1],
  ['nor the browser host, but for its entry', 'panel', "import { x } from '../host/browser/a';", 1],
  ['nor a folder of the host', 'panel', "import { x } from '../host/files';", 1],
  ['the panel knows no Photoshop', 'panel', "import { app } from 'photoshop';", 1],
  ['the command line knows no panel', 'cli', "import { x } from '../panel/a';", 1],
  ['src knows nothing outside src', 'cli', "import x from '../../test/x';", 1],
  ['every part has a rule', 'misc', '', 1],
];

describe('each violation is reported once, with its place', () => {
  // One tree and one run for all: starting the checker is what takes time.
  let result: ReturnType<typeof check>;
  beforeAll(() => {
    const bad = VIOLATIONS.map(([, folder, text], i) => [`src/${folder}/bad${i}.ts`, text]);
    result = check({ 'src/host/files/a.ts': '', ...Object.fromEntries(bad) });
  });

  test('and nothing else is', () => {
    expect(result.status).toBe(1);
    expect(result.problems).toHaveLength(VIOLATIONS.length);
  });

  test.each(VIOLATIONS.map((row, i) => [row[0], i] as const))('%s', (_rule, i) => {
    const [, folder, , line] = VIOLATIONS[i];
    const place = `src/${folder}/bad${i}.ts:${line}: `;
    expect(result.problems.filter((problem) => problem.startsWith(place))).toHaveLength(1);
  });
});
