import {
  maskInactiveFactors,
  PARAMETER_NAMES,
  parametersFromSliders,
  parametersFromValues,
  parseParameters,
} from '../../src/inference/params';
import { jsonOf, readBundle, TINY } from './support/bundles';
import { failureOf } from './support/errors';

test('the names are those of the bundles, in the same order', () => {
  expect(PARAMETER_NAMES).toHaveLength(38);
  expect([...PARAMETER_NAMES]).toEqual(jsonOf(readBundle(TINY), 'bundle.json').parameters);
});

describe('parseParameters', () => {
  test('puts values in their places as fractions; missing names are 0', () => {
    const { values } = parseParameters({
      Exposure2012: { value: 100 },
      Saturation: { value: -50 },
      LuminanceAdjustmentMagenta: { value: 12.5 },
    });
    const expected = new Float32Array(38);
    expected[0] = 1;
    expected[13] = -0.5;
    expected[37] = 0.125;
    expect(values).toEqual(expected);
  });

  test.each([
    [{}, [false, false, false]],
    [{ Blacks2012: { value: 0 }, Vibrance: { value: -0 } }, [false, false, false]],
    [{ ParametricHighlights: { value: 1 } }, [true, false, false]],
    [{ IncrementalTemperature: { value: -1 } }, [false, true, false]],
    [{ Saturation: { value: 1 } }, [false, true, false]],
    [{ HueAdjustmentRed: { value: 1 } }, [false, false, true]],
    [{ Exposure2012: { value: 3 }, LuminanceAdjustmentMagenta: { value: -3 } }, [true, false, true]],
  ])('knows which factors are active: %j', (json, active) => {
    expect(parseParameters(json).active).toEqual(active);
  });

  test.each([
    ['Exposure', 'Exposure2012'],
    ['exposure2012', 'Exposure2012'],
    ['Contrast', 'Contrast2012'],
    ['Exposre2012', 'Exposure2012'],
    ['Shadow2012', 'Shadows2012'],
    ['ParametricShadow', 'ParametricShadows'],
    ['Temperature', 'IncrementalTemperature'],
    ['HueAdjustmentPurpel', 'HueAdjustmentPurple'],
    ['SaturationAdjustmentGrean', 'SaturationAdjustmentGreen'],
    // As far off as a name may be: two letters missing, three too many, two wrong.
    ['Vbrace', 'Vibrance'],
    ['Viibrrancce', 'Vibrance'],
    ['Vxbrxnce', 'Vibrance'],
  ])('suggests the nearest name: %s', async (name, suggestion) => {
    const error = await failureOf(() => parseParameters({ [name]: { value: 1 } }));
    expect(error.code).toBe('INPUT_PARAMETERS');
    expect(error.message).toContain(name);
    expect(error.hint).toBe(`Did you mean ${suggestion}?`);
  });

  test.each(['Zoom', 'Vbrac', 'Vxbrxncx', 'Viibrrancceee'])(
    'names all parameters where none is near: %s',
    async (name) => {
      const error = await failureOf(() => parseParameters({ [name]: { value: 1 } }));
      for (const known of PARAMETER_NAMES) expect(error.hint).toContain(known);
    },
  );

  test.each([
    [null, 'not a JSON object'],
    [[1, 2], 'not a JSON object'],
    ['Exposure2012', 'not a JSON object'],
    [{ Exposure2012: 20 }, 'Exposure2012 is not an object'],
    [{ Exposure2012: {} }, 'Exposure2012 is not an object'],
    [{ Exposure2012: [20] }, 'Exposure2012 is not an object'],
    [{ Exposure2012: { value: NaN } }, 'Exposure2012 is NaN'],
    [{ Exposure2012: { value: null } }, 'Exposure2012 is null'],
    [{ Exposure2012: { value: '20' } }, 'Exposure2012 is "20"'],
    [{ Exposure2012: { value: undefined } }, 'Exposure2012 is undefined'],
    [{ Exposure2012: { value: 100.01 } }, 'Exposure2012 is 100.01, outside'],
    [{ Exposure2012: { value: -101 } }, 'Exposure2012 is -101, outside'],
    [{ Exposure2012: { value: Infinity } }, 'Exposure2012 is Infinity, outside'],
    [JSON.parse('{"__proto__": {"value": 1}}'), 'no parameter named "__proto__"'],
    [{ toString: { value: 1 } }, 'no parameter named "toString"'],
    [{ ['x'.repeat(5000)]: { value: 1 } }, 'no parameter named "xxx'],
  ])('refuses what is no parameter file: %#', async (json, message) => {
    const error = await failureOf(() => parseParameters(json));
    expect(error.code).toBe('INPUT_PARAMETERS');
    expect(error.message).toContain(message);
    expect(error.message.length).toBeLessThan(200);
    expect(error.hint).toBeTruthy();
  });
});

test('sliders, files and values say the same', () => {
  const values = new Float32Array(38);
  values[2] = 0.25;
  values[20] = -1;
  const fromFile = parseParameters({ Highlights2012: { value: 25 }, HueAdjustmentPurple: { value: -100 } });
  expect(parametersFromSliders({ Highlights2012: 25, HueAdjustmentPurple: -100 })).toEqual(fromFile);
  expect(parametersFromValues(values)).toEqual(fromFile);
});

test.each([[new Array(37).fill(0)], [new Array(38).fill(NaN)], [[...new Array(37).fill(0), 1.5]]])(
  'refuses values that the model does not take: %#',
  async (values) => {
    expect((await failureOf(() => parametersFromValues(values))).code).toBe('INPUT_PARAMETERS');
  },
);

test('masking zeroes the rows of inactive factors and nothing else', () => {
  const latents = Float32Array.of(1, 2, 3, 4, 5, 6);
  expect(maskInactiveFactors(latents, [true, false, true])).toBe(latents);
  expect([...latents]).toEqual([1, 2, 0, 0, 5, 6]);
});
