// From the world to the screen: a scale and the world's point in the upper left corner. Pure.
export interface View {
  scale: number;
  x: number;
  y: number;
}
export interface Size {
  width: number;
  height: number;
}

export const CLOSEST = 2.5;

/** The whole world, from the upper left. */
export function whole(world: Size & { scale: number }): View {
  return { scale: world.scale, x: 0, y: 0 };
}

/** Closer or farther, with the point under the pointer staying where it is. */
export function zoom(view: View, factor: number, at: { x: number; y: number }, least: number): View {
  const scale = Math.min(CLOSEST, Math.max(least, view.scale * factor));
  return { scale, x: view.x + at.x / view.scale - at.x / scale, y: view.y + at.y / view.scale - at.y / scale };
}

/** Never so far off that nothing is seen. */
export function kept(view: View, world: Size, screen: Size): View {
  const w = screen.width / view.scale;
  const h = screen.height / view.scale;
  const within = (at: number, world: number, window: number): number =>
    world <= window ? 0 : Math.min(Math.max(at, -window * 0.1), world - window * 0.9);
  return { scale: view.scale, x: within(view.x, world.width, w), y: within(view.y, world.height, h) };
}

/** So that a rectangle of the world is seen, moved as little as needed. */
export function showing(view: View, box: Size & { x: number; y: number }, screen: Size): View {
  const margin = 24 / view.scale;
  const shift = (at: number, start: number, length: number, window: number): number => {
    if (start - margin < at) return start - margin;
    if (start + length + margin > at + window) return start + length + margin - window;
    return at;
  };
  return {
    scale: view.scale,
    x: shift(view.x, box.x, box.width, screen.width / view.scale),
    y: shift(view.y, box.y, box.height, screen.height / view.scale),
  };
}
