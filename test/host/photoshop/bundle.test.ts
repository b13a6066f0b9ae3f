import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import vm from 'node:vm';
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

/** Runs the plugin's script with JavaScript itself and the globals that UXP documents, and no other. */
function run(world: FakeWorld, more: object = {}): void {
  const modules: Readonly<Record<string, unknown>> = { photoshop: world.ps.module, uxp: world.uxp.module };
  const module = { exports: {} };
  const context = vm.createContext({
    ...{ setTimeout, clearTimeout, AbortController, AbortSignal, console, module, exports: module.exports },
    crypto: { randomUUID: world.newSession },
    document: world.document,
    window: world.window,
    require: (name: string) => {
      if (name in modules) return modules[name];
      throw new Error(`UXP has no module "${name}".`);
    },
    // One realm's typed arrays for both sides: within UXP there is one realm only.
    ...{ ArrayBuffer, DataView, Uint8Array, Uint16Array, Int16Array, Float32Array, Float64Array },
    ...more,
  });
  // V8 brings WebAssembly along; UXP's is thin, and the plugin must do without it.
  vm.runInContext(
    'delete globalThis.WebAssembly; delete globalThis.SharedArrayBuffer; delete globalThis.Atomics',
    context,
  );
  vm.runInContext(script, context, { filename: 'plugin.js' });
}

test('the script needs no global and no module that UXP does not have', () => {
  const code = script.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
  expect(code).not.toMatch(/\beval\(|new Function\(/);
  for (const name of ['TextEncoder', 'TextDecoder', 'btoa', 'Worker', 'structuredClone', 'process', 'Buffer'])
    expect(code.match(new RegExp(`(?<![.\\w'"/])${name}[.(]`))?.[0]).toBeUndefined();
  const required = [...script.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name]) => name);
  expect([...new Set(required)].sort()).toEqual(['photoshop', 'uxp']);
  const world = new FakeWorld();
  run(world);
  expect(Object.keys(world.entries.panels)).toEqual(['veraretouch']);
});

test.each([8, 16] as const)(
  'with it, the bridge and the page, a photo of %i bits is retouched end to end',
  async (bits) => {
    const world = new FakeWorld();
    run(world);
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
