import vm from 'node:vm';
import { type FakeWorld } from './world';

/** Runs the plugin's script with JavaScript itself and the globals that UXP documents, and no other. */
export function runPlugin(script: string, world: FakeWorld, more: object = {}): void {
  const modules: Readonly<Record<string, unknown>> = {
    photoshop: world.ps.module,
    uxp: world.uxp.module,
    fs: world.uxp.fs,
  };
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
