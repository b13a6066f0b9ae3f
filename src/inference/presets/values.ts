/** A setting as both formats hold it: text (numbers and booleans too, as written), a list, or named parts. */
export type SettingValue = string | readonly SettingValue[] | ReadonlyMap<string, SettingValue>;

/** Settings by name, in the order of the file. A map, so that no name of a hostile file means anything to JavaScript. */
export type Settings = ReadonlyMap<string, SettingValue>;

/** What the two readers give: names and settings, not yet understood. */
export interface RawPreset {
  readonly name: string | undefined;
  readonly group: string | undefined;
  readonly settings: Settings;
  /** What the reader itself had to decide, in words. */
  readonly notes: readonly string[];
}

/** Longest text that is looked at, in bytes. Presets take some tens of thousands; with many brushed masks, a million. */
export const MAX_PRESET_BYTES = 4 * 1024 * 1024;
/** Longest file that is read to find a preset in it, in bytes: a photo may carry one, and DNG presets of phones do. */
export const MAX_PRESET_FILE_BYTES = 128 * 1024 * 1024;
/** Deepest nesting of elements or tables. Masks inside masks reach about 20. */
export const MAX_DEPTH = 64;
/** Most elements and attributes, or values of tables, in one file: bounds the memory that reading takes. */
export const MAX_NODES = 200_000;

const LONGEST_NAME = 200;

export function isSettings(value: SettingValue | undefined): value is Settings {
  return value instanceof Map;
}

/** The text of a value, or undefined where there is none. */
export function textOf(value: SettingValue | undefined): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

export function isTrue(value: SettingValue | undefined): boolean {
  return typeof value === 'string' && /^\s*(true|1)\s*$/i.test(value);
}

export function isFalse(value: SettingValue | undefined): boolean {
  return typeof value === 'string' && /^\s*(false|0)\s*$/i.test(value);
}

/**
 * A name fit for one line of a list: no control characters, no half characters, no runs of spaces, at most 200
 * characters. May be empty.
 */
export function tidyName(text: string): string {
  const clean = text
    .replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF\s]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_NAME);
  // The cut may have gone through a character of two units.
  return clean.replace(/\p{Cs}+$/u, '').trimEnd();
}
