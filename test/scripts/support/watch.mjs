// What the privacy check says of one script: node watch.mjs SCRIPT WORK-FOLDER. WORK-FOLDER/out is the output folder.
import { join } from 'node:path';
import { ensureStrace, judge, traced } from '../../../scripts/lib/strace.mjs';

const [script, work] = process.argv.slice(2);
ensureStrace();
const env = { PATH: process.env.PATH ?? '', HOME: work, UV_USE_IO_URING: process.env.UV_USE_IO_URING ?? '0' };
const { status, output, calls } = await traced([process.execPath, script], { cwd: work, env, folder: work });
console.log(JSON.stringify({ status, output, ...judge(calls, { inside: join(work, 'out'), cwd: work }) }));
