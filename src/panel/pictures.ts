import { type PickedFile } from '../host/panelHost';
import { PanelError } from './errors';
import { type Picture } from './state';

/** A picture for the model's eyes: RGB, at most as large as a proxy. */
export async function readPicture({ name, bytes }: PickedFile, longEdge: number): Promise<Picture> {
  let bitmap: ImageBitmap;
  try {
    const blob = new Blob([bytes as Uint8Array<ArrayBuffer>]);
    bitmap = await createImageBitmap(blob, { imageOrientation: 'from-image' });
  } catch (cause) {
    throw new PanelError(
      'PICTURE',
      `“${name}” is no picture that can be read here. Nothing was changed.`,
      'Choose a JPEG, PNG, WebP or AVIF file.',
      cause,
    );
  }
  const scale = Math.min(1, longEdge / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  context.fillStyle = 'rgb(128, 128, 128)';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  return { name, width, height, data };
}

/** RGB or RGBA as opaque RGBA, for canvases and for the GPU's kernel. */
export function toRgba({ width, height, data }: { width: number; height: number; data: ArrayLike<number> }) {
  const rgba = new Uint8ClampedArray(width * height * 4);
  const channels = data.length / (width * height);
  for (let from = 0, to = 0; to < rgba.length; from += channels, to += 4) {
    rgba[to] = data[from]!;
    rgba[to + 1] = data[from + 1]!;
    rgba[to + 2] = data[from + 2]!;
    rgba[to + 3] = 255;
  }
  return rgba;
}

/** Paints pixels onto a canvas, which takes their size. */
export function paintRgba(canvas: HTMLCanvasElement, rgba: Uint8ClampedArray, width: number, height: number): void {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  canvas.getContext('2d')!.putImageData(new ImageData(rgba as Uint8ClampedArray<ArrayBuffer>, width, height), 0, 0);
}
