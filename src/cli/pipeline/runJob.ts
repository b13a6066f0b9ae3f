import { prepareFolder, removeIfEmpty } from '../../host/files/fileSet';
import { useThreads } from '../../host/files/photo';
import { NameChooser } from '../../host/files/names';
import { HostCancelledError } from '../../host/errors';
import { type Finished } from '../batch/entries';
import { namesFolder } from '../batch/inputs';
import { jobKey, Journal } from '../batch/journal';
import { RESERVED } from '../batch/report';
import { Narrator, type Terminal } from '../console';
import { bundleName, type OpenedModel } from '../engine';
import { EXIT } from '../errors';
import { type RetouchJob } from '../options';
import { FAST } from '../record';
import { InOrder } from './inOrder';
import { type JobPhoto, jobPhotos } from './jobPhotos';
import { Lanes } from './lanes';
import { LoadingModel } from './loadingModel';
import { PhotoHandler, type PhotoWorker } from './photoHandler';
import { finishPhoto, type Ledger, type Session } from './retouchPhoto';
import { runBatch } from './runBatch';
import { type Asking, prepareTask } from './task';
import { closely } from './teller';
import { ThreadWorker } from './threadWorker';

/** A job that is under way, of one photo or of thousands. */
export interface Run {
  readonly job: RetouchJob;
  readonly asking: Asking;
  readonly model: LoadingModel;
  readonly bundle: string;
  /** Key of the job: everything that decides what becomes of a photo. */
  readonly key: string;
  readonly narrator: Narrator;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly makeWorker: () => PhotoWorker;
}

/**
 * `veraretouch retouch`: task, then an answer for each photo, then its files. A folder, or `--match`, makes a batch, which
 * is the same with a memory and with as many photos at once as there are cores. A photo that cannot be done does not
 * stop the others. Returns the exit code; throws for what concerns the whole job, with nothing half-written.
 */
export async function runJob(
  job: RetouchJob,
  model: OpenedModel,
  terminal: Terminal,
  signal: AbortSignal,
  makeWorker: () => PhotoWorker = () => new ThreadWorker(),
): Promise<number> {
  const narrator = new Narrator(terminal);
  const isBatch = job.match !== undefined || (await namesFolder(job.photos));
  const asking = await prepareTask(job, signal);
  for (const note of asking.notes) narrator.note(note);
  if (job.fast) narrator.note(FAST);
  const made = await prepareFolder(job.out);
  const loading = new LoadingModel(model, job, signal);
  try {
    const bundle = bundleName(model);
    const settings = { mode: job.task.kind, bundle, strength: job.strength };
    const key = jobKey([settings, asking.settings, job.match ?? null, ...(job.fast ? ['fast'] : [])]);
    const run: Run = { job, asking, model: loading, bundle, key, narrator, terminal, signal, makeWorker };
    return await (isBatch ? runBatch(run) : runList(run));
  } finally {
    await loading.giveUp();
    await removeIfEmpty(job.out, made);
  }
}

/** A list of photos: one after another on this thread, told closely, remembered by their files alone. */
async function runList(run: Run): Promise<number> {
  const { job, asking, model, bundle, key, narrator, terminal, signal } = run;
  if (job.threads !== undefined) useThreads(job.threads);
  // The model is loaded beside the first photo.
  model.start();
  const held = await Journal.open(job.out, key, signal).catch((thrown: unknown) => {
    if (thrown instanceof HostCancelledError) throw thrown;
    // What a batch remembers here cannot be read, and is not needed.
    return undefined;
  });
  const photos = await jobPhotos(job.photos);
  const session: Session = {
    ...{ job, key, bundle, model, asking, signal },
    ledger: inMemory(key),
    names: new NameChooser(job.out, RESERVED, held),
    sheet: undefined,
    alone: photos.length === 1,
  };
  const ends = new Map<JobPhoto, Finished>();
  const printer = new InOrder(photos, ends, job.json, job.out, terminal.stdout);
  const lanes = new Lanes([new PhotoHandler()], signal);
  try {
    await lanes.run(photos, async (worker, photo) => {
      ends.set(photo, await finishPhoto(session, worker, photo, closely(narrator, photo.file)));
      printer.print();
    });
  } finally {
    await lanes.close();
  }
  const failed = [...ends.values()].filter(({ kind }) => kind === 'failed').length;
  if (failed > 0 && photos.length > 1) narrator.note(`${failed} of ${photos.length} photos failed.`);
  return failed > 0 ? EXIT.failed : EXIT.ok;
}

function inMemory(job: string): Ledger {
  return {
    begin: () => Promise.resolve(),
    done: (state, name, record) => Promise.resolve({ job, kind: 'done', ...state, name, record }),
    failed: (state, failure) => Promise.resolve({ job, kind: 'failed', ...state, failure }),
    namesOf: () => new Set(),
  };
}
