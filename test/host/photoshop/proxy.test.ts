import { ADOBE_RGB, deltaE2000, PROPHOTO_RGB, type RgbSpace, srgbToLab, toSrgb } from '../../../src/color';
import { colours, retouchFor, setUp } from './support';

test.each([
  [64, 48, 1024, 64, 48],
  [640, 480, 100, 100, 75],
  [300, 900, 100, 33, 100],
  [2000, 3, 100, 100, 1],
])('of %i x %i with a long edge of %i has %i x %i pixels', async (width, height, longEdge, w, h) => {
  const { ps, host } = setUp();
  ps.open({ width, height });
  const { width: gotWidth, height: gotHeight, data } = await host.readProxy({ longEdge });
  expect([gotWidth, gotHeight, data.length]).toEqual([w, h, 3 * w * h]);
  expect(ps.imaging.alive.size).toBe(0);
});

test('has the very levels of a small sRGB document', async () => {
  const { ps, host } = setUp();
  const document = ps.open();
  const { data } = await host.readProxy({ longEdge: 1024 });
  expect([...data]).toEqual(colours(document).flatMap((pixel) => pixel.slice(0, 3).map((v) => Math.round(v * 255))));
});

test.each([
  ['Adobe RGB (1998)', ADOBE_RGB],
  ['ProPhoto RGB', PROPHOTO_RGB],
] as [string, RgbSpace][])('of %s is sRGB', async (profile, space) => {
  const { ps, host } = setUp();
  const document = ps.open({ profile, bits: 16 });
  const { data } = await host.readProxy({ longEdge: 1024 });
  const way = toSrgb(space);
  let inside = 0;
  colours(document).forEach(([r, g, b], i) => {
    const wanted = way(r, g, b);
    // Colours outside of sRGB are clipped in one way here and in another there.
    if (wanted.some((v) => v < 0.02 || v > 0.98)) return;
    inside++;
    const shown = [0, 1, 2].map((c) => data[3 * i + c] / 255) as [number, number, number];
    expect(deltaE2000(srgbToLab(...wanted), srgbToLab(...shown))).toBeLessThan(1);
  });
  expect(inside).toBeGreaterThan(100);
});

describe.each(['proportional', 'filled'] as const)(
  'transparent places (a trimmed picture is scaled: %s)',
  (trimmed) => {
    test.each([64, 640])('show neutral grey, and the rest is where it belongs (%i wide)', async (width) => {
      const { ps, host } = setUp();
      ps.quirks.trimmed = trimmed;
      ps.open({ width, height: 240, content: 'layer' });
      const proxy = await host.readProxy({ longEdge: 160 });
      const at = (x: number, y: number): number[] => {
        const i = 3 * (Math.floor(y * proxy.height) * proxy.width + Math.floor(x * proxy.width));
        return [...proxy.data.subarray(i, i + 3)];
      };
      for (const [x, y] of [
        [0.1, 0.5],
        [0.5, 0.1],
        [0.9, 0.5],
        [0.5, 0.9],
      ])
        expect(at(x, y)).toEqual([128, 128, 128]);
      // Red grows to the right, green downwards, both from 0 to 255 over the whole document.
      for (const [x, y] of [
        [0.3, 0.3],
        [0.5, 0.5],
        [0.7, 0.6],
      ]) {
        const [red, green] = at(x, y);
        expect(Math.abs(red - x * 255)).toBeLessThan(8);
        expect(Math.abs(green - y * 255)).toBeLessThan(8);
      }
    });
  },
);

test('a document without a profile gives its numbers as they are, and says so', async () => {
  const { ps, host } = setUp();
  ps.open({ profile: '' });
  const { notes, document } = await host.readProxy({ longEdge: 64 });
  expect(notes.join()).toContain('no colour profile');
  expect(document.description).toBe('RGB, 8 bits, no profile');
});

test('another open document can be read, the one in front stays', async () => {
  const { ps, host } = setUp();
  const other = ps.open({ name: 'Other.tif' });
  const front = ps.open({ name: 'Front.psd', width: 32 });
  const [listed] = await host.openDocuments();
  expect([listed.name, listed.id]).toEqual(['Other.tif', String(other.id)]);
  const { document, width } = await host.readProxy({ longEdge: 64, id: listed.id });
  expect([document.name, width, ps.active]).toEqual(['Other.tif', 64, front]);
  ps.close(other);
  await expect(host.readProxy({ longEdge: 64, id: listed.id })).rejects.toMatchObject({ code: 'DOCUMENT_CLOSED' });
});

test('a retouch that is selected is left out of the picture, and the document is as before', async () => {
  const { ps, host } = setUp();
  const document = ps.open();
  const first = await host.readProxy({ longEdge: 64 });
  const { layer } = await host.apply(retouchFor(first));
  const applied = document.print;
  const second = await host.readProxy({ longEdge: 64 });
  expect([...second.data]).toEqual([...first.data]);
  expect(second.notes.join()).toContain('Warm evening');
  expect([document.print, document.history.length]).toEqual([applied, 2]);
  // With another layer selected it is part of the picture.
  document.state.active = [document.state.layers[1].id];
  expect([...(await host.readProxy({ longEdge: 64 })).data]).not.toEqual([...first.data]);
  // What was made without it replaces it.
  await host.apply(retouchFor(second, { name: 'Again' }));
  const { children } = document.state.layers[0];
  expect(children!.map(({ name }) => name)).toEqual(['Again']);
  expect(String(children![0].id)).not.toBe(layer);
});
