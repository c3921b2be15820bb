// A payment on a real chain: a node of Litecoin on a private network, a wallet that pays, and a server of
// its own that follows it. What the payer sees is what the chain says, also when it changes its mind.

import type { Page } from '@playwright/test';

import { signIn } from '../support/accounts';
import { createOrder, euros, getOrder, getPayment } from '../support/api';
import {
  announcements,
  choose,
  heading,
  noteAnnouncements,
  status,
  stay,
  untilLive,
} from '../support/checkout';
import { announce, instance, type Instance } from '../support/instance';
import { Litecoin, litecoind } from '../support/litecoin';
import { startServer, type Server } from '../support/server';
import { expect, test } from '../support/test';

/** A node and a server with a database of its own are started. */
const START_MS = 240_000;
/** Payments from 10 000 euro on need two blocks, so there is something between seen and paid. */
const LARGE = '12000.00';
const SMALL = '60.00';

/** While blocks are taken back, the node has fewer than the server, which then waits and says so. */
const BEHIND = /node is behind/;

const WAITING = 'Waiting for your payment.';
const SEEN = /^Payment seen: [\d.,\s]+ LTC\. Waiting for confirmation\.$/;
const CONFIRMING = '1 of 2 confirmations.';
const PAID = 'Paid. Thank you.';

const program = litecoind();

test.skip(!program, 'there is no litecoind here');
test.setTimeout(180_000);

let node: Litecoin | undefined;
let server: Server | undefined;
let shared: Instance | undefined;

test.beforeAll(async () => {
  if (!program) return;
  test.setTimeout(START_MS);
  shared = instance();
  node = await Litecoin.start(program);
  server = await startServer(node.settings(), BEHIND);
  announce({ baseUrl: server.baseUrl, demo: server.demo });
});

test.afterAll(async () => {
  // The specs after this one are about the other server again, whatever came of this one.
  if (shared) announce(shared);
  try {
    await server?.stop();
  } finally {
    await node?.stop();
  }
});

function chain(): Litecoin {
  if (!node) throw new Error('the node was not started');
  return node;
}

interface Asked {
  id: string;
  url: string;
  address: string;
  amount: string;
}

/** Opens the page of a new order and picks the coin. */
async function ask(page: Page, amount: string): Promise<Asked> {
  const { public_order_id: id, checkout_url: url } = await createOrder(euros(amount));
  await stay(page);
  await page.goto(url);
  await choose(page, 'LTC');
  const payment = await getPayment(id);
  expect(payment.address, 'an address of the private network').toMatch(/^rltc1/);
  await expect(page.locator('.addr')).toHaveText(payment.address);
  return { id, url, address: payment.address, amount: payment.amount };
}

/** Nothing is wider than the window. */
async function expectToFit(page: Page): Promise<void> {
  const beyond = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(beyond, 'the page does not scroll sideways').toBeLessThanOrEqual(0);
}

for (const width of [1280, 360]) {
  test.describe(`in a window of ${width} px`, () => {
    test.use({ viewport: { width, height: 800 } });

    test('a payment is seen, confirmed and paid, and the page is never loaded anew', async ({ page }) => {
      const { id, address, amount } = await ask(page, LARGE);
      await untilLive(page);
      await noteAnnouncements(page);

      const txid = await chain().pay(address, amount);
      await expect(status(page)).toHaveText(SEEN);
      await expect(page.locator('.receipts')).toContainText(txid);
      await expect(page.locator('.qr'), 'nobody is to pay twice').toHaveCount(0);
      await expectToFit(page);

      await chain().mine();
      await expect(status(page)).toHaveText(CONFIRMING);
      await expectToFit(page);

      await chain().mine();
      await expect(status(page)).toHaveText(PAID);
      await expect(heading(page)).toHaveText('Paid');
      await expectToFit(page);

      const heard = await announcements(page);
      const order = [WAITING, SEEN, CONFIRMING, PAID].map((said) =>
        heard.findIndex((text) => (typeof said === 'string' ? text === said : said.test(text))),
      );
      expect(order, `each was said, one after the other: ${heard.join(' / ')}`).toEqual(
        [...order].sort((one, other) => one - other),
      );
      expect(order).not.toContain(-1);
      expect((await getOrder(id)).status).toBe('paid');
    });

    test('a payment that another one takes away is not called paid', async ({ page }) => {
      const { id, address, amount } = await ask(page, LARGE);
      await untilLive(page);
      await noteAnnouncements(page);
      const txid = await chain().pay(address, amount);
      await chain().mine();
      await expect(status(page)).toHaveText(CONFIRMING);

      // The block goes, and with it the payment: another transaction spends the same coins.
      await chain().doubleSpend(txid, 1);
      await expect(status(page)).toHaveText(WAITING);
      await expect(page.locator('.qr'), 'it can be paid again').toHaveCount(1);
      await expect(page.locator('.addr')).toHaveText(address);
      expect(await announcements(page)).not.toContain(PAID);
      await expectToFit(page);
      expect((await getOrder(id)).status).toBe('pending');

      await signIn(page);
      await page.goto(`/app/charges/${id}`);
      await expect(page.locator('main')).toContainText(txid);
      await expect(page.locator('main')).toContainText('dropped');
      await expectToFit(page);

      // The second try counts as if there had been no first one.
      await page.goto((await getOrder(id)).checkout_url);
      await chain().pay(address, amount);
      await chain().mine(2);
      await expect(status(page)).toHaveText(PAID);
    });
  });
}

test('what was paid and is taken away afterwards stays paid, and the shop is told', async ({ page }) => {
  const { id, address, amount } = await ask(page, SMALL);
  const txid = await chain().pay(address, amount);
  await chain().mine();
  await expect(status(page)).toHaveText(PAID);
  await chain().doubleSpend(txid, 1);
  await expect.poll(async () => (await getOrder(id)).flags).toContain('reversed');
  await page.reload();
  await expect(status(page), 'the payer was told so, and keeps it').toHaveText(PAID);
  await signIn(page);
  await page.goto(`/app/charges/${id}`);
  await expect(page.locator('main')).toContainText('reversed');
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false, viewport: { width: 360, height: 800 } });

  /** Asks until the page says so: the server follows the chain in its own time. */
  async function expectSaid(page: Page, said: string | RegExp): Promise<void> {
    await expect(async () => {
      await page.reload();
      await expect(status(page)).toHaveText(said, { timeout: 1_000 });
    }).toPass({ timeout: 60_000 });
  }

  test('the same words stand on the page when it is asked for again', async ({ page }) => {
    const { url, address, amount } = await ask(page, LARGE);
    await expect(page).toHaveURL(url);
    await chain().pay(address, amount);
    await expectSaid(page, SEEN);
    await chain().mine();
    await expectSaid(page, CONFIRMING);
    await chain().mine();
    await expectSaid(page, PAID);
  });

  test('and when the payment is taken away', async ({ page }) => {
    const { address, amount } = await ask(page, LARGE);
    const txid = await chain().pay(address, amount);
    await expectSaid(page, SEEN);
    await chain().mine();
    await expectSaid(page, CONFIRMING);
    await chain().doubleSpend(txid, 1);
    await expectSaid(page, WAITING);
  });
});
