import { PARAMETER_NAMES } from '../params';
import { applyBlackAndWhite, isBlackAndWhite } from './blackAndWhite';
import { numberOf, signed } from './numbers';
import { isFalse, type Settings } from './values';

/** Exposure2012 is written in stops; a full slider (100) is this many. Everything else is written as on the slider. */
export const STOPS_AT_FULL_EXPOSURE = 5;
/** The white that absolute temperatures are compared with. Must equal the training's reading of presets (data/xmp.py). */
const DAYLIGHT_KELVIN = 5500;
/** Some generators write a temperature as an offset in kelvin ("+400"): nothing below this is a white point. */
const LOWEST_WHITE_POINT = 1500;
/** Mired (a million divided by kelvin) is the scale on which equal steps look equal; a full slider is this many. */
const MIRED_AT_FULL_TEMPERATURE = 75;
const TINT_AT_FULL = 150;

/** Lightroom's switches of whole panels, which its old presets hold, and the sliders that they switch. */
const PANELS = [
  { off: 'EnableToneCurve', sliders: /^Parametric/, what: 'tone curve' },
  { off: 'EnableColorAdjustments', sliders: /^(Hue|Saturation|Luminance)Adjustment/, what: 'colour mixer (HSL)' },
];

export interface Sliders {
  /** Numbers in -100..100 by parameter name, in the order of PARAMETER_NAMES; only what the preset names. */
  readonly sliders: Record<string, number>;
  /** What was changed on the way, in words. */
  readonly notes: readonly string[];
}

/**
 * The sliders that settings name. Values out of range are set to its end, absolute white balance becomes a difference
 * to daylight, panels that are switched off are left out, black and white becomes Saturation -100 with the mix on the
 * luminance sliders; a note tells of each.
 *
 * @throws PresetError PRESET_VALUE with the name of a setting that is not a finite number
 */
export function readSliders(settings: Settings): Sliders {
  const sliders: Record<string, number> = {};
  const notes: string[] = [];
  const disabled = PANELS.filter(({ off }) => isFalse(settings.get(off)));
  for (const name of PARAMETER_NAMES) {
    const isExposure = name === 'Exposure2012';
    const limit = isExposure ? STOPS_AT_FULL_EXPOSURE : 100;
    const value = numberOf(settings, name, -limit, limit, notes);
    if (value === undefined || disabled.some((panel) => panel.sliders.test(name))) continue;
    // 0.55 stops are 11, not 11.000000000000002.
    sliders[name] = isExposure ? Math.round((value / STOPS_AT_FULL_EXPOSURE) * 1e11) / 1e9 : value;
  }
  for (const { off, sliders: names, what } of disabled) {
    if (PARAMETER_NAMES.some((name) => names.test(name) && settings.has(name))) {
      notes.push(`The preset switches its ${what} panel off (${off}), so the sliders of that panel were left out.`);
    }
  }
  readWhiteBalance(settings, sliders, notes);
  if (isBlackAndWhite(settings)) applyBlackAndWhite(settings, sliders, notes);
  return { sliders: inOrder(sliders), notes };
}

function readWhiteBalance(settings: Settings, sliders: Record<string, number>, notes: string[]): void {
  const kelvin = numberOf(settings, 'Temperature', -5000, 50000, notes);
  const tint = numberOf(settings, 'Tint', -TINT_AT_FULL, TINT_AT_FULL, notes);
  if (kelvin !== undefined) {
    if ('IncrementalTemperature' in sliders) {
      notes.push('The preset has a temperature in kelvin and one as a difference; the difference was taken.');
    } else {
      const value = temperatureOf(kelvin);
      sliders['IncrementalTemperature'] = value;
      const meant = kelvin < LOWEST_WHITE_POINT ? `${signed(kelvin)} K against daylight` : `${kelvin} K`;
      notes.push(
        `The white balance of ${meant} was turned into IncrementalTemperature ${signed(Math.round(value))}, the difference to daylight (${DAYLIGHT_KELVIN} K)${Math.abs(value) === 100 ? ', which is as far as the slider goes' : ''}.`,
      );
    }
  }
  if (tint !== undefined) {
    if ('IncrementalTint' in sliders) {
      notes.push('The preset has an absolute tint and one as a difference; the difference was taken.');
    } else {
      const value = (tint / TINT_AT_FULL) * 100;
      sliders['IncrementalTint'] = value;
      if (value !== 0)
        notes.push(`The tint of ${signed(tint)} was turned into IncrementalTint ${signed(Math.round(value))}.`);
    }
  }
}

/** A white point, or an offset to daylight, in kelvin -> -100..100. Presets name the white of the scene: higher is warmer. */
function temperatureOf(kelvin: number): number {
  const white = Math.max(kelvin < LOWEST_WHITE_POINT ? kelvin + DAYLIGHT_KELVIN : kelvin, LOWEST_WHITE_POINT);
  const mired = 1e6 / DAYLIGHT_KELVIN - 1e6 / white;
  return Math.max(-1, Math.min(1, mired / MIRED_AT_FULL_TEMPERATURE)) * 100;
}

function inOrder(sliders: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(PARAMETER_NAMES.filter((name) => name in sliders).map((name) => [name, sliders[name]]));
}
