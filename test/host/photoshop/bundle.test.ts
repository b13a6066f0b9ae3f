import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runPlugin } from './runPlugin';
import { retouchFor } from './support';
import { FakeWorld } from './world';

jest.setTimeout(180000);
const root = path.join(__dirname, '../../..');
const out = mkdtempSync(path.join(tmpdir(), 'plugin-'));
let script = '';

beforeAll(() => {
  const webpack = path.join(root, 'node_modules/webpack/bin/webpack.js');
  execFileSync(process.execPath, [webpack, '-c', 'webpack.photoshop.js', '--output-path', out], {
    cwd: root,
    stdio: 'pipe',
  });
  script = readFileSync(path.join(out, 'plugin.js'), 'utf8');
});
afterAll(() => {
  rmSync(out, { recursive: true });
});

test('the script needs no global and no module that UXP does not have', () => {
  const code = script.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
  expect(code).not.toMatch(/\beval\(|new Function\(/);
  for (const name of ['TextEncoder', 'TextDecoder', 'btoa', 'Worker', 'structuredClone', 'process', 'Buffer'])
    expect(code.match(new RegExp(`(?<![.\\w'"/])${name}[.(]`))?.[0]).toBeUndefined();
  const required = [...script.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name]) => name);
  expect([...new Set(required)].sort()).toEqual(['fs', 'photoshop', 'uxp']);
  const world = new FakeWorld();
  runPlugin(script, world);
  expect(Object.keys(world.entries.panels)).toEqual(['veraretouch']);
});

test.each([8, 16] as const)(
  'with it, the bridge and the page, a photo of %i bits is retouched end to end',
  async (bits) => {
    const world = new FakeWorld();
    runPlugin(script, world);
    world.entries.plugin.create();
    await world.openPanel();
    const page = await world.page();
    const document = world.ps.open({ bits, profile: 'Adobe RGB (1998)' });
    const original = document.print;
    for (const output of ['lookup', 'pixels'] as const) {
      const proxy = await page.readProxy({ longEdge: 1024 });
      const applied = await page.apply(retouchFor(proxy, { output }));
      expect(applied).toMatchObject({ output, notes: [] });
      expect(document.print).not.toBe(original);
      document.undo();
      expect(document.print).toBe(original);
    }
    expect(world.ps.imaging.alive.size).toBe(0);
    world.ps.open({ mode: 'CMYK' });
    await expect(page.readProxy({ longEdge: 1024 })).rejects.toMatchObject({ code: 'DOCUMENT_UNSUITED' });
    page.close();
    world.entries.plugin.destroy();
  },
);
