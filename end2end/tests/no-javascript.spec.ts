// The same journeys with scripts off: forms, links and a reload by hand.

import type { Page } from '@playwright/test';

import {
  EXAMPLE,
  createOrder,
  euros,
  getOrder,
  getPayment,
  getTimeline,
  payableOrder,
} from '../support/api';
import { SHOP, choose, heading, status, subtract } from '../support/checkout';
import { pdfText } from '../support/documents';
import { absolute } from '../support/instance';
import { letRateExpire, mine, pay } from '../support/sandbox';
import { expect, test } from '../support/test';

test.use({ javaScriptEnabled: false });

async function checkStatus(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Check status' }).click();
}

test('an order is chosen, paid, checked and receipted', async ({ page }) => {
  const { public_order_id: id, checkout_url: url } = await createOrder(EXAMPLE);
  await page.goto(url);
  await expect(heading(page)).toHaveText(`Pay ${SHOP}`);
  await expect(status(page)).toHaveText('Choose how you want to pay.');
  await choose(page, 'BTC');
  await expect(page, 'the form leads back to the page').toHaveURL(url);
  const payment = await getPayment(id);

  await expect(page.locator('.due-amount')).toHaveText(`${payment.amount} BTC`);
  await expect(page.locator('.addr')).toHaveText(payment.address);
  await expect(page.getByRole('link', { name: 'Open in wallet' })).toHaveAttribute('href', payment.uri);
  await expect(page.locator('.qr')).toBeVisible();
  await expect(page.getByRole('timer'), 'no countdown that stands still').toHaveText(/until \d\d:\d\d UTC$/);
  await expect(page.getByRole('button', { name: /^Copy/ }), 'no button that does nothing').toHaveCount(0);

  const txid = await pay(payment.address, payment.amount);
  await checkStatus(page);
  await expect(status(page)).toHaveText(
    `Payment seen: ${payment.amount} BTC. Waiting for confirmation.`,
  );
  await expect(page.locator('.qr')).toHaveCount(0);
  await expect(page.locator('.receipts')).toContainText(txid);

  await mine();
  await checkStatus(page);
  await expect(status(page)).toHaveText('Paid. Thank you.');
  await expect(page.getByText('Returning in')).toHaveCount(0);
  await expect(page.getByRole('link', { name: `Return to ${SHOP}` })).toHaveAttribute(
    'href',
    `https://example.com/success?order_id=${id}&status=paid`,
  );
  const receipt = await page.getByRole('link', { name: 'Receipt (PDF)' }).getAttribute('href');
  const pdf = await fetch(absolute(receipt ?? ''));
  expect(await pdfText(new Uint8Array(await pdf.arrayBuffer()))).toContain(id);
});

test('what is pending has a payment request that is no receipt', async ({ page }) => {
  const { id, url } = await payableOrder(euros('60.00'));
  await page.goto(url);
  const answer = await fetch(url.replace(`/pay/${id}`, `/pay/${id}/receipt`));
  expect(answer.status).toBe(200);
  const text = await pdfText(new Uint8Array(await answer.arrayBuffer()));
  expect(text).toContain('NOT PAID');
});

test('a rate that expired is replaced by a press of a button', async ({ page }) => {
  const { id, url, payment: first } = await payableOrder(euros('60.00'));
  await letRateExpire();
  await page.goto(url);
  await expect(heading(page)).toHaveText('The rate expired');
  await expect(status(page)).toHaveText('The rate expired. Nothing was paid.');
  await expect(page.locator('.qr')).toHaveCount(0);

  await page.getByRole('button', { name: 'Get a new rate' }).click();
  await expect(status(page)).toHaveText('Waiting for your payment.');
  const second = await getPayment(id);
  expect(second.address, 'always the same address').toBe(first.address);
  expect(Date.parse(second.release_at)).toBeGreaterThan(Date.parse(first.release_at));

  await pay(second.address, second.amount);
  await mine();
  await checkStatus(page);
  await expect(status(page)).toHaveText('Paid. Thank you.');
});

test('a part payment is completed in time', async ({ page }) => {
  const { url, payment } = await payableOrder(euros('60.00'));
  await pay(payment.address, '0.00040001');
  await page.goto(url);
  await expect(heading(page)).toHaveText('Pay the rest');
  await expect(status(page)).toHaveText('Received 0.00040001. 0.00059999 BTC still to pay.');
  await expect(page.locator('.addr')).toHaveText(payment.address);
  const link = await page.getByRole('link', { name: 'Open in wallet' }).getAttribute('href');
  expect(new URLSearchParams(link?.split('?')[1]).get('amount')).toBe('0.00059999');

  await pay(payment.address, '0.00059999');
  await mine();
  await checkStatus(page);
  await expect(status(page)).toHaveText('Paid. Thank you.');
});

test('a part payment is completed at a new rate after time ran out', async ({ page }) => {
  const { id, url, payment } = await payableOrder(euros('60.00'));
  await pay(payment.address, '0.0004');
  await mine();
  await letRateExpire();
  await page.goto(url);
  await expect(heading(page)).toHaveText('Part paid, time is up');
  await expect(status(page)).toHaveText('Time ran out with part paid.');

  await page.getByRole('button', { name: 'Pay the rest at a new rate' }).click();
  await expect(heading(page)).toHaveText('Pay the rest');
  await expect(page.locator('.addr')).toHaveText(payment.address);
  const requoted = await getPayment(id);
  const rest = subtract(requoted.amount, '0.0004');
  await expect(page.locator('.due-amount')).toHaveAttribute('data-copy', rest);

  await pay(requoted.address, rest);
  await mine();
  await checkStatus(page);
  await expect(status(page)).toHaveText('Paid. Thank you.');
  expect((await getOrder(id)).resolution).toBe('requoted');
});

test('a refund address is taken, and a wrong one is named', async ({ page }) => {
  const { payment: elsewhere } = await payableOrder(euros('60.00'));
  const { url, payment } = await payableOrder(euros('60.00'));
  await pay(payment.address, '0.0004');
  await mine();
  await letRateExpire();
  await page.goto(url);
  const field = page.getByLabel('Your address for the refund');
  const send = page.getByRole('button', { name: 'Request refund' });

  await field.fill('bc1qnotanaddress');
  await send.click();
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('There is a problem');
  await expect(page).toHaveTitle(/Error: /);
  await expect(field).toHaveAttribute('aria-invalid', 'true');
  await expect(field).toHaveAccessibleDescription(/not an address/);
  await alert.getByRole('link').click();
  await expect(field).toBeFocused();

  await field.fill(elsewhere.address);
  await send.click();
  await expect(page.getByRole('heading', { name: 'Refund requested' })).toBeVisible();
  await expect(page.locator('.claim .addr')).toHaveText(elsewhere.address);
  await expect(page).not.toHaveTitle(/Error/);
});

test('a double click on a coin fixes one rate and takes one address', async () => {
  const { checkout_url: url, public_order_id: id } = await createOrder(euros('60.00'));
  const body = () => new URLSearchParams({ method: 'BTC' });
  const answers = await Promise.all(
    [1, 2, 3].map(() => fetch(url, { method: 'POST', body: body(), redirect: 'manual' })),
  );
  expect(answers.map(({ status: code }) => code)).toEqual([303, 303, 303]);
  for (const answer of answers) {
    expect(answer.headers.get('location')).not.toContain('notice');
  }
  const kinds = (await getTimeline(id)).map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === 'quote.fixed')).toHaveLength(1);
});
