import { type Output, type PanelHost } from '../host/panelHost';
import { cancelled } from './errors';
import { provenanceOf, storyOf } from './provenance';
import {
  type Notice,
  type PageStore,
  type Try,
  type Work,
  currentTry,
  isMonochromeTry,
  sameSliders,
  strengthOf,
} from './state';
import { type Strings, fill } from './strings';
import { type Job } from './sheets/jobs';
import { type Sheet } from './sheets/sheets';
import { withSliders } from './sheets/tries';
import { type Engine } from './worker/engine';

/** What applying needs of the page around it. */
export interface ApplyingPage {
  readonly host: PanelHost;
  readonly engine: Engine;
  readonly store: PageStore;
  readonly strings: Strings;
  stopWriting(): Promise<void>;
  change(sheet: Sheet, id: number, patch: Partial<Try>): void;
  notify(notice: Notice, sheet?: Sheet): void;
  runFor(sheet: Sheet, work: Work, task: (job: Job) => Promise<void>, goesOn?: boolean): Promise<void>;
}

/**
 * Applies the try that is shown on one document's sheet, to that document. It goes on when another one comes to the front: a
 * download is wanted all the same, and Photoshop refuses by itself what is not in front any more.
 */
export async function apply(page: ApplyingPage, sheet: Sheet, output: Output): Promise<void> {
  const { host, engine, store, strings } = page;
  // What was on the screen when it was asked for.
  const wanted = currentTry(sheet.get());
  const { mode, model } = store.get();
  const { sliders } = sheet.get();
  if (!wanted) return;
  await page.stopWriting();
  const task = async (job: Job): Promise<void> => {
    const { signal } = job;
    const { proxy, document } = sheet.get();
    let made = sheet.get().tries.find(({ id }) => id === wanted.id) ?? wanted;
    // A slider was moved just now, and its picture is not there yet: what it says is what is applied.
    if (mode === 'adjust' && !sameSliders(sliders, made.sliders) && model?.capabilities.sliders !== false) {
      const latents = await engine.call('sliders', { sliders }, { signal });
      const kept = withSliders(sheet.get(), latents, sliders);
      if (kept && sheet.inFront && store.get().mode === 'adjust') {
        sheet.set(kept);
        made = currentTry(sheet.get()) ?? made;
      } else made = { ...made, latents, sliders, texts: {} };
    }
    const strength = { ...strengthOf(made), overall: made.overall };
    const monochrome = isMonochromeTry(made);
    const wish = { latents: made.latents, strength, monochrome, photo: proxy?.data };
    const baked = await engine.call('bake', wish, { signal });
    if (signal.aborted) throw cancelled();
    const applied = await host.apply(
      {
        lut: { size: baked.size, data: baked.data },
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
          job.tell({ progress });
        },
      },
    );
    page.change(sheet, made.id, { layer: applied.layer });
    for (const text of applied.notes) page.notify({ kind: 'info', text }, sheet);
    sheet.set({ said: fill(strings.applied, { output: outputName(applied.output, strings) }) });
  };
  await page.runFor(sheet, 'applying', task, true);
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
