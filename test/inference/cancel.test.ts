import { CancelledError, Retoucher, parametersFromSliders, type RgbImage } from '../../src/inference';
import { memorySource, readBundle, TINY } from './support/bundles';
import { nodeBackend } from './support/nodeBackend';
import { failureOf } from './support/errors';
import { watched } from './support/watched';

const FILES = readBundle(TINY);
const PHOTO: RgbImage = { width: 8, height: 6, data: Uint8Array.from({ length: 144 }, (_, i) => (i * 37) & 255) };
const PARAMETERS = parametersFromSliders({ Exposure2012: 40 });

type Call = (retoucher: Retoucher, signal?: AbortSignal) => Promise<unknown>;
const CALLS: [name: string, call: Call][] = [
  ['auto', (r, signal) => r.auto(PHOTO, { signal })],
  ['style', (r, signal) => r.style(PHOTO, 'warm', { signal })],
  ['param', (r, signal) => r.param(PARAMETERS, { signal })],
  ['reference', (r, signal) => r.reference(PHOTO, PHOTO, { signal })],
  ['sliders', (r, signal) => r.sliders(PARAMETERS, signal ? { signal } : {})],
  // Latents of zero change nothing and would need no run.
  ['bakeLut', (r, signal) => r.bakeLut(new Float32Array(24).fill(0.5), { signal })],
];

describe.each(CALLS)('cancelling %s', (_name, call) => {
  test('before it starts, and at the requests to the runtime; the retoucher goes on working', async () => {
    // First without cancelling: how many requests are there, and what comes out?
    let target = -1;
    let controller = new AbortController();
    const backend = watched(nodeBackend(), (_entry, count) => {
      if (count === target) controller.abort(new Error('Ctrl-C'));
    });
    const undisturbed = await Retoucher.load(memorySource(FILES), backend, { verify: 'used' });
    const expected = timeless(await call(undisturbed));
    const loads = backend.log.filter((entry) => entry === 'load').length;
    // The retoucher knows its photo now: what is asked of the runtime from here on goes without the vision graph.
    backend.log.length = 0;
    expect(timeless(await call(undisturbed))).toEqual(expected);
    const runs = backend.log.length;
    expect(runs).toBeGreaterThan(0);

    const cancelAt = async (retoucher: Retoucher, at: number): Promise<void> => {
      controller = new AbortController();
      if (at < 0) controller.abort();
      backend.log.length = 0;
      target = at;
      const error = await failureOf(call(retoucher, controller.signal));
      target = -1;
      expect(error).toBeInstanceOf(CancelledError);
      expect(error.code).toBe('ABORT_ERR');
      // The request during which the signal fired is the last one.
      expect(backend.log.length).toBe(at + 1);
      expect(backend.alive()).toBe(0);
    };
    // A fresh one meets all loads, and the first run, which is that of the vision graph where there is one.
    for (let at = -1; at <= loads; at++) {
      const fresh = await Retoucher.load(memorySource(FILES), backend, { verify: 'used' });
      await cancelAt(fresh, at);
      expect(timeless(await call(fresh))).toEqual(expected);
      await fresh.dispose();
    }
    for (let at = 0; at < runs; at++) {
      // The middle of an answer repeats one step over and over: some of those stand for all.
      if (at < 6 || at >= runs - 6 || at % 11 === 0) await cancelAt(undisturbed, at);
    }
    expect(timeless(await call(undisturbed))).toEqual(expected);
    await undisturbed.dispose();
  }, 120_000);
});

test('cancelling a call that waits for another one leaves that one alone', async () => {
  const retoucher = await Retoucher.load(memorySource(FILES), nodeBackend(), { verify: 'used' });
  const controller = new AbortController();
  const first = retoucher.auto(PHOTO);
  const second = retoucher.auto(PHOTO, { signal: controller.signal });
  controller.abort();
  expect(await failureOf(second)).toBeInstanceOf(CancelledError);
  expect((await first).latents).toHaveLength(24);
  await retoucher.dispose();
});

test('a signal that fires from the text callback or a timer is noticed', async () => {
  const retoucher = await Retoucher.load(memorySource(FILES), nodeBackend(), { verify: 'used' });
  const fromText = new AbortController();
  let events = 0;
  const onText = (): void => {
    events++;
    fromText.abort();
  };
  expect(await failureOf(retoucher.auto(PHOTO, { signal: fromText.signal, onText }))).toBeInstanceOf(CancelledError);
  expect(events).toBe(1);
  // Runs give the event loop its turn, so Ctrl-C and buttons are heard while the model writes.
  const fromTimer = new AbortController();
  const timer = setTimeout(() => {
    fromTimer.abort();
  }, 1);
  expect(await failureOf(retoucher.auto(PHOTO, { signal: fromTimer.signal }))).toBeInstanceOf(CancelledError);
  clearTimeout(timer);
  await retoucher.dispose();
});

test('an error thrown by the text callback comes out, and nothing is kept', async () => {
  const backend = watched(nodeBackend());
  const retoucher = await Retoucher.load(memorySource(FILES), backend, { verify: 'used' });
  const onText = (): void => {
    throw new RangeError('the terminal is gone');
  };
  await expect(retoucher.auto(PHOTO, { onText })).rejects.toThrow('the terminal is gone');
  expect(backend.alive()).toBe(0);
  await retoucher.dispose();
});

test('loading can be cancelled before it starts and at every file', async () => {
  const whole = memorySource(FILES);
  await (await Retoucher.load(whole, nodeBackend())).dispose();
  const reads = whole.reads.length;
  expect(reads).toBeGreaterThan(FILES.size);
  for (let at = 0; at <= reads; at++) {
    const controller = new AbortController();
    const source = memorySource(FILES);
    const read = (name: string): Promise<Uint8Array> => {
      if (source.reads.length === at - 1) controller.abort();
      return source.read(name);
    };
    if (at === 0) controller.abort();
    const error = await failureOf(Retoucher.load({ read }, nodeBackend(), { signal: controller.signal }));
    expect(error).toBeInstanceOf(CancelledError);
    expect(source.reads.length).toBe(at);
  }
});

/** A result without what depends on the clock. */
function timeless(result: unknown): unknown {
  return typeof result === 'object' && result !== null ? { ...result, timingsMs: undefined } : result;
}
