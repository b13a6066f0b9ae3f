import { formatCubeBytes } from '../../color/cube-write';
import { throwIfCancelled } from '../cancel';
import { HostCancelledError, HostError } from '../errors';
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
} from '../panelHost';
import { applyAsLayer, checkOutput, EXPORTED, lutFor, noLayerAtAll, NoLayer } from './apply';
import { changed, ChangeWatch } from './changeWatch';
import {
  checkSuited,
  describe,
  documentById,
  type DocumentState,
  profileOf,
  type ReadState,
  readState,
  stateOf,
  writeState,
} from './documents';
import { type FileKind, pickFile, readAsset, readSettings, saveFile, writeSettings } from './files';
import { PhotoshopFolders } from './folders';
import { keptWithLayer } from './layerMetadata';
import { layerById, selectedLayer } from './layers';
import { ModalGate } from './modalGate';
import { type ModalContext, type Photoshop, type PsDocument, type PsLayer, type Uxp, type UxpFs } from './ports';
import { lookOf, readProxyPixels } from './proxy';
import { spaceOf } from './space';

export interface PhotoshopHostOptions {
  /** How long another plugin's modal scope is waited for. */
  readonly waitSeconds?: number;
  /** Edge of a pixel layer's tiles. */
  readonly tile?: number;
}

/** Photoshop asks its listeners often; what they tell the page is put together over this time. */
const EVENT_MS = 100;
const DOCUMENT_EVENTS = ['open', 'close', 'save', 'select', 'make', 'delete', 'set', 'historyStateChanged'];

/** The panel's host inside of Photoshop. */
export class PhotoshopHost implements PanelHost {
  readonly kind = 'photoshop';
  readonly abilities: HostAbilities = { outputs: ['lookup', 'pixels', 'cube'], otherDocuments: true };
  readonly locale: string;
  readonly folders: PhotoshopFolders;
  private readonly gate: ModalGate;
  private readonly watch: ChangeWatch;
  private readonly listeners = new Set<(event: HostEvent) => void>();
  private pending: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly ps: Photoshop,
    private readonly uxp: Pick<Uxp, 'storage' | 'host'>,
    fs: () => UxpFs,
    private readonly options: PhotoshopHostOptions = {},
  ) {
    this.locale = uxp.host.uiLocale;
    this.folders = new PhotoshopFolders(uxp.storage, fs);
    this.gate = new ModalGate(ps.core, options.waitSeconds ?? 5);
    this.watch = new ChangeWatch(ps);
  }

  /** Tells the page when documents change. */
  async start(): Promise<void> {
    await this.ps.action.addNotificationListener(DOCUMENT_EVENTS, this.onChange);
  }

  async stop(): Promise<void> {
    clearTimeout(this.pending);
    await this.ps.action.removeNotificationListener(DOCUMENT_EVENTS, this.onChange);
  }

  private readonly onChange = (): void => {
    this.pending ??= setTimeout(() => {
      this.pending = undefined;
      this.emit({ kind: 'document' });
    }, EVENT_MS);
  };

  emit(event: HostEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  listen(listener: (event: HostEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what Photoshop throws is to come as a rejection
  async describe(): Promise<DocumentInfo | undefined> {
    const document = this.ps.app.activeDocument;
    return document ? describe(this.ps, document) : undefined;
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  async openDocuments(): Promise<readonly DocumentInfo[]> {
    const front = this.ps.app.activeDocument?.id;
    return Array.from(this.ps.app.documents)
      .filter(({ id }) => id !== front)
      .map((document) => describe(this.ps, document));
  }

  async readProxy({ longEdge, id, signal }: ProxyRequest): Promise<DocumentProxy> {
    return this.gate.run('Reading the photo', signal, async (context) => {
      const document = id === undefined ? this.front() : documentById(this.ps, Number(id));
      if (!document) throw closed('The document that was to be read is not open any more.');
      checkSuited(this.ps, document);
      const own = await this.ownSelectedLayer(document);
      const hidden = own?.visible ? own : undefined;
      const state: DocumentState = { ...stateOf(this.ps, document), ...(own ? { without: own.id } : {}) };
      const pixels = await readProxyPixels(this.ps, document, context, { longEdge, hidden });
      const look = lookOf(pixels);
      throwIfCancelled(signal);
      return {
        ...pixels,
        document: describe(this.ps, document),
        state: writeState({ ...state, look, longEdge }),
        notes: this.notesOf(document, own),
      };
    });
  }

  async apply(retouch: PanelRetouch, options: PanelApplyOptions = {}): Promise<PanelApplied> {
    checkOutput(retouch.output);
    const state = readState(retouch.state);
    throwIfCancelled(options.signal);
    if (retouch.output === 'cube') return this.saveCube(retouch, state, []);
    try {
      return await this.gate.run('Applying the retouch', options.signal, async (context) => {
        const wished = retouch.replaces === undefined ? state.without : Number(retouch.replaces);
        const { document, replaces: earlier, sure } = this.watch.unchanged(state, wished);
        const replaces = earlier !== undefined && (await this.isOwn(document, earlier)) ? earlier : undefined;
        if (!sure && !(await this.looksTheSame(document, context, state, replaces))) throw changed('contents');
        const job = { retouch, state, replaces, tile: this.options.tile ?? 1024, options };
        const { output, layer, notes } = await applyAsLayer(this.ps, document, context, job);
        this.watch.remember(document, state, layer);
        return { output, layer: String(layer), notes };
      });
    } catch (error) {
      const cause = (error as { cause?: unknown }).cause;
      if (!(cause instanceof NoLayer)) throw error;
      return await this.fallBackToFile(retouch, state, cause);
    }
  }

  async readRetouch(): Promise<StoredRetouch | undefined> {
    const document = this.ps.app.activeDocument;
    const layer = document ? selectedLayer(document) : undefined;
    if (!document || !layer) return undefined;
    const kept = await keptWithLayer(this.ps, document.id, layer.id);
    return kept && { layer: String(layer.id), document: String(document.id), provenance: kept.provenance };
  }

  pickFile(kind: FileKind): Promise<PickedFile | undefined> {
    return pickFile(this.uxp.storage, kind);
  }

  saveFile(name: string, bytes: Uint8Array): Promise<boolean> {
    return saveFile(this.uxp.storage, name, bytes);
  }

  readSettings(): Promise<unknown> {
    return readSettings(this.uxp.storage);
  }

  writeSettings(settings: unknown): Promise<void> {
    return writeSettings(this.uxp.storage, settings);
  }

  readAsset(name: string): Promise<Uint8Array> {
    return readAsset(this.uxp.storage, name);
  }

  private front(): PsDocument {
    const document = this.ps.app.activeDocument;
    if (document) return document;
    throw new HostError('DOCUMENT_NONE', 'No document is open. Nothing was read.', 'Open a photo and try again.');
  }

  /** The selected layer when it is a retouch of this product: it is what a new retouch is to replace. */
  private async ownSelectedLayer(document: PsDocument): Promise<PsLayer | undefined> {
    const layer = selectedLayer(document);
    return layer && (await this.isOwn(document, layer.id)) ? layer : undefined;
  }

  /** Only a layer that carries a retouch's settings, or was made since the plugin started, may ever be taken away. */
  private async isOwn(document: PsDocument, layer: number): Promise<boolean> {
    return this.watch.made(document, layer) || (await keptWithLayer(this.ps, document.id, layer)) !== undefined;
  }

  /** Does the model see what it saw? Selections, names and guides change the history, but not the picture. */
  private async looksTheSame(
    document: PsDocument,
    context: ModalContext,
    { look, longEdge }: ReadState,
    without: number | undefined,
  ): Promise<boolean> {
    const layer = without === undefined ? undefined : layerById(document.layers, without);
    const hidden = layer?.visible ? layer : undefined;
    return lookOf(await readProxyPixels(this.ps, document, context, { longEdge, hidden })) === look;
  }

  private notesOf(document: PsDocument, own: PsLayer | undefined): string[] {
    const profile = profileOf(this.ps, document);
    const notes: string[] = [];
    if (own) notes.push(`The picture is without the retouch "${own.name}", which is selected and will be replaced.`);
    if (profile === '') notes.push('The document has no colour profile; its numbers count as sRGB.');
    else if (!spaceOf(profile))
      notes.push(`The profile "${profile}" is not known by its name: the retouch will be a pixel layer.`);
    return notes;
  }

  private async fallBackToFile(retouch: PanelRetouch, state: DocumentState, failure: NoLayer): Promise<PanelApplied> {
    const why = `Photoshop took no layer (${failure.message}): the retouch is a file.`;
    try {
      return await this.saveCube(retouch, state, [...failure.notes, why]);
    } catch (error) {
      // Nobody had asked for a file: that it was not wished for either leaves the first failure.
      throw error instanceof HostCancelledError ? noLayerAtAll(failure) : error;
    }
  }

  private async saveCube(retouch: PanelRetouch, state: DocumentState, notes: readonly string[]): Promise<PanelApplied> {
    const known = spaceOf(state.profile) !== undefined;
    const space = known && state.profile !== '' ? state.profile : 'sRGB';
    const bytes = formatCubeBytes(lutFor(retouch, state.profile), {
      title: `${retouch.name} (${space})`,
      comments: [`Input and output: ${space}, encoded values, full range.`],
    });
    const document = documentById(this.ps, state.document);
    const name = `${(document?.name ?? 'Photo').replace(/\.[a-z0-9]{2,4}$/i, '')}-VeraRetouch.cube`;
    if (!(await saveFile(this.uxp.storage, name, bytes))) throw new HostCancelledError();
    const mind = known ? [] : [`The .cube file is for sRGB, because the profile "${state.profile}" is not known.`];
    return { output: 'cube', notes: [...notes, ...mind, EXPORTED] };
  }
}

function closed(what: string): HostError {
  return new HostError('DOCUMENT_CLOSED', `${what} Nothing was changed.`, 'Open it again, and retouch it anew.');
}
