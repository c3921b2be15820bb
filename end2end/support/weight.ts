// What the first view of a hosted page costs a customer (ux §3).

import { expect, type CDPSession, type Page } from '@playwright/test';

import { untilLive } from './checkout';
import { instance } from './instance';

const BUDGET_BYTES = 15 * 1024;
/** The server packs bodies of 1 KiB and more; the head comes on top. */
const PACKED_FROM_BYTES = 2 * 1024;

interface Loaded {
  path: string;
  encoding: string;
  /** Seconds on the browser's monotonic clock. */
  startedAt: number;
  /** On the wire, headers included. */
  bytes: number;
}

/** Everything the page fetched, and when its load event was. */
async function load(page: Page, url: string): Promise<{ files: Loaded[]; loadAt: number }> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Network.setCacheDisabled', { cacheDisabled: true });
  await devtools.send('Page.enable');
  const files = watch(devtools);
  const loaded = new Promise<number>((resolve) => {
    devtools.once('Page.loadEventFired', ({ timestamp }) => resolve(timestamp));
  });
  await page.goto(url);
  const loadAt = await loaded;
  await untilLive(page);
  return { files: [...files.values()], loadAt };
}

function watch(devtools: CDPSession): Map<string, Loaded> {
  const files = new Map<string, Loaded>();
  devtools.on('Network.requestWillBeSent', ({ requestId, request, timestamp }) => {
    const path = request.url.replace(instance().baseUrl, '').replace(/\?.*/, '');
    files.set(requestId, { path, encoding: '', startedAt: timestamp, bytes: 0 });
  });
  devtools.on('Network.responseReceived', ({ requestId, response }) => {
    const file = files.get(requestId);
    const headers = Object.entries(response.headers);
    const encoding = headers.find(([name]) => name.toLowerCase() === 'content-encoding')?.[1];
    if (file) file.encoding = encoding ?? 'none';
  });
  devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const file = files.get(requestId);
    if (file) file.bytes = encodedDataLength;
  });
  return files;
}

/** Opens a hosted page and asserts its bar: bytes before the load event, and the bundle after it. */
export async function expectLight(page: Page, url: string): Promise<void> {
  const own = new URL(url).pathname;
  const { files, loadAt } = await load(page, url);

  const first = files.filter((file) => file.startedAt <= loadAt);
  for (const { path, encoding, bytes } of first) {
    console.log(`  ${String(bytes).padStart(6)} bytes  ${encoding.padEnd(4)}  ${path}`);
  }
  const total = first.reduce((sum, { bytes }) => sum + bytes, 0);
  console.log(`  ${String(total).padStart(6)} bytes in all, of ${BUDGET_BYTES}`);

  const paths = first.map(({ path }) => path);
  expect(paths).toContain(own);
  expect(paths).toContain('/pkg/pay.css');
  for (const { path, encoding, bytes } of first) {
    expect(bytes, path).toBeGreaterThan(0);
    // What fits into one packet is sent as it is: packing it costs more than it saves.
    const packed = path === own || (/\.(css|js)$/.test(path) && bytes >= PACKED_FROM_BYTES);
    if (packed) expect(encoding, path).toBe('br');
  }
  expect(total).toBeLessThanOrEqual(BUDGET_BYTES);
  expect(paths.filter((path) => /\.(woff2?|ttf|otf)$/.test(path))).toEqual([]);

  const bundle = files.filter(({ path }) => /^\/pkg\/.*\.(js|wasm)$/.test(path));
  expect(bundle.map(({ path }) => path).sort()).toEqual(['/pkg/exchequer.js', '/pkg/exchequer.wasm']);
  for (const { path, startedAt } of bundle) {
    expect(startedAt, `${path} waits for the load event`).toBeGreaterThan(loadAt);
  }
  const wasm = bundle.find(({ path }) => path.endsWith('.wasm'));
  console.log(`  ${wasm?.bytes} bytes of WASM after load (${wasm?.encoding})`);
  expect(wasm?.encoding).toBe('br');
}
