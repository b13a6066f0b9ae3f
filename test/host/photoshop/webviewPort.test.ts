import { type HTMLElementLike, type MessageEventLike } from '../../../src/host/photoshop/ports';
import { webviewPort } from '../../../src/host/photoshop/webviewPort';
import { FakeElement, FakeWindow } from '../../fakes/photoshop/dom';

const element = (own: object = {}): HTMLElementLike =>
  Object.assign(new FakeElement('webview'), own) as unknown as HTMLElementLike;

function heard(event: MessageEventLike): unknown[] {
  const window = new FakeWindow();
  const seen: unknown[] = [];
  webviewPort(element(), window).listen((message) => seen.push(message));
  window.deliver(event);
  return seen;
}

test.each(['http://example.com', 'https://example.com', 'HTTPS://EXAMPLE.COM', 'http://localhost:8080'])(
  'what comes from %s is none of ours',
  (origin) => {
    expect(heard({ data: 'hello', origin })).toEqual([]);
  },
);

test.each(['file:///plugin/panel/index.html', 'file:///https://example.com', 'null', '', undefined])(
  'what comes from a page with the origin %j is heard',
  (origin) => {
    expect(heard({ data: { text: 'hello' }, ...(origin === undefined ? {} : { origin }) })).toEqual([
      { text: 'hello' },
    ]);
  },
);

test('nothing is heard after the listening was ended', () => {
  const window = new FakeWindow();
  const seen: unknown[] = [];
  const stop = webviewPort(element(), window).listen((message) => seen.push(message));
  window.deliver({ data: 1 });
  stop();
  window.deliver({ data: 2 });
  expect(seen).toEqual([1]);
});

test('posting goes to the webview, and says nothing where that takes nothing yet', () => {
  const window = new FakeWindow() as never;
  const posted: unknown[] = [];
  webviewPort(element({ postMessage: (message: unknown) => posted.push(message) }), window).post('hello');
  expect(posted).toEqual(['hello']);
  const refusing = {
    postMessage: () => {
      throw new Error('not there');
    },
  };
  webviewPort(element(refusing), window).post('hello');
  webviewPort(element({ postMessage: undefined }), window).post('hello');
});
