// The other rooms of the dashboard, the operator's, and the public pages beside the checkout.

import { signIn } from '../support/accounts';
import { payableOrder, euros } from '../support/api';
import {
  expectAccessible,
  expectAccessibleAsItStands,
  expectAccessibleEverywhere,
} from '../support/axe';
import { absolute, instance } from '../support/instance';
import { mailsAbout } from '../support/mailbox';
import { STRANGER } from '../support/money';
import { reference, signature, takeAddress } from '../support/processing';
import { letRateExpire, mine, pay } from '../support/sandbox';
import { expect, test } from '../support/test';

const MERCHANTS = [
  '/app/invoices',
  '/app/invoices/new',
  '/app/futures',
  '/app/rates',
  '/app/keys',
  '/app/callbacks',
  '/app/deliveries',
  '/app/terminal',
  '/app/settings',
];

const OPERATORS = [
  '/app/operate/house',
  '/app/operate/suspense',
  '/app/operate/merchants',
  '/app/operate/currencies',
  '/app/operate/currencies/BTC',
  '/app/operate/rates',
  '/app/operate/payouts',
  '/app/operate/treasury',
  '/app/operate/treasury?state=paid&chain=ETH&kind=sweep',
  '/app/operate/chains',
  '/app/operate/chains/BTC',
  '/app/operate/audit',
  '/app/operate/system',
];

for (const path of ['/coins', '/fees', '/terminal', '/refund/unknown']) {
  test(`public page ${path}`, async ({ page }) => {
    await expectAccessibleEverywhere(page, path);
  });
}

for (const path of MERCHANTS) {
  test(`merchant's page ${path}`, async ({ page }) => {
    await signIn(page);
    await expectAccessibleEverywhere(page, path);
  });
}

for (const path of OPERATORS) {
  test(`operator's page ${path}`, async ({ page }) => {
    await signIn(page, instance().demo.admin);
    await expectAccessibleEverywhere(page, path);
  });
}

test('the delivery log with something in it', async ({ page }) => {
  const { payment } = await payableOrder({
    ...euros('60.00'),
    webhook_url: 'http://127.0.0.1:9/a-receiver-that-is-never-there',
  });
  await pay(payment.address, payment.amount);
  await mine();
  await signIn(page);
  await expect(async () => {
    // The page stands still, and somebody has to try first.
    await page.goto('/app/deliveries');
    await expect(page.getByRole('button', { name: /^Redeliver/ }).first()).toBeVisible({ timeout: 2_000 });
  }).toPass();
  await expectAccessibleAsItStands(page, 'deliveries with something in it');
});

test('a key pair is shown once', async ({ page }) => {
  await signIn(page);
  await page.goto('/app/keys');
  await page.getByLabel('Name').fill(reference('till'));
  await page.getByRole('button', { name: 'Make the pair' }).click();
  await expect(page.locator('h1')).toHaveText('Your new key pair');
  await expectAccessible(page, 'key pair made');
});

test('terms are changed after a look at what changes, with a reason', async ({ page }) => {
  await signIn(page, instance().demo.admin);
  await page.goto('/app/operate/currencies/tBTC');
  const input = page.locator('main form input[type=text]').first();
  const before = await input.inputValue();
  await input.fill('2');
  await page.getByRole('button', { name: 'Review' }).click();
  await expectAccessible(page, 'review of terms');
  await page.getByLabel('Reason').fill('The network is busy');
  await page.getByRole('button', { name: 'Save the change' }).click();
  await page.goto('/app/operate/audit');
  await expect(page.getByText('The network is busy').first()).toBeVisible();
  await page.goto('/app/operate/currencies/tBTC');
  await expect(input).not.toHaveValue(before);
});

test('a limit of a merchant is set after a look at what changes, and lifted', async ({ page }) => {
  const { admin, merchant } = instance().demo;
  const path = `/app/operate/merchants/${merchant.id}`;
  await signIn(page, admin);
  for (const [limit, shown] of [
    ['0.5', '0.5 of the currency'],
    ['', 'no limit'],
  ] as const) {
    await page.goto(path);
    await expectAccessible(page, 'terms of a merchant');
    await page.getByLabel('One withdrawal needs an approval above').fill(limit);
    await page.getByRole('button', { name: 'Review' }).click();
    await expect(page.getByRole('cell', { name: shown }).last()).toBeVisible();
    await page.getByLabel('Reason').fill('Agreed by mail');
    await page.getByRole('button', { name: 'Save the change' }).click();
    await expect(page.locator('h1')).toHaveText('Merchants');
  }
});

/** The address of a terminal's page, as a merchant's program signs it. */
function terminalLink(wish: object): string {
  const { merchant } = instance().demo;
  const text = JSON.stringify({ client_id: merchant.id, ...wish });
  const { private: key } = merchant.key_pair;
  const query = new URLSearchParams({
    data: Buffer.from(text).toString('base64'),
    signature: signature(key, text),
  });
  return `/terminal?${query}`;
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled });

    test('the terminal follows its deposit', async ({ page }) => {
      const name = reference('terminal');
      await page.goto(terminalLink({ currency: 'BTC', foreign_id: name, amount: '0.001' }));
      await expect(page.getByRole('status')).toHaveText('Waiting for your payment.');
      const { address } = await takeAddress(name);
      await expect(page.locator(`[data-copy="${address}"]`).first()).toBeVisible();
      const look = async () => {
        if (!javaScriptEnabled) await page.getByRole('link', { name: 'Check status' }).click();
      };
      await pay(address, '0.001');
      await look();
      await expect(page.getByRole('status')).toHaveText(/^Payment seen: 0.00100000 BTC/);
      await mine();
      await look();
      await expect(page.getByRole('status')).toHaveText('Paid: 0.00100000 BTC. Thank you.');
      if (javaScriptEnabled) await expectAccessible(page, 'terminal, paid');
    });

    test('a mailed link takes an address for a refund, once', async ({ page }) => {
      const { id, payment } = await payableOrder(euros('60.00'));
      await pay(payment.address, '0.0005');
      await mine();
      await letRateExpire();
      const [mail] = await mailsAbout(id);
      const link = /^http\S*\/refund\/\S+$/m.exec(mail?.text ?? '')?.[0] ?? '';
      expect(link).not.toBe('');
      const path = new URL(link).pathname;
      await page.goto(path);
      await expect(page.locator('h1')).toHaveText('Get your money back');
      await page.getByLabel('Your address for the refund').fill('nowhere');
      await page.getByRole('button', { name: 'Review' }).click();
      await expect(page.getByRole('alert')).toBeVisible();
      await page.getByLabel('Your address for the refund').fill(STRANGER);
      await page.getByRole('button', { name: 'Review' }).click();
      await expect(page.locator('h1')).toHaveText('Check the address');
      await page.getByRole('button', { name: 'Request refund' }).click();
      await expect(page.locator('h1')).toHaveText('Refund requested');
      if (javaScriptEnabled) await expectAccessibleEverywhere(page, path);
    });

    test('an invoice is written by hand, and its customer finds it', async ({ page }) => {
      await signIn(page);
      await page.goto('/app/invoices/new');
      await page.getByLabel('Name').first().fill('Inga Berzina');
      await page.getByRole('button', { name: 'Add line' }).click();
      const lines = page.locator('main fieldset');
      await expect(lines.nth(1)).toBeVisible();
      await page.getByLabel('Description').first().fill('Roasting, one day');
      await page.getByLabel('Unit price').first().fill('80.00');
      await page.getByLabel('Description').nth(1).fill('Beans');
      await page.getByLabel('Unit price').nth(1).fill('20.00');
      await page.getByRole('button', { name: 'Create', exact: false }).first().click();
      await expect(page).toHaveURL(/\/app\/invoices\/[A-Za-z0-9]+\?notice=invoice-made/);
      const link = await page.locator('main a[href*="/invoice/"]').first().getAttribute('href');
      await page.goto(new URL(link ?? '', absolute('/')).pathname);
      await expect(page.getByText('Roasting, one day')).toBeVisible();
      await expect(page.locator('.items .sum')).toContainText('100.00');
    });
  });
}
