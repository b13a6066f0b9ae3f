import { parseNumber } from './numbers';
import { type Settings, type SettingValue, textOf } from './values';

/*
 * What photos had in process versions 2003 and 2010 when nobody moved anything: 0 and a linear curve in pictures that came
 * rendered, these in raw photos. Presets saved then hold them, and lose nothing when they are left out.
 */

const NUMBERS = new Map([
  ['Brightness', 50],
  ['Contrast', 25],
  ['Shadows', 5],
]);
/** The same for settings that still exist, and whose default was another one then. */
const NUMBERS_OF_THEN = new Map([
  ['Sharpness', 25],
  ['ColorNoiseReduction', 25],
]);
/** The points of "Medium Contrast", Camera Raw's curve for raw photos until 2012. */
const MEDIUM_CONTRAST = [0, 0, 32, 22, 64, 56, 128, 128, 192, 196, 255, 255];
const FIRST_NEW_PROCESS = 6;
const LONGEST_CURVE = 200;

/** Is this the default of a process version before 2012? Of a setting that still exists only in a preset of that time. */
export function isOldDefault(setting: string, value: SettingValue, settings: Settings): boolean {
  if (setting === 'ToneCurveName') return /^medium contrast$/i.test(textOf(value) ?? '');
  if (setting === 'ToneCurve') return isMediumContrast(value);
  const number = parseNumber(value);
  if (number === undefined) return false;
  if (NUMBERS.get(setting) === number) return true;
  const process = parseNumber(settings.get('ProcessVersion'));
  return process !== undefined && process < FIRST_NEW_PROCESS && NUMBERS_OF_THEN.get(setting) === number;
}

function isMediumContrast(value: SettingValue): boolean {
  if (!Array.isArray(value)) return false;
  const flat = value.map((item) => (typeof item === 'string' ? item : '?')).join(',');
  if (flat.length > LONGEST_CURVE) return false;
  const points = flat.split(',').map((text) => parseNumber(text));
  return points.length === MEDIUM_CONTRAST.length && points.every((point, i) => point === MEDIUM_CONTRAST[i]);
}
