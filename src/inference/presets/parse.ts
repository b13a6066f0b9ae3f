import { type Parameters, parametersFromSliders, parseParameters, slidersOf } from '../params';
import { PresetError, quoted, unreadable } from './errors';
import { readLrtemplate } from './lrtemplate-read';
import { type PhotoPackets, photoPackets } from './photoPackets';
import { readSliders } from './sliders';
import { decodeText } from './text';
import { findUnsupported, MOST_UNSUPPORTED, type UnsupportedSetting } from './unsupported';
import { isTrue, type RawPreset, textOf, tidyName } from './values';
import { readXmp } from './xmp-read';

/** A preset of Lightroom or Camera Raw, as Param mode can use it. */
export interface Preset {
  /** `photo`: XMP inside a DNG, JPEG or TIFF. `json`: the parameters themselves, of no preset. */
  readonly format: 'xmp' | 'lrtemplate' | 'photo' | 'json';
  /** One line, at most 200 characters; from the file's contents, else from its name, else "Preset". */
  readonly name: string;
  readonly group?: string;
  /** Numbers in -100..100 by parameter name, in the order of PARAMETER_NAMES; only what the preset names, also 0. */
  readonly sliders: Readonly<Record<string, number>>;
  /** The same for the model: what the preset does not name is 0. */
  readonly parameters: Parameters;
  /** What the retouch will lack. */
  readonly unsupported: readonly UnsupportedSetting[];
  /** What was changed in reading (values out of range, white balance, black and white), one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Reads whatever holds sliders: a preset as parsePreset does, or JSON of parameters (`{"Exposure2012": {"value": 20}}`,
 * UTF-8 or UTF-16). The bytes decide which, not the name.
 *
 * @throws PresetError as parsePreset, and PRESET_FORMAT for what is neither; InputError INPUT_PARAMETERS for what JSON says
 */
export function readPresetBytes(bytes: Uint8Array, fileName?: string): Preset {
  if (photoPackets(bytes)) return parsePreset(bytes, fileName);
  const text = decodeText(bytes);
  if (isXml(text) || isLua(text)) return parsePreset(bytes, fileName);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw unreadable(
      'PRESET_FORMAT',
      `It is neither a preset nor a photo, and not JSON: ${(cause as Error).message}.`,
      'Write {"Exposure2012": {"value": 20}}, for example (NaN and comments are not allowed in JSON), or give an .xmp or .lrtemplate preset.',
    );
  }
  const parameters = parseParameters(json);
  const sliders = slidersOf(parameters);
  return { format: 'json', name: nameOfFile(fileName) || 'Preset', sliders, parameters, unsupported: [], notes: [] };
}

/**
 * Reads a preset: `.xmp` (Camera Raw, Lightroom 7.3 and later; also the sidecar of a photo), `.lrtemplate` (Lightroom
 * until 7.2), or the XMP inside a DNG, JPEG or TIFF (Lightroom for phones shares presets as DNG). The contents decide
 * which, not the name; `fileName` only gives a name to a preset that has none. Takes time and memory in proportion to the
 * file, of which more than 4 MB of text is not looked at.
 *
 * Exposure2012 is in stops in files (-5..5, 100 on the slider is 5 stops); Temperature in kelvin and Tint become
 * differences to daylight, exactly as in the training data. Black and white is Saturation -100.
 *
 * @throws PresetError, and nothing else: see PresetErrorCode
 */
export function parsePreset(bytes: Uint8Array, fileName?: string): Preset {
  const { format, raw } = readRaw(bytes);
  refuseRecord(raw);
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
    format,
    name: tidyName(raw.name ?? '') || nameOfFile(fileName) || 'Preset',
    ...(group === '' ? {} : { group }),
    sliders,
    parameters: parametersFromSliders(sliders),
    unsupported,
    notes: allNotes,
  };
}

function readRaw(bytes: Uint8Array): { format: Preset['format']; raw: RawPreset } {
  const photo = photoPackets(bytes);
  if (photo) return { format: 'photo', raw: readPhoto(photo) };
  const text = decodeText(bytes);
  if (text.trimStart() === '') throw unreadable('PRESET_FORMAT', 'It is empty.');
  if (isLua(text)) return { format: 'lrtemplate', raw: readLrtemplate(text) };
  if (isXml(text)) return { format: 'xmp', raw: readXmp(text) };
  throw unreadable(
    'PRESET_FORMAT',
    'It is neither XMP nor a Lightroom template.',
    'Choose an .xmp or .lrtemplate file of Lightroom or Camera Raw.',
  );
}

function isXml(text: string): boolean {
  return text.trimStart().startsWith('<');
}

function isLua(text: string): boolean {
  return /^(?:--|return\b|[A-Za-z_]\w*\s*=\s*\{)/.test(text.trimStart());
}

/** The settings in a photo's XMP; where they did not fit into one packet, of both. */
function readPhoto({ kind, packets }: PhotoPackets): RawPreset {
  let found: RawPreset | undefined;
  for (const packet of packets) {
    try {
      const raw = readXmp(decodeText(packet));
      found = found ? { ...found, settings: new Map([...raw.settings, ...found.settings]) } : raw;
    } catch (thrown) {
      if (!(thrown instanceof PresetError) || thrown.code !== 'PRESET_EMPTY') throw thrown;
    }
  }
  if (found) return found;
  throw unreadable(
    'PRESET_EMPTY',
    `It is a ${kind} photo without settings of Lightroom or Camera Raw in it.`,
    'In Lightroom, save its settings as a preset (.xmp), or write them into the photo (Metadata > Save Metadata to File).',
  );
}

/**
 * Settings with AlreadyApplied are no request but a record: Lightroom writes it into what it exports, whose pixels have
 * them, and applies them to no such file itself. Most often such a file is given for the very photo that it belongs to,
 * where a note behind a finished batch would come too late; so they are refused, and the way round it is a deliberate one.
 */
function refuseRecord({ settings }: RawPreset): void {
  if (!isTrue(settings.get('AlreadyApplied'))) return;
  const source = textOf(settings.get('RawFileName'));
  throw unreadable(
    'PRESET_APPLIED',
    `It is a record of how a picture was developed${source === undefined ? '' : ` (${quoted(source)})`}: these settings are in its pixels already (AlreadyApplied), and would be applied a second time.`,
    'Save the settings of the original photo as a preset in Lightroom. To use them as a look for another photo all the same, set AlreadyApplied to False in a copy of the XMP.',
  );
}

/** Without folders and without what comes after the last point. */
function nameOfFile(fileName: string | undefined): string {
  const base = fileName?.split(/[\\/]/).at(-1) ?? '';
  return tidyName(base.replace(/(.)\.[^.]*$/, '$1'));
}
