// What the first view of a checkout costs a customer (ux §3).

import type { CDPSession, Page } from '@playwright/test';

import { EXAMPLE, chooseMethod, createOrder } from '../support/api';
import { untilLive } from '../support/checkout';
import { instance } from '../support/instance';
import { expect, test } from '../support/test';

const BUDGET_BYTES = 15 * 1024;

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

for (const state of ['choosing', 'awaiting']) {
  test(`the first view of the checkout is light (${state})`, async ({ page }) => {
    const { checkout_url: url } = await createOrder(EXAMPLE);
    if (state === 'awaiting') await chooseMethod(url);
    const { files, loadAt } = await load(page, url);

    const first = files.filter((file) => file.startedAt <= loadAt);
    for (const { path, encoding, bytes } of first) {
      console.log(`  ${String(bytes).padStart(6)} bytes  ${encoding.padEnd(4)}  ${path}`);
    }
    const total = first.reduce((sum, { bytes }) => sum + bytes, 0);
    console.log(`  ${String(total).padStart(6)} bytes in all, of ${BUDGET_BYTES}`);

    expect(first.map(({ path }) => path)).toContain('/pkg/pay.css');
    for (const { path, encoding, bytes } of first) {
      expect(bytes, path).toBeGreaterThan(0);
      if (/^\/pay\/|\.css$|\.js$/.test(path)) expect(encoding, path).toBe('br');
    }
    expect(total).toBeLessThanOrEqual(BUDGET_BYTES);
    expect(first.filter(({ path }) => /\.(woff2?|ttf|otf)$/.test(path))).toEqual([]);

    const bundle = files.filter(({ path }) => /^\/pkg\/.*\.(js|wasm)$/.test(path));
    expect(bundle.map(({ path }) => path).sort()).toEqual(['/pkg/exchequer.js', '/pkg/exchequer.wasm']);
    for (const { path, startedAt } of bundle) {
      expect(startedAt, `${path} waits for the load event`).toBeGreaterThan(loadAt);
    }
    const wasm = bundle.find(({ path }) => path.endsWith('.wasm'));
    console.log(`  ${wasm?.bytes} bytes of WASM after load (${wasm?.encoding})`);
    expect(wasm?.encoding).toBe('br');
  });
}

test('pages without islands fetch no script at all', async ({ page }) => {
  const scripts: string[] = [];
  page.on('request', (request) => {
    if (request.resourceType() === 'script') scripts.push(request.url());
  });
  for (const path of ['/', '/sign-in', '/pay/EX-AAAAAAAAAA']) {
    await page.goto(path);
  }
  expect(scripts).toEqual([]);
});
