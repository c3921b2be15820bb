// What pages tell whom: policies and headers, cookies, tokens, and codes of others.

import type { Page } from '@playwright/test';

import { sessionCookie, signIn } from '../support/accounts';
import { EXAMPLE, createOrder, euros, payableOrder } from '../support/api';
import { heading, untilLive } from '../support/checkout';
import { absolute, instance } from '../support/instance';
import { mine, pay } from '../support/sandbox';
import { expect, test } from '../support/test';

const UNKNOWN = 'EX-AAAAAAAAAA';

async function get(path: string, cookie = ''): Promise<Response> {
  return fetch(absolute(path), { headers: cookie ? { cookie } : {}, redirect: 'manual' });
}

test.describe('content security policy', () => {
  /** Reports each refusal of the policy to the test. */
  async function watchPolicy(page: Page): Promise<string[]> {
    const refused: string[] = [];
    await page.exposeFunction('noteRefusal', (text: string) => refused.push(text));
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        const note = (window as unknown as { noteRefusal(text: string): void }).noteRefusal;
        note(`${event.violatedDirective} ${event.blockedURI}`);
      });
    });
    return refused;
  }

  test('no page runs into it', async ({ page }) => {
    const refused = await watchPolicy(page);
    const { id, url, payment } = await payableOrder(EXAMPLE);
    await signIn(page);
    for (const path of [
      '/',
      '/pay/EX-AAAAAAAAAA',
      '/app',
      '/app/charges',
      `/app/charges/${id}`,
      '/app/wallets',
      '/app/inbox',
      '/app/faucet',
      '/app/mailbox',
    ]) {
      await page.goto(path);
    }
    await page.goto(url);
    await untilLive(page);
    await pay(payment.address, payment.amount);
    await mine();
    await expect(heading(page)).toHaveText('Paid');
    expect(refused).toEqual([]);
  });

  test.describe('in force', () => {
    // The refusal is what this test wants to see, also on the console.
    test('nothing inline runs', async ({ browser }) => {
      const context = await browser.newContext();
      const page = await context.newPage();
      const refused = await watchPolicy(page);
      await page.goto((await createOrder(EXAMPLE)).checkout_url);
      const ran = await page.evaluate(() => {
        const script = document.createElement('script');
        script.textContent = 'window.ran = true';
        document.body.append(script);
        const image = document.createElement('img');
        image.setAttribute('onerror', 'window.ran = true');
        image.src = 'https://third.example/pixel';
        document.body.append(image);
        return (window as unknown as { ran?: boolean }).ran ?? false;
      });
      await expect.poll(() => refused.map((text) => text.split(/[ -]/)[0]).sort()).toContain('img');
      await expect.poll(() => refused.map((text) => text.split(/[ -]/)[0]).sort()).toContain('script');
      expect(ran).toBe(false);
      await context.close();
    });
  });
});

test.describe('headers', () => {
  async function expectHeaders(path: string, expected: Record<string, string | RegExp | null>, cookie = '') {
    const answer = await get(path, cookie);
    await answer.arrayBuffer();
    const everywhere = { 'x-content-type-options': 'nosniff' };
    for (const [name, value] of Object.entries({ ...everywhere, ...expected })) {
      const found = answer.headers.get(name);
      const what = `${name} of ${path}`;
      if (value === null) expect.soft(found, what).toBeNull();
      else if (typeof value === 'string') expect.soft(found, what).toBe(value);
      else expect.soft(found ?? '', what).toMatch(value);
    }
    const policy = answer.headers.get('content-security-policy') ?? '';
    for (const part of [
      "default-src 'none'",
      "script-src 'self' 'wasm-unsafe-eval'",
      "object-src 'none'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
      "form-action 'self'",
    ]) {
      expect.soft(policy.split('; '), path).toContain(part);
    }
    expect.soft(policy, path).not.toMatch(/unsafe-inline|'unsafe-eval'/);
  }

  test('pages with a token in their address', async () => {
    const { url } = await payableOrder(EXAMPLE);
    const { pathname, search } = new URL(url);
    const kept = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' };
    await expectHeaders(`${pathname}${search}`, { ...kept, 'content-type': /^text\/html/ });
    await expectHeaders(`${pathname}/status${search}`, { ...kept, 'content-type': /^application\/json/ });
    await expectHeaders(`${pathname}/receipt${search}`, { ...kept, 'content-type': 'application/pdf' });
    await expectHeaders(`/pay/${UNKNOWN}`, { ...kept, 'content-type': /^text\/html/ });
  });

  test('the event stream', async () => {
    const { pathname, search } = new URL((await payableOrder(EXAMPLE)).url);
    const stream = await get(`${pathname}/events${search}`);
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    expect(stream.headers.get('cache-control')).toBe('no-store');
    expect(stream.headers.get('referrer-policy')).toBe('no-referrer');
    await stream.body?.cancel();
  });

  test('the dashboard', async () => {
    const cookie = await sessionCookie();
    const kept = { 'cache-control': 'no-store', 'referrer-policy': /same-origin|no-referrer/ };
    for (const path of ['/app', '/app/charges', '/app/charges.csv', '/app/wallets', '/app/inbox']) {
      await expectHeaders(path, kept, cookie);
      // Signed out, the answer tells where somebody wanted to go.
      await expectHeaders(path, { 'cache-control': 'no-store', location: /^\/sign-in\?next=/ });
    }
    await expectHeaders('/sign-in', { 'cache-control': 'no-store' });
  });

  test('files may be kept, answers of the API may not', async () => {
    for (const path of ['/boot.js', '/pkg/pay.css', '/pkg/exchequer.css', '/pkg/exchequer.wasm', '/favicon.svg']) {
      await expectHeaders(path, { 'cache-control': /^(?!.*no-store).+/ });
    }
    await expectHeaders('/api/orders', { 'cache-control': 'no-store' });
    await expectHeaders('/pkg/exchequer.wasm', { 'content-type': 'application/wasm' });
  });
});

test.describe('cookies', () => {
  test('customers get none', async ({ page, context }) => {
    const { url, payment } = await payableOrder(EXAMPLE);
    await page.goto(url);
    await untilLive(page);
    await pay(payment.address, payment.amount);
    await mine();
    await expect(heading(page)).toHaveText('Paid');
    await page.goto('/');
    expect(await context.cookies()).toEqual([]);
    const stored = await page.evaluate(() => localStorage.length + sessionStorage.length);
    expect(stored).toBe(0);
  });

  test('a session is kept from scripts and from other sites', async ({ page, context }) => {
    const { merchant } = instance().demo;
    await page.goto('/sign-in');
    await page.getByLabel('E-mail').fill(merchant.email);
    await page.getByLabel('Password').fill(merchant.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await expect(heading(page)).toHaveText('Home');
    const cookies = await context.cookies();
    expect(cookies).toHaveLength(1);
    expect(cookies[0]).toMatchObject({ path: '/', httpOnly: true, sameSite: 'Lax' });
    // Without https there is nothing `Secure` could mean.
    expect(cookies[0]?.secure).toBe(false);
    expect(cookies[0]?.value.length).toBeGreaterThanOrEqual(40);
    expect(await page.evaluate(() => document.cookie)).toBe('');
  });

  test('a form from another site does nothing', async () => {
    const { id } = await payableOrder(EXAMPLE);
    const cookie = await sessionCookie();
    const forged = (headers: Record<string, string>) =>
      fetch(absolute(`/app/charges/${id}/cancel`), {
        method: 'POST',
        headers: { cookie, ...headers },
        body: new URLSearchParams(),
        redirect: 'manual',
      });
    const answers = [
      await forged({ 'sec-fetch-site': 'cross-site' }),
      await forged({ 'sec-fetch-site': 'same-site' }),
      await forged({ origin: 'https://third.example' }),
      await forged({ origin: 'null' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    const page = await (await get(`/app/charges/${id}`, cookie)).text();
    expect(page).toContain('Yes, cancel the charge');
  });
});

test.describe('without the token', () => {
  const SECRETS = ['Inga', 'Berzina', 'inga@inbox.lv', '+3712000000'];

  test('the page takes a payment and tells nothing about the customer', async ({ page }) => {
    const { public_order_id: id } = await createOrder(EXAMPLE);
    await page.goto(`/pay/${id}`);
    await page.locator('input[name=method][value=BTC]').check();
    await page.getByRole('button', { name: 'Continue' }).click();
    await untilLive(page);
    await expect(page).toHaveURL(absolute(`/pay/${id}`));
    const address = await page.locator('.addr').getAttribute('data-copy');
    const amount = await page.locator('.due-amount').getAttribute('data-copy');
    await pay(address ?? '', amount ?? '');
    await mine();
    await expect(heading(page)).toHaveText('Paid');
    await expect(page.getByRole('link', { name: 'Receipt (PDF)' })).toHaveCount(0);

    for (const path of [`/pay/${id}`, `/pay/${id}/status`]) {
      const answer = await get(path);
      expect(answer.status).toBe(200);
      const text = await answer.text();
      for (const secret of SECRETS) expect(text, path).not.toContain(secret);
      expect(text, `${path} does not give the token away`).not.toMatch(/[?&]t=/);
    }
    expect((await get(`/pay/${id}/receipt`)).status).toBe(404);
  });

  test('not even with it are e-mail and phone on the page', async () => {
    const { checkout_url: url } = await createOrder(EXAMPLE);
    const text = await (await fetch(url)).text();
    expect(text).toContain('Inga Berzina');
    expect(text).not.toContain('inga@inbox.lv');
    expect(text).not.toContain('+3712000000');
  });

  test('a refund address is taken from nobody else', async () => {
    const { id, url, payment } = await payableOrder(euros('60.00'));
    await pay(payment.address, '0.002');
    await mine();
    const address = (await payableOrder(euros('60.00'))).payment.address;
    expect(await (await get(`/pay/${id}`)).text()).not.toContain('name="refund_address"');
    const answer = await fetch(absolute(`/pay/${id}`), {
      method: 'POST',
      body: new URLSearchParams({ refund_address: address }),
      redirect: 'manual',
    });
    expect(answer.status).toBe(404);
    expect(await (await fetch(url)).text()).not.toContain(address);
  });
});

test.describe('unknown and foreign codes look the same', () => {
  async function expectSame(paths: string[], cookie = '') {
    const answers = await Promise.all(paths.map((path) => get(path, cookie)));
    const seen = await Promise.all(
      answers.map(async (answer) => {
        const headers = [...answer.headers].filter(([name]) => !['date', 'x-request-id'].includes(name));
        return { status: answer.status, headers, body: await answer.text() };
      }),
    );
    for (const [at, one] of seen.entries()) {
      expect(one.status, paths[at]).toBe(404);
      expect(one, paths[at]).toEqual(seen[0]);
    }
  }

  test('on the checkout', async () => {
    const { public_order_id: id } = await createOrder(EXAMPLE);
    const wrong = 'A'.repeat(22);
    await expectSame([`/pay/${UNKNOWN}`, `/pay/${id}?t=${wrong}`, `/pay/${UNKNOWN}?t=${wrong}`, '/pay/x']);
    await expectSame([
      `/pay/${UNKNOWN}/receipt?t=${wrong}`,
      `/pay/${id}/receipt?t=${wrong}`,
      `/pay/${id}/receipt`,
      `/pay/${id}/status?t=${wrong}`,
      `/pay/${id}/events?t=${wrong}`,
    ]);
  });

  test('in the dashboard', async () => {
    const { merchant2 } = instance().demo;
    const { public_order_id: foreign } = await createOrder(EXAMPLE, merchant2.ex_pk);
    const cookie = await sessionCookie();
    await expectSame([`/app/charges/${UNKNOWN}`, `/app/charges/${foreign}`, '/app/charges/x'], cookie);
    const wallets = await (await get('/app/wallets', await sessionCookie(merchant2))).text();
    const wallet = /\/app\/wallets\/\d+/.exec(wallets)?.[0] ?? '';
    expect(wallet).not.toBe('');
    await expectSame([wallet, '/app/wallets/999999999', '/app/wallets/x'], cookie);
  });

  test('in the API', async () => {
    const { merchant, merchant2 } = instance().demo;
    const { public_order_id: foreign } = await createOrder(EXAMPLE, merchant2.ex_pk);
    const ask = async (id: string) => {
      const answer = await fetch(absolute(`/api/orders/${id}`), {
        headers: { authorization: `Bearer ${merchant.ex_pk}` },
      });
      return { status: answer.status, body: await answer.text() };
    };
    const unknown = await ask(UNKNOWN);
    expect(unknown.status).toBe(404);
    expect(await ask(foreign)).toEqual(unknown);
  });
});
