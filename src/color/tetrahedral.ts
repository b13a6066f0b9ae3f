import { ColorError } from './errors';
import { byteLoop, clipLoop, floatLoop, wordLoop } from './loops';
import { checkPixels, kindOf } from './pixels';
import { simdKernel } from './simd/simdKernel';
import { type LutTables } from './tables';

/** Pixel storage `Lut3D.apply` accepts. */
export type PixelArray = Uint8Array | Uint8ClampedArray | Uint16Array | Float32Array;

/** A rectangle of an image, in whole pixels; rows from the top. */
export interface Tile {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Pixels in a row of the whole image. */
  readonly imageWidth: number;
}

export interface ApplyOptions<T extends PixelArray> {
  /** Where to write: same type and length as the source. Default: in place. */
  readonly destination?: T;
  /** The value that means 1.0 in a Uint16Array: 65535 (default) or 32768. */
  readonly maximum?: 65535 | 32768;
  /** The part of the image to work on; what lies outside is neither read nor written. Default: all of it. */
  readonly tile?: Tile;
}

/** One colour; see `Lut3D.sample`. */
export function interpolate(
  data: Float32Array,
  size: number,
  r: number,
  g: number,
  b: number,
): [number, number, number] {
  const color = new Float32Array([r, g, b]);
  floatLoop(data, size, color, color, 3);
  return [color[0], color[1], color[2]];
}

/** See `Lut3D.apply`. */
export function applyTetrahedral<T extends PixelArray>(
  tables: LutTables,
  pixels: T,
  channels: 3 | 4,
  options: ApplyOptions<T>,
): T {
  const destination = options.destination ?? pixels;
  const maximum = checkPixels(pixels, channels, options.maximum);
  const kind = kindOf(pixels);
  if (kindOf(destination) !== kind || destination.length !== pixels.length) {
    throw new ColorError(
      'BAD_ARGUMENT',
      `The destination must be a ${kind} of length ${pixels.length}, ` +
        `got a ${kindOf(destination)} of length ${destination.length}.`,
    );
  }
  const apply = loopFor(tables, kind, maximum, channels);
  if (!options.tile) {
    apply(pixels, destination);
    return destination;
  }
  const { x, y, width, height, imageWidth } = checkTile(options.tile, pixels.length / channels);
  for (let row = y; row < y + height; row++) {
    const from = (row * imageWidth + x) * channels;
    const to = from + width * channels;
    apply(pixels.subarray(from, to), destination.subarray(from, to));
  }
  return destination;
}

/** The loop for pixels of one kind; SIMD and plain loops give the same values. */
function loopFor(
  tables: LutTables,
  kind: string,
  maximum: number,
  channels: 3 | 4,
): (source: PixelArray, target: PixelArray) => void {
  const { data, size } = tables;
  if (kind === 'Float32Array') {
    return tables.isIdentity()
      ? (source, target) => {
          clipLoop(source as Float32Array, target as Float32Array, channels);
        }
      : (source, target) => {
          floatLoop(data, size, source as Float32Array, target as Float32Array, channels);
        };
  }
  const simd = simdKernel();
  if (kind === 'Uint16Array') {
    const table = tables.wide();
    const top = maximum as 65535 | 32768;
    return (source, target) => {
      const [from, to] = [source as Uint16Array, target as Uint16Array];
      if (simd) simd.words(table, top, size, from, to, channels);
      else wordLoop(table, size, from, to, channels, top);
    };
  }
  const table = tables.bytes();
  return (source, target) => {
    const [from, to] = [bytes(source), bytes(target)];
    if (simd) simd.bytes(table, size, from, to, channels);
    else byteLoop(table, size, from, to, channels);
  };
}

/** The same memory without Uint8ClampedArray's own rounding, which would round a second time. */
function bytes(pixels: PixelArray): Uint8Array {
  return new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.length);
}

function checkTile(tile: Tile, pixels: number): Tile {
  const { x, y, width, height, imageWidth } = tile;
  const whole = [x, y, width, height, imageWidth].every((value) => Number.isInteger(value) && value >= 0);
  if (!whole || imageWidth === 0 || pixels % imageWidth !== 0) {
    throw new ColorError(
      'BAD_ARGUMENT',
      `A tile needs whole numbers from 0 on and rows of ${imageWidth} pixels that make up ${pixels} pixels.`,
    );
  }
  const imageHeight = pixels / imageWidth;
  if (x + width > imageWidth || y + height > imageHeight) {
    throw new ColorError(
      'BAD_ARGUMENT',
      `The tile of ${width} x ${height} pixels at (${x},${y}) lies outside an image of ${imageWidth} x ${imageHeight}.`,
    );
  }
  return tile;
}
