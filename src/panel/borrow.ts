import { labToSrgb, srgbToLab } from '../color/convert';
import { type RgbImage } from '../inference';

/** Steps of lightness that are told apart. */
const STEPS = 256;
/** Above this a flat photo would be torn apart. */
const MOST_SPREAD = 2;
const LEAST_SPREAD = 0.5;

/**
 * The photo with the look of another picture: the encoder wants one picture before and after, so where there is only a
 * target, its tones are carried over first. Lightness by its distribution (half of the way, for a night stays a night),
 * colour by mean and spread in CIE Lab (Reinhard et al. 2001). Pictures are RGB.
 */
export function withLookOf(photo: RgbImage, target: RgbImage): RgbImage {
  const own = labOf(photo);
  const other = labOf(target);
  const curve = lightnessCurve(own, other);
  const [a, b] = [1, 2].map((channel) => {
    const from = moments(own, channel);
    const to = moments(other, channel);
    const spread = Math.min(MOST_SPREAD, Math.max(LEAST_SPREAD, to.deviation / Math.max(1e-3, from.deviation)));
    return (value: number): number => (value - from.mean) * spread + to.mean;
  });
  const data = new Uint8Array(own.length);
  for (let i = 0; i < own.length; i += 3) {
    const lightness = curve[step(own[i])];
    const colour = labToSrgb(lightness, a(own[i + 1]), b(own[i + 2]));
    for (let c = 0; c < 3; c++) data[i + c] = Math.round(Math.min(1, Math.max(0, colour[c])) * 255);
  }
  return { width: photo.width, height: photo.height, data };
}

function labOf({ width, height, data }: RgbImage): Float32Array {
  const channels = data.length / (width * height);
  const lab = new Float32Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * channels;
    lab.set(srgbToLab(data[at] / 255, data[at + 1] / 255, data[at + 2] / 255), pixel * 3);
  }
  return lab;
}

/** For each step of lightness, half-way to the lightness of the same rank in the other picture. */
function lightnessCurve(own: Float32Array, other: Float32Array): Float32Array {
  const [mine, theirs] = [ranks(own), ranks(other)];
  const curve = new Float32Array(STEPS);
  let to = 0;
  for (let from = 0; from < STEPS; from++) {
    while (to < STEPS - 1 && theirs[to] < mine[from]) to++;
    curve[from] = ((from + to) / 2 / (STEPS - 1)) * 100;
  }
  return curve;
}

/** The share of pixels up to each step. */
function ranks(lab: Float32Array): Float64Array {
  const counts = new Float64Array(STEPS);
  for (let i = 0; i < lab.length; i += 3) counts[step(lab[i])]++;
  let sum = 0;
  return counts.map((count) => (sum += count) / (lab.length / 3));
}

function step(lightness: number): number {
  return Math.min(STEPS - 1, Math.max(0, Math.round((lightness / 100) * (STEPS - 1))));
}

function moments(lab: Float32Array, channel: number): { mean: number; deviation: number } {
  let [sum, squares] = [0, 0];
  for (let i = channel; i < lab.length; i += 3) {
    sum += lab[i];
    squares += lab[i] ** 2;
  }
  const count = lab.length / 3;
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean ** 2)) };
}
