// Every page in light and dark, narrow and wide: axe, one h1, no sideways scrolling; and the keyboard
// where it matters most (ux §3).

import { signIn } from '../support/accounts';
import {
  EXAMPLE,
  cancelOrder,
  createOrder,
  euros,
  payableOrder,
} from '../support/api';
import { expectAccessible, expectAccessibleEverywhere } from '../support/axe';
import { add, heading, untilLive } from '../support/checkout';
import { doubleSpend, letRateExpire, mine, pay } from '../support/sandbox';
import { expect, test } from '../support/test';

const AWAITING_AMOUNT = euros('149.98');

/** How to get an order into a state; what comes back is the address of its page. */
const STATES: Record<string, () => Promise<string>> = {
  choosing: async () => (await createOrder(EXAMPLE)).checkout_url,
  awaiting: async () => (await payableOrder(AWAITING_AMOUNT)).url,
  'partly paid': async () => {
    const { url, payment } = await payableOrder(AWAITING_AMOUNT);
    await pay(payment.address, '0.001');
    return url;
  },
  seen: async () => {
    const { url, payment } = await payableOrder(AWAITING_AMOUNT);
    await pay(payment.address, payment.amount);
    return url;
  },
  confirming: async () => {
    const { url, payment } = await payableOrder(euros('12000.00'));
    await pay(payment.address, payment.amount);
    await mine();
    return url;
  },
  paid: async () => {
    const { url, payment } = await payableOrder(AWAITING_AMOUNT);
    await pay(payment.address, payment.amount);
    await mine();
    return url;
  },
  overpaid: async () => {
    const { url, payment } = await payableOrder(AWAITING_AMOUNT);
    await pay(payment.address, add(payment.amount, '0.001'));
    await mine();
    return url;
  },
  cancelled: async () => {
    const { id, url } = await payableOrder(AWAITING_AMOUNT);
    await cancelOrder(id);
    return url;
  },
  expired: async () => {
    const { url } = await payableOrder(AWAITING_AMOUNT);
    await letRateExpire();
    return url;
  },
  'underpaid, time is up': async () => {
    const { url, payment } = await payableOrder(AWAITING_AMOUNT);
    await pay(payment.address, '0.001');
    await mine();
    await letRateExpire();
    return url;
  },
  late: async () => {
    const { url, payment } = await payableOrder(AWAITING_AMOUNT);
    await letRateExpire();
    await pay(payment.address, '0.001');
    await mine();
    return url;
  },
  failed: async () => {
    const { url, payment } = await payableOrder(AWAITING_AMOUNT);
    const txid = await pay(payment.address, payment.amount);
    await letRateExpire();
    await doubleSpend(txid);
    return url;
  },
};

for (const [state, reach] of Object.entries(STATES)) {
  test(`checkout, ${state}`, async ({ page }) => {
    await expectAccessibleEverywhere(page, await reach());
  });
}

test('checkout, a refused form', async ({ page }) => {
  const { url, payment } = await payableOrder(AWAITING_AMOUNT);
  await pay(payment.address, add(payment.amount, '0.001'));
  await mine();
  await page.goto(url);
  await page.getByLabel('Your address for the refund').fill('nowhere');
  await page.getByRole('button', { name: 'Request refund' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expectAccessibleEverywhere(page, page.url());
});

for (const path of ['/', '/sign-in', '/nowhere', '/pay/EX-AAAAAAAAAA']) {
  test(`public page ${path}`, async ({ page }) => {
    await expectAccessibleEverywhere(page, path);
  });
}

test('sign-in, refused', async ({ page }) => {
  await page.goto('/sign-in');
  await page.getByLabel('E-mail').fill('nobody@example.com');
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expectAccessible(page, 'sign-in, refused');
});

const DASHBOARD = [
  '/app',
  '/app?days=7&currency=EUR',
  '/app/charges',
  '/app/charges?status=paid&currency=EUR&limit=50',
  '/app/charges?q=there+is+no+such+charge',
  '/app/charges?from=yesterday',
  '/app/wallets',
  '/app/inbox',
  '/app/faucet',
  '/app/mailbox',
  '/app/nowhere',
];

test.describe('dashboard', () => {
  test.beforeAll(async () => {
    // Something to show: paid, short and open.
    await STATES.paid?.();
    await STATES['underpaid, time is up']?.();
    await STATES.awaiting?.();
  });

  for (const path of DASHBOARD) {
    test(path, async ({ page }) => {
      await signIn(page);
      await expectAccessibleEverywhere(page, path);
    });
  }

  test('a charge with everything on its page', async ({ page, receiver }) => {
    const metadata = { basket: 'A-17', note: 'x'.repeat(200) };
    const request = euros('149.98', { webhook_url: receiver.url('/hook'), metadata });
    const { id, payment } = await payableOrder(request);
    await pay(payment.address, add(payment.amount, '0.001'));
    await mine();
    await receiver.atLeast(1, '/hook');
    await signIn(page);
    await expectAccessibleEverywhere(page, `/app/charges/${id}`);
    await page.locator('details').evaluateAll((all) => {
      for (const one of all) (one as HTMLDetailsElement).open = true;
    });
    await expectAccessible(page, 'everything unfolded');
  });

  test('a charge that can be accepted or refunded', async ({ page }) => {
    const url = new URL(await (STATES['underpaid, time is up']?.() ?? ''));
    await signIn(page);
    await expectAccessibleEverywhere(page, url.pathname.replace('/pay/', '/app/charges/'));
  });

  test('a statement', async ({ page }) => {
    await signIn(page);
    await page.goto('/app/wallets');
    const euro = page.getByRole('row').filter({ hasText: 'EUR' }).getByRole('link');
    await expectAccessibleEverywhere(page, (await euro.getAttribute('href')) ?? '');
  });

  test('the narrow menu', async ({ page }) => {
    await signIn(page);
    await page.setViewportSize({ width: 360, height: 800 });
    await page.goto('/app');
    await page.locator('.menu summary').click();
    await expect(page.getByRole('navigation', { name: 'Menu' })).toBeVisible();
    await expectAccessible(page, 'menu open');
  });
});

test('the keyboard meets the parts of a payment in the order of paying', async ({ page }) => {
  const { url } = await payableOrder(AWAITING_AMOUNT);
  await page.goto(url);
  await untilLive(page);
  const met: string[] = [];
  for (let step = 0; step < 8; step += 1) {
    await page.keyboard.press('Tab');
    const name = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const label = element.querySelector('title')?.textContent ?? element.innerText;
      return label.replace(/\s+/g, ' ').trim();
    });
    met.push(name);
  }
  expect(met[0]).toMatch(/^Skip/);
  expect(met[1]).toMatch(/^Copy amount/);
  expect(met[2]).toMatch(/QR code: pay/);
  expect(met[3]).toBe('Open in wallet');
  expect(met[4]).toMatch(/^Copy address/);
  expect(met[5]).toBe('Pay another way');
  expect(met[6]).toBe('Cancel this order');
  expect(met[7]).toBe('Check status');
});

test('the skip link leads to the content', async ({ page }) => {
  await page.goto('/sign-in');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('main')).toBeFocused();
});

test('nothing moves for who asked for less motion', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const { url, payment } = await payableOrder(AWAITING_AMOUNT);
  await pay(payment.address, payment.amount);
  await mine();
  await page.goto(url);
  await expect(heading(page)).toHaveText('Paid');
  const moving = await page.evaluate(() => document.getAnimations().length);
  expect(moving).toBe(0);
});

test('the parts to press are large enough', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 800 });
  await page.goto((await payableOrder(AWAITING_AMOUNT)).url);
  await untilLive(page);
  const small = await page.locator('main button, main a.btn, main a.btn-2, main summary').evaluateAll(
    (elements) =>
      elements
        .map((element) => ({ text: element.textContent, box: element.getBoundingClientRect() }))
        .filter(({ box }) => box.height > 0 && (box.height < 24 || box.width < 24))
        .map(({ text }) => text),
  );
  expect(small).toEqual([]);
  const primary = await page.getByRole('link', { name: 'Open in wallet' }).boundingBox();
  expect(primary?.height).toBeGreaterThanOrEqual(44);
});

test('amount, code and wallet button fit the first screen of a phone', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 640 });
  await page.goto((await payableOrder(AWAITING_AMOUNT)).url);
  for (const part of [page.locator('.due-amount'), page.locator('.qr-card'), page.locator('a.btn').first()]) {
    const box = await part.boundingBox();
    expect.soft((box?.y ?? 0) + (box?.height ?? 0), await part.innerText()).toBeLessThanOrEqual(640);
  }
});
