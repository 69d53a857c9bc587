/** Shares the page's address. */

/** Returns what was done, or null if the visitor cancelled. */
export async function share(address: string, title: string): Promise<string | null> {
  if (typeof navigator.share === "function") {
    try {
      await navigator.share({ title, url: address });
      return "Shared.";
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return null;
      // no share targets: use the clipboard
    }
  }
  await navigator.clipboard.writeText(address);
  return "Link copied.";
}
