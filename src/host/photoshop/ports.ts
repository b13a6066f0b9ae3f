/*
 * What is used of Photoshop's own modules `photoshop` and `uxp`, no more: the real ones and the stand-in of the tests
 * have these shapes. Names and meanings are Adobe's.
 */

export interface Bounds {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface PsLayer {
  readonly id: number;
  name: string;
  readonly kind: string;
  visible: boolean;
  opacity: number;
  blendMode: string;
  readonly allLocked: boolean;
  readonly bounds: Bounds;
  readonly parent: PsLayer | null;
  /** Of a group, topmost first. */
  readonly layers?: ArrayLike<PsLayer> | null;
  move(relative: PsLayer, placement: string): unknown;
  delete(): unknown;
}

export interface PsDocument {
  readonly id: number;
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly mode: string;
  readonly bitsPerChannel: string;
  readonly colorProfileName: string;
  readonly colorProfileType: string;
  readonly quickMaskMode: boolean;
  /** Topmost first. */
  readonly layers: ArrayLike<PsLayer>;
  readonly activeLayers: ArrayLike<PsLayer>;
  readonly artboards: ArrayLike<PsLayer>;
  readonly activeHistoryState: { readonly id: number };
  readonly selection: { readonly bounds: Bounds | null };
  createLayerGroup(options: { name: string; blendMode: string }): Promise<PsLayer | null>;
  createPixelLayer(options: { name: string }): Promise<PsLayer | null>;
}

export interface ImageData {
  readonly width: number;
  readonly height: number;
  readonly components: number;
  readonly componentSize: number;
  getData(options?: { fullRange?: boolean }): Promise<Uint8Array | Uint16Array | Float32Array>;
  dispose(): void;
}

export interface ReadPixels {
  readonly imageData: ImageData;
  /** Of the pyramid level that was used, not of the document. */
  readonly sourceBounds: Bounds;
  readonly level: number;
}

export interface Imaging {
  getPixels(options: {
    documentID: number;
    sourceBounds?: Bounds;
    targetSize?: { width: number; height: number };
    colorSpace: 'RGB';
    colorProfile?: string;
    componentSize: 8 | 16;
  }): Promise<ReadPixels>;
  putPixels(options: {
    documentID: number;
    layerID: number;
    imageData: ImageData;
    replace: boolean;
    targetBounds: { left: number; top: number };
  }): Promise<unknown>;
  getLayerMask(options: { documentID: number; layerID: number; kind: 'user' }): Promise<{
    imageData: ImageData;
    sourceBounds: Bounds;
  }>;
  putLayerMask(options: {
    documentID: number;
    layerID: number;
    imageData: ImageData;
    replace: boolean;
    targetBounds: { left: number; top: number };
  }): Promise<unknown>;
  createImageDataFromBuffer(
    data: Uint8Array | Uint16Array | Float32Array,
    options: {
      width: number;
      height: number;
      components: number;
      colorSpace: 'RGB' | 'Grayscale';
      colorProfile?: string;
      fullRange?: boolean;
    },
  ): Promise<ImageData>;
}

export interface ModalContext {
  readonly isCancelled: boolean;
  reportProgress(progress: { value: number; commandName?: string }): void;
  readonly hostControl: {
    suspendHistory(options: { documentID: number; name: string }): Promise<unknown>;
    resumeHistory(id: unknown, commit: boolean): Promise<unknown>;
  };
}

export interface Core {
  executeAsModal<T>(
    work: (context: ModalContext) => Promise<T>,
    options: { commandName: string; timeOut: number },
  ): Promise<T>;
  showAlert(options: { message: string }): Promise<void>;
}

export type Descriptor = Readonly<Record<string, unknown>>;

export interface Action {
  /** What a command answers; a failed one answers `{ _obj: 'error' }`. */
  batchPlay(commands: readonly Descriptor[], options: Descriptor): Promise<readonly Descriptor[]>;
  addNotificationListener(events: readonly string[], listener: (event: string) => void): Promise<void>;
  removeNotificationListener(events: readonly string[], listener: (event: string) => void): Promise<void>;
}

type Names<K extends string> = Readonly<Record<K, string>>;

export interface Photoshop {
  readonly app: { readonly documents: ArrayLike<PsDocument>; readonly activeDocument: PsDocument | null };
  readonly core: Core;
  readonly action: Action;
  readonly imaging: Imaging;
  readonly constants: {
    readonly DocumentMode: Names<
      'RGB' | 'GRAYSCALE' | 'LAB' | 'CMYK' | 'INDEXEDCOLOR' | 'BITMAP' | 'MULTICHANNEL' | 'DUOTONE'
    >;
    readonly BitsPerChannelType: Names<'ONE' | 'EIGHT' | 'SIXTEEN' | 'THIRTYTWO'>;
    readonly ColorProfileType: Names<'NONE' | 'CUSTOM' | 'WORKING'>;
    readonly ElementPlacement: Names<'PLACEINSIDE' | 'PLACEBEFORE'>;
    readonly BlendMode: Names<'PASSTHROUGH' | 'NORMAL'>;
    readonly LayerKind: Names<'GROUP' | 'COLORLOOKUP'>;
  };
}

export interface UxpFile {
  readonly name: string;
  readonly nativePath: string;
  read(options: { format: unknown }): Promise<string | ArrayBuffer>;
  write(data: string | ArrayBuffer, options: { format: unknown }): Promise<unknown>;
  getMetadata(): Promise<{ readonly size: number }>;
}

export interface UxpFolder {
  readonly name: string;
  getEntry(name: string): Promise<UxpFile>;
  createFile(name: string, options: { overwrite: boolean }): Promise<UxpFile>;
}

export interface Storage {
  readonly localFileSystem: {
    getFileForOpening(options: { types: readonly string[] }): Promise<UxpFile | null | undefined>;
    getFileForSaving(name: string, options: { types: readonly string[] }): Promise<UxpFile | null | undefined>;
    getDataFolder(): Promise<UxpFolder>;
    getPluginFolder(): Promise<Pick<UxpFolder, 'getEntry'>>;
    /** Null where the person called it off. */
    getFolder(): Promise<UxpFolder | null | undefined>;
    createPersistentToken(entry: UxpFolder): Promise<string>;
    /** Throws for a token that is no use any more. */
    getEntryForPersistentToken(token: string): Promise<UxpFolder>;
  };
  readonly formats: { readonly utf8: unknown; readonly binary: unknown };
}

/** The module `fs`: files by path, as far as they are read in pieces. */
export interface UxpFs {
  open(path: string, flag: 'r'): Promise<number>;
  /** Reads at most `length` bytes from `position` of the file to `offset` of the buffer; may read less. */
  read(
    fd: number,
    buffer: ArrayBuffer,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>;
  close(fd: number): Promise<unknown>;
}

export interface PanelEntry {
  create(root: HTMLElementLike): void;
  show(root: HTMLElementLike): void;
  destroy(root: HTMLElementLike): void;
  readonly menuItems: readonly { readonly id: string; readonly label: string }[];
  invokeMenu(id: string): void;
}

export interface Entrypoints {
  setup(entries: {
    plugin: { create(): void; destroy(): void };
    panels: Readonly<Record<string, PanelEntry>>;
    commands: Readonly<Record<string, { run(): Promise<void> | void }>>;
  }): void;
}

export interface Uxp {
  readonly storage: Storage;
  readonly entrypoints: Entrypoints;
  readonly versions: { readonly uxp: string; readonly plugin: string };
  readonly host: { readonly name: string; readonly version: string; readonly uiLocale: string };
}

/** UXP's elements, as far as the shell around the page uses them. */
export interface HTMLElementLike {
  textContent: string | null;
  /** Of form elements. */
  value?: string;
  readonly style: Record<string, unknown>;
  setAttribute(name: string, value: string): void;
  appendChild(child: HTMLElementLike): unknown;
  removeChild(child: HTMLElementLike): unknown;
  addEventListener(name: string, listener: (event: unknown) => void): void;
  /** Of a webview only. */
  postMessage?(message: unknown): void;
}

export interface UxpDocument {
  createElement(name: string): HTMLElementLike;
  readonly theme?: {
    getCurrent(): string;
    readonly onUpdated?: { addListener(listener: (theme: string) => void): void };
  };
}

export interface UxpWindow {
  addEventListener(name: 'message', listener: (event: MessageEventLike) => void): void;
  removeEventListener(name: 'message', listener: (event: MessageEventLike) => void): void;
}

export interface MessageEventLike {
  readonly data: unknown;
  readonly origin?: string;
  readonly source?: unknown;
}
