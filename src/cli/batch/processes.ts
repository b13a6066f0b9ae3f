import { readFileSync } from 'node:fs';

/** Does a process of this number run on this machine? */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // EPERM: somebody else's process has this number now or still.
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * When a process started, in clock ticks since the machine did, with the machine's start: two processes that had the same
 * number differ in it. Empty for a process that has ended, and where the system does not tell (proc(5) has it, in field 22 of `stat`).
 */
export function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in parentheses, in which anything may stand.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // It was killed, and its parent has not asked for its end yet.
    if (fields[0] === 'Z' || fields[0] === 'X') return '';
    const ticks = fields[19];
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8);
    return /^\d+$/.test(ticks) && /^[0-9a-f]{8}$/.test(boot) ? `${boot}${ticks}` : '';
  } catch {
    return '';
  }
}
