/** Shares the page's address, and a picture where the system takes files. */

/** Returns what was done, or null if the visitor cancelled. `picture` is made only where it is taken. */
export async function share(
  address: string,
  title: string,
  picture: () => Promise<File | undefined>,
): Promise<string | null> {
  if (typeof navigator.share === "function") {
    try {
      const file = takesPictures() ? await picture() : undefined;
      await navigator.share({ title, url: address, ...(file && { files: [file] }) });
      return "Shared.";
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return null;
      // no share targets: use the clipboard
    }
  }
  await navigator.clipboard.writeText(address);
  return "Link copied.";
}

function takesPictures(): boolean {
  const files = [new File([], "picture.png", { type: "image/png" })];
  return typeof navigator.canShare === "function" && navigator.canShare({ files });
}
