import { type Folders } from './folders';
import { type Proxy } from './host';

/**
 * What the panel's page needs from its surroundings: Photoshop on the other side of a bridge, or the browser that it runs
 * in. Everything that crosses is values and bytes, so that it can travel as messages. Colours are encoded sRGB.
 */
export interface PanelHost {
  readonly kind: 'photoshop' | 'browser';
  /** What this host can do, so that the page offers nothing that will fail. */
  readonly abilities: HostAbilities;
  /** The language of the host's own words, "zh_CN", where it has one. */
  readonly locale?: string | undefined;
  /** Folders with another model. */
  readonly folders: Folders;
  /** The document in front; undefined when none is open. Throws HostError. */
  describe(): Promise<DocumentInfo | undefined>;
  /** Other open documents, to take a look from. */
  openDocuments(): Promise<readonly DocumentInfo[]>;
  /** A small picture of a document: the one in front without `id`. Throws HostError where it cannot be retouched. */
  readProxy(request: ProxyRequest): Promise<DocumentProxy>;
  /**
   * Puts a retouch on top of the document that was read. All of it or nothing, as one step of history. Throws HostError:
   * where the document is no longer what was read, nothing is changed.
   */
  apply(retouch: PanelRetouch, options?: PanelApplyOptions): Promise<PanelApplied>;
  /** The retouch of the selected layer, made by this product, to be edited again; undefined for any other layer. */
  readRetouch(): Promise<StoredRetouch | undefined>;
  /** Asks for a file, undefined when none was chosen. Throws HostError where it cannot be read. */
  pickFile(kind: 'photo' | 'preset' | 'bundle'): Promise<PickedFile | undefined>;
  /** Asks where to, and writes; false when it was called off. */
  saveFile(name: string, bytes: Uint8Array): Promise<boolean>;
  /** Small settings of the page that outlive it, JSON-able; undefined when there are none. */
  readSettings(): Promise<unknown>;
  writeSettings(settings: unknown): Promise<void>;
  /** Returns what ends the listening. */
  listen(listener: (event: HostEvent) => void): () => void;
  /**
   * Opens a photo, which is then in front: the given one, else it asks for one; false when none was chosen. Only where
   * the page is the one to open photos. Throws HostError.
   */
  openPhoto?(file?: PickedFile): Promise<boolean>;
  /** Bytes of a file that lies beside the page, where the web view lets the page load none itself. */
  readAsset?(name: string): Promise<Uint8Array>;
}

export interface ProxyRequest {
  readonly longEdge: number;
  /** Of one of the open documents. */
  readonly id?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HostAbilities {
  /** Ways to apply a retouch, the best one first. */
  readonly outputs: readonly Output[];
  /** Can documents other than the one in front be read? */
  readonly otherDocuments: boolean;
}

/** A Color Lookup layer, a pixel layer, a file. */
export type Output = 'lookup' | 'pixels' | 'cube' | 'png' | 'psd';

export interface DocumentInfo {
  readonly id: string;
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** In words of the host, for the status line: "RGB, 16 bits, Adobe RGB (1998)". */
  readonly description: string;
  /** Why this document cannot be retouched, one sentence; undefined when it can. */
  readonly refusal?: string | undefined;
}

export interface DocumentProxy extends Proxy {
  readonly document: DocumentInfo;
  /** What tells whether the document is still the one that was read; only the host reads it. */
  readonly state: string;
  readonly notes: readonly string[];
}

export interface PanelRetouch {
  readonly lut: { readonly size: number; readonly data: Float32Array };
  /** `state` of the proxy that the retouch was made for. */
  readonly state: string;
  readonly output: Output;
  /** Name of the layer. */
  readonly name: string;
  readonly story: readonly string[];
  /** All that is needed to edit the retouch again; JSON-able, kept with the layer. */
  readonly provenance: unknown;
  /** The layer of an earlier retouch that this one replaces. */
  readonly replaces?: string | undefined;
}

export interface PanelApplyOptions {
  readonly signal?: AbortSignal | undefined;
  /** From 0 to 1. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

export interface PanelApplied {
  /** The way that it went in the end: a way that did not work is followed by the next one. */
  readonly output: Output;
  /** The layer, for `replaces`; undefined for a file. */
  readonly layer?: string | undefined;
  /** What a person should know, one sentence each. */
  readonly notes: readonly string[];
}

export interface StoredRetouch {
  readonly layer: string;
  /** `id` of the document that the layer is in. */
  readonly document?: string | undefined;
  readonly provenance: unknown;
}

export interface PickedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export type Theme = 'lightest' | 'light' | 'dark' | 'darkest';

export type HostEvent =
  | { readonly kind: 'theme'; readonly theme: Theme }
  /** Another document is in front, or none, or it was changed or saved under another name. */
  | { readonly kind: 'document' }
  /** A command of the host's menus. */
  | { readonly kind: 'command'; readonly command: 'auto' | 'repeat' };
