import { ColorError, Lut3D } from '../../../src/color';
import { deviceLinkProfile, IccError, parseProfile } from '../../../src/color/icc';
import { randomSource } from '../reference';
import { findLittleCms, transformBy } from './littleCms';

const { available } = findLittleCms();
const compared = available ? test : test.skip;
const why = available ? '' : ' (skipped: no LittleCMS library beside Pillow or in the system)';

const FORMS = ['mft2', 'mAB'] as const;

/** No two axes alike, steep in places, beyond [0,1] in others. */
function someLut(size: number): Lut3D {
  return Lut3D.bake(size, (r, g, b) => [Math.sqrt(r) * 1.1 - 0.05, 0.8 * g + 0.3 * r * b, b * b + 0.2 * (r - g)]);
}

test.each(FORMS)('%s: the same LUT gives the same bytes, of the length its table needs', (form) => {
  const bytes = deviceLinkProfile(someLut(33), { form, description: 'Warm evening' });
  expect(bytes).toEqual(deviceLinkProfile(someLut(33), { form, description: 'Warm evening' }));
  expect(bytes.length - 33 ** 3 * 6).toBeLessThan(1000);
  expect(bytes.length % 4).toBe(0);
  expect(new DataView(bytes.buffer).getUint32(0)).toBe(bytes.length);
  expect(Buffer.from(bytes.subarray(12, 24)).toString('latin1')).toBe('linkRGB RGB ');
  expect(bytes[8]).toBe(form === 'mft2' ? 2 : 4);
});

test('text that no profile can hold is cut and replaced', () => {
  const long = `${'ü'.repeat(119)}\u{1f305}${'x'.repeat(500)}`;
  for (const form of FORMS)
    expect(() => deviceLinkProfile(Lut3D.identity(2), { form, description: long })).not.toThrow();
  const text = Buffer.from(deviceLinkProfile(Lut3D.identity(2), { description: 'Wärme\n' })).toString('latin1');
  expect(text).toContain('W?rme?\u0000');
});

test('a description keeps 120 characters', () => {
  const stored = (form: (typeof FORMS)[number]): string => {
    const bytes = deviceLinkProfile(Lut3D.identity(2), { form, description: 'x'.repeat(121) });
    // Version 4 stores two bytes per character.
    return Buffer.from(bytes).toString('latin1').replaceAll('\0', '');
  };
  for (const form of FORMS) expect(/x{3,}/.exec(stored(form))?.[0]).toHaveLength(120);
});

test('is no profile of a document', () => {
  expect(() => parseProfile(deviceLinkProfile(Lut3D.identity(2)))).toThrow(IccError);
  expect(() => Lut3D.identity(1)).toThrow(ColorError);
});

compared.each(FORMS.flatMap((form) => [2, 17, 33].map((n): [typeof form, number] => [form, n])))(
  `%s, %i points: LittleCMS shows what our LUT shows, within 0.05 of a level${why}`,
  (form, size) => {
    const lut = someLut(size);
    const random = randomSource(5);
    const values = Float64Array.from({ length: 3 * 3000 }, random);
    // White, black and the corners, where a CMM that bends links would show.
    [0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0].forEach((v, i) => {
      values[i] = v;
    });
    const theirs = transformBy([deviceLinkProfile(lut, { form })], 'rgb', 'rgb', values);
    const clipped = new Lut3D(
      size,
      lut.data.map((v) => Math.min(1, Math.max(0, v))),
    );
    const ours = clipped.apply(Float32Array.from(values), 3);
    const largest = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i])), 0);
    expect(255 * largest).toBeLessThan(0.05);
  },
);
