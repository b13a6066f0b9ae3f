/** A picture of 8-bit RGB, rows from the top, pixels interleaved, three bytes each. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** Where a picture lies on a larger black canvas. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
}

export type Filter = 'bilinear' | 'bicubic' | 'lanczos';

interface Kernel {
  /** Distance from the centre, in pixels of the coarser grid, beyond which nothing is weighed. */
  readonly support: number;
  /** Of a pixel at a distance within the support. */
  weight(distance: number): number;
}

const KERNELS: Readonly<Record<Filter, Kernel>> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: cubic },
  lanczos: { support: 3, weight: (x) => sinc(x) * sinc(x / 3) },
};

/** Weights are whole numbers in units of 2^-22: the sum of 255 times them, overshoot included, still fits 32 bits. */
const FRACTION_BITS = 22;
const HALF = 1 << (FRACTION_BITS - 1);

/** The weights of one axis: output i takes `count[i]` inputs from `first[i]` on. */
interface Taps {
  readonly width: number;
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** Output i's weights begin at i * width. */
  readonly weights: Int32Array;
}

/**
 * Resizes as Pillow does with 8-bit pictures, to the last bit: separable, the filter widened by the scale where the
 * picture shrinks (so nothing aliases), fixed-point weights, one axis after the other, rounded to 8 bits in between.
 * Rows come first; from Pillow 13 on, columns do where that takes away much more than rows would.
 *
 * With `canvas` the picture is taken as lying on a black one of that size, which is never made. Returns `width` x
 * `height` pixels of RGB.
 */
export function resizePicture(
  picture: Picture,
  width: number,
  height: number,
  filter: Filter,
  canvas: Canvas = { width: picture.width, height: picture.height, left: 0, top: 0 },
): Picture {
  const columns = tapsOf(canvas.width, width, KERNELS[filter], canvas.left, picture.width);
  const rows = tapsOf(canvas.height, height, KERNELS[filter], canvas.top, picture.height);
  const fewerRows = canvas.height - height;
  if (fewerRows > 0 && fewerRows > 2 * (canvas.width - width)) {
    return alongRows(downColumns(picture, rows, height), columns, width);
  }
  return downColumns(alongRows(picture, columns, width), rows, height);
}

/**
 * Weights of `out` cells over `length` pixels, of which only those from `offset` to `offset + own` are not black: taps on
 * the others are left out, their part of the sum stays so.
 */
function tapsOf(length: number, out: number, kernel: Kernel, offset: number, own: number): Taps {
  const scale = length / out;
  const widened = Math.max(1, scale);
  const reach = kernel.support * widened;
  const most = 2 * Math.ceil(reach) + 1;
  const taps = {
    width: most,
    first: new Int32Array(out),
    count: new Int32Array(out),
    weights: new Int32Array(out * most),
  };
  const exact = new Float64Array(most);
  for (let i = 0; i < out; i++) {
    const centre = (i + 0.5) * scale;
    const from = Math.max(0, Math.trunc(centre - reach + 0.5));
    const to = Math.min(length, Math.trunc(centre + reach + 0.5));
    let sum = 0;
    for (let k = 0; k < to - from; k++) {
      exact[k] = kernel.weight((k + from - centre + 0.5) * (1 / widened));
      sum += exact[k];
    }
    const first = Math.min(Math.max(from, offset), offset + own);
    const count = Math.max(0, Math.min(to, offset + own) - first);
    taps.first[i] = first - offset;
    taps.count[i] = count;
    for (let k = 0; k < count; k++) {
      const weight = sum === 0 ? 0 : exact[first - from + k] / sum;
      taps.weights[i * most + k] = roundAway(weight * (1 << FRACTION_BITS));
    }
  }
  return taps;
}

function alongRows({ width: inWidth, height, data }: Picture, taps: Taps, outWidth: number): Picture {
  const { first, count, weights, width: stride } = taps;
  const out = new Uint8Array(3 * outWidth * height);
  let at = 0;
  for (let y = 0; y < height; y++) {
    const row = 3 * inWidth * y;
    for (let x = 0; x < outWidth; x++) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let pixel = row + 3 * first[x];
      const end = x * stride + count[x];
      for (let k = x * stride; k < end; k++, pixel += 3) {
        const weight = weights[k];
        red = (red + data[pixel] * weight) | 0;
        green = (green + data[pixel + 1] * weight) | 0;
        blue = (blue + data[pixel + 2] * weight) | 0;
      }
      out[at] = toByte(red);
      out[at + 1] = toByte(green);
      out[at + 2] = toByte(blue);
      at += 3;
    }
  }
  return { width: outWidth, height, data: out };
}

function downColumns({ width, data }: Picture, taps: Taps, outHeight: number): Picture {
  const { first, count, weights, width: stride } = taps;
  // Values of a row: colours need no telling apart here.
  const line = 3 * width;
  const out = new Uint8Array(line * outHeight);
  const sums = new Int32Array(line);
  for (let y = 0; y < outHeight; y++) {
    sums.fill(HALF);
    for (let k = 0; k < count[y]; k++) {
      const weight = weights[y * stride + k];
      const row = (first[y] + k) * line;
      for (let x = 0; x < line; x++) sums[x] += data[row + x] * weight;
    }
    for (let x = 0; x < line; x++) out[y * line + x] = toByte(sums[x]);
  }
  return { width, height: outHeight, data: out };
}

function toByte(sum: number): number {
  const value = sum >> FRACTION_BITS;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** To the nearest whole number, halves away from 0. */
function roundAway(value: number): number {
  return Math.trunc(value < 0 ? value - 0.5 : value + 0.5);
}

/** Keys' cubic convolution with a = -1/2. */
function cubic(distance: number): number {
  const a = -0.5;
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}
