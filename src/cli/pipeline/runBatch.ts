import { availableParallelism, totalmem } from 'node:os';
import path from 'node:path';
import { exists } from '../../host/files/fileSet';
import { filesOf, NameChooser } from '../../host/files/names';
import { type Finished, type Seen } from '../batch/entries';
import { countLines, findPhotos, type FolderCount } from '../batch/inputs';
import { Journal } from '../batch/journal';
import { removeLeftovers, settleBegun } from '../batch/leftovers';
import { claimFolder } from '../batch/lock';
import { RESERVED, writeReport } from '../batch/report';
import { sheetFolder } from '../batch/sheet';
import { EXIT } from '../errors';
import { InOrder } from './inOrder';
import { type JobPhoto, jobPhotos } from './jobPhotos';
import { Lanes } from './lanes';
import { type PhotoWorker } from './photoHandler';
import { Progress } from './progress';
import { finishPhoto, openPhoto, type Session, unlessItsOwn } from './retouchPhoto';
import { type Run } from './runJob';
import { type Series } from './task';
import { fromAfar } from './teller';

/** What one photo may take at the most (110 megapixels of 16 bits): so many can be in memory at once. */
const BYTES_PER_LANE = 4e9;

/** A batch: the job with a claim on its folder, a journal, and what it has to do. */
interface Batch {
  readonly run: Run;
  readonly journal: Journal;
  readonly folders: readonly FolderCount[];
  readonly photos: readonly JobPhoto[];
  /** Photos that have ended, in this run or in an earlier one. */
  readonly ends: Map<JobPhoto, Finished>;
}

/**
 * Photos of folders, as many at work as there are cores. What was finished by an earlier run with the same settings is
 * not done again. Only one run at a time works in a folder of results. Returns the exit code; throws for what concerns
 * the whole job. `report.json` and `index.html` are written in any case, and never in the way of what went wrong.
 */
export async function runBatch(run: Run): Promise<number> {
  const { job, key, narrator, signal } = run;
  const claim = await claimFolder(job.out, signal);
  let journal: Journal | undefined;
  try {
    journal = await Journal.open(job.out, key, signal);
    const { photos: files, folders } = await findPhotos(job.photos);
    for (const line of folders.flatMap(countLines)) narrator.note(line);
    const photos = await jobPhotos(files);
    if (photos.length === 0) return EXIT.failed;
    const batch: Batch = { run, journal, folders, photos, ends: new Map() };
    const todo = await openPhotos(batch);
    await removeLeftovers(job.out);
    narrator.note(`${photos.length} photos, ${photos.length - todo.length} of them done before, ${todo.length} to do.`);
    return await workThrough(batch, todo);
  } finally {
    await journal?.close();
    await claim.release();
  }
}

/** Photos that are not finished; the ends of the others are put into `ends`. */
async function openPhotos({ run, journal, photos, ends }: Batch): Promise<JobPhoto[]> {
  const todo: JobPhoto[] = [];
  for (const photo of photos) {
    const { state } = photo;
    const begun = journal.begunBefore(state);
    if (begun) {
      const record = await settleBegun(run.job.out, begun);
      if (record) await journal.done(state, begun.name, record);
    }
    const end = journal.finishedBefore(state);
    if (end && (end.kind === 'failed' || (await allThere(run.job.out, end.name)))) ends.set(photo, end);
    else todo.push(photo);
  }
  return todo;
}

/** Who removes a result wants it made again. */
async function allThere(folder: string, name: string): Promise<boolean> {
  const found = await Promise.all(filesOf(name).map((file) => exists(path.join(folder, file))));
  return !found.includes(false);
}

async function workThrough(batch: Batch, todo: readonly JobPhoto[]): Promise<number> {
  const { run, photos, ends } = batch;
  const { job, narrator, terminal } = run;
  const sheet = await sheetFolder(job.out);
  const printer = new InOrder(photos, ends, job.json, job.out, terminal.stdout);
  printer.print();
  let thrown: unknown;
  let stopped = false;
  try {
    if (todo.length > 0) await allLanes(batch, todo, sheet, printer);
  } catch (error) {
    thrown = error;
    stopped = true;
  }
  const reported = await report(batch, sheet).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  // What stopped the batch is what its owner must read; that there is no report either is a line beside it.
  if (stopped && reported) narrator.note(`The report could not be written either.`);
  if (stopped) throw thrown;
  if (reported) throw reported.error;
  return [...ends.values()].some(({ kind }) => kind === 'failed') ? EXIT.failed : EXIT.ok;
}

async function report({ run, photos, ends, folders }: Batch, sheet: string | undefined): Promise<void> {
  const { job, key, bundle, narrator } = run;
  const settings = { job: key, mode: job.task.kind, bundle, strength: job.strength, folders, sheet };
  const outcomes = photos.map((photo) => ({ photo: photo.state.photo, end: ends.get(photo) }));
  const { report: written, files } = await writeReport(job.out, settings, outcomes);
  const { done, failed, open } = written.counts;
  for (const [wanted, name] of [
    ['report.json', files.report],
    ['index.html', files.page],
  ]) {
    if (wanted !== name) {
      narrator.note(`${wanted} is not this batch's and was left as it is; this batch's is ${name}.`);
    }
  }
  narrator.note(`${done} done, ${failed} failed, ${open} left. See ${path.join(job.out, files.page)}`);
  if (open > 0) narrator.note('The same command goes on where this one stopped.');
}

/** Looks at all photos first, where one look is kept over a series; then does what is to do. */
async function allLanes(
  batch: Batch,
  todo: readonly JobPhoto[],
  sheet: string | undefined,
  printer: InOrder,
): Promise<void> {
  const { run, journal, photos, ends } = batch;
  const { job, model, narrator } = run;
  model.start();
  const cores = job.threads ?? availableParallelism();
  const count = Math.max(1, Math.min(cores, todo.length, Math.floor(totalmem() / BYTES_PER_LANE)));
  const lanes = new Lanes(Array.from({ length: count }, run.makeWorker), run.signal);
  const { key, bundle, asking } = run;
  const session: Session = {
    ...{ job, key, bundle, model, asking, sheet, signal: lanes.signal },
    ledger: journal,
    names: new NameChooser(job.out, RESERVED, journal),
    alone: photos.length === 1,
  };
  const progress = new Progress(todo.length);
  const teller = ({ file }: JobPhoto) => fromAfar(narrator, file, progress);
  try {
    const { series } = asking;
    if (series) {
      const seen = (): Seen[] => soundSeen(batch);
      await lanes.run(
        photos,
        async (worker, photo) => {
          if (series.match === 'first' && seen().length > 0) return;
          if (ends.get(photo)?.kind === 'failed' || journal.seenBefore(photo.state)) return;
          const end = await unlessItsOwn(session, photo.state, teller(photo), () =>
            lookAt(session, journal, worker, photo, series),
          );
          if (end) ends.set(photo, end);
        },
        // The first photo that can be read: so one after another.
        series.match === 'first' ? 1 : undefined,
      );
      series.settle(series.match === 'mean' ? seen() : seen().slice(0, 1));
    }
    await lanes.run(todo, async (worker, photo) => {
      if (!ends.has(photo)) ends.set(photo, await finishPhoto(session, worker, photo, teller(photo)));
      printer.print();
    });
  } finally {
    await lanes.close();
  }
}

/** What was seen of the photos, in their order; without what a damaged journal may hold in its place. */
function soundSeen({ run, journal, photos }: Batch): Seen[] {
  const { dimensions } = run.model.manifest;
  return photos
    .flatMap(({ state }) => journal.seenBefore(state) ?? [])
    .filter(({ latents }) => dimensions === undefined || latents.length === 3 * dimensions.latent);
}

async function lookAt(
  session: Session,
  journal: Journal,
  worker: PhotoWorker,
  { file, state }: JobPhoto,
  series: Series,
): Promise<undefined> {
  const { proxy } = await openPhoto(session, worker, file);
  const { alone, signal } = session;
  const { latents, reasoning } = await series.look(await session.model.engine(), { proxy, state, alone, signal });
  await journal.saw(state, latents, reasoning);
}
