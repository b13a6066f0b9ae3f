import { type Lut3D } from '../color/lut3d';

/**
 * What the product needs from its surroundings: a folder of files here, Photoshop or a browser page elsewhere.
 * What crosses this interface is sRGB (encoded values, not linear light): the proxy and the retouch. A host keeps the
 * document's own colours and brings the retouch into them.
 */
export interface Host {
  /**
   * Opens the photo named by `reference`, whose form is the host's own business (a path, a document id).
   * Throws HostError when it cannot be read, before any large memory is used where it is too large.
   */
  open(reference: string, signal?: AbortSignal): Promise<HostDocument>;
}

/** A small picture of a document, which is all that the model ever sees. */
export interface Proxy {
  readonly width: number;
  readonly height: number;
  /** width * height * 3 bytes, RGB interleaved, rows from the top, sRGB 0..255. */
  readonly data: Uint8Array;
}

/** One opened photo. */
export interface HostDocument {
  /** Name for people and for results, without folder and extension. */
  readonly name: string;
  /** Size in pixels, upright. */
  readonly width: number;
  readonly height: number;
  readonly bitDepth: 8 | 16;
  readonly hasAlpha: boolean;
  /** What a person should know about how the photo was read, one sentence each; often empty. */
  readonly notes: readonly string[];
  /**
   * The photo with its long edge at most `longEdge` pixels (never enlarged), 8-bit. Transparent places show the
   * neutral grey 128 behind them, so that they say nothing about exposure or cast.
   */
  readProxy(longEdge: number, signal?: AbortSignal): Promise<Proxy>;
  /**
   * Puts a retouch on top of the photo, the photo itself unchanged. All of it is done or nothing. A document takes
   * one retouch: it gives its pixels up for it, so that the largest photos fit into memory.
   */
  applyRetouch(retouch: Retouch, options?: ApplyRetouchOptions): Promise<AppliedRetouch>;
}

/** A retouch, ready to be applied: one colour transform and what is to be remembered with it. */
export interface Retouch {
  /** sRGB to sRGB. */
  readonly lut: Lut3D;
  /** Plain text for people (the reasoning), one entry per paragraph; kept inside the results. */
  readonly story: readonly string[];
  /** The same for programs, JSON-able; kept inside the results too. */
  readonly provenance: unknown;
  /** The record kept beside the picture: JSON-able; asked for last, when the times are known. */
  record(times: ApplyTimes): unknown;
}

/** Milliseconds: applying the colours to all pixels, and encoding and writing the files. */
export interface ApplyTimes {
  readonly render: number;
  readonly write: number;
}

export type ApplyStage = 'render' | 'write';

export interface ApplyRetouchOptions {
  readonly signal?: AbortSignal;
  readonly onStage?: (stage: ApplyStage) => void;
}

export interface AppliedRetouch {
  /** Where the results are, in the host's own form (paths, layer names). */
  readonly results: readonly string[];
  /** What `Retouch.record` returned. */
  readonly record: unknown;
}
