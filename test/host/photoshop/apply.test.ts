import {
  ADOBE_RGB,
  bakeInSpace,
  DISPLAY_P3,
  Lut3D,
  PROPHOTO_RGB,
  type RgbSpace,
  retouchInSpace,
  SRGB,
} from '../../../src/color';
import { paint } from '../../fakes/photoshop';
import { convert } from '../../fakes/photoshop/profiles';
import { colours, levels, retouchFor, setUp, warm } from './support';

const PROFILES: [string, RgbSpace][] = [
  ['sRGB IEC61966-2.1', SRGB],
  ['Adobe RGB (1998)', ADOBE_RGB],
  ['Display P3', DISPLAY_P3],
  ['ProPhoto RGB', PROPHOTO_RGB],
  ['', SRGB],
];

/** Largest difference between what is shown and what the retouch says, in shares of the range. */
function worst(
  before: number[][],
  after: number[][],
  retouch: (...rgb: [number, number, number]) => readonly number[],
) {
  let most = 0;
  before.forEach(([r, g, b, alpha], i) => {
    if (alpha === 0) return;
    const wanted = retouch(r, g, b);
    for (let c = 0; c < 3; c++) most = Math.max(most, Math.abs(Math.min(1, Math.max(0, wanted[c])) - after[i][c]));
  });
  return most;
}

/** Mean of the same over every seventh pixel. */
function mean(before: number[][], after: number[][], retouch: (...rgb: [number, number, number]) => readonly number[]) {
  let [sum, count] = [0, 0];
  for (let i = 0; i < before.length; i += 7, count += 3) {
    const wanted = retouch(before[i][0], before[i][1], before[i][2]);
    for (let c = 0; c < 3; c++) sum += Math.abs(wanted[c] - after[i][c]);
  }
  return sum / count;
}

describe.each(PROFILES)('in a document of the profile "%s"', (profile, space) => {
  describe.each([8, 16] as const)('with %i bits', (bits) => {
    test.each(['lookup', 'pixels'] as const)(
      'a retouch as %s shows what it should, and undo takes it back',
      async (output) => {
        const { ps, host } = setUp();
        const document = ps.open({ profile, bits });
        const original = document.print;
        const before = colours(document);
        const proxy = await host.readProxy({ longEdge: 1024 });
        expect(document.print).toBe(original);
        const applied = await host.apply(retouchFor(proxy, { output }));
        expect(applied.output).toBe(output);
        const lut = warm();
        const after = colours(document);
        // The table as it was baked, read by another program; and, near it, the retouch itself.
        const table = bakeInSpace(space, lut, lut.size);
        expect(worst(before, after, (r, g, b) => table.sample(r, g, b))).toBeLessThan(bits === 8 ? 0.0041 : 0.0001);
        const exact = retouchInSpace(space, lut);
        expect(mean(before, after, exact)).toBeLessThan(0.006);
        expect(mean(before, before, exact)).toBeGreaterThan(0.02);
        expect(document.history).toHaveLength(2);
        expect(document.history[1].name).toBe('VeraRetouch');
        document.undo();
        expect(document.print).toBe(original);
        expect(ps.imaging.alive.size).toBe(0);
      },
    );
  });
});

test('the layer lies in a group on top, named, and carries the retouch for later', async () => {
  const { ps, host } = setUp();
  const document = ps.open();
  const retouch = retouchFor(await host.readProxy({ longEdge: 1024 }));
  const { layer, notes } = await host.apply(retouch);
  expect(notes).toEqual([]);
  const [group, ...others] = document.state.layers;
  expect([group.name, group.kind, group.blendMode, others.length]).toEqual(['VeraRetouch', 'group', 'passThrough', 1]);
  const [made] = group.children!;
  expect([made.name, made.kind, String(made.id)]).toEqual(['Warm evening', 'colorLookup', layer]);
  expect(await host.readRetouch()).toEqual({ layer, document: String(document.id), provenance: retouch.provenance });
  // The words are there for people too, in a form that XML parsers read.
  expect(made.xmp).toContain('The light is &quot;cold&quot; &amp; flat.');
  document.state.active = [others[0].id];
  expect(await host.readRetouch()).toBeUndefined();
});

test('16-bit pixels keep their full range: an identity leaves every level as it is', async () => {
  const { ps, host } = setUp();
  const document = ps.open({ bits: 16 });
  const before = levels(document, 32768);
  const { size, data } = Lut3D.identity(5);
  const proxy = await host.readProxy({ longEdge: 64 });
  const { layer } = await host.apply(retouchFor(proxy, { output: 'pixels', lut: { size, data } }));
  expect(levels(document, 32768)).toEqual(before);
  const { pixels } = document.node(Number(layer));
  expect(Math.max(...pixels!)).toBe(32768);
  // All tiles are there, not only the last one.
  expect(pixels!.filter((_, i) => i % 4 === 3).every((alpha) => alpha === 32768)).toBe(true);
});

describe('where a Color Lookup layer does not work', () => {
  test.each([
    ['ignored', 'does not show the retouch'],
    ['swapped', 'does not show the retouch'],
    ['refused', 'not currently available'],
  ] as const)('(%s) it is taken away and pixels are made, in one state of history', async (lookup, why) => {
    const { ps, host } = setUp();
    ps.quirks.lookup = lookup;
    const document = ps.open({ bits: 16 });
    const original = document.print;
    const before = colours(document);
    const { output, notes } = await host.apply(retouchFor(await host.readProxy({ longEdge: 1024 })));
    expect(output).toBe('pixels');
    expect(notes.join()).toContain(why);
    const lut = warm();
    expect(worst(before, colours(document), (r, g, b) => lut.sample(r, g, b))).toBeLessThan(0.001);
    expect(document.state.layers[0].children!.map(({ kind }) => kind)).toEqual(['pixel']);
    expect(document.history).toHaveLength(2);
    document.undo();
    expect(document.print).toBe(original);
    expect(ps.imaging.alive.size).toBe(0);
  });

  test('a retouch that changes nothing is not taken for one that does not work', async () => {
    const { ps, host } = setUp();
    ps.open();
    const { size, data } = Lut3D.identity(9);
    const { output } = await host.apply(retouchFor(await host.readProxy({ longEdge: 1024 }), { lut: { size, data } }));
    expect(output).toBe('lookup');
  });
});

describe('a live selection', () => {
  test.each(['lookup', 'pixels'] as const)('becomes the mask (%s)', async (output) => {
    const { ps, host } = setUp();
    const document = ps.open({ bits: 16 });
    const select = Uint8Array.from({ length: 64 * 48 }, (_, i) => (i % 64 < 30 ? 255 : i % 64 < 34 ? 128 : 0));
    document.edit('Marquee', (state) => (state.selection = select));
    const original = document.print;
    const before = levels(document, 32768);
    const { layer } = await host.apply(retouchFor(await host.readProxy({ longEdge: 1024 }), { output }));
    const after = levels(document, 32768);
    const differs = (x: number): boolean =>
      [0, 1, 2].some((c) => after[(64 * 20 + x) * 4 + c] !== before[(64 * 20 + x) * 4 + c]);
    expect([differs(10), differs(50)]).toEqual([true, false]);
    expect(document.node(Number(layer)).mask![32]).toBe(Math.round((128 / 255) * 32768));
    expect(document.state.selection).toBeUndefined();
    document.undo();
    expect(document.print).toBe(original);
  });
});

describe('transparent documents', () => {
  test.each(['error', 'nothing'] as const)('stay transparent where they were (empty: %s)', async (empty) => {
    const { ps, host } = setUp(8);
    ps.quirks.empty = empty;
    const document = ps.open({ content: 'layer', width: 96, height: 64 });
    const before = colours(document);
    await host.apply(retouchFor(await host.readProxy({ longEdge: 1024 }), { output: 'pixels' }));
    const after = colours(document);
    const lut = warm();
    expect(after.map(([, , , alpha]) => alpha)).toEqual(before.map(([, , , alpha]) => alpha));
    expect(worst(before, after, (r, g, b) => lut.sample(r, g, b))).toBeLessThan(0.004);
    expect(ps.imaging.alive.size).toBe(0);
  });

  test('a hole of one tile among pixels is passed over', async () => {
    const { ps, host } = setUp(16);
    const document = ps.open({ width: 640, height: 48, content: 'layer' });
    const pixels = paint('RGB', 8, 640, 48, 'background');
    for (let y = 16; y < 32; y++) for (let x = 160; x < 176; x++) pixels[(y * 640 + x) * 4 + 3] = 0;
    document.edit('Hole', (state) => (state.layers[0].pixels = pixels));
    const { output } = await host.apply(retouchFor(await host.readProxy({ longEdge: 1024 }), { output: 'pixels' }));
    expect(output).toBe('pixels');
    expect(colours(document)[24 * 640 + 168][3]).toBe(0);
    expect(colours(document)[24 * 640 + 180][3]).toBe(1);
  });
});

test('in an unknown profile Photoshop converts there and back, and it is said', async () => {
  for (const bits of [8, 16] as const) {
    const { ps, host } = setUp();
    const document = ps.open({ bits, profile: 'Camera 5D RGB' });
    const original = document.print;
    const proxy = await host.readProxy({ longEdge: 1024 });
    expect(proxy.notes.join()).toContain('Camera 5D RGB');
    const before = colours(document);
    const { output, notes } = await host.apply(retouchFor(proxy));
    expect(output).toBe('pixels');
    expect(notes.join()).toContain('Camera 5D RGB');
    const lut = warm();
    const through = bits === 8 ? 'sRGB IEC61966-2.1' : 'ProPhoto RGB';
    const table = bits === 8 ? lut : bakeInSpace(PROPHOTO_RGB, lut, lut.size);
    const wanted = (...own: [number, number, number]): number[] => {
      const [r, g, b] = convert('Camera 5D RGB', through, own);
      return convert(through, 'Camera 5D RGB', table.sample(r, g, b));
    };
    expect(mean(before, colours(document), wanted)).toBeLessThan(bits === 8 ? 0.004 : 0.0002);
    expect(mean(before, before, wanted)).toBeGreaterThan(0.02);
    document.undo();
    expect(document.print).toBe(original);
  }
});
