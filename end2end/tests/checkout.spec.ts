// The way of an order from the API call to the shop's success page, with scripts on.

import { EXAMPLE, createOrder, euros, getOrder, getPayment, payableOrder } from '../support/api';
import {
  SHOP,
  announcements,
  choose,
  heading,
  method,
  noteAnnouncements,
  shortest,
  status,
  untilLive,
} from '../support/checkout';
import { pauseClock } from '../support/clock';
import { pdfText } from '../support/documents';
import { absolute, instance } from '../support/instance';
import { clockAheadMs, mine, pay } from '../support/sandbox';
import { judgeWithLibrary, legacySignature, standardSignature } from '../support/signatures';
import { expect, test } from '../support/test';

const SHOP_ORIGIN = 'https://example.com';

test.use({ allowedOrigins: [SHOP_ORIGIN] });

test('an order is paid in front of the customer and the shop hears of it', async ({ page, receiver }) => {
  const request = { ...EXAMPLE, webhook_url: receiver.url('/webhooks') };
  const { public_order_id: id, checkout_url: url, status: first } = await createOrder(request);
  expect(first).toBe('pending');
  expect(url).toMatch(new RegExp(`^${absolute(`/pay/${id}`)}\\?t=[\\w-]{22,}$`));

  await test.step('the page says what is ordered', async () => {
    await page.goto(url);
    await expect(heading(page)).toHaveText(`Pay ${SHOP}`);
    await expect(page).toHaveTitle(`TEST · Pay ${SHOP}`);
    await expect(page.locator('.total data')).toHaveAttribute('value', '149.98');
    const items = page.locator('.items li');
    await expect(items.filter({ hasText: 'Wallet Kit' }).locator('data')).toHaveAttribute('value', '99.99');
    await expect(items.filter({ hasText: 'Other charges' }).locator('data')).toHaveAttribute('value', '49.99');
    await expect(page.getByText('For Inga Berzina')).toBeVisible();
  });

  await choose(page, 'BTC');
  const payment = await getPayment(id);

  await test.step('amount, link and address are those of the order', async () => {
    expect(payment.method).toBe('BTC');
    // All eight digits to read and to copy; the link has the shortest form.
    await expect(page.locator('.due-amount')).toHaveAttribute('data-copy', payment.amount);
    await expect(page.locator('.due-amount')).toHaveText(`${payment.amount} BTC`);
    await expect(page.locator('.addr')).toHaveAttribute('data-copy', payment.address);
    await expect(page.locator('.addr')).toHaveText(payment.address);
    const link = page.getByRole('link', { name: 'Open in wallet' });
    await expect(link).toHaveAttribute('href', payment.uri);
    const [target, query = ''] = payment.uri.split('?');
    expect(target).toBe(`bitcoin:${payment.address}`);
    const pairs = new URLSearchParams(query);
    expect(pairs.get('amount')).toBe(shortest(payment.amount));
    expect.soft(pairs.get('label')).toBe(SHOP);
    expect(payment.uri, 'a space is %20, never +').not.toContain('+');
    await expect(page.locator('a.qr-card')).toHaveAttribute('href', payment.uri);
  });

  let txid = '';
  await test.step('the payment shows without a reload', async () => {
    await untilLive(page);
    await noteAnnouncements(page);
    txid = await pay(payment.address, payment.amount);
    const seen = `Payment seen: ${payment.amount} BTC. Waiting for confirmation.`;
    await expect(status(page)).toHaveText(seen);
    await expect(heading(page)).toHaveText('Payment seen');
    await expect(page.locator('.qr')).toHaveCount(0);
    await expect(page.getByRole('link', { name: 'Open in wallet' })).toHaveCount(0);
    await expect(page.locator('.receipts')).toContainText(txid);

    await mine();
    await expect(status(page)).toHaveText('Paid. Thank you.');
    await page.getByRole('button', { name: 'Stay here' }).click();
    await expect(heading(page)).toHaveText('Paid');
    await expect(page).toHaveTitle(`TEST · Paid – ${SHOP}`);
    expect(await announcements(page)).toEqual(['Waiting for your payment.', seen, 'Paid. Thank you.']);
  });

  await test.step('the shop got a webhook that both signatures vouch for', async () => {
    const [delivery] = await receiver.atLeast(1, '/webhooks');
    if (!delivery) throw new Error('no webhook');
    const { merchant } = instance().demo;
    expect(delivery.headers['content-type']).toMatch(/^application\/json/);
    const body = JSON.parse(delivery.body.toString()) as Record<string, unknown>;
    expect(body).toEqual({
      event: 'order.paid',
      order_id: id,
      amount: '149.98',
      currency: 'USD',
      status: 'success',
      timestamp: expect.any(Number),
      signature: legacySignature(merchant.app_key, id, '149.98'),
    });
    const now = (Date.now() + (await clockAheadMs())) / 1000;
    expect(Math.abs(now - Number(body.timestamp)), 'the instance clock').toBeLessThan(60);

    expect(delivery.headers['webhook-id']).toMatch(/^\S+$/);
    expect(delivery.headers['webhook-timestamp']).toMatch(/^\d+$/);
    const signatures = String(delivery.headers['webhook-signature']).split(' ');
    expect(signatures).toContain(standardSignature(merchant.webhook_secret, delivery));
  });

  await test.step('the receipt is a PDF that names the order', async () => {
    const href = await page.getByRole('link', { name: 'Receipt (PDF)' }).getAttribute('href');
    const answer = await fetch(absolute(href ?? ''));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/pdf');
    expect(answer.headers.get('content-disposition')).toBe(`inline; filename="${id}.pdf"`);
    const pdf = new Uint8Array(await answer.arrayBuffer());
    expect(pdf.length).toBeLessThan(150 * 1024);
    const text = await pdfText(pdf);
    for (const part of ['Receipt', id, '149.98', 'USD', SHOP, 'Inga Berzina', 'Wallet Kit', txid.slice(0, 16)]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('NOT PAID');
  });

  await test.step('the way back names the order', async () => {
    const back = `${SHOP_ORIGIN}/success?order_id=${id}&status=paid`;
    const shop = { referer: 'none asked' as string | undefined };
    await page.route(`${SHOP_ORIGIN}/**`, async (route) => {
      shop.referer = route.request().headers().referer;
      await route.fulfill({ contentType: 'text/html', body: '<!DOCTYPE html><title>Shop</title>' });
    });
    const link = page.getByRole('link', { name: `Return to ${SHOP}` });
    await expect(link).toHaveAttribute('href', back);
    await link.click();
    await expect(page).toHaveURL(back);
    expect(shop.referer, 'the address with its token is told to nobody').toBeUndefined();
  });

  const order = await getOrder(id);
  expect(order).toMatchObject({ status: 'paid', amount: '149.98', amount_due: '0.00' });
});

test('the webhook convinces the Standard Webhooks library', async ({ receiver }) => {
  const python = process.env.EXCHEQUER_WEBHOOK_PYTHON;
  expect(python || !process.env.CI, 'CI has the library: EXCHEQUER_WEBHOOK_PYTHON').toBeTruthy();
  test.skip(!python, 'EXCHEQUER_WEBHOOK_PYTHON is not set');

  const order = await payableOrder(euros('60.00', { webhook_url: receiver.url('/standard') }));
  await pay(order.payment.address, order.payment.amount);
  await mine();
  const [delivery] = await receiver.atLeast(1, '/standard');
  if (!delivery || !python) throw new Error('no webhook');
  const judge = async (secret: string, changed = delivery) =>
    judgeWithLibrary(python, secret, changed, await clockAheadMs());
  const { merchant, merchant2 } = instance().demo;
  expect(await judge(merchant.webhook_secret)).toBe('right');
  // The judge can tell: another key and another body are found out.
  expect(await judge(merchant2.webhook_secret)).toMatch(/^wrong: No matching signature/);
  const forged = Buffer.from(delivery.body.toString().replace('60.00', '90.00'));
  expect(await judge(merchant.webhook_secret, { ...delivery, body: forged })).toMatch(/^wrong/);
});

test('after a while the page follows the way back by itself, unless asked to stay', async ({ page, context }) => {
  await context.route(`${SHOP_ORIGIN}/**`, (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!DOCTYPE html><title>Shop</title>' }),
  );
  const order = await payableOrder(euros('60.00'));
  const staying = await context.newPage();
  await context.clock.install();
  for (const open of [page, staying]) {
    await open.goto(order.url);
    await untilLive(open);
  }
  // However long it takes to look and to press: no second of the countdown passes.
  await pauseClock(page);
  await pay(order.payment.address, order.payment.amount);
  await mine();

  await expect(status(staying)).toHaveText('Paid. Thank you.');
  await staying.getByRole('button', { name: 'Stay here' }).click();
  await expect(status(page)).toHaveText('Paid. Thank you.');
  await context.clock.runFor(60_000);
  await expect(staying).toHaveURL(order.url);
  await expect(staying.getByText('Returning in')).toHaveCount(0);

  await expect(page).toHaveURL(`${SHOP_ORIGIN}/success?order_id=${order.id}&status=paid`);
});

test('copy buttons give the exact text', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const { url, payment } = await payableOrder(euros('149.98'));
  await page.goto(url);
  await untilLive(page);
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());

  await page.getByRole('button', { name: /^Copy amount/ }).click();
  await expect(page.getByText('Amount copied')).toBeVisible();
  expect(await clipboard()).toBe(payment.amount);

  await page.getByRole('button', { name: /^Copy address/ }).click();
  await expect(page.getByText('Address copied')).toBeVisible();
  expect(await clipboard()).toBe(payment.address);
});

test('another coin can be picked as long as nothing came', async ({ page }) => {
  const { id, url, payment: bitcoin } = await payableOrder(euros('80.00'));
  await page.goto(url);
  await page.getByText('Pay another way').click();
  await method(page, 'LTC').check();
  await page.getByRole('button', { name: 'Change method' }).click();
  await expect(page.locator('.due-amount')).toContainText('LTC');
  const litecoin = await getPayment(id);
  expect(litecoin.method).toBe('LTC');
  expect(shortest(litecoin.amount)).toBe('1');
  expect(litecoin.address).toMatch(/^ltc1q/);

  // Picking the first coin again gives the address it had, so that no payment goes astray.
  await page.getByText('Pay another way').click();
  await method(page, 'BTC').check();
  await page.getByRole('button', { name: 'Change method' }).click();
  await expect(page.locator('.due-amount')).toContainText('BTC');
  expect((await getPayment(id)).address).toBe(bitcoin.address);
});
