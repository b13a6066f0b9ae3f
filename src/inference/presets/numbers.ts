import { quoted, unreadable } from './errors';
import { type Settings, type SettingValue } from './values';

/** Every part can match a given digit in one way only, so that a long run of them takes linear time. */
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * The number that a setting holds, moved to the end of its range where it lies beyond (a note tells); undefined where the
 * preset does not name it.
 *
 * @throws PresetError PRESET_VALUE with the name of a setting that is not a finite number
 */
export function numberOf(
  settings: Settings,
  name: string,
  low: number,
  high: number,
  notes: string[],
): number | undefined {
  const written = settings.get(name);
  if (written === undefined) return undefined;
  const value = parseNumber(written);
  if (value === undefined) {
    const shown = typeof written === 'string' ? quoted(written) : 'a list';
    throw unreadable('PRESET_VALUE', `${name} is ${shown}, not a number.`, `${cureFor(written)}, or export it again.`);
  }
  const clamped = Math.max(low, Math.min(high, value));
  if (clamped !== value) {
    notes.push(`${name} is ${value} in the file, beyond its range; it was set to ${clamped}.`);
  }
  // Not -0.
  return clamped === 0 ? 0 : clamped;
}

/** The finite number that a setting holds, or undefined. */
export function parseNumber(written: SettingValue | undefined): number | undefined {
  if (typeof written !== 'string') return undefined;
  const text = written.trim();
  const value = NUMBER.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : undefined;
}

export function signed(value: number): string {
  return value > 0 ? `+${value}` : String(value);
}

/** What to do about a value that is no number: the commonest slips by name. */
function cureFor(written: SettingValue): string {
  if (typeof written !== 'string') return 'Mend the value in the file';
  if (written.trim() === '') return 'Write a number there, or take the setting out of the file';
  if (written.includes(',')) return 'Write the number with a point in place of the comma';
  if (/^\s*[\u2010-\u2015\u2212]/.test(written)) return 'Write the minus sign as a plain hyphen (-)';
  return 'Mend the value in the file';
}
