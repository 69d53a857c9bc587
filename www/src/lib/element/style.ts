/** The style of the element. A constructed sheet, so that the page's policy need not allow inline styles. */

const STYLE = `
:host { display: block; position: relative; min-height: 2rem; }
:host([hidden]), [hidden] { display: none !important; }
[part~="grid"] {
  display: grid;
  gap: var(--biggan-gap, 4px);
  grid-template-columns: var(--biggan-columns, repeat(auto-fit, minmax(min(100%, var(--biggan-size, 6rem)), 1fr)));
}
[part~="image"] { display: block; width: 100%; height: auto; }
[part~="loading"], [part~="error"] { margin: 0.5em 0; }
[part~="progress"] { display: block; width: 100%; }
[part~="controls"] { display: flex; flex-wrap: wrap; gap: 0.5em; margin-top: 0.5em; }
[part~="button"] { font: inherit; padding: 0.4em 0.8em; }
@media (pointer: coarse) { [part~="button"] { min-height: 44px; } }
[part~="button"]:focus-visible { outline: 2px solid Highlight; outline-offset: 2px; }
`;

const sheets = new WeakMap<Document, CSSStyleSheet>();

/** The sheet of a document: it holds in no other. None in a document without a window, which shows nothing. */
export function styleSheets(document: Document): CSSStyleSheet[] {
  const { defaultView } = document;
  if (!defaultView) return [];
  const sheet = sheets.get(document) ?? new defaultView.CSSStyleSheet();
  if (!sheets.has(document)) sheet.replaceSync(STYLE);
  sheets.set(document, sheet);
  return [sheet];
}
