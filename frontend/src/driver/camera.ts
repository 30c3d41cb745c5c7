// Photos on their way to the hub: shrunk on the phone, so that they leave it over a weak signal.

const EDGE = 1_600;

/** Return the photo as a JPEG of at most 1,600 pixels a side, or as it is where that fails. */
export async function shrink(photo: Blob): Promise<Blob> {
  try {
    const picture = await createImageBitmap(photo, { imageOrientation: "from-image" });
    const scale = Math.min(1, EDGE / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return await toBlob(canvas, "image/jpeg", photo);
  } catch {
    return photo; // the hub checks every picture itself and says what is wrong with it
  }
}

/** Return what is on a canvas as a file. */
export function toBlob(canvas: HTMLCanvasElement, type: string, otherwise?: Blob): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (made) => {
        const found = made ?? otherwise;
        if (found) resolve(found);
        else reject(new Error("The picture could not be made."));
      },
      type,
      0.82,
    );
  });
}
