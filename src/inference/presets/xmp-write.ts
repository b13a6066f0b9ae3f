import { PARAMETER_NAMES, parametersFromSliders } from '../params';
import { PresetError } from './errors';
import { STOPS_AT_FULL_EXPOSURE } from './sliders';
import { tidyName } from './values';
import { CRS, RDF } from './xmp-read';

export interface PresetNames {
  readonly name: string;
  /** Heading that Lightroom lists the preset under; without one it lists it among the user's own. */
  readonly group?: string;
}

/**
 * Writes a preset (.xmp) that Camera Raw and Lightroom (7.3 and later) list and apply. Only the given sliders are
 * written, so everything else of a photo stays as it is. Numbers are rounded to what Adobe's files hold: whole numbers,
 * Exposure2012 hundredths of a stop (a fifth of a step of the slider). The identifier depends on names and values
 * only: the same preset written twice is the same preset. Temperature and tint are written as differences
 * (IncrementalTemperature, IncrementalTint), the form for photos that are already developed; raw photos have a scale in
 * kelvin, so a preset with white balance is not meant for them.
 *
 * @param sliders numbers in -100..100 by parameter name
 * @throws PresetError PRESET_NAME for a name without a visible character; InputError INPUT_PARAMETERS for the sliders,
 *   as parametersFromSliders
 */
export function formatPresetXmp(sliders: Readonly<Record<string, number>>, { name, group }: PresetNames): string {
  parametersFromSliders(sliders);
  const title = tidyName(name);
  if (title === '') {
    throw new PresetError(
      'PRESET_NAME',
      'The preset has no name. Nothing was written.',
      'Give it a name, which Lightroom lists it by.',
    );
  }
  const heading = tidyName(group ?? '');
  const settings = settingsOf(sliders);
  const attributes = [
    ['PresetType', 'Normal'],
    ['Cluster', ''],
    ['UUID', identifier(JSON.stringify([title, heading, settings]))],
    ['SupportsAmount2', 'True'],
    ['SupportsAmount', 'True'],
    ['SupportsColor', 'True'],
    ['SupportsMonochrome', 'True'],
    ['SupportsHighDynamicRange', 'True'],
    ['SupportsNormalDynamicRange', 'True'],
    ['SupportsSceneReferred', 'True'],
    ['SupportsOutputReferred', 'True'],
    ['CameraModelRestriction', ''],
    ['Copyright', ''],
    ['ContactInfo', ''],
    // The oldest Camera Raw with this process version: any newer one reads the file.
    ['Version', '11.0'],
    ['ProcessVersion', '11.0'],
    ...settings,
    ['HasSettings', 'True'],
  ];
  const texts = [
    ['Name', title],
    ['ShortName', ''],
    ['SortName', ''],
    ['Group', heading],
    ['Description', ''],
  ];
  return [
    '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="VeraRetouch">',
    ` <rdf:RDF xmlns:rdf="${RDF}">`,
    '  <rdf:Description rdf:about=""',
    `    xmlns:crs="${CRS}"`,
    `${attributes.map(([setting, value]) => `   crs:${setting}="${value}"`).join('\n')}>`,
    ...texts.map(([setting, text]) => alternative(setting, text)),
    '  </rdf:Description>',
    ' </rdf:RDF>',
    '</x:xmpmeta>',
    '',
  ].join('\n');
}

function settingsOf(sliders: Readonly<Record<string, number>>): [string, string][] {
  const given = PARAMETER_NAMES.filter((name) => Object.hasOwn(sliders, name));
  const settings = given.map((name): [string, string] => [
    name,
    name === 'Exposure2012' ? signed((sliders[name] / 100) * STOPS_AT_FULL_EXPOSURE, 2) : signed(sliders[name], 0),
  ]);
  if (given.some((name) => name.startsWith('Incremental'))) settings.unshift(['WhiteBalance', 'Custom']);
  if (given.some((name) => name.startsWith('Parametric'))) {
    // Without them the photo's own would stay, and the sliders would mean other tones than the model was taught.
    settings.push(
      ['ParametricShadowSplit', '25'],
      ['ParametricMidtoneSplit', '50'],
      ['ParametricHighlightSplit', '75'],
    );
  }
  return settings;
}

/** "+10", "-3", "0"; "+0.55", "0.00". */
function signed(value: number, decimals: number): string {
  const digits = Math.abs(value).toFixed(decimals);
  return Number(digits) === 0 ? digits : `${value > 0 ? '+' : '-'}${digits}`;
}

function alternative(setting: string, text: string): string {
  const item =
    text === '' ? '<rdf:li xml:lang="x-default"/>' : `<rdf:li xml:lang="x-default">${escaped(text)}</rdf:li>`;
  return [`   <crs:${setting}>`, '    <rdf:Alt>', `     ${item}`, '    </rdf:Alt>', `   </crs:${setting}>`].join('\n');
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/** 32 hexadecimal digits: FNV-1a with 128 bits (draft-eastlake-fnv). It tells presets apart; nothing is proved by it. */
function identifier(content: string): string {
  let hash = 0x6c62272e07bb014262b821756295c58dn;
  for (const byte of new TextEncoder().encode(content)) {
    hash = BigInt.asUintN(128, (hash ^ BigInt(byte)) * 0x0000000001000000000000000000013bn);
  }
  return hash.toString(16).toUpperCase().padStart(32, '0');
}
