// What the first view of a checkout costs a customer (ux §3).

import { EXAMPLE, chooseMethod, createOrder } from '../support/api';
import { expect, test } from '../support/test';
import { expectLight } from '../support/weight';

for (const state of ['choosing', 'awaiting']) {
  test(`the first view of the checkout is light (${state})`, async ({ page }) => {
    const { checkout_url: url } = await createOrder(EXAMPLE);
    if (state === 'awaiting') await chooseMethod(url);
    await expectLight(page, url);
  });
}

test('pages without islands fetch no script at all', async ({ page }) => {
  const scripts: string[] = [];
  page.on('request', (request) => {
    if (request.resourceType() === 'script') scripts.push(request.url());
  });
  for (const path of ['/', '/sign-in', '/pay/EX-AAAAAAAAAA']) {
    await page.goto(path);
  }
  expect(scripts).toEqual([]);
});
