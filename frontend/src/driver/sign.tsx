// The signature: drawn with a finger, kept as a PNG.

import { useEffect, useRef, useState } from "preact/hooks";
import SignaturePad from "signature_pad";
import { toBlob } from "./camera";

interface Props {
  done: (signature: Blob) => void;
  cancel: () => void;
}

export function Sign({ done, cancel }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const pad = useRef<SignaturePad | null>(null);
  const [empty, setEmpty] = useState(true);

  useEffect(() => {
    const paper = canvas.current!;
    dialog.current!.showModal();
    const sharp = Math.max(window.devicePixelRatio, 1);
    paper.width = paper.offsetWidth * sharp;
    paper.height = paper.offsetHeight * sharp;
    paper.getContext("2d")!.scale(sharp, sharp);
    const made = new SignaturePad(paper, { penColor: "#000", backgroundColor: "#fff", minWidth: 1.2, maxWidth: 3.2 });
    made.addEventListener("endStroke", () => setEmpty(made.isEmpty()));
    pad.current = made;
    return () => made.off();
  }, []);

  const clear = () => {
    pad.current?.clear();
    setEmpty(true);
  };

  return (
    <dialog class="sign" ref={dialog} onClose={cancel} aria-labelledby="sign-title">
      <h2 id="sign-title">Sign here</h2>
      <canvas ref={canvas} aria-label="Field to sign in with a finger" />
      <div class="bar">
        <button type="button" class="button" onClick={() => dialog.current?.close()}>Back</button>
        <button type="button" class="button" disabled={empty} onClick={clear}>Clear</button>
        <button type="button" class="button main" disabled={empty} onClick={async () => done(await toBlob(canvas.current!, "image/png"))}>
          Use it
        </button>
      </div>
    </dialog>
  );
}
