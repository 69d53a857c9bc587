/**
 * uPlot makes number formats for the browser's language when it is imported, and ends there if that is no language tag:
 * WebKitGTK names the C locale "C". Imported before it.
 */

try {
  Intl.getCanonicalLocales(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en" });
}
