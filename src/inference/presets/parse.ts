import { type Parameters, parametersFromSliders } from '../params';
import { unreadable } from './errors';
import { readLrtemplate } from './lrtemplate-read';
import { readSliders } from './sliders';
import { decodeText } from './text';
import { findUnsupported, MOST_UNSUPPORTED, type UnsupportedSetting } from './unsupported';
import { tidyName } from './values';
import { readXmp } from './xmp-read';

/** A preset of Lightroom or Camera Raw, as Param mode can use it. */
export interface Preset {
  /** One line, at most 200 characters; from the file's contents, else from its name, else "Preset". */
  readonly name: string;
  readonly group?: string;
  /** Numbers in -100..100 by parameter name, in the order of PARAMETER_NAMES; only what the preset names, also 0. */
  readonly sliders: Readonly<Record<string, number>>;
  /** The same for the model: what the preset does not name is 0. */
  readonly parameters: Parameters;
  /** What the retouch will lack. */
  readonly unsupported: readonly UnsupportedSetting[];
  /** What was changed in reading (values out of range, white balance), one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Reads a preset: `.xmp` (Camera Raw, Lightroom 7.3 and later; also the sidecar of a photo) or `.lrtemplate`
 * (Lightroom until 7.2). The contents decide which, not the name; `fileName` only gives a name to a preset that has
 * none. Takes time and memory in proportion to the file, of which more than 4 MB is not looked at.
 *
 * Exposure2012 is in stops in files (-5..5, 100 on the slider is 5 stops); Temperature in kelvin and Tint become
 * differences to daylight, exactly as in the training data.
 *
 * @throws PresetError, and nothing else: see PresetErrorCode
 */
export function parsePreset(bytes: Uint8Array, fileName?: string): Preset {
  const text = decodeText(bytes);
  const start = text.trimStart();
  if (start === '') throw unreadable('PRESET_FORMAT', 'It is empty.');
  const isLua = /^(?:--|[A-Za-z_]\w*\s*=\s*\{)/.test(start);
  if (!isLua && !start.startsWith('<')) {
    throw unreadable(
      'PRESET_FORMAT',
      'It is neither XMP nor a Lightroom template.',
      'Choose an .xmp or .lrtemplate file of Lightroom or Camera Raw.',
    );
  }
  const raw = isLua ? readLrtemplate(text) : readXmp(text);
  const { sliders, notes } = readSliders(raw.settings);
  const unsupported = findUnsupported(raw.settings);
  const allNotes = [...raw.notes, ...notes];
  if (Object.values(sliders).every((value) => value === 0)) {
    allNotes.push('The preset moves none of the 38 sliders, so it changes nothing here.');
  }
  if (unsupported.length === MOST_UNSUPPORTED) {
    allNotes.push(`Only the first ${MOST_UNSUPPORTED} settings that are not supported are listed.`);
  }
  const group = tidyName(raw.group ?? '');
  return {
    name: tidyName(raw.name ?? '') || nameOfFile(fileName) || 'Preset',
    ...(group === '' ? {} : { group }),
    sliders,
    parameters: parametersFromSliders(sliders),
    unsupported,
    notes: allNotes,
  };
}

/** Without folders and without what comes after the last point. */
function nameOfFile(fileName: string | undefined): string {
  const base = fileName?.split(/[\\/]/).at(-1) ?? '';
  return tidyName(base.replace(/(.)\.[^.]*$/, '$1'));
}
