import { type AssetDoors, Assets } from './assets';

/** The ways that a page has, and the host's where it offers one. Relative to the page: other addresses may be shut. */
export function pageAssets(base: string, host?: (name: string) => Promise<Uint8Array>): Assets {
  const doors: AssetDoors = {
    fetch: async (url) => {
      const response = await fetch(url);
      if (!response.ok) throw new Error(`status ${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    },
    request: (url) =>
      new Promise((resolve, reject) => {
        const request = new XMLHttpRequest();
        request.open('GET', url);
        request.responseType = 'arraybuffer';
        request.onload = () => {
          const body = request.response as ArrayBuffer | null;
          if ((request.status === 200 || request.status === 0) && body?.byteLength) resolve(new Uint8Array(body));
          else reject(new Error(`status ${request.status}`));
        };
        request.onerror = () => {
          reject(new Error('refused'));
        };
        request.send();
      }),
    script: (url) =>
      new Promise((resolve, reject) => {
        const script = document.createElement('script');
        script.src = url;
        script.onload = () => {
          script.remove();
          resolve();
        };
        script.onerror = () => {
          script.remove();
          reject(new Error('no such script'));
        };
        document.head.append(script);
      }),
    ...(host ? { host } : {}),
  };
  const assets = new Assets(base, doors);
  Object.assign(window, { veraAsset: assets.receive });
  return assets;
}
