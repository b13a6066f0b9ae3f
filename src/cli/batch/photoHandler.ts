import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { Lut3D } from '../../color';
import { throwIfCancelled } from '../../host/cancel';
import { FilesHost } from '../../host/files/filesHost';
import { type HostDocument, type Proxy } from '../../host/host';
import { type RecordParts, type RetouchRecord, makeRecord } from '../record';

/** Folder, in the folder of the results, of the small pictures of the contact sheet. */
export const SHEET_FOLDER = 'contact-sheet';
/** Long edge of a small picture: two beside each other on a page, sharp on dense screens. */
const SMALL = 640;

export interface OpenRequest {
  readonly file: string;
  /** Folder of the results. */
  readonly out: string;
  readonly longEdge: number;
}

export interface OpenedPhoto {
  readonly proxy: Proxy;
  readonly notes: readonly string[];
}

/** All values, no functions: it travels between threads. */
export interface ApplyRequest {
  /** sRGB to sRGB. */
  readonly lut: { readonly size: number; readonly data: Float32Array };
  readonly story: readonly string[];
  readonly provenance: unknown;
  /** Name of the results, chosen for this photo alone. */
  readonly name: string;
  readonly record: Omit<RecordParts, 'render' | 'write'>;
  /** Milliseconds of baking, which count as rendering. */
  readonly bakeMs: number;
}

export interface AppliedPhoto {
  readonly results: readonly string[];
  readonly record: RetouchRecord;
}

/** What is done with one photo away from the model: reading it, and writing its results. One photo at a time. */
export interface PhotoWorker {
  /** Reads a photo and keeps it until it is applied or the next one is opened. Throws HostError. */
  open(request: OpenRequest, signal: AbortSignal): Promise<OpenedPhoto>;
  /** Writes the results of the photo that is open, all or none, and its small pictures. Throws HostError. */
  apply(request: ApplyRequest, signal: AbortSignal): Promise<AppliedPhoto>;
  close(): Promise<void>;
}

/** The work itself, on the thread that calls it. */
export class PhotoHandler implements PhotoWorker {
  private opened: { document: HostDocument; proxy: Proxy; out: string } | undefined;
  private name = '';

  async open({ file, out, longEdge }: OpenRequest, signal: AbortSignal): Promise<OpenedPhoto> {
    this.opened = undefined;
    const host = new FilesHost(out, { names: { choose: () => Promise.resolve(this.name) } });
    const document = await host.open(file, signal);
    const proxy = await document.readProxy(longEdge, signal);
    this.opened = { document, proxy, out };
    return { proxy, notes: document.notes };
  }

  async apply(request: ApplyRequest, signal: AbortSignal): Promise<AppliedPhoto> {
    if (!this.opened) throw new Error('No photo is open.');
    const { document, proxy, out } = this.opened;
    this.opened = undefined;
    this.name = request.name;
    const lut = new Lut3D(request.lut.size, request.lut.data);
    await writeSmallPictures(path.join(out, SHEET_FOLDER), request.name, proxy, lut);
    throwIfCancelled(signal);
    const { results, record } = await document.applyRetouch(
      {
        lut,
        story: request.story,
        provenance: request.provenance,
        record: ({ render, write }) => makeRecord({ ...request.record, render: request.bakeMs + render, write }),
      },
      { signal },
    );
    return { results, record: record as RetouchRecord };
  }

  close(): Promise<void> {
    this.opened = undefined;
    return Promise.resolve();
  }
}

async function writeSmallPictures(folder: string, name: string, proxy: Proxy, lut: Lut3D): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { width, height } = proxy;
  const write = async (data: Uint8Array, which: string): Promise<void> => {
    const file = path.join(folder, `${name}-${which}.jpg`);
    await sharp(data, { raw: { width, height, channels: 3 } })
      .resize(SMALL, SMALL, { fit: 'inside', withoutEnlargement: true })
      .jpeg({ quality: 82 })
      .toFile(`${file}.part`);
    await rename(`${file}.part`, file);
  };
  await write(proxy.data, 'before');
  await write(lut.apply(Uint8Array.from(proxy.data), 3), 'after');
}
