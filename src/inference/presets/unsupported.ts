import { PARAMETER_NAMES } from '../params';
import { quoted, shortened } from './errors';
import { isBlackAndWhite, isPlainMonochrome } from './blackAndWhite';
import { EFFECTS, isSilent, NEUTRAL_NUMBERS, REPLACED_BY, SWITCHES } from './effects';
import { parseNumber } from './numbers';
import { isOldDefault } from './oldProcess';
import { isFalse, isSettings, type Settings, type SettingValue, textOf, tidyName } from './values';

/** A setting that the 38 sliders cannot express, so that the retouch will lack it. */
export interface UnsupportedSetting {
  /** Its name in the file. */
  readonly setting: string;
  /** Its value as written; lists and parts are summed up. At most 80 characters. */
  readonly value: string;
  /** What it does, in the words of Lightroom's panels. */
  readonly what: string;
}

/** More than any real preset has; a hostile one could have hundreds of thousands. */
export const MOST_UNSUPPORTED = 200;

const SLIDERS = new Set([...PARAMETER_NAMES, 'Temperature', 'Tint']);
const CURVES = new Map([
  ['ToneCurvePV2012', 'point tone curve'],
  ['ToneCurvePV2012Red', 'point tone curve of the red channel'],
  ['ToneCurvePV2012Green', 'point tone curve of the green channel'],
  ['ToneCurvePV2012Blue', 'point tone curve of the blue channel'],
  ['ToneCurve', 'point tone curve of an old process version (before 2012)'],
  ['ToneCurveRed', 'point tone curve of the red channel, of an old process version'],
  ['ToneCurveGreen', 'point tone curve of the green channel, of an old process version'],
  ['ToneCurveBlue', 'point tone curve of the blue channel, of an old process version'],
]);
/** Camera Raw's curves have a few points; a longer text is not taken apart to see whether it is neutral. */
const LONGEST_CURVE = 10_000;
const SPLITS = new Map([
  ['ParametricShadowSplit', 25],
  ['ParametricMidtoneSplit', 50],
  ['ParametricHighlightSplit', 75],
]);
/** Profiles that every photo has when nobody chose one. */
const PLAIN_PROFILES = /^(?:Adobe (?:Color|Standard)|Embedded|Default(?: Color)?|Color|ACR \d.*)$/i;

/**
 * Names every setting that the sliders cannot express and that is not neutral, in the order of the file. Settings
 * nobody knows are named too, unless they are 0, "False" or empty. Never throws: a value that cannot be understood is
 * not used either, so naming it is enough.
 */
export function findUnsupported(settings: Settings): UnsupportedSetting[] {
  const found: UnsupportedSetting[] = [];
  for (const [setting, value] of settings) {
    const what = SLIDERS.has(setting) || isReplaced(setting, settings) ? undefined : effectOf(setting, value, settings);
    if (what === undefined) continue;
    found.push({ setting: shortened(tidyName(setting), 60), value: shown(value), what });
    if (found.length === MOST_UNSUPPORTED) break;
  }
  return found;
}

function effectOf(setting: string, value: SettingValue, settings: Settings): string | undefined {
  if (isOldDefault(setting, value, settings)) return undefined;
  const curve = CURVES.get(setting);
  if (curve !== undefined) return isIdentity(value) ? undefined : curveWords(setting, curve, settings);
  switch (setting) {
    case 'ToneCurveName':
    case 'ToneCurveName2012':
      return /^(?:linear|custom)?$/i.test(textOf(value) ?? '') ? undefined : `point tone curve ${shown(value)}`;
    case 'Look':
      return lookWords(value);
    case 'CameraProfile':
      return isPlainProfile(textOf(value) ?? 'Default') ? undefined : `the camera profile ${quoted(shown(value))}`;
    case 'Treatment':
    case 'ConvertToGrayscale':
      // Black and white is done with the sliders.
      return undefined;
    case 'WhiteBalance':
      return whiteBalanceWords(value, settings);
  }
  const split = SPLITS.get(setting);
  if (split !== undefined) {
    return parseNumber(value) === split || !usesParametricCurve(settings)
      ? undefined
      : 'moved borders between the regions of the parametric curve';
  }
  if (setting === 'AutoGrayscaleMix' && !isBlackAndWhite(settings)) return undefined;
  // The mix is on the luminance sliders, or does nothing where the picture keeps its color.
  if (setting.startsWith('GrayMixer')) return undefined;
  if (isSilent(setting) || isNeutral(setting, value)) return undefined;
  const local = setting.startsWith('Local') ? 'local adjustments' : undefined;
  return EFFECTS.get(setting) ?? local ?? 'a setting that is not known here';
}

function isReplaced(setting: string, settings: Settings): boolean {
  return (
    (REPLACED_BY.get(setting)?.some((newer) => settings.has(newer)) ?? false) ||
    SWITCHES.some(([name, panel]) => isFalse(settings.get(name)) && panel.test(setting))
  );
}

function isNeutral(setting: string, value: SettingValue): boolean {
  if (typeof value === 'string') {
    const number = parseNumber(value);
    return number === undefined
      ? /^(?:false|none)?$/i.test(value.trim())
      : number === (NEUTRAL_NUMBERS.get(setting) ?? 0);
  }
  if (isSettings(value)) return value.size === 0 || isFalse(value.get('Active'));
  // An unused place of the point colours is a row of -1.
  return value.every(
    (item) =>
      setting === 'PointColors' &&
      typeof item === 'string' &&
      item.length < LONGEST_CURVE &&
      item.split(',').every((number) => parseNumber(number) === -1),
  );
}

/** The points of a curve lie on the diagonal from 0 to 255. XMP writes "x, y" per point, Lua numbers in a row. */
function isIdentity(value: SettingValue): boolean {
  if (isSettings(value)) return false;
  const flat =
    typeof value === 'string' ? value : value.map((item) => (typeof item === 'string' ? item : '?')).join(',');
  if (flat.trim() === '') return true;
  if (flat.length > LONGEST_CURVE) return false;
  const numbers = flat.split(',').map((text) => parseNumber(text));
  return (
    numbers.length >= 4 &&
    numbers.length % 2 === 0 &&
    numbers[0] === 0 &&
    numbers.at(-1) === 255 &&
    numbers.every((number, i) => number !== undefined && (i % 2 === 0 || number === numbers[i - 1]))
  );
}

/** The same points in all four curves are one curve written four times: only the first is named. */
function curveWords(setting: string, words: string, settings: Settings): string | undefined {
  const channels = ['', 'Red', 'Green', 'Blue'].map((channel) => settings.get(`ToneCurvePV2012${channel}`));
  const repeated = channels.every(
    (curve) => curve !== undefined && shown(curve, Infinity) === shown(channels[0]!, Infinity),
  );
  return repeated && /^ToneCurvePV2012./.test(setting) ? undefined : words;
}

function lookWords(look: SettingValue): string | undefined {
  if (!isSettings(look)) return isNeutral('Look', look) ? undefined : `the profile ${quoted(shown(look))}`;
  const name = textOf(look.get('Name')) ?? '';
  const amount = parseNumber(look.get('Amount')) ?? 1;
  if (amount === 0 || isPlainProfile(name)) return undefined;
  const parameters = look.get('Parameters');
  const holds: string[] = [];
  if (isSettings(parameters)) {
    const has = (known: (setting: string, value: SettingValue) => boolean) =>
      [...parameters].some(([k, v]) => known(k, v));
    if (has((setting) => /^(?:Look|RGB)Table$/.test(setting))) holds.push('colour table');
    if (has((setting, value) => CURVES.has(setting) && !isIdentity(value))) holds.push('tone curve');
    if (has((setting, value) => SLIDERS.has(setting) && !isNeutral(setting, value))) holds.push('sliders');
  }
  const strength = amount === 1 ? '' : ` at ${Math.round(amount * 100)} %`;
  const own = holds.length > 0 ? ` with its own ${holds.join(', ')}` : '';
  return `the profile ${quoted(name === '' ? 'without name' : name)}${strength}${own}`;
}

function whiteBalanceWords(value: SettingValue, settings: Settings): string | undefined {
  const name = textOf(value) ?? '';
  const inNumbers = ['Temperature', 'Tint', 'IncrementalTemperature', 'IncrementalTint'].some((n) => settings.has(n));
  if (inNumbers || /^(?:as shot|custom)?$/i.test(name)) return undefined;
  return /^auto$/i.test(name) ? 'automatic white balance' : `the white balance ${quoted(name)}, without numbers`;
}

function usesParametricCurve(settings: Settings): boolean {
  return ['Shadows', 'Darks', 'Lights', 'Highlights'].some((zone) => {
    const value = settings.get(`Parametric${zone}`);
    return value !== undefined && !isNeutral(zone, value);
  });
}

function isPlainProfile(name: string): boolean {
  return PLAIN_PROFILES.test(name) || isPlainMonochrome(name);
}

function shown(value: SettingValue, longest = 80): string {
  if (typeof value === 'string') return shortened(value.trim(), longest);
  if (isSettings(value)) return shortened(textOf(value.get('Name')) ?? counted(value.size, 'value', 'values'), longest);
  const texts = value.filter((item) => typeof item === 'string');
  return texts.length === value.length
    ? shortened(texts.join('; '), longest)
    : counted(value.length, 'entry', 'entries');
}

function counted(count: number, one: string, more: string): string {
  return `${count} ${count === 1 ? one : more}`;
}
