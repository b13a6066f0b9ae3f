import { HUES, PARAMETER_NAMES } from '../params';
import { numberOf } from './numbers';
import { isFalse, isSettings, isTrue, type Settings, type SettingValue, textOf } from './values';

/**
 * A mix moves the lightness of a hue twice as far as the luminance slider of that hue: so the training data has it
 * (GRAYSCALE_REACH beside the mixer in training/veraretouch/engine), from which this must not part. The bands of hue and
 * how the effect fades toward gray are the same in both.
 */
const LUMINANCE_PER_MIX = 2;
const STRONGEST_MIX = 100 / LUMINANCE_PER_MIX;

const TREATMENT = /^(?:monochrome|black ?(?:&|and) ?white)$/i;
/** Adobe's and the makers' names: "Adobe Monochrome", "B&W 07", "Camera ACROS+R Filter", "Camera Monotone". */
const PROFILE =
  /(?:^|[^a-z])(?:monochrom(?:e|atic)?|monotone|acros|b ?(?:&|and) ?w|bw|black ?(?:&|and) ?white|gr[ae]y ?scale)(?:[^a-z]|$)/i;
/** Profiles that add nothing to a plain conversion. */
const PLAIN_PROFILE = /^(?:adobe )?monochrome$/i;

/**
 * Does the preset make the picture black and white? It may say so by the switch, by the treatment, or by a profile that
 * is monochrome (a Look, or the older CameraProfile). A Look of strength 0 says nothing.
 */
export function isBlackAndWhite(settings: Settings): boolean {
  return (
    isTrue(settings.get('ConvertToGrayscale')) ||
    TREATMENT.test(textOf(settings.get('Treatment')) ?? '') ||
    isMonochromeProfile(settings.get('CameraProfile')) ||
    isMonochromeLook(settings.get('Look'))
  );
}

/** Is nothing lost of this profile once the picture is black and white? */
export function isPlainMonochrome(profile: string): boolean {
  return PLAIN_PROFILE.test(profile);
}

/**
 * Makes the sliders those of a black-and-white picture, in place: Saturation -100, which takes all color out, and the mix on
 * the luminance sliders of its hues, which act before it. The other sliders of color do nothing in black and white, in
 * Lightroom neither, and are left out. Notes tell of it.
 *
 * @throws PresetError PRESET_VALUE for a mix that is no number
 */
export function applyBlackAndWhite(settings: Settings, sliders: Record<string, number>, notes: string[]): void {
  const idle = PARAMETER_NAMES.filter((name) => /^(?:Vibrance|Saturation$|(?:Hue|Saturation|Luminance)A)/.test(name));
  const moved = idle.some((name) => (sliders[name] ?? 0) !== 0 && !(name === 'Saturation' && sliders[name] === -100));
  for (const name of idle) Reflect.deleteProperty(sliders, name);
  sliders['Saturation'] = -100;
  notes.push('Black and white: Saturation was set to -100, which takes all color out.');
  if (moved) {
    notes.push(
      'Vibrance, saturation and the color mixer do nothing in black and white, so those sliders were left out.',
    );
  }
  // An automatic mix is worked out for each photo: numbers beside it are those of another one.
  if (isTrue(settings.get('AutoGrayscaleMix')) || isFalse(settings.get('EnableGrayscaleMix'))) return;
  let mixed = false;
  for (const hue of HUES) {
    const mix = numberOf(settings, `GrayMixer${hue}`, -100, 100, notes);
    if (mix === undefined) continue;
    const luminance = Math.max(-100, Math.min(100, LUMINANCE_PER_MIX * mix));
    sliders[`LuminanceAdjustment${hue}`] = luminance;
    mixed ||= mix !== 0;
    if (Math.abs(mix) > STRONGEST_MIX) {
      notes.push(
        `GrayMixer${hue} is ${mix}; the luminance slider reaches as far as ${Math.sign(mix) * STRONGEST_MIX}.`,
      );
    }
  }
  if (mixed) {
    notes.push(
      'The black-and-white mix was put on the luminance sliders of its hues; it comes near to the mix of Lightroom but is not the same.',
    );
  }
}

function isMonochromeLook(look: SettingValue | undefined): boolean {
  if (!isSettings(look)) return isMonochromeProfile(look);
  const amount = textOf(look.get('Amount'));
  if (amount !== undefined && Number(amount) === 0) return false;
  const parameters = look.get('Parameters');
  const own = isSettings(parameters) ? parameters : undefined;
  return (
    isTrue(own?.get('ConvertToGrayscale')) ||
    isMonochromeProfile(look.get('Name')) ||
    isMonochromeProfile(own?.get('CameraProfile'))
  );
}

function isMonochromeProfile(name: SettingValue | undefined): boolean {
  return PROFILE.test(textOf(name) ?? '');
}
