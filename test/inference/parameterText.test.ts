import { parametersAsPythonDict, roundToThousandths } from '../../src/inference/parameterText';
import { parametersFromSliders, parametersFromValues, PARAMETER_NAMES } from '../../src/inference/params';

/** Printed by Python: `{k: round(v / 100.0, 3)}` of the sliders below, in its three groups. */
const PRINTED =
  "{'Light Adjustment': {'Exposure2012': 0.3, 'Contrast2012': -0.4, 'Highlights2012': 0.0, 'Shadows2012': 0.0, " +
  "'Whites2012': 1.0, 'Blacks2012': -1.0, 'ParametricShadows': 0.125, 'ParametricDarks': 0.123, " +
  "'ParametricLights': 0.001, 'ParametricHighlights': -0.0}, 'Color and Temperature Adjustment': " +
  "{'IncrementalTemperature': 0.0, 'IncrementalTint': 0.07, 'Vibrance': 0.0, 'Saturation': 0.0}, " +
  "'Specific Color Adjustment': {'HueAdjustmentRed': 0.0, 'HueAdjustmentOrange': 0.0, 'HueAdjustmentYellow': 0.0, " +
  "'HueAdjustmentGreen': 0.0, 'HueAdjustmentAqua': 0.0, 'HueAdjustmentBlue': 0.0, 'HueAdjustmentPurple': 0.0, " +
  "'HueAdjustmentMagenta': 0.0, 'SaturationAdjustmentRed': 0.0, 'SaturationAdjustmentOrange': 0.0, " +
  "'SaturationAdjustmentYellow': 0.0, 'SaturationAdjustmentGreen': 0.0, 'SaturationAdjustmentAqua': 0.0, " +
  "'SaturationAdjustmentBlue': 0.0, 'SaturationAdjustmentPurple': 0.0, 'SaturationAdjustmentMagenta': 0.0, " +
  "'LuminanceAdjustmentRed': 0.0, 'LuminanceAdjustmentOrange': 0.0, 'LuminanceAdjustmentYellow': 0.0, " +
  "'LuminanceAdjustmentGreen': 0.0, 'LuminanceAdjustmentAqua': 0.0, 'LuminanceAdjustmentBlue': 0.0, " +
  "'LuminanceAdjustmentPurple': 0.0, 'LuminanceAdjustmentMagenta': 0.0}}";

const SLIDERS = {
  Exposure2012: 30,
  Contrast2012: -40,
  Whites2012: 100,
  Blacks2012: -100,
  ParametricShadows: 12.5,
  ParametricDarks: 12.35,
  ParametricLights: 0.12,
  ParametricHighlights: -0.04,
  IncrementalTint: 7,
  HueAdjustmentRed: -0,
};

describe('parameters as text', () => {
  test('are what Python prints', () => {
    expect(parametersAsPythonDict(parametersFromSliders(SLIDERS)).text).toBe(PRINTED);
  });

  test('come out the same from the values that the model sees, and in the order of the names', () => {
    const values = PARAMETER_NAMES.map((_, i) => (i - 19) / 100);
    const { text } = parametersAsPythonDict(parametersFromValues(values));
    const numbers = [...text.matchAll(/'(\w+)': (-?[\d.]+)/g)];
    expect(numbers.map((match) => match[1])).toEqual(PARAMETER_NAMES);
    expect(numbers.map((match) => Number(match[2]))).toEqual(values);
    expect(parametersAsPythonDict({ values: Float32Array.from(values), active: [true, true, true] }).text).toBe(text);
  });

  test('a factor of which nothing is left after rounding is not active', () => {
    const of = (sliders: Record<string, number>) => parametersAsPythonDict(parametersFromSliders(sliders)).active;
    expect(of({ Exposure2012: 0.04, Saturation: 0.06 })).toEqual([false, true, false]);
    expect(of({ LuminanceAdjustmentMagenta: -0.05 })).toEqual([false, false, true]);
    expect(of({})).toEqual([false, false, false]);
  });

  // Each printed by Python as round(value, 3).
  test.each([
    [0.0625, 0.062],
    [0.1875, 0.188],
    [0.3125, 0.312],
    [-0.0625, -0.062],
    [0.9375, 0.938],
    [0.1235, 0.123],
    [0.0005, 0.001],
    [0.0015, 0.002],
    [0.0025, 0.003],
    [0.0045, 0.004],
    [0.9995, 1],
    [0.9994999, 0.999],
    [-0.0004, -0],
    [0, 0],
    [-0, 0],
  ])('%d rounds to %d', (value, expected) => {
    expect(roundToThousandths(value)).toBe(expected);
  });
});
