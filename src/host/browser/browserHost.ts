import { Lut3D } from '../../color/lut3d';
import { throwIfCancelled } from '../cancel';
import { HostError } from '../errors';
import {
  type DocumentInfo,
  type DocumentProxy,
  type HostAbilities,
  type HostEvent,
  type PanelApplied,
  type PanelApplyOptions,
  type PanelHost,
  type PanelRetouch,
  type PickedFile,
  type ProxyRequest,
  type StoredRetouch,
  type Theme,
} from '../panelHost';
import { BrowserDocument } from './document';
import { BrowserFolders } from './folders';
import { ACCEPT, download, pick, readStored, writeStored } from './files';
import { cubeFile, pngFile, psdFile } from './results';

export interface BrowserHostOptions {
  /** Instead of the system's own. */
  readonly theme?: Theme | undefined;
}

/** Photos are files that a person opens; a retouch is a file to download. */
export class BrowserHost implements PanelHost {
  readonly kind = 'browser';
  readonly abilities: HostAbilities = { outputs: ['psd', 'png', 'cube'], otherDocuments: true };
  readonly folders = new BrowserFolders();
  /** The one in front is last. */
  private documents: readonly BrowserDocument[] = [];
  private opened = 0;
  private readonly listeners = new Set<(event: HostEvent) => void>();

  constructor(private readonly options: BrowserHostOptions = {}) {}

  describe(): Promise<DocumentInfo | undefined> {
    return Promise.resolve(this.documents.at(-1)?.info);
  }

  openDocuments(): Promise<readonly DocumentInfo[]> {
    return Promise.resolve(this.documents.slice(0, -1).map(({ info }) => info));
  }

  async readProxy({ longEdge, id, signal }: ProxyRequest): Promise<DocumentProxy> {
    throwIfCancelled(signal);
    const photo = id === undefined ? this.documents.at(-1) : this.documents.find((item) => item.id === id);
    if (!photo) throw noPhoto();
    const proxy = await photo.proxy(longEdge);
    throwIfCancelled(signal);
    return { ...proxy, document: photo.info, state: photo.id, notes: [] };
  }

  async apply(retouch: PanelRetouch, options: PanelApplyOptions = {}): Promise<PanelApplied> {
    const photo = this.documents.find((item) => item.id === retouch.state);
    if (!photo) throw noPhoto();
    const lut = new Lut3D(retouch.lut.size, retouch.lut.data);
    const { output } = retouch;
    const parts = await this.partsOf(photo, lut, retouch, options);
    throwIfCancelled(options.signal);
    download(`${photo.title}-retouched.${output}`, parts);
    options.onProgress?.(1);
    return { output, notes: [] };
  }

  readRetouch(): Promise<StoredRetouch | undefined> {
    return Promise.resolve(undefined);
  }

  pickFile(kind: 'photo' | 'preset' | 'bundle'): Promise<PickedFile | undefined> {
    return pick(ACCEPT[kind]);
  }

  async openPhoto(file?: PickedFile): Promise<boolean> {
    const chosen = file ?? (await pick(ACCEPT.photo));
    if (!chosen) return false;
    const photo = await BrowserDocument.open(`photo-${++this.opened}`, chosen);
    this.documents = [...this.documents, photo];
    this.tell({ kind: 'document' });
    return true;
  }

  saveFile(name: string, bytes: Uint8Array): Promise<boolean> {
    download(name, [bytes]);
    return Promise.resolve(true);
  }

  readSettings(): Promise<unknown> {
    return Promise.resolve(readStored());
  }

  writeSettings(settings: unknown): Promise<void> {
    writeStored(settings);
    return Promise.resolve();
  }

  listen(listener: (event: HostEvent) => void): () => void {
    this.listeners.add(listener);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const show = (): void => {
      listener({ kind: 'theme', theme: this.options.theme ?? (dark.matches ? 'darkest' : 'lightest') });
    };
    dark.addEventListener('change', show);
    show();
    return () => {
      this.listeners.delete(listener);
      dark.removeEventListener('change', show);
    };
  }

  private partsOf(
    photo: BrowserDocument,
    lut: Lut3D,
    retouch: PanelRetouch,
    options: PanelApplyOptions,
  ): Promise<Uint8Array[]> {
    switch (retouch.output) {
      case 'psd':
        return psdFile(photo, lut, retouch, options);
      case 'png':
        return pngFile(photo, lut, retouch, options);
      case 'cube':
        return Promise.resolve([cubeFile(photo, lut)]);
      default:
        return Promise.reject(
          new HostError('OUTPUT_WRITE', 'A browser has no layers to put a retouch on.', 'Download a PSD.'),
        );
    }
  }

  private tell(event: HostEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}

function noPhoto(): HostError {
  return new HostError('PHOTO_NOT_FOUND', 'There is no such photo open. Nothing was changed.', 'Open a photo first.');
}
