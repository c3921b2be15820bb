// Each state a checkout can be in, reached the way it happens (ux §1.18).

import type { Page } from '@playwright/test';

import {
  EXAMPLE,
  cancelOrder,
  createOrder,
  createWallet,
  euros,
  getOrder,
  payableOrder,
} from '../support/api';
import { SHOP, add, heading, status, stay } from '../support/checkout';
import { doubleSpend, letRateExpire, mine, pay, reorganise } from '../support/sandbox';
import { expect, test } from '../support/test';

interface Shown {
  heading: string;
  status: string;
  title: string;
  /** Someone who sees this page is asked to send money. */
  asksForMoney: boolean;
}

async function expectPage(page: Page, url: string, shown: Shown): Promise<void> {
  await page.goto(url);
  await expect(heading(page)).toHaveText(shown.heading);
  await expect(status(page)).toHaveText(shown.status);
  await expect(page).toHaveTitle(`TEST · ${shown.title}`);
  const asking = shown.asksForMoney ? 1 : 0;
  await expect(page.locator('.qr')).toHaveCount(asking);
  await expect(page.getByRole('link', { name: 'Open in wallet' })).toHaveCount(asking);
  // On every page there is somebody to ask.
  await expect(page.locator('.help')).toContainText(new URL(url).pathname.replace('/pay/', ''));
}

test.beforeEach(({ page }) => stay(page));

const AWAITING: Shown = {
  heading: `Pay ${SHOP}`,
  status: 'Waiting for your payment.',
  title: `Pay ${SHOP}`,
  asksForMoney: true,
};

const PAID: Shown = {
  heading: 'Paid',
  status: 'Paid. Thank you.',
  title: `Paid – ${SHOP}`,
  asksForMoney: false,
};

test('choosing', async ({ page }) => {
  const { checkout_url: url } = await createOrder(EXAMPLE);
  await expectPage(page, url, {
    heading: `Pay ${SHOP}`,
    status: 'Choose how you want to pay.',
    title: `Pay ${SHOP}`,
    asksForMoney: false,
  });
  const codes = await page.locator('input[name=method]').evaluateAll((inputs) =>
    inputs.map((input) => (input as HTMLInputElement).value),
  );
  expect(codes.sort()).toEqual(['BCH', 'BTC', 'ETH', 'LTC', 'USDT', 'tBTC'].sort());
});

test('nothing can be quoted', async ({ page }) => {
  await createWallet(4711, 'SEK');
  const request = { ...EXAMPLE, currency: 'SEK', user_id: 4711 };
  const { checkout_url: url } = await createOrder(request);
  await page.goto(url);
  await expect(page.getByText('We cannot quote a rate right now. Nothing was taken.')).toBeVisible();
  await expect(page.getByRole('link', { name: 'Try again' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Continue' })).toHaveCount(0);
  await expect(page.locator('input[name=method]:enabled')).toHaveCount(0);
});

test('awaiting', async ({ page }) => {
  const { url } = await payableOrder(euros('60.00'));
  await expectPage(page, url, AWAITING);
});

test('partly paid', async ({ page }) => {
  const { url, payment } = await payableOrder(euros('60.00'));
  await pay(payment.address, '0.00012345');
  await expectPage(page, url, {
    heading: 'Pay the rest',
    status: 'Received 0.00012345. 0.00087655 BTC still to pay.',
    title: `Part paid – ${SHOP}`,
    asksForMoney: true,
  });
});

test('seen', async ({ page }) => {
  const { url, payment } = await payableOrder(euros('60.00'));
  await pay(payment.address, payment.amount);
  await expectPage(page, url, {
    heading: 'Payment seen',
    status: 'Payment seen: 0.00100000 BTC. Waiting for confirmation.',
    title: `Payment seen – ${SHOP}`,
    asksForMoney: false,
  });
  await expect(page.getByText('You can close this page.')).toBeVisible();
});

test('confirming: more than 10 000 euro need two confirmations', async ({ page }) => {
  const { id, url, payment } = await payableOrder(euros('12000.00'));
  await pay(payment.address, payment.amount);
  await mine();
  await expectPage(page, url, {
    heading: 'Payment confirming',
    status: '1 of 2 confirmations.',
    title: `Payment confirming – ${SHOP}`,
    asksForMoney: false,
  });
  expect((await getOrder(id)).status).toBe('processing');
  await mine();
  await expectPage(page, url, PAID);
});

test('paid', async ({ page }) => {
  const { url, payment } = await payableOrder(euros('60.00'));
  await pay(payment.address, payment.amount);
  await mine();
  await expectPage(page, url, PAID);
});

test('overpaid', async ({ page }) => {
  const { id, url, payment } = await payableOrder(euros('60.00'));
  await pay(payment.address, add(payment.amount, '0.00012345'));
  await mine();
  await expectPage(page, url, { ...PAID, status: 'Paid. You sent 0.00012345 BTC too much.' });
  await expect(page.getByLabel('Your address for the refund')).toBeVisible();
  expect((await getOrder(id)).flags).toContain('over');
});

test('expired', async ({ page }) => {
  const { id, url } = await payableOrder(euros('60.00'));
  await letRateExpire();
  await expectPage(page, url, {
    heading: 'The rate expired',
    status: 'The rate expired. Nothing was paid.',
    title: `The rate expired – ${SHOP}`,
    asksForMoney: false,
  });
  await expect(page.getByRole('button', { name: 'Get a new rate' })).toBeVisible();
  expect((await getOrder(id)).status).toBe('expired');
});

test('underpaid when time runs out', async ({ page }) => {
  const { id, url, payment } = await payableOrder(euros('60.00'));
  await pay(payment.address, '0.0004');
  await mine();
  await letRateExpire();
  await expectPage(page, url, {
    heading: 'Part paid, time is up',
    status: 'Time ran out with part paid.',
    title: `Part paid, time is up – ${SHOP}`,
    asksForMoney: false,
  });
  await expect(page.getByRole('button', { name: 'Pay the rest at a new rate' })).toBeVisible();
  const order = await getOrder(id);
  expect(order.status).toBe('underpaid');
  expect(order.flags).toContain('under');
});

test('late, and then accepted because it still covers the amount', async ({ page }) => {
  const { id, url, payment } = await payableOrder(euros('60.00'));
  await letRateExpire();
  await pay(payment.address, payment.amount);
  await expectPage(page, url, {
    heading: 'Paid late',
    status: 'Your payment arrived after the rate expired.',
    title: `Paid late – ${SHOP}`,
    asksForMoney: false,
  });
  await mine();
  await expectPage(page, url, PAID);
  expect((await getOrder(id)).flags).toContain('late');
});

test('late and short can be completed at a new rate', async ({ page }) => {
  const { id, url, payment } = await payableOrder(euros('60.00'));
  await letRateExpire();
  await pay(payment.address, '0.0005');
  await mine();
  await expectPage(page, url, {
    heading: 'Paid late',
    status: 'Your payment arrived after the rate expired. It does not cover the total.',
    title: `Paid late – ${SHOP}`,
    asksForMoney: false,
  });
  await expect(page.getByText('please do not pay again')).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Pay the rest at a new rate' })).toBeVisible();
  expect((await getOrder(id)).status).toBe('expired');
});

test('cancelled by the shop', async ({ page }) => {
  const { id, url } = await payableOrder(euros('60.00'));
  await cancelOrder(id);
  await expectPage(page, url, {
    heading: 'Cancelled',
    status: 'This order was cancelled. Nothing was paid.',
    title: `Cancelled – ${SHOP}`,
    asksForMoney: false,
  });
});

test('double-spent while time is left: the page waits again', async ({ page }) => {
  const { id, url, payment } = await payableOrder(euros('60.00'));
  const txid = await pay(payment.address, payment.amount);
  expect((await getOrder(id)).status).toBe('processing');
  await doubleSpend(txid);
  await expectPage(page, url, AWAITING);
  expect((await getOrder(id)).status).toBe('pending');
});

test('double-spent after time ran out: the payment failed', async ({ page }) => {
  const { id, url, payment } = await payableOrder(euros('60.00'));
  const txid = await pay(payment.address, payment.amount);
  await letRateExpire();
  await doubleSpend(txid);
  await expectPage(page, url, {
    heading: 'Payment failed',
    status: 'This payment was replaced or cancelled.',
    title: `Payment failed – ${SHOP}`,
    asksForMoney: false,
  });
  await expect(page.locator('.receipts')).toContainText(txid);
  expect((await getOrder(id)).status).toBe('expired');
});

test('a payment that leaves the chain afterwards: paid stays paid', async ({ page }) => {
  const { id, url, payment } = await payableOrder(euros('60.00'));
  const txid = await pay(payment.address, payment.amount);
  await mine();
  await expectPage(page, url, PAID);
  await reorganise(1, [txid]);
  await expectPage(page, url, PAID);
  const order = await getOrder(id);
  expect(order.status).toBe('paid');
  expect(order.flags).toContain('reversed');
});
