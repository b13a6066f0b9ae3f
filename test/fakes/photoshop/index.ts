import { BatchPlay, type LookupQuirks } from './batchPlay';
import { FakeDocument, newId } from './document';
import { Imaging, type Quirks } from './imaging';
import { Modal } from './modal';
import { type Bits, CHANNELS, CONSTANTS, makeSamples, type Mode, type Node, type Samples, top } from './model';
import { checkOptions, strict } from './strict';

export { FakeDocument } from './document';
export { FakeFolder } from './folder';
export { FakeFile, FakeUxp } from './uxp';
export { Undocumented } from './strict';
export { type Mode, type Bits, type Node, find } from './model';

export interface DocumentOptions {
  readonly name?: string;
  readonly mode?: Mode;
  readonly bits?: Bits;
  readonly width?: number;
  readonly height?: number;
  readonly profile?: string;
  /** `background`: opaque; `layer`: transparent outside of the middle; `none`: no layer at all. */
  readonly content?: 'background' | 'layer' | 'none';
}

/** A Photoshop in memory: what a plugin may call is in `module`, what a person would do are the methods. */
export class FakePhotoshop {
  readonly documents: FakeDocument[] = [];
  active: FakeDocument | undefined;
  readonly quirks: Quirks & LookupQuirks = {
    ...{ trimmed: 'proportional', empty: 'error', cacheLevels: 4 },
    ...{ lookup: 'works', metadata: true, bare: 'nothing' },
  };
  readonly alerts: string[] = [];
  readonly modal = new Modal((id) => this.documentOf(id));
  readonly imaging = new Imaging(this.modal, (id) => this.documentOf(id), this.quirks);
  private readonly batch = new BatchPlay(
    this.modal,
    (id) => this.documentOf(id),
    () => this.active,
    this.quirks,
  );
  private readonly listeners: { events: string[]; listener: (event: string) => void }[] = [];

  readonly module = strict('photoshop', {
    app: this.makeApp(),
    core: strict('core', {
      executeAsModal: this.modal.executeAsModal.bind(this.modal),
      showAlert: async (options: unknown) => {
        checkOptions('showAlert', options, ['message'], ['message']);
        this.alerts.push(String(options.message));
      },
    }),
    action: strict('action', {
      batchPlay: (commands: unknown, options: unknown) => this.batch.play(commands, options),
      addNotificationListener: async (events: string[], listener: (event: string) => void) => {
        this.listeners.push({ events, listener });
      },
      removeNotificationListener: async (_events: string[], listener: (event: string) => void) => {
        const at = this.listeners.findIndex((entry) => entry.listener === listener);
        if (at >= 0) this.listeners.splice(at, 1);
      },
    }),
    imaging: this.imaging.module,
    constants: CONSTANTS,
  });

  /** Makes a document and puts it in front. */
  open(options: DocumentOptions = {}): FakeDocument {
    const { mode = 'RGB', bits = 8, width = 64, height = 48, content = 'background' } = options;
    const profile = options.profile ?? (mode === 'RGB' ? 'sRGB IEC61966-2.1' : 'Dot Gain 20%');
    const layers: Node[] = [];
    if (content !== 'none') layers.push(layerOf(paint(mode, bits, width, height, content), content === 'background'));
    const active = layers.map(({ id }) => id);
    const state = { width, height, mode, bits, profile, layers, active, selection: undefined };
    const document = new FakeDocument(options.name ?? 'Photo.psd', state, this.modal);
    this.documents.push(document);
    this.active = document;
    return document;
  }

  close(document: FakeDocument): void {
    document.closed = true;
    this.documents.splice(this.documents.indexOf(document), 1);
    if (this.active === document) this.active = this.documents.at(-1);
  }

  /** Photoshop tells its listeners; while something modal runs they hear nothing. */
  notify(event: string): void {
    if (this.modal.active) return;
    for (const { events, listener } of this.listeners) if (events.includes(event)) listener(event);
  }

  private makeApp(): object {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- accessors of the object below have a `this` of their own
    const self = this;
    return strict('app', {
      get documents() {
        return self.documents.map(({ dom }) => dom);
      },
      get activeDocument() {
        return self.active?.dom ?? null;
      },
    });
  }

  private documentOf(id: unknown): FakeDocument {
    const document = id === undefined ? this.active : this.documents.find((one) => one.id === id);
    if (!document) throw new Error(`There is no document ${String(id)}.`);
    return document;
  }
}

/** A layer to be put into a document by a test. */
export function layerOf(pixels: Samples | undefined, background = false, more: Partial<Node> = {}): Node {
  return {
    ...{ id: newId(), name: background ? 'Background' : 'Layer 1', kind: CONSTANTS.LayerKind.NORMAL, visible: true },
    ...{ opacity: 100, blendMode: CONSTANTS.BlendMode.NORMAL, allLocked: background, background },
    ...(pixels ? { pixels } : {}),
    ...more,
  };
}

/** Smooth colours that use the whole range, every channel differently; alpha 0 in a frame where it is a layer. */
export function paint(mode: Mode, bits: Bits, width: number, height: number, content: string): Samples {
  const channels = CHANNELS[mode];
  const samples = makeSamples(bits, width * height * (channels + 1));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * (channels + 1);
      const values = [x / (width - 1), y / (height - 1), ((x * 3 + y * 5) % 64) / 63, 0.2];
      for (let c = 0; c < channels; c++) samples[at + c] = values[c] * top(bits);
      const frame = x < width / 4 || y < height / 4 || x >= (width * 3) / 4 || y >= (height * 3) / 4;
      samples[at + channels] = content === 'layer' && frame ? 0 : top(bits);
    }
  }
  return samples;
}
