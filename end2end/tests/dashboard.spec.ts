// The merchant's pages: figures, lists, one charge, wallets, and the tools of test mode.

import { sessionCookie, signIn } from '../support/accounts';
import { EXAMPLE, createOrder, euros, getOrder, payableOrder } from '../support/api';
import { add, heading, subtract } from '../support/checkout';
import { cell, fact, figure, listed, listedIds, parseCsv, row, walletPath } from '../support/dashboard';
import { absolute, instance } from '../support/instance';
import { letRateExpire, mine, pay } from '../support/sandbox';
import { standardSignature } from '../support/signatures';
import { expect, test } from '../support/test';

async function exported(path: string): Promise<string[][]> {
  const answer = await fetch(absolute(path), { headers: { cookie: await sessionCookie() } });
  expect(answer.headers.get('content-type')).toMatch(/^text\/csv/);
  expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename=".+\.csv"$/);
  return parseCsv(await answer.text());
}

test('a payment shows in balance, chart and statement, less the fee', async ({ page }) => {
  await signIn(page);
  const path = await walletPath(page, 'EUR');
  const card = page.locator('.wallet').filter({ has: page.locator(`a[href="${path}"]`) });
  const home = async () => {
    await page.goto('/app?currency=EUR&days=7');
    return { balance: await figure(card), chart: await figure(page.locator('.chart-total')) };
  };
  const before = await home();
  const { id, payment } = await payableOrder(euros('60.00'));
  await pay(payment.address, payment.amount);
  await mine();
  const after = await home();
  // 1 % of 60.00 stays with the house.
  expect(subtract(after.balance, before.balance)).toBe('59.40000000');
  expect(subtract(after.chart, before.chart)).toBe('60.00000000');
  await expect(row(page, id)).toContainText('paid');

  await page.getByText('Show as table').click();
  const days = page.locator('.twin tbody tr');
  await expect(days).toHaveCount(7);
  let sum = '0';
  for (const day of await days.all()) sum = add(sum, await figure(cell(day, 'Amount')));
  expect(subtract(sum, after.chart)).toBe('0.00000000');

  await page.goto(path);
  expect(subtract(await fact(page, 'Balance'), after.balance)).toBe('0.00000000');
  const lines = page.locator('tbody tr').filter({ hasText: id });
  expect(await lines.count()).toBeGreaterThan(0);
  await lines.first().getByRole('link', { name: id }).click();
  await expect(heading(page)).toHaveText(`Charge ${id}`);
});

test('a statement adds up line by line', async ({ page }) => {
  await signIn(page);
  const path = await walletPath(page, 'EUR');
  await page.goto(path);
  const rows = await exported(`${path}/statement.csv`);
  const columns = rows[0] ?? [];
  const lines = rows.slice(1).map((cells) =>
    Object.fromEntries(columns.map((name, at) => [name, cells[at] ?? ''])),
  );
  expect(lines.length).toBeGreaterThan(0);
  let balance = '0';
  for (const line of lines.reverse()) {
    balance = subtract(add(balance, line.credit || '0'), line.debit || '0');
    expect(subtract(line.balance ?? '', balance), `line ${line.line}`).toBe('0.00000000');
  }
  expect(subtract(await fact(page, 'Balance'), balance)).toBe('0.00000000');
  const shown = await page.locator('tbody tr').count();
  expect(shown).toBe(Math.min(lines.length, 50));
});

test.describe('the list of charges', () => {
  const surname = `Lister${Date.now()}`;
  const ids: string[] = [];

  test.beforeAll(async () => {
    for (let made = 0; made < 28; made += 1) {
      const { public_order_id: id } = await createOrder({
        ...euros('60.00'),
        customer_details: { ...EXAMPLE.customer_details, surname },
      });
      ids.unshift(id);
    }
  });

  test('pages forth and back, newest first', async ({ page }) => {
    await signIn(page);
    await page.goto(`/app/charges?q=${surname}`);
    // A click is over when the next page begins to come.
    await expect(listed(page)).toHaveText(ids.slice(0, 25));
    await expect(page.getByRole('link', { name: 'Previous page' })).toHaveCount(0);
    await page.getByRole('link', { name: 'Next page' }).click();
    await expect(listed(page)).toHaveText(ids.slice(25));
    await expect(page.getByRole('link', { name: 'Next page' })).toHaveCount(0);
    await page.getByRole('link', { name: 'Previous page' }).click();
    await expect(listed(page)).toHaveText(ids.slice(0, 25));
  });

  test('its filters stand in the address and can be taken away one by one', async ({ page }) => {
    const { id, payment } = await payableOrder({
      ...euros('60.00'),
      customer_details: { ...EXAMPLE.customer_details, surname },
    });
    await pay(payment.address, payment.amount);
    await mine();
    ids.unshift(id);
    await signIn(page);
    await page.goto('/app/charges');
    await page.getByLabel('Search').fill(surname);
    await page.getByLabel('Status').selectOption('paid');
    await page.getByLabel('Currency').selectOption('EUR');
    await page.getByRole('button', { name: 'Filter' }).click();
    await expect(page).toHaveURL(/status=paid/);
    await expect(listed(page)).toHaveText([id]);

    await page.getByRole('link', { name: /Remove filter paid/ }).click();
    await expect(page).not.toHaveURL(/status=paid/);
    await expect(listed(page)).toHaveCount(25);
    await page.getByRole('link', { name: 'Clear all' }).click();
    await expect(page).toHaveURL(absolute('/app/charges'));

    await page.goto(`/app/charges?q=${surname}&status=refunded`);
    await expect(page.getByText('No charges match.')).toBeVisible();
    await page.getByRole('link', { name: 'Clear filters' }).click();
    await expect(page.locator('tbody tr').first()).toBeVisible();
  });

  test('finds a charge by its id, its customer, its address and its transaction', async ({ page }) => {
    const { id, payment } = await payableOrder(euros('60.00'));
    const txid = await pay(payment.address, payment.amount);
    await signIn(page);
    for (const wanted of [id, payment.address, payment.address.toUpperCase(), txid]) {
      await page.goto(`/app/charges?q=${wanted}`);
      expect(await listedIds(page), wanted).toEqual([id]);
    }
    await page.goto('/app/charges?q=inga%40inbox.lv');
    expect((await listedIds(page)).length).toBeGreaterThan(1);
  });

  test('is exported exactly as it is filtered', async ({ page }) => {
    await signIn(page);
    await page.goto(`/app/charges?q=${surname}&currency=EUR`);
    const link = page.getByRole('link', { name: 'Export these charges (CSV)' });
    const rows = await exported((await link.getAttribute('href')) ?? '');
    expect(rows[0]?.[0]).toBe('order');
    expect(rows.slice(1).map(([id]) => id)).toEqual(ids);
    for (const cells of rows) expect(cells).toHaveLength(rows[0]?.length ?? 0);
  });

  test('names a filter that means nothing and keeps it', async ({ page }) => {
    await signIn(page);
    await page.goto('/app/charges?from=yesterday');
    await expect(page.getByRole('alert')).toContainText('From day');
    await expect(page.getByLabel('From day')).toHaveValue('yesterday');
  });
});

test('a charge explains itself, and its webhook can be sent again', async ({ page, receiver }) => {
  const request = euros('60.00', { webhook_url: receiver.url('/again'), metadata: { basket: 'A-17' } });
  const { id, payment } = await payableOrder(request);
  const txid = await pay(payment.address, payment.amount);
  await mine();
  const [first] = await receiver.atLeast(1, '/again');
  await signIn(page);
  const attempts = page.locator('.delivery tbody tr');
  await expect(async () => {
    await page.goto(`/app/charges/${id}`);
    expect(await attempts.count()).toBe(1);
  }).toPass();
  await expect(page.locator('.under-title')).toContainText('paid');
  await expect(page.locator('.timeline code')).toHaveText([
    'created',
    'quote.fixed',
    'status.pending',
    'receipt.seen',
    'status.processing',
    'receipt.final',
    'status.paid',
  ]);
  await expect(page.locator('.timeline')).toContainText('Payment of 0.001 BTC seen');
  expect(await fact(page, 'Fee')).toBe('0.60');
  expect(await fact(page, 'Credited to you')).toBe('59.40');
  await expect(page.getByText(txid)).toBeAttached();
  await expect(page.getByText('inga@inbox.lv')).toBeVisible();
  const journal = page.getByRole('table', { name: 'Journal lines' }).locator('tbody tr');
  expect(await journal.count()).toBeGreaterThanOrEqual(3);
  await expect(cell(attempts, 'Answer')).toContainText('200');
  await page.getByText('Body as sent').click();
  await expect(page.locator('.delivery pre').last()).toHaveText(first?.body.toString() ?? '');

  await page.getByRole('button', { name: /^Redeliver/ }).click();
  await expect(page.getByRole('alert')).toContainText('on its way again');
  await expect(heading(page)).toHaveText(`Charge ${id}`);
  const [, second] = await receiver.atLeast(2, '/again');
  if (!first || !second) throw new Error('two webhooks were waited for');
  expect(second.body.equals(first.body), 'byte for byte').toBe(true);
  expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
  const secret = instance().demo.merchant.webhook_secret;
  expect(String(second.headers['webhook-signature'])).toContain(standardSignature(secret, second));
  await expect(async () => {
    await page.reload();
    expect(await attempts.count()).toBe(2);
  }).toPass();
});

test('a webhook that failed is tried again and both attempts are told', async ({ page, receiver }) => {
  receiver.status = 500;
  const { id, payment } = await payableOrder(euros('60.00', { webhook_url: receiver.url('/broken') }));
  await pay(payment.address, payment.amount);
  await mine();
  await receiver.atLeast(1, '/broken');
  receiver.status = 200;
  // The second of the schedule comes after 5 seconds.
  await receiver.atLeast(2, '/broken');
  await signIn(page);
  await expect(async () => {
    await page.goto(`/app/charges/${id}`);
    const answers = cell(page.locator('.delivery tbody tr'), 'Answer');
    expect((await answers.allInnerTexts()).map((text) => text.slice(0, 3)).sort()).toEqual(['200', '500']);
  }).toPass();
});

test('the inbox holds what waits for a decision, and empties when it is made', async ({ page }) => {
  const { merchant2 } = instance().demo;
  const { public_order_id: id, checkout_url: url } = await createOrder(euros('60.00'), merchant2.ex_pk);
  await fetch(url, { method: 'POST', body: new URLSearchParams({ method: 'BTC' }), redirect: 'manual' });
  const { payment } = await getOrder(id, merchant2.ex_pk);
  await pay(payment?.address ?? '', '0.0005');
  await mine();
  await letRateExpire();

  await signIn(page, merchant2);
  await page.goto('/app');
  await expect(page.locator('.attention')).toContainText('needs a decision of yours');
  await page.goto('/app/inbox');
  await expect(row(page, id)).toContainText('Time ran out with only part of it paid.');
  const waiting = await listedIds(page);
  await row(page, id).getByRole('link', { name: id }).click();

  await expect(page.locator('.difference')).toHaveText('0.00050000 BTC short (30.00 EUR)');
  await page.getByText('Accept as paid').click();
  await page.getByRole('button', { name: 'Yes, accept' }).click();
  await expect(page.getByRole('alert')).toContainText('The charge is paid');
  await expect(page.locator('.under-title')).toContainText('paid');
  await expect(page.locator('.under-title')).toContainText('manual');
  await expect(page.locator('.under-title')).toContainText(`Resolved: accepted by ${merchant2.email}`);
  // Half of it came: 30.00 less 1 %.
  expect(await fact(page, 'Credited to you')).toBe('29.70');
  await expect(page.getByText('Accept as paid')).toHaveCount(0);
  expect((await getOrder(id, merchant2.ex_pk)).status).toBe('paid');

  await page.goto('/app/inbox');
  const left = waiting.filter((other) => other !== id);
  expect(await listedIds(page)).toEqual(left);
  await expect(page.locator('main .empty')).toHaveCount(left.length === 0 ? 1 : 0);
});

test('a charge nobody paid can be cancelled', async ({ page }) => {
  const { public_order_id: id } = await createOrder(EXAMPLE);
  await signIn(page);
  await page.goto(`/app/charges/${id}`);
  await page.getByText('Cancel', { exact: true }).click();
  await page.getByRole('button', { name: 'Yes, cancel the charge' }).click();
  await expect(page.getByRole('alert')).toContainText('cancelled');
  expect((await getOrder(id)).status).toBe('cancelled');
});

test('the faucet pays, mines and moves the clock', async ({ page }) => {
  const { id, payment } = await payableOrder(euros('60.00'));
  const { id: other } = await payableOrder(euros('60.00'));
  await signIn(page);
  await page.goto('/app/faucet');
  const form = (button: string) =>
    page.locator('form').filter({ has: page.getByRole('button', { name: button, exact: true }) });
  await page.getByLabel('Address').fill(payment.address);
  await page.getByLabel('Amount').fill(payment.amount);
  await page.getByLabel('Coin').selectOption('BTC');
  await form('Pay').getByRole('button').click();
  await expect(page.getByRole('alert')).toContainText('The payment is announced');
  expect((await getOrder(id)).status).toBe('processing');
  await expect(page.getByRole('table', { name: 'Unconfirmed transactions' })).toContainText(payment.address);

  await page.getByLabel('Chain', { exact: true }).selectOption('BTC');
  await form('Mine').getByRole('button').click();
  await expect(page.getByRole('alert')).toContainText('The chain has grown');
  expect((await getOrder(id)).status).toBe('paid');

  await page.getByLabel('Seconds forward').fill('901');
  await form('Move').getByRole('button').click();
  await expect(page.getByRole('alert')).toContainText('The clock is moved');
  expect((await getOrder(other)).status).toBe('expired');

  await page.getByLabel('Address').fill('nowhere');
  await page.getByLabel('Amount').fill('1');
  await form('Pay').getByRole('button').click();
  await expect(page.getByRole('alert')).toContainText('There is a problem');
  await expect(page.getByLabel('Address')).toHaveValue('nowhere');
});

test('the mailbox shows what the customer was told', async ({ page }) => {
  const { id, url, payment } = await payableOrder(euros('60.00'));
  await pay(payment.address, add(payment.amount, '0.00012345'));
  await mine();
  await signIn(page);
  await page.goto('/app/mailbox');
  const mail = page.locator('article').filter({ hasText: id });
  await expect(mail).toHaveCount(1);
  await expect(mail).toContainText('inga@inbox.lv');
  await expect(mail).toContainText('0.00012345 BTC');
  await expect(mail).toContainText(url);
});
