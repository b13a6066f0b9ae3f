import { type PanelHost } from '../../src/host/panelHost';
import { Controller } from '../../src/panel/controller';
import { START, type PanelState, type Try, canApply, currentTry } from '../../src/panel/state';
import { Store } from '../../src/panel/store';
import { EN } from '../../src/panel/strings';
import { Engine, type EngineEvent } from '../../src/panel/worker/engine';
import { type OpenBackend } from '../../src/panel/worker/server';
import { readBundle, TINY, TINY_FIRST } from '../inference/support/bundles';
import { nodeBackend } from '../inference/support/nodeBackend';
import { besideWorkers, named, openNode, photo } from './support/worker';

/* A model that gives the picture before its words, in the page without a page. */

interface Applied {
  readonly story: readonly string[];
  readonly provenance: { readonly texts: Try['texts']; readonly cut?: true };
}

const open: Controller[] = [];
afterEach(() => {
  for (const controller of open.splice(0)) {
    // What is rendered when the sliders rest would start the model anew.
    controller.pause();
    controller.engine.close();
  }
});

async function panelOf(folder = TINY_FIRST, device: OpenBackend = openNode, devices: ('wasm' | 'webgpu')[] = ['wasm']) {
  const { parts } = besideWorkers(device, readBundle(folder));
  const store = new Store<PanelState>(START);
  const onEvent = (event: EngineEvent): void => {
    controller.onEngine(event);
  };
  const engine = new Engine(parts, { devices, onEvent });
  const applied: Applied[] = [];
  const front = { id: 'd' };
  const info = () => ({ ...front, name: 'Photo', width: 40, height: 30, description: '' });
  const host = {
    kind: 'photoshop',
    abilities: { outputs: ['lookup'], otherDocuments: false },
    folders: { kept: () => Promise.resolve(undefined) },
    describe: () => Promise.resolve(info()),
    readProxy: () => Promise.resolve({ ...photo(), document: info(), state: `state of ${front.id}`, notes: [] }),
    readSettings: () => Promise.resolve(undefined),
    writeSettings: () => Promise.resolve(),
    listen: () => () => undefined,
    apply: (retouch: Applied) => {
      applied.push(retouch);
      return Promise.resolve({ layer: '7', output: 'lookup', notes: [] });
    },
  } as unknown as PanelHost;
  const controller: Controller = new Controller(host, engine, store, EN);
  open.push(controller);
  const painted: boolean[] = [];
  controller.paint = (lut) => {
    if (lut) painted.push(store.get().work === 'wording');
    return Promise.resolve();
  };
  await controller.start();
  return { controller, store, engine, applied, painted, front };
}

/** Resolves when the state fulfils a condition. */
function until(store: Store<PanelState>, condition: (state: PanelState) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = store.listen((state) => {
      if (!condition(state)) return;
      resolve();
      queueMicrotask(() => {
        stop();
      });
    });
  });
}

const words = ({ texts }: Try): number => Object.values(texts).join('').length;
const begun = (state: PanelState): boolean => state.work === 'wording' && words(currentTry(state)!) > 0;

test('the picture is there, painted and ready to be applied, while the words are being written', async () => {
  const { controller, store, painted } = await panelOf();
  const doing: string[] = [];
  store.listen(({ work }) => {
    if (doing.at(-1) !== work) doing.push(work);
  });
  const work = controller.retouch();
  await until(store, (state) => state.work === 'wording' && state.wording !== undefined);
  const early = currentTry(store.get())!;
  expect(words(early)).toBe(0);
  expect(canApply(store.get())).toBe(true);
  expect(early.id).toBe(store.get().wording);
  await work;
  expect(painted).toContain(true);
  const made = currentTry(store.get())!;
  expect(made.id).toBe(early.id);
  expect(made.latents).toEqual(early.latents);
  expect(made.seconds).toBe(early.seconds);
  expect(made.cut).toBeUndefined();
  expect(Object.keys(made.texts).length).toBeGreaterThan(3);
  expect(store.get()).toMatchObject({ work: 'idle', wording: undefined, tries: [made] });
  expect(doing.filter((name) => name === 'writing' || name === 'rendering')).toEqual([]);
});

test('the words are the whole answer of the model', async () => {
  const { controller, store, engine } = await panelOf();
  await controller.retouch();
  const { latents, reasoning } = await engine.call('auto', { photo: photo() });
  const { texts, latents: kept } = currentTry(store.get())!;
  expect(kept).toEqual(latents);
  expect(texts.elements ?? '').toBe(reasoning.elements);
  expect(texts['plan.light'] ?? '').toBe(reasoning.plan.light);
  expect(words({ texts } as Try)).toBeGreaterThan(20);
});

test('Esc keeps the picture and the words so far, marked as cut short', async () => {
  const { controller, store, applied } = await panelOf();
  const work = controller.retouch();
  await until(store, begun);
  controller.cancel();
  await work;
  const made = currentTry(store.get())!;
  expect(made.cut).toBe(true);
  expect(words(made)).toBeGreaterThan(0);
  expect(store.get()).toMatchObject({ work: 'idle', wording: undefined, said: EN.cutShort, notices: [] });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(currentTry(store.get())).toBe(made);
  await controller.apply();
  expect(applied).toHaveLength(1);
  expect(applied[0].story.at(-1)).toContain('not written to its end');
  // The next one is whole.
  await controller.retouch();
  const next = currentTry(store.get())!;
  expect(next.cut).toBeUndefined();
  expect(words(next)).toBeGreaterThan(words(made));
  expect(store.get().tries).toEqual([{ ...made, layer: '7' }, next]);
});

test('applied while words are written: that stops them, and the layer has what was written by then', async () => {
  const { controller, store, applied } = await panelOf();
  const work = controller.retouch();
  await until(store, begun);
  await controller.apply();
  await work;
  expect(applied).toHaveLength(1);
  const made = currentTry(store.get())!;
  expect(applied[0].provenance).toMatchObject({ cut: true, texts: made.texts });
  expect(made).toMatchObject({ cut: true, layer: '7' });
  expect(store.get().work).toBe('idle');
});

test('before the picture is there a cancelled retouch leaves nothing', async () => {
  const { controller, store } = await panelOf();
  const work = controller.retouch();
  await until(store, (state) => state.work === 'thinking');
  controller.cancel();
  await work;
  expect(store.get()).toMatchObject({ work: 'idle', tries: [], said: EN.cancelled });
});

test('another document ends the writing of words about the one before', async () => {
  const { controller, store, front } = await panelOf();
  const work = controller.retouch();
  await until(store, begun);
  front.id = 'e';
  await controller.refresh();
  await work;
  expect(store.get()).toMatchObject({ work: 'idle', tries: [], current: undefined });
});

test('strengths can be set while the words are written, and stay', async () => {
  const { controller, store } = await panelOf();
  const work = controller.retouch();
  await until(store, begun);
  controller.setFactor('light', { strength: 0.5 });
  await work;
  const made = currentTry(store.get())!;
  expect(made.factors.light.strength).toBe(0.5);
  expect(Object.keys(made.texts).length).toBeGreaterThan(3);
});

test('a model with its words first goes on as before', async () => {
  const { controller, store } = await panelOf(TINY);
  const doing: string[] = [];
  store.listen(({ work, tries }) => {
    if (doing.at(-1) !== work) doing.push(work);
    if (work === 'writing') expect(tries).toEqual([]);
  });
  await controller.retouch();
  expect(doing).toContain('writing');
  expect(doing).not.toContain('wording');
  expect(words(currentTry(store.get())!)).toBeGreaterThan(20);
});

/** A GPU whose decoder is right about the photo and scores the words wrongly from some run on; wasm is sound. */
function gpu(fails: (run: number) => 'scores' | 'stops' | undefined): OpenBackend {
  return (device) => {
    const sound = named(nodeBackend(), device);
    if (device !== 'webgpu') return Promise.resolve({ backend: sound, adapter: '' });
    let runs = 0;
    const backend: typeof sound = {
      ...sound,
      createSession: async (bytes, options) => {
        const session = await sound.createSession(bytes, options);
        return {
          inputNames: session.inputNames,
          outputNames: session.outputNames,
          dispose: () => session.dispose(),
          run: async (feeds, outputs) => {
            const how = outputs.includes('logits') ? fails(runs++) : undefined;
            if (how === 'stops') throw new Error('the device was lost');
            const results = await session.run(feeds, outputs);
            if (!how) return results;
            const { logits } = results;
            const values = (await logits.floats()).map((value) => -value);
            return { ...results, logits: sound.floats(values, logits.dims) };
          },
        };
      },
    };
    return Promise.resolve({ backend, adapter: 'test card' });
  };
}

test('a device that gives the right picture but the wrong words is passed over', async () => {
  const { store } = await panelOf(
    TINY_FIRST,
    gpu((run) => (run > 1 ? 'scores' : undefined)),
    ['webgpu', 'wasm'],
  );
  const { device, refused, check } = store.get().model!;
  expect(device).toBe('wasm');
  expect(refused).toEqual([
    { device: 'webgpu', why: 'wrong', detail: expect.stringMatching(/latents agree by 1\.000.* 0?\d % of the words/) },
  ]);
  expect(check).toMatchObject({ kind: 'compared', words: 1 });
});

test('a device that is lost among the words: another one begins anew, in the same try', async () => {
  let broken = false;
  const { controller, store } = await panelOf(
    TINY_FIRST,
    gpu(() => (broken ? 'stops' : undefined)),
    ['webgpu', 'wasm'],
  );
  expect(store.get().model?.device).toBe('webgpu');
  const work = controller.retouch();
  await until(store, begun);
  const early = currentTry(store.get())!.id;
  broken = true;
  await work;
  const made = currentTry(store.get())!;
  expect(store.get().model?.device).toBe('wasm');
  expect(store.get().tries).toHaveLength(1);
  expect(made.id).toBe(early);
  expect(made.cut).toBeUndefined();
  const again = await panelOf();
  await again.controller.retouch();
  expect(made.texts).toEqual(currentTry(again.store.get())!.texts);
});
