import { h, setAttribute, show } from '../dom';
import { type PanelState } from '../state';
import { fill } from '../strings';
import { type Context, type View } from './view';

const HEIGHT = 40;

export interface TriesView extends View {
  /** Takes the picture of the current try from the preview. */
  take(picture: HTMLCanvasElement): void;
}

/** The tries so far, to go back to. */
export function triesView({ controller, strings }: Context): TriesView {
  const strip = h('div', { class: 'strip', role: 'group', 'aria-label': strings.tries });
  const thumbs = new Map<number, { button: HTMLButtonElement; canvas: HTMLCanvasElement }>();
  let shown: PanelState['tries'] | undefined;

  function update(state: PanelState): void {
    if (shown !== state.tries) {
      shown = state.tries;
      for (const id of [...thumbs.keys()]) if (!shown.some((item) => item.id === id)) thumbs.delete(id);
      shown.forEach(({ id, mode }, i) => {
        if (!thumbs.has(id)) thumbs.set(id, make(id, fill(strings.tryOf, { n: i + 1, mode: strings[mode] })));
      });
      const wanted = shown.map(({ id }) => thumbs.get(id)!.button);
      // Put in anew only where they differ: a button that is moved loses the focus.
      if (wanted.some((button, i) => strip.children[i] !== button) || strip.children.length !== wanted.length) {
        strip.replaceChildren(...wanted);
      }
    }
    for (const [id, { button }] of thumbs) setAttribute(button, 'aria-pressed', String(id === state.current));
    show(strip, shown.length > 1);
  }

  function make(id: number, name: string) {
    const canvas = h('canvas', { width: 1, height: HEIGHT, 'aria-hidden': 'true' });
    const button = h(
      'button',
      {
        type: 'button',
        class: 'try',
        'aria-label': name,
        onclick: () => {
          controller.selectTry(id);
        },
      },
      canvas,
    );
    return { button, canvas };
  }

  return {
    element: strip,
    update,
    take: (picture) => {
      const thumb = thumbs.get(controller.store.get().current ?? -1)?.canvas;
      if (!thumb) return;
      thumb.width = Math.max(1, Math.round((picture.width / picture.height) * HEIGHT));
      thumb.getContext('2d')?.drawImage(picture, 0, 0, thumb.width, HEIGHT);
    },
  };
}
