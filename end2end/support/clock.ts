// The clock of a page, once a test has taken it with `clock.install`.

import { expect, type Page } from '@playwright/test';

/**
 * No timer fires any more in the pages of this context. The clock goes on while it is asked for: should it be past
 * that moment, it is asked again.
 */
export async function pauseClock(page: Page): Promise<void> {
  await expect(async () => {
    const now = await page.evaluate(() => Date.now());
    await page.clock.pauseAt(now + 1000);
  }).toPass();
}
