import { type DocumentProxy, type PanelHost } from '../host/panelHost';
import { type Wish, ask } from './ask';
import { isCancellation } from './errors';
import { type PageStore, type Try } from './state';
import { type Strings, fill } from './strings';
import { type Job } from './sheets/jobs';
import { type Sheet } from './sheets/sheets';
import { type NewTry } from './sheets/tries';
import { type Engine, type EngineCallOptions } from './worker/engine';

/** What an answer of the model needs of the page around it. */
export interface AnsweringPage {
  readonly host: PanelHost;
  readonly engine: Engine;
  readonly store: PageStore;
  readonly strings: Strings;
  readProxy(sheet: Sheet, signal: AbortSignal): Promise<DocumentProxy>;
  /** Keeps a new try, shows it where it is waited for, and returns its number. */
  add(sheet: Sheet, made: NewTry): number;
  change(sheet: Sheet, id: number, patch: Partial<Try>): void;
  /** Renders the try that is shown. */
  show(sheet: Sheet): void;
  /** Keeps a style for the list of those that were used. */
  remember(instruction: string): Promise<void>;
}

/**
 * Runs the model as the mode says, for one document. A model that gives the picture first has its try as soon as that is
 * there; the words then grow in the try, and what stops them leaves picture and words as they are, marked as cut short.
 */
export async function answer(page: AnsweringPage, sheet: Sheet, job: Job): Promise<void> {
  const { engine, store, strings } = page;
  const { signal } = job;
  const wish: Wish = store.get();
  const { mode, instruction, sliders } = wish;
  const started = performance.now();
  const proxy = await page.readProxy(sheet, signal);
  job.tell({ work: store.get().model ? 'thinking' : 'starting' });
  sheet.set({ texts: {} });
  let early: number | undefined;

  const keep = (latents: Float32Array, texts: Try['texts']): number => {
    const seconds = (performance.now() - started) / 1000;
    const id = page.add(sheet, { mode, latents, texts, instruction, sliders, seconds, document: proxy.state });
    sheet.set({ said: fill(strings.done, { seconds: seconds.toFixed(1) }) });
    return id;
  };
  const options: EngineCallOptions = {
    signal,
    onLatents: (latents) => {
      // What comes with its last word, or without words, is kept when the call ends.
      if (signal.aborted || mode === 'match' || !store.get().model?.capabilities.pictureFirst) return;
      if (early === undefined) early = keep(latents, {});
      else {
        // Another device began anew.
        page.change(sheet, early, { latents, texts: {} });
        page.show(sheet);
      }
      job.tell({ work: 'wording' });
      sheet.set({ wording: early });
    },
    onText: ({ field, text }) => {
      const texts = early === undefined ? sheet.get().texts : textsOf(sheet, early);
      const grown = { ...texts, [field]: (texts[field] ?? '') + text };
      if (early !== undefined) {
        page.change(sheet, early, { texts: grown });
        return;
      }
      job.tell({ work: 'writing' });
      sheet.set({ texts: grown });
    },
    onRestart: () => {
      job.tell({ work: 'thinking' });
      sheet.set({ texts: {} });
    },
    onProgress: whileStarting(page, job),
  };
  await engine.open(options);
  job.tell({ work: 'thinking', loading: '', progress: undefined });
  try {
    const { latents } = await ask(page, wish, proxy, options);
    if (early === undefined) {
      job.tell({ work: 'rendering' });
      keep(latents, sheet.get().texts);
    }
  } catch (thrown) {
    if (early === undefined) throw thrown;
    page.change(sheet, early, { cut: true });
    if (!isCancellation(thrown)) throw thrown;
    sheet.set({ said: strings.cutShort });
  } finally {
    sheet.set({ wording: undefined });
  }
  if (mode === 'style') await page.remember(instruction);
}

/** What the model is doing before it can be asked. */
function whileStarting({ store }: AnsweringPage, job: Job): EngineCallOptions['onProgress'] {
  return ({ file, bytes, totalBytes }) => {
    if (store.get().model || !file.endsWith('.onnx')) return;
    // Another model's files come from its folder again when it has slept.
    if (totalBytes && bytes !== undefined && bytes < totalBytes) {
      const { chosen = '' } = store.get();
      job.tell({ work: 'loading', loading: chosen, progress: bytes / totalBytes });
    } else {
      // Graphs are loaded for the comparison with the bundle's numbers when the model starts.
      job.tell({ work: 'checking', loading: '', progress: undefined });
    }
  };
}

function textsOf(sheet: Sheet, id: number): Try['texts'] {
  return sheet.get().tries.find((made) => made.id === id)?.texts ?? {};
}
