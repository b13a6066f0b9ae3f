import { alternative, parse, sequence, unsupportedOf, xmp } from './support';

describe('named in the words of the panels', () => {
  test.each([
    ['Texture', '+10', 'texture'],
    ['Clarity2012', '-15', 'clarity'],
    ['Dehaze', '+5', 'dehaze'],
    ['GrainAmount', '20', 'film grain'],
    ['PostCropVignetteAmount', '-12', 'vignette'],
    ['Sharpness', '40', 'sharpening'],
    ['LuminanceSmoothing', '10', 'luminance noise reduction'],
    ['ColorNoiseReduction', '25', 'colour noise reduction'],
    ['ColorGradeShadowSat', '8', 'colour grading: tint of the shadows'],
    ['ColorGradeMidtoneLum', '-3', 'colour grading: brightness of the midtones'],
    ['ColorGradeGlobalSat', '3', 'colour grading: tint of the whole picture'],
    ['SplitToningHighlightSaturation', '12', 'split toning: tint of the highlights'],
    ['RedHue', '+8', 'calibration: hue of the red primary'],
    ['BlueSaturation', '-8', 'calibration: saturation of the blue primary'],
    ['ShadowTint', '4', 'calibration: tint of the shadows'],
    ['LensProfileEnable', '1', 'lens profile corrections'],
    ['AutoLateralCA', '1', 'removal of chromatic aberration'],
    ['DefringePurpleAmount', '3', 'defringe: purple'],
    ['VignetteAmount', '20', 'lens vignetting'],
    ['PerspectiveUpright', '3', 'Upright (perspective)'],
    ['PerspectiveScale', '90', 'perspective: scale'],
    ['HasCrop', 'True', 'crop'],
    ['CropBottom', '0.9', 'crop'],
    ['HDREditMode', '1', 'HDR editing'],
    ['AutoTone', 'True', 'automatic tone, worked out for each photo'],
    ['WhiteBalance', 'Auto', 'automatic white balance'],
    ['WhiteBalance', 'Cloudy', 'the white balance "Cloudy", without numbers'],
    ['CameraProfile', 'Camera Velvia', 'the camera profile "Camera Velvia"'],
    ['ToneCurveName2012', 'Strong Contrast', 'point tone curve Strong Contrast'],
    ['LocalExposure2012', '0.5', 'local adjustments'],
    ['RGBTable', '0123ABCD', "the profile's colour table"],
    ['FutureSlider', '7', 'a setting that is not known here'],
    ['FutureName', 'abc', 'a setting that is not known here'],
    ['Clarity2012', 'much', 'clarity'],
  ])('%s="%s"', (setting, value, what) => {
    expect(parse(xmp({ [setting]: value })).unsupported).toEqual([{ setting, value, what }]);
  });

  test('settings in elements', () => {
    expect(unsupportedOf(xmp({}, '<crs:Dehaze>+5</crs:Dehaze>'))).toEqual({ Dehaze: 'dehaze' });
  });

  test('masks, spots, point colours', () => {
    const used = '1.5, 0.8, 0.1, -0.38, -0.17, 0, 0.5';
    const elements = `<crs:MaskGroupBasedCorrections><rdf:Seq><rdf:li><rdf:Description crs:What="Correction"/></rdf:li>
      <rdf:li rdf:parseType="Resource"><crs:What>Correction</crs:What></rdf:li></rdf:Seq></crs:MaskGroupBasedCorrections>
      ${sequence('PointColors', [used])}${sequence('RetouchInfo', ['centerX = 0.5'])}`;
    expect(parse(xmp({}, elements)).unsupported).toEqual([
      { setting: 'MaskGroupBasedCorrections', value: '2 entries', what: expect.stringContaining('masks') },
      { setting: 'PointColors', value: used, what: 'point colour' },
      { setting: 'RetouchInfo', value: 'centerX = 0.5', what: 'spot removal' },
    ]);
  });
});

describe('tone curves', () => {
  const bent = ['0, 20', '128, 128', '255, 235'];

  test.each([
    [['0, 0', '255, 255'], false],
    [['0, 0', '64, 64', '255, 255'], false],
    [['0,0', ' 255 ,255'], false],
    [[], false],
    [['0, 0', '255, 250'], true],
    [['10, 10', '245, 245'], true],
    [['0, 0'], true],
    [['0, 0', '255'], true],
    [['a, b', '255, 255'], true],
  ])('%j', (points, isNamed) => {
    const expected = isNamed ? { ToneCurvePV2012: 'point tone curve' } : {};
    expect(unsupportedOf(xmp({}, sequence('ToneCurvePV2012', points)))).toEqual(expected);
  });

  test('of the channels', () => {
    const named = unsupportedOf(xmp({}, sequence('ToneCurvePV2012', bent) + sequence('ToneCurvePV2012Blue', bent)));
    expect(named).toEqual({
      ToneCurvePV2012: 'point tone curve',
      ToneCurvePV2012Blue: 'point tone curve of the blue channel',
    });
  });

  test('one curve written four times is named once', () => {
    const names = ['ToneCurvePV2012', 'ToneCurvePV2012Red', 'ToneCurvePV2012Green', 'ToneCurvePV2012Blue'];
    const preset = parse(xmp({}, names.map((name) => sequence(name, bent)).join('')));
    expect(preset.unsupported).toEqual([
      { setting: 'ToneCurvePV2012', value: '0, 20; 128, 128; 255, 235', what: 'point tone curve' },
    ]);
  });

  test('borders of the parametric curve, only where it is used', () => {
    expect(unsupportedOf(xmp({ ParametricShadowSplit: '30' }))).toEqual({});
    expect(unsupportedOf(xmp({ ParametricShadowSplit: '25', ParametricDarks: '5' }))).toEqual({});
    expect(unsupportedOf(xmp({ ParametricShadowSplit: '30', ParametricDarks: '5' }))).toEqual({
      ParametricShadowSplit: expect.stringContaining('parametric curve'),
    });
  });
});

describe('profiles', () => {
  const look = (name: string, amount: string, parameters = '') =>
    `<crs:Look><rdf:Description crs:Name="${name}" crs:Amount="${amount}" crs:UUID="1">${alternative('Group', 'Profiles')}
      ${parameters && `<crs:Parameters><rdf:Description ${parameters}</crs:Parameters>`}</rdf:Description></crs:Look>`;

  test.each([
    ['that of every photo', look('Adobe Color', '1.000000', 'crs:LookTable="0123"/>'), undefined],
    ['of no strength', look('Dusk', '0'), undefined],
    ['empty', '<crs:Look/>', undefined],
    ['one chosen', look('Adobe Vivid', '1'), 'the profile "Adobe Vivid"'],
    [
      'with contents',
      look(
        'Dusk',
        '0.8',
        `crs:RGBTable="0123" crs:Contrast2012="+9" crs:Vibrance="0">${sequence('ToneCurvePV2012', ['0, 9', '255, 255'])}</rdf:Description>`,
      ),
      'the profile "Dusk" at 80 % with its own colour table, tone curve, sliders',
    ],
  ])('%s', (_, element, what) => {
    expect(unsupportedOf(xmp({ Vibrance: '2' }, element))).toEqual(what === undefined ? {} : { Look: what });
  });
});

describe('not named', () => {
  test('neutral values, bookkeeping and refinements', () => {
    const neutral = {
      Texture: '0',
      Clarity2012: '+0.0',
      GrainAmount: '0',
      GrainSize: '25',
      SharpenRadius: '+1.0',
      PostCropVignetteMidpoint: '50',
      ColorGradeShadowHue: '220',
      ColorGradeBlending: '50',
      SplitToningBalance: '-10',
      PerspectiveScale: '100',
      CropTop: '0',
      CropRight: '1',
      HasCrop: 'False',
      CropAngle: '2',
      LensProfileEnable: '0',
      LensProfileSetup: 'Auto',
      ConvertToGrayscale: 'False',
      Treatment: 'Color',
      CameraProfile: 'Adobe Standard',
      WhiteBalance: 'As Shot',
      ToneCurveName2012: 'Linear',
      AutoTone: 'false',
      RequiresRGBTables: 'False',
      CompatibleVersion: '251854848',
      CameraModelRestriction: '',
      AsShotTemperature: '6350',
      CameraProfileDigest: '54650A341B5B5CCAE8442D0B43A92BCE',
      HDREditMode: '0',
      SDRBlend: '60',
      CurveRefineSaturation: '100',
      FutureSlider: '0',
      FutureSwitch: 'False',
      FutureText: '   ',
    };
    const elements = [
      sequence('PointColors', ['-1.000000, -1.000000, -1.000000']),
      sequence('ColorVariance', ['-50.000000']),
      sequence('MaskGroupBasedCorrections', []),
      '<crs:LensBlur crs:Active="False" crs:BlurAmount="50"/>',
      alternative('Description', 'For evenings'),
      alternative('SortName', ''),
    ];
    expect(unsupportedOf(xmp(neutral, elements.join('')))).toEqual({});
  });

  test('a name chosen for the white balance, where the numbers are there', () => {
    expect(unsupportedOf(xmp({ WhiteBalance: 'Cloudy', Temperature: '6500' }))).toEqual({});
  });

  test('the older name of a setting that is there', () => {
    expect(
      unsupportedOf(
        xmp({ ColorGradeShadowSat: '8', SplitToningShadowSaturation: '8', Exposure: '1', Exposure2012: '1' }),
      ),
    ).toEqual({
      ColorGradeShadowSat: 'colour grading: tint of the shadows',
    });
  });
});

test('values are short; a list without end is cut, and a note says so', () => {
  const [first] = parse(xmp({ FutureText: 'x'.repeat(500) })).unsupported;
  expect(first.value).toHaveLength(80);
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`Future${i}`, '1']));
  const preset = parse(xmp({ ...many, Vibrance: '1' }));
  expect(preset.unsupported).toHaveLength(200);
  expect(preset.notes).toEqual([expect.stringContaining('Only the first 200')]);
});
