import { h, icon, setText, show } from '../dom';
import { type PanelState, type Work, isBusy } from '../state';
import { type StringKey, fill } from '../strings';
import { modelMenu } from './modelMenu';
import { type Context, type View } from './view';

const WORDS: Readonly<Record<Exclude<Work, 'idle'>, StringKey>> = {
  reading: 'reading',
  inspecting: 'inspecting',
  loading: 'loading',
  starting: 'starting',
  checking: 'checking',
  thinking: 'thinking',
  writing: 'writing',
  wording: 'wording',
  rendering: 'rendering',
  applying: 'applying',
};

/** Where the model runs, how long it took, what it is; and what is being done, said aloud. */
export function statusView(context: Context): View {
  const { controller, strings } = context;
  const dot = h('span', { class: 'lamp', 'aria-hidden': 'true' });
  const text = h('span', { class: 'status-text' });
  const share = h('span', { class: 'status-share' });
  const hint = h('span', { class: 'status-hint' }, strings.escCancels);
  const model = modelMenu(context);
  const research = h('p', { class: 'research', role: 'note' });
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
  const line = h('div', { class: 'status' }, dot, text, share, hint, model.element, help, spoken);
  const element = h('footer', {}, research, line);
  return {
    element,
    update: (state) => {
      const busy = isBusy(state);
      const doing = doingOf(state);
      dot.className = `lamp ${busy ? 'busy' : state.model ? 'good' : 'none'}`;
      setText(text, busy ? doing : rungOf(state));
      // Apart from the words, which make room for it in a narrow panel and are said aloud once.
      const percent = state.work === 'loading' ? state.progress : undefined;
      setText(share, percent === undefined ? '' : `${Math.round(percent * 100)} %`);
      show(share, percent !== undefined);
      // What stops the writing says so itself, and cancels nothing.
      show(hint, busy && state.work !== 'wording');
      setText(spoken, busy ? doing : state.said);
      setText(research, `${strings.researchOnly} · ${state.model?.model ?? ''}`);
      show(research, state.model?.research === true);
      model.update(state);
    },
  };

  function doingOf({ work, loading, asked, document }: PanelState): string {
    if (work === 'idle') return '';
    // A photo that is still being saved while another one is in front is called by its name.
    const other = work === 'applying' && asked?.document !== (document?.id ?? '');
    return other
      ? fill(strings.applyingOther, { name: asked?.name ?? '' })
      : fill(strings[WORDS[work]], { name: loading });
  }

  function rungOf({ model, asleep, seconds, live, mode, said }: PanelState): string {
    if (said === strings.cancelled || said === strings.cutShort) return said;
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
      const before = shown;
      shown = notices;
      element.replaceChildren(
        ...notices.map((notice) =>
          h(
            'div',
            { class: `notice ${notice.kind}`, role: notice.kind === 'info' ? 'note' : 'alert' },
            h(
              'p',
              {},
              notice.text,
              notice.hint === undefined ? '' : ` ${notice.hint}`,
              notice.action &&
                h('button', { type: 'button', onclick: () => void controller.models.again() }, strings.useAgain),
            ),
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
      const error = notices.findIndex((notice) => notice.kind === 'error' && !before?.includes(notice));
      // It may have come while the person was looking further down.
      if (error >= 0) element.children[error].scrollIntoView({ block: 'nearest' });
    },
  };
}
