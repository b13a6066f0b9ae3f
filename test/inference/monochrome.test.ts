import { Lut3D } from '../../src/color';
import { isMonochrome, isMonochromeSliders, parametersFromSliders, Retoucher } from '../../src/inference';
import { takeColorOut } from '../../src/inference/monochrome';
import { parsePreset } from '../../src/inference/presets';
import { BUNDLES, memorySource, nodeBackend, readBundle } from './support/bundles';
import { bytesOf, xmp } from './presets/support';

jest.setTimeout(120_000);

const PRESET = parsePreset(
  bytesOf(xmp({ ConvertToGrayscale: 'True', Contrast2012: '+35', GrayMixerRed: '30', GrayMixerBlue: '-30' })),
);

/** The largest distance between two channels of a color. */
function spread(colours: Float32Array): number {
  let most = 0;
  for (let i = 0; i < colours.length; i += 3) {
    const [r, g, b] = colours.subarray(i, i + 3);
    most = Math.max(most, Math.max(r, g, b) - Math.min(r, g, b));
  }
  return most;
}

describe.each(BUNDLES)('%s', (name, folder) => {
  let retoucher: Retoucher;
  beforeAll(async () => {
    retoucher = await Retoucher.load(memorySource(readBundle(folder)), nodeBackend(), { verify: 'used' });
  });
  afterAll(() => retoucher.dispose());

  test('a black-and-white preset gives a LUT without any color', async () => {
    const result = await retoucher.param(PRESET.parameters, { wordless: retoucher.capabilities.pictureFirst });
    expect(result.monochrome).toBe(true);
    const { latents, monochrome } = result;
    const lut = await retoucher.bakeLut(latents, { monochrome, size: 17 });
    expect(spread(lut.data)).toBe(0);
    // Between its points and in 8 bits too.
    const pixels = Uint8Array.from({ length: 3000 }, (_, i) => (i * 97 + (i >> 3)) & 255);
    const out = lut.apply(pixels, 3);
    for (let i = 0; i < out.length; i += 3) expect([out[i + 1], out[i + 2]]).toEqual([out[i], out[i]]);
    // The renderer alone leaves some, which is why it is taken out.
    expect(spread((await retoucher.bakeLut(latents, { size: 17 })).data)).toBeGreaterThan(0.01);
  });

  test('by the sliders alone as well, at every size that measuring may choose', async () => {
    const latents = await retoucher.sliders(PRESET.parameters);
    const { lut, error } = await retoucher.bakeMeasuredLut(latents, { monochrome: true });
    expect(spread(lut.data)).toBe(0);
    expect(error.max).toBeGreaterThan(0);
  });

  test('the strength of the global color takes color out by degrees, and overall blends', async () => {
    const latents = await retoucher.sliders(PRESET.parameters);
    const left = async (strength: object): Promise<number> =>
      spread((await retoucher.bakeLut(latents, { monochrome: true, strength, size: 9 })).data);
    const spreads = await Promise.all([0, 0.5, 0.9, 1, 2].map((globalColor) => left({ globalColor })));
    expect(spreads[0]).toBeGreaterThan(spreads[1]);
    expect(spreads[1]).toBeGreaterThan(spreads[2]);
    expect(spreads.slice(3)).toEqual([0, 0]);
    expect(await left({ overall: 0.5 })).toBeGreaterThan(0.4);
    const none = await retoucher.bakeLut(latents, { monochrome: true, strength: { overall: 0 }, size: 9 });
    expect(none.data).toEqual(Lut3D.identity(9).data);
  });

  test('other retouches are as they were', async () => {
    const result = await retoucher.param(parametersFromSliders({ Saturation: -99 }), {
      wordless: retoucher.capabilities.pictureFirst,
    });
    expect(result).not.toHaveProperty('monochrome');
  });

  (name === 'shipped' ? test : test.skip)('the mix makes its hues lighter and darker, as it says', async () => {
    const plain = parsePreset(bytesOf(xmp({ ConvertToGrayscale: 'True', Contrast2012: '+35' })));
    // Strong and pale: red and blue.
    const colours = Float32Array.from([0.8, 0.15, 0.15, 0.15, 0.25, 0.8, 0.7, 0.4, 0.4, 0.4, 0.45, 0.7]);
    const [mixed, unmixed] = await Promise.all(
      [PRESET, plain].map(async ({ parameters }) =>
        retoucher.renderColours(colours, await retoucher.sliders(parameters), { monochrome: true }),
      ),
    );
    const lifts = [0, 3, 6, 9].map((i) => mixed[i] - unmixed[i]);
    expect(lifts[0]).toBeGreaterThan(0.02);
    expect(lifts[1]).toBeLessThan(-0.02);
    expect(lifts[2]).toBeGreaterThan(0.01);
    expect(lifts[3]).toBeLessThan(-0.01);
  });
});

test('the gray has the luminance of the color', () => {
  const colours = Float32Array.from([1, 0, 0, 0, 1, 0, 1, 1, 1, 0, 0, 0, 0.5, 0.5, 0.5]);
  takeColorOut(colours, 1);
  // 0.2126 and 0.7152 encoded: IEC 61966-2-1.
  for (const [i, gray] of [0.4984, 0.8626, 1, 0, 0.5].entries()) {
    expect(colours[3 * i]).toBeCloseTo(gray, 3);
    expect(spread(colours.subarray(3 * i, 3 * i + 3))).toBe(0);
  }
});

test('it is Saturation at its end that asks for it, and nothing else', () => {
  for (const [sliders, expected] of [
    [{ Saturation: -100 }, true],
    [{ Saturation: -99.9 }, false],
    [{ Vibrance: -100 }, false],
    [{}, false],
  ] as const) {
    expect(isMonochromeSliders(sliders)).toBe(expected);
    expect(isMonochrome(parametersFromSliders(sliders))).toBe(expected);
  }
});
