import { type FakeDocument, type FakePhotoshop } from '../../fakes/photoshop';
import { levels, retouchFor, setUp } from './support';

// Each call of each run is interrupted once: many runs, on a machine that may be busy.
jest.setTimeout(180000);

/** What a person or another program may do between reading and writing. */
const CHANGES: [
  what: string,
  change: (ps: FakePhotoshop, document: FakeDocument) => void,
  code: string,
  says: string,
][] = [
  [
    'closed',
    (ps, document) => {
      ps.close(document);
    },
    'DOCUMENT_CLOSED',
    'has been closed',
  ],
  ['no longer in front', (ps) => ps.open({ name: 'Other' }), 'DOCUMENT_SWITCHED', 'Another document is in front'],
  [
    'resized',
    (_, document) => {
      document.edit('Image Size', (state) => (state.width = 60));
    },
    'DOCUMENT_CHANGED',
    'size',
  ],
  [
    'of another mode',
    (_, document) => {
      document.edit('Mode', (state) => (state.mode = 'LAB'));
    },
    'DOCUMENT_CHANGED',
    'mode',
  ],
  [
    'of another depth',
    (_, document) => {
      document.edit('Mode', (state) => (state.bits = 16));
    },
    'DOCUMENT_CHANGED',
    'bits',
  ],
  [
    'of another profile',
    (_, document) => {
      document.edit('Profile', (s) => (s.profile = 'Display P3'));
    },
    'DOCUMENT_CHANGED',
    'profile',
  ],
  [
    'edited',
    (_, document) => {
      document.edit('Brush', paintOver);
    },
    'DOCUMENT_CHANGED',
    'contents',
  ],
];

function paintOver({ layers }: { layers: { pixels?: unknown }[] }): void {
  layers[0].pixels = new Uint8Array(64 * 48 * 4).fill(200);
}

describe.each(CHANGES)('a document that is %s after it was read', (_what, change, code, says) => {
  test('is not changed, and is told why', async () => {
    const { ps, host } = setUp();
    const document = ps.open();
    const retouch = retouchFor(await host.readProxy({ longEdge: 64 }));
    change(ps, document);
    const [print, steps] = [document.print, document.history.length];
    const error = (await host.apply(retouch).catch((thrown: unknown) => thrown)) as {
      code: string;
      message: string;
      hint: string;
    };
    expect(error.code).toBe(code);
    expect(error.message).toContain(says);
    expect(error.hint).not.toBe('');
    expect([document.print, document.history.length]).toEqual([print, steps]);
    expect(ps.imaging.alive.size).toBe(0);
  });
});

test('a document that is closed, switched or edited while Photoshop waits for another plugin is noticed', async () => {
  const { ps, host } = setUp();
  const document = ps.open();
  const retouch = retouchFor(await host.readProxy({ longEdge: 64 }));
  ps.modal.foreign = 'com.other.plugin';
  const applied = host.apply(retouch).catch((thrown: unknown) => thrown);
  document.edit('Brush', paintOver);
  ps.modal.foreign = undefined;
  expect(await applied).toMatchObject({ code: 'DOCUMENT_CHANGED' });
  expect(document.history).toHaveLength(2);
});

test('a selection made after reading, or a new name, changes no picture: the retouch is applied, masked', async () => {
  const { ps, host } = setUp();
  const document = ps.open();
  const retouch = retouchFor(await host.readProxy({ longEdge: 64 }));
  const first = await host.apply(retouch);
  document.edit('Name', ({ layers }) => (layers[1].name = 'My photo'));
  document.edit('Lasso', (state) => (state.selection = new Uint8Array(64 * 48).fill(255, 900, 2000)));
  const before = document.print;
  const second = await host.apply({ ...retouch, name: 'Masked' });
  expect(document.state.layers[0].children!.map(({ name }) => name)).toEqual(['Masked']);
  expect(document.node(Number(second.layer)).mask![1000]).toBe(255);
  expect(second.layer).not.toBe(first.layer);
  document.undo();
  expect(document.print).toBe(before);
  // A stroke that shows, and one below the retouch, do.
  document.edit('Brush', ({ layers }) => {
    const pixels = layers[1].pixels!.slice();
    pixels[4 * 70] ^= 64;
    layers[1].pixels = pixels;
  });
  await expect(host.apply(retouch)).rejects.toMatchObject({ code: 'DOCUMENT_CHANGED' });
  expect(ps.imaging.alive.size).toBe(0);
});

test('what was undone again is what was read', async () => {
  const { ps, host } = setUp();
  const document = ps.open();
  const retouch = retouchFor(await host.readProxy({ longEdge: 64 }));
  document.edit('Brush', paintOver);
  document.undo();
  expect((await host.apply(retouch)).output).toBe('lookup');
});

test('a state that no host has written is refused', async () => {
  const { ps, host } = setUp();
  const document = ps.open();
  for (const state of ['', '{}', 'null', '[]', '{"document":1}']) {
    await expect(host.apply(retouchFor({ state }))).rejects.toMatchObject({ code: 'DOCUMENT_CHANGED' });
  }
  expect(document.history).toHaveLength(1);
});

describe('another plugin is modal', () => {
  test('for a moment: it is waited for', async () => {
    const { ps, host } = setUp();
    ps.open();
    ps.modal.foreign = 'com.other.plugin';
    setTimeout(() => (ps.modal.foreign = undefined), 20);
    expect((await host.readProxy({ longEdge: 64 })).width).toBe(64);
  });

  test('for long: it is said who, nothing is changed, and the next try works', async () => {
    const { ps, host } = setUp();
    const document = ps.open();
    const retouch = retouchFor(await host.readProxy({ longEdge: 64 }));
    const original = document.print;
    ps.modal.foreign = 'com.other.plugin';
    for (const asked of [() => host.readProxy({ longEdge: 64 }), () => host.apply(retouch)]) {
      const error = (await asked().catch((thrown: unknown) => thrown)) as { code: string; message: string };
      expect(error.code).toBe('HOST_BUSY');
      expect(error.message).toContain('com.other.plugin');
    }
    expect(document.print).toBe(original);
    ps.modal.foreign = undefined;
    expect((await host.apply(retouch)).output).toBe('lookup');
  });
});

test('two runs at once come one after the other: the second takes the place of the first', async () => {
  const { ps, host } = setUp();
  const document = ps.open();
  const original = document.print;
  const proxy = await host.readProxy({ longEdge: 64 });
  const names = ['One', 'Two'];
  const both = await Promise.all(names.map((name) => host.apply(retouchFor(proxy, { name }))));
  expect(both.map(({ output }) => output)).toEqual(['lookup', 'lookup']);
  expect(document.state.layers[0].children!.map(({ name }) => name)).toEqual(['Two']);
  expect(document.history).toHaveLength(3);
  document.undo();
  document.undo();
  expect(document.print).toBe(original);
  const many = await Promise.all([1, 2, 3].map(() => host.readProxy({ longEdge: 64 })));
  expect(many.map(({ width }) => width)).toEqual([64, 64, 64]);
});

/** Every call that a run makes of Photoshop, in order; `act` is called at one of them. */
async function interruptedAt(
  output: 'lookup' | 'pixels',
  place: number,
  act: (ps: FakePhotoshop, controller: AbortController) => void,
) {
  const { ps, host, uxp } = setUp();
  const document = ps.open({ bits: 16, content: 'layer', width: 32, height: 24 });
  document.edit('Marquee', (state) => (state.selection = new Uint8Array(32 * 24).fill(255, 200, 600)));
  const retouch = retouchFor(await host.readProxy({ longEdge: 64 }), { output });
  const original = { print: document.print, steps: document.history.length, shown: levels(document, 32768) };
  const controller = new AbortController();
  let calls = 0;
  ps.modal.before = () => {
    if (calls++ === place) act(ps, controller);
  };
  uxp.chosen.push(null);
  const result = await host.apply(retouch, { signal: controller.signal }).then(
    (applied) => ({ applied, error: undefined }),
    (error: unknown) => ({ applied: undefined, error: error as { code: string; message: string } }),
  );
  ps.modal.before = undefined;
  return { ...result, calls, ps, host, document, original, retouch };
}

const ACTS: [string, (ps: FakePhotoshop, controller: AbortController) => void, RegExp][] = [
  [
    'Esc',
    (ps) => {
      ps.modal.cancel();
    },
    /^ABORT_ERR$/,
  ],
  [
    'Cancel on the page',
    (_, controller) => {
      controller.abort();
    },
    /^ABORT_ERR$/,
  ],
  [
    'an error of Photoshop',
    () => {
      throw new Error('A disk error.');
    },
    /^HOST_FAILED$/,
  ],
];

describe.each(['lookup', 'pixels'] as const)('a run that makes %s, interrupted at each of its calls', (output) => {
  test.each(ACTS)('by %s, leaves all of it or nothing', async (_name, act, code) => {
    const { calls: total } = await interruptedAt(output, Infinity, () => undefined);
    expect(total).toBeGreaterThan(10);
    let stopped = 0;
    for (let place = 0; place < total; place++) {
      const { applied, error, ps, host, document, original, retouch } = await interruptedAt(output, place, act);
      expect(ps.imaging.alive.size).toBe(0);
      expect(ps.modal.active).toBe(false);
      if (error) {
        stopped++;
        expect(error.code).toMatch(code);
        expect(document.print).toBe(original.print);
        expect(document.history).toHaveLength(original.steps);
        // And the next run works.
        expect((await host.apply(retouch)).output).toBe(output);
      } else {
        expect(applied.output).toMatch(/lookup|pixels/);
      }
      expect(document.history).toHaveLength(original.steps + 1);
      document.undo();
      expect(document.print).toBe(original.print);
      expect(levels(document, 32768)).toEqual(original.shown);
    }
    expect(stopped).toBeGreaterThan(0);
  });
});

test('cancelled before it begins, nothing is asked of Photoshop', async () => {
  const { ps, host } = setUp();
  ps.open();
  const { state } = await host.readProxy({ longEdge: 64 });
  let calls = 0;
  ps.modal.before = () => calls++;
  const signal = AbortSignal.abort();
  await expect(host.readProxy({ longEdge: 64, signal })).rejects.toMatchObject({ code: 'ABORT_ERR' });
  await expect(host.apply(retouchFor({ state }), { signal })).rejects.toMatchObject({ code: 'ABORT_ERR' });
  expect(calls).toBe(0);
});

test('a reading that is interrupted anywhere leaves the document as it was', async () => {
  const prepare = async () => {
    const all = setUp();
    const document = all.ps.open();
    await all.host.apply(retouchFor(await all.host.readProxy({ longEdge: 64 })));
    return { ...all, document, print: document.print };
  };
  const counted = await prepare();
  let total = 0;
  counted.ps.modal.before = () => total++;
  await counted.host.readProxy({ longEdge: 64 });
  expect(total).toBeGreaterThan(4);
  for (let place = 0; place < total; place++) {
    for (const [, act] of ACTS) {
      const { ps, host, document, print } = await prepare();
      let calls = 0;
      const controller = new AbortController();
      ps.modal.before = () => {
        if (calls++ === place) act(ps, controller);
      };
      await host.readProxy({ longEdge: 64, signal: controller.signal }).catch(() => undefined);
      expect([document.print, document.history.length]).toEqual([print, 2]);
      expect(ps.imaging.alive.size).toBe(0);
    }
  }
});

test('progress of a pixel layer goes up to 1, on the page and in Photoshop', async () => {
  const { ps, host } = setUp();
  ps.open();
  const seen: number[] = [];
  const retouch = retouchFor(await host.readProxy({ longEdge: 64 }), { output: 'pixels' });
  await host.apply(retouch, { onProgress: (share) => seen.push(share) });
  expect(seen).toHaveLength(12);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.at(-1)).toBe(1);
  expect(ps.modal.progress).toEqual(seen);
});
