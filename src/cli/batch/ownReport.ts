import path from 'node:path';
import { readRegular, openRegular } from '../../host/files/io/openRegular';
import { isObject, jsonOf } from './entries';

/** By these words the batch's own files say that they are ours, and of which job. */
export const GENERATOR = 'VeraRetouch';
/** A report of 100,000 photos has some 300 MB. */
const MOST_REPORT = 1 << 30;
const HEAD = 1024;

/** The beginning of a contact sheet of ours. */
export function pageHead(job: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="generator" content="${GENERATOR}">
<meta name="veraretouch-job" content="${job}">
`;
}

/** Is this file a report or a contact sheet of ours, of this job where one is given? False for what cannot be read. */
export async function isOwnReport(file: string, job?: string): Promise<boolean> {
  try {
    if (/\.html$/i.test(file)) return isOwnPage(await headOf(file), job);
    if (!/^report(-\d+)?\.json$/i.test(path.basename(file))) return false;
    const said = jsonOf(new TextDecoder().decode(await readRegular(file, { most: MOST_REPORT })));
    return isObject(said) && said['generator'] === GENERATOR && (job === undefined || said['job'] === job);
  } catch {
    return false;
  }
}

function isOwnPage(head: string, job: string | undefined): boolean {
  const found = /^<meta name="veraretouch-job" content="([0-9a-f]{16})">$/m.exec(head)?.[1];
  return found !== undefined && head.startsWith(pageHead(found)) && (job === undefined || found === job);
}

async function headOf(file: string): Promise<string> {
  const { handle, size } = await openRegular(file, { most: MOST_REPORT });
  try {
    const bytes = Buffer.alloc(Math.min(HEAD, size));
    await handle.read(bytes, 0, bytes.length, 0);
    return bytes.toString('utf8');
  } finally {
    await handle.close();
  }
}
