/** The page's address, handed on. */

/** Says what was done, or null if the visitor thought better of it. */
export async function share(address: string, title: string): Promise<string | null> {
  if (typeof navigator.share === "function") {
    try {
      await navigator.share({ title, url: address });
      return "Shared.";
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return null;
      // a system without targets: the clipboard does
    }
  }
  await navigator.clipboard.writeText(address);
  return "Link copied.";
}
