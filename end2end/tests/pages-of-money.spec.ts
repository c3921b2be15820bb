// Accessibility of the pages on which a merchant moves money: with something on them, without, and refused.

import { signIn } from '../support/accounts';
import { expectAccessibleAsItStands, expectAccessibleEverywhere } from '../support/axe';
import { heading } from '../support/checkout';
import { instance } from '../support/instance';
import {
  ABOVE_THE_LIMIT,
  STRANGER,
  askForRate,
  limitedWithdrawals,
  reviewWithdrawal,
} from '../support/money';
import { exchangeNow, operations, reference, takeAddress, withdraw } from '../support/processing';
import { advance, mine, pay } from '../support/sandbox';
import { expect, test } from '../support/test';

limitedWithdrawals();

/** A confirmed deposit: its number, and its address's. */
async function deposited(): Promise<{ id: number; addressId: number }> {
  const name = reference('shown');
  const { id: addressId, address } = await takeAddress(name);
  await pay(address, '0.001');
  await mine();
  const [deposit] = await operations(name);
  if (!deposit) throw new Error(`no deposit for ${name}`);
  return { id: deposit.id, addressId };
}

async function withdrawn(amount: string): Promise<string> {
  const { id } = await withdraw(amount, STRANGER, reference('shown'));
  return `/app/withdrawals/${id}`;
}

/** How to get to a page with something on it; what comes back is its path. */
const PAGES: Record<string, () => Promise<string>> = {
  addresses: async () => {
    await deposited();
    return '/app/addresses';
  },
  'addresses, nothing found': async () => '/app/addresses?q=there+is+no+such+address',
  'an address with a deposit': async () => `/app/addresses/${(await deposited()).addressId}`,
  deposits: async () => {
    await deposited();
    return '/app/deposits';
  },
  'deposits, nothing found': async () => '/app/deposits?reference=there+is+no+such+deposit',
  'deposits, a filter that means nothing': async () => '/app/deposits?status=lost',
  'a deposit': async () => `/app/deposits/${(await deposited()).id}`,
  'withdrawals with a queue': async () => {
    await withdrawn(ABOVE_THE_LIMIT);
    return '/app/withdrawals';
  },
  'a withdrawal under way': async () => withdrawn('0.001'),
  'a withdrawal that waits for a decision': async () => withdrawn(ABOVE_THE_LIMIT),
  'the form of a withdrawal': async () => '/app/withdrawals/new',
  'the form of an exchange': async () => {
    await exchangeNow('0.001', 'BTC', 'EUR');
    return '/app/exchange';
  },
  exchanges: async () => {
    await exchangeNow('0.001', 'BTC', 'EUR');
    return '/app/exchanges';
  },
  'an exchange': async () => `/app/exchanges/${await exchangeNow('0.001', 'BTC', 'EUR')}`,
};

/** Pages on which the second merchant has nothing. */
const EMPTY = ['/app/addresses', '/app/deposits', '/app/withdrawals', '/app/exchange', '/app/exchanges'];

test.describe('accessibility', () => {
  for (const [what, reach] of Object.entries(PAGES)) {
    test(what, async ({ page }) => {
      await signIn(page);
      await expectAccessibleEverywhere(page, await reach());
    });
  }

  for (const path of EMPTY) {
    test(`${path}, nothing yet`, async ({ page }) => {
      await signIn(page, instance().demo.merchant2);
      await page.goto(path);
      await expect(page.locator('main .empty')).toBeVisible();
      await expectAccessibleAsItStands(page, path);
    });
  }

  test('the review of a withdrawal above the limit', async ({ page }) => {
    await signIn(page);
    await reviewWithdrawal(page, ABOVE_THE_LIMIT, reference('reviewed'));
    await expect(heading(page)).toHaveText('Review the withdrawal');
    await expectAccessibleAsItStands(page, 'review');
  });

  test('a refused withdrawal', async ({ page }) => {
    await signIn(page);
    await reviewWithdrawal(page, '0.01', reference('refused'), 'nowhere');
    await expect(page.getByRole('alert')).toBeVisible();
    await expectAccessibleAsItStands(page, 'refused withdrawal');
  });

  test('an offer, and the same when it is over', async ({ page }) => {
    await signIn(page);
    await askForRate(page, '0.001', 'BTC', 'EUR');
    const { pathname } = new URL(page.url());
    await expectAccessibleEverywhere(page, pathname);
    await advance(61);
    await page.goto(pathname);
    await expect(page.getByText('This rate does not stand any more; nothing was exchanged.')).toBeVisible();
    await expectAccessibleAsItStands(page, `${pathname}, over`);
  });
});
