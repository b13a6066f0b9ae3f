import { Lut3D } from '../../color';
import { throwIfCancelled } from '../../host/cancel';
import { type FilesDocument, FilesHost } from '../../host/files/filesHost';
import { type ApplyStage, type Proxy } from '../../host/host';
import { writeSmallPictures } from '../batch/sheet';
import { type RecordParts, type RetouchRecord, makeRecord } from '../record';
import { asOwnError } from './ownErrors';

export interface OpenRequest {
  readonly file: string;
  /** Folder of the results. */
  readonly out: string;
  readonly longEdge: number;
}

export interface OpenedPhoto {
  readonly proxy: Proxy;
  readonly notes: readonly string[];
  /** What the photo is called, without folder and extension. */
  readonly name: string;
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
  /** Folder of the contact sheet's small pictures, where there is one. */
  readonly sheet?: string | undefined;
}

export interface AppliedPhoto {
  readonly results: readonly string[];
  readonly record: RetouchRecord;
  /** Why the contact sheet has no picture of it, where it has none. */
  readonly sheetNote?: string | undefined;
}

/**
 * What is done with one photo away from the model: reading it, and writing its results. One photo at a time. What fails
 * is an error of our own: HostError, PhotoError, HostCancelledError.
 */
export interface PhotoWorker {
  /** Reads a photo and keeps it until it is applied or the next one is opened. */
  open(request: OpenRequest, signal: AbortSignal): Promise<OpenedPhoto>;
  /** Writes the results of the photo that is open, all or none, and its small pictures. */
  apply(
    request: ApplyRequest,
    signal: AbortSignal,
    /** Called at each stage where the work is on the caller's own thread. */
    onStage?: (stage: ApplyStage) => void,
  ): Promise<AppliedPhoto>;
  close(): Promise<void>;
}

/** The work itself, on the thread that calls it. */
export class PhotoHandler implements PhotoWorker {
  private opened: { document: FilesDocument; proxy: Proxy; file: string } | undefined;

  async open({ file, out, longEdge }: OpenRequest, signal: AbortSignal): Promise<OpenedPhoto> {
    this.opened = undefined;
    try {
      const document = await new FilesHost(out).open(file, signal);
      const proxy = await document.readProxy(longEdge, signal);
      this.opened = { document, proxy, file };
      return { proxy, notes: document.notes, name: document.name };
    } catch (thrown) {
      throw asOwnError(thrown, file, signal);
    }
  }

  async apply(
    request: ApplyRequest,
    signal: AbortSignal,
    onStage?: (stage: ApplyStage) => void,
  ): Promise<AppliedPhoto> {
    if (!this.opened) throw new Error('No photo is open.');
    const { document, proxy, file } = this.opened;
    this.opened = undefined;
    try {
      const lut = new Lut3D(request.lut.size, request.lut.data);
      const { sheet, name } = request;
      const sheetNote = sheet === undefined ? undefined : await writeSmallPictures(sheet, name, proxy, lut);
      throwIfCancelled(signal);
      const { results, record } = await document.applyRetouch(
        {
          lut,
          story: request.story,
          provenance: request.provenance,
          record: ({ render, write }) => makeRecord({ ...request.record, render: request.bakeMs + render, write }),
        },
        { signal, name, ...(onStage ? { onStage } : {}) },
      );
      return { results, record: record as RetouchRecord, sheetNote };
    } catch (thrown) {
      throw asOwnError(thrown, file, signal);
    }
  }

  close(): Promise<void> {
    this.opened = undefined;
    return Promise.resolve();
  }
}
