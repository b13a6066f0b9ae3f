import { lstat, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { VeraRetouchError } from '../../color';
import { isTemporary, moveWithoutOverwriting, temporaryName, writeError } from '../../host/files/fileSet';
import { filesOf } from '../../host/files/names';
import { storyOf } from '../record';
import { type Failure, type Finished } from './entries';
import { type FolderCount } from './inputs';
import { GENERATOR, isOwnReport, pageHead } from './ownReport';

/** Names of the batch's own files, which no photo's results may have. */
export const RESERVED = ['report.json'];
/** So many names are tried where the user's own files have them. */
const MOST_NAMES = 10_000;

/** What is known of one photo at the end of a run. */
export interface Outcome {
  readonly photo: string;
  /** Undefined: its turn has not come. */
  readonly end: Finished | undefined;
}

export interface BatchReport {
  readonly generator: string;
  /** Key of the job: a later run replaces only a report that has its own. */
  readonly job: string;
  readonly mode: string;
  readonly bundle: string;
  readonly strength: Readonly<Record<string, number>>;
  readonly counts: { readonly photos: number; readonly done: number; readonly failed: number; readonly open: number };
  /** What was found in the folders that were given. */
  readonly folders: readonly FolderCount[];
  readonly photos: readonly {
    readonly photo: string;
    readonly status: 'done' | 'failed' | 'open';
    readonly files?: readonly string[];
    readonly record?: unknown;
    readonly failure?: Failure;
  }[];
}

export interface Settings extends Pick<BatchReport, 'job' | 'mode' | 'bundle' | 'strength' | 'folders'> {
  /** Name of the folder with the small pictures, in that of the results; undefined where there is none. */
  readonly sheet: string | undefined;
}

export interface WrittenReport {
  readonly report: BatchReport;
  /** Names of the two files: free ones, where somebody else's file has the first. */
  readonly files: { readonly report: string; readonly page: string };
}

/**
 * Writes `report.json` and the contact sheet `index.html` into the folder of the results, each whole or not at all. What
 * is there is replaced only when it says that it is this job's. Throws HostError OUTPUT_WRITE.
 */
export async function writeReport(
  out: string,
  { sheet, ...settings }: Settings,
  outcomes: readonly Outcome[],
): Promise<WrittenReport> {
  const count = (kind: Finished['kind'] | undefined): number => outcomes.filter(({ end }) => end?.kind === kind).length;
  const { job, mode, bundle, strength, folders } = settings;
  const report: BatchReport = {
    ...{ generator: GENERATOR, job, mode, bundle, strength },
    counts: { photos: outcomes.length, done: count('done'), failed: count('failed'), open: count(undefined) },
    folders,
    photos: outcomes.map(({ photo, end }) => {
      if (!end) return { photo, status: 'open' as const };
      if (end.kind === 'failed') return { photo, status: 'failed' as const, failure: end.failure };
      return { photo, status: 'done' as const, files: filesOf(end.name), record: end.record };
    }),
  };
  const json = await writeOwn(out, 'report.json', job, `${JSON.stringify(report, null, 1)}\n`);
  const page = await writeOwn(out, 'index.html', job, contactSheet(report, outcomes, sheet));
  return { report, files: { report: json, page } };
}

/** Under its name where that is free or this job's, else under the next free one, which is returned. */
async function writeOwn(out: string, wanted: string, job: string, text: string): Promise<string> {
  const { name, ext } = path.parse(wanted);
  const temp = path.join(out, temporaryName());
  const gone = isTemporary(temp);
  try {
    const handle = await open(temp, 'wx');
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    for (let number = 1; number <= MOST_NAMES; number++) {
      const candidate = number === 1 ? wanted : `${name}-${number}${ext}`;
      if (await take(temp, path.join(out, candidate), job)) return candidate;
    }
    throw new Error('too many files have this name');
  } catch (cause) {
    if (cause instanceof VeraRetouchError) throw cause;
    throw writeError(path.join(out, wanted), cause, 'The results of the photos are not touched by this.');
  } finally {
    await rm(temp, { force: true }).catch(() => undefined);
    gone();
  }
}

async function take(temp: string, file: string, job: string): Promise<boolean> {
  if (await lstat(file).catch(() => undefined)) {
    if (!(await isOwnReport(file, job))) return false;
    await rename(temp, file);
    return true;
  }
  try {
    await moveWithoutOverwriting(temp, file);
    return true;
  } catch (thrown) {
    if (thrown instanceof VeraRetouchError && thrown.code === 'OUTPUT_EXISTS') return false;
    throw thrown;
  }
}

/** One page that needs nothing but the pictures beside it: before, after, and why. */
export function contactSheet(
  { job, counts, mode, bundle }: BatchReport,
  outcomes: readonly Outcome[],
  sheet: string | undefined,
): string {
  const open = counts.open > 0 ? `, ${counts.open} still to do` : '';
  const summary = `${counts.done} retouched, ${counts.failed} failed${open}; mode ${mode}, model ${bundle}`;
  const failed = outcomes.flatMap(({ photo, end }) =>
    end?.kind === 'failed'
      ? [
          `<li><b>${escapeHtml(path.basename(photo))}</b> ${escapeHtml(end.failure.message)} ${escapeHtml(end.failure.hint ?? '')}</li>`,
        ]
      : [],
  );
  const cards = outcomes.flatMap(({ photo, end }) => (end?.kind === 'done' ? [card(photo, end, sheet)] : []));
  return `${pageHead(job)}<meta name="viewport" content="width=device-width, initial-scale=1">
<title>VeraRetouch: ${counts.done} photos</title>
<style>
/* Neutral greys: a coloured page would change how the pictures look. */
body { margin: 0; padding: 24px; background: #262626; color: #d6d6d6; font: 14px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 18px; font-weight: 600; color: #f0f0f0; }
main { display: grid; gap: 20px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 560px), 1fr)); margin-top: 20px; }
article { background: #303030; padding: 12px; break-inside: avoid; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 4px; }
figure { margin: 0; }
img { display: block; width: 100%; height: auto; background: #3a3a3a; }
figcaption { color: #9a9a9a; font-size: 12px; }
h2 { margin: 8px 0 4px; font-size: 14px; overflow-wrap: anywhere; }
h2 a { color: inherit; }
p { margin: 2px 0; }
.failed { margin: 16px 0 0; padding-left: 20px; }
@media print { body { background: #fff; color: #000; } article { background: #fff; border: 1px solid #bbb; } }
</style>
<h1>${escapeHtml(summary)}</h1>
${failed.length > 0 ? `<ul class="failed">\n${failed.join('\n')}\n</ul>` : ''}
<main>
${cards.join('\n')}
</main>
</html>
`;
}

function card(photo: string, { name, record }: Extract<Finished, { kind: 'done' }>, sheet: string | undefined): string {
  const link = (file: string): string => escapeHtml(file.split('/').map(encodeURIComponent).join('/'));
  const picture = (which: string): string =>
    `<figure><img loading="lazy" alt="${which}" src="${link(`${sheet ?? ''}/${name}-${which}.jpg`)}"><figcaption>${which}</figcaption></figure>`;
  const story = storyOf(record.reasoning).map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`);
  return `<article>
${sheet === undefined ? '' : `<div class="pair">${picture('before')}${picture('after')}</div>\n`}<h2><a href="${link(`${name}.png`)}">${escapeHtml(path.basename(photo))}</a></h2>
${story.join('\n')}
</article>`;
}

function escapeHtml(text: string): string {
  return text.replace(
    /[&<>"']/g,
    (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[char] ?? char,
  );
}
