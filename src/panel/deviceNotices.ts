import { type Notice } from './state';
import { type Strings, fill } from './strings';
import { type OpenedModel } from './worker/protocol';

/** Devices that were given up, and a model that could not be checked: what a person is told when a model is ready. */
export function deviceNotices({ refused, check }: OpenedModel, strings: Strings): Notice[] {
  const { fellBackWrong, fellBackFailed, fellBackLost, fellBackMemory, notChecked } = strings;
  const gone = { lost: fellBackLost, missing: undefined };
  const texts = { wrong: fellBackWrong, failed: fellBackFailed, memory: fellBackMemory, ...gone };
  const warnings = refused.flatMap(({ why, detail }): Notice[] => {
    const text = texts[why];
    return text ? [{ kind: 'warning', text: fill(text, { detail }) }] : [];
  });
  return check.kind === 'none' ? [...warnings, { kind: 'info', text: notChecked }] : warnings;
}
