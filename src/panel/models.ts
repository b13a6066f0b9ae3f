import { type KeptFolder, type ModelFolder } from '../host/folders';
import { type PanelHost } from '../host/panelHost';
import { type LoadProgress } from '../inference';
import { isCancellation } from './errors';
import { folderSource } from './folderSource';
import { type ModelOffer, isAccepted, readOffer } from './modelOffer';
import { settingsOf } from './settings';
import { type Notice, type PageStore, type Work, isBusy } from './state';
import { type Strings, fill } from './strings';
import { type Job } from './sheets/jobs';
import { type Engine } from './worker/engine';
import { type MachineScope, devicesOf } from './worker/machine';

/** What the choice of a model needs of the page around it. */
export interface ModelsPage {
  readonly host: PanelHost;
  readonly engine: Engine;
  readonly store: PageStore;
  readonly strings: Strings;
  /** One work at a time, which can be cancelled and whose failure is said. */
  run(work: Work, task: (job: Job) => Promise<void>): Promise<void>;
  report(thrown: unknown): void;
  notify(notice: Notice): void;
  /** What came of it, for the status line. */
  say(said: string): void;
  /** Nothing more is rendered for now. */
  pause(): void;
  /** What was made so far is of a model that is gone. */
  drop(): void;
}

/** Acceptances that are remembered; nobody has more models. */
const MOST_ACCEPTED = 16;

/** Which model is used: the built-in one, or one in a folder that a person chose. */
export class Models {
  private starting: Promise<boolean> | undefined;

  constructor(
    private readonly page: ModelsPage,
    private readonly scope: MachineScope = globalThis as unknown as MachineScope,
  ) {}

  /** Takes the model of last time up again. False where the built-in one is to be started. */
  start(): Promise<boolean> {
    this.starting = this.resume();
    return this.starting;
  }

  private async resume(): Promise<boolean> {
    const kept = await this.kept();
    if (!kept) return false;
    if (kept.asks) {
      this.page.store.set({ lastTime: true });
      const text = fill(this.page.strings.againHint, { name: kept.name });
      this.page.notify({ kind: 'info', text, action: 'again' });
      return false;
    }
    await this.takeUp(kept);
    return true;
  }

  /** The model of last time, asked for by a click. */
  async again(): Promise<void> {
    const { page } = this;
    const { store, host, strings } = page;
    if (isBusy(store.get())) return;
    const kept = await this.kept();
    if (!kept) return;
    try {
      if (!kept.asks || (await host.folders.permit(kept.id))) await this.takeUp(kept);
      else page.notify({ kind: 'warning', text: fill(strings.permissionRefused, { name: kept.name }) });
    } catch (thrown) {
      page.report(thrown);
    }
  }

  /** Asks for a folder, and shows what is in it. */
  async choose(): Promise<void> {
    const { store, host } = this.page;
    if (isBusy(store.get())) return;
    let folder: ModelFolder | undefined;
    try {
      folder = await host.folders.choose();
    } catch (thrown) {
      this.page.report(thrown);
    }
    if (!folder) return;
    const chosen = folder;
    await this.page.run('inspecting', async ({ signal }) => {
      store.set({ offer: await this.look(chosen, signal) });
    });
  }

  /** What was shown is not wanted. */
  decline(): void {
    this.page.store.set({ offer: undefined });
  }

  /** What was shown is accepted and used. */
  async accept(): Promise<void> {
    const { store, host } = this.page;
    const { offer, accepted } = store.get();
    if (!offer?.fits) return;
    store.set({ offer: undefined });
    if (offer.terms && !isAccepted(accepted, offer.terms.key)) {
      store.set({ accepted: [offer.terms.key, ...accepted].slice(0, MOST_ACCEPTED) });
      await host.writeSettings(settingsOf(store.get())).catch(() => undefined);
    }
    await this.page.run('loading', (job) => this.load(offer, job));
  }

  /** The built-in model from now on; the chosen folder is forgotten. */
  async builtIn(): Promise<void> {
    const { store, host, engine, strings } = this.page;
    if (isBusy(store.get())) return;
    await this.page.run('loading', async (job) => {
      if (store.get().chosen) {
        await this.orGoOn(async () => {
          this.begin(strings.builtIn, job);
          await engine.use(undefined, { signal: job.signal, onProgress: progressOf(job) });
          this.page.drop();
          store.set({ chosen: undefined });
        });
      }
      if (store.get().chosen) return;
      await host.folders.forget();
      store.set({ lastTime: false });
      this.page.say(strings.builtInUsed);
    });
  }

  /** Resolves when no model is being looked at or loaded. */
  async settled(): Promise<void> {
    await this.starting?.catch(() => undefined);
    await new Promise<void>((resolve) => {
      const stop = this.page.store.listen(({ work, loading }) => {
        if (work === 'inspecting' || work === 'loading' || loading !== '') return;
        resolve();
        // The store tells the state while it is being asked to.
        queueMicrotask(() => {
          stop();
        });
      });
    });
  }

  private async kept(): Promise<KeptFolder | undefined> {
    try {
      return await this.page.host.folders.kept();
    } catch (thrown) {
      // Its disk may be there the next time: only a person forgets it.
      this.page.store.set({ lastTime: true });
      this.page.report(thrown);
      return undefined;
    }
  }

  private async takeUp(kept: KeptFolder): Promise<void> {
    const { page } = this;
    const { store, engine } = page;
    store.set({ lastTime: true });
    await page.run('inspecting', async (job) => {
      await this.orGoOn(async () => {
        const offer = await this.look(kept, job.signal);
        const { terms } = offer;
        if (terms && !isAccepted(store.get().accepted, terms.key)) store.set({ offer });
        else await this.load(offer, job);
      });
    });
    // What was not taken up is not there: the model before, or the built-in one, has to be.
    if (!store.get().chosen) {
      engine.open().catch((thrown: unknown) => {
        page.report(thrown);
      });
    }
  }

  private async look(folder: ModelFolder, signal: AbortSignal): Promise<ModelOffer> {
    const { engine, host } = this.page;
    const { devices, software } = engine.wishes;
    return readOffer(
      folderSource(host.folders, folder),
      folder,
      await devicesOf(this.scope, devices, software),
      signal,
    );
  }

  private async load(offer: ModelOffer, job: Job): Promise<void> {
    const { page } = this;
    const { store, engine, host, strings } = page;
    await this.orGoOn(async () => {
      this.begin(offer.name, job);
      const { model } = await engine.use(folderSource(host.folders, offer.folder), {
        signal: job.signal,
        onProgress: progressOf(job),
      });
      page.drop();
      store.set({ chosen: model, lastTime: false });
      page.say(fill(strings.modelInUse, { name: offer.name }));
      if (!(await host.folders.keep(offer.folder.id))) page.notify({ kind: 'info', text: strings.notKept });
    });
  }

  private begin(name: string, job: Job): void {
    this.page.pause();
    job.tell({ work: 'loading', loading: name, progress: undefined });
  }

  /** A failure is said, and that nothing has changed by it. */
  private async orGoOn(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      if (isCancellation(thrown)) throw thrown;
      this.page.report(thrown);
      this.page.notify({ kind: 'info', text: this.page.strings.goesOn });
    }
  }
}

function progressOf(job: Job) {
  return ({ stage, bytes, totalBytes }: LoadProgress): void => {
    if (stage !== 'load' || bytes === undefined || !totalBytes) return;
    const whole = bytes >= totalBytes;
    job.tell({ work: whole ? 'checking' : 'loading', progress: whole ? undefined : bytes / totalBytes });
  };
}
