/** axe-core in a page. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Fails with what axe-core finds; returns how many rules pass. */
export async function checkAccess(page, what) {
  // as a debugger does: the page's policy forbids scripts of others
  await page.evaluate(AXE);
  const { violations, passes } = await page.evaluate(() => axe.run());
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("; ")}`,
  );
  assert.deepEqual(found, [], what);
  return passes.length;
}

/** What the tab key reaches, in its order, as id, label or text; each shows its focus. */
export async function tabOrder(page, most = 80) {
  const seen = [];
  for (let presses = 0; presses < most; presses++) {
    await page.keyboard.press("Tab");
    const now = await page.evaluate(() => {
      const { activeElement } = document;
      if (activeElement === document.body) return null;
      // a part of a drawing shows its focus on its box
      const shown = activeElement.querySelector(":scope > rect") ?? activeElement;
      const { outlineStyle, outlineWidth, strokeWidth } = getComputedStyle(shown);
      const outlined = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
      if (!outlined && !(shown !== activeElement && parseFloat(strokeWidth) >= 3)) {
        return `${activeElement.outerHTML} shows no focus`;
      }
      return activeElement.id || activeElement.getAttribute("aria-label") || activeElement.textContent.trim();
    });
    if (now === null) break;
    seen.push(now);
  }
  return seen;
}
