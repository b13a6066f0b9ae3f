import { type TextEvent } from '../../src/inference';
import { Engine, type EngineEvent } from '../../src/panel/worker/engine';
import { type OpenBackend } from '../../src/panel/worker/server';
import { failureOf } from '../inference/support/errors';
import { TINY, jsonOf, readBundle } from '../inference/support/bundles';
import { nodeBackend } from '../inference/support/nodeBackend';
import { besideWorkers, named, photo } from './support/worker';

/* The page's side and the worker's side of the protocol, with the real model code between them. */

const engines: Engine[] = [];
function engineOf(...[parts, options]: ConstructorParameters<typeof Engine>): Engine {
  const engine = new Engine(parts, options);
  engines.push(engine);
  return engine;
}
afterEach(() => {
  for (const engine of engines.splice(0)) engine.close();
});

/** A GPU whose every run goes through `meddle`; wasm is sound. */
function gpu(meddle: (floats: Float32Array) => Float32Array, lost?: Promise<string>): OpenBackend {
  return (device) => {
    const sound = named(nodeBackend(), device);
    if (device !== 'webgpu') return Promise.resolve({ backend: sound, adapter: '' });
    const backend: typeof sound = {
      ...sound,
      createSession: async (bytes, options) => {
        const session = await sound.createSession(bytes, options);
        return {
          inputNames: session.inputNames,
          outputNames: session.outputNames,
          dispose: () => session.dispose(),
          run: async (feeds, outputs) => {
            const results = await session.run(feeds, outputs);
            const name = outputs.find((output) => output === 'latents' || output === 'out');
            if (name === undefined) return results;
            const tensor = results[name];
            return { ...results, [name]: sound.floats(meddle((await tensor.floats()).slice()), tensor.dims) };
          },
        };
      },
    };
    return Promise.resolve({ backend, adapter: 'test card', ...(lost ? { lost: () => lost } : {}) });
  };
}

test('a photo goes in; text comes while it is written, and joined it is the reasoning', async () => {
  const { parts } = besideWorkers();
  const events: TextEvent[] = [];
  const engine = engineOf(parts, { devices: ['wasm'] });
  const model = await engine.open();
  expect(model).toMatchObject({ device: 'wasm', model: 'veraretouch-tiny 0.1.0', latentSize: 8, refused: [] });
  const result = await engine.call('auto', { photo: photo() }, { onText: (event) => events.push(event) });
  const textOf = (field: string): string =>
    events
      .filter((event) => event.field === field)
      .map(({ text }) => text)
      .join('');
  expect(result.reasoning.elements).not.toBe('');
  expect(textOf('elements')).toBe(result.reasoning.elements);
  expect(textOf('plan.light')).toBe(result.reasoning.plan.light);
  expect(result.latents).toHaveLength(24);
});

test('the device is compared with the numbers of the bundle before it is used', async () => {
  const { parts } = besideWorkers();
  const { check } = await engineOf(parts, { devices: ['wasm'] }).open();
  expect(check.kind).toBe('compared');
  if (check.kind !== 'compared') return;
  expect(check.cosine).toBeGreaterThan(0.999);
  expect(check.colours).toBeLessThan(1e-3);
});

test('parity numbers that are not the listed ones are not trusted, and the check says that there was none', async () => {
  const files = readBundle(TINY);
  files.set('parity.json', new TextEncoder().encode('{"cases":[]}'));
  const { parts } = besideWorkers(undefined, files);
  expect((await engineOf(parts, { devices: ['wasm'] }).open()).check).toEqual({ kind: 'none' });
});

test('a device that is not there, and one that gives wrong numbers, are passed over and named', async () => {
  const { parts } = besideWorkers(gpu((values) => values.map((value) => -value)));
  const model = await engineOf(parts, { devices: ['webgpu', 'wasm'] }).open();
  expect(model.device).toBe('wasm');
  expect(model.refused).toEqual([
    { device: 'webgpu', why: 'wrong', detail: expect.stringContaining('latents agree by -1.0') as string },
  ]);
  const missing = besideWorkers();
  expect((await engineOf(missing.parts).open()).refused).toEqual([
    { device: 'webgpu', why: 'missing', detail: 'no such device' },
  ]);
});

test('NaN is wrong too', async () => {
  const { parts } = besideWorkers(gpu((values) => values.fill(NaN)));
  const model = await engineOf(parts, { devices: ['webgpu', 'wasm'] }).open();
  expect(model).toMatchObject({ device: 'wasm', refused: [{ device: 'webgpu' }] });
});

test('where no device is right, nothing is run and every device is named', async () => {
  const { parts } = besideWorkers(gpu((values) => values.fill(0)));
  const error = await failureOf(engineOf(parts, { devices: ['webgpu'] }).open());
  expect(error.code).toBe('INFERENCE');
  expect(error.message).toContain('webgpu');
});

test('a damaged bundle is refused as such, not blamed on the device, and can be opened when it is whole again', async () => {
  const files = readBundle(TINY);
  const whole = files.get('vision.onnx')!;
  files.set('vision.onnx', whole.slice(0, -1));
  const { parts } = besideWorkers(undefined, files);
  const engine = engineOf(parts, { devices: ['wasm'] });
  expect(await failureOf(engine.open())).toMatchObject({ code: 'BUNDLE_HASH' });
  files.set('vision.onnx', whole);
  expect((await engine.open()).device).toBe('wasm');
});

test('errors keep the code and the texts of the one who threw', async () => {
  const { parts } = besideWorkers();
  const engine = engineOf(parts, { devices: ['wasm'] });
  const error = await failureOf(engine.call('style', { photo: photo(), instruction: '   ' }));
  expect(error.code).toBe('INPUT_INSTRUCTION');
  expect(error.hint).toBeTruthy();
});

test('cancelling while the answer is written rejects at once and stops the worker; the next call works', async () => {
  const { parts } = besideWorkers();
  const engine = engineOf(parts, { devices: ['wasm'] });
  await engine.open();
  const controller = new AbortController();
  const heard: TextEvent[] = [];
  const work = engine.call(
    'auto',
    { photo: photo() },
    {
      signal: controller.signal,
      onText: (event) => {
        heard.push(event);
        controller.abort();
      },
    },
  );
  expect((await failureOf(work)).code).toBe('ABORT_ERR');
  // Far less than an answer: what was written after the signal is not handed on.
  expect(heard).toHaveLength(1);
  expect((await engine.call('auto', { photo: photo() })).latents).toHaveLength(24);
});

test('a signal that has fired before asks nothing of the worker', async () => {
  const { parts, started } = besideWorkers();
  const engine = engineOf(parts, { devices: ['wasm'] });
  await engine.open();
  const before = started[0].sent.filter(({ kind }) => kind === 'call').length;
  const signal = AbortSignal.abort();
  expect((await failureOf(engine.call('auto', { photo: photo() }, { signal }))).code).toBe('ABORT_ERR');
  expect(started[0].sent.filter(({ kind }) => kind === 'call')).toHaveLength(before);
});

test('a cancelled start goes on for the next caller', async () => {
  const { parts, started } = besideWorkers();
  const engine = engineOf(parts, { devices: ['wasm'] });
  const controller = new AbortController();
  const first = engine.open({ signal: controller.signal });
  controller.abort();
  expect((await failureOf(first)).code).toBe('ABORT_ERR');
  expect((await engine.open()).device).toBe('wasm');
  expect(started).toHaveLength(1);
});

test('an idle worker is ended with its memory, and started again by the next call', async () => {
  const { parts, started } = besideWorkers();
  const events: EngineEvent['kind'][] = [];
  const engine = engineOf(parts, { devices: ['wasm'], idleMs: 20, onEvent: ({ kind }) => events.push(kind) });
  await engine.open();
  while (started[0].alive) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(events).toEqual(['starting', 'ready', 'asleep']);
  expect(await engine.call('sliders', { sliders: { Exposure2012: 20 } })).toHaveLength(24);
  expect(started).toHaveLength(2);
});

test('a worker that dies fails its calls, and the next call has a new one', async () => {
  const { parts, started } = besideWorkers();
  const engine = engineOf(parts, { devices: ['wasm'] });
  await engine.open();
  const work = failureOf(engine.call('auto', { photo: photo() }));
  await new Promise((resolve) => setImmediate(resolve));
  started[0].die('out of memory');
  const error = await work;
  expect(error.code).toBe('WORKER_LOST');
  expect(error.message).toContain('out of memory');
  expect((await engine.call('auto', { photo: photo() })).latents).toHaveLength(24);
});

test('a GPU that goes away in a run is given up, and the run is made again on wasm', async () => {
  let good = true;
  const { parts, started } = besideWorkers(
    gpu((values) => {
      if (!good) throw new Error('Device is lost');
      return values;
    }),
  );
  const events: EngineEvent[] = [];
  const engine = engineOf(parts, { onEvent: (event) => events.push(event) });
  expect((await engine.open()).device).toBe('webgpu');
  good = false;
  let restarts = 0;
  const result = await engine.call('auto', { photo: photo() }, { onRestart: () => restarts++ });
  expect(result.latents).toHaveLength(24);
  expect(restarts).toBe(1);
  expect(started.map(({ alive }) => alive)).toEqual([false, true]);
  expect(events.find(({ kind }) => kind === 'lost')).toMatchObject({ device: { why: 'lost' } });
  expect(await engine.open()).toMatchObject({ device: 'wasm', refused: [{ device: 'webgpu', why: 'lost' }] });
});

test('a GPU that goes away between runs is noticed then', async () => {
  let lose: (reason: string) => void = () => undefined;
  const lost = new Promise<string>((resolve) => (lose = resolve));
  const events: EngineEvent['kind'][] = [];
  const engine = engineOf(besideWorkers(gpu((values) => values, lost)).parts, {
    onEvent: ({ kind }) => events.push(kind),
  });
  await engine.open();
  lose('the driver was updated');
  while (!events.includes('lost')) await new Promise((resolve) => setTimeout(resolve, 5));
  expect((await engine.open()).device).toBe('wasm');
});

test('a LUT of a given size, and one whose error is measured', async () => {
  const { parts } = besideWorkers();
  const engine = engineOf(parts, { devices: ['wasm'] });
  const { latents } = await engine.call('reference', { before: photo(), after: photo(50, 20) });
  const small = await engine.call('bake', { latents, strength: { light: 0.5 }, size: 9 });
  expect(small.data).toHaveLength(9 ** 3 * 3);
  expect(small.error).toBeUndefined();
  const measured = await engine.call('bake', { latents, strength: {}, photo: photo().data });
  expect([33, 65]).toContain(measured.size);
  expect(measured.error!.max).toBeGreaterThanOrEqual(measured.error!.mean);
});

test('files of the bundle are read when a mode needs them, not before', async () => {
  const files = readBundle(TINY);
  const { parts, reads } = besideWorkers(undefined, files);
  const engine = engineOf(parts, { devices: ['wasm'] });
  await engine.open();
  const encoder = (jsonOf(files, 'bundle.json').graphs.encoder as { default: string }).default;
  expect(reads).not.toContain(encoder);
  await engine.call('prepare', { mode: 'reference' });
  expect(reads).toContain(encoder);
});
