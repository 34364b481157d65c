/**
 * What can be drawn into a mask. A mark is plain data in pixels of the mask, so that the whole
 * mask can be drawn anew from its marks: undo is leaving out the last one.
 */

/** Draws one mark; `colour` is what marked parts look like. */
export function draw(context, mark, colour) {
  context.save();
  context.fillStyle = colour;
  context.strokeStyle = colour;
  context.globalCompositeOperation = mark.tool === 'eraser' ? 'destination-out' : 'source-over';
  if (mark.tool === 'lasso') outline(context, mark.points);
  else if (mark.tool === 'rectangle') context.fillRect(...mark.box);
  else if (mark.tool === 'invert') invert(context, colour);
  else if (mark.tool === 'clear') context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  else if (mark.tool === 'image') context.drawImage(mark.image, 0, 0, context.canvas.width, context.canvas.height);
  else line(context, mark);
  context.restore();
}

function line(context, { points, size }) {
  const [first] = points;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  context.lineWidth = size;
  context.beginPath();
  context.moveTo(first[0], first[1]);
  points.forEach(([x, y]) => context.lineTo(x, y));
  if (points.length === 1) context.lineTo(first[0] + 0.01, first[1]);
  context.stroke();
}

function outline(context, points) {
  if (points.length < 3) return;
  context.beginPath();
  points.forEach(([x, y], index) => (index ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.closePath();
  context.fill();
}

function invert(context, colour) {
  context.globalCompositeOperation = 'source-out';
  context.fillStyle = colour;
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
}

/** The mask as a PNG in a data address: white on black. Empty where nothing is marked. */
export function toPng(canvas) {
  const { width, height } = canvas;
  const copy = document.createElement('canvas');
  Object.assign(copy, { width, height });
  const context = copy.getContext('2d');
  context.drawImage(canvas, 0, 0);
  context.globalCompositeOperation = 'source-in';
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.globalCompositeOperation = 'destination-over';
  context.fillStyle = '#000';
  context.fillRect(0, 0, width, height);
  return copy.toDataURL('image/png');
}

/** How much of a mask is marked, 0 to 1; looked at in small. */
export function share(canvas) {
  const small = document.createElement('canvas');
  Object.assign(small, { width: 128, height: 128 });
  const context = small.getContext('2d', { willReadFrequently: true });
  context.drawImage(canvas, 0, 0, 128, 128);
  const { data } = context.getImageData(0, 0, 128, 128);
  let sum = 0;
  for (let index = 3; index < data.length; index += 4) sum += data[index];
  return sum / (255 * 128 * 128);
}

/** A picture of white and black as one whose black parts are transparent. */
export async function fromPng(address, colour) {
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: image.naturalWidth, height: image.naturalHeight });
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let index = 0; index < pixels.data.length; index += 4) pixels.data[index + 3] = pixels.data[index];
  context.putImageData(pixels, 0, 0);
  context.globalCompositeOperation = 'source-in';
  context.fillStyle = colour;
  context.fillRect(0, 0, canvas.width, canvas.height);
  return canvas;
}
