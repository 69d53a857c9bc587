/** Sliders whose track is filled up to their thumb (style.css). */

/** Fills the track up to the slider's value. */
export function showFill(slider: HTMLInputElement): void {
  const [min, max] = [Number(slider.min), Number(slider.max)];
  const share = max > min ? (slider.valueAsNumber - min) / (max - min) : 0;
  slider.style.setProperty("--fill", String(share));
}
