/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-call -- called as loosely as a plugin without types may call */
import { deviceLinkProfile } from '../../../src/color';
import { FakePhotoshop, FakeUxp, Undocumented } from '../../fakes/photoshop';
import { levels, warm } from './support';

/* The stand-in is believed by all other tests: that it has the traps of the real one is shown here. */

type Call = (...args: any[]) => Promise<any>;
type Loose = Record<string, Record<string, Call>>;

function opened(bits: 8 | 16 = 8) {
  const ps = new FakePhotoshop();
  const document = ps.open({ bits, width: 8, height: 8 });
  const module = ps.module as unknown as Loose;
  const modal = (work: Call): Promise<unknown> => module.core.executeAsModal(work, { commandName: 'Test' });
  return { ps, document, module, modal, dom: document.dom as Record<string, Call> };
}

const lookup = { _obj: 'adjustmentLayer', type: { _obj: 'colorLookup' } };
const make = { _obj: 'make', _target: [{ _ref: 'adjustmentLayer' }], using: lookup };
const set = (more: object) => ({
  _obj: 'set',
  _target: [{ _ref: 'adjustmentLayer', _enum: 'ordinal', _value: 'targetEnum' }],
  to: { _obj: 'colorLookup', lookupType: { _enum: 'colorLookupType', _value: '3DLUT' }, ...more },
});

test('what is not documented throws: properties, calls, options, commands', async () => {
  const { module, modal, dom } = opened();
  expect(() => dom.pixels).toThrow(Undocumented);
  expect(() => module.imaging.readPixels).toThrow(Undocumented);
  await expect(module.core.executeAsModal(async () => 1, { commandName: 'x', priority: 1 })).rejects.toThrow(
    Undocumented,
  );
  await modal(async () => {
    const wanted = { documentID: dom.id, colorSpace: 'RGB' };
    await expect(module.imaging.getPixels({ ...wanted, quality: 1 })).rejects.toThrow(Undocumented);
    await expect(module.imaging.getPixels({ ...wanted, colorProfile: undefined })).rejects.toThrow(Undocumented);
    await expect(module.action.batchPlay([{ _obj: 'explode', _target: [{ _ref: 'layer' }] }], {})).rejects.toThrow(
      Undocumented,
    );
    await expect(module.action.batchPlay([make], { fast: true })).rejects.toThrow(Undocumented);
  });
});

test('nothing is written or read outside of a modal scope', async () => {
  const { module, dom, document } = opened();
  const original = document.print;
  await expect(module.imaging.getPixels({ documentID: dom.id, colorSpace: 'RGB' })).rejects.toThrow('executeAsModal');
  await expect(module.action.batchPlay([make], {})).rejects.toThrow('executeAsModal');
  await expect(dom.createPixelLayer({ name: 'x' })).rejects.toThrow('executeAsModal');
  expect(() => ((document.layer(document.state.layers[0].id) as { name: string }).name = 'x')).toThrow(
    'executeAsModal',
  );
  expect(document.print).toBe(original);
});

test('a Color Lookup layer shows nothing without a DeviceLink as raw data, and the LUT with one', async () => {
  const { module, modal, document } = opened();
  const before = levels(document, 255);
  const bytes = deviceLinkProfile(warm());
  const base64 = Buffer.from(bytes).toString('base64');
  const play = async (command: object): Promise<void> => {
    await modal(() => module.action.batchPlay([command], {}));
  };
  await play(make);
  expect(levels(document, 255)).toEqual(before);
  const cube = { _rawData: 'base64', _data: Buffer.from('LUT_3D_SIZE 2').toString('base64') };
  for (const more of [{ LUT3DFileData: cube }, { profile: bytes }, { profile: base64 }, { profile: cube }]) {
    await play(set(more));
    expect(levels(document, 255)).toEqual(before);
  }
  await play(set({ profile: { _rawData: 'base64', _data: base64 } }));
  const shown = levels(document, 255);
  const lut = warm();
  for (let i = 0; i < shown.length; i += 4) {
    const wanted = lut.sample(before[i] / 255, before[i + 1] / 255, before[i + 2] / 255);
    wanted.forEach((value, c) => {
      expect(Math.abs(value * 255 - shown[i + c])).toBeLessThan(1.01);
    });
  }
});

test('16-bit levels reach 32768; with fullRange 65535, there and back without a loss', async () => {
  const { module, modal, dom, ps } = opened(16);
  await modal(async () => {
    const { imageData } = await module.imaging.getPixels({ documentID: dom.id, colorSpace: 'RGB', componentSize: 16 });
    const own = (await imageData.getData()) as Uint16Array;
    const full = (await imageData.getData({ fullRange: true })) as Uint16Array;
    expect([Math.max(...own), Math.max(...full)]).toEqual([32768, 65535]);
    const shape = { width: 8, height: 8, components: 3, colorSpace: 'RGB' };
    await expect(module.imaging.createImageDataFromBuffer(full, shape)).rejects.toThrow('fullRange');
    const back = await module.imaging.createImageDataFromBuffer(full, { ...shape, fullRange: true });
    expect(await back.getData()).toEqual(own);
    expect(ps.imaging.alive.size).toBe(2);
    back.dispose();
    imageData.dispose();
    await expect(back.getData()).rejects.toThrow('disposed');
    expect(ps.imaging.alive.size).toBe(0);
  });
});

test('putPixels throws the other pixels away unless told not to', async () => {
  for (const [more, left] of [
    [{}, 4],
    [{ replace: false }, 8],
  ] as const) {
    const { module, modal, document, dom } = opened();
    await modal(async () => {
      const { id } = await dom.createPixelLayer({ name: 'x' });
      const shape = { width: 2, height: 2, components: 3, colorSpace: 'RGB' };
      const imageData = await module.imaging.createImageDataFromBuffer(new Uint8Array(12), shape);
      for (const place of [0, 4]) {
        const targetBounds = { left: place, top: place };
        await module.imaging.putPixels({ documentID: dom.id, layerID: id, imageData, targetBounds, ...more });
      }
      expect(
        document
          .node(id)
          .pixels!.filter((_, i) => i % 4 === 3)
          .filter((alpha) => alpha === 255),
      ).toHaveLength(left);
    });
  }
});

test('what a scope leaves suspended is committed when it ends, and taken back when it throws', async () => {
  for (const fails of [false, true]) {
    const { modal, document, dom } = opened();
    const original = document.print;
    const ended = modal(async (context: { hostControl: Record<string, Call> }) => {
      await context.hostControl.suspendHistory({ documentID: dom.id, name: 'Both' });
      await dom.createPixelLayer({ name: 'a' });
      await dom.createPixelLayer({ name: 'b' });
      if (fails) throw new Error('No.');
    });
    if (fails) await expect(ended).rejects.toThrow('No.');
    else await ended;
    expect(document.history.map(({ name }) => name)).toEqual(fails ? ['Open'] : ['Open', 'Both']);
    expect(document.print === original).toBe(fails);
  }
});

test('an entry point that takes 300 ms has failed, and setup is called once', async () => {
  const uxp = new FakeUxp();
  await expect(uxp.within(() => new Promise((resolve) => setTimeout(resolve, 400)))).rejects.toThrow('300 ms');
  const entrypoints = uxp.module.entrypoints;
  entrypoints.setup({ panels: {} });
  expect(() => {
    entrypoints.setup({ panels: {} });
  }).toThrow('once');
  expect(() => {
    new FakeUxp().module.entrypoints.setup({ dialogs: {} });
  }).toThrow(Undocumented);
});
