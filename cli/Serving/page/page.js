// Sends a dropped, pasted or chosen image to the server and shows the answer.

const element = id => document.getElementById(id);
const drop = element("drop"), file = element("file"), problem = element("problem"), result = element("result");
const image = element("image"), map = element("map"), caption = element("caption"), classes = element("classes"), overlay = element("overlay");

let newest = 0; // answers to earlier images than the newest are dropped

async function predict(blob) {
  const turn = ++newest;
  drop.classList.add("busy");
  try {
    const response = await fetch("predict?maps=true&top=5", { method: "POST", body: blob });
    const answer = await response.json();
    if (turn !== newest)
      return;
    if (!response.ok)
      throw new Error(answer.detail);
    await show(blob, answer.predictions);
    problem.hidden = true;
    result.hidden = false;
  } catch (error) {
    if (turn !== newest)
      return;
    problem.textContent = error instanceof TypeError ? "The server does not answer." : error.message;
    problem.hidden = false;
    result.hidden = true;
  } finally {
    if (turn === newest)
      drop.classList.remove("busy");
  }
}

async function show(blob, predictions) {
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(blob);
  await image.decode();
  classes.replaceChildren(...predictions.map(prediction => {
    const button = document.createElement("button"), name = document.createElement("span");
    const probability = document.createElement("span"), bar = document.createElement("progress");
    name.textContent = prediction.class;
    probability.textContent = `${(100 * prediction.probability).toFixed(1)} %`;
    probability.className = "probability";
    bar.value = prediction.probability;
    button.append(name, probability, bar);
    button.type = "button";
    button.addEventListener("click", () => explain(prediction, button));
    const item = document.createElement("li");
    item.append(button);
    return item;
  }));
  explain(predictions[0], classes.querySelector("button"));
}

// Lays a class's map over the image: from clear, where nothing speaks for the class, to red, where most does.
function explain(prediction, button) {
  for (const other of classes.querySelectorAll("button"))
    other.setAttribute("aria-pressed", other === button);
  const rows = prediction.map, height = rows.length, width = rows[0].length, greatest = Math.max(...rows.flat(), 1e-9);
  const small = new OffscreenCanvas(width, height), pixels = new ImageData(width, height);
  rows.flat().forEach((value, i) => {
    const strength = Math.max(value, 0) / greatest;
    pixels.data.set([255, Math.round(220 * (1 - strength)), 0, Math.round(255 * strength)], 4 * i);
  });
  small.getContext("2d").putImageData(pixels, 0, 0);
  map.width = 32 * width;
  map.height = 32 * height;
  const context = map.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, map.width, map.height);
  caption.textContent = width * height > 1
    ? `What speaks for “${prediction.class}”, at ${height}×${width} places`
    : "At its input size this model does not tell where; models for larger images do.";
  map.hidden = !overlay.checked || width * height === 1;
  overlay.onchange = () => { map.hidden = !overlay.checked || width * height === 1; };
}

const images = list => [...list].filter(item => item.type.startsWith("image/") || item.type === "");
file.addEventListener("change", () => { if (file.files.length > 0) predict(file.files[0]); file.value = ""; });
for (const kind of ["dragenter", "dragover"])
  document.addEventListener(kind, event => { event.preventDefault(); drop.classList.add("over"); });
for (const kind of ["dragleave", "drop"])
  document.addEventListener(kind, event => { event.preventDefault(); drop.classList.remove("over"); });
document.addEventListener("drop", event => { if (event.dataTransfer.files.length > 0) predict(event.dataTransfer.files[0]); });
document.addEventListener("paste", event => { const [pasted] = images(event.clipboardData.files); if (pasted) predict(pasted); });

element("address").textContent = location.href;
const model = await (await fetch("model")).json();
element("model").textContent =
  `The network “${model.architecture}” tells ${model.classes.length} classes apart, on ${model.image_size}×${model.image_size} pixels. ${model.device}, ${model.precision}.`;
