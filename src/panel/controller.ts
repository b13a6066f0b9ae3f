import { type Lut3D } from '../color/lut3d';
import { type Factor } from '../inference';
import { throwIfCancelled } from '../host/cancel';
import { type DocumentProxy, type HostEvent, type Output, type PanelHost, type PickedFile } from '../host/panelHost';
import { answer, type AnsweringPage } from './answering';
import { apply, type ApplyingPage } from './applying';
import { PROXY_EDGE } from './ask';
import { deviceNotices } from './deviceNotices';
import { editLayer } from './editing';
import { cancelled, isCancellation } from './errors';
import { LiveLut, type LiveResult } from './live';
import { Models, type ModelsPage } from './models';
import { type Last, repeat } from './repeating';
import { readSettings, settingsOf, withUsed } from './settings';
import {
  type FactorSetting,
  type Notice,
  type PageStore,
  type PanelMode,
  type PanelState,
  type Try,
  type Work,
  currentTry,
  isBusy,
  sameSliders,
} from './state';
import { type Store } from './store';
import { type Language, type Strings } from './strings';
import { type Job, type JobOptions, Jobs } from './sheets/jobs';
import { Looking, type LookingPage } from './sheets/looking';
import { Notices } from './sheets/notices';
import { type Sheet, Sheets } from './sheets/sheets';
import {
  type NewTry,
  inMode,
  lookOf,
  newTry,
  showing,
  slidersAreShown,
  withChange,
  withSliders,
  withTry,
  wordsOf,
} from './sheets/tries';
import { type Engine, type EngineEvent } from './worker/engine';
import { type Sliders } from './worker/protocol';

/** Puts the retouched picture of a try on the screen; without a LUT the picture as it was. */
export type Paint = (lut: Lut3D | undefined, overall: number, made?: number) => Promise<void>;

/** What can be done in the page, and nothing of how it looks. */
export class Controller implements ModelsPage, AnsweringPage, LookingPage, ApplyingPage {
  /** Set by the preview. */
  paint: Paint = () => Promise.resolve();
  readonly store: PageStore;
  readonly sheets: Sheets;
  readonly models: Models;
  private readonly jobs: Jobs;
  private readonly notices: Notices;
  private readonly looking: Looking;
  private readonly live: LiveLut<Sheet>;
  private last: Last | undefined;

  constructor(
    readonly host: PanelHost,
    readonly engine: Engine,
    store: Store<PanelState>,
    readonly strings: Strings,
    /** Of failures, which others write in English. */
    language: Language = 'en',
  ) {
    this.store = store;
    this.sheets = new Sheets(store);
    this.jobs = new Jobs(store);
    this.notices = new Notices(store, language);
    this.looking = new Looking(this, store);
    this.live = new LiveLut<Sheet>(
      engine,
      (result) => void this.onLive(result),
      (thrown) => {
        this.onLiveFailure(thrown);
      },
    );
    this.models = new Models(this);
  }

  /** The work of the document in front. Whoever waits for something takes it before. */
  get front(): Sheet {
    return this.sheets.front;
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
    for (const notice of deviceNotices(event.model, this.strings)) this.notify(notice);
  }

  /** Looks which document is in front, and reads its picture where it is another one. */
  refresh(): Promise<void> {
    return this.looking.refresh();
  }

  /** Another document is in front: its picture is read, and what was made of it before is shown again. */
  async arrived(sheet: Sheet): Promise<void> {
    this.live.stop();
    const made = currentTry(sheet.get());
    if (made) this.store.set({ mode: made.mode });
    try {
      await this.readProxy(sheet, sheet.left);
    } catch (thrown) {
      if (sheet.inFront) this.report(thrown, sheet);
    }
  }

  /** Runs the model as the mode says. */
  retouch(): Promise<void> {
    const sheet = this.front;
    return this.runFor(sheet, 'reading', (job) => answer(this, sheet, job));
  }

  cancel(): void {
    this.jobs.cancel();
  }

  /** Whoever goes on with a picture waits for no more words: those so far are kept, and nothing is written into it later. */
  async stopWriting(): Promise<void> {
    if (this.store.get().work !== 'wording') return;
    this.cancel();
    await this.jobs.settled();
  }

  /** Applies the try that is shown; `output` is the host's first way unless told. */
  apply(output: Output = this.host.abilities.outputs[0]): Promise<void> {
    return apply(this, this.front, output);
  }

  setFactor(factor: Factor, patch: Partial<FactorSetting>): void {
    const sheet = this.front;
    const made = currentTry(sheet.get());
    if (!made) return;
    this.change(sheet, made.id, { factors: { ...made.factors, [factor]: { ...made.factors[factor], ...patch } } });
    this.show(sheet);
  }

  setOverall(overall: number): void {
    const sheet = this.front;
    const made = currentTry(sheet.get());
    if (!made) return;
    this.change(sheet, made.id, { overall });
    this.repaint();
  }

  setSliders(sliders: Sliders): void {
    this.front.set({ sliders });
    this.show(this.front);
  }

  /** Each mode shows what was made in it; the controls under a tab and the picture above it are one. */
  chooseMode(mode: PanelMode): void {
    if (mode === this.store.get().mode) return;
    const sheet = this.front;
    this.live.stop();
    this.store.set({ mode });
    sheet.set(inMode(sheet.get(), mode));
    this.show(sheet);
  }

  selectTry(id: number, sheet = this.front): void {
    const work = sheet.get();
    const made = work.tries.find((item) => item.id === id);
    if (!made) return;
    sheet.set(showing(work, made));
    if (!sheet.inFront) return;
    this.store.set({ mode: made.mode, ...wordsOf(work, made, this.store.get().instruction) });
    this.show(sheet);
  }

  async openPhoto(file?: PickedFile): Promise<void> {
    this.clear();
    try {
      await this.host.openPhoto?.(file);
    } catch (thrown) {
      this.report(thrown, this.front);
    }
  }

  /** Takes the retouch of the selected layer up again. */
  async editLayer(): Promise<void> {
    await this.stopWriting();
    await this.looking.look();
    await editLayer(this, this.front);
  }

  async closeHelp(): Promise<void> {
    this.store.set({ help: false });
    await this.host.writeSettings(settingsOf(this.store.get())).catch(() => undefined);
  }

  notify(notice: Notice, sheet?: Sheet): void {
    this.notices.notify(notice, sheet);
  }

  clear(): void {
    this.notices.clear();
  }

  say(said: string): void {
    this.front.set({ said });
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
    // It is meant for the document that is in front now, of which the page may not have heard yet.
    await this.refresh();
    if (command === 'repeat') return this.repeat();
    this.chooseMode('auto');
    await this.retouch();
  }

  /** The last retouch, also one of another document, on the one in front. */
  private repeat(): Promise<void> {
    return this.last ? repeat(this, this.front, this.last) : this.retouch();
  }

  /** Reads the picture of one document, and no other. */
  async readProxy(sheet: Sheet, signal: AbortSignal): Promise<DocumentProxy> {
    const proxy = await this.host.readProxy({ longEdge: PROXY_EDGE, id: sheet.id || undefined, signal });
    throwIfCancelled(signal);
    if (!sheet.inFront || proxy.document.id !== sheet.id) throw cancelled();
    const known = sheet.get().proxy;
    // The same picture again would only flicker.
    if (known?.state !== proxy.state || known.width !== proxy.width) sheet.set({ proxy });
    for (const text of proxy.notes) this.notify({ kind: 'info', text }, sheet);
    if (!known) this.show(sheet);
    return proxy;
  }

  add(sheet: Sheet, made: NewTry): number {
    const entry = newTry(made);
    this.last = { made: entry, sheet: sheet.id };
    const work = sheet.get();
    sheet.set(withTry(work, entry));
    // Where other controls are in front by now, it is found under its own.
    const waited = this.store.get().mode === entry.mode;
    const moved = entry.mode === 'adjust' && !sameSliders(entry.sliders, work.sliders);
    if (sheet.inFront && waited && !moved) {
      sheet.set(showing(sheet.get(), entry));
      this.show(sheet);
    } else if (!moved) sheet.set({ shown: { ...work.shown, [entry.mode]: entry.id } });
    return entry.id;
  }

  pause(): void {
    this.live.stop();
  }

  /** The tries so far were another model's, those of every document: nothing can render them any more. */
  drop(): void {
    this.live.stop();
    this.last = undefined;
    const none = { tries: [], current: undefined, shown: {}, texts: {}, seconds: undefined, live: undefined };
    for (const sheet of this.sheets.all) {
      sheet.lut = undefined;
      sheet.set({ ...none, sliders: {} });
    }
    void this.paint(undefined, 1);
  }

  change(sheet: Sheet, id: number, patch: Partial<Try>): void {
    sheet.set(withChange(sheet.get(), id, patch));
    if (patch.texts && this.last?.made.id === id) this.last = { ...this.last, made: { ...this.last.made, ...patch } };
  }

  /** Renders what the controls say: sliders that moved, or the try that is shown. */
  show(sheet: Sheet): void {
    const { mode, model, loading } = this.store.get();
    if (!sheet.inFront || loading !== '') return;
    const work = sheet.get();
    const look = lookOf(work, mode);
    if (look) {
      // Without a head of its own a model answers sliders only by writing a plan.
      const can = look.latents || (work.proxy && model?.capabilities.sliders !== false);
      if (can) this.live.update({ of: sheet, ...look });
    } else {
      this.live.stop();
      this.showPhoto(sheet);
    }
  }

  /** The photo as it was. */
  private showPhoto(sheet: Sheet): void {
    sheet.lut = undefined;
    void this.paint(undefined, 1);
  }

  /** Puts what was rendered on the screen again: the picture below it is another one, or the amount. */
  repaint(): void {
    const { lut } = this.front;
    const made = currentTry(this.front.get());
    if (lut && made) void this.paint(lut, made.overall, made.id);
  }

  private async onLive({ lut, latents, wanted, milliseconds }: LiveResult<Sheet>): Promise<void> {
    const { of: sheet, sliders } = wanted;
    if (!sheet?.inFront || (sliders && this.store.get().mode !== 'adjust')) return;
    const before = currentTry(sheet.get());
    const isShown = !sliders || (before?.mode === 'adjust' && sameSliders(sliders, before.sliders));
    // Another try is shown by now, or the same sliders have been answered with words.
    if (isShown && before?.latents !== latents) return;
    sheet.lut = lut;
    // A slider that has gone on is only painted on its way.
    const rests = sliders && sameSliders(sliders, sheet.get().sliders);
    const kept = rests && withSliders(sheet.get(), latents, sliders);
    if (kept) sheet.set(kept);
    const made = currentTry(sheet.get());
    if (kept && made) this.last = { made, sheet: sheet.id };
    const started = performance.now();
    await this.paint(lut, made?.overall ?? 1, made?.id);
    if (sliders) sheet.set({ live: Math.round(milliseconds + performance.now() - started) });
  }

  /** What could not be rendered is not shown: sliders go back to the picture, or the photo is shown as it was. */
  private onLiveFailure(thrown: unknown): void {
    const sheet = this.front;
    this.report(thrown, sheet);
    if (this.live.waits) return;
    const work = sheet.get();
    if (this.store.get().mode === 'adjust' && !slidersAreShown(work)) {
      sheet.set({ sliders: currentTry(work)?.sliders ?? {} });
    } else this.showPhoto(sheet);
  }

  async remember(instruction: string): Promise<void> {
    this.store.set({ history: withUsed(this.store.get().history, instruction) });
    await this.host.writeSettings(settingsOf(this.store.get())).catch(() => undefined);
  }

  /** A work of the page's own, whichever document is in front. */
  run(work: Work, task: (job: Job) => Promise<void>): Promise<void> {
    const asked = { document: undefined, name: '', mode: this.store.get().mode };
    return this.carry(work, { asked }, task);
  }

  /** A work for one document. One that `goesOn` is not ended by another document that comes to the front. */
  runFor(sheet: Sheet, work: Work, task: (job: Job) => Promise<void>, goesOn = false): Promise<void> {
    const { document } = sheet.get();
    const asked = { document: sheet.id, name: document?.name ?? '', mode: this.store.get().mode };
    return this.carry(work, { sheet, goesOn, asked }, task);
  }

  private async carry(work: Work, options: JobOptions, task: (job: Job) => Promise<void>): Promise<void> {
    if (isBusy(this.store.get()) || options.sheet?.inFront === false) return;
    const { sheet = this.front } = options;
    this.store.set({ notices: [], menu: false, modelMenu: false });
    sheet.set({ said: '' });
    try {
      await this.jobs.run(work, options, task);
    } catch (thrown) {
      // What was refused because of another document is to be read under that one.
      if (options.sheet) await this.looking.look();
      if (isCancellation(thrown)) sheet.set({ said: this.strings.cancelled, texts: {} });
      else this.report(thrown, options.sheet);
    }
    // What could not be rendered meanwhile; and what the host has not told, as Photoshop does while it is modal.
    if (work === 'inspecting' || work === 'loading') this.show(this.front);
    if (options.sheet) void this.looking.look();
  }

  report(thrown: unknown, sheet?: Sheet): void {
    this.notices.report(thrown, sheet, this.front);
  }
}
