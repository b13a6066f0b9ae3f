import { type Proxy } from '../host';
import { profileOf } from './documents';
import { type Picture, readPicture } from './picture';
import { type ModalContext, type Photoshop, type PsDocument, type PsLayer } from './ports';
import { SRGB_PROFILE } from './space';

/** Neutral middle grey shows through transparent places: it is neither bright, dark nor coloured. */
const BEHIND = 128;

export interface ProxyOptions {
  readonly longEdge: number;
  /** A layer that is to be left out. */
  readonly hidden: PsLayer | undefined;
}

/** See HostDocument.readProxy. Within a modal scope only. */
export async function readProxyPixels(
  ps: Photoshop,
  document: PsDocument,
  context: ModalContext,
  { longEdge, hidden }: ProxyOptions,
): Promise<Proxy> {
  const profile = profileOf(ps, document) === '' ? undefined : SRGB_PROFILE;
  const read = (): Promise<Picture> => readPicture(ps, document, { longEdge, profile });
  return overGrey(hidden ? await without(document, hidden, context, read) : await read());
}

/** Hides the layer for as long as is read, and takes that back as if it had never been. */
async function without(
  document: PsDocument,
  layer: PsLayer,
  context: ModalContext,
  read: () => Promise<Picture>,
): Promise<Picture> {
  const suspension = await context.hostControl.suspendHistory({ documentID: document.id, name: 'Reading' });
  layer.visible = false;
  const picture = await read();
  layer.visible = true;
  await context.hostControl.resumeHistory(suspension, false);
  return picture;
}

function overGrey({ width, height, rgb, alpha }: Picture): Proxy {
  const data = new Uint8Array(rgb.length);
  for (let i = 0; i < data.length; i++) {
    data[i] = Math.round(BEHIND + ((rgb[i] - BEHIND) * alpha[Math.floor(i / 3)]) / 255);
  }
  return { width, height, data };
}

/** A checksum (FNV-1a) by which a picture is known again. */
export function lookOf({ width, height, data }: Proxy): number {
  let hash = 0x811c9dc5 ^ (width * 65537 + height);
  for (const value of data) hash = Math.imul(hash ^ value, 0x01000193);
  return hash >>> 0;
}
