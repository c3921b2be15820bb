// Invoices made by a merchant's program, and the page their customer pays on (contract 30).

import type { Page } from '@playwright/test';

import { postForm } from '../support/api';
import { THEMES, WIDTHS, expectAccessibleEverywhere } from '../support/axe';
import {
  SHOP,
  announcements,
  choose,
  heading,
  noteAnnouncements,
  shortest,
  status,
  untilLive,
} from '../support/checkout';
import { readQr } from '../support/documents';
import { absolute } from '../support/instance';
import {
  createInvoice,
  getInvoice,
  signature,
  type Invoice,
  type InvoiceRequest,
} from '../support/processing';
import { letRateExpire, mine, pay } from '../support/sandbox';
import { expect, test } from '../support/test';
import { expectLight } from '../support/weight';

const BACK: Pick<InvoiceRequest, 'url_success' | 'url_failed'> = {
  url_success: 'https://example.com/thanks?basket=17#done',
  url_failed: 'https://example.com/basket',
};

type Kind = Pick<InvoiceRequest, 'timer' | 'sender_currency'>;

const PICKED_THEN_TIMED: Kind = { timer: false };
const TIMED_THEN_PICKED: Kind = { timer: true };
const ALL_FIXED: Kind = { timer: true, sender_currency: 'BTC' };

/** The types as the contract numbers them. */
const TYPES: [number, Kind][] = [
  [1, PICKED_THEN_TIMED],
  [2, TIMED_THEN_PICKED],
  [3, ALL_FIXED],
];

/** Eight digits after the point, as pages show a bitcoin amount; the API says it as short as it can. */
function asShown(amount: string): string {
  const [whole, digits = ''] = amount.split('.');
  return `${whole}.${digits.padEnd(8, '0')}`;
}

/** Where to pay and how much, once coin and rate are fixed. */
async function due(id: number): Promise<{ invoice: Invoice; address: string; amount: string }> {
  const invoice = await getInvoice(id);
  const { address, sender_amount: short } = invoice;
  if (!address || !short) throw new Error(`invoice ${id} has no coin yet`);
  return { invoice, address, amount: asShown(short) };
}

/** An invoice with everything fixed, and how to pay it. */
async function payable(): Promise<{ url: string; address: string; amount: string }> {
  const { id, url } = await createInvoice(ALL_FIXED);
  const { address, amount } = await due(id);
  return { url, address, amount };
}

function expectNew(type: number, invoice: Invoice): void {
  expect(invoice.url).toMatch(new RegExp(`^${absolute('/invoice/')}[A-Za-z0-9]{6,10}$`));
  expect(invoice.status).toBe(type === 3 ? 'pending' : 'created');
  expect(invoice.address === null, 'an address before a coin').toBe(type !== 3);
  if (type === 1) {
    expect(invoice.seconds_left).toBeNull();
  } else {
    expect((invoice.release_at ?? 0) - (invoice.fixed_at ?? 0)).toBe(900);
  }
}

/** Opens the page and picks the coin where the invoice leaves that to its customer. */
async function openAndPick(page: Page, type: number, invoice: Invoice): Promise<void> {
  await page.goto(invoice.url);
  await expect(heading(page)).toHaveText(`Pay ${SHOP}`);
  await expect(page.locator('.total data')).toHaveAttribute('value', '60.00');
  await expect(page.getByRole('heading', { level: 2, name: invoice.title })).toBeVisible();
  await expect(page.getByText('Delivered to the roastery on Monday.')).toBeVisible();
  if (type !== 3) {
    await expect(status(page)).toHaveText('Choose how you want to pay.');
    await expect(page.locator('.qr')).toHaveCount(0);
    await choose(page, 'BTC');
  }
  await expect(page, 'the form leads back to the page').toHaveURL(invoice.url);
  await expect(status(page)).toHaveText('Waiting for your payment.');
}

/** The page asks for what the API says is due. */
async function expectPayment(page: Page, address: string, amount: string): Promise<void> {
  await expect(page.locator('.due-amount')).toHaveAttribute('data-copy', amount);
  await expect(page.locator('.due-amount')).toHaveText(`${amount} BTC`);
  await expect(page.locator('.addr')).toHaveText(address);
  const link = await page.getByRole('link', { name: 'Open in wallet' }).getAttribute('href');
  const [target, query = ''] = (link ?? '').split('?');
  expect(target).toBe(`bitcoin:${address}`);
  const pairs = new URLSearchParams(query);
  expect(pairs.get('amount')).toBe(shortest(amount));
  expect(pairs.get('label')).toBe(SHOP);
}

test('the published example is signed as published', () => {
  const signed = signature('AbCdEfG123456', '{"currency":"BTC","foreign_id":"123456"}');
  expect(signed).toBe(
    '03c25fcf7cd35e7d995e402cd5d51edd72d48e1471e865907967809a0c189ba5' +
      '5b90815f20e2bb10f82c7a9e9d865546fda58989c2ae9e8e2ff7bc29195fa1ec',
  );
});

for (const [type, kind] of TYPES) {
  test(`an invoice of type ${type} is paid in front of its customer`, async ({ page }) => {
    const created = await createInvoice({ ...kind, ...BACK });
    expectNew(type, created);
    await openAndPick(page, type, created);
    const { invoice, address, amount } = await due(created.id);
    expect(invoice.status).toBe('pending');
    expect(invoice.sender_currency).toBe('BTC');
    expect(invoice.sender_amount).toBe('0.001');
    expect(amount).toBe('0.00100000');
    if (type !== 1) {
      // Who picks a coin does not start the clock again.
      expect(invoice.release_at).toBe(created.release_at);
    }
    await expectPayment(page, address, amount);

    await untilLive(page);
    await expect(page.getByRole('timer')).toHaveText(/1[45]:\d\d/);
    await noteAnnouncements(page);
    const txid = await pay(address, amount);
    const seen = `Payment seen: ${amount} BTC. Waiting for confirmation.`;
    await expect(status(page)).toHaveText(seen);
    await expect(heading(page)).toHaveText('Payment seen');
    await expect(page.locator('.qr')).toHaveCount(0);
    await expect(page.locator('.receipts')).toContainText(txid);
    expect((await getInvoice(created.id)).status).toBe('processing');

    await mine();
    await expect(status(page)).toHaveText('Paid. Thank you.');
    await page.getByRole('button', { name: 'Stay here' }).click();
    await expect(heading(page)).toHaveText('Paid');
    await expect(page).toHaveTitle(`TEST · Paid – ${SHOP}`);
    expect(await announcements(page)).toEqual(['Waiting for your payment.', seen, 'Paid. Thank you.']);
    await expect(page.getByRole('link', { name: `Return to ${SHOP}` })).toHaveAttribute(
      'href',
      BACK.url_success ?? '',
    );
    expect((await getInvoice(created.id)).status).toBe('confirmed');
  });
}

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  async function checkStatus(page: Page): Promise<void> {
    await page.getByRole('link', { name: 'Check status' }).click();
  }

  for (const [type, kind] of TYPES) {
    test(`an invoice of type ${type} is picked, paid and checked`, async ({ page }) => {
      const created = await createInvoice({ ...kind, ...BACK });
      await openAndPick(page, type, created);
      const { address, amount } = await due(created.id);
      await expectPayment(page, address, amount);
      await expect(page.locator('.qr')).toBeVisible();
      await expect(page.getByRole('timer'), 'no countdown that stands still').toHaveText(
        /until \d\d:\d\d UTC$/,
      );
      await expect(page.getByRole('button', { name: /^Copy/ })).toHaveCount(0);

      await pay(address, amount);
      await checkStatus(page);
      await expect(status(page)).toHaveText(
        `Payment seen: ${amount} BTC. Waiting for confirmation.`,
      );
      await mine();
      await checkStatus(page);
      await expect(status(page)).toHaveText('Paid. Thank you.');
      await expect(page.getByText('Returning in')).toHaveCount(0);
      await expect(page.getByRole('link', { name: `Return to ${SHOP}` })).toHaveAttribute(
        'href',
        BACK.url_success ?? '',
      );
      expect((await getInvoice(created.id)).status).toBe('confirmed');
    });
  }

  test('an invoice whose time ran out leads back to the shop, or on at a new rate', async ({ page }) => {
    const { id, url } = await createInvoice({ ...TIMED_THEN_PICKED, ...BACK });
    await postForm(url, { method: 'BTC' });
    const first = await due(id);
    await letRateExpire();
    await page.goto(url);
    await expect(heading(page)).toHaveText('The rate expired');
    await expect(page.locator('.qr')).toHaveCount(0);
    await expect(page.getByRole('link', { name: `Back to ${SHOP}` })).toHaveAttribute(
      'href',
      BACK.url_failed ?? '',
    );
    expect((await getInvoice(id)).status).toBe('failed');

    await page.getByRole('button', { name: 'Get a new rate' }).click();
    await expect(page).toHaveURL(url);
    await expect(status(page)).toHaveText('Waiting for your payment.');
    const second = await due(id);
    expect(second.address, 'always the same address').toBe(first.address);
    await pay(second.address, second.amount);
    await mine();
    await checkStatus(page);
    await expect(status(page)).toHaveText('Paid. Thank you.');
  });
});

for (const colorScheme of THEMES) {
  for (const width of WIDTHS) {
    test(`the code of an invoice is read from the screen, ${colorScheme}, ${width} px`, async ({ page }) => {
      const { url, address, amount } = await payable();
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await page.goto(url);
      const text = await readQr(await page.locator('.qr-card').screenshot());
      expect(text).toBe(`BITCOIN:${address.toUpperCase()}?amount=${shortest(amount)}`);
    });
  }
}

/** How to get an invoice into a state; what comes back is the address of its page. */
const STATES: Record<string, () => Promise<string>> = {
  choosing: async () => (await createInvoice()).url,
  awaiting: async () => (await payable()).url,
  'partly paid': async () => {
    const { url, address } = await payable();
    await pay(address, '0.0004');
    return url;
  },
  seen: async () => {
    const { url, address, amount } = await payable();
    await pay(address, amount);
    return url;
  },
  paid: async () => {
    const { url, address, amount } = await payable();
    await pay(address, amount);
    await mine();
    return url;
  },
  'expired before a coin was picked': async () => {
    const { url } = await createInvoice({ ...TIMED_THEN_PICKED, ...BACK });
    await letRateExpire();
    return url;
  },
};

for (const [state, reach] of Object.entries(STATES)) {
  test(`the page of an invoice is accessible, ${state}`, async ({ page }) => {
    await expectAccessibleEverywhere(page, await reach());
  });
}

for (const [state, kind] of Object.entries({ choosing: PICKED_THEN_TIMED, awaiting: ALL_FIXED })) {
  test(`the first view of an invoice is light (${state})`, async ({ page }) => {
    await expectLight(page, (await createInvoice(kind)).url);
  });
}
