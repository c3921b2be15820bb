// Coming in and going out.

import { sessionCookie, forget, signIn } from '../support/accounts';
import { heading } from '../support/checkout';
import { absolute, instance } from '../support/instance';
import { expect, test } from '../support/test';

import type { Page } from '@playwright/test';

async function fill(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

test('a wrong password and an unknown address are told alike', async ({ page }) => {
  const { merchant } = instance().demo;
  const refusals: string[] = [];
  for (const email of [merchant.email, 'nobody@example.com']) {
    await page.goto('/sign-in');
    await fill(page, email, 'not the password');
    const alert = page.getByRole('alert');
    await expect(alert).toContainText('E-mail or password is wrong');
    await expect(page).toHaveTitle(/Error: Sign in/);
    await expect(page.getByLabel('E-mail')).toHaveValue(email);
    await expect(page.getByLabel('Password')).toHaveValue('');
    refusals.push(await alert.innerText());
  }
  expect(refusals[0]).toBe(refusals[1]);
});

test('signing in leads to the page that was asked for', async ({ page }) => {
  const { merchant } = instance().demo;
  await page.goto('/app/charges?status=paid&q=a');
  await expect(page).toHaveURL(/\/sign-in\?next=/);
  await fill(page, merchant.email, merchant.password);
  await expect(page).toHaveURL(absolute('/app/charges?status=paid&q=a'));
  await expect(heading(page)).toHaveText('Charges');
});

test('the keyboard is enough to come in', async ({ page }) => {
  const { merchant2 } = instance().demo;
  await page.goto('/sign-in');
  const focused = page.locator(':focus');
  for (let step = 0; step < 10; step += 1) {
    await page.keyboard.press('Tab');
    if ((await focused.getAttribute('name')) === 'email') break;
  }
  await page.keyboard.type(merchant2.email);
  await page.keyboard.press('Tab');
  await expect(page.getByLabel('Password')).toBeFocused();
  await page.keyboard.type(merchant2.password);
  await page.keyboard.press('Enter');
  await expect(heading(page)).toHaveText('Home');
  await expect(page.locator('.whose')).toContainText(merchant2.email);
});

test('signing out ends the session, not only the cookie', async ({ page, context }) => {
  forget();
  await signIn(page);
  const cookie = await sessionCookie();
  await page.goto('/app');
  await page.getByRole('button', { name: 'Sign out' }).click();
  forget();
  expect(await context.cookies()).toEqual([]);
  await page.goto('/app');
  await expect(page).toHaveURL(/\/sign-in/);
  const stolen = await fetch(absolute('/app'), { headers: { cookie }, redirect: 'manual' });
  expect(stolen.status).toBe(303);
  expect(stolen.headers.get('location')).toMatch(/^\/sign-in/);
});

test('test mode offers its log-ins and says what it is', async ({ page }) => {
  await page.goto('/sign-in');
  await expect(page.locator('.test-bar')).toContainText('Test mode');
  await page.getByRole('button', { name: 'Sign in as manager' }).click();
  await expect(heading(page)).toHaveText('Home');
  await expect(page.locator('.whose')).toContainText(instance().demo.manager.email);
});
