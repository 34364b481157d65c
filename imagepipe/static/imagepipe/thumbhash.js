/* Draws the blurred placeholder of each picture that has yet to load, from some 25 bytes:
   https://evanw.github.io/thumbhash/. Include it with `defer`. */
(function () {
  'use strict';

  const SIDE = 32;
  const NAME = 'imagepipeThumbhash';

  const bytesOf = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

  /** The frequencies that a channel of so many columns and rows has, the constant one left out. */
  function frequencies(columns, rows) {
    const found = [];
    for (let down = 0; down < rows; down += 1) {
      for (let across = down ? 0 : 1; across * rows < columns * (rows - down); across += 1) {
        found.push([across, down]);
      }
    }
    return found;
  }

  /** Width, height and RGBA of what a hash says. */
  function draw(hash) {
    const bits = hash[0] | (hash[1] << 8) | (hash[2] << 16);
    const more = hash[3] | (hash[4] << 8);
    const part = (word, from, most) => (word >> from) & most;
    const hasAlpha = part(bits, 23, 1);
    const isWide = part(more, 15, 1);
    const long = hasAlpha ? 5 : 7;
    const short = Math.max(3, part(more, 0, 7));
    const [columns, rows] = isWide ? [long, short] : [short, long];
    let nibble = hasAlpha ? 12 : 10;

    function channel(constant, scale, ...counts) {
      const waves = frequencies(...counts).map(([x, y]) => {
        const value = (hash[nibble >> 1] >> ((nibble & 1) * 4)) & 15;
        nibble += 1;
        return [x, y, (value / 7.5 - 1) * scale];
      });
      return (x, y) =>
        waves.reduce(
          (sum, [across, down, weight]) =>
            sum + 2 * weight * Math.cos(Math.PI * x * across) * Math.cos(Math.PI * y * down),
          constant,
        );
    }

    const light = channel(part(bits, 0, 63) / 63, part(bits, 18, 31) / 31, columns, rows);
    const yellow = channel(part(bits, 6, 63) / 31.5 - 1, part(more, 3, 63) / 63, 3, 3);
    const red = channel(part(bits, 12, 63) / 31.5 - 1, part(more, 9, 63) / 63, 3, 3);
    const alpha = hasAlpha ? channel((hash[5] & 15) / 15, (hash[5] >> 4) / 15, 5, 5) : () => 1;
    const ratio = columns / rows;
    const width = Math.round(ratio > 1 ? SIDE : SIDE * ratio);
    const height = Math.round(ratio > 1 ? SIDE / ratio : SIDE);
    const pixels = new Uint8ClampedArray(4 * width * height);
    for (let place = 0; place < width * height; place += 1) {
      const at = [((place % width) + 0.5) / width, (Math.floor(place / width) + 0.5) / height];
      const [l, p, q] = [light, yellow, red].map((of) => of(...at));
      const b = l - (2 / 3) * p;
      const r = (3 * l - b + q) / 2;
      pixels.set([r, r - q, b, alpha(...at)].map((value) => 255 * value), 4 * place);
    }
    return { width, height, pixels };
  }

  function address(hash) {
    const { width, height, pixels } = draw(bytesOf(hash));
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    canvas.getContext('2d').putImageData(new ImageData(pixels, width, height), 0, 0);
    return canvas.toDataURL();
  }

  function show(image) {
    let source;
    try {
      source = address(image.dataset[NAME]);
    } catch {
      return; // what is damaged is left out; the colour stays
    }
    const look = { backgroundImage: `url(${source})`, backgroundPosition: 'center', backgroundSize: 'cover' };
    Object.assign(image.style, look);
    const clear = () => Object.keys(look).forEach((name) => Object.assign(image.style, { [name]: '' }));
    image.addEventListener('load', clear, { once: true });
  }

  document.querySelectorAll('img[data-imagepipe-thumbhash]').forEach((image) => {
    if (!image.complete) show(image);
  });
})();
