import { type AvailableMemory, type Device, type LoadProgress } from '../../src/inference';
import { Engine, type EngineEvent } from '../../src/panel/worker/engine';
import { type OpenBackend } from '../../src/panel/worker/server';
import { nodeBackend } from '../inference/support/nodeBackend';
import { failureOf } from '../inference/support/errors';
import { another, damaged, plainModel } from './support/models';
import { besideWorkers, named, photo, sourceOf } from './support/worker';

/* Another model takes the place of the one before, or does not and leaves it in use; two are never in memory. */

const engines: Engine[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.close();
});

/** An engine on wasm over the tiny bundle; `most` counts the workers that were alive at once. */
function engineOf(open?: OpenBackend, devices: readonly Device[] = ['wasm']) {
  const world = besideWorkers(open);
  let most = 0;
  const parts = {
    ...world.parts,
    startWorker: async () => {
      const worker = await world.parts.startWorker();
      most = Math.max(most, world.started.filter(({ alive }) => alive).length);
      return worker;
    },
  };
  const events: EngineEvent['kind'][] = [];
  const engine = new Engine(parts, { devices, onEvent: ({ kind }) => events.push(kind) });
  engines.push(engine);
  return { ...world, engine, events, most: () => most };
}

/** Devices of this much memory; none that is not named is there. */
function machine(memory: Partial<Record<Device, AvailableMemory>>): OpenBackend {
  return (device) => {
    const available = memory[device];
    if (!available) return Promise.reject(new Error('no such device'));
    return Promise.resolve({ backend: named(nodeBackend(), device), adapter: '', available });
  };
}

const needs = (m: { memory: unknown }): unknown =>
  (m.memory = { wasm: { page: 3e9 }, webgpu: { page: 1e9, largestBuffer: 3e8 } });

test('another model answers from then on, and the built-in one again; never two at once', async () => {
  const { engine, most, started } = engineOf();
  await engine.open();
  const model = await engine.use(sourceOf(another()));
  expect(model).toMatchObject({ model: 'another 2.0.0', research: true, check: { kind: 'compared' } });
  expect(model.capabilities).toEqual({ sliders: true, reference: true, pictureFirst: false });
  expect((await engine.open()).model).toBe('another 2.0.0');
  expect((await engine.call('auto', { photo: photo() })).latents).toHaveLength(24);
  expect(await engine.use()).toMatchObject({ model: 'veraretouch-tiny 0.1.0', research: false });
  expect(started.map(({ alive }) => alive)).toEqual([false, false, true]);
  expect(most()).toBe(1);
});

test('what a model cannot do is told with it', async () => {
  const { engine } = engineOf();
  const model = await engine.use(sourceOf(plainModel()));
  expect(model.capabilities).toEqual({ sliders: false, reference: false, pictureFirst: false });
  expect(model.check).toEqual({ kind: 'none' });
  const moved = failureOf(engine.call('sliders', { sliders: { Exposure2012: 20 } }));
  expect((await moved).code).toBe('INPUT_NO_SLIDERS');
  const adjusted = await engine.call('param', { sliders: { Exposure2012: 20 }, photo: photo() });
  expect(adjusted.latents).toHaveLength(24);
});

test('all that a photo needs is loaded before the model counts as open, with bytes where they can be told', async () => {
  const { engine } = engineOf();
  const files = plainModel();
  const source = sourceOf(files);
  const seen: LoadProgress[] = [];
  await engine.use(
    {
      read: async (name, onBytes) => {
        onBytes?.(100);
        return source.read(name);
      },
      size: (name) => Promise.resolve(files.get(name)?.length),
    },
    { onProgress: (progress) => seen.push(progress) },
  );
  const loads = seen.filter(({ stage }) => stage === 'load');
  const graphs = ['vision.onnx', 'embed.onnx', 'decoder.onnx', 'adaptor.onnx', 'renderer.onnx'];
  expect(new Set(loads.map(({ file }) => file))).toEqual(new Set(graphs));
  const total = graphs.reduce((sum, name) => sum + files.get(name)!.length, 0);
  expect(new Set(loads.map(({ totalBytes }) => totalBytes))).toEqual(new Set([total]));
  const bytes = loads.map((progress) => progress.bytes!);
  expect([...bytes].sort((a, b) => a - b)).toEqual(bytes);
  expect(bytes[1]).toBe(100);
});

test.each([
  ['damaged', () => damaged(another(), 'decoder.onnx'), 'BUNDLE_HASH'],
  ['without a file', () => new Map([...another()].filter(([name]) => name !== 'vision.onnx')), 'BUNDLE_FILE_MISSING'],
  ['without a manifest', () => new Map<string, Uint8Array>(), 'BUNDLE_FILE_MISSING'],
  ['of another format', () => another((m) => (m.formatVersion = 9)), 'BUNDLE_VERSION'],
  ['with numbers of another model', () => another((m) => (m.preprocess.image = { size: 32 })), 'INFERENCE'],
])('a bundle %s is refused, and the model before goes on', async (_name, files, code) => {
  const { engine, most, started } = engineOf();
  await engine.open();
  expect((await failureOf(engine.use(sourceOf(files())))).code).toBe(code);
  expect((await engine.open()).model).toBe('veraretouch-tiny 0.1.0');
  expect((await engine.call('auto', { photo: photo() })).latents).toHaveLength(24);
  expect(most()).toBe(1);
  expect(started.filter(({ alive }) => alive)).toHaveLength(1);
});

test('cancelled while it is loaded, the files are read no further and the model before goes on', async () => {
  const { engine, most } = engineOf();
  await engine.open();
  const controller = new AbortController();
  const source = sourceOf(another());
  let reading: AbortSignal | undefined;
  const reads: string[] = [];
  const work = engine.use(
    {
      read: (name, onBytes, signal) => {
        reads.push(name);
        if (!name.endsWith('.onnx')) return source.read(name);
        reading = signal;
        // Half of it is there; the rest would take long.
        onBytes?.(10);
        return new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => {
            reject(new Error('stopped'));
          });
        });
      },
    },
    { signal: controller.signal },
  );
  while (!reading) await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort();
  expect((await failureOf(work)).code).toBe('ABORT_ERR');
  expect(reading.aborted).toBe(true);
  expect((await engine.open()).model).toBe('veraretouch-tiny 0.1.0');
  expect(reads.filter((name) => name.endsWith('.onnx'))).toHaveLength(1);
  expect(most()).toBe(1);
});

test('a choice while the built-in model is still starting overtakes it', async () => {
  const { engine, most, started } = engineOf();
  const first = failureOf(engine.open());
  expect((await engine.use(sourceOf(another()))).model).toBe('another 2.0.0');
  expect((await first).code).toBe('WORKER_LOST');
  expect(most()).toBe(1);
  expect(started.filter(({ alive }) => alive)).toHaveLength(1);
});

test('a signal that has fired before ends nothing', async () => {
  const { engine, started } = engineOf();
  await engine.open();
  const signal = AbortSignal.abort();
  expect((await failureOf(engine.use(sourceOf(another()), { signal }))).code).toBe('ABORT_ERR');
  expect(started.map(({ alive }) => alive)).toEqual([true]);
});

describe('memory', () => {
  test('a GPU that is too small makes way for wasm, where the model fits there', async () => {
    const { engine } = engineOf(machine({ webgpu: { largestBuffer: 1e8 }, wasm: { page: 4e9 } }), ['webgpu', 'wasm']);
    expect(await engine.use(sourceOf(another(needs)))).toMatchObject({
      device: 'wasm',
      refused: [{ device: 'webgpu', why: 'memory', detail: expect.stringMatching(/300 MB .* 100 MB$/) as string }],
    });
  });

  test('where it fits nowhere both are named with both figures, and nothing of it is loaded', async () => {
    const open = machine({ webgpu: { largestBuffer: 1e8 }, wasm: { page: 2e9 } });
    const { engine } = engineOf(open, ['webgpu', 'wasm']);
    const reads: string[] = [];
    const error = await failureOf(engine.use(sourceOf(another(needs), reads)));
    expect(error.code).toBe('MEMORY');
    expect(error.message).toMatch(/"webgpu".*300 MB.*100 MB.*"wasm".*3000 MB.*2000 MB\. Nothing was loaded\.$/);
    expect(reads.filter((name) => name.endsWith('.onnx'))).toEqual([]);
    expect((await engine.open()).model).toBe('veraretouch-tiny 0.1.0');
  });

  test('a device that is not there does not hide that the other one is too small', async () => {
    const { engine } = engineOf(machine({ wasm: { page: 2e9 } }), ['webgpu', 'wasm']);
    expect((await failureOf(engine.use(sourceOf(another(needs))))).code).toBe('MEMORY');
  });

  test('the devices that were given up for one model are tried again for the next', async () => {
    let broken = true;
    const sound = machine({ webgpu: {}, wasm: {} });
    const open: OpenBackend = async (device, wasm) => {
      const opened = await sound(device, wasm);
      if (device === 'webgpu' && broken) throw new Error('busy');
      return opened;
    };
    const { engine } = engineOf(open, ['webgpu', 'wasm']);
    expect((await engine.open()).device).toBe('wasm');
    broken = false;
    expect((await engine.use(sourceOf(another()))).device).toBe('webgpu');
  });
});
