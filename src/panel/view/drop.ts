import { type PickedFile } from '../../host/panelHost';

/** Lets a file be dropped on an element, which is marked while one is over it. */
export function acceptDrop(element: HTMLElement, onFiles: (files: readonly PickedFile[]) => void): void {
  const mark = (on: boolean): void => {
    element.classList.toggle('dropping', on);
  };
  element.addEventListener('dragover', (event) => {
    event.preventDefault();
    event.stopPropagation();
    mark(true);
  });
  element.addEventListener('dragleave', () => {
    mark(false);
  });
  element.addEventListener('drop', (event) => {
    event.preventDefault();
    event.stopPropagation();
    mark(false);
    const files = [...(event.dataTransfer?.files ?? [])];
    void Promise.all(
      files.map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })),
    ).then((read) => {
      if (read.length > 0) onFiles(read);
    });
  });
}
