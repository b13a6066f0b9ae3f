import { loadTypeScript } from '../lib/load-ts.mjs';
import { openModel, readPictures } from '../lib/model.mjs';

export const description =
  "LUTs of 17, 33 and 65 points against the renderer itself, on photos (--photos DIR) and the model's own retouches";

const SIZES = [17, 33, 65];
const MOST_PHOTOS = 120;
/** A photo gets one Auto retouch and one of these, in turn. */
const STYLES = [
  'warm golden evening light, gently faded',
  'black and white, strong contrast',
  'cool blue hour',
  'bright and airy',
  'dark and moody',
  'teal shadows and orange highlights',
  'faded film look',
  'Kodak Portra 400',
  'Fuji Velvia, vivid colours',
  'soft pastel colours',
  'matte blacks',
  'more contrast',
  'a little brighter',
  'muted earth tones',
  'autumn colours',
  'clean and natural',
  'vintage, like 1970',
  'high key',
  'low key',
  'green and misty',
  'crisp winter morning',
  'sepia',
  'neon night',
  'punchy colours',
];

/** dE2000 over all pixels of all retouches, per size; what the bake chooses; new steps in 16-bit ramps. */
export async function run({ photos }) {
  const { gridPoints, Lut3D, imageDifference } = loadTypeScript('src/color/index.ts');
  const { retoucher, model } = await openModel();
  const pictures = await readPictures(photos, MOST_PHOTOS);
  const worst = Object.fromEntries(SIZES.map((size) => [size, { means: [], p99: [], max: [] }]));
  const chosen = {};
  const ramps = { levelStretchBeyondDirect: 0, falls: 0, largestStepBeyondDirect: 0 };
  let retouches = 0;
  for (const [i, picture] of pictures.entries()) {
    for (const answer of [await retoucher.auto(picture), await retoucher.style(picture, STYLES[i % STYLES.length])]) {
      const render = (colours) => retoucher.renderColours(colours, answer.latents);
      const colours = Float32Array.from(picture.data, (value) => value / 255);
      const direct = await render(colours);
      for (const size of SIZES) {
        const lut = new Lut3D(size, await render(gridPoints(size)));
        const { mean, p99, max } = imageDifference(lut.apply(colours.slice(), 3), direct, 3);
        worst[size].means.push(mean);
        worst[size].p99.push(p99);
        worst[size].max.push(max);
      }
      const { lut } = await retoucher.bakeMeasuredLut(answer.latents, { photo: picture.data });
      chosen[lut.size] = (chosen[lut.size] ?? 0) + 1;
      if (i % 8 === 0) await measureRamp(lut, render, ramps);
      retouches++;
    }
    console.error(`  ${i + 1} of ${pictures.length}`);
  }
  await retoucher.dispose();
  const sizes = Object.fromEntries(
    SIZES.map((size) => {
      const { means, p99, max } = worst[size];
      const mean = means.reduce((sum, value) => sum + value, 0) / means.length;
      return [
        size,
        {
          mean: round(mean),
          worstMean: round(Math.max(...means)),
          worstP99: round(Math.max(...p99)),
          max: round(Math.max(...max)),
        },
      ];
    }),
  );
  return { model, photos: pictures.length, retouches, deltaE2000: sizes, chosen, sixteenBitRamps: ramps };
}

/** A grey ramp of all 65,536 codes: codes that the LUT repeats or lets fall where the renderer does not, and its steps. */
async function measureRamp(lut, render, ramps) {
  const codes = Uint16Array.from({ length: 3 * 65536 }, (_, i) => Math.floor(i / 3));
  const out = lut.apply(codes.slice(), 3);
  const direct = await render(Float32Array.from(codes, (value) => value / 65535));
  for (let i = 3; i < out.length; i++) {
    const exact = Math.round(direct[i] * 65535) - Math.round(direct[i - 3] * 65535);
    const step = out[i] - out[i - 3];
    // Two codes of slack: the renderer's own 32-bit floats round.
    if (step < 0 && exact >= 0 && step < -1) ramps.falls++;
    ramps.largestStepBeyondDirect = Math.max(ramps.largestStepBeyondDirect, Math.abs(step - exact));
  }
  // Level stretches longer than the renderer's longest are what the eye would see as a band.
  ramps.levelStretchBeyondDirect = Math.max(
    ramps.levelStretchBeyondDirect,
    longestLevel(out, (a, b) => a === b) -
      longestLevel(direct, (a, b) => Math.round(a * 65535) === Math.round(b * 65535)),
  );
}

function longestLevel(values, same) {
  let longest = 0;
  for (let channel = 0; channel < 3; channel++) {
    for (let i = channel + 3, length = 1; i < values.length; i += 3) {
      length = same(values[i], values[i - 3]) ? length + 1 : 1;
      // Clipped ends are level in both.
      if (values[i] > 0) longest = Math.max(longest, length);
    }
  }
  return longest;
}

function round(value) {
  return Math.round(value * 1e4) / 1e4;
}
