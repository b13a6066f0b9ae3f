import { type Bits, layerOf, type Mode, paint } from '../../fakes/photoshop';
import { colours, retouchFor, setUp } from './support';

/** What Photoshop can open: of every mode and depth either retouched or refused with a way out. */
const MATRIX: [Mode, Bits, remedy: string | undefined][] = [
  ['RGB', 8, undefined],
  ['RGB', 16, undefined],
  ['RGB', 32, '16 Bits/Channel'],
  ['GRAYSCALE', 8, 'RGB Color'],
  ['GRAYSCALE', 16, 'RGB Color'],
  ['GRAYSCALE', 32, 'RGB Color'],
  ['LAB', 8, 'RGB Color'],
  ['LAB', 16, 'RGB Color'],
  ['CMYK', 8, 'RGB Color'],
  ['CMYK', 16, 'RGB Color'],
  ['INDEXEDCOLOR', 8, 'RGB Color'],
  ['BITMAP', 1, 'Grayscale'],
  ['MULTICHANNEL', 8, 'RGB Color'],
  ['MULTICHANNEL', 16, 'RGB Color'],
  ['DUOTONE', 8, 'RGB Color'],
];

describe.each(MATRIX)('%s with %i bits', (mode, bits, remedy) => {
  if (remedy === undefined) {
    test('is retouched, and undo restores the original bits', async () => {
      const { ps, host } = setUp();
      const document = ps.open({ mode, bits });
      const original = document.print;
      const info = await host.describe();
      expect(info).toMatchObject({
        name: 'Photo.psd',
        width: 64,
        height: 48,
        description: `RGB, ${bits} bits, sRGB IEC61966-2.1`,
      });
      expect(info!.refusal).toBeUndefined();
      await host.apply(retouchFor(await host.readProxy({ longEdge: 1024 })));
      expect(document.print).not.toBe(original);
      document.undo();
      expect(document.print).toBe(original);
    });
    return;
  }
  test('is refused with a sentence that helps, and left alone', async () => {
    const { ps, host } = setUp();
    const document = ps.open({ mode, bits });
    const original = document.print;
    const { refusal } = (await host.describe())!;
    expect(refusal).toMatch(/^The document .*: .*Image > Mode > .*\.$/);
    expect(refusal).toContain(remedy);
    const error = await host.readProxy({ longEdge: 1024 }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'DOCUMENT_UNSUITED' });
    expect((error as { hint: string }).hint).toContain(remedy);
    // A state of another document does not get past it either.
    const state = {
      document: document.id,
      width: 64,
      height: 48,
      history: document.history[0].id,
      look: 1,
      longEdge: 9,
    };
    const names = document.dom as { mode: string; bitsPerChannel: string; colorProfileName: string };
    const forged = { ...state, mode: names.mode, depth: names.bitsPerChannel, profile: names.colorProfileName };
    await expect(host.apply(retouchFor({ state: JSON.stringify(forged) }))).rejects.toMatchObject({
      code: 'DOCUMENT_UNSUITED',
    });
    expect([document.print, document.history.length]).toEqual([original, 1]);
  });
});

test('without a document there is nothing to describe, and reading says what to do', async () => {
  const { host } = setUp();
  expect(await host.describe()).toBeUndefined();
  expect(await host.openDocuments()).toEqual([]);
  expect(await host.readRetouch()).toBeUndefined();
  await expect(host.readProxy({ longEdge: 1024 })).rejects.toMatchObject({
    code: 'DOCUMENT_NONE',
    hint: 'Open a photo and try again.',
  });
});

test('artboards and Quick Mask are refused with their own ways out', async () => {
  const { ps, host } = setUp();
  ps.open().artboards = 2;
  expect((await host.describe())!.refusal).toContain('Duplicate Artboard');
  await expect(host.readProxy({ longEdge: 9 })).rejects.toMatchObject({ code: 'DOCUMENT_UNSUITED' });
  ps.open().quickMaskMode = true;
  expect((await host.describe())!.refusal).toContain('press Q');
  await expect(host.readProxy({ longEdge: 9 })).rejects.toMatchObject({ code: 'DOCUMENT_UNSUITED' });
});

describe.each(['error', 'nothing'] as const)('an empty document (Photoshop gives: %s)', (empty) => {
  test.each(['no layer', 'hidden', 'clear'])('%s', async (kind) => {
    const { ps, host } = setUp();
    ps.quirks.empty = empty;
    const document = ps.open({ content: kind === 'no layer' ? 'none' : 'background' });
    document.edit('Empty', ({ layers }) => {
      if (kind === 'hidden') layers[0].visible = false;
      if (kind === 'clear') layers[0].pixels = new Uint8Array(64 * 48 * 4);
    });
    await expect(host.readProxy({ longEdge: 1024 })).rejects.toMatchObject({ code: 'DOCUMENT_EMPTY' });
    expect(ps.imaging.alive.size).toBe(0);
  });
});

describe('layers that are there already', () => {
  test.each([
    ['a smart object that is selected', { kind: 'smartObject' }],
    ['a locked layer that is selected', { allLocked: true }],
  ])('%s is no hindrance, and is not touched', async (_name, more) => {
    const { ps, host } = setUp();
    const document = ps.open();
    document.edit('Place', (state) => {
      const layer = layerOf(paint('RGB', 8, 64, 48, 'layer'), false, { name: 'Placed', ...more });
      state.layers.unshift(layer);
      state.active = [layer.id];
    });
    const [placed] = document.state.layers;
    const original = document.print;
    const { output } = await host.apply(retouchFor(await host.readProxy({ longEdge: 1024 })));
    expect(output).toBe('lookup');
    expect(document.state.layers.map(({ name }) => name)).toEqual(['VeraRetouch', 'Placed', 'Background']);
    expect(document.state.layers[1]).toEqual(placed);
    document.undo();
    expect(document.print).toBe(original);
  });

  test('with a layer deep inside of groups selected, the retouch still lies over everything', async () => {
    const { ps, host } = setUp();
    const document = ps.open();
    document.edit('Group', (state) => {
      const inner = layerOf(paint('RGB', 8, 64, 48, 'layer'));
      const group = (children: typeof state.layers) =>
        layerOf(undefined, false, { name: 'Group', kind: 'group', blendMode: 'passThrough', children });
      state.layers.unshift(group([group([inner])]));
      state.active = [inner.id];
    });
    await host.apply(retouchFor(await host.readProxy({ longEdge: 1024 }), { output: 'pixels' }));
    expect(document.state.layers.map(({ name }) => name)).toEqual(['VeraRetouch', 'Group', 'Background']);
    expect(document.state.layers[0].children).toHaveLength(1);
  });

  test.each([
    ['as it should be', {}, 1],
    ['hidden', { visible: false }, 2],
    ['faded', { opacity: 50 }, 2],
    ['locked', { allLocked: true }, 2],
    ['isolated from what is below', { blendMode: 'normal' }, 2],
  ])('a group of ours on top that is %s', async (_name, more, groups) => {
    const { ps, host } = setUp();
    const document = ps.open();
    document.edit('Group', (state) => {
      const group = layerOf(undefined, false, { name: 'VeraRetouch', kind: 'group', blendMode: 'passThrough' });
      state.layers.unshift({ ...group, children: [], ...more });
    });
    const before = colours(document);
    const { output } = await host.apply(retouchFor(await host.readProxy({ longEdge: 1024 })));
    expect(output).toBe('lookup');
    expect(document.state.layers.filter(({ kind }) => kind === 'group')).toHaveLength(groups);
    expect(document.state.layers[0].children).toHaveLength(1);
    expect(colours(document)).not.toEqual(before);
  });
});
