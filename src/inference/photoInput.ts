import { InputError } from './errors';
import type { PhotoInput, ReferenceInput } from './manifest2';
import { resizePicture, type Picture } from './pilResize';
import { checkImage, preprocessImage, type RgbImage } from './preprocess';

/** A photo longer than this many times its width would become a picture that no memory holds. */
const LONGEST = 100;

/**
 * A photo as the vision graph takes it: [3, size, size] in [0, 1], planes red, green, blue.
 * Throws InputError INPUT_IMAGE.
 */
export function photoValues(image: RgbImage, input: PhotoInput): Float32Array {
  checkPhoto(image, input);
  if (input.kind === 'squash') return preprocessImage(image, input.size);
  return planes(letterbox(rgbOf(image), input.shortEdge, input.size), 'rgb');
}

/** Refuses a photo that `photoValues` would refuse. Throws InputError INPUT_IMAGE. */
export function checkPhoto(image: RgbImage, { kind }: PhotoInput): void {
  checkImage(image);
  const { width, height } = image;
  if (kind !== 'letterbox' || Math.max(width, height) <= LONGEST * Math.min(width, height)) return;
  throw new InputError(
    'INPUT_IMAGE',
    `The photo of ${width} x ${height} pixels is too narrow for this model. Nothing was retouched.`,
    `Crop it until its long edge is at most ${LONGEST} times its short one.`,
  );
}

/** One photo of a reference pair as the encoder takes it: [3, size, size] in [0, 1]. Throws InputError INPUT_IMAGE. */
export function referenceValues(image: RgbImage, input: ReferenceInput): Float32Array {
  if (input.kind === 'squash') return preprocessImage(image, input.size);
  checkImage(image);
  const { size, channels } = input;
  return planes(resizePicture(rgbOf(image), size, size, 'bilinear'), channels);
}

/**
 * Resizes the short edge to `shortEdge` (Lanczos; the long one is cut to whole pixels), puts that in the middle of a
 * black square, half a pixel to the left or top where it must be, and resizes the square to `size` (bicubic).
 */
export function letterbox(picture: Picture, shortEdge: number, size: number): Picture {
  const { width, height } = picture;
  const scale = shortEdge / Math.min(width, height);
  const long = Math.trunc(Math.max(width, height) * scale);
  const [w, h] = width <= height ? [shortEdge, long] : [long, shortEdge];
  const small = resizePicture(picture, w, h, 'lanczos');
  const edge = Math.max(w, h);
  const canvas = { width: edge, height: edge, left: (edge - w) >> 1, top: (edge - h) >> 1 };
  return resizePicture(small, size, size, 'bicubic', canvas);
}

function rgbOf(image: RgbImage): Picture {
  const { width, height, data } = image;
  if (checkImage(image) === 3) return { width, height, data };
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb[to] = data[from];
    rgb[to + 1] = data[from + 1];
    rgb[to + 2] = data[from + 2];
  }
  return { width, height, data: rgb };
}

/** Interleaved bytes -> planes in [0, 1], in the order of `channels`. */
function planes({ width, height, data }: Picture, channels: 'rgb' | 'bgr'): Float32Array {
  const plane = width * height;
  const values = new Float32Array(3 * plane);
  for (let c = 0; c < 3; c++) {
    const from = channels === 'rgb' ? c : 2 - c;
    for (let i = 0; i < plane; i++) values[c * plane + i] = data[3 * i + from] / 255;
  }
  return values;
}
