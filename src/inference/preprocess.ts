import { InputError } from './errors';

/** A photo in memory: 8-bit sRGB, rows from the top, pixels interleaved as RGB or RGBA. Alpha is ignored. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/**
 * Squashes a photo to size x size by adaptive average pooling and scales to [0, 1]; works for up- and downsizing.
 *
 * Output cell i averages input rows floor(i*n/size) up to, but not including, ceil((i+1)*n/size), columns likewise:
 * the definition of PyTorch's adaptive_avg_pool2d, so that the model sees here what it saw in training.
 *
 * Returns [3, size, size] row-major (the planes red, green, blue). Throws InputError INPUT_IMAGE when the data do
 * not fit the stated width and height.
 */
export function preprocessImage(image: RgbImage, size: number): Float32Array {
  const channels = checkImage(image);
  const { width, height, data } = image;
  const columns = poolingRanges(width, size);
  const rows = poolingRanges(height, size);
  const plane = size * size;
  // Sums of at most 255 * pixels: exact in float64.
  const sums = new Float64Array(3 * plane);
  const line = new Float64Array(3 * size);
  let first = 0;
  for (let y = 0; y < height; y++) {
    sumColumns(data, y * width * channels, channels, columns, line);
    // Neighbouring cells share a row where height is no multiple of size, and all do when the photo is enlarged.
    while (rows.end[first] <= y) first++;
    for (let i = first; i < size && rows.start[i] <= y; i++) {
      for (let c = 0; c < 3; c++) {
        const target = c * plane + i * size;
        for (let j = 0; j < size; j++) sums[target + j] += line[c * size + j];
      }
    }
  }
  const pooled = new Float32Array(3 * plane);
  for (let i = 0; i < size; i++) {
    const rowCount = rows.end[i] - rows.start[i];
    for (let j = 0; j < size; j++) {
      const scale = 255 * rowCount * (columns.end[j] - columns.start[j]);
      for (let c = 0; c < 3; c++) pooled[c * plane + i * size + j] = sums[c * plane + i * size + j] / scale;
    }
  }
  return pooled;
}

/**
 * Checks a photo and returns how many channels its data hold, 3 or 4.
 * Throws InputError INPUT_IMAGE otherwise.
 */
export function checkImage(image: RgbImage): 3 | 4 {
  const { width, height, data } = image;
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw new InputError(
      'INPUT_IMAGE',
      `The photo is said to be ${width} x ${height} pixels. Nothing was retouched.`,
      'Width and height must be whole numbers from 1 up.',
    );
  }
  const channels = data.length / (width * height);
  if (channels === 3 || channels === 4) return channels;
  throw new InputError(
    'INPUT_IMAGE',
    `The photo of ${width} x ${height} pixels comes with ${data.length} bytes. Nothing was retouched.`,
    'Give 3 bytes (RGB) or 4 bytes (RGBA) for each pixel.',
  );
}

interface Ranges {
  readonly start: Int32Array;
  readonly end: Int32Array;
}

function poolingRanges(length: number, size: number): Ranges {
  const start = new Int32Array(size);
  const end = new Int32Array(size);
  for (let i = 0; i < size; i++) {
    start[i] = Math.floor((i * length) / size);
    end[i] = Math.ceil(((i + 1) * length) / size);
  }
  return { start, end };
}

/** Sums one row of pixels into cells: line[c * size + j] is the sum of channel c over the columns of cell j. */
function sumColumns(
  data: Uint8Array | Uint8ClampedArray,
  offset: number,
  channels: number,
  columns: Ranges,
  line: Float64Array,
): void {
  const size = columns.start.length;
  for (let j = 0; j < size; j++) {
    let red = 0;
    let green = 0;
    let blue = 0;
    const stop = offset + columns.end[j] * channels;
    for (let p = offset + columns.start[j] * channels; p < stop; p += channels) {
      red += data[p];
      green += data[p + 1];
      blue += data[p + 2];
    }
    line[j] = red;
    line[size + j] = green;
    line[2 * size + j] = blue;
  }
}
