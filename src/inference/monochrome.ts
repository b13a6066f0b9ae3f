import { PARAMETER_NAMES, type Parameters } from './params';

const SATURATION = PARAMETER_NAMES.indexOf('Saturation');

/**
 * Do the parameters ask for black and white? Saturation at its lowest leaves no color at all: that is what the slider
 * means in Lightroom. The renderer only comes near to it (CIELAB chroma up to 10 in the shipped model), so whoever renders
 * such a retouch says so (BakeOptions.monochrome), and what is left is taken out exactly.
 */
export function isMonochrome({ values }: Pick<Parameters, 'values'>): boolean {
  return values[SATURATION] <= -1;
}

/** The same of sliders in -100..100 by name, as a panel holds them. */
export function isMonochromeSliders(sliders: Readonly<Record<string, number>>): boolean {
  return sliders['Saturation'] <= -100;
}

/**
 * Takes the color out of sRGB colors [N, 3] in [0, 1], in place: at `amount` 1 each becomes the gray of its luminance
 * (IEC 61966-2-1), so its lightness stays as it was and its three channels are one number; below, that share of the way.
 */
export function takeColorOut(colours: Float32Array, amount: number): void {
  for (let i = 0; i < colours.length; i += 3) {
    const [r, g, b] = [colours[i], colours[i + 1], colours[i + 2]];
    const gray = Math.min(1, encoded(0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)));
    for (let c = 0; c < 3; c++)
      colours[i + c] = amount === 1 ? gray : colours[i + c] + amount * (gray - colours[i + c]);
  }
}

/** Of a value a little below 0 too, which a renderer may give. */
function linear(value: number): number {
  return value <= 0.04045 ? Math.max(0, value) / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function encoded(value: number): number {
  return value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055;
}
