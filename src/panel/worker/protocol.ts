import {
  type Capabilities,
  type Device,
  type LoadProgress,
  type LutError,
  type Mode,
  type RetouchResult,
  type RgbImage,
  type Strength,
  type TextEvent,
} from '../../inference';

/** What the page may ask of the worker: what goes in and what comes out. All of it can be cloned. */
export interface Calls {
  /** First of all; the devices in the order in which they are to be tried. */
  open: { in: OpenRequest; out: OpenedModel };
  prepare: { in: { readonly mode: Mode }; out: undefined };
  auto: { in: { readonly photo: RgbImage }; out: RetouchResult };
  style: { in: { readonly photo: RgbImage; readonly instruction: string }; out: RetouchResult };
  /** The photo is that of which the words speak. */
  param: { in: { readonly sliders: Sliders; readonly photo: RgbImage }; out: RetouchResult };
  reference: { in: { readonly before: RgbImage; readonly after: RgbImage }; out: RetouchResult };
  sliders: { in: { readonly sliders: Sliders }; out: Float32Array };
  bake: { in: BakeRequest; out: Baked };
}
export type CallName = keyof Calls;

export interface OpenRequest {
  readonly devices: readonly Device[];
  /** Is a GPU that is only a program taken too? It is slower than wasm, and good for tests. */
  readonly software: boolean;
  readonly wasm: ArrayBuffer | undefined;
  /** Is all that a photo needs to be loaded before the model counts as open? Else graphs come when they are needed. */
  readonly whole: boolean;
}

/** Numbers in -100..100 by parameter name. */
export type Sliders = Readonly<Record<string, number>>;

export interface BakeRequest {
  readonly latents: Float32Array;
  readonly strength: Strength;
  /** Is the retouch black and white? */
  readonly monochrome?: boolean | undefined;
  /** Grid points per axis; absent: as many as the LUT's measured error asks for. */
  readonly size?: number | undefined;
  /** Pixels [N, 3] at which the error is measured too. */
  readonly photo?: Uint8Array | undefined;
}

export interface Baked {
  readonly size: number;
  readonly data: Float32Array;
  /** Absent where the size was given. */
  readonly error?: LutError | undefined;
}

export interface OpenedModel {
  readonly device: Device;
  /** The GPU's own words about itself; empty for others. */
  readonly adapter: string;
  /** Name and version of the bundle. */
  readonly model: string;
  readonly latentSize: number;
  readonly capabilities: Capabilities;
  /** May it be used for research only? */
  readonly research: boolean;
  readonly check: SelfCheck;
  /** Devices that were tried before and not taken. */
  readonly refused: readonly RefusedDevice[];
}

/** The device's numbers beside those that the bundle was published with. */
export type SelfCheck =
  /** The bundle brings no numbers to compare with. */
  | { readonly kind: 'none' }
  | {
      readonly kind: 'compared';
      readonly cosine: number;
      readonly colours: number;
      /** Which share of the bundle's words the model would have chosen here too; absent where nothing is known by it. */
      readonly words?: number | undefined;
      readonly milliseconds: number;
    };

export interface RefusedDevice {
  readonly device: Device;
  /**
   * `missing`: not there. `memory`: too small for the model. `failed`: it could not run the model. `wrong`: its numbers are
   * wrong. `lost`: it went away.
   */
  readonly why: 'missing' | 'memory' | 'failed' | 'wrong' | 'lost';
  readonly detail: string;
}

export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

export type ToWorker =
  | { readonly kind: 'call'; readonly id: number; readonly name: CallName; readonly input: unknown }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'file'; readonly request: number; readonly bytes: Uint8Array }
  /** So much of a file is there. */
  | { readonly kind: 'bytes'; readonly request: number; readonly bytes: number }
  | { readonly kind: 'nofile'; readonly request: number; readonly error: string; readonly missing: boolean }
  /** Undefined where nobody can tell. */
  | { readonly kind: 'size'; readonly request: number; readonly bytes: number | undefined };

export type FromWorker =
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'text'; readonly id: number; readonly event: TextEvent }
  /** The picture of a call whose words are still to come, or are there. */
  | { readonly kind: 'latents'; readonly id: number; readonly latents: Float32Array }
  | { readonly kind: 'progress'; readonly id: number; readonly progress: LoadProgress }
  /** A file of the bundle is wanted. */
  | { readonly kind: 'read'; readonly request: number; readonly name: string }
  | { readonly kind: 'size'; readonly request: number; readonly name: string }
  /** The device went away. */
  | { readonly kind: 'lost'; readonly detail: string };

/** A worker seen from the page, or the page seen from the worker. */
export interface Port<Out, In> {
  send(message: Out, transfer?: Transferable[]): void;
  listen(listener: (message: In) => void): void;
}
