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

let sheet: CSSStyleSheet | undefined;

export function styleSheet(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
  }
  return sheet;
}
