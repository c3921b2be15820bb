// How an open checkout learns what happened when its event stream does not work.

import { euros, payableOrder } from '../support/api';
import { announcements, heading, noteAnnouncements, status, stay, untilLive } from '../support/checkout';
import { pauseClock } from '../support/clock';
import { mine, pay } from '../support/sandbox';
import { expect, test } from '../support/test';

const EVENTS = /\/pay\/[^/]+\/events/;
const STATUS = /\/pay\/[^/]+\/status/;

/** So long the page waits for its stream before it asks. */
const FIRST_QUESTION_MS = 5_000;

test.beforeEach(({ page }) => stay(page));

test('without the event stream the page asks until it knows', async ({ page }) => {
  await page.route(EVENTS, (route) => route.abort());
  await page.clock.install();
  const { url, payment } = await payableOrder(euros('60.00'));
  await page.goto(url);
  await expect(page.locator('.feed')).toContainText('Reconnecting…');
  await noteAnnouncements(page);
  await pay(payment.address, payment.amount);
  await mine();
  await page.clock.fastForward(FIRST_QUESTION_MS);
  await expect(status(page)).toHaveText('Paid. Thank you.');
  await expect(heading(page)).toHaveText('Paid');
  await announcements(page);
});

test('while it asks, the page says when it last knew', async ({ page }) => {
  await page.route(EVENTS, (route) => route.abort());
  await page.clock.install();
  const { url } = await payableOrder(euros('60.00'));
  await page.goto(url);
  await expect(page.locator('.feed')).toContainText('Reconnecting…');
  await page.clock.fastForward(FIRST_QUESTION_MS);
  await expect(page.locator('.feed')).toContainText(/Updated \d\d:\d\d UTC/);
});

for (const event of ['online', 'pageshow', 'visibilitychange']) {
  test(`the page asks at once on ${event}`, async ({ page }) => {
    await page.route(EVENTS, (route) => route.abort());
    await page.clock.install();
    const { url, payment } = await payableOrder(euros('60.00'));
    await page.goto(url);
    await expect(page.locator('.feed')).toContainText('Reconnecting…');
    // From here on no timer of the page fires: what it learns, it learns from the event.
    await pauseClock(page);
    await pay(payment.address, payment.amount);
    await expect(status(page)).toHaveText('Waiting for your payment.');
    const asked = page.waitForRequest(STATUS);
    await page.evaluate((name) => {
      const target = name === 'visibilitychange' ? document : window;
      target.dispatchEvent(new Event(name, { bubbles: true }));
    }, event);
    await asked;
    await expect(status(page)).toContainText('Payment seen');
  });
}

test('the stream comes back after it was cut', async ({ page }) => {
  let cut = true;
  await page.route(EVENTS, (route) => (cut ? route.abort() : route.continue()));
  const { url, payment } = await payableOrder(euros('60.00'));
  await page.goto(url);
  await expect(page.locator('.feed')).toContainText('Reconnecting…');
  cut = false;
  await untilLive(page);
  await page.route(STATUS, (route) => route.abort());
  await pay(payment.address, payment.amount);
  await expect(status(page)).toContainText('Payment seen');
});

test('an answer that comes late does not take the page back', async ({ page }) => {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  let answered = (): void => undefined;
  const early = new Promise<void>((resolve) => (answered = resolve));
  await page.route(STATUS, async (route) => {
    const response = await route.fetch();
    answered();
    await released;
    await route.fulfill({ response });
  });
  const { url, payment } = await payableOrder(euros('60.00'));
  await page.goto(url);
  await untilLive(page);
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  // The server has answered before the payment, and nobody has heard it.
  await early;
  await noteAnnouncements(page);
  await pay(payment.address, payment.amount);
  await expect(status(page)).toContainText('Payment seen');
  const heard = page.waitForResponse(STATUS);
  release();
  await (await heard).finished();
  await mine();
  await expect(status(page)).toHaveText('Paid. Thank you.');
  const waiting = (await announcements(page)).filter((text) => text.startsWith('Waiting'));
  expect(waiting, 'said once, at the beginning').toHaveLength(1);
});

test('the page warns before the rate ends', async ({ page }) => {
  const { url } = await payableOrder(euros('60.00'));
  await page.clock.install();
  await page.goto(url);
  await untilLive(page);
  const timer = page.getByRole('timer');
  await expect(timer).toHaveText(/1[45]:\d\d/);
  await page.clock.fastForward('10:30');
  await expect(status(page)).toHaveText('Waiting for your payment. Less than 5 minutes left.');
  await page.clock.fastForward('03:45');
  await expect(status(page)).toHaveText('Waiting for your payment. Less than 1 minute left.');
});
