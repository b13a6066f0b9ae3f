import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { throwIfCancelled } from '../../cancel';
import { HostCancelledError, HostError } from '../../errors';
import { MAX_PIXELS, MAX_SIDE, UNTOUCHED, checkSize, damaged, quoted, reason } from '../photoErrors';
import { type CodedColours } from '../photoKind';

/** Name of the thread's program beside this file, and beside that of the command line, where webpack puts it. */
const PROGRAM = 'decodeWorker.cjs';
/** The largest raw files, of 150 megapixels, have some 300 MB. */
const MAX_BYTES = 512 << 20;

/** A decoded picture, upright: width * height * channels samples, by row, of 8 bits or spread over 16. */
export interface DecodedPicture {
  readonly kind: 'picture';
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  readonly data: Uint8Array | Uint16Array;
  /** HEIC. */
  readonly icc?: Uint8Array;
  readonly coded?: CodedColours;
  readonly exif?: Uint8Array;
  readonly xmp?: Uint8Array;
  readonly pictures?: number;
  /** Raw: maker and model. */
  readonly camera?: string;
}

/** The JPEG that a camera put beside raw pixels which cannot be decoded. */
export interface Preview {
  readonly kind: 'preview';
  readonly bytes: Uint8Array;
  /** Clockwise degrees that bring it upright, where it does not say so itself. */
  readonly turn: 0 | 90 | 180 | 270;
  /** Width and height of the raw pixels. */
  readonly sensor: readonly [number, number];
}

type Refusal =
  | { readonly kind: 'too-large'; readonly width: number; readonly height: number }
  | { readonly kind: 'too-long'; readonly bytes: number }
  | { readonly kind: 'unsupported' | 'damaged' | 'memory'; readonly reason: string }
  | { readonly kind: 'high-dynamic-range' };

export type DecoderReply = DecodedPicture | Preview | Refusal;

export interface DecodeRequest {
  readonly kind: 'raw' | 'heic';
  readonly file: string;
  /** Raw: 65,536 values, linear light -> what is stored. */
  readonly curve?: Uint16Array;
}

/** What the decoder makes of a file, on a thread that ends with it or when the signal fires. */
async function ask(request: DecodeRequest, signal?: AbortSignal): Promise<DecoderReply> {
  throwIfCancelled(signal);
  const limits = { bytes: MAX_BYTES, pixels: MAX_PIXELS, side: MAX_SIDE };
  const thread = new Worker(path.join(__dirname, PROGRAM), { workerData: { ...request, limits }, execArgv: [] });
  let stop = (): void => undefined;
  try {
    return await new Promise<DecoderReply>((resolve, reject) => {
      stop = () => {
        reject(new HostCancelledError());
      };
      signal?.addEventListener('abort', stop, { once: true });
      thread.on('message', resolve);
      thread.on('error', (cause) => {
        resolve({ kind: 'damaged', reason: reason(cause) });
      });
      thread.on('exit', () => {
        resolve({ kind: 'damaged', reason: 'the decoder gave up on it' });
      });
    });
  } finally {
    signal?.removeEventListener('abort', stop);
    await thread.terminate();
  }
}

/**
 * The decoded picture, or for a raw file the camera's own preview. `name` is what the format is called in messages,
 * `wayOut` what to do about one that is not read. Throws HostError PHOTO_*, HostCancelledError.
 */
export async function decode(
  request: DecodeRequest,
  { name, wayOut }: { name: string; wayOut: string },
  signal?: AbortSignal,
): Promise<DecodedPicture | Preview> {
  const { file } = request;
  const reply = await ask(request, signal);
  switch (reply.kind) {
    case 'picture':
    case 'preview':
      return reply;
    case 'too-large':
      checkSize(file, reply);
      throw damaged(file, `it says that it has ${reply.width} x ${reply.height} pixels`);
    case 'too-long':
      throw new HostError(
        'PHOTO_TOO_LARGE',
        `${quoted(file)} has ${Math.ceil(reply.bytes / 2 ** 20)} MB; as ${name} at most ${MAX_BYTES / 2 ** 20} MB are read. ${UNTOUCHED}`,
        wayOut,
      );
    case 'unsupported':
      throw new HostError(
        'PHOTO_FORMAT',
        `${quoted(file)} is ${name} of a kind that the decoder does not know (${reply.reason.trim()}). ${UNTOUCHED}`,
        wayOut,
      );
    case 'memory':
      throw new HostError(
        'PHOTO_TOO_LARGE',
        `${quoted(file)} needs more memory than the decoder for ${name} can have (2 GB). ${UNTOUCHED}`,
        wayOut,
      );
    case 'high-dynamic-range':
      throw new HostError(
        'PHOTO_FORMAT',
        `${quoted(file)} is a picture of high dynamic range (PQ or HLG), which is not read. ${UNTOUCHED}`,
        'Export it for standard screens, as 16-bit TIFF or PNG, and try again.',
      );
    case 'damaged':
      throw damaged(file, reply.reason.trim().replace(/\.$/, ''));
  }
}
