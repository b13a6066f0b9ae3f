import * as fc from 'fast-check';
import { ColorError, formatCube, formatCubeBytes, gridPoints, Lut3D, parseCube } from '../../src/color';
import { changed } from '../support/changed';

const HEAD = 'LUT_3D_SIZE 2\n';
const BODY = '0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 0 1\n1 0 1\n0 1 1\n1 1 1\n';

/** The code of the ColorError that reading `text` must throw, with its message. */
function refusal(text: string): string {
  try {
    parseCube(text);
  } catch (error) {
    if (error instanceof ColorError) return `${error.code} ${error.message} ${error.hint ?? ''}`;
    throw error;
  }
  throw new Error('was accepted');
}

describe('writing', () => {
  test('the whole text of a small LUT', () => {
    const lut = Lut3D.bake(2, (r, g, b) => [r, g / 3, -b * 12.5]);
    expect(formatCube(lut, { title: 'Warm "evening" ü\n', comments: ['one', 'two\rlines'] })).toBe(
      [
        `TITLE "Warm 'evening' __"`,
        '# one',
        '# two_lines',
        'LUT_3D_SIZE 2',
        'DOMAIN_MIN 0.0 0.0 0.0',
        'DOMAIN_MAX 1.0 1.0 1.0',
        '0.000000 0.000000 0.000000',
        '1.000000 0.000000 0.000000',
        '0.000000 0.333333 0.000000',
        '1.000000 0.333333 0.000000',
        '0.000000 0.000000 -12.500000',
        '1.000000 0.000000 -12.500000',
        '0.000000 0.333333 -12.500000',
        '1.000000 0.333333 -12.500000',
        '',
      ].join('\n'),
    );
  });

  test('numbers round as toFixed(6) does, never "-0.000000"', () => {
    fc.assert(
      fc.property(fc.float({ min: -1000, max: 1000, noNaN: true }), (value) => {
        const lut = new Lut3D(2, new Float32Array(24).fill(value));
        const written = formatCube(lut).trimEnd().split('\n').at(-1)!.split(' ')[0];
        expect(Math.abs(Number(written) - value)).toBeLessThanOrEqual(0.51e-6);
        expect(written).toMatch(/^(-(?!0\.000000))?\d+\.\d{6}$/);
      }),
    );
  });

  test('bytes and text are the same, also beyond one piece', () => {
    const lut = Lut3D.identity(17);
    const text = formatCube(lut);
    expect(Buffer.from(formatCubeBytes(lut)).toString('latin1')).toBe(text);
    expect(text.split('\n')).toHaveLength(17 ** 3 + 5);
  });
});

describe('reading', () => {
  test('what was written comes back to within half of the last decimal', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 6 }).chain((n) =>
          fc.record({
            n: fc.constant(n),
            values: fc.float32Array({ minLength: n ** 3 * 3, maxLength: n ** 3 * 3, min: -2, max: 2, noNaN: true }),
          }),
        ),
        ({ n, values }) => {
          const { lut, title, resampled } = parseCube(formatCube(new Lut3D(n, values), { title: 'A look' }));
          expect([lut.size, title, resampled]).toEqual([n, 'A look', false]);
          values.forEach((value, i) => {
            expect(Math.abs(lut.data[i] - value)).toBeLessThanOrEqual(0.7e-6);
          });
        },
      ),
      { numRuns: 30 },
    );
  });

  test.each([
    ['CRLF', (HEAD + BODY).replaceAll('\n', '\r\n')],
    ['CR only', (HEAD + BODY).replaceAll('\n', '\r')],
    ['no line end at the end', (HEAD + BODY).trimEnd()],
    ['byte order mark', `\ufeff${HEAD}${BODY}`],
    ['comments, blank lines, tabs', `# hi\n\nTITLE "x"\n${HEAD}# c\n\n${BODY.replaceAll(' ', '\t')}\n# end\n`],
    ['exponents and signs', HEAD + BODY.replaceAll('1', '+1.0e0')],
    ['the default domain spelled out', `DOMAIN_MIN 0 0 0\nDOMAIN_MAX 1.0 1.0 1.0\n${HEAD}${BODY}`],
    ['an input range', `${HEAD}LUT_3D_INPUT_RANGE 0.0 1.0\n${BODY}`],
  ])('accepts %s', (_name, text) => {
    expect(parseCube(text).lut.data).toEqual(gridPoints(2));
  });

  test('another domain is resampled to 0..1', () => {
    const { lut, resampled } = parseCube(`DOMAIN_MIN 0 0 0\nDOMAIN_MAX 2 2 2\n${HEAD}${BODY}`);
    expect(resampled).toBe(true);
    expect(lut.sample(1, 0.5, 0)).toEqual([0.5, 0.25, 0]);
  });

  test('each axis of a domain has its own beginning and end', () => {
    const { lut } = parseCube(`DOMAIN_MIN 0 -1 -3\nDOMAIN_MAX 2 3 5\n${HEAD}${BODY}`);
    expect(lut.sample(0, 0, 0)).toEqual([0, 0.25, 0.375]);
    expect(lut.sample(1, 1, 1)).toEqual([0.5, 0.5, 0.5]);
  });

  test('what lies outside of a domain is clipped to it', () => {
    const { lut } = parseCube(`DOMAIN_MIN 0.25 0.25 0.25\nDOMAIN_MAX 0.75 0.75 0.75\n${HEAD}${BODY}`);
    expect(lut.sample(0, 0, 0)).toEqual([0, 0, 0]);
    expect(lut.sample(1, 1, 1)).toEqual([1, 1, 1]);
  });

  test('a size that the text cannot hold is refused on its own line, before room is made for it', () => {
    expect(refusal(`LUT_3D_SIZE 129\n${BODY}`)).toContain('Line 1: LUT_3D_SIZE 129 needs 2146689 colours');
    expect(refusal(`LUT_3D_SIZE 3\n${BODY}`)).toContain('Line 1: LUT_3D_SIZE 3 needs 27 colours');
    // As short as 27 colours can be.
    expect(parseCube(`LUT_3D_SIZE 3\n${'0 0 0\n'.repeat(27)}`.trimEnd()).lut.size).toBe(3);
  });

  test.each([
    ['empty text', '', /CUBE_INVALID.*no LUT_3D_SIZE/],
    ['a picture', '\x89PNG\r\n\x1a\n', /CUBE_INVALID/],
    ['a 1D LUT', 'LUT_1D_SIZE 4\n0 0 0\n', /CUBE_UNSUPPORTED.*1D/],
    ['a shaper', `LUT_1D_SIZE 4\n${HEAD}${BODY}`, /CUBE_UNSUPPORTED/],
    ['size 1e9', 'LUT_3D_SIZE 1000000000\n0 0 0\n', /CUBE_TOO_LARGE.*129/],
    ['size in exponent form', `LUT_3D_SIZE 1e1\n${BODY}`, /CUBE_INVALID.*integer/],
    ['size 1', 'LUT_3D_SIZE 1\n0 0 0\n', /CUBE_INVALID.*at least 2/],
    ['negative size', `LUT_3D_SIZE -2\n${BODY}`, /CUBE_INVALID/],
    ['a size the text cannot hold', `LUT_3D_SIZE 129\n${BODY}`, /CUBE_INVALID.*cut off/],
    ['one colour too few', HEAD + BODY.slice(0, -6), /CUBE_INVALID.*7 of 8/],
    ['a colour cut in half', HEAD + BODY.slice(0, -3), /CUBE_INVALID Cannot read this \.cube file\. Line 9/],
    ['one colour too many', `${HEAD}${BODY}0 0 0\n`, /CUBE_INVALID.*Line 10: more/],
    ['NaN', HEAD + BODY.replace('1 1 1', 'nan nan nan'), /CUBE_INVALID.*Line 9/],
    ['infinity', HEAD + BODY.replace('1 1 1', '1 inf 1'), /CUBE_INVALID.*Line 9/],
    ['absurd values', HEAD + BODY.replace('1 1 1', '1 1e300 1'), /CUBE_INVALID.*Line 9/],
    ['hexadecimal', HEAD + BODY.replace('1 1 1', '0x1 1 1'), /CUBE_INVALID.*Line 9/],
    ['decimal commas', HEAD + BODY.replace('1 1 1', '0,5 0,5 0,5'), /decimal commas.*17, 33 or 65/],
    ['four numbers', HEAD + BODY.replace('1 1 1', '1 1 1 1'), /CUBE_INVALID.*Line 9/],
    ['colours before the size', BODY + HEAD, /CUBE_INVALID.*Line 1/],
    ['a keyword among the colours', `${HEAD}0 0 0\nTITLE "x"\n${BODY}`, /after the colours/],
    ['two sizes', `${HEAD}${HEAD}${BODY}`, /second time/],
    ['an unknown keyword', `LUT_4D_SIZE 2\n${HEAD}${BODY}`, /unknown keyword "LUT_4D_SIZE"/],
    ['a domain upside down', `DOMAIN_MIN 1 1 1\nDOMAIN_MAX 0 0 0\n${HEAD}${BODY}`, /domain/],
    ['an empty domain', `DOMAIN_MIN 1 0 0\n${HEAD}${BODY}`, /domain/],
    ['an endless line', `${HEAD}${'1 '.repeat(10000)}`, /20000 characters/],
  ])('refuses %s', (_name, text, expected) => {
    expect(refusal(text)).toMatch(expected);
  });

  test('any text is read or refused with our own error', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom('LUT_3D_SIZE 2', 'TITLE "x"', '0 0 0', '1 1 1', '#', 'DOMAIN_MAX 2 2 2', 'LUT_3D_SIZE 9e9'),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 15 }), (lines) => {
        try {
          parseCube(lines.join('\n'));
        } catch (error) {
          expect(error).toBeInstanceOf(ColorError);
        }
      }),
    );
  });

  test('2,000 files damaged anyhow, and 2,000 by other numbers, are read or refused with our own error', () => {
    const whole = formatCubeBytes(Lut3D.bake(4, (r, g, b) => [r ** 2, g, 1 - b]));
    let read = 0;
    const check = (bytes: Uint8Array): void => {
      try {
        const { lut } = parseCube(Buffer.from(bytes).toString('latin1'));
        expect(lut.data).toHaveLength(3 * lut.size ** 3);
        expect(lut.data.every((value) => Number.isFinite(value))).toBe(true);
        read++;
      } catch (error) {
        expect(error).toBeInstanceOf(ColorError);
      }
    };
    const letters = fc.constantFrom(...Buffer.from('0123456789.-e \n'));
    for (const value of [undefined, letters]) {
      fc.assert(fc.property(changed(whole, value), check), { numRuns: 2000, seed: 5 });
    }
    expect(read).toBeGreaterThan(100);
  });

  test('error messages carry no control characters from the file', () => {
    expect(refusal(`\u001b[31mEVIL${'x'.repeat(500)}\n`)).toMatch(/^[\x20-\x7e]{0,300}$/);
  });
});
