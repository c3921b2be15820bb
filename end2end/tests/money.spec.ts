// Money in, out and across, as a merchant moves it by hand (ux §1.3, §1.7, §1.8).

import { signIn } from '../support/accounts';
import { THEMES, WIDTHS } from '../support/axe';
import { SHOP, heading, status, subtract } from '../support/checkout';
import { cell, fact, figure, row } from '../support/dashboard';
import { readQr } from '../support/documents';
import { instance } from '../support/instance';
import {
  ABOVE_THE_LIMIT,
  STRANGER,
  askForRate,
  available,
  limitedWithdrawals,
  movements,
  pill,
  reviewWithdrawal,
  sendAndMine,
  setRate,
  takeByHand,
  told,
} from '../support/money';
import { operations, reference, takeAddress, withdraw } from '../support/processing';
import { advance, mine, pay } from '../support/sandbox';
import { expect, test } from '../support/test';

limitedWithdrawals();

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled });

    test('an address is taken, named, shown and paid', async ({ page }) => {
      const name = reference('till');
      await signIn(page);
      const before = await available(page, 'BTC');

      const address = await takeByHand(page, name);
      await expect(page.getByRole('alert')).toContainText('This address is yours');
      await expect(told(page, 'Coin')).toHaveText('BTC');
      await expect(told(page, 'Reference')).toHaveText(name);
      await expect(page.locator('.addr')).toHaveText(address);
      await expect(page.locator('.qr')).toBeVisible();
      await expect(page.locator('main a', { has: page.locator('.qr') })).toHaveAttribute(
        'href',
        `bitcoin:${address}?label=${encodeURIComponent(SHOP)}`,
      );
      const copy = page.getByRole('button', { name: /^Copy address/ });
      await expect(copy, 'no button that does nothing').toHaveCount(javaScriptEnabled ? 1 : 0);

      const label = `Counter of ${name}`;
      await page.getByLabel('Label').fill(label);
      await page.getByRole('button', { name: 'Save the label' }).click();
      await expect(page.getByRole('alert')).toContainText('The label is saved.');
      await expect(page.getByLabel('Label')).toHaveValue(label);
      expect(await takeByHand(page, name), 'the same one for ever').toBe(address);

      await page.goto('/app/addresses');
      await page.getByLabel('Search').fill(label);
      await page.getByRole('button', { name: 'Search' }).click();
      await expect(cell(row(page, name), 'Label')).toHaveText(label);
      await expect(cell(row(page, name), 'Deposits')).toHaveText('0');

      const txid = await pay(address, '0.01');
      await page.goto(`/app/deposits?reference=${name}`);
      await expect(cell(row(page, name), 'Status')).toHaveText('not confirmed');
      await mine();
      await page.reload();
      await expect(cell(row(page, name), 'Status')).toHaveText('confirmed');
      expect(await figure(cell(row(page, name), 'Came'))).toBe('0.01000000');
      expect(await figure(cell(row(page, name), 'Credited'))).toBe('0.00990000');
      expect(await figure(cell(row(page, name), 'Fee'))).toBe('0.00010000');

      await row(page, name).getByRole('link').click();
      await expect(heading(page)).toHaveText(/^Deposit \d+$/);
      await expect(pill(page)).toHaveText('confirmed');
      expect(await fact(page, 'Amount')).toBe('0.01000000');
      expect(await fact(page, 'Received')).toBe('0.00990000');
      await expect(told(page, 'Reference of the address')).toHaveText(name);
      await expect(movements(page)).toHaveCount(1);
      await expect(cell(movements(page), 'Over')).toHaveText('blockchain');
      await expect(cell(movements(page), 'Transaction').locator('.hash')).toHaveAttribute('title', txid);
      await expect(cell(movements(page), 'Confirmations')).toHaveText('1');

      expect(subtract(await available(page, 'BTC'), before)).toBe('0.00990000');
      await page.goto(`/app/addresses?q=${name}`);
      await expect(cell(row(page, name), 'Deposits')).toHaveText('1');
      await row(page, name).getByRole('link').click();
      const latest = page.getByRole('table', { name: 'Latest deposits' }).locator('tbody tr');
      await expect(latest).toHaveCount(1);
      await expect(cell(latest, 'Status')).toHaveText('confirmed');
    });

    test('a withdrawal is filled in, looked at, made and settled', async ({ page }) => {
      const name = reference('supplier');
      await signIn(page);
      const before = await available(page, 'BTC');

      await reviewWithdrawal(page, '0.01', name);
      await expect(heading(page)).toHaveText('Review the withdrawal');
      await expect(page.getByText('Nothing has moved yet.')).toBeVisible();
      await expect(page.getByText('This is above your limit')).toHaveCount(0);
      for (const named of ['Amount', 'Debited in all', 'Receiver gets']) {
        expect(await fact(page, named), named).toBe('0.01000000');
      }
      await expect(page.locator('.addr')).toHaveText(STRANGER);

      await page.getByRole('button', { name: 'Change it' }).click();
      await expect(heading(page)).toHaveText('New withdrawal');
      await expect(page.getByLabel('From wallet')).toHaveValue('BTC');
      await expect(page.getByLabel('Amount')).toHaveValue('0.01');
      await expect(page.getByLabel("Receiver's address")).toHaveValue(STRANGER);
      await expect(page.getByLabel('Reference (optional)')).toHaveValue(name);
      await page.getByRole('button', { name: 'Review' }).click();
      await page.getByRole('button', { name: 'Withdraw', exact: true }).click();

      await expect(heading(page)).toHaveText(/^Withdrawal \d+$/);
      await expect(page.getByRole('alert')).toContainText('The money is held');
      await expect(pill(page)).toHaveText('processing');
      await expect(told(page, 'Address')).toHaveText(STRANGER);
      await expect(told(page, 'Reference')).toHaveText(name);
      const detail = page.url();
      expect(subtract(before, await available(page, 'BTC'))).toBe('0.01000000');

      await sendAndMine();
      await page.goto(detail);
      await expect(pill(page)).toHaveText('confirmed');
      expect(await fact(page, 'Received')).toBe('0.01000000');
      await expect(cell(movements(page), 'Over')).toHaveText('blockchain');
      await expect(cell(movements(page), 'Transaction').locator('.hash')).toHaveCount(1);
      await expect(cell(movements(page), 'Confirmations')).toHaveText('1');

      await page.goto(`/app/withdrawals?reference=${name}`);
      await expect(cell(row(page, name), 'Status')).toHaveText('confirmed');
      expect(await figure(cell(row(page, name), 'Debited'))).toBe('0.01000000');
      expect(subtract(before, await available(page, 'BTC'))).toBe('0.01000000');
    });

    test('above the limit another person decides', async ({ page }) => {
      const name = reference('large');
      await signIn(page);
      await reviewWithdrawal(page, ABOVE_THE_LIMIT, name);
      await expect(page.getByText('This is above your limit')).toBeVisible();
      await page.getByRole('button', { name: 'Withdraw', exact: true }).click();
      await expect(pill(page)).toHaveText('pending');
      await sendAndMine();
      await page.reload();
      await expect(pill(page), 'nothing leaves before the decision').toHaveText('pending');

      const approve = page.getByRole('button', { name: 'Approve' });
      await approve.click();
      await expect(page.getByRole('alert')).toContainText('somebody else has to decide');
      await expect(pill(page)).toHaveText('pending');

      await signIn(page, instance().demo.manager);
      await page.goto('/app/withdrawals');
      const queue = page.getByRole('table', { name: 'Withdrawals that wait for a decision' });
      const waiting = queue.getByRole('row').filter({ hasText: name });
      await waiting.getByRole('link').click();
      await expect(page.getByRole('heading', { name: 'Your decision' })).toBeVisible();
      await approve.click();
      await expect(page.getByRole('alert')).toContainText('The withdrawal is approved');
      await expect(pill(page)).toHaveText('processing');
      await expect(approve).toHaveCount(0);
      await page.goto('/app/withdrawals');
      await expect(waiting).toHaveCount(0);

      await sendAndMine();
      await page.goto(`/app/withdrawals?reference=${name}`);
      await expect(cell(row(page, name), 'Status')).toHaveText('confirmed');
    });

    test('an exchange is offered, taken and listed', async ({ page }) => {
      await signIn(page);
      const bitcoin = await available(page, 'BTC');
      const euro = await available(page, 'EUR');

      await askForRate(page, '0.001', 'BTC', 'EUR');
      expect(await fact(page, 'You send')).toBe('0.00100000');
      expect(await fact(page, 'Debited in all')).toBe('0.00100000');
      // 60.00 less 1 %, which is taken on the fiat side.
      expect(await fact(page, 'You get')).toBe('59.40');
      expect(await fact(page, 'Fee')).toBe('0.60');
      await expect(told(page, 'Rate')).toHaveText('1 BTC = 60000.00000000 EUR');
      await expect(page.getByText('This rate is held until')).toBeVisible();
      // Without scripts there is no countdown that stands still.
      await expect(page.getByRole('timer')).toHaveText(javaScriptEnabled ? /^(1:00|0:\d\d)$/ : '');

      await page.getByRole('button', { name: 'Exchange at this rate' }).click();
      await expect(heading(page)).toHaveText(/^Exchange \d+$/);
      await expect(page.getByRole('alert')).toContainText('The exchange is done.');
      await expect(pill(page)).toHaveText('confirmed');
      expect(await fact(page, 'Amount')).toBe('0.00100000');
      expect(await fact(page, 'Received')).toBe('59.40');
      expect(await fact(page, 'Fee')).toBe('0.60');
      await expect(cell(movements(page), 'Over')).toHaveText('exchange');
      const id = (await heading(page).innerText()).replace('Exchange ', '');

      await page.goto('/app/exchanges');
      const made = page.getByRole('row').filter({
        has: page.getByRole('link', { name: id, exact: true }),
      });
      await expect(cell(made, 'Status')).toHaveText('confirmed');
      expect(await figure(cell(made, 'Given'))).toBe('0.00100000');
      expect(await figure(cell(made, 'Received'))).toBe('59.40');
      expect(subtract(bitcoin, await available(page, 'BTC'))).toBe('0.00100000');
      expect(subtract(await available(page, 'EUR'), euro)).toBe('59.40000000');
    });
  });
}

test('the copy button gives the exact address', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const { id, address } = await takeAddress(reference('copied'));
  await signIn(page);
  await page.goto(`/app/addresses/${id}`);
  await expect(async () => {
    // Until its code has arrived the button does nothing.
    await page.getByRole('button', { name: /^Copy address/ }).click();
    await expect(page.getByText('Address copied')).toBeVisible({ timeout: 1_000 });
  }).toPass();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(address);
});

for (const colorScheme of THEMES) {
  for (const width of WIDTHS) {
    test(`the code of an address is read from the screen, ${colorScheme}, ${width} px`, async ({ page }) => {
      const { id, address } = await takeAddress(reference('scanned'));
      await signIn(page);
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await page.goto(`/app/addresses/${id}`);
      const text = await readQr(await page.locator('main .qr').screenshot());
      expect(text).toBe(`BITCOIN:${address.toUpperCase()}`);
    });
  }
}

test('a deposit to an address that exchanges arrives in the other currency', async ({ page }) => {
  const name = reference('exchanged');
  await signIn(page);
  const before = await available(page, 'EUR');
  const address = await takeByHand(page, name, 'BTC', 'EUR');
  await expect(told(page, 'Exchanged into')).toHaveText(/^EUR\b/);
  await pay(address, '0.001');
  await mine();
  await page.goto(`/app/deposits?reference=${name}`);
  await row(page, name).getByRole('link').click();
  expect(await fact(page, 'Received')).toBe('59.40');
  expect(await fact(page, 'Fee')).toBe('0.60');
  await expect(cell(movements(page), 'Over')).toHaveText(['blockchain', 'exchange']);
  expect(subtract(await available(page, 'EUR'), before)).toBe('59.40000000');
});

test('a withdrawal to a wrong address is refused and what was typed stays', async ({ page }) => {
  const name = reference('mistyped');
  await signIn(page);
  // The last letter is wrong, which only the checksum tells.
  await reviewWithdrawal(page, '0.01', name, STRANGER.replace(/q$/, 'p'));
  const alert = page.getByRole('alert');
  await expect(alert).toContainText("Receiver's address must be a valid BTC address");
  await expect(page).toHaveTitle(/Error: New withdrawal/);
  await expect(page.getByLabel('Amount')).toHaveValue('0.01');
  await expect(page.getByLabel('Reference (optional)')).toHaveValue(name);
  await alert.getByRole('link').click();
  await expect(page.getByLabel("Receiver's address")).toBeFocused();
  expect(await operations(name)).toEqual([]);
});

test('a withdrawal that is declined gives the money back', async ({ page }) => {
  await signIn(page);
  const before = await available(page, 'BTC');
  const { id, status: first } = await withdraw(ABOVE_THE_LIMIT, STRANGER, reference('declined'));
  expect(first).toBe('pending');
  await page.goto(`/app/withdrawals/${id}`);
  await page.getByRole('button', { name: 'Decline' }).click();
  await expect(page.getByRole('alert')).toContainText('the held money is free again');
  await expect(pill(page)).toHaveText('cancelled');
  await expect(page.getByText(`declined by ${instance().demo.merchant.email}`)).toBeVisible();
  expect(subtract(before, await available(page, 'BTC'))).toBe('0.00000000');
});

test('an offer that is over says so, and nothing is exchanged at it', async ({ page }) => {
  await signIn(page);
  await page.clock.install();
  await askForRate(page, '0.001', 'BTC', 'EUR');
  await expect(page.getByRole('timer')).toHaveText(/^(1:00|0:\d\d)$/);
  await expect(status(page)).toHaveText('');
  await page.clock.fastForward('01:05');
  await expect(status(page)).toHaveText('This rate does not stand any more: ask for a new one.');

  await advance(61);
  await page.getByRole('button', { name: 'Exchange at this rate' }).click();
  await expect(page.getByRole('alert')).toContainText('nothing was exchanged');
  await expect(page.getByRole('button', { name: /^Exchange at/ })).toHaveCount(0);
  await page.getByRole('button', { name: 'Get a new rate' }).click();
  await expect(page.getByRole('button', { name: 'Exchange at this rate' })).toBeVisible();
  expect(await fact(page, 'You send')).toBe('0.00100000');
});

test('another rate is never taken silently: old and new are shown', async ({ page }) => {
  await signIn(page);
  // A pair that no other test prices anything with.
  await askForRate(page, '1', 'LTC', 'JPY');
  const before = await told(page, 'Rate').innerText();
  await setRate('LTC', 'JPY', '14000');
  await page.getByRole('button', { name: 'Get a new rate' }).click();
  await expect(page.getByText(`The rate has changed. Before it was ${before}.`)).toBeVisible();
  await expect(told(page, 'Rate')).toHaveText('1 LTC = 14000.00000000 JPY');
});
