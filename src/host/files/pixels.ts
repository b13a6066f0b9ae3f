import { type PhotoSpace } from './photoSpace';

/** Pixels of a photo in memory: interleaved, rows from the top, upright; sRGB unless `space` says otherwise. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  /** width * height * channels values; Uint8Array 0..255 or Uint16Array 0..65535. */
  readonly data: Uint8Array | Uint16Array;
  readonly space?: PhotoSpace | undefined;
}
