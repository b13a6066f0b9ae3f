import { randomBytes } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { EXTENSIONS } from '../../host/files/names';
import { storyOf } from '../record';
import { type Failure, type Finished } from './journal';
import { SHEET_FOLDER } from './photoHandler';

/** Names of the batch's own files, which no photo's results may have. */
export const RESERVED = ['report.json'];

/** What is known of one photo at the end of a run. */
export interface Outcome {
  readonly photo: string;
  /** Undefined: its turn has not come. */
  readonly end: Finished | undefined;
}

export interface BatchReport {
  readonly mode: string;
  readonly bundle: string;
  readonly strength: Readonly<Record<string, number>>;
  readonly counts: { readonly photos: number; readonly done: number; readonly failed: number; readonly open: number };
  readonly photos: readonly {
    readonly photo: string;
    readonly status: 'done' | 'failed' | 'open';
    readonly files?: readonly string[];
    readonly record?: unknown;
    readonly failure?: Failure;
  }[];
}

export type Settings = Pick<BatchReport, 'mode' | 'bundle' | 'strength'>;

/** Writes `report.json` and the contact sheet `index.html` into the folder of the results, each whole or not at all. */
export async function writeReport(out: string, settings: Settings, outcomes: readonly Outcome[]): Promise<BatchReport> {
  const count = (kind: Finished['kind'] | undefined): number => outcomes.filter(({ end }) => end?.kind === kind).length;
  const report: BatchReport = {
    ...settings,
    counts: { photos: outcomes.length, done: count('done'), failed: count('failed'), open: count(undefined) },
    photos: outcomes.map(({ photo, end }) => {
      if (!end) return { photo, status: 'open' as const };
      if (end.kind === 'failed') return { photo, status: 'failed' as const, failure: end.failure };
      const files = EXTENSIONS.map((extension) => `${end.name}.${extension}`);
      return { photo, status: 'done' as const, files, record: end.record };
    }),
  };
  await writeWhole(path.join(out, 'report.json'), `${JSON.stringify(report, null, 1)}\n`);
  await writeWhole(path.join(out, 'index.html'), contactSheet(report, outcomes));
  return report;
}

async function writeWhole(file: string, text: string): Promise<void> {
  const partial = `${file}.${randomBytes(4).toString('hex')}.part`;
  await writeFile(partial, text);
  await rename(partial, file);
}

/** One page that needs nothing but the pictures beside it: before, after, and why. */
export function contactSheet({ counts, mode, bundle }: BatchReport, outcomes: readonly Outcome[]): string {
  const open = counts.open > 0 ? `, ${counts.open} still to do` : '';
  const summary = `${counts.done} retouched, ${counts.failed} failed${open}; mode ${mode}, model ${bundle}`;
  const failed = outcomes.flatMap(({ photo, end }) =>
    end?.kind === 'failed'
      ? [
          `<li><b>${escapeHtml(path.basename(photo))}</b> ${escapeHtml(end.failure.message)} ${escapeHtml(end.failure.hint ?? '')}</li>`,
        ]
      : [],
  );
  const cards = outcomes.flatMap(({ photo, end }) => (end?.kind === 'done' ? [card(photo, end)] : []));
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
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

function card(photo: string, { name, record }: Extract<Finished, { kind: 'done' }>): string {
  const link = (file: string): string => escapeHtml(file.split('/').map(encodeURIComponent).join('/'));
  const picture = (which: string): string =>
    `<figure><img loading="lazy" alt="${which}" src="${link(`${SHEET_FOLDER}/${name}-${which}.jpg`)}"><figcaption>${which}</figcaption></figure>`;
  const story = storyOf(record.reasoning).map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`);
  return `<article>
<div class="pair">${picture('before')}${picture('after')}</div>
<h2><a href="${link(`${name}.png`)}">${escapeHtml(path.basename(photo))}</a></h2>
${story.join('\n')}
</article>`;
}

function escapeHtml(text: string): string {
  return text.replace(
    /[&<>"']/g,
    (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[char] ?? char,
  );
}
