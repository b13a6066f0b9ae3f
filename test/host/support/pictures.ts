import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { Lut3D } from '../../../src/color';

/** A temporary folder for one test file, removed at its end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'veraretouch-test-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Smooth in x and y with some fine detail: no two rows alike. 8-bit RGB or RGBA. */
export function gradient(width: number, height: number, channels: 3 | 4 = 3): Uint8Array {
  const data = new Uint8Array(width * height * channels);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      data[i++] = (255 * x) / Math.max(1, width - 1);
      data[i++] = (255 * y) / Math.max(1, height - 1);
      data[i++] = (x * 7 + y * 13) % 256;
      if (channels === 4) data[i++] = (x + y) % 3 === 0 ? 255 : (x * 5) % 256;
    }
  }
  return data;
}

export function gradient16(width: number, height: number, channels: 3 | 4 = 3): Uint16Array {
  return Uint16Array.from(gradient(width, height, channels), (value, i) => value * 257 - (value > 0 ? i % 129 : 0));
}

export function image(data: Uint8Array | Uint16Array, width: number, height: number, channels: 3 | 4 = 3): Sharp {
  const picture = sharp(data, { raw: { width, height, channels } });
  return data instanceof Uint16Array ? picture.toColourspace('rgb16') : picture;
}

/** A visible retouch that is no matrix and no curve alone. */
export function warmLut(size = 17): Lut3D {
  return Lut3D.bake(size, (r, g, b) => [
    Math.min(1, 0.05 + 0.95 * Math.sqrt(r)),
    0.9 * g + 0.1 * r * b,
    b * b * 0.8 + 0.1 * r,
  ]);
}
