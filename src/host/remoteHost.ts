import { BridgeCancelled, BridgeError, Channel, type Parcel, type Port, type RequestOptions } from '../bridge';
import { HostCancelledError, HostError, type HostErrorCode } from './errors';
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
} from './panelHost';
import { RemoteFolders } from './remote/folders';
import { NO_LIMIT_MS, READ_MS } from './remote/limits';
import {
  applied,
  documentInfo,
  documentInfos,
  documentProxy,
  fileName,
  greeting,
  HOST_EVENT,
  hostEvent,
  METHODS,
  storedRetouch,
  toBytes,
  yesOrNo,
} from './remote/contract';

export { pagePort, type PageScope } from './remote/pagePort';

export interface RemoteHostOptions {
  readonly port: Port;
  /** Another name for every load of the page. */
  readonly session: string;
  readonly retryMs?: number;
  /** Called when the other side was loaded anew: what was under way there is lost. */
  readonly onRestart?: () => void;
}

/** The host on the other side of a bridge, as the page sees it. */
export class RemoteHost implements PanelHost {
  private readonly listeners = new Set<(event: HostEvent) => void>();
  readonly folders: RemoteFolders;

  private constructor(
    private readonly channel: Channel,
    readonly kind: PanelHost['kind'],
    readonly abilities: HostAbilities,
    readonly locale: string | undefined,
  ) {
    this.folders = new RemoteFolders((...asked) => this.ask(...asked));
  }

  /** Waits until the other side is there. Throws BridgeError when it does not answer. */
  static async connect({ port, session, retryMs, onRestart }: RemoteHostOptions): Promise<RemoteHost> {
    let host: RemoteHost | undefined;
    const channel = new Channel({
      port,
      session,
      handlers: {},
      onEvent: (name, value) => host?.hear(name, value),
      onPeer: (again) => {
        if (again) onRestart?.();
      },
      ...(retryMs === undefined ? {} : { retryMs }),
    });
    try {
      const { kind, abilities, locale } = greeting((await channel.request(METHODS.greet, { value: null })).value);
      host = new RemoteHost(channel, kind, abilities, locale);
      return host;
    } catch (error) {
      channel.close();
      throw error;
    }
  }

  /** For diagnostics. */
  get counts(): Channel['counts'] {
    return this.channel.counts;
  }

  close(): void {
    this.channel.close();
  }

  async describe(): Promise<DocumentInfo | undefined> {
    const { value } = await this.ask('describe', { value: null });
    return value === null ? undefined : documentInfo(value);
  }

  async openDocuments(): Promise<readonly DocumentInfo[]> {
    return documentInfos((await this.ask('openDocuments', { value: null })).value);
  }

  async readProxy({ longEdge, id, signal }: ProxyRequest): Promise<DocumentProxy> {
    const value = { longEdge, ...(id === undefined ? {} : { id }) };
    const answer = await this.ask('readProxy', { value }, { signal, timeoutMs: READ_MS });
    return documentProxy(answer.value, answer.bytes);
  }

  async apply({ lut, ...rest }: PanelRetouch, options: PanelApplyOptions = {}): Promise<PanelApplied> {
    const value = { ...rest, provenance: rest.provenance ?? null, size: lut.size };
    const { signal, onProgress } = options;
    const { value: result } = await this.ask(
      'apply',
      { value, bytes: [toBytes(lut.data)] },
      {
        signal,
        timeoutMs: NO_LIMIT_MS,
        // Nobody may be told that nothing was changed while Photoshop has just finished.
        awaitOutcome: true,
        onProgress: (share) => {
          if (typeof share === 'number' && share >= 0 && share <= 1) onProgress?.(share);
        },
      },
    );
    return applied(result);
  }

  async readRetouch(): Promise<StoredRetouch | undefined> {
    const { value } = await this.ask('readRetouch', { value: null });
    return value === null ? undefined : storedRetouch(value);
  }

  async pickFile(kind: 'photo' | 'preset' | 'bundle'): Promise<PickedFile | undefined> {
    const { value, bytes } = await this.ask('pickFile', { value: { kind } }, { timeoutMs: NO_LIMIT_MS });
    return value === null ? undefined : { name: fileName(value), bytes: bytes?.[0] ?? new Uint8Array(0) };
  }

  async saveFile(name: string, bytes: Uint8Array): Promise<boolean> {
    const { value } = await this.ask('saveFile', { value: { name }, bytes: [bytes] }, { timeoutMs: NO_LIMIT_MS });
    return yesOrNo(value);
  }

  async readSettings(): Promise<unknown> {
    const { value } = await this.ask('readSettings', { value: null });
    return value ?? undefined;
  }

  async writeSettings(settings: unknown): Promise<void> {
    await this.ask('writeSettings', { value: { settings: settings ?? null } });
  }

  async readAsset(name: string): Promise<Uint8Array> {
    const { bytes } = await this.ask('readAsset', { value: { name } }, { timeoutMs: READ_MS });
    return bytes?.[0] ?? new Uint8Array(0);
  }

  listen(listener: (event: HostEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private hear(name: string, value: unknown): void {
    const event = name === HOST_EVENT ? hostEvent(value) : undefined;
    if (event) for (const listener of this.listeners) listener(event);
  }

  /** The other side's errors are thrown as what they were there. */
  private async ask(method: keyof typeof METHODS, parcel: Parcel, options: RequestOptions = {}): Promise<Parcel> {
    try {
      return await this.channel.request(METHODS[method], parcel, options);
    } catch (error) {
      if (error instanceof BridgeCancelled) throw new HostCancelledError();
      if (!(error instanceof BridgeError) || !error.remote) throw error;
      throw new HostError(error.remote.code as HostErrorCode, error.message, error.hint, error);
    }
  }
}
