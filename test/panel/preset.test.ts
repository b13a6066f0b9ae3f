import { type Lut3D } from '../../src/color';
import { type PanelHost } from '../../src/host/panelHost';
import { Controller } from '../../src/panel/controller';
import { importPreset } from '../../src/panel/fileActions';
import { isMonochromeTry, START, type PanelState, currentTry } from '../../src/panel/state';
import { Store } from '../../src/panel/store';
import { EN } from '../../src/panel/strings';
import { Engine } from '../../src/panel/worker/engine';
import { readBundle, TINY_FIRST } from '../inference/support/bundles';
import { jpegWith } from '../inference/presets/photoFiles';
import { xmp } from '../inference/presets/support';
import { besideWorkers, openNode, photo } from './support/worker';

/* Presets in Adjust, in the page without a page. */

interface Applied {
  readonly lut: { readonly size: number; readonly data: Float32Array };
}

const open: Controller[] = [];
afterEach(() => {
  for (const controller of open.splice(0)) {
    controller.pause();
    controller.engine.close();
  }
});

async function panel() {
  const { parts } = besideWorkers(openNode, readBundle(TINY_FIRST));
  const store = new Store<PanelState>(START);
  const engine = new Engine(parts, { devices: ['wasm'], onEvent: () => undefined });
  const applied: Applied[] = [];
  const info = { id: 'd', name: 'Photo', width: 40, height: 30, description: '' };
  const host = {
    kind: 'photoshop',
    abilities: { outputs: ['lookup'], otherDocuments: false },
    folders: { kept: () => Promise.resolve(undefined) },
    describe: () => Promise.resolve(info),
    readProxy: () => Promise.resolve({ ...photo(), document: info, state: 'state', notes: [] }),
    readSettings: () => Promise.resolve(undefined),
    writeSettings: () => Promise.resolve(),
    listen: () => () => undefined,
    apply: (retouch: Applied) => {
      applied.push(retouch);
      return Promise.resolve({ layer: '7', output: 'lookup', notes: [] });
    },
  } as unknown as PanelHost;
  const controller = new Controller(host, engine, store, EN);
  open.push(controller);
  const painted: Lut3D[] = [];
  controller.paint = (lut) => {
    if (lut) painted.push(lut);
    return Promise.resolve();
  };
  await controller.start();
  await engine.open();
  return { controller, store, applied, painted };
}

const preset = new TextEncoder().encode(xmp({ ConvertToGrayscale: 'True', Contrast2012: '+20', GrayMixerBlue: '-10' }));

function isGray({ data }: { readonly data: Float32Array }): boolean {
  for (let i = 0; i < data.length; i += 3) if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return false;
  return true;
}

async function seen(painted: readonly Lut3D[]): Promise<Lut3D> {
  const before = painted.length;
  for (let waits = 0; painted.length === before && waits < 800; waits++)
    await new Promise((resolve) => setTimeout(resolve, 5));
  expect(painted.length).toBeGreaterThan(before);
  return painted.at(-1)!;
}

test('a black-and-white preset is seen and applied without any color', async () => {
  const { controller, store, applied, painted } = await panel();
  await importPreset(controller, { name: 'bw.xmp', bytes: preset });
  expect(store.get()).toMatchObject({ mode: 'adjust', sliders: { Contrast2012: 20, Saturation: -100 } });
  expect(store.get().notices[0].text).toContain('Black and white');
  expect(isGray(await seen(painted))).toBe(true);
  await controller.apply();
  expect(isGray(applied[0].lut)).toBe(true);
  // The model's own plan for the sliders gives the same picture as they do.
  await controller.retouch();
  expect(isMonochromeTry(currentTry(store.get())!)).toBe(true);
  await controller.apply();
  expect(isGray(applied[1].lut)).toBe(true);
});

test('with the global color off, the color is back; sliders left from before do not touch other modes', async () => {
  const { controller, store, painted } = await panel();
  await importPreset(controller, { name: 'bw.jpg', bytes: jpegWith(preset) });
  await seen(painted);
  controller.setFactor('globalColor', { on: false });
  expect(isGray(await seen(painted))).toBe(false);
  store.set({ mode: 'auto' });
  await controller.retouch();
  expect(isMonochromeTry(currentTry(store.get())!)).toBe(false);
  expect(isGray(await seen(painted))).toBe(false);
});

test('a preset that is refused says why, and moves nothing', async () => {
  const { controller, store } = await panel();
  const record = new TextEncoder().encode(xmp({ Exposure2012: '1', AlreadyApplied: 'True' }));
  await importPreset(controller, { name: 'export.jpg', bytes: jpegWith(record) });
  expect(store.get().sliders).toEqual({});
  expect(store.get().notices.at(-1)).toMatchObject({ kind: 'error' });
});
