/** Hands a file to the browser's downloads. */
export function download(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // the download holds its own reference to the bytes once the click is handled
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
