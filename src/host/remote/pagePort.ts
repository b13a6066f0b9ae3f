import { type Port } from '../../bridge';

/** What a page in a UXP webview finds: its way to the plugin, and messages from there. */
export interface PageScope {
  readonly uxpHost?: { postMessage(message: unknown): void };
  addEventListener(name: 'message', listener: (event: { readonly data: unknown }) => void): void;
  removeEventListener(name: 'message', listener: (event: { readonly data: unknown }) => void): void;
}

/** The page's end of the bridge; undefined in a page that is not in a UXP webview. */
export function pagePort(scope: PageScope): Port | undefined {
  const { uxpHost } = scope;
  if (!uxpHost) return undefined;
  return {
    post: (message) => {
      uxpHost.postMessage(message);
    },
    listen: (listener) => {
      const take = (event: { readonly data: unknown }): void => {
        listener(event.data);
      };
      scope.addEventListener('message', take);
      return () => {
        scope.removeEventListener('message', take);
      };
    },
  };
}
