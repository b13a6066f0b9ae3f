import { h, icon, setText, show } from '../dom';
import { type PanelState, type Work, isBusy } from '../state';
import { type StringKey, fill } from '../strings';
import { type Context, type View } from './view';

const WORDS: Readonly<Record<Exclude<Work, 'idle'>, StringKey>> = {
  reading: 'reading',
  starting: 'starting',
  checking: 'checking',
  thinking: 'thinking',
  writing: 'writing',
  rendering: 'rendering',
  applying: 'applying',
};

/** Where the model runs, how long it took, what it is; and what is being done, said aloud. */
export function statusView({ controller, strings }: Context): View {
  const dot = h('span', { class: 'lamp', 'aria-hidden': 'true' });
  const text = h('span', { class: 'status-text' });
  const right = h('span', { class: 'status-model' });
  const spoken = h('span', { class: 'spoken', role: 'status', 'aria-live': 'polite' });
  const help = h(
    'button',
    {
      type: 'button',
      class: 'tool',
      'aria-label': strings.help,
      onclick: () => {
        controller.store.set({ help: true });
      },
    },
    icon('help'),
  );
  const element = h('footer', { class: 'status' }, dot, text, right, help, spoken);
  return {
    element,
    update: (state) => {
      const busy = isBusy(state);
      const doing = state.work === 'idle' ? '' : strings[WORDS[state.work]];
      dot.className = `lamp ${busy ? 'busy' : state.model ? 'good' : 'none'}`;
      const line = busy ? doing : rungOf(state);
      setText(text, line);
      right.className = busy ? 'status-model hint' : 'status-model';
      setText(right, busy ? strings.escCancels : (state.model?.model ?? ''));
      setText(spoken, busy ? doing : state.said);
    },
  };

  function rungOf({ model, asleep, seconds, live, mode, said }: PanelState): string {
    if (said === strings.cancelled) return said;
    if (asleep) return strings.asleep;
    if (!model) return strings.starting;
    const rung = model.device === 'webgpu' ? strings.onWebgpu : strings.onWasm;
    const time =
      mode === 'adjust' && live !== undefined
        ? fill(strings.live, { ms: live })
        : seconds !== undefined && fill(strings.seconds, { seconds: seconds.toFixed(1) });
    return time ? `${rung} · ${time}` : rung;
  }
}

/** What a person should know: failures with what to do, devices that were given up, notes of the host. */
export function noticesView({ controller, strings }: Context): View {
  const element = h('div', { class: 'notices' });
  let shown: PanelState['notices'] | undefined;
  return {
    element,
    update: ({ notices }) => {
      if (shown === notices) return;
      shown = notices;
      element.replaceChildren(
        ...notices.map((notice) =>
          h(
            'div',
            { class: `notice ${notice.kind}`, role: notice.kind === 'info' ? 'note' : 'alert' },
            h('p', {}, notice.text, notice.hint === undefined ? '' : ` ${notice.hint}`),
            h(
              'button',
              {
                type: 'button',
                class: 'tool',
                'aria-label': strings.dismiss,
                onclick: () => {
                  const { store } = controller;
                  store.set({ notices: store.get().notices.filter((item) => item !== notice) });
                },
              },
              icon('close'),
            ),
          ),
        ),
      );
      show(element, notices.length > 0);
    },
  };
}
