/* Large photographs made small before they are kept and sent: 12 megapixels are minutes on a slow network, and
 * nine of them more than a small phone can hold. What the camera wrote beside the picture, when and where it was
 * taken, goes along; only the note which side is up is put right, because the new picture stands upright.
 */
const SIDE = 1920, QUALITY = 0.82, SMALL_BYTES = 600_000;
const STARTS = [[0, '\xff\xd8\xff'], [0, '\x89PNG'], [0, 'GIF8'], [0, 'BM'], [8, 'WEBP'], [4, 'ftyp']];
const ORIENTATION = 0x0112;

/* By its first bytes, as the server looks: a name says nothing. */
export async function isPicture(file) {
  const start = String.fromCharCode(...new Uint8Array(await file.slice(0, 12).arrayBuffer()));
  return STARTS.some(([at, sign]) => start.startsWith(sign, at));
}

/* The file itself where it is small, no JPEG, or this browser cannot do it: the server takes it all the same. */
export async function shrunk(file) {
  if (file.size <= SMALL_BYTES || file.type !== 'image/jpeg') return file;
  try {
    const jpeg = await drawnSmall(file), told = await exifOf(file);
    const small = new Blob(told ? [jpeg.slice(0, 2), told, jpeg.slice(2)] : [jpeg]);
    return small.size < file.size ? new File([small], file.name, { type: 'image/jpeg' }) : file;
  } catch {
    return file;
  }
}

async function drawnSmall(file) {
  const picture = await createImageBitmap(file), scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
  const canvas = Object.assign(document.createElement('canvas'), { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
  canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return new Promise((resolve, reject) => { canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/jpeg', QUALITY); });
}

/* The EXIF segment of a JPEG, marker and length included, with the picture told to stand upright; null where there is none. */
async function exifOf(file) {
  const bytes = await file.slice(0, 256 * 1024).arrayBuffer(), view = new DataView(bytes);
  for (let at = 2; at + 4 <= view.byteLength && view.getUint8(at) === 0xff; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint8(at + 1), length = 2 + view.getUint16(at + 2);
    if (marker === 0xda) return null; // the picture begins
    if (marker !== 0xe1 || view.getUint32(at + 4) !== 0x45786966) continue; // "Exif"
    const segment = bytes.slice(at, at + length);
    setUpright(new DataView(segment, 10));
    return segment;
  }
  return null;
}

function setUpright(tiff) {
  const little = tiff.getUint16(0) === 0x4949, first = tiff.getUint32(4, little);
  for (let i = 0; i < tiff.getUint16(first, little); i++) {
    const entry = first + 2 + 12 * i;
    if (tiff.getUint16(entry, little) === ORIENTATION) tiff.setUint16(entry + 8, 1, little);
  }
}
