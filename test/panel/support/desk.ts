import { type DocumentInfo, type HostEvent, type PanelHost, type PanelRetouch } from '../../../src/host/panelHost';
import { HostCancelledError, HostError } from '../../../src/host/errors';
import { type Lut3D } from '../../../src/color/lut3d';
import { Controller } from '../../../src/panel/controller';
import { cancelled } from '../../../src/panel/errors';
import { START, type PanelState } from '../../../src/panel/state';
import { Store } from '../../../src/panel/store';
import { EN } from '../../../src/panel/strings';
import { type Engine, type EngineCallOptions } from '../../../src/panel/worker/engine';

/*
 * The page without a page, over documents that tell themselves apart: each photo is one gray level, the number of its
 * document, and whatever is made of it carries that number on, through latents and LUT to the screen and to the host. Host
 * and model answer when the test lets them, in any order.
 */

export interface Waiting {
  readonly what: string;
  /** The next piece of the answer; the last one ends it. */
  answer(): void;
  fail(): void;
}

export interface FakeDocument {
  readonly number: number;
  readonly info: DocumentInfo;
}

export interface Applied {
  /** Of the document that was written to or saved from. */
  readonly to: number;
  readonly name: string;
  /** What the LUT was made of, and at which exposure. */
  readonly of: number;
  readonly exposure: number;
  readonly story: string;
}

type Photo = { data: Uint8Array };
type Bake = { latents: Float32Array; strength: { light?: number }; size?: number };

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Sliders carry no photo: their answers fit every document. */
export const ANY = 0;

export class Desk {
  readonly waiting: Waiting[] = [];
  readonly documents: FakeDocument[] = [];
  front: FakeDocument | undefined;
  readonly applied: Applied[] = [];
  readonly saved: string[] = [];
  /** What is painted: of which document, at which exposure and light. Undefined: the picture as it was. */
  screen: readonly number[] | undefined;
  /** What was seen to be wrong at any time. */
  readonly wrong: string[] = [];
  readonly store = new Store<PanelState>(START);
  readonly controller: Controller;
  selected: { document: number; provenance: unknown } | undefined;
  /** Was the last retouch asked for on another document too? Then its numbers may be there, and its words may not. */
  repeated = false;
  private made = 0;
  private listener: (event: HostEvent) => void = () => undefined;

  constructor(
    readonly kind: 'photoshop' | 'browser' = 'photoshop',
    readonly pictureFirst = true,
  ) {
    this.controller = new Controller(this.host(), this.engine(), this.store, EN);
    this.controller.paint = (lut, overall) => this.paint(lut, overall);
    const model = {
      ...{ device: 'wasm', adapter: '', model: 'm 1', latentSize: 1, research: false, refused: [] },
      ...{ capabilities: { sliders: true, reference: true, pictureFirst }, check: { kind: 'none' } },
    };
    Object.assign(this.store, {
      state: { ...START, model, target: { name: 't', width: 1, height: 1, data: [9, 9, 9] } },
    });
    let shown: unknown;
    this.store.listen((state) => {
      if (state.proxy && state.proxy !== shown) {
        this.screen = undefined;
        this.controller.repaint();
      }
      shown = state.proxy;
      this.look(state);
    });
  }

  get state(): PanelState {
    return this.store.get();
  }

  async start(): Promise<void> {
    const started = this.controller.start();
    await this.rest();
    await started;
  }

  open(name?: string): FakeDocument {
    const number = ++this.made;
    const info = { id: `d${number}`, name: name ?? `Photo${number}.jpg`, width: 2, height: 2, description: '' };
    this.front = { number, info };
    this.documents.push(this.front);
    return this.front;
  }

  close(document: FakeDocument): void {
    const at = this.documents.indexOf(document);
    if (at < 0) return;
    this.documents.splice(at, 1);
    if (this.front === document) this.front = this.documents.at(-1);
  }

  tell(event: HostEvent = { kind: 'document' }): void {
    this.listener(event);
  }

  /** Everything is answered, the oldest or the newest question first, until nothing is asked any more. */
  async rest(first: 'oldest' | 'newest' = 'oldest'): Promise<void> {
    await turn();
    for (let i = 0; this.waiting.length > 0; i++) {
      if (i > 2000) throw new Error(`it never rests: ${this.waiting.map(({ what }) => what).join()}`);
      this.waiting.at(first === 'oldest' ? 0 : -1)?.answer();
      await turn();
    }
    await turn();
  }

  /** Answers until this is what the page is busy with. */
  async until(work: string): Promise<void> {
    for (let i = 0; this.state.work !== work; i++) {
      if (i > 50) throw new Error(`it is never "${work}" but ${this.state.work}`);
      this.waiting[0]?.answer();
      await turn();
    }
  }

  /** Answers what is not of this kind, until such a thing is being waited for. */
  async untilAsked(what: string): Promise<void> {
    for (let i = 0; !this.waiting.some((one) => one.what.startsWith(what)); i++) {
      if (i > 50) throw new Error(`"${what}" is never asked for, only ${this.waiting.map((one) => one.what).join()}`);
      this.waiting[0]?.answer();
      await turn();
    }
  }

  /** What must hold when all is done; every line is a fault. */
  faults(): string[] {
    const { state, front } = this;
    const faults = [...this.wrong];
    if (state.document?.id !== front?.info.id)
      faults.push(`${state.document?.id} is shown, ${front?.info.id} in front`);
    if (state.work !== 'idle') faults.push(`it is ${state.work}`);
    const made = state.tries.find(({ id }) => id === state.current);
    const { light } = made?.factors ?? {};
    const wanted = made && [made.latents[0], made.latents[1], light?.on ? light.strength : 0];
    // What could not be rendered is said, and the photo shown as it was.
    const failed = this.screen === undefined && state.notices.some(({ kind }) => kind === 'error');
    if (state.proxy && !failed && String(wanted) !== String(this.screen)) {
      faults.push(`the screen shows ${String(this.screen)} instead of ${String(wanted)}`);
    }
    if (made && made.mode !== state.mode) faults.push(`a try of ${made.mode} is shown under ${state.mode}`);
    const exposure = made?.mode === 'adjust' ? exposureOf(made.sliders) : 0;
    if (state.proxy && state.mode === 'adjust' && exposureOf(state.sliders) !== exposure) {
      faults.push(`the slider says ${exposureOf(state.sliders)}, the picture ${exposure}`);
    }
    if (made?.mode === 'adjust' && made.latents[1] !== exposure) {
      faults.push(`a try at ${exposure} is of ${made.latents[1]}`);
    }
    for (const { to, of, name, story } of this.applied) {
      if (!this.repeated && of !== ANY && of !== to) faults.push(`what was made for ${of} was applied to ${to}`);
      if (!name.includes(`Photo${to}.`) && !name.includes('Same')) faults.push(`${to} was applied as "${name}"`);
      if (/doc \d/.test(story) && !story.includes(`doc ${to}.`)) faults.push(`${to} is told "${story}"`);
    }
    return faults;
  }

  /** What must hold at every moment that can be seen. */
  private look({ document, proxy, tries, texts, notices }: PanelState): void {
    const number = Number(document?.id.slice(1) ?? -1);
    const say = (what: string): void => void this.wrong.push(`under ${document?.id}: ${what}`);
    if (proxy && proxy.document.id !== document?.id) say(`the picture of ${proxy.document.id}`);
    for (const made of tries) {
      if (made.document !== `state ${number}`) say(`a try of ${made.document}`);
      if (!this.repeated && made.latents[0] !== ANY && made.latents[0] !== number) say(`latents of ${made.latents[0]}`);
    }
    for (const text of [texts, ...tries.map((made) => made.texts)].map(({ elements = '' }) => elements)) {
      if (text !== '' && !text.includes(`doc ${number}.`)) say(`the words "${text}"`);
    }
    for (const { text } of notices) {
      const about = /doc (\d+) failed/.exec(text)?.[1];
      if (about !== undefined && Number(about) > 0 && Number(about) !== number && !text.startsWith('“'))
        say(`the notice "${text}"`);
    }
  }

  private paint(lut: Lut3D | undefined, _overall: number): Promise<void> {
    this.screen = lut && Array.from(lut.data.slice(0, 3));
    return Promise.resolve();
  }

  /** Something that is asked and waits for the test: in one piece, or in several of which the last one ends it. */
  private wait<T>(what: string, pieces: (() => unknown)[], number: number, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) return Promise.reject(cancelled());
    return new Promise((resolve, reject) => {
      let at = 0;
      const gone = (): void => {
        const index = this.waiting.indexOf(waiting);
        if (index >= 0) this.waiting.splice(index, 1);
      };
      const waiting: Waiting = {
        what,
        answer: () => {
          let value: unknown;
          try {
            value = pieces[at++]();
          } catch (thrown) {
            gone();
            // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as it was thrown
            reject(thrown);
            return;
          }
          if (at < pieces.length) return;
          gone();
          resolve(value as T);
        },
        fail: () => {
          gone();
          reject(new HostError('HOST_FAILED', `doc ${number} failed.`, ''));
        },
      };
      this.waiting.push(waiting);
      signal?.addEventListener('abort', () => {
        gone();
        reject(cancelled());
      });
    });
  }

  private byId(id: string | undefined): FakeDocument | undefined {
    return id === undefined ? this.front : this.documents.find(({ info }) => info.id === id);
  }

  private host(): PanelHost {
    return {
      kind: this.kind,
      abilities: { outputs: ['lookup', 'cube'], otherDocuments: true },
      folders: { kept: () => Promise.resolve(undefined) },
      describe: () => this.wait('describe', [() => this.front?.info], ANY),
      openDocuments: () =>
        this.wait(
          'openDocuments',
          [() => this.documents.filter((one) => one !== this.front).map(({ info }) => info)],
          -1,
        ),
      readProxy: ({ id }: { id?: string }) => {
        const asked = this.byId(id);
        // It does not stop when it is told to: Photoshop is in the middle of it.
        return this.wait(
          `readProxy ${asked?.number}`,
          [() => this.proxyOf(asked, Number(id?.slice(1)))],
          asked?.number ?? -1,
        );
      },
      apply: (retouch: PanelRetouch) => {
        const to = Number(retouch.state.split(' ')[1]);
        return this.wait(`apply ${to}`, [() => this.applyTo(to, retouch)], to);
      },
      readRetouch: () => {
        const { selected } = this;
        return this.wait(
          'readRetouch',
          [() => selected && { layer: '1', document: `d${selected.document}`, provenance: selected.provenance }],
          -1,
        );
      },
      // A dialog for files is no document's, and neither is its failure.
      pickFile: () => this.wait('pickFile', [() => ({ name: 'p.xmp', bytes: new TextEncoder().encode(PRESET) })], 0),
      saveFile: (name: string) => {
        this.saved.push(name);
        return this.wait('saveFile', [() => true], 0);
      },
      readSettings: () => Promise.resolve({ seen: true }),
      writeSettings: () => Promise.resolve(),
      listen: (listener: (event: HostEvent) => void) => {
        this.listener = listener;
        return () => undefined;
      },
    } as unknown as PanelHost;
  }

  private proxyOf(document: FakeDocument | undefined, number: number) {
    if (!document || !this.documents.includes(document)) {
      throw new HostError('DOCUMENT_CLOSED', `doc ${document?.number ?? number} failed: closed.`, '');
    }
    const data = new Uint8Array(12).fill(document.number);
    const { info } = document;
    return { width: 2, height: 2, data, document: info, state: `state ${document.number}`, notes: [] };
  }

  /** Photoshop refuses what is not in front; a browser saves what is open. */
  private applyTo(to: number, { lut, name, story }: PanelRetouch) {
    if (!this.documents.some(({ number }) => number === to)) {
      throw new HostError('DOCUMENT_CLOSED', `doc ${to} failed: closed.`, '');
    }
    if (this.kind === 'photoshop' && this.front?.number !== to) {
      throw new HostError('DOCUMENT_SWITCHED', `doc ${to} failed: not in front.`, '');
    }
    this.applied.push({ to, name, of: lut.data[0], exposure: lut.data[1], story: story.join(' ') });
    return { layer: '7', output: 'lookup' as const, notes: [] };
  }

  private engine(): Engine {
    const photoOf = (input: Record<string, unknown>): number =>
      ((input['photo'] ?? input['before']) as Photo | undefined)?.data[0] ?? ANY;
    const call = (name: string, input: Record<string, unknown>, options: EngineCallOptions = {}): Promise<unknown> => {
      const { signal, onText, onLatents } = options;
      const number = name === 'bake' || name === 'sliders' ? ANY : photoOf(input);
      const what = `${name} ${number}`;
      if (name === 'bake') return this.wait(what, [() => baked(input as unknown as Bake)], number, signal);
      const latents = Float32Array.of(number, exposureOf(input['sliders'] as Sliders | undefined), 0);
      if (name === 'sliders') return this.wait(what, [() => latents], number, signal);
      const words = (): void => onText?.({ field: 'elements', text: `doc ${number}.` } as never);
      const picture = (): void => onLatents?.(latents);
      const first = this.pictureFirst ? [picture, words] : [words, picture];
      return this.wait<unknown>(what, [...first, () => ({ latents, reasoning: {} })], number, signal);
    };
    const open = ({ signal }: EngineCallOptions = {}): Promise<unknown> =>
      signal?.aborted ? Promise.reject(new HostCancelledError()) : Promise.resolve({ latentSize: 1, model: 'm 1' });
    const engine = { call, open, use: () => this.wait('use', [() => ({ model: 'm 2' })], -1), close: () => undefined };
    return Object.assign(engine, { wishes: { devices: ['wasm'], software: false } }) as unknown as Engine;
  }
}

type Sliders = Readonly<Partial<Record<string, number>>>;

const exposureOf = (sliders: Sliders = {}): number => sliders['Exposure2012'] ?? 0;

function baked({ latents, strength, size = 2 }: Bake) {
  const data = new Float32Array(size ** 3 * 3);
  data.set([latents[0], latents[1], strength.light ?? 1]);
  return { size, data };
}

const PRESET = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:PresetType="Normal" crs:ProcessVersion="11.0"
 crs:Exposure2012="+2.00" crs:HasSettings="True"/></rdf:RDF></x:xmpmeta>`;
