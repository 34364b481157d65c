/** The arithmetic of larger canvases, as the server does it; sizes are pixels. */

export function parseShape(text) {
  const match = /^\s*(\d{1,5})\s*([:x×/])\s*(\d{1,5})\s*$/.exec(text);
  if (!match || !Number(match[1]) || !Number(match[3])) return null;
  const ratio = [Number(match[1]), Number(match[3])];
  if (ratio[0] / ratio[1] > 8 || ratio[1] / ratio[0] > 8) return null;
  return { ratio, name: ratio.join(match[2] === ':' ? ':' : '×') };
}

/** The smallest canvas of a shape that holds the whole picture. */
export function byShape([width, height], [across, down], [x, y]) {
  const wide = Math.max(width, Math.ceil((height * across) / down));
  const tall = Math.max(height, Math.ceil((width * down) / across));
  return {
    width: wide,
    height: tall,
    left: Math.round((wide - width) * x),
    top: Math.round((tall - height) * y),
  };
}

/** The canvas that is larger by shares of the picture: left, top, right, bottom. */
export function bySides([width, height], [left, top, right, bottom]) {
  const room = [left * width, top * height, right * width, bottom * height].map(Math.round);
  return {
    width: width + room[0] + room[2],
    height: height + room[1] + room[3],
    left: room[0],
    top: room[1],
  };
}
