import { HUES } from '../../../src/inference/params';
import { isMonochrome } from '../../../src/inference';
import { lrtemplate, parse, refusal, unsupportedOf, xmp } from './support';

const look = (name: string, amount = '1', parameters = '') =>
  `<crs:Look><rdf:Description crs:Name="${name}" crs:Amount="${amount}">${parameters}</rdf:Description></crs:Look>`;
const converted = '<crs:Parameters><rdf:Description crs:ConvertToGrayscale="True"/></crs:Parameters>';

describe('a preset that makes black and white takes all color out', () => {
  test.each([
    ['by the switch', xmp({ ConvertToGrayscale: 'True' })],
    [
      'by the switch, in a color treatment',
      xmp({ ConvertToGrayscale: 'true', Treatment: 'Color' }, look('Adobe Color')),
    ],
    ['by the treatment', xmp({ Treatment: 'Black & White'.replace('&', '&amp;') })],
    ['by the treatment, as Adobe names it', xmp({ Treatment: 'Monochrome' })],
    ['by a profile', xmp({ Contrast2012: '5' }, look('Adobe Monochrome'))],
    ['by what a profile holds', xmp({ Contrast2012: '5' }, look('Silver', '0.8', converted))],
    ['by one of the creative profiles', xmp({ Contrast2012: '5' }, look('B&amp;W Red Filter'))],
    ['by a profile of the camera', xmp({ CameraProfile: 'Camera Monochrome' })],
    ['by a film of the camera', xmp({ CameraProfile: 'Camera ACROS+R Filter' })],
    ['in an old template', lrtemplate('ConvertToGrayscale = true, Treatment = "Color",')],
  ])('%s', (_, text) => {
    const { sliders, parameters, notes } = parse(text);
    expect(sliders['Saturation']).toBe(-100);
    expect(isMonochrome(parameters)).toBe(true);
    expect(notes).toContainEqual(expect.stringMatching(/^Black and white: .*-100/));
  });

  test.each([
    [
      'a switch that is off, with a mix',
      xmp({ ConvertToGrayscale: 'False', GrayMixerRed: '30', AutoGrayscaleMix: 'True' }),
    ],
    ['a color treatment', xmp({ Treatment: 'Color', SupportsMonochrome: 'True' }, look('Adobe Color'))],
    ['a profile of no strength', xmp({ Contrast2012: '5' }, look('Adobe Monochrome', '0'))],
    ['a profile of another name', xmp({ CameraProfile: 'Camera Acrostic BWX' })],
  ])('but not %s', (_, text) => {
    const { sliders, parameters, unsupported } = parse(text);
    expect(sliders).not.toHaveProperty('Saturation');
    expect(isMonochrome(parameters)).toBe(false);
    expect(unsupported.filter(({ setting }) => /Gray/.test(setting))).toEqual([]);
  });
});

test('the mix goes to the luminance of its hues, twice as far; the other sliders of color are left out', () => {
  const { sliders, notes } = parse(
    xmp({
      ConvertToGrayscale: 'True',
      GrayMixerRed: '+30',
      GrayMixerBlue: '-45',
      GrayMixerGreen: '0',
      Contrast2012: '+20',
      Vibrance: '+10',
      Saturation: '+5',
      HueAdjustmentRed: '9',
      LuminanceAdjustmentRed: '-50',
      LuminanceAdjustmentAqua: '40',
      Temperature: '6500',
    }),
  );
  expect(sliders).toEqual({
    Contrast2012: 20,
    IncrementalTemperature: expect.any(Number),
    Saturation: -100,
    LuminanceAdjustmentRed: 60,
    LuminanceAdjustmentGreen: 0,
    LuminanceAdjustmentBlue: -90,
  });
  expect(notes).toContainEqual(expect.stringContaining('comes near to the mix of Lightroom but is not the same'));
  expect(notes).toContainEqual(expect.stringContaining('do nothing in black and white'));
});

test('a mix beyond the reach of the sliders is set to their end, and a note says so', () => {
  const { sliders, notes } = parse(xmp({ ConvertToGrayscale: 'True', GrayMixerBlue: '-80' }));
  expect(sliders['LuminanceAdjustmentBlue']).toBe(-100);
  expect(notes).toContainEqual('GrayMixerBlue is -80; the luminance slider reaches as far as -50.');
});

test.each([
  [
    'worked out for each photo',
    'AutoGrayscaleMix',
    'True',
    { AutoGrayscaleMix: expect.stringContaining('each photo') },
  ],
  ['switched off', 'EnableGrayscaleMix', 'False', {}],
])('a mix that is %s is not taken', (_, setting, value, lacking) => {
  const mix = Object.fromEntries(HUES.map((hue) => [`GrayMixer${hue}`, '20']));
  const text = xmp({ ConvertToGrayscale: 'True', [setting]: value, ...mix });
  expect(parse(text).sliders).toEqual({ Saturation: -100 });
  expect(unsupportedOf(text)).toEqual(lacking);
});

test('what black and white cannot do here is still named; Adobe Monochrome itself adds nothing', () => {
  const toned = { ConvertToGrayscale: 'True', GrainAmount: '20', SplitToningShadowSaturation: '15' };
  expect(unsupportedOf(xmp(toned, look('Adobe Monochrome')))).toEqual({
    GrainAmount: 'film grain',
    SplitToningShadowSaturation: 'split toning: tint of the shadows',
  });
  expect(unsupportedOf(xmp({}, look('B&amp;W 07')))).toEqual({ Look: 'the profile "B&W 07"' });
});

test('a mix that is no number is refused with its name', () => {
  const text = xmp({ ConvertToGrayscale: 'True', GrayMixerRed: 'much' });
  expect(refusal(text)).toMatch(/^PRESET_VALUE .*GrayMixerRed is "much", not a number/);
});
