import { h, icon, setAttribute, setText, show } from '../dom';
import { takePicture } from '../fileActions';
import { paintRgba, toRgba } from '../pictures';
import { type Picture, type PanelState } from '../state';
import { choice } from './choice';
import { acceptDrop } from './drop';
import { type Context, type View } from './view';

type Place = 'pairBefore' | 'pairAfter' | 'target';

/** Where a look is borrowed from. */
export function matchMode({ controller, strings }: Context): View {
  const { store } = controller;
  const sources = choice({
    role: 'radio',
    label: strings.source,
    class: 'segments',
    values: ['pair', 'target', 'document'] as const,
    content: (source) => [strings[source]],
    name: (source) => strings[source],
    onChoose: (match) => {
      store.set({ match });
    },
  });
  const wells: readonly { place: Place; well: Well }[] = [
    { place: 'pairBefore', well: makeWell('pairBefore', strings.pairBefore, strings.chooseBefore) },
    { place: 'pairAfter', well: makeWell('pairAfter', strings.pairAfter, strings.chooseAfter) },
    { place: 'target', well: makeWell('target', strings.targetPicture, strings.chooseTarget) },
  ];
  const pair = h('div', { class: 'wells' }, wells[0].well.element, wells[1].well.element);
  const how = h('p', { class: 'faint' }, strings.targetHow);
  const list = h('div', { class: 'list', role: 'group', 'aria-label': strings.document });
  const none = h('p', { class: 'faint' }, strings.noOthers);
  const unable = h('p', { class: 'unable', role: 'note' }, strings.noReference);
  const element = h('div', { class: 'mode' }, unable, sources.element, pair, wells[2].well.element, list, none, how);

  function makeWell(place: Place, label: string, prompt: string): Well {
    const made = well(label, prompt, strings.dropReference, () => void takePicture(controller, place));
    acceptDrop(made.element, (files) => {
      void takePicture(controller, place, files[0]);
      // Two pictures dropped on the first place are a pair.
      if (place === 'pairBefore' && files[1]) void takePicture(controller, 'pairAfter', files[1]);
    });
    return made;
  }

  let others: PanelState['others'] | undefined;
  function updateList(state: PanelState): void {
    if (others !== state.others) {
      others = state.others;
      list.replaceChildren(
        ...others.map(({ id, name }) =>
          h(
            'button',
            {
              type: 'button',
              class: 'item',
              'data-id': id,
              onclick: () => {
                store.set({ otherDocument: id });
              },
            },
            name,
          ),
        ),
      );
    }
    for (const button of list.children) {
      setAttribute(button, 'aria-pressed', String(button.getAttribute('data-id') === state.otherDocument));
    }
  }

  return {
    element,
    update: (state) => {
      show(unable, state.model?.capabilities.reference === false);
      sources.set(state.match);
      for (const { place, well: made } of wells) made.set(state[place]);
      show(pair, state.match === 'pair');
      show(wells[2].well.element, state.match === 'target');
      show(list, state.match === 'document' && state.others.length > 0);
      show(none, state.match === 'document' && state.others.length === 0);
      show(how, state.match !== 'pair');
      updateList(state);
    },
  };
}

interface Well {
  readonly element: HTMLElement;
  set(picture: Picture | undefined): void;
}

/** A place for one picture: a button that shows it. */
function well(label: string, prompt: string, drop: string, onPick: () => void): Well {
  const canvas = h('canvas', { class: 'well-picture', 'aria-hidden': 'true' });
  const name = h('span', { class: 'well-name' });
  const hint = h('span', { class: 'well-hint' }, icon('picture'), h('b', {}, prompt), h('small', {}, drop));
  const element = h('button', { type: 'button', class: 'well', onclick: onPick }, canvas, hint, name);
  let shown: Picture | undefined;
  return {
    element,
    set: (picture) => {
      show(hint, !picture);
      show(canvas, picture !== undefined);
      setText(name, picture ? `${label}: ${picture.name}` : '');
      show(name, picture !== undefined);
      if (picture && picture !== shown) paintRgba(canvas, toRgba(picture), picture.width, picture.height);
      shown = picture;
    },
  };
}
