import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export const THEMES = ['light', 'dark'] as const;
export const WIDTHS = [360, 1280] as const;

/** A page that was just paid leaves for the shop 10 seconds after it was opened; a look takes its time. */
const OPEN_MS_MAX = 2_000;

/** One transition that ends may begin another. */
const SETTLE_ROUNDS_MAX = 10;

/** Asserts the bars of ux §3 for the page as it stands: axe, one `h1`, no sideways scrolling. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  // A click is over when the next page begins to come.
  await page.waitForLoadState();
  await settle(page);
  // Without frames there is nothing to put together: axe can do all of its work in the page, without a
  // second one that has to be opened for each look.
  expect.soft(page.frames().length, `no frames: ${what}`).toBe(1);
  const { passes, violations } = await new AxeBuilder({ page })
    // Of rules that pass only their number is asked for, not each element they passed for.
    .options({ resultTypes: ['violations'] })
    .withTags(TAGS)
    .setLegacyMode()
    .analyze();
  const found = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} (${help}) at ${target}: ${failureSummary}`),
  );
  expect.soft(found, `axe finds nothing: ${what}`).toEqual([]);
  expect.soft(passes.length, `axe looked: ${what}`).toBeGreaterThan(10);
  expect.soft(await page.locator('h1').count(), `one h1: ${what}`).toBe(1);
  await expectNoSidewaysScrolling(page, what);
}

/**
 * Opens a path and asserts the same bars in both themes at both widths. Theme and width are media queries
 * of the style sheets and nothing else, so the page is not loaded anew for each.
 */
export async function expectAccessibleEverywhere(page: Page, path: string): Promise<void> {
  let openedAt = -Infinity;
  await inEveryLook(page, async (look) => {
    if (Date.now() - openedAt > OPEN_MS_MAX) {
      await page.goto(path);
      openedAt = Date.now();
    }
    await expectAccessible(page, `${path} ${look}`);
  });
}

/** The same for a page that is open, which need not have an address. */
export async function expectAccessibleAsItStands(page: Page, what: string): Promise<void> {
  await inEveryLook(page, (look) => expectAccessible(page, `${what} ${look}`));
}

async function inEveryLook(page: Page, assert: (look: string) => Promise<void>): Promise<void> {
  for (const colorScheme of THEMES) {
    for (const width of WIDTHS) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await assert(`${colorScheme} ${width}`);
    }
  }
}

/**
 * Ends the transitions that are under way: colours on their way from one theme to the other would be
 * measured. Nothing is waited for, so nothing can be waited for in vain.
 */
async function settle(page: Page): Promise<void> {
  const left = await page.evaluate((roundsMax) => {
    // Whoever asks has the styles worked out, which begins what a change of theme begins.
    const running = () => document.getAnimations().filter(({ playState }) => playState === 'running');
    for (let round = 0; round < roundsMax && running().length > 0; round += 1) {
      for (const animation of running()) animation.finish();
    }
    return running().length;
  }, SETTLE_ROUNDS_MAX);
  expect(left, 'animations that begin anew whenever they end').toBe(0);
}

export async function expectNoSidewaysScrolling(page: Page, what: string): Promise<void> {
  const excess = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });
  expect.soft(excess, `pixels beyond the side: ${what}`).toBeLessThanOrEqual(0);
}
