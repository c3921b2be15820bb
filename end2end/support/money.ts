// The merchant's pages that move money: addresses, deposits, withdrawals, exchange.

import { expect, type Locator, type Page } from '@playwright/test';

import { heading } from './checkout';
import { cell, figure } from './dashboard';
import { instance } from './instance';
import { advance, control, mine } from './sandbox';
import { test } from './test';

/** A valid bitcoin address that this instance did not give out (BIP 173). */
export const STRANGER = 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq';

/** Bitcoin that another person has to approve, while withdrawals are limited. */
export const ABOVE_THE_LIMIT = '0.06';

/** Above this many whole units of a wallet's currency another person has to approve. */
async function limitWithdrawals(limit: string): Promise<void> {
  await control('merchant', { merchant_id: instance().demo.merchant.id, withdrawal_limit: limit });
}

/** The limit stands for all tests of the file that calls this, and for no others. */
export function limitedWithdrawals(): void {
  test.beforeAll(() => limitWithdrawals('0.05'));
  // A limit cannot be taken away by the sandbox, only put out of reach.
  test.afterAll(() => limitWithdrawals('1000000000'));
}

/** Sets the mid rate of one pair and of its inverse; no other pair follows. */
export async function setRate(from: string, to: string, rate: string): Promise<void> {
  await control('rates', { from, to, rate });
}

/** Everything that is due goes to the network, also what another worker has under way; then a block. */
export async function sendAndMine(): Promise<void> {
  await advance(0);
  await mine();
}

/** What the merchant's own wallet has left. Leads away from the page. */
export async function available(page: Page, code: string): Promise<string> {
  await page.goto('/app/wallets');
  const wallet = page.getByRole('row').filter({
    has: page.getByRole('cell', { name: code, exact: true }),
  });
  return figure(cell(wallet.first(), 'Available'));
}

/** What stands beside a name in a list of facts. */
export function told(page: Page, name: string): Locator {
  const named = page.locator('dt').getByText(name, { exact: true });
  return page.locator('dl > div').filter({ has: named }).locator('dd');
}

/** The status of the one operation a page is about. */
export function pill(page: Page): Locator {
  return page.locator('main .pill');
}

/** What an operation moved, oldest first. */
export function movements(page: Page): Locator {
  return page.getByRole('table', { name: 'Movements' }).locator('tbody tr');
}

/** Takes an address in the page's own form; what comes back is its text. */
export async function takeByHand(
  page: Page,
  reference: string,
  coin = 'BTC',
  into = '',
): Promise<string> {
  await page.goto('/app/addresses');
  await page.getByLabel('Coin').selectOption(coin);
  await page.getByLabel('Exchange into').selectOption(into);
  await page.getByLabel('Reference').fill(reference);
  await page.getByRole('button', { name: 'Take', exact: true }).click();
  await expect(heading(page)).toHaveText(`${coin} address`);
  return (await page.locator('.addr').getAttribute('data-copy')) ?? '';
}

/** Fills in a withdrawal of bitcoin and asks what it would do. */
export async function reviewWithdrawal(
  page: Page,
  amount: string,
  reference: string,
  address = STRANGER,
): Promise<void> {
  await page.goto('/app/withdrawals/new');
  await page.getByLabel('From wallet').selectOption('BTC');
  await page.getByLabel('Amount').fill(amount);
  await page.getByLabel("Receiver's address").fill(address);
  await page.getByLabel('Reference (optional)').fill(reference);
  await page.getByRole('button', { name: 'Review' }).click();
}

/** Asks for a rate in the page's own form and looks at the offer. */
export async function askForRate(page: Page, give: string, from: string, to: string): Promise<void> {
  await page.goto('/app/exchange');
  await page.getByLabel('You send', { exact: true }).selectOption(from);
  await page.getByLabel('Amount you send').fill(give);
  await page.getByLabel('You get', { exact: true }).selectOption(to);
  await page.getByRole('button', { name: 'See the rate' }).click();
  await expect(heading(page)).toHaveText('Review the exchange');
}
