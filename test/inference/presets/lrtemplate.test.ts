import { lrtemplate, parse, refusal, unsupportedOf } from './support';

test('the form that Lightroom wrote', () => {
  const preset = parse(
    lrtemplate(`
			AutoTone = false,
			Blacks2012 = -12,
			CameraProfile = "Adobe Standard",
			ConvertToGrayscale = false,
			Exposure2012 = 0.35,
			ProcessVersion = "6.7",
			Tint = 6,
			ToneCurvePV2012 = {
				0,
				0,
				255,
				255,
			},
			Vibrance = 14,`),
    'old.lrtemplate',
  );
  expect(preset.name).toBe('Harbour');
  expect(preset).not.toHaveProperty('group');
  expect(preset.sliders).toEqual({ Exposure2012: 7, Blacks2012: -12, IncrementalTint: 4, Vibrance: 14 });
  expect(preset.unsupported).toEqual([]);
});

test.each([
  ['title = "$$$/Presets/Warm=Warm light",', 'Warm light'],
  ['title = LOC "$$$/Presets/Warm=Warm light",', 'Warm light'],
  ['title = ZSTR "$$$/Presets/Empty=",', 'Harbour inside'],
  ['', 'Harbour inside'],
  ["title = 'It\\'s \\\"so\\\"\\n\\tlate',", 'It\'s "so" late'],
  ['title = [[Long [brackets] here]],', 'Long [brackets] here'],
  ['title = [==[\nLong ]] ]=] brackets]==],', 'Long ]] ]=] brackets'],
  ['title = "Caf\\195\\169 \\xc3\\xa9t\\\n\\xC3\\xA9 \\065",', 'Café ét é A'],
  ['title = "Käse \u{1F9C0}",', 'Käse \u{1F9C0}'],
])('names: %s', (head, name) => {
  expect(parse(lrtemplate('Vibrance = 1', head)).name).toBe(name);
});

test('comments, semicolons, keys in brackets, no spaces', () => {
  const preset = parse(`-- first
    --[[ a comment
      Vibrance = 99, ]] --[==[ ]] another ]==] s={type='Develop';value={settings={["Vibrance"]=5;['Saturation']=-6,-- here
      [ "Contrast2012" ] = 7,--[[x]]Whites2012=-.5e1,Shadows2012=0x10,Blacks2012=- 3,Highlights2012=nil,
      ["odd name"] = {[1]=1,[2]=2,[9]=3},}}} -- end`);
  expect(preset.sliders).toEqual({
    Contrast2012: 7,
    Shadows2012: 16,
    Whites2012: -5,
    Blacks2012: -3,
    Vibrance: 5,
    Saturation: -6,
  });
  expect(preset.unsupported).toEqual([
    { setting: 'odd name', value: '3 values', what: 'a setting that is not known here' },
  ]);
});

test('nested tables are named, not read', () => {
  const text = lrtemplate(`
    GradientBasedCorrections = { { What = "Correction", CorrectionAmount = 1, Vibrance = 50,
      CorrectionMasks = { { What = "Mask/Gradient", ZeroX = 0.5, }, }, }, },
    PaintBasedCorrections = {},
    RetouchInfo = {},
    ToneCurvePV2012Red = { 0, 10, 255, 255 },
    ToneCurvePV2012Blue = { 0, 0, 128, 128, 255, 255 },
    Vibrance = 2,`);
  expect(parse(text).sliders).toEqual({ Vibrance: 2 });
  expect(parse(text).unsupported).toEqual([
    { setting: 'GradientBasedCorrections', value: '1 entry', what: 'local adjustments (graduated filters)' },
    { setting: 'ToneCurvePV2012Red', value: '0; 10; 255; 255', what: 'point tone curve of the red channel' },
  ]);
});

test('panels that are switched off do nothing', () => {
  const settings = `ParametricDarks = -20, HueAdjustmentRed = 8, Vibrance = 3, SplitToningShadowSaturation = 20,
    GrainAmount = 10, ToneCurvePV2012 = { 0, 9, 255, 255 },`;
  expect(Object.keys(unsupportedOf(lrtemplate(settings)))).toEqual([
    'SplitToningShadowSaturation',
    'GrainAmount',
    'ToneCurvePV2012',
  ]);
  const off = parse(
    lrtemplate(`${settings} EnableToneCurve = false, EnableColorAdjustments = false, EnableSplitToning = false,
      EnableEffects = false, EnableDetail = true,`),
  );
  expect(off.sliders).toEqual({ Vibrance: 3 });
  expect(off.unsupported).toEqual([]);
  expect(off.notes).toEqual([
    expect.stringContaining('tone curve panel off (EnableToneCurve)'),
    expect.stringContaining('colour mixer (HSL) panel off (EnableColorAdjustments)'),
  ]);
});

test('settings of before 2012 are named where the new ones are missing', () => {
  const old = `Exposure = 0.5, Brightness = 60, Contrast = 30, Shadows = 8, FillLight = 10, HighlightRecovery = 20,
    Clarity = 15, ToneCurve = { 0, 0, 64, 56, 255, 255 }, ToneCurveName = "Medium Contrast", ProcessVersion = "5.7",
    Vibrance = 20,`;
  expect(parse(lrtemplate(old)).sliders).toEqual({ Vibrance: 20 });
  const named = unsupportedOf(lrtemplate(old));
  expect(Object.keys(named)).toEqual([
    'Exposure',
    'Brightness',
    'Contrast',
    'Shadows',
    'FillLight',
    'HighlightRecovery',
    'Clarity',
    'ToneCurve',
  ]);
  for (const what of Object.values(named)) expect(what).toContain('of an old process version (before 2012)');
  const both = `${old} Exposure2012 = 1, Contrast2012 = 2, Highlights2012 = 3, Shadows2012 = 4, Blacks2012 = 5,
    Clarity2012 = 0, ToneCurvePV2012 = { 0, 0, 255, 255 },`;
  expect(unsupportedOf(lrtemplate(both))).toEqual({});
});

test.each([
  ['nan', '"nan"'],
  ['-nan', '"-nan"'],
  ['inf', '"inf"'],
  ['-1.#IND', '"-1.#IND"'],
  ['1e999', '"1e999"'],
  ['"0,5"', '"0,5"'],
  ['true', '"True"'],
  ['{ 1 }', 'a list'],
])('Contrast2012 = %s is refused with its name', (value, shown) => {
  const told = refusal(lrtemplate(`Contrast2012 = ${value},`));
  expect(told).toContain(`PRESET_VALUE Cannot read this preset. Contrast2012 is ${shown}, not a number.`);
});

test.each([
  [
    'a template of another kind',
    's = { title = "Web", type = "Filter", value = { settings = { a = 1 } } }',
    'PRESET_KIND',
  ],
  ['no settings', 's = { type = "Develop", value = { } }', 'PRESET_EMPTY'],
  ['empty settings', 's = { value = { settings = { } } }', 'PRESET_EMPTY'],
  ['a call', 's = { value = { settings = { Vibrance = os.exit(1) } } }', 'PRESET_DAMAGED'],
  ['an operator', 's = { value = { settings = { Vibrance = 1 + 1 } } }', 'PRESET_DAMAGED'],
  ['a function', 's = { value = function() end }', 'PRESET_DAMAGED'],
  ['no comma', 's = { a = 1 b = 2 }', 'PRESET_DAMAGED'],
  ['text that is not closed', 's = { a = "x\n" }', 'PRESET_DAMAGED'],
  ['a long text that is not closed', 's = { a = [==[ ]=] }', 'PRESET_DAMAGED'],
  ['a byte over 255', 's = { a = "\\256" }', 'PRESET_DAMAGED'],
  ['a key that is no constant', 's = { [{}] = 1 }', 'PRESET_DAMAGED'],
  ['something after it', 's = { } }', 'PRESET_DAMAGED'],
  ['cut off', 's = { value = { settings = { Vibrance = 1,', 'PRESET_DAMAGED'],
])('refused: %s', (_, text, code) => {
  expect(refusal(text)).toMatch(new RegExp(`^${code} .*Nothing was imported\\.`));
});
