import { type Folders, type KeptFolder, fileMissing } from '../../src/host/folders';
import { type HostEvent, type PanelHost } from '../../src/host/panelHost';
import { HostError } from '../../src/host/errors';
import { Controller } from '../../src/panel/controller';
import { readOffer } from '../../src/panel/modelOffer';
import { START, type PanelState } from '../../src/panel/state';
import { Store } from '../../src/panel/store';
import { EN } from '../../src/panel/strings';
import { Engine, type EngineEvent } from '../../src/panel/worker/engine';
import { type Files } from '../inference/support/bundles';
import { failureOf } from '../inference/support/errors';
import { another, damaged, plainModel, withLicence } from './support/models';
import { besideWorkers, photo, sourceOf } from './support/worker';

/* The page without a page: which model is used, what is remembered of it, and what a person is told. */

// A page has one, which tells nothing of the memory here.
Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });

const engines: Engine[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.close();
});

/** One folder, as a host gives it; `kept` outlives the page that is made by `panelOf`. */
function disk(files: Files) {
  const world = {
    files,
    called: true,
    kept: false,
    asks: false,
    permitted: true,
    gone: false,
    settings: undefined as unknown,
    forgotten: 0,
  };
  const folders: Folders = {
    choose: () => Promise.resolve(world.called ? { id: 'folder-1', name: 'My model' } : undefined),
    kept: () => {
      if (world.gone) return Promise.reject(new HostError('FOLDER_GONE', 'It is gone.', 'Choose it again.'));
      const kept: KeptFolder = { id: 'folder-1', name: 'My model', asks: world.asks };
      return Promise.resolve(world.kept ? kept : undefined);
    },
    permit: () => Promise.resolve(world.permitted),
    keep: () => Promise.resolve((world.kept = true)),
    forget: () => {
      world.kept = false;
      world.forgotten++;
      return Promise.resolve();
    },
    size: (_id, name) => {
      const bytes = world.files.get(name);
      return bytes ? Promise.resolve(bytes.length) : Promise.reject(fileMissing('My model', name));
    },
    read: (_id, name, offset, length) => Promise.resolve(world.files.get(name)!.slice(offset, offset + length)),
  };
  return { world, folders };
}

function panelOf({ world, folders }: ReturnType<typeof disk>, commands: HostEvent[] = []) {
  const { parts, started } = besideWorkers();
  const onEvent = (event: EngineEvent): void => {
    controller.onEngine(event);
  };
  const store = new Store<PanelState>(START);
  const engine = new Engine(parts, { devices: ['wasm'], onEvent });
  engines.push(engine);
  const document = { id: 'd', name: 'Photo', width: 40, height: 30, description: '' };
  const host = {
    kind: 'photoshop',
    abilities: { outputs: ['lookup'], otherDocuments: false },
    folders,
    describe: () => Promise.resolve(document),
    readProxy: () => Promise.resolve({ ...photo(), document, state: 's', notes: [] }),
    readRetouch: () => Promise.resolve({ layer: '1', provenance: world.settings }),
    readSettings: () => Promise.resolve(world.settings),
    writeSettings: (settings: unknown) => Promise.resolve(void (world.settings = settings)),
    listen: (listener: (event: HostEvent) => void) => {
      for (const event of commands) setTimeout(listener, 0, event);
      return () => undefined;
    },
  } as unknown as PanelHost;
  const controller: Controller = new Controller(host, engine, store, EN);
  const told = (): string[] => store.get().notices.map(({ text }) => text);
  return { controller, store, engine, told, started, models: controller.models };
}

async function chosen(files: Files) {
  const there = disk(files);
  const panel = panelOf(there);
  await panel.controller.start();
  await panel.models.choose();
  return { ...there, ...panel };
}

test('a model is looked at before anything of it is loaded, and used when it is accepted', async () => {
  const { store, models, world } = await chosen(another());
  const { offer } = store.get();
  expect(offer).toMatchObject({ name: 'another', version: '2.0.0', research: true, fits: true });
  expect(offer?.bytes).toBe(
    [...another()].reduce((n, [name, { length }]) => n + (name === 'SHA256SUMS' ? 0 : length), 0),
  );
  expect(store.get().model?.model).toBe('veraretouch-tiny 0.1.0');
  await models.accept();
  expect(store.get()).toMatchObject({ chosen: 'another 2.0.0', offer: undefined, work: 'idle', loading: '' });
  expect(store.get().model?.research).toBe(true);
  expect(world.kept).toBe(true);
});

test('called off and declined, nothing is different', async () => {
  const { store, models, world } = await chosen(another());
  models.decline();
  world.called = false;
  await models.choose();
  await models.accept();
  expect(store.get()).toMatchObject({ chosen: undefined, offer: undefined, accepted: [], notices: [] });
  expect([world.kept, world.settings]).toEqual([false, undefined]);
});

test('the next page uses it without a question; terms of other words, and another bundle, are asked about', async () => {
  const { models, world, folders } = await chosen(another());
  await models.accept();
  const next = panelOf({ world, folders });
  await next.controller.start();
  expect(next.store.get()).toMatchObject({ chosen: 'another 2.0.0', offer: undefined });
  for (const files of [withLicence(another(), 'Other words.'), another((m) => (m.version = '2.0.1'))]) {
    world.files = files;
    const asked = panelOf({ world, folders });
    await asked.controller.start();
    expect(asked.store.get()).toMatchObject({ chosen: undefined, lastTime: true });
    expect(asked.store.get().offer).toBeDefined();
    expect((await asked.engine.open()).model).toBe('veraretouch-tiny 0.1.0');
  }
});

test('the built-in model takes over, and the folder is forgotten', async () => {
  const { models, store, world, controller } = await chosen(another());
  await models.accept();
  await controller.retouch();
  expect(store.get().tries).toHaveLength(1);
  await models.builtIn();
  expect(store.get()).toMatchObject({ chosen: undefined, tries: [], lastTime: false });
  expect(store.get().model?.model).toBe('veraretouch-tiny 0.1.0');
  expect(world.kept).toBe(false);
});

test('a try of one model is not rendered by another: on changing they are let go, after a failure they stay', async () => {
  const { models, store, world, controller, told } = await chosen(damaged(another(), 'decoder.onnx'));
  await controller.retouch();
  await models.accept();
  expect(told().join()).toMatch(/decoder\.onnx .* is not the one.*The model that was in use before goes on/);
  expect(store.get().tries).toHaveLength(1);
  world.files = another();
  await models.choose();
  await models.accept();
  expect(store.get().tries).toEqual([]);
});

test('a folder that is gone is said; what is kept of it stays until the built-in model is chosen', async () => {
  const there = disk(another());
  there.world.gone = true;
  const { controller, store, told, models } = panelOf(there);
  await controller.start();
  expect(told()).toEqual(['It is gone.']);
  expect(store.get()).toMatchObject({ lastTime: true, chosen: undefined });
  expect(there.world.forgotten).toBe(0);
  await models.builtIn();
  expect(there.world.forgotten).toBe(1);
  expect(store.get().lastTime).toBe(false);
});

test('a folder whose files are gone is said at the start, and the built-in model is used', async () => {
  const there = disk(new Map());
  there.world.kept = true;
  const { controller, engine, told } = panelOf(there);
  await controller.start();
  expect(told()[0]).toBe('The bundle has no file SHA256SUMS. It was not loaded.');
  expect((await engine.open()).model).toBe('veraretouch-tiny 0.1.0');
});

test('where a click is wanted first, the page says so, and a refusal leaves the built-in model', async () => {
  const { models, world, folders } = await chosen(another());
  await models.accept();
  Object.assign(world, { asks: true, permitted: false });
  const next = panelOf({ world, folders });
  await next.controller.start();
  expect(next.store.get().notices).toMatchObject([{ kind: 'info', action: 'again' }]);
  await next.models.again();
  expect(next.store.get().chosen).toBeUndefined();
  world.permitted = true;
  await next.models.again();
  expect(next.store.get().chosen).toBe('another 2.0.0');
});

test('a command that opened the panel waits for the model of last time', async () => {
  const { models, world, folders } = await chosen(another());
  await models.accept();
  const next = panelOf({ world, folders }, [{ kind: 'command', command: 'auto' }]);
  await next.controller.start();
  while (next.store.get().tries.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(next.store.get().chosen).toBe('another 2.0.0');
  expect(next.started.filter(({ alive }) => alive)).toHaveLength(1);
});

test('sliders of a model without a head for them make no try and no failure', async () => {
  const { models, controller, store, told } = await chosen(plainModel());
  await models.accept();
  controller.setSliders({ Exposure2012: 30 });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(store.get()).toMatchObject({ tries: [], sliders: { Exposure2012: 30 } });
  expect(told()).toEqual([EN.notChecked]);
});

test('a retouch of another model says which one is needed', async () => {
  const there = disk(another());
  const { controller, told } = panelOf(there);
  await controller.start();
  there.world.settings = { format: 'veraretouch-panel-1', model: 'another 2.0.0', latents: new Array(24).fill(0) };
  await controller.editLayer();
  expect(told().join()).toContain('made with the model “another 2.0.0”');
});

describe('what is shown of a model', () => {
  const gpu = {
    device: 'webgpu',
    key: 'webgpu-f16',
    available: { page: 2e9, largestBuffer: 1e8 },
    software: false,
  } as const;
  const cpu = { device: 'wasm', key: 'wasm', available: { page: 2e9 }, software: false } as const;
  const folder = { id: 'folder-1', name: 'x' };
  const needs = another((m) => {
    m.memory = { wasm: { page: 1.5e9 }, webgpu: { page: 1e9, gpu: 1.2e9, largestBuffer: 3e8 } };
    m.name = `Evil\u202e\u0007${'x'.repeat(99)}`;
  });

  test('its memory beside what is there, for each device; it fits where one of them can hold it', async () => {
    const offer = await readOffer(sourceOf(needs), folder, [gpu, cpu]);
    expect(offer.memory).toMatchObject([
      { device: 'webgpu', fits: false, need: { gpu: 1.2e9, largestBuffer: 3e8 }, there: { largestBuffer: 1e8 } },
      { device: 'wasm', fits: true, need: { page: 1.5e9 }, there: { page: 2e9 } },
    ]);
    expect(offer.fits).toBe(true);
    expect((await readOffer(sourceOf(needs), folder, [gpu])).fits).toBe(false);
    expect((await readOffer(sourceOf(another()), folder, [gpu])).fits).toBe(true);
  });

  test('no character steers the display, in the name or in the licence', async () => {
    const files = withLicence(needs, 'One\u001b[2J\r\n\tTwo\u202e\u009b');
    const { name, terms } = await readOffer(sourceOf(files), folder, []);
    expect(name).toMatch(/^Evilx{56}$/);
    expect(terms?.text).toBe('One[2J\n\tTwo');
  });

  test('a licence that is not the listed one is refused', async () => {
    const files = damaged(another(), 'LICENSE-MODEL.txt');
    expect((await failureOf(readOffer(sourceOf(files), folder, []))).code).toBe('BUNDLE_HASH');
  });
});
