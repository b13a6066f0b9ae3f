import { availableParallelism, totalmem } from 'node:os';
import path from 'node:path';
import { throwIfCancelled } from '../../host/cancel';
import { exists, prepareFolder, removeIfEmpty } from '../../host/files/fileSet';
import { EXTENSIONS, NameChooser, photoName } from '../../host/files/names';
import { type VeraRetouchError } from '../../color';
import { Narrator, printable, type Terminal } from '../console';
import { bundleName, DEVICE, type Engine, type EngineLoader, PROXY_EDGE } from '../engine';
import { concernsOnePhoto, EXIT, isCancellation } from '../errors';
import { type RetouchJob } from '../options';
import { FAST, storyOf } from '../record';
import { type Ask, prepareAsk, type Series } from './ask';
import { findPhotos } from './inputs';
import { type Finished, jobKey, Journal, type PhotoState, type Seen, stateOf } from './journal';
import { removeLeftovers, settleBegun } from './leftovers';
import { failureOf } from './messages';
import { type PhotoWorker } from './photoHandler';
import { Progress } from './progress';
import { RESERVED, writeReport } from './report';
import { ThreadWorker } from './threadWorker';

/** What one photo may take at the most (110 megapixels of 16 bits): so many can be in memory at once. */
const BYTES_PER_LANE = 4e9;

/** Everything that the photos of a batch share. */
interface Batch {
  readonly job: RetouchJob;
  readonly engine: Engine;
  readonly ask: Ask;
  readonly journal: Journal;
  readonly names: NameChooser;
  readonly narrator: Narrator;
  readonly signal: AbortSignal;
}

/**
 * `veraretouch retouch FOLDER`: all photos of folders, with one model in memory and as many photos at work as there are
 * cores. A photo that cannot be done does not stop the others; what was finished by an earlier run with the same
 * settings is not done again. Returns the exit code; throws for what concerns the whole job. `report.json` and
 * `index.html` are written in any case.
 */
export async function runBatch(
  job: RetouchJob,
  terminal: Terminal,
  signal: AbortSignal,
  loadEngine: EngineLoader,
  makeWorker: () => PhotoWorker = () => new ThreadWorker(),
): Promise<number> {
  const narrator = new Narrator(terminal);
  const made = await prepareFolder(job.out);
  let engine: Engine | undefined;
  let journal: Journal | undefined;
  try {
    const prepared = await prepareAsk(job, narrator, signal);
    engine = await loadEngine({ bundle: job.bundle, threads: job.threads, mode: job.task.kind, signal });
    const bundle = bundleName(engine);
    const settings = { mode: job.task.kind, bundle, strength: job.strength };
    if (job.fast) narrator.note(FAST);
    await removeLeftovers(job.out);
    journal = await Journal.open(
      job.out,
      jobKey([settings, prepared.settings, job.match ?? null, ...(job.fast ? ['fast'] : [])]),
    );
    const photos = await statesOf(job, journal, narrator);
    if (photos.length === 0) return EXIT.failed;
    const names = new NameChooser(job.out, RESERVED);
    const batch: Batch = { job, engine, ask: prepared.ask, journal, names, narrator, signal };
    const ends = new Map<string, Finished>();
    const todo = await openPhotos(batch, photos, ends);
    narrator.note(`${photos.length} photos, ${photos.length - todo.length} of them done before, ${todo.length} to do.`);
    const printer = new InOrder(photos, ends, job.json, job.out, terminal);
    try {
      await allLanes(batch, photos, todo, makeWorker, ends, printer);
    } finally {
      const outcomes = photos.map(({ photo }) => ({ photo, end: ends.get(photo) }));
      const { counts } = await writeReport(job.out, settings, outcomes);
      narrator.note(
        `${counts.done} done, ${counts.failed} failed, ${counts.open} left. See ${path.join(job.out, 'index.html')}`,
      );
      if (counts.open > 0) narrator.note('The same command goes on where this one stopped.');
    }
    return [...ends.values()].some(({ kind }) => kind === 'failed') ? EXIT.failed : EXIT.ok;
  } finally {
    await journal?.close();
    await removeIfEmpty(job.out, made);
    if (!signal.aborted) await engine?.dispose();
  }
}

async function statesOf(job: RetouchJob, journal: Journal, narrator: Narrator): Promise<PhotoState[]> {
  const results = [...journal.names].flatMap((name) => EXTENSIONS.map((extension) => `${name}.${extension}`));
  const { photos, notes } = await findPhotos(job.photos, new Set(results.map((file) => path.resolve(job.out, file))));
  for (const note of notes) narrator.note(note);
  return Promise.all(photos.map(stateOf));
}

/** Photos that are not finished; the ends of the others are put into `ends`. */
async function openPhotos(batch: Batch, photos: readonly PhotoState[], ends: Map<string, Finished>) {
  const { journal, job } = batch;
  const todo: PhotoState[] = [];
  for (const state of photos) {
    const begun = journal.begunBefore(state);
    if (begun && !journal.finishedBefore(state)) {
      const record = await settleBegun(job.out, begun);
      if (record) await journal.done(state, begun.name, record);
    }
    const end = journal.finishedBefore(state);
    if (end && (end.kind === 'failed' || (await allThere(job.out, end.name)))) ends.set(state.photo, end);
    else todo.push(state);
  }
  return todo;
}

/** Who removes a result wants it made again. */
async function allThere(folder: string, name: string): Promise<boolean> {
  const found = await Promise.all(EXTENSIONS.map((extension) => exists(path.join(folder, `${name}.${extension}`))));
  return !found.includes(false);
}

/** Every lane takes the next photo when it has finished one. The first error that concerns the whole job stops all. */
async function allLanes(
  batch: Batch,
  photos: readonly PhotoState[],
  todo: readonly PhotoState[],
  makeWorker: () => PhotoWorker,
  ends: Map<string, Finished>,
  printer: InOrder,
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([batch.signal, stop.signal]);
  const cores = batch.job.threads ?? availableParallelism();
  const count = Math.max(1, Math.min(cores, todo.length, Math.floor(totalmem() / BYTES_PER_LANE)));
  const workers = Array.from({ length: count }, makeWorker);
  const progress = new Progress(todo.length);
  let first: unknown;
  let failed = false;
  type Work = (worker: PhotoWorker, state: PhotoState) => Promise<void>;
  const forAll = async (states: readonly PhotoState[], work: Work): Promise<void> => {
    const queue = [...states];
    const lane = async (worker: PhotoWorker): Promise<void> => {
      for (let state = queue.shift(); state && !signal.aborted; state = queue.shift()) await work(worker, state);
    };
    await Promise.all(
      workers.map((worker) =>
        lane(worker).catch((thrown: unknown) => {
          if (!failed) first = thrown;
          failed = true;
          stop.abort();
        }),
      ),
    );
    throwIfCancelled(batch.signal);
    if (failed) throw first;
  };
  const own: Batch = { ...batch, signal };
  try {
    const { series } = batch.ask;
    if (series && todo.length > 0) {
      const seen = (): Seen[] => photos.flatMap((state) => batch.journal.seenBefore(state) ?? []);
      const look: Work = async (worker, state) => {
        if (series.match === 'first' && seen().length > 0) return;
        if (ends.get(state.photo)?.kind !== 'failed') {
          await onePhoto(own, state, ends, () => lookAt(own, worker, state, series));
        }
      };
      if (series.match === 'mean') await forAll(photos, look);
      else for (const state of photos) await look(workers[0], state);
      series.settle(series.match === 'mean' ? seen() : seen().slice(0, 1));
    }
    await forAll(todo, async (worker, state) => {
      if (ends.has(state.photo)) return;
      const started = performance.now();
      await onePhoto(own, state, ends, async () => {
        ends.set(state.photo, await retouchPhoto(own, worker, state));
      });
      batch.narrator.note(progress.line(path.basename(state.photo), performance.now() - started));
      printer.print();
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
  }
}

/** Work on one photo, whose failure is written down; what concerns the whole job is thrown. */
async function onePhoto(
  { journal, narrator, signal }: Batch,
  state: PhotoState,
  ends: Map<string, Finished>,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    throwIfCancelled(signal);
    if (isCancellation(thrown) || !concernsOnePhoto(thrown)) throw thrown;
    narrator.error(thrown, path.basename(state.photo));
    ends.set(state.photo, await journal.failed(state, failureOf(thrown as VeraRetouchError)));
  }
}

async function lookAt(batch: Batch, worker: PhotoWorker, state: PhotoState, series: Series): Promise<void> {
  if (batch.journal.seenBefore(state)) return;
  const { proxy } = await worker.open({ file: state.photo, out: batch.job.out, longEdge: PROXY_EDGE }, batch.signal);
  const { latents, reasoning } = await series.look(batch.engine, proxy, batch.signal);
  await batch.journal.saw(state, latents, reasoning);
}

async function retouchPhoto(batch: Batch, worker: PhotoWorker, state: PhotoState): Promise<Finished> {
  const { job, engine, journal, names, narrator, signal } = batch;
  const started = performance.now();
  const { proxy, notes } = await worker.open({ file: state.photo, out: job.out, longEdge: PROXY_EDGE }, signal);
  for (const note of notes) narrator.note(`${printable(path.basename(state.photo))}: ${note}`);
  const load = performance.now() - started;
  const { latents, monochrome, ...answer } = await batch.ask.answer(engine, proxy, state, signal);
  const baking = performance.now();
  const { lut, error } = await engine.bakeMeasuredLut(latents, {
    strength: job.strength,
    monochrome,
    photo: proxy.data,
    signal,
  });
  const bakeMs = performance.now() - baking;
  const { mode, reasoning } = answer;
  const bundle = bundleName(engine);
  const name = await names.choose(photoName(state.photo));
  await journal.begin(state, name);
  const { record } = await worker.apply(
    {
      lut: { size: lut.size, data: lut.data },
      story: storyOf(reasoning),
      provenance: { mode, reasoning, strength: job.strength, bundle, lut: { size: lut.size, error }, match: job.match },
      name,
      record: { result: answer, load: load + answer.timingsMs.load, device: DEVICE, bundle },
      bakeMs,
    },
    signal,
  );
  return journal.done(state, name, record);
}

/** Results on stdout in the order of the photos, each as soon as all before it have ended. */
class InOrder {
  private next = 0;

  constructor(
    private readonly photos: readonly PhotoState[],
    private readonly ends: ReadonlyMap<string, Finished>,
    private readonly json: boolean,
    private readonly out: string,
    private readonly terminal: Terminal,
  ) {
    this.print();
  }

  print(): void {
    for (; this.next < this.photos.length; this.next++) {
      const end = this.ends.get(this.photos[this.next].photo);
      if (!end) return;
      const done = end.kind === 'done' ? end : undefined;
      if (this.json) this.terminal.stdout.write(`${JSON.stringify(done?.record ?? null)}\n`);
      else if (done) {
        this.terminal.stdout.write(
          EXTENSIONS.map((extension) => `${path.join(this.out, `${done.name}.${extension}`)}\n`).join(''),
        );
      }
    }
  }
}
