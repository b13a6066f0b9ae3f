import { writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { type Sharp } from 'sharp';
import { VeraRetouchError } from '../../src/color';
import { readPhoto } from '../../src/host/files/photo';
import { changed } from '../support/changed';
import { gradient, image, temporaryFolder } from './support/pictures';

/* 2,000 damaged photos of each format, from the file's first byte to pixels: none may end the process or keep it busy. */
jest.setTimeout(600000);
const folder = temporaryFolder();
const file = path.join(folder, 'photo');
const [WIDTH, HEIGHT] = [32, 24];

const FORMATS: [string, (picture: Sharp) => Sharp][] = [
  ['jpeg', (picture) => picture.jpeg({ quality: 80 })],
  ['png', (picture) => picture.png()],
  ['png, 16 bits', (picture) => picture.toColourspace('rgb16').png()],
  ['tiff', (picture) => picture.tiff({ compression: 'lzw' })],
  ['webp', (picture) => picture.webp({ lossless: true })],
  ['avif', (picture) => picture.avif({ quality: 50, effort: 0 })],
];

test.each(FORMATS)('%s', async (_name, write) => {
  const picture = image(gradient(WIDTH, HEIGHT), WIDTH, HEIGHT).withExif({ IFD0: { Artist: 'A. Photographer' } });
  const whole = await write(picture.withIccProfile('p3')).toBuffer();
  let read = 0;
  const check = async (bytes: Uint8Array): Promise<void> => {
    writeFileSync(file, bytes);
    try {
      const { pixels } = await readPhoto(file);
      expect(pixels.data).toHaveLength(pixels.width * pixels.height * pixels.channels);
      read++;
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(VeraRetouchError);
    }
  };
  await check(whole);
  expect(read).toBe(1);
  await fc.assert(fc.asyncProperty(changed(whole), check), { numRuns: 2000, seed: 5 });
});
