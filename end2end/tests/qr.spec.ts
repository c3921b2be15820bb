// The codes as a scanner reads them: address and amount, nothing else (contract 80, More).

import type { Page } from '@playwright/test';

import { euros, payableOrder, type Payment } from '../support/api';
import { decimal, heading, shortest, subtract } from '../support/checkout';
import { readQr } from '../support/documents';
import { pay } from '../support/sandbox';
import { expect, test } from '../support/test';

async function scan(page: Page): Promise<string> {
  return readQr(await page.locator('.qr-card').screenshot());
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [360, 1280]) {
    test(`a bitcoin code is read from the screen, ${colorScheme}, ${width} px`, async ({ page }) => {
      const { url, payment } = await payableOrder(euros('149.98'));
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await page.goto(url);
      const address = payment.address.toUpperCase();
      expect(await scan(page)).toBe(`BITCOIN:${address}?amount=${shortest(payment.amount)}`);
    });
  }
}

test('the code after a part payment asks for the rest at the same address', async ({ page }) => {
  const { url, payment } = await payableOrder(euros('149.98'));
  await pay(payment.address, '0.001');
  await page.goto(url);
  await expect(heading(page)).toHaveText('Pay the rest');
  const rest = subtract(payment.amount, '0.001');
  const address = payment.address.toUpperCase();
  expect(await scan(page)).toBe(`BITCOIN:${address}?amount=${shortest(rest)}`);
  await expect(page.locator('.due-amount')).toHaveAttribute('data-copy', rest);
});

const WEI_DIGITS = 18;

function wei(ether: string): string {
  const [whole = '0', fraction = ''] = ether.split('.');
  return BigInt(whole + fraction.padEnd(WEI_DIGITS, '0')).toString();
}

function bare(address: string): string {
  return address.replace(/^bitcoincash:/, '');
}

/** Whether letters may be upper case depends on the address form; so does what says the amount. */
const COINS: [string, (payment: Payment) => string][] = [
  ['LTC', ({ address, amount }) => `LITECOIN:${address.toUpperCase()}?amount=${shortest(amount)}`],
  ['BCH', ({ address, amount }) => `BITCOINCASH:${bare(address).toUpperCase()}?amount=${shortest(amount)}`],
  ['tBTC', ({ address, amount }) => `BITCOIN:${address.toUpperCase()}?amount=${shortest(amount)}`],
  ['ETH', ({ address, amount }) => `ethereum:${address}?value=${wei(amount)}`],
  ['USDT', ({ address }) => address],
];

for (const [coin, expected] of COINS) {
  test(`a ${coin} code is read from the screen`, async ({ page }) => {
    const { url, payment } = await payableOrder(euros('149.98'), coin);
    await page.goto(url);
    expect(await scan(page)).toBe(expected(payment));
    // Whatever the code holds stands beside it as text.
    await expect(page.locator('.addr')).toHaveText(payment.address);
    await expect(page.locator('.due-amount')).toHaveText(new RegExp(`^${decimal(payment.amount)} ${coin}$`));
  });
}

test('a coin without a payment link of its own gives no link', async ({ page }) => {
  const { url, payment } = await payableOrder(euros('149.98'), 'USDT');
  await page.goto(url);
  await expect(page.locator('.addr')).toHaveText(payment.address);
  // As a link the bare address would be a path on this site.
  await expect(page.locator(`main a[href*="${payment.address}"]`)).toHaveCount(0);
  await expect(page.getByRole('link', { name: 'Open in wallet' })).toHaveCount(0);
});
