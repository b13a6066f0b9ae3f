import { HostError } from '../errors';
import { type DocumentInfo, type PickedFile } from '../panelHost';

/** Canvases of browsers end here (Chromium 16,384 a side, Safari 16,384 and 268 megapixels); a PSD at 30,000. */
const MAX_SIDE = 16384;
const MAX_PIXELS = 110e6;

/** Neutral middle grey shows through transparent places: it is neither bright, dark nor coloured. */
const BEHIND = 'rgb(128, 128, 128)';

/** 8-bit sRGB, RGBA, rows from the top. */
export interface Band {
  readonly top: number;
  readonly rows: number;
  readonly data: Uint8ClampedArray;
}

/** A photo that was opened: its file, decoded anew whenever pixels are wanted, so that it holds no memory between. */
export class BrowserDocument {
  readonly info: DocumentInfo;

  private constructor(
    readonly id: string,
    readonly name: string,
    private readonly file: Blob,
    readonly width: number,
    readonly height: number,
  ) {
    const description = 'RGB, 8 bits, sRGB';
    this.info = { id, name, width, height, description };
  }

  /** Throws HostError PHOTO_NOT_AN_IMAGE or PHOTO_TOO_LARGE. */
  static async open(id: string, { name, bytes }: PickedFile): Promise<BrowserDocument> {
    const file = new Blob([bytes as Uint8Array<ArrayBuffer>]);
    const bitmap = await decode(name, file);
    const { width, height } = bitmap;
    bitmap.close();
    if (Math.max(width, height) > MAX_SIDE || width * height > MAX_PIXELS) {
      throw new HostError(
        'PHOTO_TOO_LARGE',
        `“${name}” has ${width} x ${height} pixels, more than a browser’s canvas holds. It was not opened.`,
        'Retouch a smaller copy, save the .cube file, and apply that to the large photo in your editor.',
      );
    }
    return new BrowserDocument(id, name, file, width, height);
  }

  /** The photo's name without its extension. */
  get title(): string {
    return this.name.replace(/\.[^.]{1,5}$/, '') || 'photo';
  }

  /** RGB, the long edge at most `longEdge`. */
  async proxy(longEdge: number): Promise<{ width: number; height: number; data: Uint8Array }> {
    const bitmap = await decode(this.name, this.file);
    const scale = Math.min(1, longEdge / Math.max(this.width, this.height));
    const width = Math.max(1, Math.round(this.width * scale));
    const height = Math.max(1, Math.round(this.height * scale));
    const context = contextOf(width, height);
    context.fillStyle = BEHIND;
    context.fillRect(0, 0, width, height);
    context.imageSmoothingQuality = 'high';
    context.drawImage(bitmap, 0, 0, width, height);
    bitmap.close();
    const { data } = context.getImageData(0, 0, width, height);
    const rgb = new Uint8Array(width * height * 3);
    for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
      rgb[to] = data[from]!;
      rgb[to + 1] = data[from + 1]!;
      rgb[to + 2] = data[from + 2]!;
    }
    return { width, height, data: rgb };
  }

  /** All pixels, some rows at a time. */
  async *bands(rowsPerBand: number): AsyncGenerator<Band, void> {
    const bitmap = await decode(this.name, this.file);
    try {
      const context = contextOf(this.width, Math.min(rowsPerBand, this.height));
      for (let top = 0; top < this.height; top += rowsPerBand) {
        const rows = Math.min(rowsPerBand, this.height - top);
        context.clearRect(0, 0, this.width, rows);
        context.drawImage(bitmap, 0, -top);
        yield { top, rows, data: context.getImageData(0, 0, this.width, rows).data };
      }
    } finally {
      bitmap.close();
    }
  }
}

export function contextOf(width: number, height: number): CanvasRenderingContext2D {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', { willReadFrequently: true, colorSpace: 'srgb' });
  if (context) return context;
  throw new HostError(
    'PHOTO_TOO_LARGE',
    `The browser has no memory for a picture of ${width} x ${height} pixels. Nothing was changed.`,
    'Close other pages, or retouch a smaller copy.',
  );
}

async function decode(name: string, file: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch (cause) {
    throw new HostError(
      'PHOTO_NOT_AN_IMAGE',
      `“${name}” is no picture that this browser can read. It was not opened.`,
      'JPEG, PNG, WebP and AVIF are read; save it as one of these.',
      cause,
    );
  }
}
