import { type Node } from '../../fakes/photoshop';
import { retouchFor, setUp } from './support';

const retouches = (layers: Node[]): string[] => layers[0].children!.map(({ name }) => name);

describe.each([
  ['lookup', 'lookup'],
  ['pixels', 'pixels'],
  ['lookup', 'pixels'],
  ['pixels', 'lookup'],
] as const)('a retouch as %s that is replaced by one as %s', (one, other) => {
  test('is gone in one step, and what the person did to its layer stays', async () => {
    const { ps, host } = setUp();
    const document = ps.open({ bits: 16 });
    const proxy = await host.readProxy({ longEdge: 64 });
    const first = await host.apply(retouchFor(proxy, { output: one, name: 'First' }));
    // The person fades it and paints into its mask; that is not another picture below.
    const mask = Uint16Array.from({ length: 64 * 48 }, (_, i) => (i % 64) * 512);
    document.edit('Paint mask', () => {
      const node = document.node(Number(first.layer));
      node.opacity = 60;
      node.mask = mask;
    });
    const edited = document.print;
    const again = await host.readProxy({ longEdge: 64 });
    const second = await host.apply(retouchFor(again, { output: other, name: 'Second', replaces: first.layer }));
    expect(second.output).toBe(other);
    expect(retouches(document.state.layers)).toEqual(['Second']);
    const node = document.node(Number(second.layer));
    expect([node.opacity, node.mask]).toEqual([60, mask]);
    expect(document.history).toHaveLength(4);
    document.undo();
    expect(document.print).toBe(edited);
    expect(ps.imaging.alive.size).toBe(0);
  });
});

test('sliders moved after applying: the same reading may be applied again and again', async () => {
  const { ps, host } = setUp();
  const document = ps.open();
  const proxy = await host.readProxy({ longEdge: 64 });
  let { layer } = await host.apply(retouchFor(proxy, { name: 'Try 0' }));
  for (const name of ['Try 1', 'Try 2']) {
    ({ layer } = await host.apply(retouchFor(proxy, { name, replaces: layer })));
    expect(retouches(document.state.layers)).toEqual([name]);
  }
  expect(document.history).toHaveLength(4);
  // Undone by the person: the layer that was to be replaced is not there, and is not missed.
  document.undo();
  document.undo();
  document.undo();
  await host.apply(retouchFor(proxy, { name: 'Anew', replaces: layer }));
  expect(retouches(document.state.layers)).toEqual(['Anew']);
});

test('two tries for one reading: whichever is applied last replaces the other, back and forth', async () => {
  const { ps, host } = setUp();
  const document = ps.open();
  const original = document.print;
  const proxy = await host.readProxy({ longEdge: 64 });
  // A page remembers for each try the layer that it became.
  const first = await host.apply(retouchFor(proxy, { name: 'First' }));
  await host.apply(retouchFor(proxy, { name: 'Second' }));
  expect(retouches(document.state.layers)).toEqual(['Second']);
  // Read while the second one is selected: the same picture below it.
  const again = await host.readProxy({ longEdge: 64 });
  expect([...again.data]).toEqual([...proxy.data]);
  await host.apply(retouchFor(again, { name: 'Third' }));
  await host.apply(retouchFor(proxy, { name: 'First again', replaces: first.layer }));
  expect(retouches(document.state.layers)).toEqual(['First again']);
  for (let step = 0; step < 4; step++) document.undo();
  expect(document.print).toBe(original);
  await host.apply(retouchFor(again, { name: 'After undo' }));
  expect(retouches(document.state.layers)).toEqual(['After undo']);
});

test('a new reading of the whole picture makes a second retouch above the first', async () => {
  const { ps, host } = setUp();
  const document = ps.open();
  await host.apply(retouchFor(await host.readProxy({ longEdge: 64 }), { name: 'First' }));
  document.state.active = [document.state.layers[1].id];
  await host.apply(retouchFor(await host.readProxy({ longEdge: 64 }), { name: 'Second' }));
  expect(retouches(document.state.layers)).toEqual(['Second', 'First']);
});

test('next week, after a new start, a retouch is found with its settings and edited', async () => {
  const { ps, host } = setUp();
  const document = ps.open();
  const retouch = retouchFor(await host.readProxy({ longEdge: 64 }));
  await host.apply(retouch);
  const later = setUp();
  later.ps.documents.push(document);
  later.ps.active = document;
  const reopened = later.ps.open();
  reopened.edit('Open', (state) => Object.assign(state, document.state));
  const stored = await later.host.readRetouch();
  expect(stored!.provenance).toEqual(retouch.provenance);
  const proxy = await later.host.readProxy({ longEdge: 64 });
  await later.host.apply(retouchFor(proxy, { name: 'Edited', replaces: stored!.layer }));
  expect(retouches(reopened.state.layers)).toEqual(['Edited']);
});

test('a layer of somebody else is never taken away, whatever is asked', async () => {
  const { ps, host } = setUp();
  const document = ps.open();
  const photo = document.state.layers[0].id;
  const proxy = await host.readProxy({ longEdge: 64 });
  await host.apply(retouchFor(proxy, { replaces: String(photo) }));
  expect(document.state.layers.at(-1)!.id).toBe(photo);
});

test('a locked retouch is not replaced, and it is said', async () => {
  const { ps, host } = setUp();
  const document = ps.open();
  const { layer } = await host.apply(retouchFor(await host.readProxy({ longEdge: 64 })));
  document.edit('Lock', () => (document.node(Number(layer)).allLocked = true));
  const original = document.print;
  const retouch = retouchFor(await host.readProxy({ longEdge: 64 }), { replaces: layer });
  await expect(host.apply(retouch)).rejects.toMatchObject({ code: 'LAYER_LOCKED' });
  expect(document.print).toBe(original);
});

test('a group that a replaced retouch leaves empty further down goes with it', async () => {
  const { ps, host } = setUp();
  const document = ps.open();
  const { layer } = await host.apply(retouchFor(await host.readProxy({ longEdge: 64 })));
  document.edit('Reorder', ({ layers }) => layers.push(layers.shift()!));
  const retouch = retouchFor(await host.readProxy({ longEdge: 64 }), { replaces: layer });
  await host.apply(retouch);
  expect(document.state.layers.map(({ name }) => name)).toEqual(['VeraRetouch', 'Background']);
});

test.each(['nothing', 'error'] as const)(
  'a Photoshop that keeps no metadata (answer: %s) still gets the retouch',
  async (bare) => {
    const { ps, host } = setUp();
    Object.assign(ps.quirks, { metadata: false, bare });
    const document = ps.open();
    expect(await host.readRetouch()).toBeUndefined();
    const { output, notes } = await host.apply(retouchFor(await host.readProxy({ longEdge: 64 })));
    expect(output).toBe('lookup');
    expect(notes.join()).toContain('cannot be edited again later');
    expect(await host.readRetouch()).toBeUndefined();
    // Since the start it is still known, and replaced.
    await host.apply(retouchFor(await host.readProxy({ longEdge: 64 }), { name: 'Second' }));
    expect(retouches(document.state.layers)).toEqual(['Second']);
  },
);
