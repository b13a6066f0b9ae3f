import { type Lut3D } from '../color/lut3d';
import { type Factor, isMonochromeSliders } from '../inference';
import { type DocumentProxy, type HostEvent, type Output, type PanelHost, type PickedFile } from '../host/panelHost';
import { answer, type AnsweringPage } from './answering';
import { PROXY_EDGE } from './ask';
import { PanelError, cancelled, isCancellation } from './errors';
import { failureIn } from './errorTexts';
import { LiveLut, type LiveResult } from './live';
import { Models, type ModelsPage } from './models';
import { modelOf, parseProvenance, provenanceOf, storyOf } from './provenance';
import { readSettings, settingsOf, withUsed } from './settings';
import {
  FULL,
  type FactorSetting,
  type Notice,
  type PanelState,
  type Try,
  type Work,
  currentTry,
  isBusy,
  isMonochromeTry,
  strengthOf,
} from './state';
import { type Store } from './store';
import { type Language, type Strings, fill } from './strings';
import { type Engine, type EngineEvent } from './worker/engine';

/** Puts the retouched picture on the screen; without a LUT the picture as it was. */
export type Paint = (lut: Lut3D | undefined, overall: number) => Promise<void>;

/** What can be done in the page, and nothing of how it looks. */
export class Controller implements ModelsPage, AnsweringPage {
  /** Set by the preview. */
  paint: Paint = () => Promise.resolve();
  private running: AbortController | undefined;
  /** Resolves when what is under way has ended. */
  private ended: Promise<void> = Promise.resolve();
  private lut: Lut3D | undefined;
  private last: Try | undefined;
  private tries = 0;
  private readonly live: LiveLut;
  readonly models: Models;

  constructor(
    readonly host: PanelHost,
    readonly engine: Engine,
    readonly store: Store<PanelState>,
    readonly strings: Strings,
    /** Of failures, which others write in English. */
    private readonly language: Language = 'en',
  ) {
    this.live = new LiveLut(
      engine,
      (result) => void this.onLive(result),
      (thrown) => {
        this.report(thrown);
      },
    );
    this.models = new Models(this);
  }

  async start(): Promise<void> {
    this.host.listen((event) => {
      this.onHost(event);
    });
    const { history, seen, accepted } = readSettings(await this.host.readSettings().catch(() => undefined));
    this.store.set({ history, help: !seen, accepted });
    // Beside each other: the model does not need a photo to get ready.
    await Promise.all([this.startModel(), this.refresh()]);
  }

  private async startModel(): Promise<void> {
    try {
      if (!(await this.models.start())) await this.engine.open({ onProgress: () => undefined });
    } catch (thrown) {
      this.report(thrown);
    }
  }

  onEngine(event: EngineEvent): void {
    if (event.kind === 'asleep') this.store.set({ asleep: true });
    if (event.kind === 'starting') this.store.set({ asleep: false, model: undefined });
    if (event.kind !== 'ready') return;
    this.store.set({ model: event.model });
    const { fellBackWrong, fellBackFailed, fellBackLost, fellBackMemory, notChecked } = this.strings;
    const gone = { lost: fellBackLost, missing: undefined };
    const texts = { wrong: fellBackWrong, failed: fellBackFailed, memory: fellBackMemory, ...gone };
    for (const { why, detail } of event.model.refused) {
      const text = texts[why];
      if (text) this.notify({ kind: 'warning', text: fill(text, { detail }) });
    }
    if (event.model.check.kind === 'none') this.notify({ kind: 'info', text: notChecked });
  }

  /** Looks which document is in front, and reads its picture where it is another one. */
  async refresh(): Promise<void> {
    try {
      const document = await this.host.describe();
      const others = this.host.abilities.otherDocuments ? await this.host.openDocuments() : [];
      const { proxy } = this.store.get();
      this.store.set({ document, others });
      if (proxy && proxy.document.id === document?.id) return;
      this.live.stop();
      this.lut = undefined;
      // Their picture is gone with the others.
      if (this.store.get().work === 'wording') this.cancel();
      this.store.set({ proxy: undefined, tries: [], current: undefined, texts: {}, seconds: undefined, zoom: 0 });
      if (document && document.refusal === undefined) await this.readProxy();
    } catch (thrown) {
      this.report(thrown);
    }
  }

  /** Runs the model as the mode says. */
  retouch(): Promise<void> {
    return this.run('reading', (signal) => answer(this, signal));
  }

  cancel(): void {
    this.running?.abort();
  }

  /** Whoever goes on with a picture waits for no more words: those so far are kept, and nothing is written into it later. */
  private async stopWriting(): Promise<void> {
    if (this.store.get().work !== 'wording') return;
    this.cancel();
    await this.ended;
  }

  /** Applies the current try; `output` is the host's first way unless told. */
  async apply(output: Output = this.host.abilities.outputs[0]): Promise<void> {
    await this.stopWriting();
    const made = currentTry(this.store.get());
    if (!made) return;
    await this.run('applying', async (signal) => {
      const { proxy, model, document } = this.store.get();
      const strength = { ...strengthOf(made), overall: made.overall };
      const { size, data } = await this.engine.call(
        'bake',
        { latents: made.latents, strength, monochrome: isMonochromeTry(made), photo: proxy?.data },
        { signal },
      );
      if (signal.aborted) throw cancelled();
      const applied = await this.host.apply(
        {
          lut: { size, data },
          state: made.document,
          output,
          name: `VeraRetouch ${document?.name ?? ''}`.trim(),
          story: storyOf(made),
          provenance: provenanceOf(made, model?.model ?? ''),
          replaces: made.layer,
        },
        {
          signal,
          onProgress: (progress) => {
            this.store.set({ progress });
          },
        },
      );
      this.change(made.id, { layer: applied.layer });
      for (const text of applied.notes) this.notify({ kind: 'info', text });
      this.store.set({ said: fill(this.strings.applied, { output: outputName(applied.output, this.strings) }) });
    });
  }

  setFactor(factor: Factor, patch: Partial<FactorSetting>): void {
    const made = currentTry(this.store.get());
    if (!made) return;
    this.change(made.id, { factors: { ...made.factors, [factor]: { ...made.factors[factor], ...patch } } });
    this.show();
  }

  setOverall(overall: number): void {
    const made = currentTry(this.store.get());
    if (!made) return;
    this.change(made.id, { overall });
    void this.paint(this.lut, overall);
  }

  setSliders(sliders: PanelState['sliders']): void {
    this.store.set({ sliders });
    const { proxy, model, loading } = this.store.get();
    const made = currentTry(this.store.get());
    const strength = made?.mode === 'adjust' ? strengthOf(made) : {};
    // Without a head of its own a model answers sliders only by writing a plan.
    if (proxy && model?.capabilities.sliders !== false && loading === '')
      this.live.update({ sliders, strength, monochrome: isMonochromeSliders(sliders) });
  }

  selectTry(id: number): void {
    const made = this.store.get().tries.find((item) => item.id === id);
    if (!made) return;
    const { mode, instruction, sliders } = made;
    this.store.set({
      current: id,
      mode,
      seconds: made.seconds || undefined,
      ...(mode === 'style' ? { instruction } : {}),
      ...(mode === 'adjust' ? { sliders } : {}),
    });
    this.show();
  }

  async openPhoto(file?: PickedFile): Promise<void> {
    try {
      await this.host.openPhoto?.(file);
    } catch (thrown) {
      this.report(thrown);
    }
  }

  /** Takes the retouch of the selected layer up again. */
  async editLayer(): Promise<void> {
    await this.stopWriting();
    await this.run('reading', async (signal) => {
      const stored = await this.host.readRetouch();
      const { latentSize, model } = await this.engine.open({ signal });
      const needed = modelOf(stored?.provenance);
      // Its latents mean nothing to another one, even where they are as many.
      if (needed !== '' && needed !== model) {
        throw new PanelError('NO_RETOUCH', fill(this.strings.needsModel, { model: needed }));
      }
      const made = stored && parseProvenance(stored.provenance, latentSize);
      if (!made) throw new PanelError('NO_RETOUCH', this.strings.noRetouchLayer);
      const { state } = await this.readProxy(signal);
      this.add({ ...made, document: state, layer: stored.layer });
      this.selectTry(this.store.get().current ?? 0);
      this.notify({ kind: 'info', text: this.strings.editing });
    });
  }

  async closeHelp(): Promise<void> {
    this.store.set({ help: false });
    await this.host.writeSettings(settingsOf(this.store.get())).catch(() => undefined);
  }

  notify(notice: Notice): void {
    const { notices } = this.store.get();
    if (!notices.some(({ text }) => text === notice.text)) this.store.set({ notices: [...notices, notice] });
  }

  private onHost(event: HostEvent): void {
    if (event.kind === 'theme') this.store.set({ theme: event.theme });
    if (event.kind === 'document') void this.refresh();
    if (event.kind === 'command') void this.carryOut(event.command);
  }

  private async carryOut(command: 'auto' | 'repeat'): Promise<void> {
    // A panel that was opened for it may be loading a model: the command waits for that.
    await this.models.settled();
    await this.stopWriting();
    if (command === 'repeat') return this.repeat();
    this.store.set({ mode: 'auto' });
    await this.retouch();
  }

  /** The last retouch, also one of another document, on the one in front. */
  private async repeat(): Promise<void> {
    const { last } = this;
    if (!last) return this.retouch();
    await this.run('reading', async (signal) => {
      const { state } = await this.readProxy(signal);
      this.add({ ...last, document: state, layer: undefined });
    });
    await this.apply();
  }

  async readProxy(signal?: AbortSignal): Promise<DocumentProxy> {
    const proxy = await this.host.readProxy({ longEdge: PROXY_EDGE, signal });
    const known = this.store.get().proxy;
    // The same picture again would only flicker.
    if (known?.state !== proxy.state || known.width !== proxy.width) this.store.set({ proxy });
    for (const text of proxy.notes) this.notify({ kind: 'info', text });
    return proxy;
  }

  add(made: Omit<Try, 'id' | 'factors' | 'overall'> & Partial<Try>): number {
    const entry: Try = { factors: FULL, overall: 1, ...made, id: ++this.tries };
    this.last = entry;
    // Enough to go back to; the strip is no archive.
    this.store.set({ tries: [...this.store.get().tries, entry].slice(-12), current: entry.id });
    this.show();
    return entry.id;
  }

  /** Nothing more is rendered for now. */
  pause(): void {
    this.live.stop();
  }

  /** The tries so far were another model's: nothing can render them any more. */
  drop(): void {
    this.live.stop();
    this.lut = undefined;
    this.last = undefined;
    this.store.set({ tries: [], current: undefined, texts: {}, seconds: undefined, live: undefined });
    void this.paint(undefined, 1);
  }

  change(id: number, patch: Partial<Try>): void {
    const tries = this.store.get().tries.map((item) => (item.id === id ? { ...item, ...patch } : item));
    this.store.set({ tries });
    if (patch.texts && this.last?.id === id) this.last = { ...this.last, ...patch };
  }

  show(): void {
    const made = currentTry(this.store.get());
    if (made && this.store.get().work !== 'loading')
      this.live.update({ latents: made.latents, strength: strengthOf(made), monochrome: isMonochromeTry(made) });
  }

  private async onLive({ lut, latents, wanted, milliseconds }: LiveResult): Promise<void> {
    this.lut = lut;
    if (wanted.sliders) this.keepSliders(latents, wanted.sliders);
    const made = currentTry(this.store.get());
    const started = performance.now();
    await this.paint(lut, made?.overall ?? 1);
    if (wanted.sliders) this.store.set({ live: Math.round(milliseconds + performance.now() - started) });
  }

  /** Sliders that move are one try, until the model has written a plan for them or another try is chosen. */
  private keepSliders(latents: Float32Array, sliders: PanelState['sliders']): void {
    const { proxy } = this.store.get();
    const made = currentTry(this.store.get());
    const unsaid = made?.mode === 'adjust' && Object.keys(made.texts).length === 0;
    if (unsaid && made.id !== this.store.get().wording) this.change(made.id, { latents, sliders });
    else if (proxy) {
      const entry: Try = {
        ...{ id: ++this.tries, mode: 'adjust', latents, sliders, texts: {}, instruction: '' },
        ...{ factors: FULL, overall: 1, document: proxy.state, seconds: 0 },
      };
      this.last = entry;
      this.store.set({ tries: [...this.store.get().tries, entry].slice(-12), current: entry.id });
    }
  }

  async remember(instruction: string): Promise<void> {
    this.store.set({ history: withUsed(this.store.get().history, instruction) });
    await this.host.writeSettings(settingsOf(this.store.get())).catch(() => undefined);
  }

  /** One work at a time, which can be cancelled and whose failure is said. */
  async run(work: Work, task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (isBusy(this.store.get())) return;
    const controller = new AbortController();
    this.running = controller;
    this.store.set({ work, progress: undefined, notices: [], said: '', menu: false, modelMenu: false });
    let end = (): void => undefined;
    this.ended = new Promise((resolve) => (end = resolve));
    try {
      await task(controller.signal);
    } catch (thrown) {
      if (isCancellation(thrown)) this.store.set({ said: this.strings.cancelled, texts: {} });
      else this.report(thrown);
    } finally {
      this.running = undefined;
      this.store.set({ work: 'idle', progress: undefined, loading: '' });
      end();
    }
  }

  report(thrown: unknown): void {
    if (isCancellation(thrown)) return;
    const { text, hint } = failureIn(this.language, thrown);
    this.notify({ kind: 'error', text, ...(hint ? { hint } : {}) });
  }
}

export function outputName(output: Output, strings: Strings): string {
  const names: Readonly<Record<Output, string>> = {
    lookup: strings.applyLookup,
    pixels: strings.applyPixels,
    cube: strings.applyCube,
    png: strings.applyPng,
    psd: strings.applyPsd,
  };
  return names[output];
}
