/** How a grid of squares fills a window. */

/** How much picture size may be given up for full rows. */
const FULL_ROWS = 1.2;

export interface Grid {
  columns: number;
  /** Side of a square in pixels. */
  side: number;
}

/** The number of columns with the largest squares that fit, preferring full rows where they cost little. */
export function gridFor(count: number, width: number, height: number, gap: number): Grid {
  const grids = Array.from({ length: Math.max(1, count) }, (_, index): Grid => {
    const columns = index + 1;
    const rows = Math.ceil(count / columns);
    const across = (width - gap * (columns - 1)) / columns;
    const down = (height - gap * (rows - 1)) / rows;
    return { columns, side: Math.min(across, down) };
  });
  const largest = (some: Grid[]) => some.reduce((best, grid) => (grid.side > best.side ? grid : best));
  const best = largest(grids);
  const full = largest(grids.filter(({ columns }) => count % columns === 0));
  return full.side * FULL_ROWS >= best.side ? full : best;
}
