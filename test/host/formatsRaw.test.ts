import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { ADOBE_RGB, makeTransfer, parseProfile } from '../../src/color/icc';
import { toneCurve } from '../../src/host/files/formats/rawPhoto';
import { rawsBesidePictures } from '../../src/host/files/formats/rawPairs';
import { readPhoto } from '../../src/host/files/photo';
import { type DngOptions, type Scene, dng } from './support/dng';
import { image, temporaryFolder } from './support/pictures';
import { refusal } from './support/refusal';

/* Camera raw files, developed by LibRaw on a thread. The DNGs are made here, with pixels that are known. */
jest.setTimeout(120000);
const folder = temporaryFolder();
const at = (name: string): string => path.join(folder, name);
const encode = makeTransfer(ADOBE_RGB.curves[0])!;

function written(scene: Scene, options?: DngOptions, name = 'photo.dng'): string {
  writeFileSync(at(name), dng(scene, options));
  return at(name);
}

async function pixelOf(file: string, x: number, y: number): Promise<number[]> {
  const { pixels } = await readPhoto(file);
  return [...pixels.data.subarray((y * pixels.width + x) * 3, (y * pixels.width + x) * 3 + 3)];
}

/** Linear light -> what the product makes of it: 1 - (1 - x)^k by Adobe RGB's curve. */
function developed(light: number, k = Math.log(0.82) / Math.log(0.873)): number {
  return 65535 * encode.fromLinear(1 - (1 - light) ** k);
}

const gray =
  (light: number): Scene =>
  () => [light, light, light];

test("gray stays gray by the camera's white balance, by the curve that is said, 16 bits", async () => {
  for (const light of [0.02, 0.127, 0.5, 0.85]) {
    const { pixels, notes } = await readPhoto(written(gray(light)));
    expect(pixels).toMatchObject({ width: 64, height: 48, channels: 3 });
    expect(pixels.data).toBeInstanceOf(Uint16Array);
    for (const value of pixels.data.subarray(3 * 64 * 20, 3 * 64 * 21)) {
      expect(Math.abs(value - developed(light))).toBeLessThan(150);
    }
    expect(notes.join()).toContain("camera's white balance");
  }
  // 18 percent gray, exposed as ISO 12232 says, is 18 percent gray.
  expect(developed(0.127) / 65535).toBeCloseTo(encode.fromLinear(0.18), 6);
});

test('black is black, what saturates is white', async () => {
  expect(await pixelOf(written(gray(0)), 30, 20)).toEqual([0, 0, 0]);
  expect(Math.min(...(await pixelOf(written(gray(1)), 30, 20)))).toBeGreaterThan(65000);
});

test('colors are in Adobe RGB, with its profile', async () => {
  const file = written(() => [0.05, 0.3, 0.1]);
  const { pixels, notes } = await readPhoto(file);
  expect(parseProfile(pixels.space!.profile)).toMatchObject({ known: 'adobe-rgb' });
  expect(notes.join()).toContain('Adobe RGB (1998); so are the results');
  // Linear sRGB -> linear Adobe RGB (IEC 61966-2-1, Adobe RGB (1998) 4.3.5).
  const [r, g, b] = [0.05, 0.3, 0.1];
  const adobe = [0.7152 * r + 0.2848 * g, g, 0.0412 * g + 0.9588 * b];
  (await pixelOf(file, 30, 20)).forEach((value, c) => {
    expect(Math.abs(value - developed(adobe[c]))).toBeLessThan(400);
  });
});

test('is turned upright', async () => {
  const left: Scene = (x) => (x < 32 ? [0.6, 0.6, 0.6] : [0.1, 0.1, 0.1]);
  const { pixels } = await readPhoto(written(left, { orientation: 6 }));
  expect([pixels.width, pixels.height]).toEqual([48, 64]);
  // Orientation 6: turned clockwise, so what is left comes to the top.
  expect(pixels.data[3 * (48 * 5 + 20)]).toBeGreaterThan(pixels.data[3 * (48 * 60 + 20)] * 2);
});

test("a DNG's BaselineExposure brightens, and white stays white", async () => {
  const k = Math.log(0.82) / Math.log(0.873);
  const [value] = await pixelOf(written(gray(0.1), { exposure: 1 }), 30, 20);
  expect(Math.abs(value - developed(0.1, 2 * k))).toBeLessThan(200);
  for (const exposure of [-9, -1, 0, 2, 50]) {
    const curve = toneCurve(exposure);
    expect([curve[0], curve[65535]]).toEqual([0, 65535]);
    expect(curve.every((entry, i) => i === 0 || entry >= curve[i - 1])).toBe(true);
  }
});

test('keeps its EXIF', async () => {
  const { metadata } = await readPhoto(written(gray(0.2)));
  const exif = Buffer.from(metadata.exif!).toString('latin1');
  expect(exif).toContain('Acme One');
  expect(exif).toContain('2024:05:06 07:08:09');
});

test.each(['renamed.tif', 'photo.NEF'])('is known by its contents or its name: %s', async (name) => {
  expect((await readPhoto(written(gray(0.2), {}, name))).pixels.width).toBe(64);
});

test('one whose raw pixels are not all there is refused as damaged', async () => {
  const whole = dng(gray(0.3), { stated: [64, 400] });
  for (const share of [0.3, 0.6, 1]) {
    writeFileSync(at('cut.dng'), whole.subarray(0, Math.floor(whole.length * share)));
    expect((await refusal(at('cut.dng'))).code).toMatch(/^PHOTO_(DAMAGED|FORMAT)$/);
  }
});

test('too many pixels are refused before memory is used for them', async () => {
  const error = await refusal(written(gray(0.3), { stated: [20000, 20000] }));
  expect(error).toMatchObject({ code: 'PHOTO_TOO_LARGE' });
  expect(error.message).toContain('20000 x 20000');
});

test('a coding that is not known is not called damaged, and names the way out', async () => {
  const error = await refusal(written(gray(0.3), { compression: 60000 }));
  expect(error).toMatchObject({ code: 'PHOTO_FORMAT' });
  expect(error.hint).toContain('16-bit TIFF');
});

test.each([
  [64, true],
  [32, true],
  [20, false],
])("then the camera's preview of %i of 64 pixels is read: %s", async (width, read) => {
  const height = (width * 3) / 4;
  const jpeg = await image(new Uint8Array(width * height * 3).fill(90), width, height)
    .jpeg()
    .toBuffer();
  const file = written(gray(0.3), { compression: 52546, orientation: 6, preview: { jpeg, width, height } });
  if (!read) {
    expect((await refusal(file)).message).toContain('too small');
    return;
  }
  const { pixels, notes } = await readPhoto(file);
  expect([pixels.width, pixels.height]).toEqual([height, width]);
  expect(Math.abs(pixels.data[100] - 90)).toBeLessThan(3);
  expect(notes.join()).toContain("the camera's own preview was read instead");
});

test('stops soon when the signal fires', async () => {
  const controller = new AbortController();
  const reading = readPhoto(written(gray(0.3)), controller.signal);
  setTimeout(() => {
    controller.abort();
  }, 20);
  await expect(reading).rejects.toMatchObject({ code: 'ABORT_ERR' });
});

test('a raw file beside the picture of its camera is the same photo', () => {
  const names = ['a.CR3', 'A.JPG', 'b.nef', 'b.tif', 'c.arw', 'c.hif', 'd.jpg', 'e.1.dng', 'e.1.jpeg', 'f.raf'];
  expect(rawsBesidePictures(names)).toEqual(['a.CR3', 'c.arw', 'e.1.dng']);
});
