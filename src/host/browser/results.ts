import { type Lut3D } from '../../color/lut3d';
import { SRGB, deviceLinkProfile, writeMatrixProfile } from '../../color/icc';
import { formatCubeBytes } from '../../color/cube-write';
import { breathe, throwIfCancelled } from '../cancel';
import { packMerged, packPixels, psdParts } from '../files/psd';
import { xmpPacket } from '../files/xmp';
import { HostError } from '../errors';
import { type PanelRetouch } from '../panelHost';
import { type BrowserDocument, contextOf } from './document';
import { withXmp } from './pngXmp';

/** Pixels between two looks at the signal: some tens of milliseconds of work. */
const PIXELS_PER_BAND = 2e6;

export interface ResultOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((share: number) => void) | undefined;
}

export function cubeFile(photo: BrowserDocument, lut: Lut3D): Uint8Array {
  const comments = ['Input and output: sRGB, encoded values, full range.'];
  return formatCubeBytes(lut, { title: `VeraRetouch ${photo.title} (sRGB)`, comments });
}

/** Original below; above it, in a group, a Color Lookup layer and the retouched pixels. The reasoning is in its XMP. */
export async function psdFile(
  photo: BrowserDocument,
  lut: Lut3D,
  retouch: PanelRetouch,
  options: ResultOptions,
): Promise<Uint8Array[]> {
  const { signal, onProgress } = options;
  const { width, height } = photo;
  const before = await allPixels(photo, signal);
  onProgress?.(0.2);
  const hasAlpha = before.some((value, i) => i % 4 === 3 && value !== 255);
  const pixels = { width, height, channels: 4 as const, data: before };
  const original = await packPixels(pixels, signal);
  onProgress?.(0.4);
  await applyInPlace(lut, before, signal);
  onProgress?.(0.6);
  const retouched = await packPixels(pixels, signal);
  const merged = hasAlpha ? await packMerged(pixels, retouched, signal) : undefined;
  onProgress?.(0.9);
  const xmp = xmpPacket({ title: photo.title, story: retouch.story, provenance: retouch.provenance });
  const title = `VeraRetouch ${photo.title} (sRGB)`;
  return psdParts({
    width,
    height,
    hasAlpha,
    original,
    retouched,
    merged,
    cube: cubeFile(photo, lut),
    cubeName: `${photo.title}.cube`,
    deviceLink: deviceLinkProfile(lut, { form: 'mft2', description: title }),
    profile: writeMatrixProfile(SRGB),
    xmp,
    groupXmp: xmp,
    exif: undefined,
    iptc: undefined,
    density: undefined,
  });
}

/** By the browser's own encoder, with the reasoning as XMP. */
export async function pngFile(
  photo: BrowserDocument,
  lut: Lut3D,
  retouch: PanelRetouch,
  { signal, onProgress }: ResultOptions,
): Promise<Uint8Array[]> {
  const context = contextOf(photo.width, photo.height);
  for await (const { top, rows, data } of photo.bands(rowsOf(photo))) {
    await breathe(signal);
    lut.apply(data, 4);
    context.putImageData(new ImageData(data as Uint8ClampedArray<ArrayBuffer>, photo.width, rows), 0, top);
    onProgress?.((0.6 * (top + rows)) / photo.height);
  }
  const blob = await new Promise<Blob | null>((resolve) => {
    context.canvas.toBlob(resolve, 'image/png');
  });
  throwIfCancelled(signal);
  if (!blob) {
    throw new HostError('OUTPUT_WRITE', 'The browser could not encode the PNG. Nothing was saved.', 'Save a PSD.');
  }
  const xmp = xmpPacket({ title: photo.title, story: retouch.story, provenance: retouch.provenance });
  return withXmp(new Uint8Array(await blob.arrayBuffer()), xmp);
}

async function allPixels(photo: BrowserDocument, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const pixels = new Uint8Array(photo.width * photo.height * 4);
  for await (const { top, data } of photo.bands(rowsOf(photo))) {
    await breathe(signal);
    pixels.set(data, top * photo.width * 4);
  }
  return pixels;
}

async function applyInPlace(lut: Lut3D, pixels: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
  for (let at = 0; at < pixels.length; at += 4 * PIXELS_PER_BAND) {
    await breathe(signal);
    lut.apply(pixels.subarray(at, at + 4 * PIXELS_PER_BAND), 4);
  }
}

function rowsOf(photo: BrowserDocument): number {
  return Math.max(1, Math.floor(PIXELS_PER_BAND / photo.width));
}
