// What people may call themselves, their goods and their shops' addresses must stay text.

import { sessionCookie, signIn } from '../support/accounts';
import { EXAMPLE, createOrder, euros, payableOrder } from '../support/api';
import { expectNoSidewaysScrolling } from '../support/axe';
import { absolute, instance } from '../support/instance';
import { letRateExpire, mine, pay } from '../support/sandbox';
import { expect, test } from '../support/test';

const MARKUP = '"><img src=x onerror=document.title=`x`><script>document.title=`x`</script>';
const BIDI = 'Anna \u202Etxt.exe';
const LONG = 'W'.repeat(255);

for (const [kind, name] of Object.entries({ markup: MARKUP, bidi: BIDI, long: LONG })) {
  test(`${kind} is text wherever it shows`, async ({ page }) => {
    const { id, url, payment } = await payableOrder({
      ...euros('60.00'),
      customer_details: { ...EXAMPLE.customer_details, name, surname: 'Z' },
      items: [{ name, price: '60.00', quantity: 1 }],
      metadata: { note: name },
    });
    await page.setViewportSize({ width: 360, height: 800 });
    await signIn(page);
    const inert = async (path: string) => {
      await page.goto(path);
      await expect.soft(page.locator('img'), path).toHaveCount(0);
      await expect.soft(page.locator('script:not([src])'), path).toHaveCount(0);
      expect.soft(await page.title(), path).toMatch(/^TEST · /);
      await expectNoSidewaysScrolling(page, path);
    };
    await inert(url);
    const shown = page.locator('.items bdi').first();
    if (kind === 'bidi') {
      // Either taken out, or kept to itself so that nothing beside it is turned round.
      await expect(shown).toContainText('Anna');
    } else {
      await expect(shown).toHaveText(name);
    }
    await inert('/app');
    await inert('/app/charges');
    await inert(`/app/charges/${id}`);
    await pay(payment.address, '0.0001');
    await mine();
    await letRateExpire();
    await inert(url);
    await signIn(page);
    await inert('/app/inbox');
    await inert('/app/mailbox');
    await expect(page.locator('article').first()).toBeVisible();
  });
}

test('a cell of an export is never a formula', async () => {
  const name = '=HYPERLINK("https://third.example")';
  const { public_order_id: id } = await createOrder({
    ...EXAMPLE,
    customer_details: { ...EXAMPLE.customer_details, name },
  });
  const cookie = await sessionCookie();
  const csv = await (await fetch(absolute(`/app/charges.csv?q=${id}`), { headers: { cookie } })).text();
  expect(csv).toContain(id);
  expect(csv).toContain("'=HYPERLINK");
  expect(csv).not.toMatch(/(^|[,"])=HYPERLINK/m);
});

test('a way back that is no web address is refused', async () => {
  for (const redirect_url of ['javascript:alert(1)', 'data:text/html,x', 'https://a:b@example.com/', '/x']) {
    const answer = await fetch(absolute('/api/orders'), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${instance().demo.merchant.ex_pk}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ ...EXAMPLE, redirect_url }),
    });
    const body = (await answer.json()) as { errors?: Record<string, string[]> };
    expect(answer.status, redirect_url).toBe(422);
    expect(Object.keys(body.errors ?? {}), redirect_url).toEqual(['redirect_url']);
  }
});

test('nobody can put words on our pages with a link', async ({ page }) => {
  const { checkout_url: url } = await createOrder(EXAMPLE);
  await page.goto(`${url}&notice=Send+your+coins+to+third.example`);
  await expect(page.getByText('third.example')).toHaveCount(0);
  await page.goto('/sign-in?next=https://third.example/app');
  await expect(page.locator('input[name=next]').first()).toHaveValue('/app');
});
